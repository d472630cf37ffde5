//! The files of other people: rooms, conformance models, hostile files.

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use covista::scene::{Scene, SceneConfig, SceneError, Up, load};

/// All scene files below a folder, sorted.
fn scene_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let suffix = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
            if path.is_dir() {
                folders.push(path);
            } else if ["glb", "gltf", "obj", "ply"].contains(&suffix.as_str()) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// What must hold of any scene that a reader returns.
fn assert_sane(scene: &Scene, path: &Path) {
    assert!(scene.triangle_count() > 0, "{}", path.display());
    for primitive in &scene.primitives {
        let count = primitive.positions.len();
        assert_eq!(primitive.indices.len() % 3, 0);
        assert!(
            primitive.indices.iter().all(|&i| (i as usize) < count),
            "{}",
            path.display()
        );
        assert!(primitive.positions.iter().flatten().all(|c| c.is_finite()));
        assert!(primitive.uvs.iter().flatten().all(|c| c.is_finite()));
        assert!(primitive.uvs.is_empty() || primitive.uvs.len() == count);
        assert!(primitive.colors.iter().flatten().all(|c| (0.0..=1.0).contains(c)));
        assert!(primitive.colors.is_empty() || primitive.colors.len() == count);
        assert!(primitive.material < scene.materials.len());
    }
    for material in &scene.materials {
        assert!(material.base_color.iter().all(|c| c.is_finite()), "{}", path.display());
        if let Some(texture) = material.texture {
            assert!(texture.texture < scene.textures.len());
        }
    }
    for texture in &scene.textures {
        assert_eq!(texture.rgba.len(), texture.width as usize * texture.height as usize * 4);
        assert!(!texture.rgba.is_empty());
    }
}

/// The kind of an outcome, for counting.
fn outcome(result: &Result<Scene, SceneError>) -> &'static str {
    match result {
        Ok(_) => "loaded",
        Err(SceneError::Unsupported { .. }) => "unsupported",
        Err(SceneError::Empty { .. }) => "empty",
        Err(SceneError::Malformed { .. }) => "malformed",
        Err(SceneError::OutsideFolder { .. }) => "outside",
        Err(SceneError::TooLarge { .. }) => "too large",
        Err(_) => "other",
    }
}

fn load_all(folder: &Path) -> BTreeMap<PathBuf, Result<Scene, SceneError>> {
    let files = scene_files(folder);
    files
        .into_iter()
        .map(|path| {
            let result = load(&path, &SceneConfig::default());
            println!(
                "{}: {} {:?}",
                path.strip_prefix(folder).unwrap_or(&path).display(),
                outcome(&result),
                result
                    .as_ref()
                    .map(|s| (s.triangle_count(), s.textures.len(), &s.warnings)),
            );
            if let Ok(scene) = &result {
                assert_sane(scene, &path);
            }
            (path, result)
        })
        .collect()
}

fn counts(results: &BTreeMap<PathBuf, Result<Scene, SceneError>>) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for result in results.values() {
        *counts.entry(outcome(result)).or_default() += 1;
    }
    println!("{counts:?}");
    counts
}

#[test]
fn every_conformance_model_loads_or_says_why_not() {
    let Some(folder) = common::shared("assets/conformance") else {
        return;
    };
    let results = load_all(&folder);
    // Empty: points and lines (Mesh_PrimitiveMode 0 to 3 and 7 to 10) and a point cloud. Unsupported: glTF 1.0
    // techniques.
    let expected = [("empty", 9), ("loaded", 101), ("unsupported", 2)];
    assert_eq!(counts(&results), BTreeMap::from(expected));
    let triangles = |name: &str| {
        let found: Vec<usize> = results
            .iter()
            .filter(|(path, _)| path.ends_with(name))
            .map(|(_, result)| result.as_ref().map_or(0, Scene::triangle_count))
            .collect();
        assert_eq!(found.len(), 1, "{name}");
        found[0]
    };
    // Known from the models' own descriptions, or from the same model in another format.
    assert_eq!(triangles("Duck.gltf"), 4212);
    assert_eq!(triangles("2CylinderEngine.glb"), triangles("2CylinderEngine.gltf"));
    assert_eq!(triangles("fuze.obj"), triangles("fuze.ply"));
    assert_eq!(triangles("SimpleSparseAccessor.gltf"), 12);
    for (path, result) in &results {
        let Ok(scene) = result else { continue };
        // This copy comes without its pictures.
        if path.ends_with("MeshoptCubeTest.gltf") {
            continue;
        }
        let missing: Vec<&String> = scene.warnings.iter().filter(|w| w.contains("image")).collect();
        assert!(missing.is_empty(), "{}: {missing:?}", path.display());
    }
}

#[test]
fn every_hostile_file_ends_in_an_error_or_a_sane_scene() {
    let Some(folder) = common::shared("assets/hostile") else {
        return;
    };
    let counts = counts(&load_all(&folder));
    assert_eq!(counts.values().sum::<usize>(), 329);
    // Most are fragments of files, without a mesh.
    assert_eq!(counts["loaded"], 29);
    assert_eq!(counts["outside"], 1);
    assert!(!counts.contains_key("other"), "{counts:?}");
}

#[test]
fn habitat_and_navmesh_scenes_load() {
    for (folder, loaded) in [
        ("scenes/habitat-configs", 19),
        ("scenes/recast-meshes", 3),
        ("scenes/three-pathfinding", 7),
        ("scenes/japanese-bridge-garden", 1),
        ("scenes/white-room-hm3d", 1),
        ("scenes/wooden-staircase", 1),
        ("scenes/contemporary-bathroom", 1),
        ("fixtures/habitat/conformance", 1),
    ] {
        let Some(folder) = common::shared(folder) else {
            return;
        };
        assert_eq!(counts(&load_all(&folder))["loaded"], loaded, "{}", folder.display());
    }
}

#[test]
fn the_white_room_is_the_same_from_glb_and_obj() {
    let (Some(glb), Some(obj)) = (
        common::shared("scenes/white-room/white-room.glb"),
        common::shared("scenes/white-room/obj/white-room.obj"),
    ) else {
        return;
    };
    let config = SceneConfig {
        up: Up::Y,
        ..SceneConfig::default()
    };
    let (glb, obj) = (load(glb, &config).unwrap(), load(obj, &config).unwrap());
    assert_eq!(glb.triangle_count(), 143_163);
    assert_eq!(obj.triangle_count(), glb.triangle_count());
    assert_eq!(obj.textures.len(), glb.textures.len());
    assert_eq!(obj.materials.len(), glb.materials.len());
    assert!(obj.warnings.is_empty(), "{:?}", obj.warnings);
    let (a, b) = (glb.bounds().unwrap(), obj.bounds().unwrap());
    assert!(
        (a.min - b.min).length() < 1e-4 && (a.max - b.max).length() < 1e-4,
        "{a:?} {b:?}"
    );
}

/// All triangles in order, each turned so that its smallest corner is first: the coder may turn them.
fn triangles(scene: &Scene) -> Vec<[[u32; 3]; 3]> {
    let bits = |p: [f32; 3]| p.map(f32::to_bits);
    let all = scene.primitives.iter().flat_map(|p| {
        let triangles = p.indices.chunks_exact(3);
        triangles.map(|t| {
            let mut corners = [0, 1, 2].map(|k| bits(p.positions[t[k] as usize]));
            let smallest = (0..3).min_by_key(|&k| corners[k]).unwrap();
            corners.rotate_left(smallest);
            corners
        })
    });
    all.collect()
}

#[test]
fn meshopt_views_unpack_to_what_their_fallback_holds() {
    let Some(folder) = common::shared("assets/conformance") else {
        return;
    };
    let read = |name: &str| load(folder.join(name), &SceneConfig::default()).unwrap();
    for extension in ["EXT_meshopt_compression", "KHR_meshopt_compression"] {
        let model = |kind: &str| read(&format!("gltf-pipeline/extensions/{extension}/{kind}/{kind}.gltf"));
        assert_eq!(
            triangles(&model("meshopt-no-fallback")),
            triangles(&model("meshopt-fallback"))
        );
    }
    // The same box, quantised on the way: within its 1/65535 of the size.
    let plain = read("gltf-transform-core/Box_glTF-Binary/Box.glb");
    for name in ["gltf-transform/BoxMeshopt.glb", "gltf-transform/BoxMeshopt.gltf"] {
        let packed = read(name);
        assert_eq!(packed.triangle_count(), plain.triangle_count());
        let (a, b) = (packed.bounds().unwrap(), plain.bounds().unwrap());
        assert!(
            (a.min - b.min).length() < 1e-3 && (a.max - b.max).length() < 1e-3,
            "{a:?} {b:?}"
        );
    }
    let (packed, plain) = (read("meshoptimizer/pirate.glb"), read("loaders.gl/meshopt/pirate.obj"));
    let (a, b) = (packed.bounds().unwrap(), plain.bounds().unwrap());
    let size = (b.max - b.min).length();
    assert!(
        (a.min - b.min).length() < size * 1e-3 && (a.max - b.max).length() < size * 1e-3,
        "{a:?} {b:?}"
    );
}

#[test]
fn basis_pictures_are_the_jpeg_ones_the_same_way_up() {
    let (Some(plain), Some(basis)) = (
        common::shared("scenes/white-room/white-room.glb"),
        common::shared("scenes/white-room-hm3d/white-room.basis.glb"),
    ) else {
        return;
    };
    let plain = load(plain, &SceneConfig::default()).unwrap();
    let basis = load(
        basis,
        &SceneConfig {
            up: Up::Y,
            ..SceneConfig::default()
        },
    )
    .unwrap();
    assert_eq!(basis.triangle_count(), plain.triangle_count());
    assert_eq!(basis.warnings, Vec::<String>::new());
    assert_eq!(basis.textures.len(), plain.textures.len());
    for (a, b) in basis.textures.iter().zip(&plain.textures) {
        assert_eq!((&a.name, a.width, a.height), (&b.name, b.width, b.height));
        let row = a.width as usize * 4;
        let difference = |flip: bool| {
            let rows = a.height as usize;
            let sum: u64 = (0..rows)
                .map(|y| {
                    let (top, other) = (y * row, if flip { rows - 1 - y } else { y } * row);
                    let pairs = a.rgba[top..][..row].iter().zip(&b.rgba[other..][..row]);
                    pairs.map(|(p, q)| u64::from(p.abs_diff(*q))).sum::<u64>()
                })
                .sum();
            sum as f64 / (rows * row) as f64
        };
        let (upright, upside_down) = (difference(false), difference(true));
        println!("{}: {upright:.2} levels, upside down {upside_down:.2}", a.name);
        assert!(
            upright < 6.0 && upright < upside_down / 2.0,
            "{}: {upright} {upside_down}",
            a.name
        );
    }
}

#[test]
fn draco_streams_unpack_to_what_their_accessors_announce() {
    let Some(folder) = common::shared("assets/conformance/gltf-transform") else {
        return;
    };
    let read = |name: &str| load(folder.join(name), &SceneConfig::default()).unwrap();
    let cube = read("BoxDraco.gltf");
    assert_eq!(cube.triangle_count(), 12);
    let bounds = cube.bounds().unwrap();
    assert!(
        (bounds.min + 0.5).length() < 1e-3 && (bounds.max - 0.5).length() < 1e-3,
        "{bounds:?}"
    );
    // Seen from outside, all faces of a cube look outwards.
    for triangle in cube.primitives[0].indices.chunks_exact(3) {
        let [a, b, c] = [0, 1, 2].map(|k| glam::Vec3::from(cube.primitives[0].positions[triangle[k] as usize]));
        assert!((b - a).cross(c - a).dot(a + b + c) > 0.0);
    }
    let part = read("DracoSparseMesh.gltf");
    assert_eq!(part.triangle_count(), 102);
    let size = part.bounds().unwrap();
    println!("{size:?}");
}

#[test]
fn the_cubes_of_the_meshopt_test_are_all_the_same() {
    let Some(path) =
        common::shared("assets/conformance/loaders.gl/meshopt/MeshoptCubeTest/glTF-Meshopt/MeshoptCubeTest.gltf")
    else {
        return;
    };
    let scene = load(path, &SceneConfig::default()).unwrap();
    // A cube's corners around its middle, with their colours: rows differ in how they are packed, not in what.
    let cubes: Vec<Vec<[i64; 7]>> = scene
        .primitives
        .iter()
        .filter(|p| p.indices.len() == 36)
        .map(|p| {
            let all = p.indices.iter().map(|&i| glam::Vec3::from(p.positions[i as usize]));
            let (min, max) = all.fold((glam::Vec3::MAX, glam::Vec3::MIN), |(a, b), v| (a.min(v), b.max(v)));
            let mut corners: Vec<[i64; 7]> = p
                .indices
                .iter()
                .map(|&i| {
                    let at = (glam::Vec3::from(p.positions[i as usize]) - (min + max) / 2.0) * 100.0;
                    let color = p
                        .colors
                        .get(i as usize)
                        .copied()
                        .unwrap_or([0.0; 4])
                        .map(|c| (c * 32.0).round());
                    let [x, y, z] = at.round().to_array();
                    let [r, g, b, a] = color;
                    [x, y, z, r, g, b, a].map(|v| v as i64)
                })
                .collect();
            corners.sort_unstable();
            corners
        })
        .collect();
    println!("{} cubes; the first: {:?}", cubes.len(), &cubes[0][..6]);
    for (at, cube) in cubes.iter().enumerate() {
        println!("{at} {:?}", &cube[..3]);
    }
}
