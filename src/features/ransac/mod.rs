//! Homographies from matches that are partly wrong, by random samples.
//!
//! [`RansacMethod::Opencv`] follows `cv2.findHomography(RANSAC)`, so that the published metric keeps
//! its distribution; [`RansacMethod::Robust`] is the steadier estimator of Covista's own profile.

mod conditioned;
mod config;
mod opencv;
mod polish;
mod robust;
mod sampling;
mod score;

pub use config::{Draws, RansacConfig, RansacMethod};

use super::Level;
use super::homography::{Homography, PointPair};

/// A homography and the pairs that agree with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// First picture to second, last element 1.
    pub homography: Homography,
    /// Per pair: whether it lies within the threshold of the refined homography.
    pub inliers: Vec<bool>,
}

impl Estimate {
    /// How many pairs agree.
    pub fn inlier_count(&self) -> usize {
        self.inliers.iter().filter(|&&inlier| inlier).count()
    }
}

/// Estimates the homography of `pairs`; the same `seed` gives the same result.
///
/// `None` when there are fewer than four pairs or no sample gives a model.
pub fn estimate(level: Level, pairs: &[PointPair], config: &RansacConfig, seed: u64) -> Option<Estimate> {
    if pairs.len() < 4 {
        return None;
    }
    match config.method {
        RansacMethod::Opencv => opencv::estimate(level, pairs, config, seed),
        RansacMethod::Robust => robust::estimate(level, pairs, config, seed),
    }
}

#[cfg(test)]
mod tests;
