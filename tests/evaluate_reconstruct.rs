//! `covista evaluate reconstruct` as a user runs it: the same every time, exact where the answer is known, and never
//! on a scene that a run has seen.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]
#![cfg(feature = "train")]

mod common;

use std::path::Path;
use std::time::Duration;

use assert_cmd::Command;
use serde_json::Value;

/// The default gates on views are wide open in the profile; pictures of 32 px keep the model small.
const SMALL: [&str; 8] = [
    "--profile",
    "smoke",
    "--set",
    "stream.shrink=7",
    "--set",
    "select.choose=random",
    "--device",
    "flex",
];

fn covista() -> Command {
    let mut command = Command::cargo_bin("covista").unwrap();
    command.timeout(Duration::from_secs(300));
    command
}

/// Two updates of a micro model on the flat of seed 3.
fn train(out: &Path, more: &[&str]) {
    let mut command = covista();
    command.args([
        "pretrain",
        "--scene",
        "procedural:3",
        "--model",
        "micro",
        "--steps",
        "2",
    ]);
    command.args(["--set", "train.image=32", "--set", "train.patch=8", "--out"]);
    command.arg(out).args(SMALL).args(more).assert().success();
}

fn evaluate(out: &Path, runs: &[&Path], more: &[&str]) -> assert_cmd::assert::Assert {
    let mut command = covista();
    command.args(["evaluate", "reconstruct"]).args(runs);
    command.args(["--pairs", "5", "--json", "--out"]);
    command.arg(out).args(SMALL).args(more).assert()
}

#[test]
fn runs_are_compared_on_what_they_have_not_seen() {
    let Some(_gpu) = common::gpu() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let (a, b) = (path("a"), path("b"));
    train(&a, &["--seed", "1"]);
    train(&b, &["--seed", "2", "--set", "train.reference=unrelated"]);

    let held_out = ["--scene", "procedural:4", "--scene", "procedural:5"];
    let with_unrelated = [&held_out[..], &["--unrelated"]].concat();
    let done = evaluate(&path("out"), &[&a, &b, &a], &with_unrelated).success();
    let outcome: Value = serde_json::from_slice(&done.get_output().stdout).unwrap();
    assert_eq!(outcome["conditions"]["hidden_patches"], 14);
    let given: Vec<_> = outcome["conditions"]["scenes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| &s["pairs"])
        .collect();
    assert_eq!(given, [3, 2]);
    let models = outcome["models"].as_array().unwrap();
    assert_eq!(models.len(), 6);
    let loss = |model: usize| models[model]["normalised"]["value"].as_f64().unwrap();
    assert!((0.5..3.0).contains(&loss(0)), "{}", loss(0));
    assert_ne!(loss(0), loss(1));
    assert_eq!(loss(0), loss(2), "the same run twice");
    assert_eq!(models[3]["unrelated_reference"], true);
    assert_ne!(loss(0), loss(3));
    let same = &outcome["differences"][1];
    assert_eq!((&same["of"], &same["less"]), (&2.into(), &0.into()));
    for key in ["value", "min", "max", "mean", "sd"] {
        assert_eq!(same["normalised"][key], 0.0, "{key}");
    }

    // The mean of the file of single losses is the figure of the table.
    let lines = std::fs::read_to_string(path("out").join("losses.csv")).unwrap();
    let column: Vec<f64> = lines
        .lines()
        .skip(1)
        .map(|line| line.split(',').nth(6).unwrap().parse().unwrap())
        .collect();
    assert_eq!(column.len(), 5);
    assert!((column.iter().sum::<f64>() / 5.0 - loss(0)).abs() < 1e-9);
    let page = std::fs::read_to_string(path("out").join("report.html")).unwrap();
    assert!(page.contains(&format!("{:.4}", loss(1))) && !page.contains("src=\"http"));
    // Masked, reference, six completions and target of 96 px, five pairs.
    let sheet = image::open(path("out").join("pictures.png")).unwrap();
    assert_eq!((sheet.width(), sheet.height()), (9 * 100 + 4, 5 * 100 + 4));

    // Again with one thread: the same bytes.
    let mut command = covista();
    command
        .args(["evaluate", "reconstruct"])
        .args([&a, &b, &a])
        .args(["--pairs", "5", "--out"]);
    command
        .arg(path("again"))
        .args(SMALL)
        .args(&with_unrelated)
        .env("RAYON_NUM_THREADS", "1");
    command.assert().success();
    for name in ["report.html", "reconstruction.json", "losses.csv", "pictures.png"] {
        let read = |out: &str| std::fs::read(path(out).join(name)).unwrap();
        assert!(read("out") == read("again"), "{name} differs");
    }

    // A scene that a run has seen, in company or alone.
    let refused = evaluate(
        &path("seen"),
        &[&a],
        &["--scene", "procedural:4", "--scene", "procedural:3"],
    );
    let said = String::from_utf8(refused.code(2).get_output().stderr.clone()).unwrap();
    assert!(
        said.contains("trained on the scene") && said.contains("procedural-3"),
        "{said}"
    );
    assert!(!path("seen").exists());

    // A run that does not say what it has seen.
    let record = a.join("run.json");
    let mut json: Value = serde_json::from_slice(&std::fs::read(&record).unwrap()).unwrap();
    json["data"]["scenes"] = Value::Array(Vec::new());
    std::fs::write(&record, json.to_string()).unwrap();
    let refused = evaluate(&path("unknown"), &[&a], &held_out);
    let said = String::from_utf8(refused.code(3).get_output().stderr.clone()).unwrap();
    assert!(said.contains("does not say which scenes"), "{said}");

    // No common mask.
    let c = path("c");
    train(&c, &["--set", "train.mask_ratio=0.5"]);
    let refused = evaluate(&path("mask"), &[&b, &c], &held_out);
    let said = String::from_utf8(refused.code(2).get_output().stderr.clone()).unwrap();
    assert!(said.contains("cannot share one mask"), "{said}");
}
