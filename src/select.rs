//! Which of the candidate pairs of a sweep to keep, and why the others were refused.
//!
//! Candidates are all pairs of a view of the first list and one of the second. Of those whose overlap
//! lies in range, the smallest overlap wins; of equal ones the first in the released loop order (each
//! view of the first list against the second list in capture order).

mod by;
mod config;

use std::collections::BTreeMap;

use rayon::prelude::*;

pub use by::{SelectBy, SelectMeasure};
pub use config::{Bounds, Choose, SelectConfig};

pub use crate::overlap::Refusal;
use crate::overlap::{HomographyOverlap, HomographyOverlapConfig, ViewFeatures, homography_overlap};
use crate::rng::Rng;
use crate::view::{Correspondence, Overlap};

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
    let gates: Vec<Option<Refusal>> = first
        .iter()
        .chain(second)
        .enumerate()
        .map(|(place, view)| gate(config, holes.get(place) == Some(&true), view.laplacian_variance))
        .collect();
    let (gates_first, gates_second) = gates.split_at(first.len());
    select_with(gates_first, gates_second, config, measure_all, |i, j| {
        homography_overlap(&first[i], &second[j], overlap, pair_seed(seed, i, j)).into()
    })
}

/// Why a view takes part in no pair, if so: too little surface, or too little fine texture.
pub fn gate(config: &SelectConfig, holes: bool, laplacian_variance: f64) -> Option<Refusal> {
    if holes {
        Some(Refusal::Holes)
    } else {
        (laplacian_variance < config.min_laplacian_variance).then_some(Refusal::Textureless)
    }
}

/// What a measure says of one candidate.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Measured {
    /// Both directions, where there is an overlap.
    pub overlap: Option<Overlap>,
    /// Why there is none.
    pub refusal: Option<Refusal>,
    /// Patch partners, if the measure has any.
    pub correspondence: Correspondence,
}

impl From<HomographyOverlap> for Measured {
    fn from(found: HomographyOverlap) -> Self {
        Self {
            overlap: found.overlap,
            refusal: found.refusal,
            correspondence: found.correspondence,
        }
    }
}

/// Judges every pair of two lists by any measure; `gates_*` say which views take part in no pair.
///
/// `measure(i, j)` is asked for place `i` of the first and `j` of the second list, from several threads;
/// pairs that a gate refuses are measured only with `measure_all`, which completes the table.
pub fn select_with(
    gates_first: &[Option<Refusal>],
    gates_second: &[Option<Refusal>],
    config: &SelectConfig,
    measure_all: bool,
    measure: impl Fn(usize, usize) -> Measured + Sync,
) -> Selection {
    let columns = gates_second.len();
    let judged: Vec<(Option<Refusal>, Measured)> = (0..gates_first.len() * columns)
        .into_par_iter()
        .map(|pair| {
            let (i, j) = (pair / columns, pair % columns);
            // Holes are the graver fault of the two views'.
            let gate = gates_first[i].max(gates_second[j]);
            if gate.is_some() && !measure_all {
                return (gate, Measured::default());
            }
            (gate, measure(i, j))
        })
        .collect();
    let mut selection = Selection {
        overlaps: vec![vec![None; columns]; gates_first.len()],
        ..Selection::default()
    };
    for (pair, (gate, found)) in judged.into_iter().enumerate() {
        let (i, j) = (pair / columns, pair % columns);
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

/// The seed of the metric's draws at one position of a scene; [`pair_seed`] splits it by pair.
pub fn position_seed(seed: u64, scene_word: u64, index: u64) -> u64 {
    Rng::stream(seed, "votes", &[scene_word, index]).next_u64()
}
