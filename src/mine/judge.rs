//! Candidates through the gates and the metric, with the selection of [`crate::select`].

use std::collections::BTreeMap;
use std::sync::Arc;

use super::frame::Frame;
use crate::overlap::{GeometricOverlapConfig, HomographyOverlapConfig, geometric_overlap, homography_overlap};
use crate::rng::Rng;
use crate::select::{Candidate, SelectConfig, Selection, gate, select_with};
use crate::view::{PairOrigin, PairOverlaps, View, ViewPair};

/// What candidates are judged by.
#[derive(Debug, Clone, PartialEq)]
pub struct MineRule {
    /// The image-only metric.
    pub overlap: HomographyOverlapConfig,
    /// Range and texture gate; the measure is the homography whatever it says, for nothing else is known.
    pub select: SelectConfig,
    /// The true overlap, where depth and poses are known.
    pub truth: GeometricOverlapConfig,
    /// Seed of every draw.
    pub seed: u64,
    /// Whether every candidate is held against the truth, where it is known.
    pub judge_truth: bool,
}

/// What became of one candidate set: a frame and its followers, a window, or a group.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// Number of the set within its clip, or of the group.
    pub index: u64,
    /// Candidates that were refused, by reason.
    pub refused: BTreeMap<String, u64>,
    /// The pairs, or why there are none.
    pub outcome: Outcome,
    /// Every candidate against the truth, where that was asked for and is known.
    pub judged: Vec<Judged>,
}

/// Pairs, or the reason for none.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// At least one.
    Kept(Vec<ViewPair>),
    /// A stable snake_case name.
    Refused(&'static str),
}

/// A candidate and its true overlap, smaller directions.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// Places of the two pictures in the source.
    pub places: [u32; 2],
    /// The two pictures with depth and pose.
    pub views: [Arc<View>; 2],
    /// By the metric; `None` where it has no answer.
    pub overlap: Option<f64>,
    /// Whether gates and range let it pass.
    pub in_range: bool,
    /// The published patch rule on true correspondences.
    pub patches: f64,
    /// Pixel covisibility.
    pub covisibility: f64,
}

/// Judges the candidates of one source.
#[derive(Debug)]
pub(super) struct Bench<'a> {
    pub rule: &'a MineRule,
    pub source: String,
    pub source_hash: String,
}

/// A frame with its place in the source.
pub(super) type Placed<'a> = (u32, &'a Frame);

/// The candidates of a trial so far.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub refused: BTreeMap<&'static str, u64>,
    pub judged: Vec<Judged>,
    /// Why the last comparison kept nothing.
    pub reason: Option<&'static str>,
}

impl Findings {
    pub fn refuse(&mut self, reason: &'static str) {
        *self.refused.entry(reason).or_default() += 1;
        self.reason = Some(reason);
    }

    /// The trial with these pairs; without any, with the last reason.
    pub fn trial(self, index: u64, pairs: Vec<ViewPair>) -> Trial {
        Trial {
            index,
            refused: self
                .refused
                .into_iter()
                .map(|(name, count)| (name.to_owned(), count))
                .collect(),
            outcome: match pairs.is_empty() {
                false => Outcome::Kept(pairs),
                true => Outcome::Refused(self.reason.unwrap_or("no_candidates")),
            },
            judged: self.judged,
        }
    }
}

impl Bench<'_> {
    /// Judges all pairs of two lists; the selection's candidates in range come smallest first.
    pub fn compare(&self, first: &[Placed<'_>], second: &[Placed<'_>], findings: &mut Findings) -> Selection {
        let rule = self.rule;
        let gates = |list: &[Placed<'_>]| -> Vec<_> {
            let texture = list.iter().map(|(_, frame)| frame.features.laplacian_variance);
            texture.map(|variance| gate(&rule.select, false, variance)).collect()
        };
        let selection = select_with(&gates(first), &gates(second), &rule.select, rule.judge_truth, |i, j| {
            let ((a, first), (b, second)) = (first[i], second[j]);
            homography_overlap(&first.features, &second.features, &rule.overlap, self.pair_seed(a, b)).into()
        });
        for (reason, count) in &selection.refused {
            *findings.refused.entry(*reason).or_default() += count;
        }
        findings.reason = selection.in_range.is_empty().then(|| selection.refusal_of_position());
        if rule.judge_truth {
            self.judge(first, second, &selection, findings);
        }
        selection
    }

    /// Holds every candidate whose geometry is known against the truth.
    fn judge(&self, first: &[Placed<'_>], second: &[Placed<'_>], selection: &Selection, findings: &mut Findings) {
        for (i, (place_a, a)) in first.iter().enumerate() {
            for (j, (place_b, b)) in second.iter().enumerate() {
                if !a.view.has_geometry() || !b.view.has_geometry() {
                    continue;
                }
                let truth = geometric_overlap(&a.view, &b.view, &self.rule.truth);
                findings.judged.push(Judged {
                    places: [*place_a, *place_b],
                    views: [&a.view, &b.view].map(Arc::clone),
                    overlap: selection.overlaps[i][j],
                    in_range: selection.in_range.iter().any(|c| (c.first, c.second) == (i, j)),
                    patches: truth.patches.min(),
                    covisibility: truth.covisibility.min(),
                });
            }
        }
    }

    /// The pair of a candidate, with the truth where it is known.
    pub fn pair(&self, index: u64, candidate: Candidate, (a, first): Placed<'_>, (b, second): Placed<'_>) -> ViewPair {
        let known = first.view.has_geometry() && second.view.has_geometry();
        let truth = known.then(|| geometric_overlap(&first.view, &second.view, &self.rule.truth));
        ViewPair {
            first: Arc::clone(&first.view),
            second: Arc::clone(&second.view),
            overlaps: PairOverlaps {
                homography: Some(candidate.overlap),
                covisibility: truth.as_ref().map(|truth| truth.covisibility),
                patch_truth: truth.as_ref().map(|truth| truth.patches),
                croco: None,
            },
            correspondence: candidate.correspondence,
            true_correspondence: truth.map(|truth| truth.correspondence).unwrap_or_default(),
            origin: PairOrigin {
                scene: self.source.clone(),
                scene_hash: self.source_hash.clone(),
                seed: self.rule.seed,
                index,
                views: [a, b],
            },
        }
    }

    /// The seed of the metric's draws for two frames: theirs alone, whatever else is compared.
    fn pair_seed(&self, first: u32, second: u32) -> u64 {
        let source = u64::from_str_radix(self.source_hash.get(..16).unwrap_or_default(), 16).unwrap_or(0);
        Rng::stream(self.rule.seed, "mine", &[source, u64::from(first), u64::from(second)]).next_u64()
    }
}
