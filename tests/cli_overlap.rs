//! `covista overlap` and `covista select` from the outside: forms, odd pictures, refusals.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod common;

use std::path::{Path, PathBuf};
use std::process::Output;

use assert_cmd::Command;
use image::{DynamicImage, ImageBuffer, Luma, Rgb, RgbImage, Rgba};
use serde_json::Value;

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/sift")
        .join(name)
}

fn covista(args: &[&str]) -> Output {
    let mut command = Command::cargo_bin("covista").unwrap();
    command.args(args).timeout(std::time::Duration::from_secs(120));
    command.output().unwrap()
}

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
fn pictures_of_any_kind_give_a_result() {
    let folder = tempfile::tempdir().unwrap();
    let save = |name: &str, picture: DynamicImage| {
        let path = folder.path().join(name);
        picture.save(&path).unwrap();
        path
    };
    let mut state = 1u32;
    let mut noise = || {
        state = state.wrapping_mul(1664525).wrapping_add(1013904223);
        (state >> 24) as u8
    };
    let odd = [
        save("colour.png", RgbImage::from_pixel(224, 224, Rgb([10, 200, 30])).into()),
        save(
            "noise.png",
            RgbImage::from_fn(224, 224, |_, _| Rgb([noise(), noise(), noise()])).into(),
        ),
        save(
            "grey.png",
            ImageBuffer::from_fn(300, 200, |x, y| Luma([(x ^ y) as u8])).into(),
        ),
        save(
            "deep.png",
            ImageBuffer::from_fn(100, 120, |x, y| Luma([(x * y * 5) as u16])).into(),
        ),
        save(
            "alpha.png",
            ImageBuffer::from_fn(64, 64, |x, y| Rgba([x as u8, y as u8, 0, (x * 4) as u8])).into(),
        ),
        save("dot.png", RgbImage::new(1, 1).into()),
        save(
            "wide.png",
            RgbImage::from_fn(20_000, 9, |x, _| Rgb([(x % 251) as u8; 3])).into(),
        ),
    ];
    for picture in &odd {
        let report = overlap(picture, &fixture("tiles.png"), &[]);
        assert_eq!(report["kept"], false, "{}", picture.display());
        assert!(report["reason"].is_string(), "{}", picture.display());
    }
    assert_eq!(overlap(&odd[0], &odd[1], &[])["reason"], "no_descriptors");
}

#[test]
fn broken_files_give_one_line_and_exit_code_3() {
    let folder = tempfile::tempdir().unwrap();
    let good = fixture("tiles.png").display().to_string();
    let bytes = std::fs::read(fixture("tiles.png")).unwrap();
    // A header that promises 60,000 x 60,000 pixels, and nothing to fill them.
    let mut huge = bytes[..33].to_vec();
    huge[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
    let cases: [(&str, &[u8]); 4] = [
        ("cut.png", &bytes[..bytes.len() / 2]),
        ("huge.png", &huge),
        ("text.png", b"hello"),
        ("empty.jpg", b""),
    ];
    for (name, content) in cases {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        let output = covista(&["overlap", &good, &path.display().to_string()]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{name}: {stderr}");
        assert_eq!(stderr.trim_end().lines().count(), 1, "{stderr}");
        assert!(stderr.starts_with("covista: ") && stderr.contains(name), "{stderr}");
    }
    let output = covista(&["select", &folder.path().display().to_string()]);
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains("24 pictures"));
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
