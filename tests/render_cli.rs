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
    assert_eq!(std::fs::read_dir(&out).expect("kept").count(), 4);
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
