//! Poses that others released, as planned pairs.
//!
//! - **CroCo's `metadata.json`**: every object with `positions` (camera centres, world metres) and `orientations`
//!   (quaternions w, x, y, z; camera axes as Habitat's: x right, y up, looking along -z). It holds no intrinsics:
//!   256 x 256 pixels and 60 degrees unless the caller says otherwise.
//! - **Camera files** `*_camera_params.json`, one or a folder of them: `camera_intrinsics`, `R_cam2world`,
//!   `t_cam2world`, camera axes as OpenCV's.
//! - **DUSt3R's `metadata.json`**: `view_batches[batch][view]` with the same keys and `size`; pixel centres at
//!   integers, so half a pixel is added to the principal point.
//!
//! The world is Habitat's in all of them, as here. The first view of a batch makes a pair with each other view.

mod batches;
mod camera_files;
mod croco;
mod dust3r;

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::error::PlanError;
use super::record::{PlannedPair, PlannedPosition};
use crate::camera::Camera;

/// Where a file puts the centre of the top-left pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PixelCentres {
    /// At (0.5, 0.5): a centred principal point is `width / 2`.
    Half,
    /// At (0, 0): a centred principal point is `(width - 1) / 2`.
    Integer,
}

/// What the caller says of files that do not say it themselves.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ImportOptions {
    /// Picture width, pixels.
    pub width: Option<u32>,
    /// Picture height, pixels.
    pub height: Option<u32>,
    /// Horizontal field of view, degrees, for poses without intrinsics.
    pub hfov_deg: Option<f64>,
    /// The convention of the principal points. By default integers in `view_batches`; in camera files whichever
    /// puts the principal point in the middle of the picture, else halves.
    pub centres: Option<PixelCentres>,
}

/// Poses of others.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// What the file was taken for.
    pub kind: &'static str,
    /// The scene as the file names it.
    pub scene: Option<String>,
    /// A position a batch; their scene is left empty for the caller to fill in.
    pub positions: Vec<PlannedPosition>,
}

/// Reads the poses of a file, or of a folder of camera files.
///
/// # Errors
/// [`PlanError::Read`]; [`PlanError::Malformed`] for JSON of another kind or a camera that is none.
pub fn read(path: &Path, options: &ImportOptions) -> Result<Imported, PlanError> {
    let imported = if path.is_dir() {
        camera_files::read_folder(path, options)?
    } else {
        let value = json(path)?;
        if value.get("view_batches").is_some() {
            dust3r::read(&value, options).map_err(|why| PlanError::malformed(path, None, why))?
        } else if value.get("camera_intrinsics").is_some() {
            camera_files::read_batch_of(path, options)?
        } else {
            croco::read(&value, options).map_err(|why| PlanError::malformed(path, None, why))?
        }
    };
    for position in &imported.positions {
        for pair in &position.pairs {
            let checked = pair.checked();
            checked.map_err(|why| PlanError::malformed(path, None, format!("batch {}: {why}", position.index)))?;
        }
    }
    Ok(imported)
}

fn json(path: &Path) -> Result<Value, PlanError> {
    let text = std::fs::read_to_string(path).map_err(|error| PlanError::read(path, error))?;
    serde_json::from_str(&text).map_err(|error| {
        let why = format!("neither a plan of covista nor JSON with poses of CroCo or DUSt3R ({error})");
        PlanError::malformed(path, None, why)
    })
}

/// One batch: the first camera with each of the others. `None` where there are fewer than two.
fn position(index: u64, cameras: &[Camera]) -> Option<PlannedPosition> {
    let (first, others) = cameras.split_first()?;
    let pairs: Vec<PlannedPair> = (1u32..)
        .zip(others)
        .map(|(place, other)| PlannedPair::of_cameras([0, place], [*first, *other]))
        .collect();
    (!pairs.is_empty()).then(|| PlannedPosition {
        scene: String::new(),
        index,
        stops: cameras.iter().map(|camera| camera.eye().to_array()).collect(),
        refused: Default::default(),
        pairs,
        reason: None,
    })
}

/// Paths of a folder, sorted by name.
fn listed(folder: &Path) -> Result<Vec<PathBuf>, PlanError> {
    let entries = std::fs::read_dir(folder).map_err(|error| PlanError::read(folder, error))?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    let mut paths: Vec<PathBuf> = paths
        .collect::<Result<_, _>>()
        .map_err(|error| PlanError::read(folder, error))?;
    paths.sort();
    Ok(paths)
}
