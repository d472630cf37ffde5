//! `covista overlap A B`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use covista::overlap::{HomographyOverlap, homography_overlap, view_features};
use image::{ImageReader, Limits, RgbImage};
use serde::Serialize;

use super::common::ConfigArgs;
use super::exit::Failure;

/// Memory that decoding one picture may take.
const MAX_DECODED_BYTES: u64 = 1 << 30;
/// Longest side of a picture, pixels.
const MAX_SIDE: u32 = 65_535;

/// Arguments of `covista overlap`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// First picture; any size, resized to 224 x 224
    first: PathBuf,
    /// Second picture
    second: PathBuf,
    #[command(flatten)]
    config: ConfigArgs,
    /// Seed of RANSAC's and the votes' draws
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Print JSON
    #[arg(long)]
    json: bool,
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
    let config = args.config.load()?;
    let first = view_features(&read_picture(&args.first)?, &config.overlap);
    let second = view_features(&read_picture(&args.second)?, &config.overlap);
    let found = homography_overlap(&first, &second, &config.overlap, args.seed);
    let report = Report::new(
        &found,
        [first.keypoints.len(), second.keypoints.len()],
        found
            .overlap
            .and_then(|o| config.select.refusal_of(o.min()))
            .map(|r| r.name()),
    );
    if args.json {
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

/// A picture as 8-bit RGB: grey is spread, 16 bits are reduced, alpha is dropped.
pub(super) fn read_picture(path: &Path) -> anyhow::Result<RgbImage> {
    // Some decoders put a line break into their message.
    let one_line = |what: String| what.split_whitespace().collect::<Vec<_>>().join(" ");
    let refuse = |what: String| Failure::input(format!("{}: {}", one_line(what), path.display()));
    let mut reader = ImageReader::open(path)
        .and_then(ImageReader::with_guessed_format)
        .map_err(|error| refuse(format!("cannot read the picture ({error})")))?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_DECODED_BYTES);
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    reader.limits(limits);
    let picture = reader
        .decode()
        .map_err(|error| refuse(format!("cannot decode the picture ({error})")))?;
    Ok(picture.into_rgb8())
}
