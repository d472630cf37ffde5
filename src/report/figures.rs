//! The plots of the page, each with the sentence that says what it shows.

use std::collections::BTreeMap;

use super::input::{MOST_MARKS, spread};
use super::svg::{Frame, Svg, WIDTH, ticks};
use crate::export::native::Selection;
use crate::view::PairOverlaps;

/// A plot and the line under it.
#[derive(Debug, serde::Serialize)]
pub struct Figure {
    /// Headline.
    pub title: String,
    /// Inline SVG.
    pub svg: String,
    /// What it says in words, with the figures.
    pub caption: String,
}

const FRAME: [f64; 4] = [44.0, 26.0, 338.0, 190.0];
const HEIGHT: f64 = 228.0;
/// Bins of the histogram: 5 % each.
const BINS: usize = 20;

fn percent(value: f64) -> String {
    format!("{:.0} %", 100.0 * value)
}

fn percent_ticks() -> Vec<(f64, String)> {
    [0.0, 0.25, 0.5, 0.75, 1.0].map(|v| (v, percent(v))).to_vec()
}

fn band(svg: &mut Svg, frame: &Frame, selection: &Selection) {
    let [left, right] = [selection.low, selection.high].map(|v| frame.column(v.clamp(0.0, 1.0)));
    let [_, top, _, bottom] = frame.area;
    svg.rect("band", [left, top, right - left, bottom - top], "kept range");
}

/// Overlap of the kept pairs by the deciding measure, true covisibility beside it.
pub fn histogram(overlaps: &[PairOverlaps], selection: &Selection) -> Figure {
    let count = |values: Vec<f64>| {
        let mut bins = [0u32; BINS];
        for value in &values {
            bins[((value * BINS as f64) as usize).min(BINS - 1)] += 1;
        }
        (bins, values.len())
    };
    let (decided, n) = count(
        overlaps
            .iter()
            .filter_map(|o| selection.measure.of(o))
            .map(|o| o.min())
            .collect(),
    );
    let (truth, n_truth) = count(
        overlaps
            .iter()
            .filter_map(|o| o.covisibility)
            .map(|o| o.min())
            .collect(),
    );
    let most = decided.iter().chain(&truth).copied().max().unwrap_or(0).max(1);

    let frame = Frame {
        x: [0.0, 1.0],
        y: [0.0, f64::from(most) * 1.08],
        area: FRAME,
    };
    let mut svg = Svg::new(HEIGHT);
    band(&mut svg, &frame, selection);
    let counts: Vec<_> = ticks(0.0, f64::from(most), 4)
        .into_iter()
        .filter(|t| t.fract() == 0.0)
        .map(|t| (t, format!("{t:.0}")))
        .collect();
    frame.draw(&mut svg, ("overlap", &percent_ticks()), ("pairs", &counts));
    let slot = (FRAME[2] - FRAME[0]) / BINS as f64;
    for (class, offset, bins, name) in [
        ("first-series", 0.08, &decided, selection.measure.title()),
        ("second-series", 0.52, &truth, "true covisibility"),
    ] {
        for (bin, &pairs) in bins.iter().enumerate().filter(|(_, pairs)| **pairs > 0) {
            let low = bin as f64 / BINS as f64;
            let top = frame.row(f64::from(pairs));
            let hint = format!(
                "{name} {} to {}: {pairs}",
                percent(low),
                percent(low + 1.0 / BINS as f64)
            );
            svg.rect(
                class,
                [frame.column(low) + offset * slot, top, 0.4 * slot, FRAME[3] - top],
                &hint,
            );
        }
    }
    let title = format!("Overlap of the {n} kept pairs");
    let caption = format!(
        "By the deciding measure ({}) and, beside it, true covisibility of {n_truth} pairs. \
         The band is the range that is kept, {} to {}.",
        selection.measure.title(),
        percent(selection.low),
        percent(selection.high)
    );
    Figure {
        svg: svg.finish(&format!("{title}. {caption}")),
        title,
        caption,
    }
}

/// The deciding measure against the truth, a dot a pair up to [`MOST_MARKS`]; `None` without pairs that have both.
pub fn scatter(overlaps: &[PairOverlaps], selection: &Selection) -> Option<Figure> {
    let pairs: Vec<(f64, f64)> = overlaps
        .iter()
        .filter_map(|o| Some((selection.measure.of(o)?.min(), o.covisibility?.min())))
        .collect();
    if pairs.is_empty() {
        return None;
    }
    let n = pairs.len() as f64;
    let inside = |v: f64| v > selection.low && v < selection.high;
    let agree = pairs.iter().filter(|(_, truth)| inside(*truth)).count();
    let offset = pairs.iter().map(|(measure, truth)| measure - truth).sum::<f64>() / n;
    let distance = pairs
        .iter()
        .map(|(measure, truth)| (measure - truth).abs())
        .sum::<f64>()
        / n;

    let frame = Frame {
        x: [0.0, 1.0],
        y: [0.0, 1.0],
        area: FRAME,
    };
    let mut svg = Svg::new(HEIGHT);
    band(&mut svg, &frame, selection);
    frame.draw(
        &mut svg,
        (selection.measure.title(), &percent_ticks()),
        ("true covisibility", &percent_ticks()),
    );
    let [x1, y1] = frame.place(0.0, 0.0);
    let [x2, y2] = frame.place(1.0, 1.0);
    svg.line("diagonal", [x1, y1, x2, y2]);
    let radius = if pairs.len() > 300 { 2.0 } else { 3.2 };
    let drawn = spread(pairs.len(), MOST_MARKS);
    for &number in &drawn {
        let (measure, truth) = &pairs[number];
        let [x, y] = frame.place(measure.clamp(0.0, 1.0), truth.clamp(0.0, 1.0));
        let hint = format!(
            "pair {number}: {} measured, {} true",
            percent(*measure),
            percent(*truth)
        );
        svg.dot("point", x, y, radius, &hint);
    }
    let title = "Measured against true overlap".to_string();
    let caption = format!(
        "{agree} of {} kept pairs lie in the range by true covisibility too ({}). The measure is off by {:.1} points \
         on average (mean of measure minus truth {:+.1}).{}",
        pairs.len(),
        percent(agree as f64 / n),
        100.0 * distance,
        100.0 * offset,
        match drawn.len() {
            all if all == pairs.len() => String::new(),
            some => format!(" {some} of them are drawn."),
        }
    );
    Some(Figure {
        svg: svg.finish(&format!("{title}. {caption}")),
        title,
        caption,
    })
}

/// Counts by name, longest bar first; `None` without any.
pub fn bars(title: &str, what: &str, counts: &BTreeMap<String, u64>) -> Option<Figure> {
    const STEP: f64 = 32.0;
    let mut rows: Vec<_> = counts.iter().filter(|(_, count)| **count > 0).collect();
    rows.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    let most = *rows.first()?.1 as f64;
    let total: u64 = rows.iter().map(|(_, count)| **count).sum();
    let mut svg = Svg::new(rows.len() as f64 * STEP + 4.0);
    for (place, (name, count)) in rows.iter().enumerate() {
        let top = place as f64 * STEP;
        let share = **count as f64 / total as f64;
        svg.text("bar-name", "start", 2.0, top + 12.0, &sentence(name));
        svg.text(
            "bar-count",
            "end",
            WIDTH - 2.0,
            top + 12.0,
            &format!("{count} ({})", percent(share)),
        );
        svg.rect("bar-back", [2.0, top + 17.0, WIDTH - 4.0, 8.0], "");
        svg.rect("bar", [2.0, top + 17.0, (WIDTH - 4.0) * **count as f64 / most, 8.0], "");
    }
    let listed: Vec<_> = rows
        .iter()
        .map(|(name, count)| format!("{} {count}", sentence(name)))
        .collect();
    Some(Figure {
        svg: svg.finish(&format!("{title}: {}", listed.join(", "))),
        title: title.into(),
        caption: format!("{total} {what} refused."),
    })
}

/// A reason as people write it: `too_few_matches` is "too few matches".
pub fn sentence(name: &str) -> String {
    name.replace(['_', '-'], " ")
}

/// The loss by step, with a running mean; `None` without steps.
pub fn loss(losses: &[(u64, f64)]) -> Option<Figure> {
    let finite: Vec<_> = losses.iter().copied().filter(|(_, loss)| loss.is_finite()).collect();
    let (&first, &last) = (finite.first()?, finite.last()?);
    let low = finite.iter().map(|l| l.1).fold(f64::INFINITY, f64::min);
    let high = finite.iter().map(|l| l.1).fold(f64::NEG_INFINITY, f64::max);
    let margin = (0.06 * (high - low)).max(1e-3);
    let frame = Frame {
        x: [first.0 as f64, (last.0 as f64).max(first.0 as f64 + 1.0)],
        y: [low - margin, high + margin],
        area: FRAME,
    };
    let mut svg = Svg::new(HEIGHT);
    let steps: Vec<_> = ticks(frame.x[0], frame.x[1], 5)
        .into_iter()
        .map(|t| (t, format!("{t:.0}")))
        .collect();
    let values: Vec<_> = ticks(frame.y[0], frame.y[1], 5)
        .into_iter()
        .map(|t| (t, short(t)))
        .collect();
    frame.draw(&mut svg, ("step", &steps), ("loss (normalised pixels)", &values));
    svg.path(
        "loss-raw",
        finite.iter().map(|(step, loss)| frame.place(*step as f64, *loss)),
        false,
    );
    let smooth = running_mean(&finite, (finite.len() / 12).max(1));
    svg.path(
        "loss-mean",
        smooth.iter().map(|(step, loss)| frame.place(*step as f64, *loss)),
        false,
    );
    let (from, to) = (
        smooth.first().map_or(first.1, |l| l.1),
        smooth.last().map_or(last.1, |l| l.1),
    );
    let caption = format!(
        "{} values from step {} to {}; the thick line is a running mean, from {from:.3} to {to:.3}.",
        finite.len(),
        first.0,
        last.0
    );
    Some(Figure {
        title: "Loss".into(),
        svg: svg.finish(&format!("Training loss. {caption}")),
        caption,
    })
}

fn short(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

/// Mean over `2 * half + 1` neighbours, fewer at the ends.
fn running_mean(values: &[(u64, f64)], half: usize) -> Vec<(u64, f64)> {
    let mean = |i: usize| {
        let window = &values[i.saturating_sub(half)..(i + half + 1).min(values.len())];
        window.iter().map(|v| v.1).sum::<f64>() / window.len() as f64
    };
    (0..values.len()).map(|i| (values[i].0, mean(i))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::Overlap;

    fn overlaps(measure: f64, truth: f64) -> PairOverlaps {
        let both = |v| {
            Some(Overlap {
                first_to_second: v,
                second_to_first: v,
            })
        };
        PairOverlaps {
            homography: both(measure),
            covisibility: both(truth),
            patch_truth: None,
            croco: None,
        }
    }

    #[test]
    fn the_histogram_counts_every_pair_once() {
        let pairs: Vec<_> = (0..30).map(|i| overlaps(f64::from(i) / 29.0, 0.6)).collect();
        let figure = histogram(&pairs, &Selection::default());
        let counts = |class: &str| -> u32 {
            let mark = format!("class=\"{class}\"");
            let count = |bar: &str| bar.split("</title>").next()?.rsplit(": ").next()?.parse::<u32>().ok();
            figure.svg.split(&mark).skip(1).map(|bar| count(bar).unwrap()).sum()
        };
        assert_eq!((counts("first-series"), counts("second-series")), (30, 30));
        assert!(histogram(&[], &Selection::default()).title.contains("0 kept"));
    }

    #[test]
    fn the_scatter_tells_agreement() {
        let pairs = [overlaps(0.6, 0.65), overlaps(0.6, 0.9), overlaps(0.7, 0.75)];
        let figure = scatter(&pairs, &Selection::default()).unwrap();
        assert!(figure.caption.starts_with("1 of 3 kept pairs"), "{}", figure.caption);
        assert!(figure.caption.contains("off by 13.3 points"), "{}", figure.caption);
        assert_eq!(figure.svg.matches("<circle").count(), 3);
        assert!(scatter(&[], &Selection::default()).is_none());
    }

    #[test]
    fn bars_are_sorted_and_empty_ones_left_out() {
        let counts = BTreeMap::from([("a_b".into(), 2), ("c".into(), 6), ("none".into(), 0)]);
        let figure = bars("Refused", "candidates", &counts).unwrap();
        assert!(figure.svg.contains("Refused: c 6, a b 2"));
        assert!(!figure.svg.contains("none"));
        assert!(bars("Refused", "candidates", &BTreeMap::new()).is_none());
    }

    #[test]
    fn odd_losses_do_not_break_the_curve() {
        assert!(loss(&[]).is_none() && loss(&[(1, f64::NAN)]).is_none());
        let figure = loss(&[(0, 1.0), (1, f64::INFINITY), (2, 1.0)]).unwrap();
        assert!(!figure.svg.contains("NaN") && !figure.svg.contains("inf"));
    }
}
