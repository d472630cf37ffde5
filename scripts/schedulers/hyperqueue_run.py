#!/usr/bin/env python3
"""One shard of a Covista run a HyperQueue task, through HyperQueue's Python package (`pip install hyperqueue`).

    python hyperqueue_run.py --shards 8 -- --scene procedural:3 --pairs 64 --seed 1 --out parts

What follows `--` are the arguments of `covista generate`. A server and one worker are started on this machine; on a cluster give
`--server-dir` of a running one. With HyperQueue's own program the same is

    hq submit --array 0-7 --crash-limit 20 --env COVISTA_SHARDS=8 -- covista generate ... --shard-from-env

A task that ends with 130 (interrupted) or by a signal is submitted again and goes on where it was.
"""

import argparse
import os
import sys

from hyperqueue import Client, Job, LocalCluster
from hyperqueue.cluster import WorkerConfig
from hyperqueue.client import FailedJobsException


def submit(client, args, indices):
    job = Job()
    for index in indices:
        # Tasks get HQ_TASK_ID in the order in which they are added; said here as well, so that a part can be submitted again.
        env = {**os.environ, "COVISTA_SHARDS": str(args.shards), "HQ_TASK_ID": str(index)}
        command = f'exec env HQ_TASK_ID={index} "$0" "$@"'
        job.program(["sh", "-c", command, args.covista, "generate", *args.generate, "--shard-from-env"], env=env,
                    stdout=os.path.join(args.logs, f"{index}.out"), stderr=os.path.join(args.logs, f"{index}.err"))
    return client.submit(job)


def unfinished(args):
    out = args.generate[args.generate.index("--out") + 1]
    return [i for i in range(args.shards) if not os.path.exists(f"{out}/shard-{i:05}-of-{args.shards:05}/manifest.json")]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shards", type=int, required=True)
    parser.add_argument("--cores", type=int, default=os.cpu_count(), help="of the local worker")
    parser.add_argument("--restarts", type=int, default=20, help="times that stopped shards are submitted again")
    parser.add_argument("--server-dir", help="of a HyperQueue that runs; without it one is started here")
    parser.add_argument("--logs", default="hyperqueue-logs")
    parser.add_argument("--covista", default=os.environ.get("COVISTA_BIN", "covista"))
    parser.add_argument("generate", nargs="+", help="arguments of covista generate, after --")
    args = parser.parse_args()
    if "--out" not in args.generate:
        parser.error("the arguments of generate need --out DIR")
    os.makedirs(args.logs, exist_ok=True)
    args.logs = os.path.abspath(args.logs)

    def run(client):
        indices = list(range(args.shards))
        for attempt in range(args.restarts + 1):
            try:
                client.wait_for_jobs([submit(client, args, indices)])
            except FailedJobsException as error:
                print(f"attempt {attempt}: {error}", file=sys.stderr)
            indices = unfinished(args)
            if not indices:
                return 0
            print(f"attempt {attempt}: shards {indices} are unfinished; submitted again", file=sys.stderr)
        return 1

    if args.server_dir:
        return run(Client(args.server_dir))
    with LocalCluster() as cluster:
        cluster.start_worker(WorkerConfig(cores=args.cores))
        return run(cluster.client())


if __name__ == "__main__":
    sys.exit(main())
