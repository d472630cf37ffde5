//! What a mining run counted.

use std::collections::BTreeMap;

use serde::Serialize;

use super::judge::{Outcome, Trial};
use super::picture::PictureError;
use crate::select::SelectConfig;

/// Names that are kept of unreadable pictures; more are only counted.
const MOST_NAMED: usize = 1000;

/// Counters of a run.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Tally {
    /// Clips or groups that were looked at.
    pub sources: u64,
    /// Pictures that were read and described.
    pub pictures: u64,
    /// Pictures that could not be.
    pub unreadable: Unreadable,
    /// Candidate sets.
    pub trials: u64,
    /// Of these, those that gave a pair.
    pub trials_kept: u64,
    /// Pairs.
    pub pairs: u64,
    /// Candidates refused, by reason.
    pub refused: BTreeMap<String, u64>,
    /// The filter against the truth, where that was asked for and is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truth: Option<TruthTally>,
}

/// Pictures that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Unreadable {
    /// How many.
    pub count: u64,
    /// The first thousand, with the reason.
    pub files: Vec<String>,
}

impl Unreadable {
    /// Counts and names one.
    pub fn add(&mut self, error: &PictureError) {
        self.count += 1;
        if self.files.len() < MOST_NAMED {
            self.files.push(error.to_string());
        }
    }

    /// Adds those of another source.
    pub fn merge(&mut self, other: Self) {
        self.count += other.count;
        let room = MOST_NAMED.saturating_sub(self.files.len());
        self.files.extend(other.files.into_iter().take(room));
    }
}

/// The filter held against the truth, over all candidates whose geometry is known.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct TruthTally {
    /// Candidates.
    pub candidates: u64,
    /// Of these, those that gates and range let pass.
    pub passed: u64,
    /// Against the published patch rule on true correspondences.
    pub patches: Score,
    /// Against pixel covisibility.
    pub covisibility: Score,
}

/// Counts against one truth.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Score {
    /// Candidates truly in range.
    pub in_range: u64,
    /// Of these, those that pass.
    pub passed_in_range: u64,
    /// Those that pass and truly share less.
    pub passed_below: u64,
    /// Those that pass and truly share more.
    pub passed_above: u64,
    /// Share of those that pass that are truly in range; `None` where none passes.
    pub precision: Option<f64>,
    /// Share of those truly in range that pass; `None` where none is.
    pub recall: Option<f64>,
    /// Mean of |metric - truth| over candidates with an answer.
    pub mean_abs_error: Option<f64>,
    #[serde(skip)]
    error_sum: f64,
    #[serde(skip)]
    answered: u64,
}

impl Score {
    fn add(&mut self, select: &SelectConfig, truth: f64, overlap: Option<f64>, passed: bool) {
        let refusal = select.refusal_of(truth);
        self.in_range += u64::from(refusal.is_none());
        if passed {
            match refusal {
                None => self.passed_in_range += 1,
                Some(crate::select::Refusal::OverlapHigh) => self.passed_above += 1,
                Some(_) => self.passed_below += 1,
            }
        }
        if let Some(overlap) = overlap {
            self.error_sum += (overlap - truth).abs();
            self.answered += 1;
        }
        let share = |part: u64, whole: u64| (whole > 0).then(|| part as f64 / whole as f64);
        let passed = self.passed_in_range + self.passed_below + self.passed_above;
        self.precision = share(self.passed_in_range, passed);
        self.recall = share(self.passed_in_range, self.in_range);
        self.mean_abs_error = (self.answered > 0).then(|| self.error_sum / self.answered as f64);
    }
}

impl Tally {
    /// Counts a trial.
    pub fn add(&mut self, trial: &Trial, select: &SelectConfig) {
        self.trials += 1;
        if let Outcome::Kept(pairs) = &trial.outcome {
            self.trials_kept += 1;
            self.pairs += pairs.len() as u64;
        }
        for (reason, count) in &trial.refused {
            *self.refused.entry(reason.clone()).or_default() += count;
        }
        for judged in &trial.judged {
            let truth = self.truth.get_or_insert_default();
            truth.candidates += 1;
            truth.passed += u64::from(judged.in_range);
            let (overlap, passed) = (judged.overlap, judged.in_range);
            truth.patches.add(select, judged.patches, overlap, passed);
            truth.covisibility.add(select, judged.covisibility, overlap, passed);
        }
    }
}
