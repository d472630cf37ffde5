//! SIFT, matching and the texture measure against OpenCV, on pictures of our own (tests/fixtures/sift/make.py).

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod common;

use common::agreement::read_sift;
use common::program::sift_fixture as fixture;
use covista::features::Level;
use covista::features::gray::gray;
use covista::features::laplacian::laplacian_variance;
use covista::features::matching::{DescriptorSet, match_descriptors};
use covista::features::sift::{Features, Keypoint, Sift, SiftParams};
use image::GrayImage;

const PICTURES: [&str; 4] = ["tiles", "tiles_turned", "discs", "strokes"];

fn picture(name: &str) -> GrayImage {
    gray(&image::open(fixture(&format!("{name}.png"))).unwrap().to_rgb8())
}

fn facts() -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(fixture("facts.json")).unwrap()).unwrap()
}

fn theirs(name: &str) -> Features {
    let bytes = std::fs::read(fixture(&format!("{name}.sift"))).unwrap();
    read_sift(&bytes)
}

fn ours(gray: &GrayImage) -> Features {
    Sift::new(SiftParams::default()).detect_and_describe(gray)
}

fn agree(a: &Keypoint, b: &Keypoint) -> bool {
    let turn = (a.angle_deg - b.angle_deg).rem_euclid(360.0);
    (a.x - b.x).hypot(a.y - b.y) < 0.5 && (a.size / b.size - 1.0).abs() < 0.05 && turn.min(360.0 - turn) < 5.0
}

/// The accepted bounds are 98 % of keypoints and 2 % of the count; both hold with much room, so the test is tighter.
#[test]
fn keypoints_and_descriptors_are_opencvs() {
    for name in PICTURES {
        let (ours, theirs) = (ours(&picture(name)), theirs(name));
        let (n, m) = (ours.keypoints.len(), theirs.keypoints.len());
        assert!(n.abs_diff(m) * 200 <= m, "{name}: {n} keypoints, OpenCV has {m}");
        let (mut found, mut near) = (0, 0);
        for (keypoint, descriptor) in theirs.keypoints.iter().zip(&theirs.descriptors) {
            let same: Vec<usize> = (0..n).filter(|&i| agree(&ours.keypoints[i], keypoint)).collect();
            found += usize::from(!same.is_empty());
            let distance = |i: &usize| {
                let pairs = ours.descriptors[*i].iter().zip(descriptor);
                pairs
                    .map(|(&a, &b)| f64::from(a.abs_diff(b)).powi(2))
                    .sum::<f64>()
                    .sqrt()
            };
            // Of a descriptor length of 512.
            near += usize::from(same.iter().any(|i| distance(i) < 10.0));
        }
        assert!(found * 1000 >= m * 995, "{name}: {found} of {m} keypoints found");
        assert!(near * 100 >= m * 99, "{name}: {near} of {m} descriptors near");
    }
}

#[test]
fn keypoints_come_in_opencvs_order() {
    let (ours, theirs) = (ours(&picture("tiles")), theirs("tiles"));
    assert_eq!(ours.keypoints.len(), theirs.keypoints.len());
    assert!(ours.keypoints.iter().zip(&theirs.keypoints).all(|(a, b)| agree(a, b)));
}

#[test]
fn the_same_bits_at_every_instruction_set() {
    for name in PICTURES {
        let picture = picture(name);
        let baseline = Sift::with_level(SiftParams::default(), Level::baseline()).detect_and_describe(&picture);
        assert_eq!(ours(&picture), baseline, "{name}");
    }
}

#[test]
fn a_used_workspace_changes_nothing() {
    let mut sift = Sift::new(SiftParams::default());
    sift.detect_and_describe(&image::imageops::resize(
        &picture("discs"),
        400,
        150,
        image::imageops::FilterType::Triangle,
    ));
    assert_eq!(sift.detect_and_describe(&picture("tiles")), ours(&picture("tiles")));
}

#[test]
fn the_laplacian_variance_is_opencvs() {
    let facts = facts();
    for name in PICTURES {
        let theirs = facts["laplacian_variance"][name].as_f64().unwrap();
        let ours = laplacian_variance(&picture(name));
        assert!((ours / theirs - 1.0).abs() < 1e-9, "{name}: {ours}, OpenCV {theirs}");
    }
}

/// On OpenCV's own descriptors, so that the matcher alone is judged: the very same pairs.
#[test]
fn ratio_test_matches_are_opencvs() {
    let expected: Vec<(usize, usize)> = serde_json::from_value(facts()["matches"].clone()).unwrap();
    let set = |name| DescriptorSet::new(&theirs(name).descriptors);
    let got = match_descriptors(Level::new(), &set("tiles"), &set("tiles_turned"), 0.7, false);
    assert_eq!(got.iter().map(|m| (m.first, m.second)).collect::<Vec<_>>(), expected);
}

#[test]
fn odd_pictures_give_a_result() {
    for (width, height) in [(0, 0), (1, 1), (1, 500), (5, 5), (11, 3), (2000, 12), (17, 16)] {
        let mut state = 1u32;
        let noise = GrayImage::from_fn(width, height, |_, _| {
            state = state.wrapping_mul(1664525).wrapping_add(1013904223);
            image::Luma([(state >> 24) as u8])
        });
        let features = ours(&noise);
        assert_eq!(features.keypoints.len(), features.descriptors.len());
        let flat = ours(&GrayImage::from_pixel(width, height, image::Luma([200])));
        assert!(flat.keypoints.is_empty());
    }
}
