//! The default metric against the published one: its spread from seed to seed, and its distance from the geometric truth.
//!
//! The truth is `geometric_overlap(..).patches`: the published patch rule fed with true correspondences. Compared
//! are the cells where every variant has an overlap for every seed. The table printed is the one in the docs.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod common;

use common::sweeps::{Table, deviation, in_range, sets};
use covista::config::Config;
use covista::overlap::HomographyOverlapConfig;

const SEEDS: u64 = 20;

fn config(profile: &str, options: &[&str]) -> HomographyOverlapConfig {
    let options: Vec<String> = options.iter().map(|&o| o.to_owned()).collect();
    Config::load(profile, None, &options).unwrap().overlap
}

/// One table a set and seed.
struct Variant {
    name: &'static str,
    tables: Vec<Vec<Table>>,
}

impl Variant {
    fn new(name: &'static str, config: &HomographyOverlapConfig) -> Self {
        Self {
            name,
            tables: sets().iter().map(|set| set.tables(config, SEEDS)).collect(),
        }
    }

    fn has(&self, set: usize, i: usize, j: usize) -> bool {
        self.tables[set].iter().all(|table| table[i][j].is_some())
    }

    /// Mean standard deviation over seeds, of the given cells.
    fn spread(&self, cells: &[(usize, usize, usize)]) -> f64 {
        let deviations: Vec<Table> = self.tables.iter().map(|tables| deviation(tables)).collect();
        cells
            .iter()
            .filter_map(|&(set, i, j)| deviations[set][i][j])
            .sum::<f64>()
            / cells.len() as f64
    }
}

/// Distance from the truth.
#[derive(Debug)]
struct Errors {
    mean_absolute: f64,
    bias: f64,
    /// Mean absolute error without the bias.
    centred: f64,
    root_mean_square: f64,
    pearson: f64,
    /// Of the pairs kept, how many truly overlap 50-75 %; of those that do, how many are kept.
    precision: f64,
    recall: f64,
}

impl Errors {
    fn of(points: &[(f64, f64)]) -> Self {
        let n = points.len() as f64;
        let mean = |f: &dyn Fn(&(f64, f64)) -> f64| points.iter().map(f).sum::<f64>() / n;
        let bias = mean(&|p| p.0 - p.1);
        let (ours, truth) = (mean(&|p| p.0), mean(&|p| p.1));
        let moment = |f: &dyn Fn(f64, f64) -> f64| mean(&|p| f(p.0 - ours, p.1 - truth));
        let count = |accept: &dyn Fn(bool, bool) -> bool| {
            points.iter().filter(|p| accept(in_range(p.0), in_range(p.1))).count() as f64
        };
        Self {
            mean_absolute: mean(&|p| (p.0 - p.1).abs()),
            bias,
            centred: mean(&|p| (p.0 - p.1 - bias).abs()),
            root_mean_square: mean(&|p| (p.0 - p.1).powi(2)).sqrt(),
            pearson: moment(&|a, b| a * b) / (moment(&|a, _| a * a) * moment(&|_, b| b * b)).sqrt(),
            precision: count(&|kept, is| kept && is) / count(&|kept, _| kept),
            recall: count(&|kept, is| kept && is) / count(&|_, is| is),
        }
    }
}

#[test]
fn the_default_metric_is_steadier_and_nearer_to_the_truth() {
    let variants = [
        Variant::new("opencv", &config("mimic-code", &[])),
        Variant::new("covista", &config("covista", &[])),
        Variant::new("every patch", &config("covista", &["overlap.support_reach_px=1000"])),
        Variant::new("mutual", &config("covista", &["overlap.mutual=true"])),
        Variant::new("exact", &config("covista", &["overlap.votes=exact"])),
        Variant::new("phase_free", &config("covista", &["overlap.votes=phase_free"])),
        Variant::new("reach 32", &config("covista", &["overlap.support_reach_px=32"])),
        Variant::new("reach 64", &config("covista", &["overlap.support_reach_px=64"])),
        Variant::new(
            "opencv, reach 48",
            &config("mimic-code", &["overlap.support_reach_px=48"]),
        ),
    ];
    let everywhere = (0..sets().len()).flat_map(|set| (0..128).map(move |cell| (set, cell / 16, cell % 16)));
    let cells: Vec<_> = everywhere
        .filter(|&(set, i, j)| variants.iter().all(|v| v.has(set, i, j)))
        .collect();
    if cells.is_empty() {
        return;
    }
    let truths: Vec<Option<Table>> = sets().iter().map(|set| set.truth()).collect();
    let mut found = Vec::new();
    for variant in &variants {
        let points: Vec<(f64, f64)> = (cells.iter())
            .filter_map(|&(set, i, j)| {
                truths[set]
                    .as_ref()
                    .and_then(|t| t[i][j])
                    .map(|truth| (set, i, j, truth))
            })
            .flat_map(|(set, i, j, truth)| {
                variant.tables[set]
                    .iter()
                    .filter_map(move |t| t[i][j].map(|v| (v, truth)))
            })
            .collect();
        let (spread, errors) = (variant.spread(&cells), Errors::of(&points));
        println!(
            "{:20} spread {spread:.4} | truth: MAE {:.4} bias {:+.4} without bias {:.4} RMS {:.4} r {:.3} precision {:.3} recall {:.3}",
            variant.name,
            errors.mean_absolute,
            errors.bias,
            errors.centred,
            errors.root_mean_square,
            errors.pearson,
            errors.precision,
            errors.recall
        );
        found.push((spread, errors));
    }
    println!(
        "{} cells, {} with a truth",
        cells.len(),
        cells.iter().filter(|c| truths[c.0].is_some()).count()
    );
    let peers: f64 = cells
        .iter()
        .map(|&(set, i, j)| sets()[set].peer.sd[i][j].unwrap_or(0.0))
        .sum();
    println!("OpenCV's own spread on these cells: {:.4}", peers / cells.len() as f64);
    let [(opencv_spread, opencv), (spread, ours), ..] = found.as_slice() else {
        unreachable!()
    };
    assert!(*spread <= 0.5 * opencv_spread && *spread <= 0.5 * peers / cells.len() as f64);
    // No homography knows what hides what: where every patch votes both estimators overestimate alike. The default
    // asks the inliers how far it holds.
    assert!(
        ours.mean_absolute <= 0.75 * opencv.mean_absolute && ours.root_mean_square <= 0.75 * opencv.root_mean_square
    );
    assert!(ours.bias.abs() <= 0.5 * opencv.bias.abs() && ours.pearson > opencv.pearson);
    assert!(ours.precision > opencv.precision);
}
