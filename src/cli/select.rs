//! `covista select DIR`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use covista::overlap::{ViewFeatures, view_features};
use covista::select::{Selection, select_measuring_all};
use rayon::prelude::*;
use serde::Serialize;

use super::common::ConfigArgs;
use super::exit::Failure;
use super::overlap::read_picture;

/// Views of the first list.
pub(super) const FIRST: usize = 8;
/// Views of both lists.
pub(super) const VIEWS: usize = 24;

/// Arguments of `covista select`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder of 24 pictures in name order: the first 8 are the first list, the other 16 the second
    folder: PathBuf,
    #[command(flatten)]
    config: ConfigArgs,
    /// Seed of RANSAC's and the votes' draws
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Print JSON
    #[arg(long)]
    json: bool,
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
    let config = args.config.load()?;
    let pictures = sweep_pictures(&args.folder)?;
    let features: Vec<ViewFeatures> = pictures
        .par_iter()
        .map(|path| Ok(view_features(&read_picture(path)?, &config.overlap)))
        .collect::<anyhow::Result<_>>()?;
    let (first, second) = features.split_at(FIRST);
    let selection = select_measuring_all(first, second, &config.overlap, &config.select, args.seed);
    let report = Report::new(selection);
    if args.json {
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

/// The first 24 pictures of a folder in name order.
pub(super) fn sweep_pictures(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    const ENDINGS: [&str; 5] = ["png", "jpg", "jpeg", "webp", "bmp"];
    let refuse = |error| Failure::input(format!("cannot list the folder ({error}): {}", folder.display()));
    let mut pictures = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(refuse)? {
        let path = entry.map_err(refuse)?.path();
        let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase());
        if ending.is_some_and(|e| ENDINGS.contains(&e.as_str())) {
            pictures.push(path);
        }
    }
    pictures.sort();
    if pictures.len() < VIEWS {
        return Err(Failure::input(format!(
            "a selection needs {VIEWS} pictures (png, jpg, webp or bmp), there are {}: {}",
            pictures.len(),
            folder.display()
        )));
    }
    pictures.truncate(VIEWS);
    Ok(pictures)
}
