//! The estimator `opencv` with OpenCV's own draws against `cv2.findHomography(RANSAC, 5)` of the released environment
//! (OpenCV 4.7.0), on the same points (tests/fixtures/overlap/findhomography, made by scripts/fidelity).

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

use covista::features::Level;
use covista::features::homography::{Homography, PointPair, inverse, project};
use covista::features::ransac::{Draws, RansacConfig, RansacMethod, estimate};
use covista::overlap::{HomographyOverlapConfig, VoteRule, vote};

#[derive(serde::Deserialize)]
struct Case {
    pair: String,
    first: Vec<f32>,
    second: Vec<f32>,
    homography: Option<Homography>,
}

impl Case {
    fn all() -> Vec<Self> {
        let file = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/fixtures/overlap/findhomography/pairs.json"
        );
        serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
    }

    fn pairs(&self) -> Vec<PointPair> {
        let point = |p: &[f32]| [f64::from(p[0]), f64::from(p[1])];
        let sides = self.first.chunks(2).zip(self.second.chunks(2));
        sides
            .map(|(a, b)| PointPair {
                first: point(a),
                second: point(b),
            })
            .collect()
    }
}

fn config() -> RansacConfig {
    RansacConfig {
        method: RansacMethod::Opencv,
        draws: Draws::Opencv,
        ..RansacConfig::default()
    }
}

/// How far two homographies disagree on the corners of the picture, pixels.
fn distance(a: &Homography, b: &Homography) -> f64 {
    let corners = [(0.0, 0.0), (223.0, 0.0), (0.0, 223.0), (223.0, 223.0)];
    let off = |(x, y): (f64, f64)| {
        let (p, q) = (project(a, x, y), project(b, x, y));
        (p.0 - q.0).hypot(p.1 - q.1)
    };
    corners.into_iter().map(off).fold(0.0, f64::max)
}

#[test]
fn homographies_are_those_of_the_released_opencv() {
    let cases = Case::all();
    let mut same = 0;
    for case in &cases {
        let ours = estimate(Level::new(), &case.pairs(), &config(), 0).map(|e| e.homography);
        // A homography of nearly collinear points may sit at the edge of what rounding decides.
        let off = match (&ours, &case.homography) {
            (Some(ours), Some(theirs)) => distance(ours, theirs),
            (None, None) => 0.0,
            _ => f64::INFINITY,
        };
        same += usize::from(off < 0.01);
        if off >= 0.01 {
            println!("{}: {off} px apart", case.pair);
        }
    }
    println!("{same} of {} to 0.01 px", cases.len());
    assert!(same * 100 >= cases.len() * 95, "{same} of {}", cases.len());
}

/// The seed changes nothing with OpenCV's draws, and no option of speed does.
#[test]
fn opencvs_draws_are_always_the_same() {
    for case in Case::all().iter().take(8) {
        let run = |level, seed| estimate(level, &case.pairs(), &config(), seed);
        assert_eq!(run(Level::new(), 1), run(Level::new(), 2));
        assert_eq!(run(Level::new(), 1), run(Level::baseline(), 1));
    }
}

/// And what follows from them: the overlaps, all pixels voting.
#[test]
fn overlaps_follow() {
    let config = HomographyOverlapConfig {
        ransac: config(),
        votes: VoteRule::Exact,
        ..HomographyOverlapConfig::default()
    };
    let overlap = |h: &Homography| inverse(h).map(|back| vote(Level::new(), h, &back, &config, 0).0.min());
    let (mut same, mut n) = (0, 0);
    for case in Case::all() {
        let Some(theirs) = case.homography else { continue };
        let ours = estimate(Level::new(), &case.pairs(), &config.ransac, 0)
            .unwrap()
            .homography;
        let (ours, theirs) = (overlap(&ours), overlap(&theirs));
        n += 1;
        same += usize::from(ours.zip(theirs).is_some_and(|(a, b)| (a - b).abs() < 0.011) || ours == theirs);
    }
    println!("{same} of {n} overlaps within 2 patches");
    assert!(same * 100 >= n * 95, "{same} of {n}");
}
