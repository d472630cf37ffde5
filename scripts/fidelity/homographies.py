"""usage: homographies.py SHARED SWEEP_VIEWS OUT.json

What cv2.findHomography(RANSAC, 5 px) makes of the matches of a part of the pairs of all sets of overlap_tables.py, for
tests/overlap_findhomography.rs. Run it with the version of the released environment, 4.7.0.72.
"""

import json
import os
import subprocess
import sys
import tempfile

import cv2
import numpy as np

from overlap_tables import SCENES, SEED, SETS

SHARED, SWEEP_VIEWS, OUT = map(os.path.abspath, sys.argv[1:4])
EVERY = 10


def points(folder):
    """First and second points of the matches of each pair that has more than 10."""
    gray = [cv2.cvtColor(cv2.imread(os.path.join(folder, f"{i:03}.png")), cv2.COLOR_BGR2GRAY) for i in range(24)]
    found = [cv2.SIFT_create().detectAndCompute(g, None) for g in gray]
    for i, j in np.ndindex(8, 16):
        (a, da), (b, db) = found[i], found[8 + j]
        if da is None or db is None:
            continue
        pairs = cv2.BFMatcher().knnMatch(da, db, k=2)
        good = [p for p in pairs if len(p) == 2 and p[0].distance < 0.7 * p[1].distance]
        if len(good) > 10:
            yield i, j, np.float32([a[m.queryIdx].pt for m, _ in good]), np.float32([b[m.trainIdx].pt for m, _ in good])


cases = []
with tempfile.TemporaryDirectory() as lab:
    for scene, index in [("room", 0), *SETS]:
        folder = os.path.join(SHARED, "fixtures/overlap/room")
        if scene != "room":
            folder = os.path.join(lab, f"{scene}-{index}")
            place = os.path.join(SHARED, "scenes", SCENES[scene]) if scene in SCENES else scene.replace("-", ":")
            command = [SWEEP_VIEWS, folder, place, str(SEED), str(index)] + (["y"] if scene in SCENES else [])
            subprocess.run(command, check=True, capture_output=True)
        for i, j, first, second in points(folder):
            h, _ = cv2.findHomography(first, second, cv2.RANSAC, 5.0)
            short = lambda a: [float(f"{v:.9g}") for v in a.ravel()]
            cases.append({"pair": f"{os.path.basename(folder)} {i} {j}", "first": short(first), "second": short(second),
                          "homography": None if h is None else h.ravel().tolist()})
with open(OUT, "w") as file:
    file.write("[\n" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases[::EVERY]) + "\n]\n")
print(cv2.__version__, len(cases), "pairs, written", len(cases[::EVERY]))
