//! Which measure decides: the pair that each keeps lies in its range, and the others are recorded when asked.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod common;

use std::sync::Arc;

use covista::config::Config;
use covista::generate::{Outcome, PairGenerator, Position};
use covista::navmesh::NavMesh;
use covista::overlap::{CROCO_RADIUS_M, covisibility, croco_covisibility, geometric_overlap};
use covista::render::Gpu;
use covista::rng::Rng;
use covista::scene::SceneSource;
use covista::select::{SelectBy, SelectMeasure};
use covista::sweep::VIEWS_PER_STOP;
use covista::view::ViewPair;

fn config(overrides: &[&str]) -> Config {
    let overrides: Vec<String> = overrides.iter().map(|s| (*s).to_owned()).collect();
    Config::load("smoke", None, &overrides).unwrap()
}

fn generator(gpu: &Gpu, overrides: &[&str]) -> PairGenerator {
    let config = config(overrides);
    let scene = SceneSource::parse("procedural:3").unwrap().load(&config.scene).unwrap();
    let navmesh = Arc::new(NavMesh::build(&scene, &config.navmesh).unwrap());
    PairGenerator::new(gpu, &scene, navmesh, config.generator(), 11).unwrap()
}

fn positions(generator: &PairGenerator) -> Vec<Position> {
    (0..4).map(|index| generator.position(index).unwrap()).collect()
}

fn kept(positions: &[Position]) -> Vec<&ViewPair> {
    let pairs = positions.iter().filter_map(|position| match &position.outcome {
        Outcome::Kept(pair) => Some(&**pair),
        Outcome::Refused(_) => None,
    });
    let pairs: Vec<_> = pairs.collect();
    assert!(!pairs.is_empty(), "no position gave a pair");
    pairs
}

fn in_range(overlap: f64) -> bool {
    overlap > 0.5 && overlap < 0.75
}

/// The twin: every candidate by brute force, the smallest in range, first in loop order.
#[test]
fn geometry_keeps_the_smallest_true_covisibility_in_range() {
    let Some(gpu) = common::gpu() else { return };
    let overrides = [
        "select.select_by=geometry",
        "select.min_laplacian_variance=0",
        "select.check_covisibility=false",
    ];
    let generator = generator(&gpu, &overrides);
    let truth = config(&overrides).truth;
    for position in positions(&generator) {
        let (_, views) = generator.sweep_views(position.index).unwrap().unwrap();
        let holes: Vec<bool> = views.iter().map(|v| v.depth.valid_fraction() < 0.9).collect();
        let mut best: Option<(f64, usize, usize)> = None;
        for i in 0..VIEWS_PER_STOP {
            for j in VIEWS_PER_STOP..views.len() {
                let overlap = covisibility(&views[i], &views[j], &truth).min();
                if !holes[i] && !holes[j] && in_range(overlap) && best.is_none_or(|(least, ..)| overlap < least) {
                    best = Some((overlap, i, j));
                }
            }
        }
        match position.outcome {
            Outcome::Kept(pair) => {
                let (overlap, i, j) = best.unwrap();
                assert_eq!(pair.origin.views, [i as u32, j as u32]);
                assert_eq!(pair.overlaps.covisibility.unwrap().min(), overlap);
                assert_eq!(pair.overlaps.homography, None, "no features are computed");
                assert_eq!(pair.correspondence, pair.true_correspondence);
                assert!(!pair.correspondence.patches.is_empty());
            }
            Outcome::Refused(reason) => assert_eq!(best, None, "refused as {reason}"),
        }
    }
}

#[test]
fn patch_truth_and_croco_decide_by_their_own_value() {
    let Some(gpu) = common::gpu() else { return };
    let by_patches = positions(&generator(&gpu, &["select.select_by=patch_truth"]));
    for pair in kept(&by_patches) {
        let truth = geometric_overlap(&pair.first, &pair.second, &config(&[]).truth);
        assert!(in_range(truth.patches.min()));
        assert_eq!(pair.overlaps.patch_truth, Some(truth.patches));
        assert_eq!(pair.overlaps.croco, None);
    }
    let by_croco = positions(&generator(&gpu, &["select.select_by=croco"]));
    for pair in kept(&by_croco) {
        let overlap = croco_covisibility(&pair.first, &pair.second, CROCO_RADIUS_M);
        assert!(in_range(overlap.min()));
        assert_eq!(pair.overlaps.croco, Some(overlap));
    }
}

#[test]
fn a_list_asks_for_all_of_its_measures() {
    let Some(gpu) = common::gpu() else { return };
    let both = ["select.select_by=[\"homography\", \"geometry\"]"];
    assert_eq!(
        config(&both).select.select_by,
        SelectBy::All(vec![SelectMeasure::Homography, SelectMeasure::Geometry])
    );
    let positions_both = positions(&generator(&gpu, &both));
    let mut refused = 0;
    for pair in kept(&positions_both) {
        assert!(in_range(pair.overlaps.homography.unwrap().min()));
        assert!(in_range(pair.overlaps.covisibility.unwrap().min()));
    }
    for position in &positions_both {
        refused += position.refused.get("geometry_low").unwrap_or(&0);
        refused += position.refused.get("geometry_high").unwrap_or(&0);
    }
    assert!(
        refused > 0,
        "the published filter never erred on this flat, which it does"
    );
}

#[test]
fn other_measures_are_recorded_when_asked_and_change_nothing() {
    let Some(gpu) = common::gpu() else { return };
    let plain = positions(&generator(&gpu, &[]));
    let more = positions(&generator(&gpu, &["select.also_measure=[\"croco\"]"]));
    for (a, b) in kept(&plain).iter().zip(kept(&more)) {
        assert_eq!(a.origin.views, b.origin.views);
        assert_eq!(a.overlaps.homography, b.overlaps.homography);
        assert_eq!(a.overlaps.croco, None);
        assert!(b.overlaps.croco.unwrap().min() > 0.0);
    }
    let geometry = "select.select_by=geometry";
    let recorded = positions(&generator(&gpu, &[geometry, "select.also_measure=[\"homography\"]"]));
    let without = positions(&generator(&gpu, &[geometry]));
    let views = |positions: &[Position]| -> Vec<[u32; 2]> { kept(positions).iter().map(|p| p.origin.views).collect() };
    assert_eq!(views(&recorded), views(&without));
    assert!(kept(&recorded).iter().any(|pair| pair.overlaps.homography.is_some()));
}

#[test]
fn wrong_measures_are_refused_by_name() {
    let message = |item: &str| {
        let error = Config::load("covista", None, &[item.to_owned()]).unwrap_err();
        error.to_string()
    };
    let wrong = message("select.select_by=geometri");
    assert!(wrong.contains("select_by") && wrong.contains("geometry"), "{wrong}");
    let twice = message("select.select_by=[\"croco\", \"croco\"]");
    assert!(twice.contains("select_by"), "{twice}");
    assert!(message("select.select_by=[]").contains("select_by"));
    assert!(message("select.select_by=3").contains("homography, geometry"));
}

/// The twin: all pairs of views without holes, in the order of the position's own stream.
#[test]
fn random_keeps_any_pair_that_passes_the_gates_of_single_views() {
    let Some(gpu) = common::gpu() else { return };
    let overrides = [
        "select.choose=random",
        "select.min_laplacian_variance=0",
        "select.min_valid_fraction=0.9",
        "select.check_covisibility=true",
        "select.min_covisibility=0.9",
    ];
    let generator = generator(&gpu, &overrides);
    let scene = SceneSource::parse("procedural:3").unwrap();
    let scene = scene.load(&config(&[]).scene).unwrap();
    let mut outside = 0;
    for position in positions(&generator) {
        let (_, views) = generator.sweep_views(position.index).unwrap().unwrap();
        let whole: Vec<bool> = views.iter().map(|v| v.depth.valid_fraction() >= 0.9).collect();
        let mut admitted = Vec::new();
        for i in 0..VIEWS_PER_STOP {
            for j in VIEWS_PER_STOP..views.len() {
                if whole[i] && whole[j] {
                    admitted.push([i as u32, j as u32]);
                }
            }
        }
        assert_eq!(
            *position.refused.get("holes").unwrap_or(&0),
            128 - admitted.len() as u64
        );
        Rng::stream(11, "choose", &[scene.hash_word(), position.index]).shuffle(&mut admitted);
        let Outcome::Kept(pair) = position.outcome else {
            panic!("a flat has pairs without holes");
        };
        assert_eq!(pair.origin.views, admitted[0]);
        assert_eq!(pair.correspondence, pair.true_correspondence);
        outside += usize::from(!in_range(pair.overlaps.covisibility.unwrap().min()));
    }
    assert!(
        outside > 0,
        "no range applies, and most pairs of a sweep lie outside of it"
    );
}

#[test]
fn chance_needs_candidates() {
    let overrides = ["select.choose=random", "sampler.kind=croco"].map(str::to_owned);
    let wrong = Config::load("covista", None, &overrides).unwrap_err().to_string();
    assert!(wrong.contains("choose") && wrong.contains("sweep"), "{wrong}");
}
