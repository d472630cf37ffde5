//! The plots of the page, each with the sentence that says what it shows.

use super::super::figures::{Figure, sentence};
use super::super::svg::{Frame, Svg, WIDTH};
use crate::validate::{CALIBRATION_BINS, MetricRule, MetricSummary, Summary, TruthKind, TruthSummary};

const FRAME: [f64; 4] = [44.0, 26.0, 338.0, 320.0];
const HEIGHT: f64 = 358.0;
/// Shades of the calibration, faint to full.
const SHADES: f64 = 8.0;

/// Per cent without decimals.
pub fn percent(value: f64) -> String {
    format!("{:.0} %", 100.0 * value)
}

fn percent_ticks() -> Vec<(f64, String)> {
    [0.0, 0.25, 0.5, 0.75, 1.0].map(|v| (v, percent(v))).to_vec()
}

const UNIT: Frame = Frame {
    x: [0.0, 1.0],
    y: [0.0, 1.0],
    area: FRAME,
};

/// The summary against one truth.
pub fn against(metric: &MetricSummary, truth: TruthKind) -> Option<&TruthSummary> {
    metric.truths.iter().find(|summary| summary.truth == truth)
}

/// A figure of the sample itself.
pub fn value(summary: &TruthSummary, key: &str) -> Option<f64> {
    summary.figures.get(key)?.value
}

/// Metric across, truth upwards, answered pairs counted in bins.
pub fn calibration(metric: &MetricSummary, truth: TruthKind) -> Option<Figure> {
    let summary = against(metric, truth)?;
    let most = summary
        .calibration
        .iter()
        .flatten()
        .copied()
        .max()
        .filter(|&most| most > 0)?;
    let mut svg = Svg::new(HEIGHT);
    window(&mut svg, &metric.rule);
    UNIT.draw(
        &mut svg,
        (&metric.rule.name, &percent_ticks()),
        (truth.title(), &percent_ticks()),
    );
    let width = 1.0 / CALIBRATION_BINS as f64;
    for (row, counts) in summary.calibration.iter().enumerate() {
        for (column, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let (left, low) = (column as f64 * width, row as f64 * width);
            // A logarithmic scale: the many pairs that share nothing must not hide the rest.
            let depth = libm::log1p(f64::from(count)) / libm::log1p(f64::from(most));
            let class = format!("heat heat-{}", libm::ceil(SHADES * depth).max(1.0));
            let [x, y] = UNIT.place(left, low + width);
            let [right, bottom] = UNIT.place(left + width, low);
            let hint = format!(
                "metric {} to {}, truth {} to {}: {count} pairs",
                percent(left),
                percent(left + width),
                percent(low),
                percent(low + width)
            );
            svg.rect(&class, [x, y, right - x, bottom - y], &hint);
        }
    }
    let [x1, y1] = UNIT.place(0.0, 0.0);
    let [x2, y2] = UNIT.place(1.0, 1.0);
    svg.line("diagonal", [x1, y1, x2, y2]);
    let tell = |key: &str| value(summary, key).map_or("-".to_owned(), |v| format!("{v:.2}"));
    let title = format!("{} against {}", metric.rule.name, truth.title());
    let caption = format!(
        "Answered pairs, darker for more (logarithmic, at most {most} in a field). Pearson {}, Spearman {}, bias {}, mean \
         absolute error {}. The cross is the window.",
        tell("pearson"),
        tell("spearman"),
        tell("bias"),
        tell("mae")
    );
    Some(Figure {
        svg: svg.finish(&format!("{title}. {caption}")),
        title,
        caption,
    })
}

/// The window on both axes.
fn window(svg: &mut Svg, rule: &MetricRule) {
    let [left, right] = [rule.min_overlap, rule.max_overlap].map(|v| UNIT.column(v));
    let [bottom, top] = [rule.min_overlap, rule.max_overlap].map(|v| UNIT.row(v));
    let [x1, y1, x2, y2] = FRAME;
    svg.rect("band", [left, y1, right - left, y2 - y1], "the filter's window");
    svg.rect("band", [x1, top, x2 - x1, bottom - top], "the window of the truth");
}

/// Which curve: its name in the summary, the key of its area, and words for it.
#[derive(Debug, Clone, Copy)]
pub struct CurveKind {
    name: &'static str,
    area: &'static str,
    title: &'static str,
    axes: [&'static str; 2],
    what: &'static str,
    chance: bool,
}

/// The four curves of a truth.
pub const CURVES: [CurveKind; 4] = [
    CurveKind {
        name: "window_roc",
        area: "window_roc_auc",
        title: "ROC: is it in the window?",
        axes: ["false positive rate", "true positive rate"],
        what: "Positive: truth in the window; score: nearness of the overlap to the middle of the window.",
        chance: true,
    },
    CurveKind {
        name: "window_pr",
        area: "window_pr_auc",
        title: "Precision and recall: is it in the window?",
        axes: ["recall", "precision"],
        what: "The same score and classes.",
        chance: false,
    },
    CurveKind {
        name: "half_roc",
        area: "half_roc_auc",
        title: "ROC: do they share a half?",
        axes: ["false positive rate", "true positive rate"],
        what: "Positive: truth of at least 50 %; score: the overlap.",
        chance: true,
    },
    CurveKind {
        name: "half_pr",
        area: "half_pr_auc",
        title: "Precision and recall: do they share a half?",
        axes: ["recall", "precision"],
        what: "The same score and classes.",
        chance: false,
    },
];

/// Classes of the lines, one a metric.
const LINES: usize = 4;

/// One kind of curve for all metrics; `None` where no metric has it.
pub fn curves(summary: &Summary, truth: TruthKind, kind: CurveKind) -> Option<Figure> {
    let mut svg = Svg::new(HEIGHT);
    UNIT.draw(
        &mut svg,
        (kind.axes[0], &percent_ticks()),
        (kind.axes[1], &percent_ticks()),
    );
    if kind.chance {
        let [x1, y1] = UNIT.place(0.0, 0.0);
        let [x2, y2] = UNIT.place(1.0, 1.0);
        svg.line("diagonal", [x1, y1, x2, y2]);
    }
    let mut legend = Vec::new();
    for (place, metric) in summary.metrics.iter().enumerate() {
        let Some(points) = against(metric, truth)
            .and_then(|s| s.curves.get(kind.name))
            .filter(|c| !c.is_empty())
        else {
            continue;
        };
        let area = against(metric, truth).and_then(|s| value(s, kind.area));
        let class = place % LINES + 1;
        svg.path(
            &format!("curve-line line-{class}"),
            points.iter().map(|[x, y]| UNIT.place(*x, *y)),
            false,
        );
        // Where curves leave room: lower right for ROC, upper right for precision.
        let row = if kind.chance {
            300.0 - 15.0 * legend.len() as f64
        } else {
            42.0 + 15.0 * legend.len() as f64
        };
        let text = format!(
            "{} {}",
            metric.rule.name,
            area.map_or("-".into(), |v| format!("{v:.3}"))
        );
        svg.line(
            &format!("curve-line line-{class}"),
            [316.0, row - 4.0, 332.0, row - 4.0],
        );
        svg.text("label", "end", 310.0, row, &text);
        legend.push(text);
    }
    if legend.is_empty() {
        return None;
    }
    let title = format!("{} ({})", kind.title, truth.title());
    let caption = format!("{} Areas: {}.", kind.what, legend.join(", "));
    Some(Figure {
        svg: svg.finish(&format!("{title}. {caption}")),
        title,
        caption,
    })
}

/// Patch partners of kept pairs as one bar a metric.
pub fn partners(summary: &Summary) -> Option<Figure> {
    const PARTS: [(&str, &str); 4] = [
        ("patch_right", "right"),
        ("patch_off_by_one", "off by one"),
        ("patch_wrong", "wrong"),
        ("patch_no_partner", "no partner"),
    ];
    const STEP: f64 = 40.0;
    let mut svg = Svg::new(STEP * summary.metrics.len() as f64 + 4.0);
    let mut told = Vec::new();
    for metric in &summary.metrics {
        let top = STEP * told.len() as f64;
        let shares = PARTS.map(|(key, _)| against(metric, TruthKind::Patches).and_then(|s| value(s, key)));
        if shares.iter().any(Option::is_none) {
            continue;
        }
        let mut left = 2.0;
        let mut words = Vec::new();
        svg.text("bar-name", "start", 2.0, top + 12.0, &metric.rule.name);
        for (place, ((_, name), share)) in PARTS.iter().zip(shares.into_iter().flatten()).enumerate() {
            let width = (WIDTH - 4.0) * share;
            let text = format!("{name} {}", percent(share));
            svg.rect(&format!("part-{}", place + 1), [left, top + 18.0, width, 14.0], &text);
            left += width;
            words.push(text);
        }
        told.push(format!("{}: {}", metric.rule.name, words.join(", ")));
    }
    if told.is_empty() {
        return None;
    }
    let title = "Patch partners of kept pairs".to_owned();
    let caption = format!("{}.", told.join("; "));
    Some(Figure {
        svg: svg.finish(&format!("{title}. {caption}")),
        title,
        caption,
    })
}

/// What becomes of the pairs that truly lie in the window.
pub fn fates(metric: &MetricSummary, truth: TruthKind) -> Option<Figure> {
    let counts = &against(metric, truth)?.outcomes_of_true_pairs;
    let title = format!("{}: pairs truly in the window ({})", metric.rule.name, truth.title());
    let mut figure = super::super::figures::bars(&title, "pairs", counts)?;
    let total: u64 = counts.values().sum();
    let kept = counts.get("kept").copied().unwrap_or(0);
    let most = counts
        .iter()
        .filter(|(name, _)| *name != "kept")
        .max_by_key(|(_, count)| **count);
    figure.caption = match most {
        Some((name, count)) => format!(
            "{kept} of {total} are kept; most of the others: {} ({count}).",
            sentence(name)
        ),
        None => format!("All {total} are kept."),
    };
    Some(figure)
}
