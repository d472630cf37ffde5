//! The program itself trains, is killed, goes on, and shows what it did.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]
#![cfg(feature = "train")]

mod common;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use assert_cmd::cargo::cargo_bin;

/// Everything that an update depends on is switched on: averaged batches, clipping, a running mean.
const SETTINGS: [&str; 24] = [
    "--scene",
    "procedural:3",
    "--profile",
    "smoke",
    "--device",
    "flex",
    "--set",
    "train.accumulate=2",
    "--set",
    "train.ema_decay=0.9",
    "--set",
    "train.clip_norm=1",
    "--set",
    "train.image=112",
    "--set",
    "train.augment=croco",
    "--set",
    "stream.reuse=8",
    "--set",
    "stream.ring_pairs=4",
    "--set",
    "render.crop_px=128",
    "--set",
    "generate.max_positions_per_pair=200",
];
const RUN: [&str; 17] = [
    "--model",
    "micro",
    "--steps",
    "24",
    "--batch",
    "2",
    "--seed",
    "1",
    "--save-every",
    "3",
    "--validate-every",
    "4",
    "--validation-pairs",
    "3",
    "--pictures-every",
    "12",
    "--tensorboard",
];

fn pretrain(more: &[&str]) -> Command {
    let mut command = Command::new(cargo_bin("covista"));
    command.arg("pretrain").args(SETTINGS).args(more).arg("--json");
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// Every file below `folder` that must not depend on when it was made.
fn timeless(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder).unwrap().display().to_string();
            if path.is_dir() {
                folders.push(path);
            } else if !["run.json", "metrics.jsonl", "metrics.csv"].contains(&name.as_str())
                && !name.contains("tfevents")
            {
                found.insert(name, std::fs::read(path).unwrap());
            }
        }
    }
    found
}

/// Step, loss, learning rate, gradient norm and validation of each line.
fn metrics(run: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let lines = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    lines
        .map(|line| {
            let kept = ["step", "loss", "lr", "grad_norm", "validation_loss", "scene"];
            kept.map(|key| line[key].to_string()).join(" ")
        })
        .collect()
}

/// Starts the command and ends it by `signal` when the run has `checkpoints` checkpoints.
fn end_after(mut command: Command, run: &Path, checkpoints: usize, signal: &str) -> (std::process::ExitStatus, String) {
    let mut child = command.spawn().unwrap();
    let count = || {
        let entries = std::fs::read_dir(run.join("checkpoints")).into_iter().flatten();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.bytes().all(|b| b.is_ascii_digit())).max()
    };
    let wanted = format!("{:08}", 3 * checkpoints);
    let begun = Instant::now();
    while count().is_none_or(|newest| newest < wanted) {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        assert!(begun.elapsed() < Duration::from_secs(240), "no checkpoint came");
        std::thread::sleep(Duration::from_millis(5));
    }
    let pid = child.id().to_string();
    assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    (output.status, String::from_utf8_lossy(&output.stderr).into_owned())
}

fn finish(mut command: Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_run_that_was_killed_and_interrupted_ends_like_one_that_was_not() {
    let Some(_gpu) = common::gpu() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let (whole, broken) = (path("whole"), path("broken"));
    let named = |run: &Path| run.to_str().unwrap().to_owned();

    finish(pretrain(&[&RUN[..], &["--out", &named(&whole)]].concat()));
    let expected = timeless(&whole);
    for name in [
        "model.safetensors",
        "ema.safetensors",
        "pictures/00000012.png",
        "checkpoints/00000024/state.json",
        "checkpoints/00000024/optimizer.safetensors",
    ] {
        assert!(
            expected.contains_key(name),
            "{name} is missing among {:?}",
            expected.keys()
        );
    }
    assert_eq!(metrics(&whole).len(), 24);

    let begin = pretrain(&[&RUN[..], &["--out", &named(&broken)]].concat());
    let (status, _) = end_after(begin, &broken, 1, "-KILL");
    assert_eq!(status.code(), None, "killed");
    let go_on = || pretrain(&["--resume", &named(&broken)]);
    let (status, said) = end_after(go_on(), &broken, 4, "-INT");
    assert_eq!(status.code(), Some(130), "{said}");
    assert!(said.contains("--resume"), "{said}");
    // The run remembers scenes and settings.
    let mut alone = Command::new(cargo_bin("covista"));
    alone
        .args(["pretrain", "--json", "--device", "flex", "--resume"])
        .arg(&broken);
    finish(alone);

    let found = timeless(&broken);
    assert_eq!(metrics(&broken), metrics(&whole));
    for (name, bytes) in &expected {
        assert!(found.get(name) == Some(bytes), "{name} differs or is missing");
    }
    let record: serde_json::Value = serde_json::from_slice(&std::fs::read(broken.join("run.json")).unwrap()).unwrap();
    assert_eq!(record["data"]["scenes"][0]["name"], "procedural-3");
    assert_eq!(record["data"]["scenes"][0]["hash"].as_str().unwrap().len(), 64);
    assert!(record["best"]["loss"].as_f64().unwrap() > 0.0);
    assert_eq!(record["summary"]["steps"], 24);

    the_page_shows(&broken);
}

/// `covista report` on a finished run: curves, pictures and the scene, and nothing from elsewhere.
fn the_page_shows(run: &Path) {
    let output = Command::new(cargo_bin("covista"))
        .arg("report")
        .arg(run)
        .arg("--json")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&said["updates"], &said["validations"], &said["pictures"]),
        (&24.into(), &6.into(), &2.into())
    );
    let page = std::fs::read_to_string(run.join("report.html")).unwrap();
    for part in [
        "After 12 updates",
        "After 24 updates",
        "data:image/jpeg",
        "Waiting for data",
        "procedural-3",
    ] {
        assert!(page.contains(part), "{part} is not on the page");
    }
    assert_eq!(page.matches("<svg").count(), 5);
    for foreign in ["src=\"http", "href=\"http", "url(http", "@import"] {
        assert!(!page.contains(foreign), "{foreign}");
    }
}

#[test]
fn a_failed_start_leaves_no_folder() {
    let Some(_gpu) = common::gpu() else { return };
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    // Pairs of 128 pixels do not fit a model of 112 without a crop.
    let more = [
        "--model",
        "micro",
        "--set",
        "train.augment=none",
        "--out",
        out.to_str().unwrap(),
    ];
    let output = pretrain(&more).output().unwrap();
    assert_eq!(
        output.status.code(),
        Some(2),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(!out.exists());
}
