//! Covista's own estimator: every keypoint counts once, the best samples are polished, the best polish wins.
//!
//! A soft truncated score after Torr and Zisserman's MSAC (2000), and local optimisation after Chum, Matas
//! and Kittler's LO-RANSAC (2003), here by iteratively reweighted least squares. Several different samples
//! are polished to the same few optima, so the result depends little on which samples were drawn.

use super::super::Level;
use super::super::homography::{Homography, PointPair, from_four};
use super::conditioned::Conditioned;
use super::opencv::needed_samples;
use super::polish::polish;
use super::sampling::Sampler;
use super::score::{Columns, Limits, Score};
use super::{Estimate, RansacConfig};

/// Samples drawn at least, however many inliers there are.
const LEAST_SAMPLES: u32 = 300;
/// Samples that are polished.
const FINALISTS: usize = 10;

pub(super) fn estimate(level: Level, pairs: &[PointPair], config: &RansacConfig, seed: u64) -> Option<Estimate> {
    let conditioned = Conditioned::of(pairs)?;
    let near = conditioned.pairs(pairs);
    let columns = Columns::each_keypoint_once(level, &near);
    let limits = Limits::soft(conditioned.scaled(config.threshold_px));
    let mut best: Option<(Homography, Score)> = None;
    for (model, score) in finalists(&columns, &near, config, limits, seed) {
        let polished = polish(&columns, model, score, limits);
        if best.is_none_or(|(_, so_far)| polished.1.quality > so_far.quality) {
            best = Some(polished);
        }
    }
    let (model, _) = best?;
    Some(Estimate {
        inliers: columns.inliers(&model, limits),
        homography: conditioned.undo(&model),
    })
}

/// The best models of random samples, best first. A model that no fifth pair supports is none.
fn finalists(
    columns: &Columns,
    pairs: &[PointPair],
    config: &RansacConfig,
    limits: Limits,
    seed: u64,
) -> Vec<(Homography, Score)> {
    let mut sampler = Sampler::new(config.draws, seed);
    let mut best: Vec<(Homography, Score)> = Vec::with_capacity(FINALISTS + 1);
    let (mut iteration, mut limit, mut most) = (0, config.max_iterations, 4);
    while iteration < limit {
        iteration += 1;
        let Some(sample) = sampler.sample(pairs) else {
            break;
        };
        let Some(model) = from_four(&sample) else {
            continue;
        };
        let score = columns.score(&model, limits);
        if score.inliers > most {
            most = score.inliers;
            let outliers = 1.0 - f64::from(most) / pairs.len() as f64;
            let least = LEAST_SAMPLES.min(config.max_iterations);
            limit = needed_samples(config.confidence, outliers, config.max_iterations).max(least);
        }
        if score.inliers <= 4
            || best
                .get(FINALISTS - 1)
                .is_some_and(|(_, last)| last.quality >= score.quality)
        {
            continue;
        }
        let beaten = best
            .iter()
            .take_while(|(_, other)| other.quality >= score.quality)
            .count();
        // The same four pairs in another order are no other model.
        if beaten == 0 || best[beaten - 1].1.quality > score.quality {
            best.insert(beaten, (model, score));
            best.truncate(FINALISTS);
        }
    }
    best
}
