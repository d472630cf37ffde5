//! The patch votes against answers that can be computed without them.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

use covista::features::Level;
use covista::features::homography::{Homography, inverse, multiply, project};
use covista::overlap::patch_votes::{self, PatchGrid, exact_votes, partners, sampled_votes};
use covista::overlap::{
    HomographyOverlapConfig, Voters, WORKING_SIZE, area_inside, homography_overlap, homography_votes, phase_free_votes,
    view_features, vote,
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

/// The smaller direction in per cent, and the larger number of times that a patch is a partner.
fn phase_free_percent(h: &Homography) -> (f64, usize) {
    let votes = |h: &Homography| phase_free_votes(Level::new(), grid(), h);
    let ((there, one), (back, other)) = (votes(h), votes(&inverse(h).unwrap()));
    let maps = [there, back];
    let most = maps
        .iter()
        .flat_map(|map| (0..196u16).map(|patch| map.iter().flatten().filter(|&&partner| partner == patch).count()));
    (100.0 * one.min(other), most.max().unwrap())
}

fn area_percent(h: &Homography) -> f64 {
    let area = |h: &Homography| area_inside(Level::new(), grid(), h);
    100.0 * area(h).min(area(&inverse(h).unwrap()))
}

/// Area as the same independent re-implementation measured it. Shifts keep sizes, so phase-free patches are the
/// area to the last pixel there, wherever patch borders fall.
#[test]
fn area_and_phase_free_patches_do_not_feel_patch_borders() {
    let table = [
        (shift(16.0, 0.0), 92.9),
        (shift(8.0, 0.0), 96.4),
        (shift(8.0, 8.0), 93.0),
        (shift(64.0, 0.0), 71.4),
        (shift(72.0, 0.0), 67.9),
        (shift(72.0, 8.0), 65.4),
        (zoom(1.2), 70.4),
        (zoom(1.4), 51.0),
        (yaw(15.0), 74.0),
        (yaw(20.0), 68.3),
        (yaw(30.0), 57.5),
    ];
    for (place, (h, area)) in table.into_iter().enumerate() {
        let (ours, (phase_free, most)) = (area_percent(&h), phase_free_percent(&h));
        println!("{place:2}: area {ours:.1} (table {area}), phase-free {phase_free:.1}");
        assert!((ours - area).abs() < 1.1, "{h:?}: area {ours}, table {area}");
        assert_eq!(most, 1, "{h:?}: a patch has two partners");
        assert!(
            phase_free <= ours + 1e-9,
            "{h:?}: {phase_free} is above the area {ours}"
        );
        if place < 6 {
            assert!((phase_free - ours).abs() < 1e-9, "{h:?}: {phase_free}, area {ours}");
        } else {
            assert!(ours - phase_free < 9.0, "{h:?}: {phase_free}, area {ours}");
        }
    }
    for (x, y) in [(3.0, 0.0), (5.0, 11.0), (20.0, 31.0), (100.0, 7.0)] {
        let truth = 100.0 * (224.0 - x) * (224.0 - y) / (224.0 * 224.0);
        assert!(
            (phase_free_percent(&shift(x, y)).0 - truth).abs() < 0.5,
            "shift {x}, {y}"
        );
        assert!((area_percent(&shift(x, y)) - truth).abs() < 1e-9, "shift {x}, {y}");
    }
}

/// Whatever the homography: partners are one-to-one, nobody who could have one is without, and a patch has at least
/// 32 pixels in its partner.
#[test]
fn phase_free_partners_are_as_many_as_there_can_be() {
    let mut rng = Rng::stream(8, "test", &[]);
    let mut between = |low: f64, high: f64| low + (high - low) * rng.unit();
    for _ in 0..40 {
        let turn = between(-0.6, 0.6);
        let (sin, cos) = turn.sin_cos();
        let scale = between(0.6, 1.6);
        let h = [
            scale * cos,
            -scale * sin,
            between(-80.0, 160.0),
            scale * sin,
            scale * cos,
            between(-80.0, 120.0),
            between(-5e-4, 5e-4),
            between(-5e-4, 5e-4),
            1.0,
        ];
        let (map, share) = phase_free_votes(Level::new(), grid(), &h);
        assert_eq!((map.clone(), share), phase_free_votes(Level::baseline(), grid(), &h));
        let count = |from: usize, to: u16| {
            let (left, top) = ((from % 14) as u32 * 16, (from / 14) as u32 * 16);
            let pixels = (0..256u32).map(|p| project(&h, f64::from(left + p % 16), f64::from(top + p / 16)));
            let inside = |&(x, y): &(f64, f64)| {
                let (x, y) = (x as f32, y as f32);
                (0.0..224.0).contains(&x) && (0.0..224.0).contains(&y) && (y as u16 / 16) * 14 + x as u16 / 16 == to
            };
            pixels.filter(inside).count()
        };
        let owners: Vec<Vec<usize>> = (0..196u16)
            .map(|to| (0..196).filter(|&from| map[from] == Some(to)).collect())
            .collect();
        assert!(owners.iter().all(|o| o.len() <= 1));
        for (from, partner) in map.iter().enumerate() {
            match partner {
                Some(to) => assert!(count(from, *to) >= 32),
                // At least the free ones among the patches it votes for must be too few of its pixels.
                None => assert!(
                    (0..196u16)
                        .filter(|&to| owners[usize::from(to)].is_empty())
                        .all(|to| count(from, to) < 32)
                ),
            }
        }
    }
}

/// The options reach the metric.
#[test]
fn the_options_change_what_is_measured() {
    let h = shift(8.0, 8.0);
    let measured = |options: &[&str]| {
        let options: Vec<String> = options.iter().map(|&o| o.to_owned()).collect();
        let config = covista::config::Config::load("covista", None, &options)
            .unwrap()
            .overlap;
        let (overlap, correspondence) = vote(Level::new(), &h, &inverse(&h).unwrap(), &config, 3);
        (100.0 * overlap.min(), correspondence.patches.len())
    };
    let (sampled, _) = measured(&[]);
    assert!((56.0..65.0).contains(&sampled), "{sampled}");
    assert!((measured(&["overlap.votes=exact"]).0 - 86.2).abs() < 0.1);
    let (phase_free, patches) = measured(&["overlap.votes=phase_free"]);
    assert!(
        (phase_free - 93.0).abs() < 0.1 && patches >= 182,
        "{phase_free} {patches}"
    );
    let (area, patches) = measured(&["overlap.measure=area"]);
    assert!((area - 93.0).abs() < 0.1 && patches < 140, "{area} {patches}");
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
