//! From a seed to bytes: the same run twice, with one thread, one sample alone, and nothing on disk.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod common;

use std::path::Path;
use std::time::Duration;

use assert_cmd::Command;
use common::tree::{assert_same, tree};

fn generate(out: &Path, extra: &[&str], envs: &[(&str, &str)]) {
    let mut command = Command::cargo_bin("covista").unwrap();
    command
        .args([
            "generate",
            "--scene",
            "procedural:3",
            "--profile",
            "smoke",
            "--seed",
            "11",
            "--out",
        ])
        .arg(out)
        .args(extra)
        .timeout(Duration::from_secs(300));
    for (key, value) in envs {
        command.env(key, value);
    }
    command.assert().success();
}

#[test]
fn a_seed_gives_the_same_bytes_whatever_the_threads_and_interruptions() {
    let Some(_gpu) = common::gpu() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    generate(&path("a"), &["--pairs", "3"], &[]);
    let whole = tree(&path("a"));
    assert!(whole.len() > 3 * 5, "{:?}", whole.keys());

    generate(
        &path("b"),
        &["--pairs", "3"],
        &[("RAYON_NUM_THREADS", "1"), ("LP_NUM_THREADS", "0")],
    );
    assert_same(&whole, &tree(&path("b")));

    // However many devices draw.
    for devices in ["1", "3"] {
        let out = path(&format!("devices-{devices}"));
        generate(&out, &["--pairs", "3"], &[("COVISTA_DEVICES", devices)]);
        assert_same(&whole, &tree(&out));
    }

    // Two pairs first, then the folder is continued to three.
    generate(&path("c"), &["--pairs", "2"], &[]);
    generate(&path("c"), &["--pairs", "3", "--resume"], &[]);
    assert_same(&whole, &tree(&path("c")));

    // The last pair alone, from its seed and index.
    let json: serde_json::Value = serde_json::from_slice(&whole["000002/pair.json"]).unwrap();
    let index = json["index"].as_u64().unwrap().to_string();
    generate(&path("d"), &["--index", &index], &[]);
    let alone = tree(&path("d"));
    for (name, bytes) in whole
        .iter()
        .filter_map(|(n, b)| n.strip_prefix("000002/").map(|n| (n, b)))
    {
        assert!(
            alone[&format!("000000/{name}")] == *bytes,
            "{name} differs when made alone"
        );
    }

    // Every kept pair lies within the bounds of its profile.
    for pair in 0..3 {
        let json: serde_json::Value = serde_json::from_slice(&whole[&format!("{pair:06}/pair.json")]).unwrap();
        let overlap = &json["overlaps"]["homography"];
        let both = ["first_to_second", "second_to_first"].map(|key| overlap[key].as_f64().unwrap());
        let smaller = both[0].min(both[1]);
        assert!(smaller > 0.5 && smaller < 0.75, "pair {pair}: {smaller}");
    }
}

#[cfg(feature = "train")]
#[test]
fn training_without_out_writes_no_file() {
    let Some(_gpu) = common::gpu() else { return };
    let folders: Vec<tempfile::TempDir> = (0..3).map(|_| tempfile::tempdir().unwrap()).collect();
    let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin("covista"))
        .args(["pretrain", "--scene", "procedural:3", "--scene", "procedural:*"])
        .args(["--profile", "smoke", "--model", "micro", "--device", "flex"])
        .args(["--steps", "6", "--batch", "2", "--seed", "1", "--json"])
        // A change of scene for every other pair.
        .args(["--set", "stream.pairs_per_scene=2", "--set", "stream.reuse=4"])
        .current_dir(folders[0].path())
        .env("HOME", folders[1].path())
        .env("XDG_CACHE_HOME", folders[1].path())
        .env("TMPDIR", folders[2].path())
        // The drivers' own shader caches are their business, not ours.
        .env("MESA_SHADER_CACHE_DISABLE", "true")
        .env("__GL_SHADER_DISK_CACHE", "0")
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // Pipes are emptied while the process is watched, or it would wait for that.
    let (mut stdout, mut stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let out = std::thread::spawn(move || std::io::read_to_string(&mut stdout).unwrap());
    let err = std::thread::spawn(move || std::io::read_to_string(&mut stderr).unwrap());
    // What the kernel says the process sent to storage, read while it lives.
    let io = format!("/proc/{}/io", child.id());
    let mut stored = None;
    let begun = std::time::Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        assert!(begun.elapsed() < Duration::from_secs(600), "it does not end");
        let text = std::fs::read_to_string(&io).unwrap_or_default();
        let bytes = text.lines().find_map(|line| line.strip_prefix("write_bytes: "));
        stored = bytes.and_then(|b| b.trim().parse::<u64>().ok()).or(stored);
        std::thread::sleep(Duration::from_millis(20));
    };
    let (stdout, stderr) = (out.join().unwrap(), err.join().unwrap());
    assert!(status.success(), "{stderr}");
    let scenes = stderr
        .split(" scenes read")
        .next()
        .and_then(|before| before.rsplit(' ').next());
    assert!(
        scenes.and_then(|count| count.parse::<u32>().ok()) >= Some(2),
        "{stderr}"
    );
    let steps = stdout.lines().filter(|line| line.contains("\"loss\"")).count();
    assert!(steps >= 6, "{stdout}");
    assert_eq!(stored, Some(0), "bytes that the process wrote to storage");
    for folder in &folders {
        let files: Vec<String> = tree(folder.path()).into_keys().collect();
        assert!(files.is_empty(), "{files:?}");
    }
}
