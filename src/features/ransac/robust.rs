//! Covista's own estimator: MSAC scoring, local optimisation, adaptive stop.
//!
//! After Torr and Zisserman's MSAC (2000) and the locally optimised RANSAC of Chum, Matas and
//! Kittler (2003): every sample that beats the best so far is polished by alternating least squares
//! and reselection with a shrinking threshold, so that the result depends little on which of the
//! good samples came first.

use super::super::Level;
use super::super::homography::{Homography, PointPair, fit, from_four, refine};
use super::opencv::needed_samples;
use super::sampling::Sampler;
use super::score::{Columns, Score, chosen};
use super::{Estimate, RansacConfig};

/// Rounds of reselection and refit of one local optimisation.
const ROUNDS: usize = 4;
/// Samples drawn at least, however many inliers there are.
const LEAST_SAMPLES: u32 = 200;
/// Samples whose score reaches this share of the best unpolished one are polished too.
const NEAR: f32 = 0.9;
/// Local optimisations at most.
const MOST_POLISHED: u32 = 40;
/// Steps of the final refinement.
const REFINE_STEPS: usize = 20;

pub(super) fn estimate(level: Level, pairs: &[PointPair], config: &RansacConfig, seed: u64) -> Option<Estimate> {
    let columns = Columns::new(level, pairs);
    let threshold2 = (config.threshold_px * config.threshold_px) as f32;
    let mut sampler = Sampler::new(seed);
    let mut best: Option<(Homography, Score)> = None;
    let (mut highest, mut polished) = (0.0f32, 0);
    let (mut iteration, mut limit) = (0, config.max_iterations);
    while iteration < limit {
        iteration += 1;
        let Some(sample) = sampler.sample(pairs) else {
            break;
        };
        let Some(model) = from_four(&sample) else {
            continue;
        };
        let score = columns.score(&model, threshold2);
        let promising = score.quality > highest || (score.quality > NEAR * highest && polished < MOST_POLISHED);
        if score.inliers <= 4 || !promising {
            continue;
        }
        highest = highest.max(score.quality);
        polished += 1;
        let (model, score) = polish(&columns, pairs, model, score, threshold2);
        if best.is_none_or(|(_, so_far)| score.quality > so_far.quality) {
            best = Some((model, score));
            let outliers = 1.0 - f64::from(score.inliers) / pairs.len() as f64;
            let least = LEAST_SAMPLES.min(config.max_iterations);
            limit = needed_samples(config.confidence, outliers, config.max_iterations).max(least);
        }
    }
    let (model, score) = best?;
    let support = chosen(pairs, &columns.inliers(&model, threshold2));
    let refined = refine(&model, &support, REFINE_STEPS);
    let better = columns.score(&refined, threshold2).quality >= score.quality;
    let homography = if better { refined } else { model };
    Some(Estimate {
        inliers: columns.inliers(&homography, threshold2),
        homography,
    })
}

/// Refits to its own inliers, from a wide threshold to the true one, and keeps the best model met.
fn polish(
    columns: &Columns,
    pairs: &[PointPair],
    model: Homography,
    score: Score,
    threshold2: f32,
) -> (Homography, Score) {
    let mut best = (model, score);
    let mut current = model;
    for round in 0..ROUNDS {
        let wide = threshold2 * [2.25, 1.5, 1.0, 1.0][round.min(3)];
        let support = chosen(pairs, &columns.inliers(&current, wide));
        let Some(next) = fit(&support) else {
            break;
        };
        current = next;
        let score = columns.score(&current, threshold2);
        if score.quality > best.1.quality {
            best = (current, score);
        }
    }
    best
}
