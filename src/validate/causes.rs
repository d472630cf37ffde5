//! Where the difference between a metric and pixel covisibility comes from.
//!
//! `metric - covisibility = (metric - ideal) + (ideal - patch truth) + (patch truth - covisibility)`
//!
//! - *matches*: `metric - ideal`. `ideal` is the same rule with the homography of true correspondences, so what is
//!   left comes from the matches: repeated texture, few or bunched inliers, sampled votes.
//! - *model*: `ideal - patch truth`. One homography cannot express parallax, and knows no occlusion.
//! - *rule*: `patch truth - covisibility`. Votes of whole patches, one-to-one: views that share almost all but are
//!   shifted by half a patch, or zoomed, count for much less than they share.

use serde::{Deserialize, Serialize};

use super::row::{MetricRule, PairRow};

/// The three causes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Votes of whole patches, one-to-one.
    Rule,
    /// Parallax and occlusion.
    Model,
    /// Matches.
    Matches,
}

/// Sizes of the causes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Causes {
    /// Answered pairs for which all three are known.
    pub pairs: u64,
    /// Over these pairs.
    pub all: Terms,
    /// Over those of them that the filter keeps.
    pub kept: Terms,
    /// Kept pairs whose covisibility lies outside the window, by the largest of the three terms that points the
    /// way of the error; pairs without shared surface, for which there is no ideal, count for the matches.
    pub wrongly_kept: CauseCounts,
    /// Pairs whose covisibility lies in the window and that an overlap outside it refused, likewise.
    pub wrongly_refused: CauseCounts,
}

/// Mean and mean absolute size of the terms, in overlap.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Terms {
    /// Mean of patch truth minus covisibility.
    pub rule: f64,
    /// Mean of ideal minus patch truth.
    pub model: f64,
    /// Mean of metric minus ideal.
    pub matches: f64,
    /// Mean absolute value of the first.
    pub rule_abs: f64,
    /// Mean absolute value of the second.
    pub model_abs: f64,
    /// Mean absolute value of the third.
    pub matches_abs: f64,
}

/// How many pairs each cause decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CauseCounts {
    /// By the rule.
    pub rule: u64,
    /// By the model.
    pub model: u64,
    /// By the matches.
    pub matches: u64,
}

impl CauseCounts {
    fn add(&mut self, cause: Cause) {
        match cause {
            Cause::Rule => self.rule += 1,
            Cause::Model => self.model += 1,
            Cause::Matches => self.matches += 1,
        }
    }
}

/// The three terms of a pair: rule, model, matches; `None` without an answer or without an ideal.
pub fn terms(row: &PairRow, metric: usize) -> Option<[f64; 3]> {
    let overlap = row.readings[metric].overlap?;
    let ideal = row.truth.ideal_homography?;
    let (patches, covisibility) = (row.truth.patches.min(), row.truth.covisibility.min());
    Some([patches - covisibility, ideal - patches, overlap - ideal])
}

/// The largest term that points the way of the error.
pub fn main_cause(row: &PairRow, metric: usize) -> Option<Cause> {
    row.readings[metric].overlap?;
    let Some(terms) = terms(row, metric) else {
        return Some(Cause::Matches);
    };
    let way: f64 = terms.iter().sum::<f64>().signum();
    let causes = [Cause::Rule, Cause::Model, Cause::Matches];
    let largest = terms
        .into_iter()
        .zip(causes)
        .max_by(|a, b| (way * a.0).total_cmp(&(way * b.0)));
    largest.map(|(_, cause)| cause)
}

/// Sums over all pairs.
pub fn causes(rows: &[PairRow], rule: &MetricRule, metric: usize) -> Causes {
    let mut causes = Causes::default();
    let mut kept = 0;
    for row in rows {
        let reading = &row.readings[metric];
        if let Some(terms) = terms(row, metric) {
            causes.pairs += 1;
            causes.all.add(terms);
            if reading.kept() {
                kept += 1;
                causes.kept.add(terms);
            }
        }
        let truly = rule.contains(row.truth.covisibility.min());
        let by_overlap = ["overlap_low", "overlap_high"].contains(&reading.refusal.as_str());
        let counts = match (reading.kept(), truly) {
            (true, false) => &mut causes.wrongly_kept,
            (false, true) if by_overlap => &mut causes.wrongly_refused,
            _ => continue,
        };
        if let Some(cause) = main_cause(row, metric) {
            counts.add(cause);
        }
    }
    causes.all.divide(causes.pairs);
    causes.kept.divide(kept);
    causes
}

impl Terms {
    fn add(&mut self, [rule, model, matches]: [f64; 3]) {
        self.rule += rule;
        self.model += model;
        self.matches += matches;
        self.rule_abs += rule.abs();
        self.model_abs += model.abs();
        self.matches_abs += matches.abs();
    }

    fn divide(&mut self, count: u64) {
        let n = count.max(1) as f64;
        for sum in [
            &mut self.rule,
            &mut self.model,
            &mut self.matches,
            &mut self.rule_abs,
            &mut self.model_abs,
            &mut self.matches_abs,
        ] {
            *sum /= n;
        }
    }
}
