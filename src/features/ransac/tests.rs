//! Both estimators on points with a known answer.

use super::*;
use crate::features::homography::project;

const TRUE: Homography = [1.05, 0.1, 12.0, -0.08, 0.97, -9.0, 2e-4, -1e-4, 1.0];

/// `good` pairs of the true homography with up to half a pixel of noise, then `bad` arbitrary ones.
fn pairs(good: usize, bad: usize) -> Vec<PointPair> {
    let mut state = 17u64;
    let mut unit = move || {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    (0..good + bad)
        .map(|i| {
            let first = [unit() * 223.0, unit() * 223.0];
            let (u, v) = project(&TRUE, first[0], first[1]);
            let noise = [unit() - 0.5, unit() - 0.5];
            let wild = [unit() * 223.0, unit() * 223.0];
            let second = if i < good { [u + noise[0], v + noise[1]] } else { wild };
            PointPair { first, second }
        })
        .collect()
}

fn config(method: RansacMethod) -> RansacConfig {
    RansacConfig {
        method,
        ..RansacConfig::default()
    }
}

#[test]
fn finds_the_truth_among_outliers() {
    for method in [RansacMethod::Opencv, RansacMethod::Robust] {
        for (good, bad) in [(60, 0), (60, 30), (40, 60)] {
            for seed in 0..5 {
                let pairs = pairs(good, bad);
                let found = estimate(Level::new(), &pairs, &config(method), seed).unwrap();
                assert!(
                    found.inlier_count() >= good,
                    "{method:?} {good} {bad}: {}",
                    found.inlier_count()
                );
                for (x, y) in [(0.0, 0.0), (223.0, 0.0), (0.0, 223.0), (223.0, 223.0)] {
                    let (a, b) = (project(&found.homography, x, y), project(&TRUE, x, y));
                    assert!(
                        (a.0 - b.0).hypot(a.1 - b.1) < 2.5,
                        "{method:?} {good} {bad}: {a:?} {b:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn the_same_at_every_level_and_for_the_same_seed() {
    let pairs = pairs(30, 50);
    for method in [RansacMethod::Opencv, RansacMethod::Robust] {
        let run = |level, seed| estimate(level, &pairs, &config(method), seed);
        assert_eq!(run(Level::new(), 3), run(Level::baseline(), 3));
        assert_ne!(run(Level::new(), 3), None);
    }
}

#[test]
fn degenerate_input_has_no_homography() {
    let line: Vec<_> = (0..20)
        .map(|i| PointPair {
            first: [f64::from(i), f64::from(2 * i)],
            second: [f64::from(i), f64::from(3 * i)],
        })
        .collect();
    let same = vec![
        PointPair {
            first: [5.0, 5.0],
            second: [9.0, 9.0]
        };
        20
    ];
    for method in [RansacMethod::Opencv, RansacMethod::Robust] {
        for pairs in [&line[..], &same, &line[..3]] {
            assert_eq!(estimate(Level::new(), pairs, &config(method), 1), None);
        }
    }
}
