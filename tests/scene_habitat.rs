//! Habitat's datasets: scene instances placed as their JSON says, and lists of the scenes that folders hold.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod common;

use std::path::Path;

use covista::scene::{
    Bounds, LightKind, Scene, SceneConfig, SceneError, SceneLayout, SceneSource, list_scenes, load, write_glb,
};
use glam::Vec3;

/// A GLB with one box from the origin to `size`.
fn write_box(path: &Path, size: [f32; 3]) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let corners: Vec<[f32; 3]> = (0..8)
        .map(|i| std::array::from_fn(|axis| if i >> axis & 1 == 1 { size[axis] } else { 0.0 }))
        .collect();
    let quads = [
        [0, 2, 3, 1],
        [4, 5, 7, 6],
        [0, 1, 5, 4],
        [2, 6, 7, 3],
        [0, 4, 6, 2],
        [1, 3, 7, 5],
    ];
    let scene = Scene {
        name: "box".to_owned(),
        primitives: vec![covista::scene::Primitive {
            positions: corners,
            indices: quads.iter().flat_map(|&[a, b, c, d]| [a, b, c, a, c, d]).collect(),
            instance: 1,
            ..covista::scene::Primitive::default()
        }],
        materials: vec![covista::scene::Material::default()],
        ..Scene::default()
    };
    write_glb(&scene, path).unwrap();
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn read(path: impl AsRef<Path>) -> Result<Scene, SceneError> {
    load(path, &SceneConfig::default())
}

/// Box of all vertices of one instance.
fn bounds_of(scene: &Scene, instance: u32) -> Bounds {
    let part = Scene {
        primitives: scene
            .primitives
            .iter()
            .filter(|p| p.instance == instance)
            .cloned()
            .collect(),
        ..Scene::default()
    };
    part.bounds().unwrap()
}

fn assert_box(found: Bounds, min: [f32; 3], max: [f32; 3]) {
    let near = |a: Vec3, b: [f32; 3]| (a - Vec3::from(b)).length() < 1e-5;
    assert!(
        near(found.min, min) && near(found.max, max),
        "{found:?}, expected {min:?} to {max:?}"
    );
}

/// A dataset of ours: a stage that is Z up by its configuration, and a chair.
fn dataset(root: &Path) {
    write_box(&root.join("assets/room.glb"), [4.0, 6.0, 3.0]);
    write_box(&root.join("assets/chair.glb"), [1.0, 1.0, 1.0]);
    write(
        &root.join("stages/room.stage_config.json"),
        r#"{"render_asset": "../assets/room.glb", "gravity": [0, -9.8, 0]}"#,
    );
    write(
        &root.join("objects/chair.object_config.json"),
        r#"{"render_asset": "../assets/chair.glb", "mass": 3}"#,
    );
    write(
        &root.join("made.scene_dataset_config.json"),
        r#"{
            "stages": {"default_attributes": {"up": [0, 0, 1], "front": [0, 1, 0]}, "paths": {".json": ["stages"]}},
            "objects": {
                "paths": {".json": ["objects/*"]},
                "configs": [{"original_file": "objects/chair.object_config.json", "template_handle": "tall",
                             "attributes": {"scale": [1, 2, 1]}}]
            },
            "scene_instances": {"paths": {".json": ["scenes/*.scene_instance.json"]}},
            "navmesh_instances": {"floor": "navmeshes/floor.navmesh"}
        }"#,
    );
    write(
        &root.join("scenes/flat_1.scene_instance.json"),
        r#"{
            "translation_origin": "asset_local",
            "stage_instance": {"template_name": "stages/room"},
            "object_instances": [
                {"template_name": "chair", "translation": [10, 0, 0]},
                {"template_name": "tall", "translation": [0, 5, 0], "rotation": [0.7071067811865476, 0, 0.7071067811865476, 0]},
                {"template_name": "chair", "translation": [20, 0, 0], "translation_origin": "com", "uniform_scale": 2}
            ],
            "articulated_object_instances": [{"template_name": "fridge"}],
            "navmesh_instance": "floor"
        }"#,
    );
}

#[test]
fn stage_and_objects_stand_where_the_instance_says() {
    let folder = tempfile::tempdir().unwrap();
    dataset(folder.path());
    let scene = read(folder.path().join("scenes/flat_1.scene_instance.json")).unwrap();
    assert_eq!(scene.name, "flat_1");
    // Z up: (x, y, z) becomes (x, z, -y).
    assert_box(bounds_of(&scene, 1), [0.0, 0.0, -6.0], [4.0, 3.0, 0.0]);
    assert_box(bounds_of(&scene, 2), [10.0, 0.0, 0.0], [11.0, 1.0, 1.0]);
    // A quarter turn about +Y takes +X to -Z and +Z to +X; twice as tall.
    assert_box(bounds_of(&scene, 3), [0.0, 5.0, -1.0], [1.0, 7.0, 0.0]);
    // By its middle, twice as large.
    assert_box(bounds_of(&scene, 4), [19.0, -1.0, -1.0], [21.0, 1.0, 1.0]);
    assert!(
        scene.warnings.iter().any(|w| w.contains("1 articulated")),
        "{:?}",
        scene.warnings
    );
    assert_eq!(scene.materials.len(), 2, "an asset that stands twice is kept once");

    let named = format!(
        "{}#flat_1",
        folder.path().join("made.scene_dataset_config.json").display()
    );
    assert_eq!(read(&named).unwrap().hash, scene.hash);
    let only = read(folder.path().join("made.scene_dataset_config.json")).unwrap();
    assert_eq!(only.hash, scene.hash, "a dataset with one scene needs no name");
    let stage = read(folder.path().join("stages/room.stage_config.json")).unwrap();
    assert_box(stage.bounds().unwrap(), [0.0, 0.0, -6.0], [4.0, 3.0, 0.0]);

    assert_eq!(SceneSource::parse(&named).unwrap().navmesh_file(), None);
    write(&folder.path().join("navmeshes/floor.navmesh"), "x");
    let found = SceneSource::parse(&named).unwrap().navmesh_file().unwrap();
    assert!(found.ends_with("navmeshes/floor.navmesh"), "{}", found.display());
}

#[test]
fn lamps_of_an_object_stand_where_it_is_placed() {
    let folder = tempfile::tempdir().unwrap();
    dataset(folder.path());
    // A triangle, and a spot at (0, 1, 0) that shines along -Z.
    write(
        &folder.path().join("assets/lamp.gltf"),
        r#"{
            "asset": {"version": "2.0"}, "extensionsUsed": ["KHR_lights_punctual"],
            "extensions": {"KHR_lights_punctual": {"lights": [{"type": "spot", "intensity": 3, "range": 5, "spot": {}}]}},
            "scenes": [{"nodes": [0, 1]}], "nodes": [{"mesh": 0},
                {"translation": [0, 1, 0], "extensions": {"KHR_lights_punctual": {"light": 0}}}],
            "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}],
            "accessors": [{"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3", "min": [0, 0, 0], "max": [1, 1, 0]}],
            "bufferViews": [{"buffer": 0, "byteLength": 36}],
            "buffers": [{"byteLength": 36, "uri": "data:application/octet-stream;base64,AAAAAAAAAAAAAAAAAACAPwAAAAAAAAAAAAAAAAAAgD8AAAAA"}]
        }"#,
    );
    write(
        &folder.path().join("objects/chair.object_config.json"),
        r#"{"render_asset": "../assets/lamp.gltf"}"#,
    );
    let scene = read(folder.path().join("scenes/flat_1.scene_instance.json")).unwrap();
    // As placed by the instance: moved; moved, twice as tall and turned by +90 degrees about Y; moved by its middle
    // (0.5, 0.5, 0) and twice as large.
    let expected = [
        ([10.0, 1.0, 0.0], [0.0, 0.0, -1.0]),
        ([0.0, 7.0, 0.0], [-1.0, 0.0, 0.0]),
        ([19.0, 1.0, 0.0], [0.0, 0.0, -1.0]),
    ];
    assert_eq!(scene.lights.len(), expected.len());
    for (light, (place, along)) in scene.lights.iter().zip(expected) {
        let LightKind::Spot {
            position,
            direction,
            range_m,
            ..
        } = light.kind
        else {
            panic!("{light:?}")
        };
        assert!(position.distance(place.into()) < 1e-5, "{light:?}, expected {place:?}");
        assert!(direction.distance(along.into()) < 1e-5, "{light:?}, expected {along:?}");
        assert_eq!((light.intensity, range_m), ([3.0; 3], 5.0));
    }
}

#[test]
fn a_changed_place_changes_the_hash() {
    let folder = tempfile::tempdir().unwrap();
    dataset(folder.path());
    let path = folder.path().join("scenes/flat_1.scene_instance.json");
    let before = read(&path).unwrap().hash;
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("[10, 0, 0]", "[11, 0, 0]")).unwrap();
    assert_ne!(read(&path).unwrap().hash, before);
}

#[test]
fn broken_datasets_are_refused_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    dataset(folder.path());
    let instance = |text: &str| {
        let path = folder.path().join("scenes/bad.scene_instance.json");
        std::fs::write(&path, text).unwrap();
        let error = read(&path).unwrap_err().to_string();
        assert!(error.ends_with("bad.scene_instance.json"), "{error}");
        error
    };
    assert!(instance(r#"{"stage_instance": {"template_name": "hall"}}"#).contains("\"hall\""));
    assert!(instance(r#"{"object_instances": [{"template_name": "table"}]}"#).contains("\"table\""));
    assert!(
        instance(r#"{"stage_instance": {"template_name": "room", "rotation": [0, 0, 0, 0]}}"#).contains("rotation")
    );
    assert!(instance("{").contains("EOF"));
    assert!(instance("{}").contains("no triangles"));
    std::fs::remove_file(folder.path().join("scenes/bad.scene_instance.json")).unwrap();

    let named = format!(
        "{}#attic",
        folder.path().join("made.scene_dataset_config.json").display()
    );
    let error = read(&named).unwrap_err().to_string();
    assert!(error.contains("attic") && error.contains("flat_1"), "{error}");

    // Out of the dataset's folder: never read.
    let outside = folder.path().join("inner");
    write(&outside.join("own.scene_dataset_config.json"), "{}");
    write(
        &outside.join("x.stage_config.json"),
        r#"{"render_asset": "../assets/room.glb"}"#,
    );
    let error = read(outside.join("x.stage_config.json")).unwrap_err();
    assert!(matches!(error, SceneError::OutsideFolder { .. }), "{error}");
    write(&outside.join("y.stage_config.json"), r#"{"render_asset": "gone.glb"}"#);
    let error = read(outside.join("y.stage_config.json")).unwrap_err();
    assert!(matches!(error, SceneError::MissingPart { .. }), "{error}");
    write(
        &outside.join("z.stage_config.json"),
        r#"{"render_asset": "z.glb", "up": [0, 1, 0], "front": [0, 1, 0]}"#,
    );
    write_box(&outside.join("z.glb"), [1.0; 3]);
    let error = read(outside.join("z.stage_config.json")).unwrap_err().to_string();
    assert!(error.contains("right angle"), "{error}");
}

#[test]
fn every_kind_of_dataset_is_listed() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for file in [
        "hm3d/val/00800-TEEsavR23oF/TEEsavR23oF.basis.glb",
        "hm3d/val/00800-TEEsavR23oF/TEEsavR23oF.glb",
        "hm3d/val/00800-TEEsavR23oF/TEEsavR23oF.semantic.glb",
        "hm3d/val/00800-TEEsavR23oF/TEEsavR23oF.semantic.txt",
        "hm3d/val/00800-TEEsavR23oF/TEEsavR23oF.basis.navmesh",
        "gibson/Adrian.glb",
        "gibson/Adrian.navmesh",
        "mp3d/17DRP5sb8fy/17DRP5sb8fy.glb",
        "mp3d/17DRP5sb8fy/17DRP5sb8fy.house",
        "mp3d/17DRP5sb8fy/17DRP5sb8fy_semantic.ply",
        "replica/room_0/mesh.ply",
        "replica/room_0/habitat/mesh_semantic.navmesh",
        "scannet/scene0000_00/scene0000_00_vh_clean.ply",
        "scannet/scene0000_00/scene0000_00_vh_clean_2.ply",
        "plain/my room.obj",
        "plain/notes.txt",
    ] {
        write(&root.join(file), "x");
    }
    let rows: Vec<(String, SceneLayout, bool, bool)> = list_scenes(root)
        .unwrap()
        .into_iter()
        .map(|s| (s.name, s.layout, s.navmesh.is_some(), s.semantics.is_some()))
        .collect();
    let row = |name: &str, layout, navmesh, semantics| (name.to_owned(), layout, navmesh, semantics);
    assert_eq!(
        rows,
        [
            row("Adrian", SceneLayout::HabitatStage, true, false),
            row("TEEsavR23oF", SceneLayout::Hm3d, true, true),
            row("17DRP5sb8fy", SceneLayout::Matterport, false, true),
            row("my room", SceneLayout::Plain, false, false),
            row("room_0", SceneLayout::Replica, true, false),
            row("scene0000_00_vh_clean_2", SceneLayout::Scannet, false, false),
        ]
    );
    assert!(list_scenes(&root.join("nothing")).is_err());
}

#[test]
fn habitats_own_test_datasets_load() {
    let Some(folder) = common::shared("scenes/habitat-configs/dataset_tests") else {
        return;
    };
    let first = folder.join("dataset_0/test_dataset_0.scene_dataset_config.json");
    let listed = list_scenes(&first).unwrap();
    assert_eq!(listed.len(), 1);
    let scene = read(&listed[0].path).unwrap();
    let instances: std::collections::BTreeSet<u32> = scene.primitives.iter().map(|p| p.instance).collect();
    assert_eq!(instances.len(), 3, "a stage and two objects");
    // The stage is moved by (1.1, 2.2, 3.3): its box is that of the asset plus this.
    let asset = load(
        folder.join("dataset_0/stages/dataset_test_stage.glb"),
        &SceneConfig {
            up: covista::scene::Up::Y,
            ..SceneConfig::default()
        },
    )
    .unwrap();
    let (own, placed) = (asset.bounds().unwrap(), bounds_of(&scene, 1));
    let moved = Vec3::new(1.1, 2.2, 3.3);
    assert!((own.min + moved - placed.min).length() < 1e-4, "{own:?} {placed:?}");
    // Stage handles of the dataset stand for themselves too.
    // Head down, two units a metre, twice as large: (x, y, z) becomes 4 (-x, -y, z).
    let turned = read(format!("{}#new_test_stage", first.display()))
        .unwrap()
        .bounds()
        .unwrap();
    let flip = Vec3::new(-4.0, -4.0, 4.0);
    let (a, b) = (own.min * flip, own.max * flip);
    assert!(
        (a.min(b) - turned.min).length() < 1e-3 && (a.max(b) - turned.max).length() < 1e-3,
        "{turned:?}"
    );
}
