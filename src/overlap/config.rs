//! Settings of the image-only overlap metric.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::patch_votes::PATCH_PIXELS;
use crate::features::ransac::RansacConfig;
use crate::features::sift::SiftParams;

/// Which pixels of a patch vote, and how partners are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VoteRule {
    /// Random pixels, drawn with replacement (the published rule): the metric varies by 1-2 points near ties. Views
    /// shifted by (8, 8) pixels, which overlap by 93 %, get 60 %.
    Sampled,
    /// All 256, without randomness: 86 % for the same shift, because ties are broken the same way everywhere.
    Exact,
    /// All 256, partners by an assignment over all votes: 93 % for the same shift, one-to-one all the same.
    PhaseFree,
}

/// What the overlap is a share of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Patches with a partner (the published rule), or their pixels under `phase_free`.
    Patches,
    /// Pixels that land inside the other view. Patch partners are found by the rule of `votes` all the same.
    Area,
}

/// The published metric and its options. The default is the profile `covista`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HomographyOverlapConfig {
    /// Keypoints and descriptors.
    pub sift: SiftParams,
    /// Nearest neighbour must be closer than this share of the second nearest, in (0, 1]; default 0.7.
    pub ratio: f64,
    /// Whether a match must be the nearest neighbour both ways; default false (published: false).
    pub mutual: bool,
    /// Matches needed before a homography is tried, 4 to 10,000; default 11 (published: more than 10).
    pub min_matches: usize,
    /// The homography.
    pub ransac: RansacConfig,
    /// Whether a homography that no camera motion over a plane could cause is refused; default true (published: false).
    pub refuse_distorted: bool,
    /// Which pixels of a patch vote, `sampled`, `exact` or `phase_free`; default `sampled`.
    pub votes: VoteRule,
    /// How far beyond the convex hull of the inliers a patch may lie and still have a partner, pixels, 0 to 1000;
    /// default 48 (published: no such rule, 1000). A homography knows nothing of surfaces without matches: over ten
    /// sets of views the mean error against the true patches falls from 16 to 10 points and the share of kept pairs
    /// that truly overlap 50-75 % rises from 19 to 46 %, while fewer of the true ones are kept (44 against 72 %).
    pub support_reach_px: f64,
    /// What the overlap is a share of, `patches` or `area`; default `patches`.
    pub measure: Measure,
    /// Pixels drawn from each patch under `sampled`, 1 to 256; default 100.
    pub samples: usize,
}

impl Default for HomographyOverlapConfig {
    fn default() -> Self {
        Self {
            sift: SiftParams::default(),
            ratio: 0.7,
            mutual: false,
            min_matches: 11,
            ransac: RansacConfig::default(),
            refuse_distorted: true,
            votes: VoteRule::Sampled,
            support_reach_px: 48.0,
            measure: Measure::Patches,
            samples: 100,
        }
    }
}

impl HomographyOverlapConfig {
    /// Checks every range.
    pub fn validate(&self) -> Result<(), String> {
        self.sift.validate()?;
        self.ransac.validate()?;
        if !(self.ratio > 0.0 && self.ratio <= 1.0) {
            return Err(format!("ratio = {} must lie above 0 and at most at 1", self.ratio));
        }
        if !(4..=10_000).contains(&self.min_matches) {
            return Err(format!("min_matches = {} must lie in 4 to 10000", self.min_matches));
        }
        if !(0.0..=1000.0).contains(&self.support_reach_px) {
            return Err(format!(
                "support_reach_px = {} must lie in 0 to 1000",
                self.support_reach_px
            ));
        }
        if !(1..=PATCH_PIXELS).contains(&self.samples) {
            return Err(format!("samples = {} must lie in 1 to {PATCH_PIXELS}", self.samples));
        }
        Ok(())
    }
}
