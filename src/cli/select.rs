//! `covista select DIR`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use covista::overlap::{ViewFeatures, view_features};
use covista::select::{Choose, Selection, select_measuring_all};
use rayon::prelude::*;
use serde::Serialize;

use super::exit::Failure;
use super::picture::{FIRST, MetricArgs, read_working_picture, sweep_pictures};

/// Arguments of `covista select`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder of 24 pictures in name order: the first 8 are the first list, the other 16 the second
    folder: PathBuf,
    #[command(flatten)]
    metric: MetricArgs,
}

#[derive(Debug, Serialize)]
struct Report {
    /// Every pair with a homography, whatever the gates say.
    overlaps: Vec<Vec<Option<f64>>>,
    /// `second` counts within the second list.
    best: Option<Best>,
    refused: BTreeMap<String, u64>,
}

#[derive(Debug, Serialize)]
struct Best {
    first: usize,
    second: usize,
    overlap: f64,
}

/// Runs `covista select`.
pub fn run(args: Args) -> anyhow::Result<()> {
    let config = args.metric.config.load()?;
    if config.select.choose == Choose::Random {
        return Err(Failure::arguments(
            "select.choose = \"random\" leaves nothing to measure; this command looks for the smallest overlap in range",
        ));
    }
    let pictures = sweep_pictures(&args.folder)?;
    let features: Vec<ViewFeatures> = pictures
        .par_iter()
        .map(|path| Ok(view_features(&read_working_picture(path)?, &config.overlap)))
        .collect::<anyhow::Result<_>>()?;
    let (first, second) = features.split_at(FIRST);
    let selection = select_measuring_all(first, second, &config.overlap, &config.select, args.metric.seed);
    let report = Report::new(selection);
    if args.metric.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print_human(&report, &pictures);
    }
    Ok(())
}

impl Report {
    fn new(selection: Selection) -> Self {
        Self {
            best: selection.best().map(|c| Best {
                first: c.first,
                second: c.second,
                overlap: c.overlap.min(),
            }),
            refused: selection.refused_by_name(),
            overlaps: selection.overlaps,
        }
    }
}

fn print_human(report: &Report, pictures: &[PathBuf]) {
    match &report.best {
        Some(best) => println!(
            "{} and {} overlap {:.1} %",
            pictures[best.first].display(),
            pictures[FIRST + best.second].display(),
            100.0 * best.overlap
        ),
        None => println!("no pair in range"),
    }
    for (reason, count) in &report.refused {
        println!("refused {count:4}  {reason}");
    }
}
