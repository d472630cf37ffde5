//! The curves of a run.

use super::super::figures::Figure;
use super::super::svg::{Frame, Svg, ticks};
use super::curve::{Bucket, Curve};
use super::input::RunInput;

const FRAME: [f64; 4] = [52.0, 26.0, 346.0, 190.0];
const HEIGHT: f64 = 228.0;

/// Every curve that the log has values for.
pub fn all(input: &RunInput) -> Vec<Figure> {
    let curve = &input.curve;
    if curve.buckets().is_empty() {
        return Vec::new();
    }
    let plain = |title: &str, axis: &str, pick: fn(&Bucket) -> f64, says: String| {
        draw(title, axis, &points(curve, pick), &[], says)
    };
    let total = curve.total();
    vec![
        loss(input),
        plain("Learning rate", "rate of AdamW", Bucket::lr, rate_caption(curve)),
        plain(
            "Gradient norm",
            "norm before clipping",
            Bucket::grad_norm,
            format!("Euclidean norm of all gradients, mean {}.", short(total.grad_norm())),
        ),
        plain(
            "Throughput",
            "pairs a second",
            Bucket::pairs_per_s,
            format!(
                "Pairs trained on over wall time, {:.1} a second over the whole run.",
                total.pairs_per_s()
            ),
        ),
        plain(
            "Waiting for data",
            "% of wall time",
            |bucket| 100.0 * bucket.data_wait(),
            format!(
                "Share of the wall time that training spent waiting for the stream, {:.2} % over the whole run.",
                100.0 * total.data_wait()
            ),
        ),
    ]
}

fn loss(input: &RunInput) -> Figure {
    let line = points(&input.curve, Bucket::loss);
    let (first, last) = (line.first().map_or(0.0, |p| p.1), line.last().map_or(0.0, |p| p.1));
    let best = input
        .validations
        .iter()
        .copied()
        .reduce(|a, b| if b.1 < a.1 { b } else { a });
    let validation = match best {
        Some((step, loss)) => format!(
            " Dots: loss on held-out pairs under fixed masks, lowest {loss:.4} after update {:.0}.",
            step + 1.0
        ),
        None => " No validation was taken (--validate-every).".to_owned(),
    };
    let group = input.curve.buckets().first().map_or(1, |bucket| bucket.count);
    let says = format!(
        "Mean squared error of the hidden patches, 1 being their own variance; from {first:.4} to {last:.4}, mean of \
         {group} {} a point.{validation}",
        if group == 1 { "update" } else { "updates" }
    );
    draw("Loss", "loss (normalised pixels)", &line, &input.validations, says)
}

fn rate_caption(curve: &Curve) -> String {
    let peak = curve.buckets().iter().map(Bucket::lr).fold(0.0, f64::max);
    format!("Linear warm-up, then half a cosine, set anew at every update; highest {peak:.2e}.")
}

fn points(curve: &Curve, pick: fn(&Bucket) -> f64) -> Vec<(f64, f64)> {
    let points = curve.buckets().iter().map(|bucket| (bucket.step(), pick(bucket)));
    points.filter(|point| point.1.is_finite()).collect()
}

fn draw(title: &str, axis: &str, line: &[(f64, f64)], dots: &[(f64, f64)], caption: String) -> Figure {
    let values = || line.iter().chain(dots).map(|point| point.1);
    let low = values().fold(f64::INFINITY, f64::min);
    let high = values().fold(f64::NEG_INFINITY, f64::max);
    let (low, high) = if low <= high { (low, high) } else { (0.0, 1.0) };
    let margin = (0.06 * (high - low)).max(1e-3 * high.abs()).max(1e-9);
    let first = line.first().map_or(0.0, |point| point.0);
    let last = line.iter().chain(dots).map(|point| point.0).fold(first + 1.0, f64::max);
    let frame = Frame {
        x: [first, last],
        y: [low - margin, high + margin],
        area: FRAME,
    };
    let labelled = |range: [f64; 2]| -> Vec<(f64, String)> {
        ticks(range[0], range[1], 5)
            .into_iter()
            .map(|t| (t, short(t)))
            .collect()
    };
    let steps: Vec<_> = ticks(frame.x[0], frame.x[1], 5)
        .into_iter()
        .map(|t| (t, count(t)))
        .collect();
    let mut svg = Svg::new(HEIGHT);
    frame.draw(&mut svg, ("update", &steps), (axis, &labelled(frame.y)));
    svg.path("curve", line.iter().map(|&(x, y)| frame.place(x, y)), false);
    for &(step, value) in dots {
        let [x, y] = frame.place(step, value);
        svg.dot("dot", x, y, 2.6, &format!("after update {:.0}: {value:.4}", step + 1.0));
    }
    Figure {
        svg: svg.finish(&format!("{title}. {caption}")),
        title: title.to_owned(),
        caption,
    }
}

/// A number in few characters.
fn short(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if !(0.001..10_000.0).contains(&size) => format!("{value:.1e}"),
        size if size < 0.1 => format!("{value:.4}"),
        size if size < 10.0 => format!("{value:.2}"),
        _ => format!("{value:.0}"),
    }
}

/// A number of updates, thousands and millions written short.
fn count(value: f64) -> String {
    match value {
        v if v >= 1e6 => format!("{}M", v / 1e6),
        v if v >= 1e4 => format!("{}k", v / 1e3),
        v => format!("{v:.0}"),
    }
}
