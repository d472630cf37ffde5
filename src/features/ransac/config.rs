//! How the homography is estimated.

use serde::{Deserialize, Serialize};

/// Which estimator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RansacMethod {
    /// OpenCV's: uniform samples, most inliers win, one refit and ten Levenberg-Marquardt steps at the end.
    Opencv,
    /// Truncated squared error decides, every good sample is refined locally, and degenerate samples are refused.
    Robust,
}

/// Which random samples are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Draws {
    /// From the seed: the estimate is one draw of its distribution.
    Seeded,
    /// The one sequence that every call of `cv2.findHomography` draws: the seed changes nothing.
    Opencv,
}

/// Settings of the estimator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RansacConfig {
    /// Estimator; default `robust`.
    pub method: RansacMethod,
    /// Samples; default `seeded`.
    pub draws: Draws,
    /// Largest reprojection distance of an inlier in pixels of the second picture, above 0; default 5.
    pub threshold_px: f64,
    /// Samples at most, 1 to 1,000,000; default 2000.
    pub max_iterations: u32,
    /// Wanted probability of one sample without outliers, in (0, 1); default 0.995.
    pub confidence: f64,
}

impl Default for RansacConfig {
    fn default() -> Self {
        Self {
            method: RansacMethod::Robust,
            draws: Draws::Seeded,
            threshold_px: 5.0,
            max_iterations: 2000,
            confidence: 0.995,
        }
    }
}

impl RansacConfig {
    /// Refuses values outside the stated ranges.
    pub fn validate(&self) -> Result<(), String> {
        if !(self.threshold_px > 0.0 && self.threshold_px <= 1000.0) {
            return Err(format!(
                "ransac.threshold_px = {} is outside (0, 1000]",
                self.threshold_px
            ));
        }
        if !(1..=1_000_000).contains(&self.max_iterations) {
            return Err(format!(
                "ransac.max_iterations = {} is outside 1 to 1000000",
                self.max_iterations
            ));
        }
        if !(self.confidence > 0.0 && self.confidence < 1.0) {
            return Err(format!("ransac.confidence = {} is outside (0, 1)", self.confidence));
        }
        Ok(())
    }
}
