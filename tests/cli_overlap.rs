//! `covista overlap` and `covista select` from the outside: forms, odd pictures, refusals.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod common;

use std::path::Path;

use common::program::{covista, sift_fixture as fixture};
use serde_json::Value;

fn json(args: &[&str]) -> Value {
    let output = covista(args);
    assert!(
        output.status.success(),
        "{args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

fn overlap(first: &Path, second: &Path, more: &[&str]) -> Value {
    let (first, second) = (first.display().to_string(), second.display().to_string());
    json(&[&["overlap", &first, &second, "--json"], more].concat())
}

#[test]
fn the_overlap_of_a_turned_picture() {
    let facts: Value = serde_json::from_slice(&std::fs::read(fixture("facts.json")).unwrap()).unwrap();
    for profile in ["mimic-code", "covista"] {
        let report = overlap(
            &fixture("tiles.png"),
            &fixture("tiles_turned.png"),
            &["--profile", profile],
        );
        let keys: Vec<&str> = report.as_object().unwrap().keys().map(String::as_str).collect();
        let fixed = [
            "first_to_second",
            "homography",
            "inliers",
            "kept",
            "keypoints",
            "matches",
            "overlap",
            "patches",
            "reason",
            "second_to_first",
        ];
        let mut sorted = keys.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, fixed);
        let number = |key: &str| report[key].as_f64().unwrap();
        assert_eq!(
            number("overlap"),
            number("first_to_second").min(number("second_to_first"))
        );
        assert_eq!(report["keypoints"].as_array().unwrap().len(), 2);
        let patches = report["patches"].as_object().unwrap().len() as f64;
        assert!((patches / 196.0 - number("overlap")).abs() < 1e-9);
        // Corners land within a pixel of where the known homography takes them.
        let matrix = |value: &Value| -> [f64; 9] { serde_json::from_value(value.clone()).unwrap() };
        let (ours, truth) = (matrix(&report["homography"]), matrix(&facts["homography"]));
        for (x, y) in [(0.0, 0.0), (223.0, 0.0), (0.0, 223.0), (223.0, 223.0)] {
            let a = covista::features::homography::project(&ours, x, y);
            let b = covista::features::homography::project(&truth, x, y);
            assert!((a.0 - b.0).hypot(a.1 - b.1) < 1.0, "{a:?} {b:?}");
        }
    }
}

#[test]
fn identical_pictures_are_refused_for_too_much_overlap() {
    let report = overlap(
        &fixture("discs.png"),
        &fixture("discs.png"),
        &["--profile", "mimic-code"],
    );
    assert_eq!(report["overlap"], 1.0);
    assert_eq!(report["kept"], false);
    assert_eq!(report["reason"], "overlap_high");
}

#[test]
fn a_selection_of_24_pictures() {
    let Some(room) = common::shared("fixtures/overlap/room") else {
        return;
    };
    let room = room.display().to_string();
    let report = json(&["select", &room, "--profile", "mimic-code", "--seed", "3", "--json"]);
    let table: Vec<Vec<Option<f64>>> = serde_json::from_value(report["overlaps"].clone()).unwrap();
    assert_eq!(
        (table.len(), table.iter().map(Vec::len).collect::<Vec<_>>()),
        (8, vec![16; 8])
    );
    let place = |key: &str| report["best"][key].as_u64().unwrap() as usize;
    let best = report["best"]["overlap"].as_f64().unwrap();
    assert_eq!(table[place("first")][place("second")], Some(best));
    assert!(best > 0.5 && best < 0.75);
    assert!(report["refused"]["too_few_matches"].as_u64().unwrap() > 0);
    assert_eq!(
        report,
        json(&["select", &room, "--profile", "mimic-code", "--seed", "3", "--json"])
    );
}

#[test]
fn the_bench_names_every_step() {
    let Some(room) = common::shared("fixtures/overlap/room") else {
        return;
    };
    let report = json(&[
        "bench",
        "overlap",
        "--views",
        &room.display().to_string(),
        "--repeats",
        "1",
        "--json",
    ]);
    for step in ["sift", "match", "homography", "patches", "selection"] {
        for clock in ["cpu", "wall"] {
            assert!(
                report[format!("{step}_{clock}_s")].as_f64().unwrap() > 0.0,
                "{step} {clock}"
            );
        }
    }
}
