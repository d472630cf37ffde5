"""usage: sift_facts.py SHARED SWEEP_VIEWS OUT

What OpenCV's SIFT finds in the photographs of SHARED/assets/sift-homogr and in rendered views, for tests/sift_scenes.rs:
OUT/NAME.sift holds a part of the keypoints (every so many, evenly) with their descriptors, OUT/facts.json how many there
are in all, the hash of the view they were found in, and for each photo pair how many ratio-test matches the true homography confirms
to 3 px. SWEEP_VIEWS is the built example sweep_views.
"""

import json
import os
import struct
import subprocess
import sys
import tempfile

import cv2
import numpy as np

from overlap_tables import SCENES, SEED

SHARED, SWEEP_VIEWS, OUT = map(os.path.abspath, sys.argv[1:4])
PHOTOS = {"graf": "png", "adam": "png", "Brussels": "jpg", "city": "png"}
VIEWS = (0, 5)


def features(path):
    gray = cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2GRAY)
    return cv2.SIFT_create().detectAndCompute(gray, None)


def write(name, keypoints, descriptors, part):
    step = max(1, len(keypoints) // part)
    chosen = range(0, len(keypoints), step)
    with open(os.path.join(OUT, name + ".sift"), "wb") as file:
        file.write(struct.pack("<I", len(chosen)))
        for k in (keypoints[i] for i in chosen):
            file.write(struct.pack("<5fi", k.pt[0], k.pt[1], k.size, k.angle, k.response, k.octave))
        file.write(descriptors[::step].astype(np.uint8).tobytes())


def confirmed(a, b, true):
    """Matches by ratio 0.7 that lie within 3 px of where the true homography puts them."""
    pairs = cv2.BFMatcher().knnMatch(a[1], b[1], k=2)
    good = [(m.queryIdx, m.trainIdx) for m, n in pairs if m.distance < 0.7 * n.distance]
    first = np.array([a[0][i].pt for i, _ in good]).reshape(-1, 1, 2)
    second = np.array([b[0][j].pt for _, j in good])
    off = np.linalg.norm(cv2.perspectiveTransform(first, true)[:, 0] - second, axis=1)
    return {"matches": len(good), "confirmed": int((off < 3).sum())}


os.makedirs(OUT, exist_ok=True)
facts = {"opencv": cv2.__version__, "photos": {}, "views": {}}
for name, ending in PHOTOS.items():
    folder = os.path.join(SHARED, "assets/sift-homogr")
    a, b = (features(os.path.join(folder, f"{name}{side}.{ending}")) for side in "AB")
    # The file maps B to A.
    true = np.linalg.inv(np.loadtxt(os.path.join(folder, name + "_model.txt")))
    facts["photos"][name] = {"ending": ending, "keypoints": [len(a[0]), len(b[0])]} | confirmed(a, b, true)
    write(name + "A", *a, 100)
    write(name + "B", *b, 100)
    print(name, facts["photos"][name], flush=True)
with tempfile.TemporaryDirectory() as lab:
    for scene in [*SCENES, "procedural-1", "room"]:
        folder, hashes = os.path.join(SHARED, "fixtures/overlap/room"), [""] * 24
        if scene != "room":
            folder = os.path.join(lab, scene)
            place = os.path.join(SHARED, "scenes", SCENES[scene]) if scene in SCENES else scene.replace("-", ":")
            command = [SWEEP_VIEWS, folder, place, str(SEED), "0"] + (["y"] if scene in SCENES else [])
            hashes = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        for view in VIEWS:
            keypoints, descriptors = features(os.path.join(folder, f"{view:03}.png"))
            name = f"{scene}-{view}"
            facts["views"][name] = {"keypoints": len(keypoints), "hash": hashes[view]}
            if keypoints:
                write(name, keypoints, descriptors, 50)
            print(name, facts["views"][name], flush=True)
with open(os.path.join(OUT, "facts.json"), "w") as file:
    json.dump(facts, file, indent=1)
    file.write("\n")
