//! The pairs on which metric and truth disagree most, with what is needed to show them.

use super::figures::TruthKind;
use super::row::{MetricRule, PairKey, PairRow};

/// How a metric can be wrong about a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Blunder {
    /// Kept, though the views share less than the window asks for.
    KeptTooLow,
    /// Kept, though the views share more than the window allows.
    KeptTooHigh,
    /// Measured below the window, though the views truly lie in it.
    Missed,
    /// Measured above the window, though the views truly lie in it.
    Overrated,
}

impl Blunder {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::KeptTooLow, Self::KeptTooHigh, Self::Missed, Self::Overrated];

    /// As people write it.
    pub fn title(self) -> &'static str {
        match self {
            Self::KeptTooLow => "kept, but the views share too little",
            Self::KeptTooHigh => "kept, but the views share too much",
            Self::Missed => "refused as too low, but truly in the window",
            Self::Overrated => "refused as too high, but truly in the window",
        }
    }

    /// The blunder that a reading is by pixel covisibility, and by how much.
    pub fn of(row: &PairRow, rule: &MetricRule, metric: usize) -> Option<(Self, f64)> {
        let reading = &row.readings[metric];
        let (overlap, truth) = (reading.overlap?, TruthKind::Covisibility.of(&row.truth));
        let blunder = match (reading.kept(), rule.contains(truth), reading.refusal.as_str()) {
            (true, false, _) if truth < rule.centre() => Self::KeptTooLow,
            (true, false, _) => Self::KeptTooHigh,
            (false, true, "overlap_low") => Self::Missed,
            (false, true, "overlap_high") => Self::Overrated,
            _ => return None,
        };
        Some((blunder, (overlap - truth).abs()))
    }
}

/// The worst pairs of each kind, at most one of a position and kind, with a load each (pictures).
#[derive(Debug, Clone)]
pub struct Worst<T> {
    most: usize,
    found: Vec<Found<T>>,
}

/// One of the worst pairs.
#[derive(Debug, Clone)]
pub struct Found<T> {
    /// Place of the metric in the table.
    pub metric: usize,
    /// What is wrong.
    pub blunder: Blunder,
    /// Metric and covisibility are this far apart.
    pub apart: f64,
    /// The pair.
    pub row: PairRow,
    /// What shows it.
    pub load: T,
}

impl<T> Worst<T> {
    /// Keeps at most `most` pairs of each metric and kind.
    pub fn new(most: usize) -> Self {
        Self {
            most,
            found: Vec::new(),
        }
    }

    /// Takes a pair in if it is among the worst so far; `load` is called only then. Of equal ones the first
    /// stays.
    pub fn offer(&mut self, row: &PairRow, rule: &MetricRule, metric: usize, load: impl FnOnce() -> T) {
        let Some((blunder, apart)) = Blunder::of(row, rule, metric) else {
            return;
        };
        let position = |key: &PairKey| (key.scene.clone(), key.seed, key.index);
        let here = |found: &Found<T>| found.metric == metric && found.blunder == blunder;
        let same = self
            .found
            .iter()
            .position(|found| here(found) && position(&found.row.key) == position(&row.key));
        let full = self.found.iter().filter(|found| here(found)).count() >= self.most;
        let rival = same.or_else(|| {
            let of_kind = self.found.iter().enumerate().filter(|(_, found)| full && here(found));
            of_kind
                .min_by(|a, b| a.1.apart.total_cmp(&b.1.apart))
                .map(|(place, _)| place)
        });
        if let Some(place) = rival {
            if self.found[place].apart >= apart {
                return;
            }
            self.found.remove(place);
        } else if full {
            return;
        }
        self.found.push(Found {
            metric,
            blunder,
            apart,
            row: row.clone(),
            load: load(),
        });
    }

    /// By metric and kind, the worst first.
    pub fn sorted(mut self) -> Vec<Found<T>> {
        self.found.sort_by(|a, b| {
            let kind = |found: &Found<T>| (found.metric, found.blunder);
            kind(a)
                .cmp(&kind(b))
                .then(b.apart.total_cmp(&a.apart))
                .then_with(|| a.row.key.cmp(&b.row.key))
        });
        self.found
    }
}
