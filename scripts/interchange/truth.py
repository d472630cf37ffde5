"""The native set as NumPy arrays, and the plain formulas that the other formats are held to."""

import json
from pathlib import Path

import numpy as np
from PIL import Image


class View:
    """One view of a native pair: colour [h, w, 3], depth [h, w], K [3, 3] (centres at +0.5), pose [4, 4]."""

    def __init__(self, folder, record):
        self.color = np.asarray(Image.open(folder / record["color"]).convert("RGB"))
        self.depth = np.load(folder / record["depth"])
        self.K = np.array(record["K"])
        self.pose = np.array(record["world_from_camera"]).reshape(4, 4)


class Pair:
    def __init__(self, folder):
        self.record = json.loads((folder / "pair.json").read_text())
        self.first = View(folder, self.record["first"])
        self.second = View(folder, self.record["second"])
        self.views = [self.first, self.second]
        self.patches = self.record["correspondence"]["patches"]
        self.true_patches = self.record["true_correspondence"]["patches"]


def read_set(folder):
    manifest = json.loads((Path(folder) / "manifest.json").read_text())
    return manifest, [Pair(Path(folder) / entry["folder"]) for entry in manifest["pairs"]]


def pixels(depth, step=3):
    """Columns and rows, as integers, of every step-th pixel that shows a surface."""
    rows, columns = np.mgrid[0 : depth.shape[0] : step, 0 : depth.shape[1] : step]
    rows, columns = rows.ravel(), columns.ravel()
    hit = depth[rows, columns] > 0
    return columns[hit], rows[hit]


def unproject(K, pose, x, y, z):
    """World points of places (x, y) at depth z, OpenCV axes."""
    rays = np.stack([(x - K[0, 2]) / K[0, 0], (y - K[1, 2]) / K[1, 1], np.ones(len(x))], 1)
    return (rays * np.asarray(z, float)[:, None]) @ pose[:3, :3].T + pose[:3, 3]


def project(K, pose, points):
    """Places and depths of world points, OpenCV axes."""
    local = (points - pose[:3, 3]) @ pose[:3, :3]
    places = local[:, :2] / local[:, 2:] * [K[0, 0], K[1, 1]] + K[:2, 2]
    return places, local[:, 2]


def carried(pair, step=3):
    """Pixels (columns, rows) of the first view that the second sees, and their places there."""
    x, y = pixels(pair.first.depth, step)
    world = unproject(pair.first.K, pair.first.pose, x + 0.5, y + 0.5, pair.first.depth[y, x])
    places, z = project(pair.second.K, pair.second.pose, world)
    height, width = pair.second.depth.shape
    inside = (z > 0) & (places >= 0).all(1) & (places[:, 0] < width) & (places[:, 1] < height)
    x, y, world, places, z = x[inside], y[inside], world[inside], places[inside], z[inside]
    seen = pair.second.depth[places[:, 1].astype(int), places[:, 0].astype(int)]
    visible = (seen > 0) & (np.abs(seen - z) < 0.01 * z + 0.005)
    return x[visible], y[visible], world[visible], places[visible]
