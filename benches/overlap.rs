//! Time of each step of the overlap metric on pictures that the bench makes itself.
//!
//! `cargo bench --no-default-features --bench overlap`; one thread. The comparison with OpenCV is
//! `scripts/bench-overlap`.

#[path = "../tests/common/wall.rs"]
mod wall;

use std::hint::black_box;

use covista::features::Level;
use covista::features::gray::gray;
use covista::features::homography::{Homography, inverse, normalized};
use covista::features::matching::Match;
use covista::features::ransac::{RansacConfig, RansacMethod};
use covista::features::sift::Sift;
use covista::overlap::{
    HomographyOverlapConfig, ViewFeatures, VoteRule, homography_of, match_views, view_features, vote,
};
use covista::select::{SelectConfig, pair_seed, select_measuring_all};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use image::RgbImage;

/// Views of a sweep: 8 of the first stop, 16 of the others.
const VIEWS: usize = 24;
const FIRST: usize = 8;

fn config(method: RansacMethod) -> HomographyOverlapConfig {
    HomographyOverlapConfig {
        ransac: RansacConfig {
            method,
            ..RansacConfig::default()
        },
        refuse_distorted: false,
        ..HomographyOverlapConfig::default()
    }
}

/// A pair with enough matches, and what the steps after matching work on.
struct Pair {
    matches: Vec<Match>,
    there: Homography,
    back: Homography,
}

impl Pair {
    fn of(a: &ViewFeatures, b: &ViewFeatures, config: &HomographyOverlapConfig) -> Option<Self> {
        let matches = match_views(Level::new(), a, b, config);
        if matches.len() < config.min_matches {
            return None;
        }
        let found = homography_of(Level::new(), a, b, &matches, config, 1)?;
        let there = normalized(&found.homography);
        Some(Self {
            matches,
            back: inverse(&there)?,
            there,
        })
    }
}

fn steps(c: &mut Criterion) {
    let level = Level::new();
    let published = config(RansacMethod::Opencv);
    let robust = config(RansacMethod::Robust);
    let pictures: Vec<RgbImage> = wall::views(VIEWS);
    let picture = gray(&pictures[0]);
    let mut sift = Sift::new(published.sift.clone());
    c.bench_function("sift, one view of 224 px", |b| {
        b.iter(|| sift.detect_and_describe(black_box(&picture)))
    });

    let features: Vec<ViewFeatures> = pictures.iter().map(|p| view_features(p, &published)).collect();
    let (first, second) = features.split_at(FIRST);
    let Some((j, pair)) = (0..second.len()).find_map(|j| Some((j, Pair::of(&first[0], &second[j], &published)?)))
    else {
        panic!("the made views have no pair in common");
    };
    let (a, b) = (&first[0], &second[j]);
    let name = format!("matching, one pair ({} x {})", a.keypoints.len(), b.keypoints.len());
    c.bench_function(&name, |bench| {
        bench.iter(|| match_views(level, black_box(a), b, &published))
    });
    for (name, config) in [("opencv", &published), ("robust", &robust)] {
        let name = format!("homography, {name} ({} matches)", pair.matches.len());
        let mut run = 0;
        c.bench_function(&name, |bench| {
            bench.iter_batched(
                || {
                    run += 1;
                    pair_seed(run, 0, j)
                },
                |seed| homography_of(level, a, b, black_box(&pair.matches), config, seed),
                BatchSize::SmallInput,
            );
        });
    }
    for (name, votes) in [("sampled", VoteRule::Sampled), ("exact", VoteRule::Exact)] {
        let config = HomographyOverlapConfig {
            votes,
            ..published.clone()
        };
        c.bench_function(&format!("patch votes both ways, {name}"), |bench| {
            bench.iter(|| vote(level, black_box(&pair.there), &pair.back, &config, 1));
        });
    }
}

fn selection(c: &mut Criterion) {
    let pictures: Vec<RgbImage> = wall::views(VIEWS);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let Ok(pool) = pool else { panic!("no thread") };
    let mut group = c.benchmark_group("selection, 24 views and 128 pairs");
    group.sample_size(10);
    for (name, method) in [("opencv", RansacMethod::Opencv), ("robust", RansacMethod::Robust)] {
        let config = config(method);
        group.bench_function(name, |bench| {
            bench.iter(|| {
                pool.install(|| {
                    let features: Vec<_> = pictures.iter().map(|p| view_features(black_box(p), &config)).collect();
                    let (first, second) = features.split_at(FIRST);
                    select_measuring_all(first, second, &config, &SelectConfig::default(), 1)
                })
            });
        });
    }
    group.finish();
}

criterion_group!(benches, steps, selection);
criterion_main!(benches);
