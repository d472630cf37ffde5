//! Bad input gives one clear line and the documented exit code, and leaves nothing behind.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod common;

use std::io::Write;
use std::path::Path;
use std::process::Output;

use assert_cmd::Command;

fn covista(args: &[&str], envs: &[(&str, &str)]) -> Output {
    let mut command = Command::cargo_bin("covista").unwrap();
    command.args(args).timeout(std::time::Duration::from_secs(120));
    for (key, value) in envs {
        command.env(key, value);
    }
    command.output().unwrap()
}

/// Runs, and checks the code, that stderr is one line that starts with our name, and what it mentions.
fn refused(args: &[&str], code: i32, mentions: &[&str]) {
    refused_with(args, &[], code, mentions);
}

fn refused_with(args: &[&str], envs: &[(&str, &str)], code: i32, mentions: &[&str]) {
    let output = covista(args, envs);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {stderr}");
    let lines: Vec<&str> = stderr
        .lines()
        .filter(|line| !line.trim_start().starts_with("WARN"))
        .collect();
    assert_eq!(lines.len(), 1, "{args:?} gave more than one line:\n{stderr}");
    assert!(lines[0].starts_with("covista: "), "{stderr}");
    for word in mentions {
        assert!(stderr.contains(word), "{args:?}: \"{word}\" is missing in: {stderr}");
    }
}

fn obj(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::File::create(&path)
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    path.display().to_string()
}

#[test]
fn a_wrong_path() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out").display().to_string();
    refused(
        &[
            "generate",
            "--scene",
            "/no/such/room.glb",
            "--pairs",
            "1",
            "--out",
            &out,
        ],
        3,
        &["/no/such/room.glb"],
    );
    assert!(!Path::new(&out).exists(), "a refused run leaves no folder");
    refused(
        &["overlap", "/no/such/a.png", "/no/such/b.png", "--json"],
        3,
        &["/no/such/a.png"],
    );
    refused(&["select", "/no/such/folder", "--json"], 3, &["/no/such/folder"]);
    refused(&["report", "/no/such/set"], 3, &["/no/such/set"]);
    refused(&["navmesh", "info", "/no/such/a.navmesh"], 3, &["/no/such/a.navmesh"]);
}

#[test]
fn an_empty_scene() {
    let folder = tempfile::tempdir().unwrap();
    let scene = obj(folder.path(), "empty.obj", "# nothing\n");
    refused(&["scene", "info", &scene], 3, &["empty.obj"]);
}

#[test]
fn a_scene_without_a_floor_to_walk_on() {
    let folder = tempfile::tempdir().unwrap();
    // One upright wall.
    let scene = obj(
        folder.path(),
        "wall.obj",
        "v 0 0 0\nv 3 0 0\nv 3 3 0\nv 0 3 0\nf 1 2 3 4\n",
    );
    let out = folder.path().join("out").display().to_string();
    refused(
        &["generate", "--scene", &scene, "--pairs", "1", "--out", &out],
        3,
        &["walk"],
    );
}

#[test]
fn a_room_below_the_island_gate_says_which_value_admits_it() {
    let folder = tempfile::tempdir().unwrap();
    let scene = obj(
        folder.path(),
        "small.obj",
        "v -2 0 -2\nv -2 0 2\nv 2 0 2\nv 2 0 -2\nf 1 2 3 4\n",
    );
    let out = folder.path().join("out").display().to_string();
    refused(
        &[
            "generate",
            "--scene",
            &scene,
            "--pairs",
            "1",
            "--profile",
            "mimic-code",
            "--out",
            &out,
        ],
        3,
        &["min_island_radius_m", "6"],
    );
}

#[test]
fn a_truncated_glb() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.glb");
    std::fs::write(&path, b"glTF\x02\0\0\0\x00\x10\0\0\x20\0\0\0JSON{\"asset\":").unwrap();
    refused(&["scene", "info", &path.display().to_string()], 3, &["cut.glb"]);
}

#[test]
fn bad_configuration() {
    refused(
        &["config", "show", "--set", "render.sise_px=3"],
        2,
        &["render.sise_px", "render.size_px"],
    );
    refused(&["config", "show", "--profile", "mimik"], 2, &["mimik"]);
    refused(
        &["config", "show", "--set", "render.hfov_deg=1000"],
        2,
        &["hfov_deg", "1000"],
    );
    refused(&["config", "show", "--config", "/no/such.toml"], 2, &["/no/such.toml"]);
}

#[test]
fn bad_arguments() {
    let output = covista(&["generate", "--pears", "3"], &[]);
    assert_eq!(output.status.code(), Some(2));
    refused(
        &["generate", "--scene", "procedural:x", "--out", "/tmp/never"],
        3,
        &["procedural:x"],
    );
}

#[cfg(unix)]
#[test]
fn arguments_that_are_no_unicode() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().unwrap();
    let odd = folder.path().join(OsStr::from_bytes(b"\xff"));
    let scene = ["--scene", "/no/such/room.glb"];
    for (args, code) in [
        // A folder may have any name; what is read as text must be text.
        (vec!["generate", scene[0], scene[1], "--out"], 3),
        (vec!["plan", scene[0], scene[1], "--out"], 3),
        (vec!["generate", "--profile"], 2),
    ] {
        let mut command = Command::cargo_bin("covista").unwrap();
        let output = command.args(&args).arg(&odd).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {stderr}");
        assert!(!stderr.contains("panicked"), "{args:?}: {stderr}");
        assert!(!odd.exists());
    }
}

#[test]
fn no_adapter() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out").display().to_string();
    // A loader without drivers and no OpenGL: what a machine without mesa-vulkan-drivers looks like.
    let none = [
        ("VK_ICD_FILENAMES", "/nonexistent.json"),
        ("VK_DRIVER_FILES", "/nonexistent.json"),
        ("WGPU_BACKEND", "vulkan"),
        ("COVISTA_ADAPTER", "no such adapter"),
    ];
    refused_with(
        &["generate", "--scene", "procedural:1", "--pairs", "1", "--out", &out],
        &none,
        4,
        &["adapter", "mesa-vulkan-drivers"],
    );
    assert!(!Path::new(&out).exists());
}

#[test]
fn an_environment_that_makes_no_sense() {
    let Some(_gpu) = common::gpu() else { return };
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out").display().to_string();
    for (name, value) in [
        ("COVISTA_DEVICES", "two"),
        ("COVISTA_DEVICES", "0"),
        ("COVISTA_PICTURE_BYTES", "-1"),
    ] {
        refused_with(
            &["generate", "--scene", "procedural:1", "--pairs", "1", "--out", &out],
            &[(name, value)],
            2,
            &[name, value, "whole number"],
        );
    }
}

#[test]
fn output_that_cannot_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let taken = folder.path().display().to_string();
    refused(
        &["generate", "--scene", "procedural:1", "--pairs", "1", "--out", &taken],
        5,
        &["exists", "--resume"],
    );
    refused(
        &[
            "generate",
            "--scene",
            "procedural:1",
            "--pairs",
            "1",
            "--out",
            "/proc/covista/out",
        ],
        5,
        &["/proc/covista"],
    );
}
