//! Everything that the report says, from a table of pairs.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::causes::{Causes, causes};
use super::external::same_position;
use super::figures::{Contest, FIGURES, TruthKind};
use super::row::{MetricRule, PairRow, Table};
use super::splits::SPLITS;
use super::stats::{Spread, resample_weights};

/// Bootstrap resamples, as in the MIMIC supplement 3.2.
pub const RESAMPLES: usize = 100;
/// Points kept of a curve.
const CURVE_POINTS: usize = 200;
/// Bins of the calibration along each side.
pub const CALIBRATION_BINS: usize = 20;

/// The report on all metrics.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Candidate pairs.
    pub pairs: usize,
    /// Positions that they come from.
    pub positions: usize,
    /// Positions by scene.
    pub scenes: BTreeMap<String, usize>,
    /// Bootstrap resamples of positions.
    pub resamples: usize,
    /// Every metric, in the order of the table.
    pub metrics: Vec<MetricSummary>,
    /// All metrics on the same pairs: those that every one of them answers.
    pub common: CommonSummary,
}

/// The metrics compared on the pairs that all of them answer.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct CommonSummary {
    /// How many pairs that are.
    pub pairs: usize,
    /// Figures by key of each metric against each truth; empty without a pair.
    pub figures: Vec<CommonFigures>,
}

/// One metric against one truth on the common pairs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CommonFigures {
    /// Name of the metric.
    pub metric: String,
    /// Which truth.
    pub truth: TruthKind,
    /// Figures by key.
    pub figures: BTreeMap<String, Spread>,
}

/// The report on one metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricSummary {
    /// Name, range and texture gate.
    pub rule: MetricRule,
    /// Pairs by what the filter did with them, "kept" among the reasons.
    pub outcomes: BTreeMap<String, u64>,
    /// Positions that give a pair.
    pub positions_with_a_pair: u64,
    /// Where its errors come from.
    pub causes: Causes,
    /// Against each truth.
    pub truths: Vec<TruthSummary>,
}

/// The report on one metric against one truth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TruthSummary {
    /// Which truth.
    pub truth: TruthKind,
    /// Figures by key.
    pub figures: BTreeMap<String, Spread>,
    /// Of the pairs truly in the window, how many met which fate.
    pub outcomes_of_true_pairs: BTreeMap<String, u64>,
    /// Curves by name: `window_roc`, `window_pr`, `half_roc`, `half_pr`; thinned.
    pub curves: BTreeMap<String, Vec<[f64; 2]>>,
    /// Answered pairs by truth (row, from 0) and metric (column, from 0), 5 % a bin.
    pub calibration: Vec<Vec<u32>>,
    /// The figures of parts of the pairs.
    pub splits: Vec<SplitSummary>,
}

/// The figures of parts of the pairs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SplitSummary {
    /// Key of the split.
    pub by: String,
    /// Headline.
    pub title: String,
    /// What is measured.
    pub says: String,
    /// The parts.
    pub bins: Vec<BinSummary>,
}

/// One part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BinSummary {
    /// Its name.
    pub name: String,
    /// Pairs in it.
    pub pairs: usize,
    /// Those with an answer.
    pub answered: usize,
    /// Those that are kept.
    pub kept: usize,
    /// Figures by key; empty without a pair.
    pub figures: BTreeMap<String, Spread>,
}

/// The name of a kept pair among the outcomes.
pub const KEPT: &str = "kept";

/// The bootstrap: the position of each row, and how often each position stands in each resample.
struct Draws {
    positions: Vec<usize>,
    resamples: Vec<Vec<u32>>,
}

impl Table {
    /// The report; `seed` decides the bootstrap resamples. The result does not depend on threads.
    pub fn summary(&self, seed: u64) -> Summary {
        let positions = positions(&self.rows);
        let count = positions.last().map_or(0, |last| last + 1);
        let draws = Draws {
            resamples: resample_weights(count, RESAMPLES, seed),
            positions,
        };
        let metrics = self.metrics.iter().enumerate();
        let metrics = metrics
            .map(|(metric, rule)| self.metric_summary(metric, rule, &draws))
            .collect();
        let mut scenes = BTreeMap::new();
        for position in self.rows.chunk_by(same_position) {
            *scenes.entry(position[0].key.scene.clone()).or_default() += 1;
        }
        Summary {
            pairs: self.rows.len(),
            positions: count,
            scenes,
            resamples: RESAMPLES,
            metrics,
            common: self.common(&draws),
        }
    }

    fn metric_summary(&self, metric: usize, rule: &MetricRule, draws: &Draws) -> MetricSummary {
        let truths = TruthKind::ALL
            .into_par_iter()
            .map(|kind| self.truth_summary(metric, rule, kind, draws))
            .collect();
        MetricSummary {
            rule: rule.clone(),
            outcomes: outcomes(self.rows.iter(), metric),
            positions_with_a_pair: self.rows.iter().filter(|row| row.readings[metric].chosen).count() as u64,
            causes: causes(&self.rows, rule, metric),
            truths,
        }
    }

    /// The figures of a metric against a truth over the rows at `places`, with their bootstrap.
    fn judge(&self, metric: usize, kind: TruthKind, places: &[usize], draws: &Draws) -> BTreeMap<String, Spread> {
        let contest = self.contest(metric, kind, places);
        let whole = contest.figures(&vec![1; places.len()]);
        let drawn: Vec<_> = draws
            .resamples
            .par_iter()
            .map(|weights| {
                let own: Vec<u32> = places.iter().map(|&place| weights[draws.positions[place]]).collect();
                contest.figures(&own)
            })
            .collect();
        let spread = |figure: usize| Spread::new(whole[figure], drawn.iter().map(|f| f[figure]));
        let named = FIGURES.iter().enumerate();
        named
            .map(|(figure, name)| (name.key.to_owned(), spread(figure)))
            .collect()
    }

    fn contest(&self, metric: usize, kind: TruthKind, places: &[usize]) -> Contest<'_> {
        let rows = places.iter().map(|&place| &self.rows[place]).collect();
        Contest::new(&self.metrics[metric], rows, metric, kind)
    }

    fn common(&self, draws: &Draws) -> CommonSummary {
        let answered = |row: &PairRow| row.readings.iter().all(|reading| reading.overlap.is_some());
        let places: Vec<usize> = (0..self.rows.len())
            .filter(|&place| answered(&self.rows[place]))
            .collect();
        if places.is_empty() {
            return CommonSummary::default();
        }
        let each = |metric: usize| {
            TruthKind::ALL.map(|truth| CommonFigures {
                metric: self.metrics[metric].name.clone(),
                truth,
                figures: self.judge(metric, truth, &places, draws),
            })
        };
        CommonSummary {
            pairs: places.len(),
            figures: (0..self.metrics.len()).flat_map(each).collect(),
        }
    }

    fn truth_summary(&self, metric: usize, rule: &MetricRule, kind: TruthKind, draws: &Draws) -> TruthSummary {
        let bin = |name: &str, places: Vec<usize>| {
            let count = |of: &dyn Fn(&PairRow) -> bool| places.iter().filter(|&&p| of(&self.rows[p])).count();
            BinSummary {
                name: name.to_owned(),
                pairs: places.len(),
                answered: count(&|row| row.readings[metric].overlap.is_some()),
                kept: count(&|row| row.readings[metric].kept()),
                figures: if places.is_empty() {
                    BTreeMap::new()
                } else {
                    self.judge(metric, kind, &places, draws)
                },
            }
        };

        let all: Vec<usize> = (0..self.rows.len()).collect();
        let mut splits = vec![self.split_by_scene(&bin)];
        for split in SPLITS {
            let mut members = vec![Vec::new(); split.bins.len()];
            for (place, row) in self.rows.iter().enumerate() {
                if let Some(bin) = split.bin(row, metric) {
                    members[bin].push(place);
                }
            }
            splits.push(SplitSummary {
                by: split.key.to_owned(),
                title: split.title.to_owned(),
                says: split.says.to_owned(),
                bins: split
                    .bins
                    .iter()
                    .zip(members)
                    .map(|(name, places)| bin(name, places))
                    .collect(),
            });
        }
        let [window, half] = self.contest(metric, kind, &all).curves();
        let curves = [
            ("window_roc", window.roc),
            ("window_pr", window.pr),
            ("half_roc", half.roc),
            ("half_pr", half.pr),
        ];
        let truly = |row: &&PairRow| rule.contains(kind.of(&row.truth));
        TruthSummary {
            truth: kind,
            figures: self.judge(metric, kind, &all, draws),
            outcomes_of_true_pairs: outcomes(self.rows.iter().filter(truly), metric),
            curves: curves.map(|(name, points)| (name.to_owned(), thinned(points))).into(),
            calibration: calibration(&self.rows, metric, kind),
            splits,
        }
    }

    fn split_by_scene(&self, bin: &dyn Fn(&str, Vec<usize>) -> BinSummary) -> SplitSummary {
        let mut members: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (place, row) in self.rows.iter().enumerate() {
            members.entry(&row.key.scene).or_default().push(place);
        }
        SplitSummary {
            by: "scene".to_owned(),
            title: "Scene".to_owned(),
            says: "where the pairs come from".to_owned(),
            bins: members.into_iter().map(|(name, places)| bin(name, places)).collect(),
        }
    }
}

/// The number of the position of each row; rows of a position stand together.
fn positions(rows: &[PairRow]) -> Vec<usize> {
    let mut numbers = Vec::with_capacity(rows.len());
    for (number, position) in rows.chunk_by(same_position).enumerate() {
        numbers.extend(std::iter::repeat_n(number, position.len()));
    }
    numbers
}

fn outcomes<'a>(rows: impl Iterator<Item = &'a PairRow>, metric: usize) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for row in rows {
        let reading = &row.readings[metric];
        let name = if reading.kept() { KEPT } else { &reading.refusal };
        *counts.entry(name.to_owned()).or_default() += 1;
    }
    counts
}

fn calibration(rows: &[PairRow], metric: usize, kind: TruthKind) -> Vec<Vec<u32>> {
    let mut counts = vec![vec![0; CALIBRATION_BINS]; CALIBRATION_BINS];
    let bin = |value: f64| ((value * CALIBRATION_BINS as f64) as usize).min(CALIBRATION_BINS - 1);
    for row in rows {
        if let Some(overlap) = row.readings[metric].overlap {
            counts[bin(kind.of(&row.truth))][bin(overlap)] += 1;
        }
    }
    counts
}

/// At most about `CURVE_POINTS` points, first and last among them.
fn thinned(points: Vec<[f64; 2]>) -> Vec<[f64; 2]> {
    let last = points.len().saturating_sub(1);
    if last < CURVE_POINTS {
        return points;
    }
    (0..=CURVE_POINTS).map(|i| points[i * last / CURVE_POINTS]).collect()
}
