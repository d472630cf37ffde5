//! Instruction sets and threads change the speed of the overlap metric, never a bit of its results.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

#[path = "common/wall.rs"]
mod wall;

use covista::features::Level;
use covista::features::gray::gray;
use covista::features::laplacian::laplacian_variance;
use covista::features::matching::DescriptorSet;
use covista::features::ransac::{RansacConfig, RansacMethod};
use covista::features::sift::Sift;
use covista::overlap::{
    HomographyOverlapConfig, ViewFeatures, VoteRule, match_views, overlap_of_matches, view_features, working_picture,
};
use covista::select::{SelectConfig, Selection, pair_seed, select_measuring_all};
use image::RgbImage;
use rayon::prelude::*;

const FIRST: usize = 4;
const VIEWS: usize = 10;

/// Every instruction set that this machine offers, the plainest first.
fn levels() -> Vec<Level> {
    let best = Level::new();
    let mut all = vec![Level::baseline()];
    #[cfg(target_arch = "x86_64")]
    {
        all.extend(best.as_sse4_2().map(Level::Sse4_2));
        all.extend(best.as_avx2().map(Level::Avx2));
    }
    all.push(best);
    all
}

/// The published estimator and sampled votes, and the robust one with exact votes.
fn configs() -> [HomographyOverlapConfig; 2] {
    let published = RansacConfig {
        method: RansacMethod::Opencv,
        ..RansacConfig::default()
    };
    [
        HomographyOverlapConfig {
            ransac: published,
            refuse_distorted: false,
            ..HomographyOverlapConfig::default()
        },
        HomographyOverlapConfig {
            votes: VoteRule::Exact,
            ..HomographyOverlapConfig::default()
        },
    ]
}

/// Keeps most pairs, so that there is much to compare.
fn wide_range() -> SelectConfig {
    SelectConfig {
        min_overlap: 0.1,
        max_overlap: 0.95,
        min_laplacian_variance: 0.0,
        ..SelectConfig::default()
    }
}

fn features_at(level: Level, picture: &RgbImage, config: &HomographyOverlapConfig) -> ViewFeatures {
    let gray = gray(&working_picture(picture));
    let features = Sift::with_level(config.sift.clone(), level).detect_and_describe(&gray);
    ViewFeatures {
        descriptors: DescriptorSet::new(&features.descriptors),
        keypoints: features.keypoints,
        laplacian_variance: laplacian_variance(&gray),
    }
}

#[test]
fn keypoints_and_descriptors_are_the_same_at_every_level() {
    let config = HomographyOverlapConfig::default();
    let mut pictures = wall::views(3);
    // Sizes whose rows are no whole vectors, and one with a single octave.
    for (width, height) in [(97, 61), (31, 200), (16, 16)] {
        pictures.push(image::imageops::crop_imm(&pictures[0], 20, 3, width, height).to_image());
    }
    for picture in &pictures {
        let of = |level| Sift::with_level(config.sift.clone(), level).detect_and_describe(&gray(picture));
        let expected = of(Level::baseline());
        assert!(picture.width() < 32 || expected.keypoints.len() > 5);
        for level in levels() {
            let got = of(level);
            assert_eq!(got, expected, "{level:?}, {:?}", picture.dimensions());
        }
    }
}

#[test]
fn whole_selections_are_the_same_at_every_level() {
    let pictures = wall::views(VIEWS);
    for config in configs() {
        let select = |features: &[ViewFeatures]| {
            let (first, second) = features.split_at(FIRST);
            select_measuring_all(first, second, &config, &wide_range(), 3)
        };
        // The way that every command takes, at the best level.
        let features: Vec<_> = pictures.iter().map(|p| view_features(p, &config)).collect();
        let chosen = select(&features);
        let found = chosen.overlaps.iter().flatten().flatten().count();
        assert!(found >= 8, "{found} overlaps");
        assert!(!chosen.in_range.is_empty());
        for level in levels() {
            let features: Vec<_> = pictures.iter().map(|p| features_at(level, p, &config)).collect();
            assert_eq!(select(&features), chosen, "{level:?}");
            // The steps after the features, each at this level.
            let (first, second) = features.split_at(FIRST);
            for (i, a) in first.iter().enumerate() {
                for (j, b) in second.iter().enumerate() {
                    let Some(expected) = chosen.overlaps[i][j] else {
                        continue;
                    };
                    let seed = pair_seed(3, i, j);
                    let matches = match_views(level, a, b, &config);
                    let found = overlap_of_matches(level, a, b, &matches, &config, seed);
                    let got = found.overlap.unwrap().min();
                    assert_eq!(got.to_bits(), expected.to_bits(), "{level:?}, pair {i} {j}");
                }
            }
        }
    }
}

#[test]
fn whole_selections_do_not_depend_on_threads() {
    let pictures = wall::views(VIEWS);
    for config in configs() {
        let select = |threads: usize| -> Selection {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let features: Vec<_> = pictures.par_iter().map(|p| view_features(p, &config)).collect();
                let (first, second) = features.split_at(FIRST);
                select_measuring_all(first, second, &config, &wide_range(), 11)
            })
        };
        let one = select(1);
        assert!(!one.in_range.is_empty());
        for threads in [2, 3, 8] {
            assert_eq!(select(threads), one, "{threads} threads");
        }
    }
}
