//! `covista overlap A B`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use covista::overlap::{HomographyOverlap, homography_overlap, view_features};
use serde::Serialize;

use super::picture::{MetricArgs, read_working_picture};

/// Arguments of `covista overlap`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// First picture; any size, resized to 224 x 224
    first: PathBuf,
    /// Second picture
    second: PathBuf,
    #[command(flatten)]
    metric: MetricArgs,
}

/// What `--json` prints. `kept` and `reason` are the metric's own verdict; the texture gate belongs to `select`.
#[derive(Debug, Serialize)]
struct Report {
    overlap: Option<f64>,
    first_to_second: Option<f64>,
    second_to_first: Option<f64>,
    keypoints: [usize; 2],
    matches: usize,
    inliers: usize,
    homography: Option<[f64; 9]>,
    patches: BTreeMap<u16, u16>,
    kept: bool,
    reason: Option<&'static str>,
}

/// Runs `covista overlap`.
pub fn run(args: Args) -> anyhow::Result<()> {
    let config = args.metric.config.load()?;
    let first = view_features(&read_working_picture(&args.first)?, &config.overlap);
    let second = view_features(&read_working_picture(&args.second)?, &config.overlap);
    let found = homography_overlap(&first, &second, &config.overlap, args.metric.seed);
    let report = Report::new(
        &found,
        [first.keypoints.len(), second.keypoints.len()],
        found
            .overlap
            .and_then(|o| config.select.refusal_of(o.min()))
            .map(|r| r.name()),
    );
    if args.metric.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print_human(&report);
    }
    Ok(())
}

impl Report {
    fn new(found: &HomographyOverlap, keypoints: [usize; 2], out_of_range: Option<&'static str>) -> Self {
        let reason = found.refusal.map(|r| r.name()).or(out_of_range);
        Self {
            overlap: found.overlap.map(|o| o.min()),
            first_to_second: found.overlap.map(|o| o.first_to_second),
            second_to_first: found.overlap.map(|o| o.second_to_first),
            keypoints,
            matches: found.matches,
            inliers: found.inliers,
            homography: found.homography.filter(|h| h.iter().all(|v| v.is_finite())),
            patches: found.correspondence.patches.iter().copied().collect(),
            kept: reason.is_none(),
            reason,
        }
    }
}

fn print_human(report: &Report) {
    match (report.overlap, report.first_to_second, report.second_to_first) {
        (Some(overlap), Some(there), Some(back)) => println!(
            "overlap {:.1} % (first to second {:.1} %, second to first {:.1} %), {} patch pairs",
            100.0 * overlap,
            100.0 * there,
            100.0 * back,
            report.patches.len()
        ),
        _ => println!("no overlap"),
    }
    println!(
        "{} and {} keypoints, {} matches, {} inliers",
        report.keypoints[0], report.keypoints[1], report.matches, report.inliers
    );
    match report.reason {
        None => println!("kept"),
        Some(reason) => println!("refused: {reason}"),
    }
}
