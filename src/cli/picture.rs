//! Picture files that the command line names.

use std::path::{Path, PathBuf};

use image::RgbImage;

use super::common::ConfigArgs;
use super::exit::Failure;

/// What the subcommands that measure pictures have in common.
#[derive(Debug, Clone, clap::Args)]
pub struct MetricArgs {
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Seed of RANSAC's and the votes' draws
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// As [`covista::mine::read_picture`]; what is wrong is bad input.
pub fn read_picture(path: &Path) -> anyhow::Result<RgbImage> {
    covista::mine::read_picture(path).map_err(|error| Failure::input(error.to_string()))
}

/// As [`covista::mine::read_working_picture`]; what is wrong is bad input.
pub fn read_working_picture(path: &Path) -> anyhow::Result<RgbImage> {
    covista::mine::read_working_picture(path).map_err(|error| Failure::input(error.to_string()))
}

/// Views of the first list.
pub const FIRST: usize = 8;
/// Views of both lists.
pub const VIEWS: usize = 24;

/// The first 24 pictures of a folder in name order.
pub fn sweep_pictures(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    const ENDINGS: [&str; 5] = ["png", "jpg", "jpeg", "webp", "bmp"];
    let refuse = |error| Failure::input(format!("{}: cannot list the folder ({error})", folder.display()));
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
            "{}: a selection needs {VIEWS} pictures (png, jpg, webp or bmp), there are {}",
            folder.display(),
            pictures.len()
        )));
    }
    pictures.truncate(VIEWS);
    Ok(pictures)
}
