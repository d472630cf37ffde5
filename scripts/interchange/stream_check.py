#!/usr/bin/env python3
"""Reads `covista stream` with WebDataset in PyTorch's DataLoader and compares with what `covista generate` writes.

    python scripts/interchange/stream_check.py [path of the program]

Needs the PyPI packages webdataset, torch, numpy and pillow. Ends with "N passed, N failed".
"""

import io
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import webdataset
from PIL import Image
from torch.utils.data import DataLoader

PROGRAM = sys.argv[1] if len(sys.argv) > 1 else "target/release/covista"
RUN = "--scene procedural:3 --profile smoke --seed 11 --set generate.block_pairs=3"
results = []


def check(name, passed, detail=""):
    results.append(passed)
    print(f"{'pass' if passed else 'FAIL'}  {name}  {detail}", flush=True)


def decoded(sample):
    return {
        "index": json.loads(sample["json"])["index"],
        "first": np.array(Image.open(io.BytesIO(sample["first.png"]))),
        "second": np.array(Image.open(io.BytesIO(sample["second.png"]))),
        "depth": np.load(io.BytesIO(sample["first.depth.npy"])),
        "overlap": json.loads(sample["json"])["overlaps"]["homography"]["first_to_second"],
    }


def dataset(url, **options):
    return webdataset.WebDataset(url, shardshuffle=False, **options).map(decoded)


def native(folder):
    pairs = {}
    for record in sorted(folder.glob("*/pair.json")):
        pair = json.loads(record.read_text())
        pairs[pair["index"]] = (
            np.asarray(Image.open(record.with_name("first.png"))),
            np.asarray(Image.open(record.with_name("second.png"))),
            np.load(record.with_name("first.depth.npy")),
            pair["overlaps"]["homography"]["first_to_second"],
        )
    return pairs


def same(sample, pair):
    first, second, depth, overlap = pair
    return (
        np.array_equal(sample["first"], first)
        and np.array_equal(sample["second"], second)
        and np.array_equal(sample["depth"], depth)
        and sample["overlap"] == overlap
    )


def run():
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        subprocess.run(
            [PROGRAM, "generate", *RUN.split(), "--pairs", "6", "--out", folder / "set"], check=True, stdout=subprocess.DEVNULL
        )
        truth = native(folder / "set")

        work = folder / "work"
        work.mkdir()
        url = f"pipe:cd {work} && {Path(PROGRAM).resolve()} stream {RUN}"
        loader = DataLoader(dataset(f"{url} --pairs 6"), batch_size=None, num_workers=0)
        samples = list(loader)
        check("one stream gives the pairs of generate", [s["index"] for s in samples] == list(truth))
        check("pictures, depth and overlap are the same values", all(same(s, truth[s["index"]]) for s in samples))

        parts = f"{url} --pairs 3 --shard {{0..1}}/2"
        loader = DataLoader(
            dataset(parts, nodesplitter=webdataset.split_by_node, workersplitter=webdataset.split_by_worker),
            batch_size=None,
            num_workers=2,
        )
        samples = list(loader)
        indices = [s["index"] for s in samples]
        check("two workers have streams of their own", len(indices) == len(set(indices)) == 6, str(sorted(indices)))
        check("together they are the run that generate makes", set(indices) == set(truth))
        check("the same index is the same pair in any split", all(same(s, truth[s["index"]]) for s in samples))

        batches = DataLoader(dataset(f"{url} --pairs 4").to_tuple("first", "second"), batch_size=2, num_workers=1)
        shapes = [tuple(first.shape) for first, _ in batches]
        check("batches are stacked by the DataLoader", shapes == [(2, 224, 224, 3)] * 2, str(shapes))

        # A reader that has enough closes the pipe: the program ends quietly.
        process = subprocess.Popen(
            [PROGRAM, "stream", *RUN.split()], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        process.stdout.read(100_000)
        process.stdout.close()
        code = process.wait(timeout=120)
        said = process.stderr.read().decode()
        check("a closed pipe ends an endless stream with exit code 0", code == 0 and said == "", f"{code} {said!r}")
        check("no file was written", not any(work.iterdir()))


run()
failed = results.count(False)
print(f"{len(results) - failed} passed, {failed} failed")
sys.exit(1 if failed else 0)
