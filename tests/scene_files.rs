//! The files of other people: rooms, conformance models, hostile files.
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the report")]

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use covista::scene::{Scene, SceneConfig, SceneError, Up, load, load_with_up};

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
        let rgba = texture.rgba().unwrap();
        assert_eq!(rgba.len(), texture.width as usize * texture.height as usize * 4);
        assert!(!rgba.is_empty());
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

#[test]
fn a_navmesh_built_with_y_up_does_not_turn_its_scene() {
    for room in ["white-room", "wooden-staircase", "contemporary-bathroom"] {
        let (Some(glb), Some(navmesh)) = (
            common::shared(&format!("scenes/{room}/{room}.glb")),
            common::shared(&format!("fixtures/habitat/{room}/{room}.navmesh")),
        ) else {
            return;
        };
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("room.glb");
        std::fs::copy(&glb, &copy).unwrap();
        std::fs::copy(navmesh, folder.path().join("room.navmesh")).unwrap();
        let config = |up| SceneConfig {
            up,
            ..SceneConfig::default()
        };
        let (scene, up) = load_with_up(&copy, &config(Up::Auto)).unwrap();
        assert_eq!(up, Up::Y, "{room}");
        let upright = load(&copy, &config(Up::Y)).unwrap();
        let (a, b) = (scene.bounds().unwrap(), upright.bounds().unwrap());
        assert!((a.min - b.min).length() < 1e-6 && (a.max - b.max).length() < 1e-6);
        // Habitat's own case: the navmesh stands on the turned file.
        let turned = load(&copy, &config(Up::Z)).unwrap().bounds().unwrap();
        let mut bytes = std::fs::read(folder.path().join("room.navmesh")).unwrap();
        for (axis, value) in turned.min.to_array().into_iter().enumerate() {
            bytes[12 + 4 * axis..][..4].copy_from_slice(&value.to_le_bytes());
        }
        std::fs::write(folder.path().join("room.navmesh"), bytes).unwrap();
        assert_eq!(load_with_up(&copy, &config(Up::Auto)).unwrap().1, Up::Z, "{room}");
    }
}
