//! `covista render` and `covista doctor` as a user runs them.

mod common;

use std::path::Path;

use assert_cmd::Command;
use base64::Engine;
use covista::export::npy;

const CAMERA: &str = r#"{"width":64,"height":48,"hfov_deg":90,"world_from_camera":[
    [1,0,0,0, 0,-1,0,0, 0,0,-1,0, 0,0,0,1], [1,0,0,0, 0,-1,0,0, 0,0,-1,1, 0,0,0,1]]}"#;

fn covista() -> Command {
    Command::cargo_bin("covista").expect("the program")
}

/// A red wall of 20 m at z = -2 as a glTF file with its bytes inside.
fn write_wall(path: &Path) {
    let corners: [[f32; 3]; 3] = [[-40.0, -40.0, -2.0], [40.0, -40.0, -2.0], [0.0, 80.0, -2.0]];
    let bytes: Vec<u8> = corners.iter().flatten().flat_map(|v| v.to_le_bytes()).collect();
    let data = base64::engine::general_purpose::STANDARD.encode(&bytes);
    let text = format!(
        r#"{{"asset":{{"version":"2.0"}},"scene":0,"scenes":[{{"nodes":[0]}}],"nodes":[{{"mesh":0}}],
        "meshes":[{{"primitives":[{{"attributes":{{"POSITION":0}},"material":0}}]}}],
        "materials":[{{"pbrMetallicRoughness":{{"baseColorFactor":[1,0,0,1]}}}}],
        "accessors":[{{"bufferView":0,"componentType":5126,"count":3,"type":"VEC3","min":[-40,-40,-2],"max":[40,80,-2]}}],
        "bufferViews":[{{"buffer":0,"byteLength":36}}],
        "buffers":[{{"byteLength":36,"uri":"data:application/octet-stream;base64,{data}"}}]}}"#
    );
    std::fs::write(path, text).expect("written");
}

#[test]
fn render_writes_colour_and_depth_of_every_camera() {
    if common::gpu().is_none() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let (scene, cameras, out) = (
        folder.path().join("wall.gltf"),
        folder.path().join("cams.json"),
        folder.path().join("out"),
    );
    write_wall(&scene);
    std::fs::write(&cameras, CAMERA).expect("written");
    let run = || {
        let mut command = covista();
        command.arg("render").arg("--scene").arg(&scene).args(["--up", "y"]);
        command.arg("--cameras").arg(&cameras).arg("--out").arg(&out);
        command
    };
    run().assert().success();
    for (index, depth) in [2.0, 3.0].into_iter().enumerate() {
        let (shape, metres) = npy::read_f32(&out.join(format!("{index:06}.depth.npy"))).expect("depth");
        assert_eq!(shape, [48, 64]);
        assert!(metres.iter().all(|z| (z - depth).abs() < 1e-5), "camera {index}");
        let picture = image::open(out.join(format!("{index:06}.color.png"))).expect("colour");
        assert_eq!((picture.width(), picture.height()), (64, 48));
        assert!(picture.to_rgb8().pixels().all(|p| p.0 == [255, 0, 0]));
    }
    let names = std::fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(names, 3, "nothing is left beside scene, cameras and output");
    // A folder that exists is refused and left alone.
    run().assert().code(5);
    assert_eq!(std::fs::read_dir(&out).expect("kept").count(), 5);
}

/// The bytes after the header of an uint32 `.npy`.
fn read_u32(path: &Path) -> Vec<u32> {
    let bytes = std::fs::read(path).expect("ids");
    let start = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    assert!(String::from_utf8_lossy(&bytes[10..start]).contains("'descr': '<u4'"));
    let (words, _) = bytes[start..].as_chunks::<4>();
    words.iter().map(|&word| u32::from_le_bytes(word)).collect()
}

#[test]
fn render_writes_every_channel_in_its_documented_form() {
    if common::gpu().is_none() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    write_wall(&at("wall.gltf"));
    std::fs::write(at("cams.json"), CAMERA).expect("written");
    let run = |out: &str, more: &[&str]| {
        let mut command = covista();
        command
            .args(["render", "--up", "y", "--scene"])
            .arg(at("wall.gltf"))
            .arg("--cameras")
            .arg(at("cams.json"))
            .arg("--out")
            .arg(at(out))
            .args(more);
        command.assert()
    };
    let all = "color,depth,normal,instance,semantic,validity,flow";
    run("all", &["--sensors", all, "--width", "40", "--hfov-deg", "60"]).success();
    let (shape, normals) = npy::read_f32(&at("all/000001.normal.npy")).expect("normals");
    assert_eq!(shape, [48, 40, 3]);
    assert!(normals.as_chunks::<3>().0.iter().all(|n| *n == [0.0, 0.0, 1.0]));
    assert!(read_u32(&at("all/000000.instance.npy")).iter().all(|&id| id == 1));
    assert!(read_u32(&at("all/000000.semantic.npy")).iter().all(|&id| id == 0));
    let validity = image::open(at("all/000000.validity.png")).expect("validity").to_luma8();
    assert!(validity.pixels().all(|p| p.0 == [255]));
    // One metre back from two: the edges of the picture move inwards by a third of their distance.
    let (shape, flow) = npy::read_f32(&at("all/000000.flow.npy")).expect("flow");
    assert_eq!(shape, [48, 40, 2]);
    assert!(
        (flow[0] - 19.5 / 3.0).abs() < 1e-3 && (flow[1] - 23.5 / 3.0).abs() < 1e-3,
        "{:?}",
        &flow[..2]
    );
    let state = image::open(at("all/000000.flow_state.png")).expect("state").to_luma8();
    assert!(state.pixels().all(|p| p.0 == [255]));
    assert!(!at("all/000001.flow.npy").exists(), "the last picture has no next one");
    // The record of the cameras is one that can be rendered again.
    std::fs::copy(at("all/cameras.json"), at("cams.json")).expect("copied");
    run("again", &[]).success();
    for name in ["000000.color.png", "000001.depth.npy", "cameras.json"] {
        let [first, second] = ["all", "again"].map(|folder| std::fs::read(at(folder).join(name)).expect("a file"));
        assert_eq!(first, second, "{name}");
    }
}

/// A wall of 8 m at z = -2 whose texture is red to the left and green to the right, four texels wide.
fn painted_wall() -> covista::scene::Scene {
    use covista::scene::{Material, Primitive, Sampler, Scene, Texture, TextureRef};
    let texels = [
        [200, 16, 16, 255],
        [200, 16, 16, 255],
        [0, 255, 1, 255],
        [0, 255, 1, 255],
    ];
    Scene {
        primitives: vec![Primitive {
            positions: vec![
                [-4.0, -4.0, -2.0],
                [4.0, -4.0, -2.0],
                [4.0, 4.0, -2.0],
                [-4.0, 4.0, -2.0],
            ],
            uvs: vec![[0.0, 1.0], [1.0, 1.0], [1.0, 0.0], [0.0, 0.0]],
            indices: vec![0, 1, 2, 0, 2, 3],
            ..Primitive::default()
        }],
        materials: vec![Material {
            texture: Some(TextureRef {
                texture: 0,
                sampler: Sampler::default(),
            }),
            ..Material::default()
        }],
        textures: vec![Texture::from_rgba("paint", 4, 1, texels.concat())],
        ..Scene::default()
    }
}

#[test]
fn render_takes_hm3d_ids_from_the_painted_scene_beside() {
    if common::gpu().is_none() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let wall = painted_wall();
    covista::scene::write_glb(&wall, &at("house.basis.glb")).expect("written");
    covista::scene::write_glb(&wall, &at("house.semantic.glb")).expect("written");
    let table = "HM3D Semantic Annotations\n7,C81010,\"wall, red\",0\n9,00FF01,\"wall\",0\n";
    std::fs::write(at("house.semantic.txt"), table).expect("written");
    std::fs::write(at("cams.json"), CAMERA).expect("written");
    for (out, projection) in [("flat", "pinhole"), ("sphere", "equirectangular")] {
        let mut command = covista();
        command.args(["render", "--up", "y", "--sensors", "semantic,depth", "--scene"]);
        command.arg(at("house.basis.glb")).arg("--cameras").arg(at("cams.json"));
        command.args(["--projection", projection, "--out"]).arg(at(out));
        command.assert().success();
        let ids = read_u32(&at(out).join("000000.semantic.npy"));
        let (_, depth) = npy::read_f32(&at(out).join("000000.depth.npy")).expect("depth");
        for (place, (&id, &depth)) in ids.iter().zip(&depth).enumerate() {
            let expected = match (depth > 0.0, place % 64 < 32) {
                (false, _) => 0,
                (true, true) => 7,
                (true, false) => 9,
            };
            assert_eq!(id, expected, "{projection}: pixel {place}");
        }
        assert!(ids.contains(&7) && ids.contains(&9));
    }
}

#[test]
fn a_flat_of_its_own_configuration_shows_named_classes() {
    if common::gpu().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let cameras = folder.path().join("cameras.json");
    // At eye height in the middle of the flat, looking along -Z.
    let pose = [1, 0, 0, 7, 0, -1, 0, 1, 0, 0, -1, 5, 0, 0, 0, 1];
    std::fs::write(
        &cameras,
        serde_json::json!({"width": 64, "height": 64, "hfov_deg": 90, "world_from_camera": [pose]}).to_string(),
    )
    .unwrap();
    let draw = |name: &str, set: &[&str]| {
        let out = folder.path().join(name);
        let mut command = covista();
        command.args([
            "render",
            "--scene",
            "procedural:2",
            "--sensors",
            "color,semantic",
            "--cameras",
        ]);
        command.arg(&cameras).arg("--out").arg(&out);
        for key in set {
            command.args(["--set", key]);
        }
        command.assert().success();
        out
    };
    let out = draw("plain", &[]);
    let names: std::collections::BTreeMap<u32, String> =
        serde_json::from_slice(&std::fs::read(out.join("semantic.json")).unwrap()).unwrap();
    let ids = read_u32(&out.join("000000.semantic.npy"));
    assert!(ids.iter().all(|id| names.contains_key(id)));
    assert!(
        ids.iter().any(|id| names[id] == "floor" || names[id] == "wall"),
        "{ids:?}"
    );
    let other = draw("smaller", &["procedural.rooms=[3,3]", "procedural.texture_px=256"]);
    assert_ne!(
        std::fs::read(out.join("000000.color.png")).unwrap(),
        std::fs::read(other.join("000000.color.png")).unwrap(),
        "[procedural] reaches covista render"
    );
}

#[test]
fn render_draws_plans_and_spheres() {
    if common::gpu().is_none() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    write_wall(&at("wall.gltf"));
    std::fs::write(at("cams.json"), CAMERA).expect("written");
    let run = |out: &str, more: &[&str]| {
        let mut command = covista();
        command.args(["render", "--up", "y", "--culling", "none", "--scene"]);
        command.arg(at("wall.gltf")).arg("--cameras").arg(at("cams.json"));
        command.arg("--out").arg(at(out)).args(more).assert()
    };
    run("plan", &["--projection", "orthographic", "--width-m", "3"]).success();
    let (_, depth) = npy::read_f32(&at("plan/000001.depth.npy")).expect("depth");
    assert!(depth.iter().all(|z| (z - 3.0).abs() < 1e-4));
    run(
        "sphere",
        &["--projection", "equirectangular", "--width", "64", "--height", "32"],
    )
    .success();
    let (shape, depth) = npy::read_f32(&at("sphere/000000.depth.npy")).expect("depth");
    assert_eq!(shape, [32, 64]);
    // Straight ahead 2 m, and at 45 degrees the square root of two times that; nothing behind.
    assert!((depth[16 * 64 + 32] - 2.0).abs() < 0.02, "{}", depth[16 * 64 + 32]);
    assert!(
        (depth[16 * 64 + 40] - 2.0 * 2f32.sqrt()).abs() < 0.2,
        "{}",
        depth[16 * 64 + 40]
    );
    assert_eq!(depth[16 * 64], 0.0);
    let record = std::fs::read_to_string(at("sphere/cameras.json")).expect("a record");
    let record: serde_json::Value = serde_json::from_str(&record).expect("JSON");
    assert_eq!(record["depth"], "radial");
    run("flow", &["--projection", "equirectangular", "--sensors", "flow"]).code(2);
    run("plan2", &["--projection", "orthographic"]).code(3);
}

#[test]
fn each_failure_has_its_code_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    let (scene, cameras, out) = (
        folder.path().join("wall.gltf"),
        folder.path().join("cams.json"),
        folder.path().join("out"),
    );
    write_wall(&scene);
    std::fs::write(&cameras, CAMERA).expect("written");
    let broken = folder.path().join("broken.json");
    std::fs::write(&broken, r#"{"width":8}"#).expect("written");
    let missing = folder.path().join("missing.glb");
    for (scene, cameras, adapter, code, word) in [
        (&missing, &cameras, "", 3, "missing.glb"),
        (&scene, &broken, "", 3, "broken.json"),
        (&scene, &missing, "", 3, "missing.glb"),
        (
            &scene,
            &cameras,
            "no such adapter",
            4,
            "apt-get install mesa-vulkan-drivers",
        ),
    ] {
        let mut command = covista();
        command
            .arg("render")
            .arg("--scene")
            .arg(scene)
            .arg("--cameras")
            .arg(cameras);
        command.arg("--adapter").arg(adapter).arg("--out").arg(&out);
        let assert = command.assert().code(code);
        let stderr = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
        assert!(stderr.contains(word), "{stderr}");
        assert!(!out.exists(), "no output folder after: {stderr}");
    }
}

#[test]
fn doctor_says_which_adapter_works() {
    if common::gpu().is_none() {
        return;
    }
    let output = covista().args(["doctor", "--json"]).assert().success();
    let report: serde_json::Value = serde_json::from_slice(&output.get_output().stdout).expect("JSON");
    assert_eq!(report["works"], true, "{report}");
    assert!(report["used"]["name"].is_string(), "{report}");
    assert!(report["cores"].as_u64().is_some_and(|n| n > 0), "{report}");
    covista()
        .args(["doctor", "--adapter", "no such adapter"])
        .assert()
        .code(4);
}
