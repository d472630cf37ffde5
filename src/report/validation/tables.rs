//! The tables of the page.

use serde::Serialize;

use super::plots::{against, percent};
use crate::validate::stats::Spread;
use crate::validate::{BinSummary, CauseCounts, FIGURES, MetricSummary, Summary, Terms, TruthKind, TruthSummary};

/// A table: headlines and rows, the first cell of a row being its headline.
#[derive(Debug, Serialize)]
pub struct TableView {
    pub title: String,
    pub note: String,
    pub heads: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

fn heads(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Correlations are numbers, all else is per cent.
fn is_share(key: &str) -> bool {
    !["pearson", "spearman"].contains(&key) && !key.ends_with("_auc")
}

fn tell(key: &str, value: Option<f64>) -> String {
    match value {
        None => "-".into(),
        Some(v) if key == "bias" => format!("{:+.1} %", 100.0 * v),
        Some(v) if is_share(key) => format!("{:.1} %", 100.0 * v),
        Some(v) => format!("{v:.3}"),
    }
}

/// A value with its standard deviation.
fn with_sd(key: &str, spread: Option<&Spread>) -> String {
    let Some(spread) = spread else { return "-".into() };
    let sd = match spread.sd {
        Some(sd) if spread.value.is_some() && is_share(key) => format!(" ± {:.1}", 100.0 * sd),
        Some(sd) if spread.value.is_some() => format!(" ± {sd:.3}"),
        _ => String::new(),
    };
    let value = tell(key, spread.value);
    match value.strip_suffix(" %") {
        Some(number) => format!("{number}{sd} %"),
        None => format!("{value}{sd}"),
    }
}

/// Agreement of every metric with every truth.
pub fn agreement(summary: &Summary) -> TableView {
    const KEYS: [&str; 5] = ["pearson", "spearman", "bias", "mae", "half_roc_auc"];
    let row = |metric: &MetricSummary, truth: &TruthSummary| {
        let mut cells = vec![metric.rule.name.clone(), truth.truth.title().to_owned()];
        cells.extend(KEYS.map(|key| with_sd(key, truth.figures.get(key))));
        cells
    };
    TableView {
        title: "How near the metric is to the truth".into(),
        note: "Over the pairs for which the metric has an answer; ± one standard deviation of the bootstrap. ROC: area of \
               \"do they share at least a half\", where no answer counts as the lowest."
            .into(),
        heads: heads(&["metric", "truth", "Pearson", "Spearman", "bias", "mean abs. error", "ROC"]),
        rows: summary
            .metrics
            .iter()
            .flat_map(|metric| metric.truths.iter().map(move |truth| row(metric, truth)))
            .collect(),
    }
}

/// All metrics on the pairs that each of them answers; `None` for a single metric or without such pairs.
pub fn common(summary: &Summary) -> Option<TableView> {
    const KEYS: [&str; 9] = [
        "pearson",
        "spearman",
        "bias",
        "mae",
        "precision",
        "recall",
        "f1",
        "patch_right",
        "patch_wrong",
    ];
    let common = &summary.common;
    (summary.metrics.len() > 1 && common.pairs > 0).then(|| TableView {
        title: "The metrics on the same pairs".into(),
        note: format!(
            "A metric that answers only what is easy looks better than one that dares more: these are the {} pairs that all \
             metrics answer.",
            common.pairs
        ),
        heads: heads(&[
            "metric",
            "truth",
            "Pearson",
            "Spearman",
            "bias",
            "mean abs. error",
            "precision",
            "recall",
            "F1",
            "patches right",
            "wrong",
        ]),
        rows: common
            .figures
            .iter()
            .map(|row| {
                let mut cells = vec![row.metric.clone(), row.truth.title().to_owned()];
                cells.extend(KEYS.map(|key| with_sd(key, row.figures.get(key))));
                cells
            })
            .collect(),
    })
}

/// The filter against every truth.
pub fn filter(summary: &Summary) -> TableView {
    const KEYS: [&str; 8] = [
        "truly_in_window",
        "kept",
        "precision",
        "kept_truly_below",
        "kept_truly_above",
        "recall",
        "f1",
        "chosen_precision",
    ];
    let row = |metric: &MetricSummary, truth: &TruthSummary| {
        let mut cells = vec![metric.rule.name.clone(), truth.truth.title().to_owned()];
        cells.extend(KEYS.map(|key| with_sd(key, truth.figures.get(key))));
        cells
    };
    TableView {
        title: "The filter".into(),
        note: "Precision: kept pairs that truly lie in the window; the rest of them lie below or above it. Recall: pairs truly \
               in the window that are kept. Chosen: the one pair of a position, that of smallest kept overlap."
            .into(),
        heads: heads(&[
            "metric", "truth", "truly in", "kept", "precision", "below", "above", "recall", "F1", "chosen, in",
        ]),
        rows: summary
            .metrics
            .iter()
            .flat_map(|metric| metric.truths.iter().map(move |truth| row(metric, truth)))
            .collect(),
    }
}

/// Where errors come from.
pub fn causes(summary: &Summary) -> Option<TableView> {
    let rows: Vec<_> = summary
        .metrics
        .iter()
        .filter(|m| m.causes.pairs > 0)
        .flat_map(cause_rows)
        .collect();
    (!rows.is_empty()).then(|| TableView {
        title: "Where the errors come from".into(),
        note: "metric - covisibility = (metric - ideal) + (ideal - patch truth) + (patch truth - covisibility). Ideal is the \
               published rule with the homography of true correspondences: what is left of the model, parallax and \
               occlusion, when all matches are right."
            .into(),
        heads: heads(&["metric", "what", "patch rule", "homography model", "matches"]),
        rows,
    })
}

fn cause_rows(metric: &MetricSummary) -> Vec<Vec<String>> {
    let name = &metric.rule.name;
    let points = |v: f64| format!("{:+.1} %", 100.0 * v);
    let sizes = |what: &str, t: &Terms| {
        let cells = [(t.rule, t.rule_abs), (t.model, t.model_abs), (t.matches, t.matches_abs)];
        let cells = cells.map(|(mean, size)| format!("{} (mean size {:.1} %)", points(mean), 100.0 * size));
        [vec![name.clone(), what.to_owned()], cells.to_vec()].concat()
    };
    let counts = |what: &str, c: &CauseCounts| {
        let all = (c.rule + c.model + c.matches).max(1) as f64;
        let cells = [c.rule, c.model, c.matches].map(|n| format!("{n} ({})", percent(n as f64 / all)));
        [vec![name.clone(), what.to_owned()], cells.to_vec()].concat()
    };
    vec![
        sizes("mean over answered pairs", &metric.causes.all),
        sizes("mean over kept pairs", &metric.causes.kept),
        counts("wrongly kept, by largest part", &metric.causes.wrongly_kept),
        counts("wrongly refused by overlap", &metric.causes.wrongly_refused),
    ]
}

/// The splits of one metric, against patch truth and covisibility side by side.
pub fn splits(metric: &MetricSummary) -> Vec<TableView> {
    let (Some(patches), Some(pixels)) = (
        against(metric, TruthKind::Patches),
        against(metric, TruthKind::Covisibility),
    ) else {
        return Vec::new();
    };
    let cell = |bin: &BinSummary, key: &str| tell(key, bin.figures.get(key).and_then(|spread| spread.value));
    let row = |bin: &BinSummary, pixel_bin: &BinSummary| {
        let mut cells = vec![
            bin.name.clone(),
            bin.pairs.to_string(),
            bin.answered.to_string(),
            bin.kept.to_string(),
        ];
        cells.extend(["bias", "mae", "precision", "recall"].map(|key| cell(bin, key)));
        cells.extend(["bias", "mae", "precision", "recall"].map(|key| cell(pixel_bin, key)));
        cells.extend(["patch_right", "patch_off_by_one", "patch_wrong", "patch_no_partner"].map(|key| cell(bin, key)));
        cells
    };
    let both = patches.splits.iter().zip(&pixels.splits);
    both.map(|(split, pixel_split)| TableView {
        title: split.title.clone(),
        note: split.says.clone(),
        heads: heads(&[
            "",
            "pairs",
            "answered",
            "kept",
            "bias (patches)",
            "MAE",
            "precision",
            "recall",
            "bias (pixels)",
            "MAE",
            "precision",
            "recall",
            "patches right",
            "off by one",
            "wrong",
            "no partner",
        ]),
        rows: split
            .bins
            .iter()
            .zip(&pixel_split.bins)
            .map(|(bin, pixel_bin)| row(bin, pixel_bin))
            .collect(),
    })
    .collect()
}

/// Every figure with its bootstrap.
pub fn bootstrap(metric: &MetricSummary, truth: &TruthSummary) -> TableView {
    let row = |name: &crate::validate::FigureName| {
        let spread = truth.figures.get(name.key).copied().unwrap_or_default();
        let mut cells = vec![name.title.to_owned()];
        cells.extend([spread.value, spread.min, spread.max, spread.mean].map(|v| tell(name.key, v)));
        let sd = tell(name.key, spread.sd);
        cells.push(sd.trim_start_matches('+').to_owned());
        cells.push(name.says.to_owned());
        cells
    };
    TableView {
        title: format!("{} against {}", metric.rule.name, truth.truth.title()),
        note: String::new(),
        heads: heads(&["figure", "value", "min", "max", "mean", "sd", "what"]),
        rows: FIGURES.iter().map(row).collect(),
    }
}
