//! The estimator of `cv2.findHomography(RANSAC)`, draws apart.

use super::super::Level;
use super::super::homography::{PointPair, fit, from_four, refine_fletcher};
use super::sampling::Sampler;
use super::score::{Columns, Limits, chosen};
use super::{Estimate, RansacConfig};

/// Steps of the final refinement.
const REFINE_STEPS: usize = 10;

pub(super) fn estimate(level: Level, pairs: &[PointPair], config: &RansacConfig, seed: u64) -> Option<Estimate> {
    let columns = Columns::new(level, pairs);
    let limits = Limits::hard(config.threshold_px);
    if let Ok(four) = <&[PointPair; 4]>::try_from(pairs) {
        let homography = from_four(four)?;
        return Some(Estimate {
            homography,
            inliers: vec![true; 4],
        });
    }
    let mut sampler = Sampler::new(config.draws, seed);
    let (mut best, mut most) = (None, 3);
    let (mut iteration, mut limit) = (0, config.max_iterations);
    while iteration < limit {
        iteration += 1;
        let Some(sample) = sampler.sample(pairs) else {
            break;
        };
        let Some(model) = from_four(&sample) else {
            continue;
        };
        let inliers = columns.score(&model, limits).inliers;
        if inliers > most {
            (best, most) = (Some(model), inliers);
            let outliers = 1.0 - f64::from(inliers) / pairs.len() as f64;
            limit = needed_samples(config.confidence, outliers, limit);
        }
    }
    let inliers = columns.inliers(&best?, limits);
    let support = chosen(pairs, &inliers);
    let homography = refine_fletcher(&fit(&support).or(best)?, &support, REFINE_STEPS);
    Some(Estimate {
        inliers: columns.inliers(&homography, limits),
        homography,
    })
}

/// Samples after which one without outliers has been seen with the wanted probability, at most `limit`.
pub(super) fn needed_samples(confidence: f64, outliers: f64, limit: u32) -> u32 {
    let miss = (1.0 - confidence.clamp(0.0, 1.0)).max(f64::MIN_POSITIVE);
    let share = 1.0 - outliers.clamp(0.0, 1.0);
    let bad = 1.0 - share * share * share * share;
    if bad < f64::MIN_POSITIVE {
        return 0;
    }
    let (miss, bad) = (libm::log(miss), libm::log(bad));
    if bad >= 0.0 || -miss >= f64::from(limit) * -bad {
        limit
    } else {
        (miss / bad).round_ties_even() as u32
    }
}
