#!/usr/bin/env python3
"""Reads recordings of `covista show --rerun` with Rerun's own SDK and holds every number against the native set.

    python scripts/interchange/check_rerun.py SET WITH_SCENE.rrd WITHOUT_SCENE.rrd SCENE_INFO.json

Both recordings are of the first pair of SET. Needs the PyPI packages rerun-sdk, numpy and pillow. Ends with
"N passed, N failed".
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import rerun as rr
from rerun.experimental import RrdReader

from truth import project, read_set

results = []


def check(name, passed, detail=""):
    results.append(bool(passed))
    print(f"{'pass' if passed else 'FAIL'}  {name}  {detail}", flush=True)


def read(path):
    """Entity path to component name to its values; all of a recording is static."""
    found = {}
    for chunk in RrdReader(str(path)).stream().to_chunks():
        batch = chunk.to_record_batch()
        entity = found.setdefault(str(chunk.entity_path), {})
        for name in batch.schema.names:
            if ":" in name and batch.num_rows:
                entity[name] = batch.column(name)[batch.num_rows - 1].values
    return {name: values for name, values in found.items() if not name.startswith("/__")}


def numbers(values, shape):
    """An Arrow array of numbers, however nested, as NumPy."""
    while hasattr(values, "flatten") and str(values.type).startswith(("fixed_size_list", "list")):
        values = values.flatten()
    return values.to_numpy(zero_copy_only=False).reshape(shape)


def image(entity, kind):
    form = entity[f"{kind}:format"].to_pylist()[0]
    raw = numbers(entity[f"{kind}:buffer"], -1).astype(np.uint8)
    return form, raw.reshape(form["height"], form["width"], -1)


def camera(entity):
    """K [3, 3] and pose [4, 4] as the viewer takes them: matrices are stored by columns."""
    K = numbers(entity["Pinhole:image_from_camera"], (3, 3)).T
    pose = np.eye(4)
    pose[:3, :3] = numbers(entity["Transform3D:mat3x3"], (3, 3)).T
    pose[:3, 3] = numbers(entity["Transform3D:translation"], 3)
    return K, pose


def coordinates(entity, name):
    return [int(value) for value in numbers(entity[name], 3)]


def places(patches, side, grid):
    """Centres of patches, pixels."""
    return np.array([[(p % grid + 0.5) * side / grid, (p // grid + 0.5) * side / grid] for p in patches])


def hit_depths(origin, directions, triangles):
    """How far along each direction (z of the camera is 1 in it) the nearest triangle lies; infinity for none."""
    a, ab, ac = triangles[:, 0], triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
    found = []
    for direction in directions:
        p = np.cross(direction, ac)
        det = np.einsum("ij,ij->i", ab, p)
        with np.errstate(divide="ignore", invalid="ignore"):
            to = origin - a
            u = np.einsum("ij,ij->i", to, p) / det
            q = np.cross(to, ab)
            v = q @ direction / det
            t = np.einsum("ij,ij->i", ac, q) / det
            inside = (np.abs(det) > 1e-12) & (u >= 0) & (v >= 0) & (u + v <= 1) & (t > 1e-4)
        found.append(t[inside].min(initial=np.inf))
    return np.array(found)


def views(recording, pair):
    for name, view in [("first", pair.first), ("second", pair.second)]:
        entity = recording[f"/world/{name}"]
        K, pose = camera(entity)
        check(f"{name}: the pinhole matrix is K", np.allclose(K, view.K, rtol=1e-6), f"f = {K[0, 0]:.3f}")
        size = numbers(entity["Pinhole:resolution"], 2)
        check(f"{name}: its resolution is the picture's", list(size) == [view.color.shape[1], view.color.shape[0]])
        check(f"{name}: the pose is world from camera", np.allclose(pose, view.pose, atol=1e-5), f"eye {pose[:3, 3].round(3)}")
        rdf = [axis.value for axis in rr.ViewCoordinates.RDF.coordinates]
        check(f"{name}: the camera is RDF", coordinates(entity, "Pinhole:camera_xyz") == rdf)
        up = pose[:3, :3] @ [0, -1, 0]
        check(f"{name}: the top of the picture is up in the world", up[1] > 0.9, f"up {up.round(3)}")
        form, raw = image(recording[f"/world/{name}/depth"], "DepthImage")
        depth = raw.reshape(form["height"], -1).view(np.float32)
        meter = recording[f"/world/{name}/depth"]["DepthImage:meter"].to_pylist()[0]
        check(f"{name}: depth is the set's, in metres", np.array_equal(depth, view.depth) and meter == 1.0)
        _, color = image(recording[f"/world/{name}/image"], "Image")
        check(f"{name}: the picture is the set's", np.array_equal(color, view.color))


def correspondences(recording, pair):
    side = pair.first.color.shape[0]
    grid = pair.record["true_correspondence"]["grid"]
    expected = [places([patch[i] for patch in pair.true_patches], side, grid) for i in (0, 1)]
    dots = [numbers(recording[f"/world/{name}/correspondences"]["Points2D:positions"], (-1, 2)) for name in ("first", "second")]
    same = all(np.allclose(found, wanted, atol=1e-3) for found, wanted in zip(dots, expected))
    check("dots are the centres of matching patches", same, f"{len(dots[0])} matches")
    points = numbers(recording["/world/correspondences"]["Points3D:positions"], (-1, 3)).astype(float)
    cameras = [camera(recording[f"/world/{name}"]) for name in ("first", "second")]
    depths = []
    for name in ("first", "second"):
        form, raw = image(recording[f"/world/{name}/depth"], "DepthImage")
        depths.append(raw.reshape(form["height"], -1).view(np.float32))
    # Points are those of the matches that have depth in the first view.
    x, y = dots[0].astype(int).T
    known = depths[0][y, x] > 0
    check("every match with depth has its point", len(points) == known.sum(), f"{len(points)} points")
    first, z = project(*cameras[0], points)
    off = np.abs(first - dots[0][known]).max()
    check("the points lie at their dots in the first view", off < 0.01, f"off by {off:.5f} px")
    deep = np.abs(z - depths[0][y, x][known]).max()
    check("and at the depth of the first view", deep < 1e-3, f"off by {deep:.6f} m")
    second, z = project(*cameras[1], points)
    # A match says which patch it is, so that half a patch and the rounding to one is what it can be off.
    off = np.abs(second - dots[1][known]).max(axis=1)
    patch = side / grid
    check("and within a patch of their dots in the second", off.max() < patch, f"median {np.median(off):.1f}, worst {off.max():.1f} of {patch:.0f} px")
    columns, rows = second.astype(int).T
    inside = (columns >= 0) & (columns < side) & (rows >= 0) & (rows < side)
    seen = depths[1][rows[inside], columns[inside]]
    agree = np.abs(seen - z[inside]) < 0.05 * z[inside]
    check("whose depth there is theirs", inside.all() and agree.mean() > 0.9, f"{agree.mean():.3f} within 5 %")
    rays = recording["/world/rays"]["LineStrips3D:strips"].to_pylist()
    ends = [np.array([ray[0], ray[2]]) for ray in rays]
    eyes = np.array([pose[:3, 3] for _, pose in cameras])
    check("rays go from one eye to the other by way of a point", all(np.allclose(end, eyes, atol=1e-5) for end in ends), f"{len(rays)} rays")


def scene(recording, pair, info):
    meshes = [entity for name, entity in recording.items() if name.startswith("/world/scene/")]
    vertices = [numbers(mesh["Mesh3D:vertex_positions"], (-1, 3)).astype(float) for mesh in meshes]
    corners = [numbers(mesh["Mesh3D:triangle_indices"], (-1, 3)) for mesh in meshes]
    check("one mesh a material, which carries its texture", len(meshes) <= info["materials"], f"{len(meshes)} meshes, {info['materials']} materials")
    count = sum(map(len, vertices))
    check("the mesh has the scene's vertices", count == info["vertices"], f"{count} vertices")
    count = sum(map(len, corners))
    check("and its triangles", count == info["triangles"], f"{count} triangles")
    textured = [mesh for mesh in meshes if "Mesh3D:albedo_texture_buffer" in mesh]
    covered = all(len(numbers(mesh["Mesh3D:vertex_texcoords"], (-1, 2))) == len(points) for mesh, points in zip(meshes, vertices) if mesh in textured)
    check("textures come with coordinates", textured and covered, f"{len(textured)} of {len(meshes)} meshes have one")
    triangles = np.concatenate([points[index] for points, index in zip(vertices, corners)])
    K, pose = camera(recording["/world/first"])
    rng = np.random.default_rng(1)
    rows, columns = rng.integers(0, pair.first.depth.shape[0], (2, 40))
    local = np.stack([(columns + 0.5 - K[0, 2]) / K[0, 0], (rows + 0.5 - K[1, 2]) / K[1, 1], np.ones(40)], 1)
    found = hit_depths(pose[:3, 3], local @ pose[:3, :3].T, triangles)
    agree = np.abs(found - pair.first.depth[rows, columns]) < 0.01 * found
    check("rays of the camera meet the mesh at the depth of the picture", agree.mean() > 0.9, f"{agree.sum()} of 40")


def run():
    folder, full, lean, info = sys.argv[1:]
    _, pairs = read_set(folder)
    pair = pairs[0]
    program = Path(sys.executable).with_name("rerun")
    for name, path in [("with", full), ("without", lean)]:
        verified = subprocess.run([program, "rrd", "verify", path], capture_output=True, text=True)
        check(f"rerun rrd verify, {name} a scene", verified.returncode == 0, (verified.stdout + verified.stderr).strip()[-80:])
    recording, bare = read(full), read(lean)
    parts = ["", "/correspondences", "/depth", "/image"]
    expected = {f"/world/{name}{part}" for name in ("first", "second") for part in parts}
    expected |= {"/world", "/world/correspondences", "/world/rays"}
    check("the entities without a scene", set(bare) == expected, str(sorted(set(bare) ^ expected)))
    meshes = {name for name in recording if name.startswith("/world/scene/")}
    check("a scene adds its meshes only", set(recording) - meshes == expected and meshes, f"{len(meshes)} meshes")
    up = [axis.value for axis in rr.ViewCoordinates.RIGHT_HAND_Y_UP.coordinates]
    check("the world is right-handed with Y up", coordinates(bare["/world"], "ViewCoordinates:xyz") == up)
    views(bare, pair)
    correspondences(bare, pair)
    scene(recording, pair, json.loads(Path(info).read_text()))


run()
failed = results.count(False)
print(f"{len(results) - failed} passed, {failed} failed")
sys.exit(1 if failed else 0)
