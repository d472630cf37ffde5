//! The measures of a position: known answers for views that differ by a rotation alone, and the numbers that `generate`
//! keeps.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod common;

use std::sync::Arc;

use covista::generate::{GeneratorConfig, Outcome, PairGenerator};
use covista::navmesh::{NavMesh, NavMeshConfig};
use covista::overlap::HomographyOverlapConfig;
use covista::rng::Rng;
use covista::scene::{Scene, SceneConfig, SceneSource};
use covista::select::SelectConfig;
use covista::sweep::VIEWS_PER_STOP;
use covista::validate::{JudgedMetric, MeasuredPair, Measurement, MetricRule, PositionKey};

const SEED: u64 = 4;

fn config(step_m: [f64; 2]) -> GeneratorConfig {
    let mut config = GeneratorConfig::default();
    config.sweep.min_island_radius_m = 1.0;
    [config.sweep.step_min_m, config.sweep.step_max_m] = step_m;
    config.select.min_laplacian_variance = 200.0;
    config.select.min_valid_fraction = 0.0;
    config.select.check_covisibility = false;
    config
}

fn generator(scene: &Scene, config: &GeneratorConfig) -> Option<PairGenerator> {
    let gpu = common::gpu()?;
    let navmesh = Arc::new(NavMesh::build(scene, &NavMeshConfig::default()).unwrap());
    Some(PairGenerator::new(&gpu, scene, navmesh, config.clone(), SEED).unwrap())
}

fn flat() -> Scene {
    SceneSource::Procedural(3).load(&SceneConfig::default()).unwrap()
}

fn measure(
    scene: &Scene,
    generator: &PairGenerator,
    config: &GeneratorConfig,
    overlap: &HomographyOverlapConfig,
    index: u64,
) -> Vec<MeasuredPair> {
    let (_, views) = generator.sweep_views(index).unwrap().unwrap();
    let select: &SelectConfig = &config.select;
    let measurement = Measurement {
        metrics: vec![JudgedMetric {
            rule: MetricRule {
                name: "covista".into(),
                min_overlap: select.min_overlap,
                max_overlap: select.max_overlap,
                bounds: select.bounds,
                min_laplacian_variance: select.min_laplacian_variance,
            },
            overlap: overlap.clone(),
        }],
        truth: config.truth.clone(),
    };
    let key = PositionKey {
        scene: scene.name.clone(),
        seed: SEED,
        index,
        votes_seed: Rng::stream(SEED, "votes", &[scene.hash_word(), index]).next_u64(),
    };
    measurement.position(&key, &views, VIEWS_PER_STOP)
}

#[test]
fn views_that_turn_on_the_spot_are_a_homography_apart() {
    let (scene, config) = (flat(), config([0.0, 0.0]));
    let Some(generator) = generator(&scene, &config) else {
        return;
    };
    // Every patch votes: compared is the model, not how far its matches speak for it.
    let every_patch = HomographyOverlapConfig {
        support_reach_px: 1000.0,
        ..HomographyOverlapConfig::default()
    };
    let (mut shared, mut answered, mut apart) = (0, 0, 0.0);
    for index in 0..3 {
        for MeasuredPair { row, .. } in measure(&scene, &generator, &config, &every_patch, index) {
            let (truth, reading) = (&row.truth, &row.readings[0]);
            assert!(
                truth.baseline_m < 1e-9 && truth.angle_deg.unwrap_or(0.0) < 1e-3,
                "{}",
                row.key
            );
            // Only pixels on silhouettes, which show another surface than the one they are carried to, look hidden.
            assert!(truth.hidden.first_to_second < 0.03, "{}: {:?}", row.key, truth.hidden);
            if truth.covisibility.min() > 0.2 {
                shared += 1;
                // The model has no error, so the rule with perfect matches is the patch truth.
                let ideal = truth.ideal_homography.unwrap();
                assert!(
                    (ideal - truth.patches.min()).abs() < 0.04,
                    "{}: {ideal}, {:?}",
                    row.key,
                    truth.patches
                );
            }
            if let (Some(overlap), Some(20..)) = (reading.overlap, reading.inliers) {
                answered += 1;
                apart += (overlap - truth.patches.min()).abs();
                let score = reading.partners.unwrap();
                let found = f64::from(score.right + score.near);
                assert!(found > 0.85 * f64::from(score.total()), "{}: {score:?}", row.key);
            }
        }
    }
    assert!(
        shared > 20 && answered > 20,
        "{shared} pairs share something, {answered} are answered"
    );
    let apart = apart / f64::from(answered);
    println!("{answered} answered pairs, mean distance of metric and patch truth {apart:.4}");
    assert!(apart < 0.05, "{apart}");
}

#[test]
fn the_numbers_are_those_of_the_pairs_that_generate_keeps() {
    let (scene, config) = (flat(), config([0.5, 1.0]));
    let Some(generator) = generator(&scene, &config) else {
        return;
    };
    let mut kept = 0;
    for index in 0..3 {
        let pairs = measure(&scene, &generator, &config, &HomographyOverlapConfig::default(), index);
        assert_eq!(pairs.len(), 8 * 16);
        let chosen = pairs.iter().find(|pair| pair.row.readings[0].chosen);
        let Outcome::Kept(pair) = generator.position(index).unwrap().outcome else {
            assert!(chosen.is_none(), "position {index}");
            continue;
        };
        kept += 1;
        let MeasuredPair {
            row,
            true_partners,
            partners,
        } = chosen.unwrap();
        assert_eq!([row.key.first, row.key.second], pair.origin.views);
        assert_eq!(row.readings[0].both, pair.overlaps.homography);
        assert_eq!(Some(row.truth.covisibility), pair.overlaps.covisibility);
        assert_eq!(Some(row.truth.patches), pair.overlaps.patch_truth);
        assert_eq!(*true_partners, pair.true_correspondence);
        assert_eq!(partners[0], pair.correspondence);
    }
    assert!(kept > 0, "no position gave a pair");
}
