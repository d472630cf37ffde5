"""Every format that a real run wrote, read by its own program; values and axes against the native set."""

import csv
import hashlib
import json
import os
import pickle
import subprocess
import sys
import traceback
from pathlib import Path

import numpy as np
from PIL import Image

from truth import carried, project, read_set, unproject

WORK = Path(sys.argv[1])
ROOT = WORK / "one"
MANIFEST, PAIRS = read_set(ROOT / "native")
FORMATS = ["mimic", "croco", "dust3r", "webdataset", "parquet", "colmap", "nerfstudio", "safetensors", "npy"]
SCENE = "procedural-3"
# Mean difference of an 8-bit colour by JPEG of quality 95.
JPEG = 4.0
CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


def same_jpeg(path, color):
    read = np.asarray(Image.open(path).convert("RGB")).astype(int)
    assert read.shape == color.shape, (path, read.shape)
    error = np.abs(read - color.astype(int)).mean()
    assert error < JPEG, f"{path}: mean difference {error:.2f}"


def close(a, b, tolerance, what):
    error = np.abs(np.asarray(a, float) - np.asarray(b, float)).max()
    assert error <= tolerance, f"{what}: off by {error}"


def read_depth(path):
    if path.suffix == ".npy":
        return np.load(path)
    import OpenEXR

    channels = OpenEXR.File(str(path)).channels()
    assert list(channels) == ["Y"], list(channels)
    return channels["Y"].pixels


@check
def mimic():
    rows = list(csv.DictReader((ROOT / "mimic/pairs.csv").open()))
    assert len(rows) == len(PAIRS) and list(rows[0]) == ["path1", "path2", "correspondence"]
    for row, pair in zip(rows, PAIRS):
        same_jpeg(ROOT / "mimic" / row["path1"], pair.first.color)
        same_jpeg(ROOT / "mimic" / row["path2"], pair.second.color)
        stored = np.load(ROOT / "mimic" / row["correspondence"], allow_pickle=True)
        assert stored.shape == () and stored.item() == dict(pair.patches)


def camera_params(path, view):
    """K of a camera file, as it stands (centres at integers), and its pose."""
    camera = json.loads(path.read_text())
    K, pose = np.array(camera["camera_intrinsics"]), np.eye(4)
    pose[:3, :3], pose[:3, 3] = camera["R_cam2world"], camera["t_cam2world"]
    half = np.array([[0, 0, 0.5], [0, 0, 0.5], [0, 0, 0]])
    close(K + half, view.K, 0, "K")
    close(pose, view.pose, 0, "pose")
    return K, pose


def pair_tree(root, depth_ending):
    lines = (root / "pairs.txt").read_text().split("\n")[:-1]
    assert len(lines) == len(PAIRS)
    worst = 0
    for line, pair in zip(lines, PAIRS):
        cameras, depths = [], []
        for name, view in zip(line.split(" "), pair.views):
            stem = str(root / name.removesuffix(".jpeg"))
            same_jpeg(root / name, view.color)
            cameras.append(camera_params(Path(stem + "_camera_params.json"), view))
            depths.append(read_depth(Path(stem + "_depth" + depth_ending)))
            tolerance = 0 if depth_ending == ".npy" else view.depth.max() * 2**-11
            close(depths[-1], view.depth, tolerance, "depth")
        # By their own convention: the centre of a pixel is its integer index.
        x, y, _, places = carried(pair)
        world = unproject(*cameras[0], x, y, depths[0][y, x])
        theirs, _ = project(*cameras[1], world)
        worst = max(worst, np.abs(theirs + 0.5 - places).max())
    assert worst < 0.1, f"reprojection off by {worst} px"
    return f"reprojection within {worst:.4f} px"


@check
def croco():
    metadata = json.loads((ROOT / "croco" / SCENE / "metadata.json").read_text())
    for number, pair in enumerate(PAIRS):
        record = metadata["multiviews"][f"{number:08d}"]
        for position, (w, x, y, z), view in zip(record["positions"], record["orientations"], pair.views):
            close(position, view.pose[:3, 3], 0, "position")
            rotation = np.array([
                [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
                [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
                [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
            ])
            # Habitat's camera looks along its -z with y up.
            close(rotation @ np.diag([1, -1, -1]), view.pose[:3, :3], 1e-9, "orientation")
        for fraction, view in zip(record["valid_fractions"], pair.views):
            close(fraction, (view.depth > 0).mean(), 1e-9, "valid fraction")
    return pair_tree(ROOT / "croco", ".exr")


@check
def croco_alone_with_npy_depth():
    hidden = [path.name for path in WORK.iterdir() if path.name.startswith(".")]
    assert not hidden, f"left behind: {hidden}"
    return pair_tree(WORK / "alone", ".npy")


@check
def dust3r():
    metadata = json.loads((ROOT / "dust3r" / SCENE / "metadata.json").read_text())
    for batch, pair in zip(metadata["view_batches"], PAIRS):
        for record, view in zip(batch, pair.views):
            assert record["size"] == [view.color.shape[1], view.color.shape[0]]
            close(np.array(record["camera_intrinsics"])[:2, 2] + 0.5, view.K[:2, 2], 0, "principal point")
            close(record["R_cam2world"], view.pose[:3, :3], 0, "R")
    listed = (ROOT / "dust3r/Habitat_1_scenes_train.txt").read_text().split()
    assert listed == [f"{SCENE}/{number:08d}" for number in range(len(PAIRS))]
    return pair_tree(ROOT / "dust3r", ".exr")


@check
def webdataset():
    import webdataset as wds

    shards = sorted((ROOT / "webdataset").glob("shard-*.tar"))
    sizes = json.loads((ROOT / "webdataset/sizes.json").read_text())
    assert sizes == {"shard-000000.tar": 2, "shard-000001.tar": 2, "shard-000002.tar": 1}
    read = list(wds.WebDataset([f"file:{s}" for s in shards], shardshuffle=False).decode("rgb8"))
    assert len(read) == len(PAIRS) and len({sample["__key__"] for sample in read}) == len(PAIRS)
    for sample, pair in zip(read, PAIRS):
        for name, view in zip(["first", "second"], pair.views):
            assert (sample[f"{name}.png"] == view.color).all()
            assert (sample[f"{name}.depth.npy"] == view.depth).all()
            close(sample["json"][name]["K"], view.K, 0, "K")
        assert sample["json"]["correspondence"]["patches"] == pair.patches
    # Hugging Face's own reader of shards, by the card.
    import datasets

    table = datasets.load_dataset(str(ROOT / "webdataset"), split="train")
    assert (np.asarray(table[4]["second.png"]) == PAIRS[4].second.color).all()


@check
def parquet():
    import datasets

    folder = ROOT / "parquet"
    files = sorted(str(path) for path in (folder / "data").glob("*.parquet"))
    assert [Path(f).name for f in files] == [f"train-{i:05d}-of-00003.parquet" for i in range(3)]
    by_file = datasets.load_dataset("parquet", data_files=files, split="train")
    # The card names the files and the split.
    by_folder = datasets.load_dataset(str(folder), split="train")
    for table in (by_file, by_folder):
        assert len(table) == len(PAIRS)
        pictures = [name for name, feature in table.features.items() if isinstance(feature, datasets.Image)]
        assert pictures == sorted(["image1", "image2", "depth1", "depth2"]) or set(pictures) == {
            "image1", "image2", "depth1", "depth2"}, pictures
        for row, pair in zip(table, PAIRS):
            for number, view in zip("12", pair.views):
                assert isinstance(row["image" + number], Image.Image)
                assert (np.asarray(row["image" + number]) == view.color).all()
                close(np.asarray(row["depth" + number]) / 1000.0, view.depth, 0.00051, "depth")
                close(np.reshape(row["K" + number], (3, 3)), view.K, 0, "K")
                close(np.reshape(row["world_from_camera" + number], (4, 4)), view.pose, 0, "pose")
            assert [list(p) for p in zip(row["patches1"], row["patches2"])] == pair.patches
            assert [list(p) for p in zip(row["true_patches1"], row["true_patches2"])] == pair.true_patches
            assert row["index"] == pair.record["index"] and row["seed"] == 4 and row["scene"] == SCENE
            covisibility = pair.record["overlaps"]["covisibility"]
            wanted = None if covisibility is None else covisibility["first_to_second"]
            assert row["covisibility_1to2"] == wanted


@check
def colmap():
    import pycolmap

    worst, points = 0, 0
    for kind in ("sparse/0", "sparse/text"):
        model = pycolmap.Reconstruction(str(ROOT / "colmap" / SCENE / kind))
        by_name = {image.name: image for image in model.images.values()}
        assert len(by_name) == 2 * len(PAIRS)
        for number, pair in enumerate(PAIRS):
            images = [by_name[f"{number:08d}_{view}.png"] for view in (1, 2)]
            for image, view in zip(images, pair.views):
                close(model.cameras[image.camera_id].calibration_matrix(), view.K, 1e-9, "K")
                stored = np.asarray(Image.open(ROOT / "colmap" / SCENE / "images" / image.name))
                assert (stored == view.color).all()
            # Our own depth points, through their cameras.
            x, y, world, places = carried(pair)
            for image, wanted in zip(images, [np.stack([x + 0.5, y + 0.5], 1), places]):
                for point, place in list(zip(world, wanted))[::23]:
                    projected = image.project_point(point)
                    assert projected is not None
                    worst = max(worst, np.abs(projected - place).max())
        # Their points, where they say that they are seen.
        for point in model.points3D.values():
            points += 1
            for element in point.track.elements:
                image = model.images[element.image_id]
                seen = image.points2D[element.point2D_idx].xy
                worst = max(worst, np.abs(image.project_point(point.xyz) - seen).max())
        assert len(model.points3D) > 20 * len(PAIRS), len(model.points3D)
    assert worst < 0.1, f"reprojection off by {worst} px"
    return f"reprojection within {worst:.2e} px, {points} points"


@check
def nerfstudio():
    folder = ROOT / "nerfstudio" / SCENE
    transforms = json.loads((folder / "transforms.json").read_text())
    assert transforms["camera_model"] == "OPENCV" and len(transforms["frames"]) == 2 * len(PAIRS)
    applied = np.vstack([transforms["applied_transform"], [0, 0, 0, 1]])
    worst = 0
    for number, pair in enumerate(PAIRS):
        cameras = []
        for frame, view in zip(transforms["frames"][2 * number : 2 * number + 2], pair.views):
            K = np.array([[frame["fl_x"], 0, frame["cx"]], [0, frame["fl_y"], frame["cy"]], [0, 0, 1]])
            pose = np.array(frame["transform_matrix"])
            # OpenGL axes: the camera looks along its -z and the world's up is +z.
            assert pose[2, 1] > 0.5, "the camera's y axis does not point up"
            picture = Image.open(folder / frame["depth_file_path"])
            assert picture.mode == "I;16"
            depth = np.asarray(picture)
            close(depth / 1000.0, view.depth, 0.00051, "depth")
            assert (np.asarray(Image.open(folder / frame["file_path"])) == view.color).all()
            cameras.append((K, pose, depth / 1000.0))
        x, y, world, places = carried(pair)
        (K1, pose1, depth1), (K2, pose2, _) = cameras
        z = depth1[y, x]
        # nerfstudio's rays: pixel centres at +0.5, y up, looking along -z.
        local = np.stack([(x + 0.5 - K1[0, 2]) / K1[0, 0] * z, -(y + 0.5 - K1[1, 2]) / K1[1, 1] * z, -z], 1)
        points = local @ pose1[:3, :3].T + pose1[:3, 3]
        close(points, world @ applied[:3, :3].T, 0.002, "world points")
        local = (points - pose2[:3, 3]) @ pose2[:3, :3]
        theirs = local[:, :2] / -local[:, 2:] * [K2[0, 0], -K2[1, 1]] + K2[:2, 2]
        worst = max(worst, np.abs(theirs - places).max())
    assert worst < 0.1, f"reprojection off by {worst} px"
    return f"reprojection within {worst:.4f} px"


def batches(read):
    first = 0
    for arrays in read:
        count = len(arrays["first"])
        for row, pair in enumerate(PAIRS[first : first + count]):
            for name, view in zip(["first", "second"], pair.views):
                assert (arrays[name][row] == view.color).all() and arrays[name].dtype == np.uint8
                assert (arrays[name + "_depth"][row] == view.depth).all()
                assert (arrays[name + "_K"][row] == view.K).all()
                assert (arrays[name + "_world_from_camera"][row] == view.pose).all()
            for name, wanted in (("matches", pair.patches), ("true_matches", pair.true_patches)):
                stored = arrays[name][row]
                assert stored[stored[:, 0] >= 0].tolist() == wanted
            assert arrays["index"][row] == pair.record["index"] and arrays["scene"][row] == 0
            overlap = pair.record["overlaps"]["homography"]
            if overlap:
                close(arrays["homography"][row], [overlap["first_to_second"], overlap["second_to_first"]], 0, "overlap")
        first += count
    assert first == len(PAIRS)


@check
def safetensors():
    from safetensors.numpy import load_file

    batches(load_file(path) for path in sorted((ROOT / "safetensors").glob("*.safetensors")))


@check
def npy():
    folders = sorted((ROOT / "npy").glob("batch-*"))
    batches({path.stem: np.load(path) for path in folder.glob("*.npy")} for folder in folders)


@check
def cards():
    import yaml

    for folder in [ROOT, *(ROOT / name for name in FORMATS)]:
        text = (folder / "README.md").read_text()
        head = yaml.safe_load(text.split("---\n")[1])
        assert head["size_categories"] == ["n<1K"] and head["license"] and head["task_categories"], head
        for wanted in (MANIFEST["config_hash"], "| pairs | 5 |", "| seed | 4 |", "HM3D, Gibson or Matterport3D"):
            assert wanted in text, f"{folder}: the card lacks {wanted!r}"
        record = json.loads((folder / "covista.json").read_text())
        assert record["run"]["config"] == MANIFEST["config"]
    # The card of the whole names the files of one format, which `datasets` finds by it.
    import datasets

    assert len(datasets.load_dataset(str(ROOT), split="train")) == len(PAIRS)


def digest(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@check
def two_runs_give_the_same_bytes():
    one, two = digest(WORK / "one"), digest(WORK / "two")
    wrong = [name for name in one.keys() | two.keys() if one.get(name) != two.get(name)]
    assert not wrong, wrong[:5]
    return f"{len(one)} files"


@check
def export_gives_what_generate_gives():
    for name in FORMATS:
        assert digest(ROOT / name) == digest(WORK / "export" / name), name
    generated, copied = digest(ROOT / "native"), digest(WORK / "export/native")
    assert all(copied[name] == value for name, value in generated.items())


def show(path, index, code=0):
    """What `covista show` says of a pair, and the picture it draws."""
    out = WORK / "pair.png"
    command = [os.environ["COVISTA_BIN"], "show", path, "--index", str(index), "--out", out, "--json"]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == code, f"{path}: {ran.returncode} {ran.stderr}"
    return (json.loads(ran.stdout), Image.open(out)) if code == 0 else (None, None)


@check
def show_reads_every_format():
    for name in ["native", *FORMATS]:
        for index in (0, 4):
            told, picture = show(ROOT / name, index)
            assert told["format"] == name and told["pairs"] == len(PAIRS), told
            height, width = PAIRS[index].first.depth.shape
            assert picture.size[0] > 2 * width and picture.size[1] >= height
            assert told["matches"] > 20, f"{name}: {told['matches']} matches"
            if told["cameras"]:
                for camera, view in zip(told["cameras"], PAIRS[index].views):
                    close(camera["K"], view.K, 1e-9, f"K of {name}")
                    close(np.reshape(camera["world_from_camera"], (4, 4)), view.pose, 1e-9, f"pose of {name}")
        show(ROOT / name, 5, code=2)


@check
def show_reads_what_numpy_saved():
    folder = WORK / "theirs"
    (folder / "p").mkdir(parents=True)
    for number, view in enumerate(PAIRS[0].views):
        Image.fromarray(view.color).save(folder / "p" / f"000{number}.jpg")
    rows = ["path1,path2,correspondence"]
    array = np.array({1: 2, 3: 195, 150: 0}, dtype=object)
    np.save(folder / "p/d.npy", array)
    rows.append("p/0000.jpg,p/0001.jpg,p/d.npy")
    # numpy.save has its own protocol; the others go behind its header.
    header = (folder / "p/d.npy").read_bytes()[:128]
    for protocol in (2, 3, 4):
        (folder / f"p/{protocol}.npy").write_bytes(header + pickle.dumps(array, protocol))
        rows.append(f"p/0000.jpg,p/0001.jpg,p/{protocol}.npy")
    (folder / "pairs.csv").write_text("\n".join(rows) + "\n")
    for index in range(len(rows) - 1):
        told, _ = show(folder, index)
        assert told["matches"] == 3 and told["format"] == "mimic"


if "--with-torch" in sys.argv:

    @check
    def torch_loader():
        import torch
        import webdataset as wds

        urls = [f"file:{s}" for s in sorted((ROOT / "webdataset").glob("shard-*.tar"))]
        pairs = wds.WebDataset(urls, shardshuffle=False).decode("torchrgb").to_tuple("first.png", "second.png", "json")
        loader = torch.utils.data.DataLoader(pairs, batch_size=None, num_workers=2)
        read = {record["index"]: (first, second) for first, second, record in loader}
        assert len(read) == len(PAIRS)
        for pair in PAIRS:
            first, _ = read[pair.record["index"]]
            wanted = torch.from_numpy(pair.first.color.copy()).permute(2, 0, 1) / 255.0
            assert torch.allclose(first, wanted)
        return f"two workers, torch {torch.__version__}"


failed = 0
for function in CHECKS:
    name = function.__name__.replace("_", " ")
    try:
        note = function()
        print(f"ok      {name}" + (f": {note}" if note else ""))
    except Exception:
        failed += 1
        print(f"FAILED  {name}")
        traceback.print_exc()
print(f"{len(CHECKS) - failed} passed, {failed} failed")
sys.exit(1 if failed else 0)
