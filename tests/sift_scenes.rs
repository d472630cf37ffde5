//! SIFT on photographs and rendered views against OpenCV (tests/fixtures/sift/opencv, made by scripts/fidelity) and
//! against kornia's port, which gives OpenCV's features nearly to the bit.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use common::agreement::{Agreement, read_sift};
use common::sweeps::{Set, sets};
use covista::features::Level;
use covista::features::gray::gray;
use covista::features::homography::{Homography, inverse, project};
use covista::features::matching::{DescriptorSet, match_descriptors};
use covista::features::sift::{Descriptor, Features, Keypoint, Sift, SiftParams};
use image::GrayImage;
use kornia_imgproc::features::{FirstOctave, SiftConfig, SiftWorkspace, sift_detect_and_compute};
use rayon::prelude::*;

#[derive(serde::Deserialize)]
struct Facts {
    photos: BTreeMap<String, Photos>,
    views: BTreeMap<String, View>,
}

#[derive(serde::Deserialize)]
struct Photos {
    ending: String,
    keypoints: [usize; 2],
    matches: usize,
    confirmed: usize,
}

#[derive(serde::Deserialize)]
struct View {
    keypoints: usize,
    hash: String,
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/sift")
        .join(name)
}

fn facts() -> Facts {
    serde_json::from_slice(&std::fs::read(fixture("opencv/facts.json")).unwrap()).unwrap()
}

fn part_of_theirs(name: &str) -> Features {
    read_sift(&std::fs::read(fixture(&format!("opencv/{name}.sift"))).unwrap())
}

fn ours(gray: &GrayImage) -> Features {
    Sift::new(SiftParams::default()).detect_and_describe(gray)
}

fn kornia(gray: &GrayImage) -> Features {
    let source: Vec<f32> = gray.iter().map(|&v| f32::from(v)).collect();
    let (width, height) = (gray.width() as usize, gray.height() as usize);
    let config = SiftConfig::default();
    let workspace = &mut SiftWorkspace::new();
    let found = sift_detect_and_compute(
        workspace,
        &source,
        width,
        height,
        &config,
        FirstOctave::Double,
        usize::MAX,
        false,
    )
    .unwrap();
    let keypoint = |k: &kornia_imgproc::features::SiftKeypoint| Keypoint {
        x: k.x,
        y: k.y,
        size: k.size,
        angle_deg: k.angle,
        response: k.response,
        octave: k.octave,
    };
    let bytes: Vec<u8> = found.descriptors.iter().map(|&v| v as u8).collect();
    Features {
        keypoints: found.keypoints.iter().map(keypoint).collect(),
        descriptors: bytes
            .chunks_exact(128)
            .map(|d| Descriptor::try_from(d).unwrap())
            .collect(),
    }
}

/// The accepted bounds: 98 % of their keypoints found, the count within 2 %; and nine descriptors of ten no farther
/// than `distance`, of a length of 512.
fn accept(name: &str, agreement: &Agreement, compared: usize, distance: f64) {
    println!("{}", agreement.report(name, compared));
    let (ours, theirs) = agreement.counts;
    assert!(
        ours.abs_diff(theirs) * 50 <= theirs,
        "{name}: {ours} keypoints, theirs {theirs}"
    );
    assert!(
        agreement.found * 100 >= compared * 98,
        "{name}: {} of {compared} found",
        agreement.found
    );
    let ninth = agreement.quantile(0.9);
    assert!(ninth <= distance, "{name}: {ninth}");
}

/// Full size; matches that the true homography confirms within 3 px: at least 97 % of OpenCV's.
#[test]
fn photographs_give_opencvs_keypoints_and_matches() {
    let Some(folder) = common::shared("assets/sift-homogr") else {
        return;
    };
    let mut all = (Agreement::default(), 0);
    for (name, facts) in facts().photos {
        let sides = ["A", "B"];
        let found: Vec<Features> = (sides.par_iter())
            .map(|side| {
                let picture = image::open(folder.join(format!("{name}{side}.{}", facts.ending))).unwrap();
                ours(&gray(&picture.to_rgb8()))
            })
            .collect();
        let mut pair = (Agreement::default(), 0);
        for (place, side) in sides.iter().enumerate() {
            let part = part_of_theirs(&format!("{name}{side}"));
            for (agreement, compared) in [&mut pair, &mut all] {
                agreement.add(&found[place], &part, facts.keypoints[place]);
                *compared += part.keypoints.len();
            }
        }
        // JPEG decoders differ by a grey level here and there, and descriptors with them.
        accept(&name, &pair.0, pair.1, if facts.ending == "jpg" { 6.0 } else { 2.0 });

        let model = std::fs::read_to_string(folder.join(format!("{name}_model.txt"))).unwrap();
        let numbers: Vec<f64> = model.split_whitespace().map(|v| v.parse().unwrap()).collect();
        // The file maps B to A.
        let truth = inverse(&Homography::try_from(numbers).unwrap()).unwrap();
        let sets: Vec<DescriptorSet> = found.iter().map(|f| DescriptorSet::new(&f.descriptors)).collect();
        let matches = match_descriptors(Level::new(), &sets[0], &sets[1], 0.7, false);
        let confirmed = matches.iter().filter(|m| {
            let (a, b) = (&found[0].keypoints[m.first], &found[1].keypoints[m.second]);
            let (x, y) = project(&truth, f64::from(a.x), f64::from(a.y));
            (x - f64::from(b.x)).hypot(y - f64::from(b.y)) < 3.0
        });
        let (n, confirmed) = (matches.len(), confirmed.count());
        println!(
            "{name}: {confirmed} of {n} matches confirmed, OpenCV {} of {}",
            facts.confirmed, facts.matches
        );
        assert!(
            confirmed * 100 >= facts.confirmed * 97,
            "{name}: {confirmed}, OpenCV {}",
            facts.confirmed
        );
    }
    accept("all photographs", &all.0, all.1, 3.0);
}

/// The picture of a set's view.
fn view_of(set: &Set, view: usize) -> image::RgbImage {
    match set.views.get(view) {
        Some(view) => view.color.clone(),
        None => {
            let folder = common::shared(&set.peer.source.scene).unwrap();
            image::open(folder.join(format!("{view:03}.png"))).unwrap().to_rgb8()
        }
    }
}

#[test]
fn rendered_views_give_opencvs_keypoints() {
    let facts = facts();
    let (mut all, mut compared) = (Agreement::default(), 0);
    for (name, view) in &facts.views {
        let (scene, place) = name.rsplit_once('-').unwrap();
        let set_name = if scene == "room" {
            scene.to_owned()
        } else {
            format!("{scene}-0")
        };
        let Some(set) = sets().iter().find(|set| set.name == set_name) else {
            continue;
        };
        let picture = view_of(set, place.parse().unwrap());
        if !blake3::hash(picture.as_raw()).to_hex().starts_with(&view.hash) {
            println!("{name}: this adapter draws another picture than OpenCV saw; left out");
            continue;
        }
        let part = part_of_theirs(name);
        all.add(&ours(&gray(&picture)), &part, view.keypoints);
        compared += part.keypoints.len();
    }
    if compared > 0 {
        accept("rendered views", &all, compared, 1.0);
    }
}

/// All keypoints of views of every set, live, on whatever this adapter draws.
#[test]
fn rendered_views_give_kornias_keypoints() {
    let (mut all, mut compared) = (Agreement::default(), 0);
    for set in sets() {
        let pictures: Vec<GrayImage> = [0, 5].map(|view| gray(&view_of(set, view))).into();
        let theirs: Vec<Features> = pictures.par_iter().map(kornia).collect();
        for (picture, theirs) in pictures.iter().zip(&theirs) {
            all.add(&ours(picture), theirs, theirs.keypoints.len());
            compared += theirs.keypoints.len();
        }
    }
    if compared > 0 {
        accept("kornia, rendered views", &all, compared, 1.0);
        assert!(
            all.within_one * 1000 >= compared * 995,
            "{} of {compared}",
            all.within_one
        );
    }
}

/// That kornia's port is a fair stand-in: on our own pictures it is OpenCV.
#[test]
fn kornia_is_opencv() {
    let (mut all, mut compared) = (Agreement::default(), 0);
    for name in ["tiles", "discs", "strokes"] {
        let theirs = read_sift(&std::fs::read(fixture(&format!("{name}.sift"))).unwrap());
        let picture = gray(&image::open(fixture(&format!("{name}.png"))).unwrap().to_rgb8());
        all.add(&kornia(&picture), &theirs, theirs.keypoints.len());
        compared += theirs.keypoints.len();
    }
    accept("kornia against OpenCV", &all, compared, 0.0);
    assert!(all.identical * 100 >= compared * 99);
}
