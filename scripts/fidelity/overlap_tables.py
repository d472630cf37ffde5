"""usage: overlap_tables.py PEERS SWEEP_VIEWS OUT [NAME ...]

Writes OUT/NAME.json: how OpenCV measures the overlap of the 24 views of a sweep, by PEERS/opencv_repeat.py, and how
far OpenCV agrees with itself on them. SWEEP_VIEWS is the built example sweep_views. tests/overlap_sets.rs reads the
tables and draws the same views itself.

 overlaps, mean, sd, kept  the 8x16 tables of opencv_repeat.py: one run, and mean, spread, keep rate of 20
 again                     the mean of 20 other shuffles: against `mean` it is the ceiling of that comparison
 itself                    what 20 single runs (shuffles 20 to 39) score against the tables above, as any tool is scored
 choices                   the pair with the smallest overlap in range of each of the runs 0 to 19, or null
"""

import json
import os
import subprocess
import sys
import tempfile

import cv2
import numpy as np

SCENES = {"white-room": "white-room/white-room.glb", "wooden-staircase": "wooden-staircase/wooden-staircase.glb",
          "contemporary-bathroom": "contemporary-bathroom/contemporary-bathroom.glb"}
SETS = [(name, index) for name in [*SCENES, "procedural-1", "procedural-2"] for index in (0, 1)]
SEED, REPEATS = 1, 20

def functions(folder):
    """The functions of opencv_overlap.py with the views of a folder loaded."""
    files = sorted(f for f in os.listdir(folder) if f.endswith(".png"))[:24]
    views = np.stack([cv2.cvtColor(cv2.imread(os.path.join(folder, f)), cv2.COLOR_BGR2RGB) for f in files])
    np.savez(os.path.join(os.environ["LAB"], "views.npz"), rgb=views)
    path = os.path.join(PEERS, "opencv_overlap.py")
    scope = {"__file__": path, "__name__": "opencv_overlap"}
    argv, sys.argv = sys.argv, ["", os.path.join(os.environ["LAB"], "views.npz")]
    exec(compile(open(path).read(), path, "exec"), scope)
    sys.argv = argv
    return scope


def runs(scope, shuffles):
    """One 8x16 table a shuffle; nan where there is no homography."""
    features = scope["features"]()
    out = np.full((len(shuffles), 8, 16), np.nan)
    for i in range(8):
        for j in range(16):
            a, b = features[i], features[8 + j]
            if a[1] is None or b[1] is None:
                continue
            matches = scope["good_bf"](a[1], b[1])
            if len(matches) <= 10:
                continue
            for place, seed in enumerate(shuffles):
                order = matches if seed == 0 else matches[np.random.default_rng(seed).permutation(len(matches))]
                h, _ = cv2.findHomography(a[0][order[:, 0]], b[0][order[:, 1]], cv2.RANSAC, 5.0)
                if h is None or abs(np.linalg.det(h)) < 1e-12:
                    continue
                there, back = scope["patch_match"](h), scope["patch_match"](np.linalg.inv(h))
                out[place, i, j] = min(scope["distinct"](there), scope["distinct"](back))
    return out


def in_range(table):
    return (table > 0.5) & (table < 0.75)


def choice(table):
    candidates = np.where(in_range(table), table, np.inf)
    i, j = np.unravel_index(candidates.argmin(), candidates.shape)
    return [int(i), int(j)] if np.isfinite(candidates[i, j]) else None


def make(name, folder, hashes, source):
    table_file = os.path.join(os.environ["LAB"], "table.json")
    subprocess.run([sys.executable, os.path.join(PEERS, "opencv_repeat.py"), folder, table_file, str(REPEATS)],
                   check=True, stdout=subprocess.DEVNULL)
    table = json.load(open(table_file))
    grid = lambda key: np.array([[np.nan if v is None else v for v in row] for row in table[key]])
    first = grid("overlaps")
    scope = functions(folder)
    own, other = runs(scope, range(REPEATS)), runs(scope, range(REPEATS, 2 * REPEATS))
    with np.errstate(all="ignore"):
        again = np.nanmean(other, 0)
        common = np.isfinite(other) & np.isfinite(first)
        itself = {
            "means": float((np.abs(again - grid("mean")) <= 0.03)[np.isfinite(again)].mean()),
            "singles": float((np.abs(other - first) <= 0.03)[common].mean()),
            "kept": float((in_range(other) == in_range(first))[common].mean()),
            "kept_all": float((in_range(other) == in_range(first)).mean()),
            "presence": float((np.isfinite(other) == np.isfinite(first)).mean()),
        }
    rows = lambda a: [[None if np.isnan(v) else round(float(v), 4) for v in row] for row in a]
    table |= {"source": source, "views": hashes, "again": rows(again), "itself": itself,
              "choices": [choice(table) for table in own]}
    with open(os.path.join(OUT, name + ".json"), "w") as file:
        file.write("{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in table.items()) + "\n}\n")
    print(name, int(np.isfinite(grid("mean")).sum()), {k: round(v, 3) for k, v in itself.items()}, flush=True)


def main():
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    os.makedirs(OUT, exist_ok=True)
    shared = os.path.dirname(PEERS)
    with tempfile.TemporaryDirectory() as lab:
        os.environ["LAB"] = lab
        for scene, index in SETS:
            name = f"{scene}-{index}"
            if sys.argv[4:] and name not in sys.argv[4:]:
                continue
            folder = os.path.join(lab, name)
            place = os.path.join(shared, "scenes", SCENES[scene]) if scene in SCENES else scene.replace("-", ":")
            command = [SWEEP_VIEWS, folder, place, str(SEED), str(index)] + (["y"] if scene in SCENES else [])
            hashes = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
            source = {"scene": f"scenes/{SCENES[scene]}" if scene in SCENES else place, "seed": SEED, "index": index}
            make(name, folder, hashes, source)
        if not sys.argv[4:] or "room" in sys.argv[4:]:
            make("room", os.path.join(shared, "fixtures/overlap/room"), [], {"scene": "fixtures/overlap/room"})


if __name__ == "__main__":
    PEERS, SWEEP_VIEWS, OUT = map(os.path.abspath, sys.argv[1:4])
    main()
