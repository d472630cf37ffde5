//! The figures of a metric against a truth, over any set of pairs.

use serde::{Deserialize, Serialize};

use super::row::{MetricRule, PairRow, Truth};
use super::stats::{Curves, Ranking, ascending, mean, pearson, spearman};

/// The definitions of true overlap that a metric is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TruthKind {
    /// The published patch rule on true correspondences: like for like.
    Patches,
    /// Pixel covisibility with occlusion, smaller direction.
    Covisibility,
    /// Intersection over union of the visible surface.
    Iou,
    /// CroCo's 5 cm rule, smaller direction.
    Croco,
}

impl TruthKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Patches, Self::Covisibility, Self::Iou, Self::Croco];

    /// The value of a pair.
    pub fn of(self, truth: &Truth) -> f64 {
        match self {
            Self::Patches => truth.patches.min(),
            Self::Covisibility => truth.covisibility.min(),
            Self::Iou => truth.iou,
            Self::Croco => truth.croco.min(),
        }
    }

    /// As people write it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Patches => "true patches",
            Self::Covisibility => "covisibility",
            Self::Iou => "IoU",
            Self::Croco => "CroCo's 5 cm rule",
        }
    }
}

/// A figure: its key in JSON and what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FigureName {
    /// Key in `report.json`.
    pub key: &'static str,
    /// Headline of a column.
    pub title: &'static str,
    /// One sentence.
    pub says: &'static str,
}

macro_rules! figures {
    ($($place:ident $key:literal $title:literal $says:literal;)*) => {
        /// Places of the figures in [`FIGURES`] and [`Figures`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(usize)]
        pub enum FigureKey { $(#[doc = $says] $place,)* }

        /// What is computed of every metric, truth and set of pairs.
        pub const FIGURES: &[FigureName] = &[$(FigureName { key: $key, title: $title, says: $says },)*];
    };
}

figures! {
    Answered "answered" "answered" "Share of the pairs for which the metric has an answer.";
    Pearson "pearson" "Pearson" "Correlation of metric and truth over the answered pairs.";
    Spearman "spearman" "Spearman" "Rank correlation over the answered pairs, ties sharing their mean rank.";
    Bias "bias" "bias" "Mean of metric minus truth over the answered pairs.";
    Mae "mae" "MAE" "Mean absolute difference of metric and truth over the answered pairs.";
    TrulyIn "truly_in_window" "truly in" "Share of the pairs whose truth lies in the window.";
    Kept "kept" "kept" "Share of the pairs that the filter keeps: overlap in the window, both views textured enough.";
    Precision "precision" "precision" "Share of the kept pairs whose truth lies in the window.";
    Recall "recall" "recall" "Share of the pairs truly in the window that the filter keeps.";
    F1 "f1" "F1" "Harmonic mean of precision and recall.";
    KeptTooLow "kept_truly_below" "kept, below" "Share of the kept pairs whose truth lies below the window.";
    KeptTooHigh "kept_truly_above" "kept, above" "Share of the kept pairs whose truth lies above the window.";
    ChosenPrecision "chosen_precision" "chosen, in" "Share of the chosen pairs (smallest kept overlap of a position) whose truth lies in the window.";
    WindowRoc "window_roc_auc" "ROC, window" "Area under the ROC curve: positive = truth in the window, score = -|overlap - centre of the window|.";
    WindowPr "window_pr_auc" "PR, window" "Average precision of the same score and classes.";
    HalfRoc "half_roc_auc" "ROC, half" "Area under the ROC curve: positive = truth of at least 0.5, score = overlap.";
    HalfPr "half_pr_auc" "PR, half" "Average precision of the same score and classes.";
    PatchRight "patch_right" "right" "Share of the patch partners of kept pairs that are the true ones.";
    PatchNear "patch_off_by_one" "off by one" "Share of them that are one of the eight neighbours of the true one.";
    PatchWrong "patch_wrong" "wrong" "Share of them that are further off.";
    PatchNone "patch_no_partner" "no partner" "Share of them whose patch has no true partner.";
}

/// One value a figure, in the order of [`FIGURES`]; `None` where it is not defined.
pub type Figures = [Option<f64>; FIGURES.len()];

/// Truth from which a pair counts as covisible in the second ROC curve (CroCo's lower bound).
pub const HALF: f64 = 0.5;

/// A metric and a truth over a set of pairs, sorted once for any number of weightings.
pub struct Contest<'a> {
    rule: &'a MetricRule,
    rows: Vec<&'a PairRow>,
    metric: usize,
    truth: Vec<f64>,
    /// Places of the answered pairs in `rows`, with metric and truth of each and their orders.
    answered: Vec<usize>,
    x: Vec<f64>,
    y: Vec<f64>,
    orders: [Vec<u32>; 2],
    window: Ranking,
    half: Ranking,
}

impl<'a> Contest<'a> {
    /// Sorts the pairs. `metric` is the place of the reading.
    pub fn new(rule: &'a MetricRule, rows: Vec<&'a PairRow>, metric: usize, kind: TruthKind) -> Self {
        let truth: Vec<f64> = rows.iter().map(|row| kind.of(&row.truth)).collect();
        let overlap = |place: usize| rows[place].readings[metric].overlap;
        let answered: Vec<usize> = (0..rows.len()).filter(|&place| overlap(place).is_some()).collect();
        let x: Vec<f64> = answered.iter().filter_map(|&place| overlap(place)).collect();
        let y: Vec<f64> = answered.iter().map(|&place| truth[place]).collect();
        // Pairs without an answer score below all others, and equal among themselves.
        let score = |of: &dyn Fn(f64) -> f64| -> Vec<f64> {
            (0..rows.len())
                .map(|place| overlap(place).map_or(f64::NEG_INFINITY, of))
                .collect()
        };
        let window = Ranking::new(
            score(&|v| -(v - rule.centre()).abs()),
            truth.iter().map(|&t| rule.contains(t)).collect(),
        );
        let half = Ranking::new(score(&|v| v), truth.iter().map(|&t| t >= HALF).collect());
        Self {
            orders: [ascending(&x), ascending(&y)],
            rule,
            metric,
            truth,
            answered,
            x,
            y,
            window,
            half,
            rows,
        }
    }

    /// All figures of the sample in which pair i stands `weights[i]` times.
    pub fn figures(&self, weights: &[u32]) -> Figures {
        let mut figures = [None; FIGURES.len()];
        let mut set = |key: FigureKey, value: Option<f64>| figures[key as usize] = value;
        let all: f64 = weights.iter().map(|&w| f64::from(w)).sum();
        let share = |part: f64, of: f64| (of > 0.0).then(|| part / of);

        let own: Vec<u32> = self.answered.iter().map(|&place| weights[place]).collect();
        let answered: f64 = own.iter().map(|&w| f64::from(w)).sum();
        let apart: Vec<f64> = self.x.iter().zip(&self.y).map(|(x, y)| x - y).collect();
        let distance: Vec<f64> = apart.iter().map(|d| d.abs()).collect();
        set(FigureKey::Answered, share(answered, all));
        set(FigureKey::Pearson, pearson(&self.x, &self.y, &own));
        let orders = [self.orders[0].as_slice(), self.orders[1].as_slice()];
        set(FigureKey::Spearman, spearman(&self.x, &self.y, orders, &own));
        set(FigureKey::Bias, mean(&apart, &own));
        set(FigureKey::Mae, mean(&distance, &own));

        let tally = self.tally(weights);
        set(FigureKey::TrulyIn, share(tally.truly, all));
        set(FigureKey::Kept, share(tally.kept, all));
        set(FigureKey::Precision, share(tally.hits, tally.kept));
        set(FigureKey::Recall, share(tally.hits, tally.truly));
        // Equal to 2 P R / (P + R), and defined where either is.
        set(FigureKey::F1, share(2.0 * tally.hits, tally.kept + tally.truly));
        set(FigureKey::KeptTooLow, share(tally.below, tally.kept));
        set(FigureKey::KeptTooHigh, share(tally.above, tally.kept));
        set(FigureKey::ChosenPrecision, share(tally.chosen_hits, tally.chosen));
        let partners: f64 = tally.partners.iter().sum();
        let keys = [
            FigureKey::PatchRight,
            FigureKey::PatchNear,
            FigureKey::PatchWrong,
            FigureKey::PatchNone,
        ];
        for (key, count) in keys.into_iter().zip(tally.partners) {
            set(key, share(count, partners));
        }

        let [window_roc, window_pr] = self.window.areas(weights);
        let [half_roc, half_pr] = self.half.areas(weights);
        set(FigureKey::WindowRoc, window_roc);
        set(FigureKey::WindowPr, window_pr);
        set(FigureKey::HalfRoc, half_roc);
        set(FigureKey::HalfPr, half_pr);
        figures
    }

    fn tally(&self, weights: &[u32]) -> Tally {
        let mut tally = Tally::default();
        for ((row, &truth), &weight) in self.rows.iter().zip(&self.truth).zip(weights) {
            let (reading, w) = (&row.readings[self.metric], f64::from(weight));
            let (truly, kept) = (self.rule.contains(truth), reading.kept());
            let when = |condition: bool| if condition { w } else { 0.0 };
            tally.truly += when(truly);
            tally.kept += when(kept);
            tally.hits += when(kept && truly);
            tally.below += when(kept && !truly && truth < self.rule.centre());
            tally.above += when(kept && !truly && truth > self.rule.centre());
            tally.chosen += when(reading.chosen);
            tally.chosen_hits += when(reading.chosen && truly);
            if let Some(score) = reading.partners.filter(|_| kept) {
                let counts = [score.right, score.near, score.wrong, score.no_partner];
                for (sum, count) in tally.partners.iter_mut().zip(counts) {
                    *sum += w * f64::from(count);
                }
            }
        }
        tally
    }

    /// Curves of "truth in the window" and of "truth of at least a half".
    pub fn curves(&self) -> [Curves; 2] {
        let weights = vec![1; self.rows.len()];
        [self.window.curves(&weights), self.half.curves(&weights)]
    }

    /// The pairs.
    pub fn rows(&self) -> &[&'a PairRow] {
        &self.rows
    }
}

#[derive(Default)]
struct Tally {
    truly: f64,
    kept: f64,
    hits: f64,
    below: f64,
    above: f64,
    chosen: f64,
    chosen_hits: f64,
    partners: [f64; 4],
}
