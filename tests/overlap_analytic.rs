//! The patch votes against answers that can be computed without them.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

use covista::features::Level;
use covista::features::homography::{Homography, inverse, multiply, project};
use covista::overlap::patch_votes::{self, PatchGrid, exact_votes, partners, sampled_votes};
use covista::overlap::{
    HomographyOverlapConfig, Voters, WORKING_SIZE, homography_overlap, homography_votes, view_features,
};
use covista::rng::Rng;
use image::{Rgb, RgbImage};

const IDENTITY: Homography = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0];

fn shift(x: f64, y: f64) -> Homography {
    [1.0, 0.0, x, 0.0, 1.0, y, 0.0, 0.0, 1.0]
}

fn zoom(factor: f64) -> Homography {
    let centre = 0.5 * f64::from(WORKING_SIZE);
    [
        factor,
        0.0,
        centre - factor * centre,
        0.0,
        factor,
        centre - factor * centre,
        0.0,
        0.0,
        1.0,
    ]
}

/// Rotation of a camera of focal length 128 px about its vertical axis.
fn yaw(degrees: f64) -> Homography {
    let (sin, cos) = degrees.to_radians().sin_cos();
    let (f, c) = (128.0, 0.5 * f64::from(WORKING_SIZE));
    let k = [f, 0.0, c, 0.0, f, c, 0.0, 0.0, 1.0];
    let k_inverse = [1.0 / f, 0.0, -c / f, 0.0, 1.0 / f, -c / f, 0.0, 0.0, 1.0];
    multiply(
        &k,
        &multiply(&[cos, 0.0, -sin, 0.0, 1.0, 0.0, sin, 0.0, cos], &k_inverse),
    )
}

fn grid() -> PatchGrid {
    PatchGrid::new(WORKING_SIZE)
}

/// The smaller direction in per cent, mean over `seeds` draws.
fn sampled_percent(h: &Homography, seeds: u64) -> f64 {
    let back = inverse(h).unwrap();
    let one = |seed| {
        let mut rng = Rng::stream(seed, "test", &[]);
        let mut votes = |h: &Homography| homography_votes(Level::new(), grid(), h, Voters::Sampled(100, &mut rng));
        let (there, back) = (votes(h), votes(&back));
        100.0 * patch_votes::overlap(grid(), &there, &back).min()
    };
    (0..seeds).map(one).sum::<f64>() / seeds as f64
}

fn exact_percent(h: &Homography) -> f64 {
    let votes = |h: &Homography| homography_votes(Level::new(), grid(), h, Voters::All);
    100.0 * patch_votes::overlap(grid(), &votes(h), &votes(&inverse(h).unwrap())).min()
}

/// An independent re-implementation's means (reference/mimic.md 1.3), 15 draws each, one decimal.
#[test]
fn votes_equal_the_measured_table() {
    let table = [
        (shift(16.0, 0.0), 92.9, 92.9),
        (shift(8.0, 0.0), 72.6, 92.9),
        (shift(8.0, 8.0), 60.2, 86.2),
        (shift(64.0, 0.0), 71.4, 71.4),
        (shift(72.0, 0.0), 51.0, 64.3),
        (shift(72.0, 8.0), 42.6, 59.7),
        (zoom(1.2), 73.2, 73.5),
        (zoom(1.4), 51.0, 51.0),
        (yaw(15.0), 65.6, 65.8),
        (yaw(20.0), 58.1, 58.2),
        (yaw(30.0), 46.6, 46.4),
    ];
    for (h, sampled, exact) in table {
        let (ours, all) = (sampled_percent(&h, 60), exact_percent(&h));
        assert!((ours - sampled).abs() < 1.5, "{h:?}: sampled {ours}, table {sampled}");
        assert!((all - exact).abs() < 1.1, "{h:?}: exact {all}, table {exact}");
    }
}

/// A shift by whole patches leaves the columns that stay inside, exactly.
#[test]
fn whole_patch_shifts_are_exact() {
    for columns in 0..=14 {
        let expected = 100.0 * f64::from(14 - columns) / 14.0;
        assert!((exact_percent(&shift(16.0 * f64::from(columns), 0.0)) - expected).abs() < 1e-9);
        assert!((sampled_percent(&shift(0.0, 16.0 * f64::from(columns)), 1) - expected).abs() < 1e-9);
    }
}

/// The vectorised votes and the plain rule, point by point with the same draws.
#[test]
fn vectorised_votes_equal_the_plain_rule() {
    let wild = [0.3, -1.2, 180.0, 1.4, 0.2, -30.0, 4e-3, -6e-3, 1.0];
    for h in [IDENTITY, shift(8.0, 8.0), zoom(0.4), zoom(3.0), yaw(25.0), wild] {
        let rounded = |x: u32, y: u32| {
            let (px, py) = project(&h, f64::from(x), f64::from(y));
            Some((f64::from(px as f32), f64::from(py as f32)))
        };
        for level in [Level::new(), Level::baseline()] {
            assert_eq!(
                homography_votes(level, grid(), &h, Voters::All),
                exact_votes(grid(), rounded)
            );
            for samples in [1, 7, 100, 256] {
                let rng = || Rng::stream(4, "test", &[]);
                let fast = homography_votes(level, grid(), &h, Voters::Sampled(samples, &mut rng()));
                assert_eq!(
                    fast,
                    sampled_votes(grid(), samples, &mut rng(), rounded),
                    "{h:?} {samples}"
                );
            }
        }
    }
}

#[test]
fn out_competes_and_taken_patches_are_not_replaced() {
    let grid = PatchGrid { side: 2 };
    // Everything of every patch lands in patch 3: the first in raster order takes it.
    assert_eq!(
        exact_votes(grid, |_, _| Some((20.0, 20.0))),
        [Some(3), None, None, None]
    );
    // 127 of 256 pixels land in patch 0 and 129 nowhere: "out" wins.
    let mostly_out = exact_votes(grid, |x, y| (y % 16 * 16 + x % 16 < 127).then_some((1.0, 1.0)));
    assert_eq!(mostly_out, [None; 4]);
    // Half and half: the label that reached 128 first wins, which is the one that came first.
    let tie = exact_votes(grid, |_, y| if y % 16 < 8 { Some((1.0, 1.0)) } else { None });
    assert_eq!(tie, [Some(0), None, None, None]);
    // Alternating rows: the second label is the one whose 128th vote comes last.
    let late = exact_votes(grid, |_, y| if y % 2 == 0 { None } else { Some((1.0, 1.0)) });
    assert_eq!(late, [None; 4]);
}

#[test]
fn the_direction_with_fewer_partners_is_kept_and_ties_go_back() {
    let grid = PatchGrid { side: 2 };
    let there = [Some(1), None, None, None];
    let back = [None, Some(2), Some(3), None];
    assert_eq!(patch_votes::correspondence(grid, &there, &back).patches, [(0, 1)]);
    assert_eq!(patch_votes::correspondence(grid, &back, &there).patches, [(1, 0)]);
    let tie = [None, None, Some(0), None];
    assert_eq!(patch_votes::correspondence(grid, &there, &tie).patches, [(0, 2)]);
    assert_eq!(partners(&there), 1);
}

/// A picture with something to find everywhere.
fn painted() -> RgbImage {
    let mut state = 9u64;
    let mut next = move |n: u64| {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        ((state >> 33) % n) as i64
    };
    let mut image = RgbImage::from_pixel(WORKING_SIZE, WORKING_SIZE, Rgb([120; 3]));
    for _ in 0..400 {
        let (cx, cy, r) = (next(224), next(224), 2 + next(9));
        let color = Rgb([next(256) as u8, next(256) as u8, next(256) as u8]);
        for (x, y, pixel) in image.enumerate_pixels_mut() {
            if (i64::from(x) - cx).pow(2) + (i64::from(y) - cy).pow(2) <= r * r {
                *pixel = color;
            }
        }
    }
    image
}

#[test]
fn identical_views_overlap_fully() {
    let config = HomographyOverlapConfig::default();
    let view = view_features(&painted(), &config);
    assert!(view.keypoints.len() > 100);
    let found = homography_overlap(&view, &view, &config, 1);
    assert_eq!(
        found.overlap.map(|o| (o.first_to_second, o.second_to_first)),
        Some((1.0, 1.0))
    );
    assert!(found.correspondence.patches.iter().all(|(a, b)| a == b));
    assert_eq!(found.inliers, found.matches);
}

#[test]
fn pictures_without_anything_are_refused_by_name() {
    let config = HomographyOverlapConfig::default();
    let view = view_features(&painted(), &config);
    let flat = view_features(&RgbImage::from_pixel(640, 480, Rgb([9, 200, 30])), &config);
    let reason = |a, b| homography_overlap(a, b, &config, 1).refusal.map(|r| r.name());
    assert_eq!(reason(&view, &flat), Some("no_descriptors"));
    assert_eq!(reason(&flat, &flat), Some("no_descriptors"));
    let other = view_features(&image::imageops::flip_horizontal(&painted()), &config);
    assert_eq!(reason(&view, &other), Some("too_few_matches"));
}
