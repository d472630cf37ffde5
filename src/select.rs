//! Which of the candidate pairs of a sweep to keep, and why the others were refused.
//!
//! Candidates are all pairs of a view of the first list and one of the second. Of those whose overlap
//! lies in range, the smallest overlap wins; of equal ones the first in the released loop order (each
//! view of the first list against the second list in capture order).

use std::collections::BTreeMap;

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::overlap::Refusal;
use crate::overlap::{HomographyOverlap, HomographyOverlapConfig, ViewFeatures, homography_overlap};
use crate::rng::Rng;
use crate::view::{Correspondence, Overlap};

/// Whether the ends of the range belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Bounds {
    /// `min < overlap < max`, as the released code compares.
    Strict,
    /// `min <= overlap <= max`, as the released street-view script does.
    Inclusive,
}

/// Which pairs are kept. The default is the profile `covista`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SelectConfig {
    /// Smallest overlap of a kept pair, fraction, 0 to 1; default 0.5.
    pub min_overlap: f64,
    /// Largest overlap of a kept pair, fraction, `min_overlap` to 1; default 0.75 (supplement 2.1 for 3D scenes: 0.7).
    pub max_overlap: f64,
    /// Whether the ends belong to the range; default `strict`.
    pub bounds: Bounds,
    /// Variance of the Laplacian below which a view is refused, grey levels squared, 0 to 100,000; default 1000.
    pub min_laplacian_variance: f64,
    /// Share of pixels that must show a surface, 0 to 1; default 0.9 (published: no such check, 0).
    pub min_valid_fraction: f64,
    /// Whether the true pixel covisibility of a pair must lie within bounds as well; default true (published: false).
    pub check_covisibility: bool,
    /// Smallest true covisibility of a kept pair, fraction, 0 to 1; default 0.3.
    pub min_covisibility: f64,
    /// Largest true covisibility of a kept pair, fraction, `min_covisibility` to 1; default 0.95.
    pub max_covisibility: f64,
}

impl Default for SelectConfig {
    fn default() -> Self {
        Self {
            min_overlap: 0.5,
            max_overlap: 0.75,
            bounds: Bounds::Strict,
            min_laplacian_variance: 1000.0,
            min_valid_fraction: 0.9,
            check_covisibility: true,
            min_covisibility: 0.3,
            max_covisibility: 0.95,
        }
    }
}

impl SelectConfig {
    /// Checks every range.
    pub fn validate(&self) -> Result<(), String> {
        let check = |name: &str, value: f64, low: f64, high: f64| {
            if value >= low && value <= high {
                Ok(())
            } else {
                Err(format!("{name} = {value} must lie in {low} to {high}"))
            }
        };
        check("min_overlap", self.min_overlap, 0.0, 1.0)?;
        check("max_overlap", self.max_overlap, self.min_overlap, 1.0)?;
        check("min_laplacian_variance", self.min_laplacian_variance, 0.0, 1e5)?;
        check("min_valid_fraction", self.min_valid_fraction, 0.0, 1.0)?;
        check("min_covisibility", self.min_covisibility, 0.0, 1.0)?;
        check("max_covisibility", self.max_covisibility, self.min_covisibility, 1.0)
    }

    /// The range of true covisibility, both ends included, if it is checked at all.
    pub fn covisibility_bounds(&self) -> Option<(f64, f64)> {
        self.check_covisibility
            .then_some((self.min_covisibility, self.max_covisibility))
    }

    /// Why an overlap is out of range, if it is.
    pub fn refusal_of(&self, overlap: f64) -> Option<Refusal> {
        let (low, high) = match self.bounds {
            Bounds::Strict => (overlap <= self.min_overlap, overlap >= self.max_overlap),
            Bounds::Inclusive => (overlap < self.min_overlap, overlap > self.max_overlap),
        };
        match (low, high) {
            (true, _) => Some(Refusal::OverlapLow),
            (_, true) => Some(Refusal::OverlapHigh),
            _ => None,
        }
    }
}

/// A pair in range.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Place in the first list.
    pub first: usize,
    /// Place in the second list.
    pub second: usize,
    /// Share of common patches, both ways.
    pub overlap: Overlap,
    /// Patch partners.
    pub correspondence: Correspondence,
}

/// The outcome of all candidates.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Selection {
    /// `[first list][second list]`: the smaller direction, `None` where there is no homography or it was not measured.
    pub overlaps: Vec<Vec<Option<f64>>>,
    /// Candidates in range, smallest overlap first; ties in loop order. The first one is the choice.
    pub in_range: Vec<Candidate>,
    /// How many candidates were refused, by reason.
    pub refused: BTreeMap<&'static str, u64>,
}

impl Selection {
    /// The pair to keep.
    pub fn best(&self) -> Option<&Candidate> {
        self.in_range.first()
    }

    /// Counts one more refusal.
    pub fn refuse(&mut self, reason: &'static str) {
        *self.refused.entry(reason).or_default() += 1;
    }

    /// The counts with owned names.
    pub fn refused_by_name(&self) -> BTreeMap<String, u64> {
        self.refused
            .iter()
            .map(|(name, &count)| ((*name).to_owned(), count))
            .collect()
    }

    /// The reason that refused most candidates; the first by name of equal ones.
    pub fn refusal_of_position(&self) -> &'static str {
        let most = self.refused.values().max();
        self.refused
            .iter()
            .find(|(_, count)| Some(*count) == most)
            .map_or("no_candidates", |(name, _)| name)
    }
}

/// Judges every pair of the two lists; pairs that a gate refuses are not measured.
///
/// `holes` marks the views (first list, then second) that show too little surface; it may be empty.
/// `seed` decides every draw: pair (i, j) has its own stream, so the result does not depend on threads.
pub fn select(
    first: &[ViewFeatures],
    second: &[ViewFeatures],
    overlap: &HomographyOverlapConfig,
    config: &SelectConfig,
    holes: &[bool],
    seed: u64,
) -> Selection {
    judge(first, second, overlap, config, holes, seed, false)
}

/// As [`select`], but measures the overlap of refused pairs too, so that the table is complete.
pub fn select_measuring_all(
    first: &[ViewFeatures],
    second: &[ViewFeatures],
    overlap: &HomographyOverlapConfig,
    config: &SelectConfig,
    seed: u64,
) -> Selection {
    judge(first, second, overlap, config, &[], seed, true)
}

fn judge(
    first: &[ViewFeatures],
    second: &[ViewFeatures],
    overlap: &HomographyOverlapConfig,
    config: &SelectConfig,
    holes: &[bool],
    seed: u64,
    measure_all: bool,
) -> Selection {
    let hole = |place: usize| holes.get(place).copied().unwrap_or(false);
    let gate = |i: usize, j: usize| {
        if hole(i) || hole(first.len() + j) {
            Some(Refusal::Holes)
        } else {
            let least = first[i].laplacian_variance.min(second[j].laplacian_variance);
            (least < config.min_laplacian_variance).then_some(Refusal::Textureless)
        }
    };
    let judged: Vec<(Option<Refusal>, HomographyOverlap)> = (0..first.len() * second.len())
        .into_par_iter()
        .map(|pair| {
            let (i, j) = (pair / second.len(), pair % second.len());
            let gate = gate(i, j);
            if gate.is_some() && !measure_all {
                return (gate, HomographyOverlap::default());
            }
            (
                gate,
                homography_overlap(&first[i], &second[j], overlap, pair_seed(seed, i, j)),
            )
        })
        .collect();
    let mut selection = Selection {
        overlaps: vec![vec![None; second.len()]; first.len()],
        ..Selection::default()
    };
    for (pair, (gate, found)) in judged.into_iter().enumerate() {
        let (i, j) = (pair / second.len(), pair % second.len());
        let measured = found.overlap.map(|overlap| overlap.min());
        selection.overlaps[i][j] = measured;
        let out_of_range = || measured.and_then(|overlap| config.refusal_of(overlap));
        if let Some(reason) = gate.or(found.refusal).or_else(out_of_range) {
            selection.refuse(reason.name());
        } else if let Some(overlap) = found.overlap {
            selection.in_range.push(Candidate {
                first: i,
                second: j,
                overlap,
                correspondence: found.correspondence,
            });
        }
    }
    // Stable: equal overlaps stay in loop order.
    selection
        .in_range
        .sort_by(|a, b| a.overlap.min().total_cmp(&b.overlap.min()));
    selection
}

/// The seed of one pair of a selection.
pub fn pair_seed(seed: u64, first: usize, second: usize) -> u64 {
    Rng::stream(seed, "pair", &[first as u64, second as u64]).next_u64()
}
