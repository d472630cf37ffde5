#!/usr/bin/env python3
"""One shard of a Covista run a Ray task (`pip install ray`).

    python ray_run.py --shards 8 -- --scene procedural:3 --pairs 64 --seed 1 --out parts

What follows `--` are the arguments of `covista generate`; the output must be a folder that all nodes see, or object storage. Joins the
cluster of RAY_ADDRESS, else starts Ray on this machine. A task that ends with 130 (interrupted) or by a signal is tried again
and goes on where it was; one that ends with another code is reported.
"""

import argparse
import os
import subprocess
import sys

import ray


class Stopped(Exception):
    """The program was stopped; what it had finished is on disk."""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shards", type=int, required=True)
    parser.add_argument("--cpus-per-shard", type=float, default=1)
    parser.add_argument("--restarts", type=int, default=20)
    parser.add_argument("--covista", default=os.environ.get("COVISTA_BIN", "covista"))
    parser.add_argument("generate", nargs="+", help="arguments of covista generate, after --")
    args = parser.parse_args()
    ray.init(ignore_reinit_error=True, include_dashboard=False, log_to_driver=True)

    @ray.remote(num_cpus=args.cpus_per_shard, max_retries=args.restarts, retry_exceptions=[Stopped])
    def shard(index):
        command = [args.covista, "generate", *args.generate, "--shards", str(args.shards), "--shard", str(index)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode < 0 or done.returncode == 130:
            print(f"shard {index} was stopped ({done.returncode}); tried again")
            raise Stopped(index)
        return index, done.returncode, done.stdout.strip() or done.stderr.strip()

    waiting, failed = [shard.remote(index) for index in range(args.shards)], 0
    while waiting:
        ready, waiting = ray.wait(waiting)
        for index, code, said in ray.get(ready):
            failed += code != 0
            print(f"shard {index}: exit {code}: {said}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
