//! Covista's own estimator: MSAC scoring, local optimisation of the best samples, adaptive stop.
//!
//! After Torr and Zisserman's MSAC (2000) and the locally optimised RANSAC of Chum, Matas and
//! Kittler (2003). Samples are only scored at first; then the best of them are polished by
//! alternating reselection and refinement with a shrinking threshold, and the best polished model
//! wins. So the result depends little on which of the good samples came first.

use super::super::Level;
use super::super::homography::{Homography, PointPair, from_four, refine};
use super::opencv::needed_samples;
use super::sampling::Sampler;
use super::score::{Columns, Score, chosen};
use super::{Estimate, RansacConfig};

/// Samples drawn at least, however many inliers there are.
const LEAST_SAMPLES: u32 = 500;
/// Samples that are polished.
const FINALISTS: usize = 24;
/// Squared threshold of each round of polishing, in units of the true one.
const ROUNDS: [f32; 4] = [2.25, 1.5, 1.0, 1.0];
/// Levenberg-Marquardt steps of one round.
const ROUND_STEPS: usize = 2;
/// Steps of the final refinement.
const FINAL_STEPS: usize = 20;

pub(super) fn estimate(level: Level, pairs: &[PointPair], config: &RansacConfig, seed: u64) -> Option<Estimate> {
    let columns = Columns::new(level, pairs);
    let threshold2 = (config.threshold_px * config.threshold_px) as f32;
    let finalists = finalists(&columns, pairs, config, seed);
    let mut best: Option<(Homography, Score)> = None;
    for (model, score) in finalists {
        let polished = polish(&columns, pairs, model, score, threshold2);
        if best.is_none_or(|(_, so_far)| polished.1.quality > so_far.quality) {
            best = Some(polished);
        }
    }
    let (model, score) = best?;
    let support = chosen(pairs, &columns.inliers(&model, threshold2));
    let refined = refine(&model, &support, FINAL_STEPS);
    let better = columns.score(&refined, threshold2).quality >= score.quality;
    let homography = if better { refined } else { model };
    Some(Estimate {
        inliers: columns.inliers(&homography, threshold2),
        homography,
    })
}

/// The best models of random samples, best first. A model that no fifth pair supports is none.
fn finalists(columns: &Columns, pairs: &[PointPair], config: &RansacConfig, seed: u64) -> Vec<(Homography, Score)> {
    let threshold2 = (config.threshold_px * config.threshold_px) as f32;
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
        let score = columns.score(&model, threshold2);
        if score.inliers > most {
            most = score.inliers;
            let outliers = 1.0 - f64::from(most) / pairs.len() as f64;
            let least = LEAST_SAMPLES.min(config.max_iterations);
            limit = needed_samples(config.confidence, outliers, config.max_iterations).max(least);
        }
        let beaten = best
            .iter()
            .take_while(|(_, other)| other.quality >= score.quality)
            .count();
        if score.inliers > 4 && beaten < FINALISTS {
            best.insert(beaten, (model, score));
            best.truncate(FINALISTS);
        }
    }
    best
}

/// Refines to its own inliers, from a wide threshold to the true one, and keeps the best model met.
fn polish(
    columns: &Columns,
    pairs: &[PointPair],
    model: Homography,
    score: Score,
    threshold2: f32,
) -> (Homography, Score) {
    let mut best = (model, score);
    let mut current = model;
    for width in ROUNDS {
        let support = chosen(pairs, &columns.inliers(&current, threshold2 * width));
        if support.len() <= 4 {
            break;
        }
        current = refine(&current, &support, ROUND_STEPS);
        let score = columns.score(&current, threshold2);
        if score.quality > best.1.quality {
            best = (current, score);
        }
    }
    best
}
