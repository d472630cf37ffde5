//! A candidate pair with everything that is known of it.

use serde::{Deserialize, Serialize};

use crate::select::Bounds;
use crate::view::Overlap;

/// What names a pair: the key columns of every table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PairKey {
    /// Name of the scene.
    pub scene: String,
    /// Seed of the run.
    pub seed: u64,
    /// Sample index of the position.
    pub index: u64,
    /// Place of the first view in the sweep's capture order, 0 to 7.
    pub first: u32,
    /// Place of the second view, 8 to 23.
    pub second: u32,
}

impl std::fmt::Display for PairKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            scene,
            seed,
            index,
            first,
            second,
        } = self;
        write!(
            f,
            "scene {scene}, seed {seed}, index {index}, first {first}, second {second}"
        )
    }
}

/// Where a view was taken: sweeps look level, so this is the whole pose.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pose {
    /// Camera centre, world metres.
    pub eye: [f64; 3],
    /// To the right of world -Z, degrees in [0, 360).
    pub heading_deg: f64,
}

/// What depth and pose say. Formulas: [`crate::overlap::PairGeometry`].
#[derive(Debug, Clone, PartialEq)]
pub struct Truth {
    /// Pixel covisibility with occlusion.
    pub covisibility: Overlap,
    /// Intersection over union of the visible surface.
    pub iou: f64,
    /// The published patch rule on true correspondences.
    pub patches: Overlap,
    /// CroCo's 5 cm rule.
    pub croco: Overlap,
    /// Share of pixels that project into the other image and are hidden there.
    pub hidden: Overlap,
    /// The published rule with the homography of true correspondences, smaller direction.
    pub ideal_homography: Option<f64>,
    /// Mean angle between the two rays to common points, degrees.
    pub angle_deg: Option<f64>,
    /// Distance of the eyes, metres.
    pub baseline_m: f64,
    /// Mean depth of what both see, metres.
    pub mean_depth_m: Option<f64>,
    /// Largest share of it in one plane.
    pub planarity: Option<f64>,
}

/// What a metric says of a pair.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reading {
    /// Both directions, where the metric tells them.
    pub both: Option<Overlap>,
    /// The overlap that decides, in [0, 1]; `None` where the metric has no answer.
    pub overlap: Option<f64>,
    /// Why the pair is not kept; empty for a kept one.
    pub refusal: String,
    /// Matches and inliers, where the metric tells them.
    pub matches: Option<u32>,
    /// Matches that agree with the homography.
    pub inliers: Option<u32>,
    /// Whether it is the pair that the position would give: the smallest overlap of the kept ones.
    pub chosen: bool,
    /// How its patch partners fare; `None` where it tells none.
    pub partners: Option<PartnerScore>,
}

impl Reading {
    /// Whether the filter keeps the pair: overlap in range, both views textured enough.
    pub fn kept(&self) -> bool {
        self.overlap.is_some() && self.refusal.is_empty()
    }
}

/// Patch partners held against the truth (rule: [`super::score_partners`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PartnerScore {
    /// The true partner.
    pub right: u32,
    /// One of its eight neighbours.
    pub near: u32,
    /// Another patch.
    pub wrong: u32,
    /// The patch has no true partner: most of it is outside or hidden in the other view.
    pub no_partner: u32,
}

impl PartnerScore {
    /// All partners that were judged.
    pub fn total(&self) -> u32 {
        self.right + self.near + self.wrong + self.no_partner
    }
}

/// A candidate pair.
#[derive(Debug, Clone, PartialEq)]
pub struct PairRow {
    /// Its name.
    pub key: PairKey,
    /// Poses of both views.
    pub poses: [Pose; 2],
    /// Variance of the Laplacian of both views, grey levels squared.
    pub texture: [f64; 2],
    /// Share of pixels with a surface in both views.
    pub valid: [f64; 2],
    /// What geometry says.
    pub truth: Truth,
    /// What each metric says, in the order of [`Table::metrics`].
    pub readings: Vec<Reading>,
}

/// The rule by which a metric's numbers keep a pair.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricRule {
    /// Name of the metric: the profile that configures it, or what an external table calls it.
    pub name: String,
    /// Lower end of the range, fraction.
    pub min_overlap: f64,
    /// Upper end of the range, fraction.
    pub max_overlap: f64,
    /// Whether the ends belong to the range.
    pub bounds: Bounds,
    /// Variance of the Laplacian that both views need, grey levels squared; 0 for none.
    pub min_laplacian_variance: f64,
}

impl MetricRule {
    /// Whether a value lies in the range.
    pub fn contains(&self, value: f64) -> bool {
        match self.bounds {
            Bounds::Strict => value > self.min_overlap && value < self.max_overlap,
            Bounds::Inclusive => value >= self.min_overlap && value <= self.max_overlap,
        }
    }

    /// Middle of the range.
    pub fn centre(&self) -> f64 {
        0.5 * (self.min_overlap + self.max_overlap)
    }

    /// Why a pair is not kept, as a stable snake_case name; empty where it is kept.
    ///
    /// `unanswered` is the reason of a metric without an answer.
    pub fn refusal(&self, overlap: Option<f64>, texture: [f64; 2], unanswered: &str) -> String {
        let reason = match overlap {
            _ if texture[0].min(texture[1]) < self.min_laplacian_variance => "textureless",
            None => unanswered,
            Some(v) if self.contains(v) => "",
            Some(v) if v < self.centre() => "overlap_low",
            Some(_) => "overlap_high",
        };
        reason.to_owned()
    }
}

/// All candidate pairs of a run, and the metrics that were asked.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// Names and rules, in the order of each row's readings.
    pub metrics: Vec<MetricRule>,
    /// Pairs by scene, position and views, in the order in which they were measured.
    pub rows: Vec<PairRow>,
}

/// Marks, of each position, the kept pair of smallest overlap; the first of equal ones. `rows` are those of one
/// position, `metric` is the place of the reading.
pub fn mark_chosen(rows: &mut [PairRow], metric: usize) {
    let kept = rows.iter().enumerate().filter(|(_, row)| row.readings[metric].kept());
    let overlap = |row: &PairRow| row.readings[metric].overlap.unwrap_or(f64::INFINITY);
    let best = kept
        .min_by(|a, b| overlap(a.1).total_cmp(&overlap(b.1)))
        .map(|(place, _)| place);
    for (place, row) in rows.iter_mut().enumerate() {
        row.readings[metric].chosen = Some(place) == best;
    }
}
