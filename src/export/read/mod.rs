//! One pair of any format, read back: what `covista show` draws.

mod arrays;
mod colmap;
mod find;
mod parquet;
mod pickle;
mod trees;
mod webdataset;

use std::io::Cursor;
use std::path::Path;

use glam::DVec2;
use image::{ImageReader, RgbImage};

use super::covisible::covisible_points;
use super::native::NativeReader;
use super::{ExportError, Format};
use crate::camera::Camera;
use crate::view::{Correspondence, DepthMap, View, ViewPair};

/// Pixels between the points that depth and pose give, both ways.
const POINT_STEP: u32 = 8;

/// A pair as far as its format tells.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadPair {
    /// The format it was read from.
    pub format: Format,
    /// Pairs that lie there.
    pub pairs: u64,
    /// Which pair it is: folder, key, path or row.
    pub name: String,
    /// BLAKE3 of the scene, hexadecimal, where the format tells it.
    pub scene_hash: Option<String>,
    /// Both pictures.
    pub pictures: [RgbImage; 2],
    /// Both cameras, where the format has them.
    pub cameras: Option<[Camera; 2]>,
    /// Both depth maps in metres, where the format has them.
    pub depths: Option<[DepthMap; 2]>,
    /// Places that show the same thing, pixels of the first and of the second picture, centres at +0.5.
    pub matches: Vec<[DVec2; 2]>,
    /// What the matches come from.
    pub matches_from: &'static str,
}

/// Reads pair `index` (from 0) of a file or folder of any format; folders of several formats are read by
/// their native set.
///
/// # Errors
///
/// [`ExportError::Unrecognised`] where no format is, [`ExportError::NoSuchPair`] where `index` is too large,
/// [`ExportError::Damaged`] where a file makes no sense; read errors.
pub fn read_pair(path: &Path, index: u64) -> Result<ReadPair, ExportError> {
    let found = find::find(path)?;
    let dir = found.dir.as_path();
    match found.format {
        Format::Native => native(dir, index),
        Format::Mimic => trees::mimic(dir, index),
        Format::Croco | Format::Dust3r => trees::pair_tree(dir, found.format, index),
        Format::Nerfstudio => trees::nerfstudio(dir, index),
        Format::Webdataset => webdataset::read(dir, index),
        Format::Parquet => parquet::read(dir, index),
        Format::Colmap => colmap::read(dir, index),
        Format::Safetensors => arrays::safetensors(dir, index),
        Format::Npy => arrays::npy(dir, index),
    }
}

fn native(dir: &Path, index: u64) -> Result<ReadPair, ExportError> {
    let set = NativeReader::open(dir)?;
    let entry = set.entry(index)?;
    let name = dir.join(&entry.folder).display().to_string();
    Ok(of_view_pair(Format::Native, set.len() as u64, name, set.pair(&entry)?))
}

/// A pair that knows everything; its true correspondences are shown, else those that selected it.
fn of_view_pair(format: Format, pairs: u64, name: String, pair: ViewPair) -> ReadPair {
    let (patches, from) = match pair.true_correspondence.patches.is_empty() {
        false => (&pair.true_correspondence, "true patch correspondences"),
        true => (&pair.correspondence, "patch correspondences of the metric"),
    };
    let size = pair.first.color.dimensions();
    let matches = patch_places(patches, size, pair.second.color.dimensions());
    // Pairs that were mined from pictures know neither.
    let known = pair.first.has_geometry() && pair.second.has_geometry();
    let [first, second] = [pair.first, pair.second].map(|view| (*view).clone());
    ReadPair {
        format,
        pairs,
        name,
        scene_hash: Some(pair.origin.scene_hash).filter(|hash| known && !hash.is_empty()),
        cameras: known.then_some([first.camera, second.camera]),
        depths: known.then_some([first.depth, second.depth]),
        pictures: [first.color, second.color],
        matches,
        matches_from: from,
    }
}

/// A pair of two views; the matches come from depth and pose where both are there.
fn of_views(
    format: Format,
    pairs: u64,
    name: String,
    pictures: [RgbImage; 2],
    cameras: [Camera; 2],
    depths: Option<[DepthMap; 2]>,
) -> ReadPair {
    let mut pair = ReadPair {
        format,
        pairs,
        name,
        scene_hash: None,
        pictures,
        cameras: Some(cameras),
        depths,
        matches: Vec::new(),
        matches_from: "nothing: the format holds neither matches nor depth",
    };
    if let Some([first, second]) = &pair.depths {
        let view = |place: usize, depth: &DepthMap| View {
            camera: cameras[place],
            color: pair.pictures[place].clone(),
            depth: depth.clone(),
        };
        let points = covisible_points(&view(0, first), &view(1, second), POINT_STEP);
        pair.matches = points.iter().map(|point| [point.first, point.second]).collect();
        pair.matches_from = "depth and pose";
    }
    pair
}

/// The centres of matching patches.
fn patch_places(matches: &Correspondence, first: (u32, u32), second: (u32, u32)) -> Vec<[DVec2; 2]> {
    let grid = matches.grid.max(1);
    let place = |patch: u16, (width, height): (u32, u32)| {
        let (column, row) = (u32::from(patch) % grid, u32::from(patch) / grid);
        let share = |n: u32, length: u32| (f64::from(n) + 0.5) / f64::from(grid) * f64::from(length);
        DVec2::new(share(column, width), share(row, height))
    };
    let both = |&(a, b): &(u16, u16)| [place(a, first), place(b, second)];
    matches.patches.iter().map(both).collect()
}

fn bytes(path: &Path) -> Result<Vec<u8>, ExportError> {
    std::fs::read(path).map_err(|e| ExportError::read(path, e))
}

fn text(path: &Path) -> Result<String, ExportError> {
    std::fs::read_to_string(path).map_err(|e| ExportError::read(path, e))
}

fn json(path: &Path) -> Result<serde_json::Value, ExportError> {
    serde_json::from_slice(&bytes(path)?).map_err(|e| ExportError::damaged(path, e.to_string()))
}

/// A picture of any kind as 8-bit RGB; `path` names it in errors.
fn picture(path: &Path, bytes: &[u8]) -> Result<RgbImage, ExportError> {
    let damaged = |why: String| ExportError::damaged(path, why);
    let reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|e| damaged(e.to_string()))?;
    Ok(reader.decode().map_err(|e| damaged(e.to_string()))?.into_rgb8())
}

/// A depth map that must have the size of its picture.
fn checked_depth(path: &Path, depth: DepthMap, (width, height): (u32, u32)) -> Result<DepthMap, ExportError> {
    if (depth.width, depth.height) == (width, height) && depth.metres.len() == width as usize * height as usize {
        return Ok(depth);
    }
    let why = format!(
        "depth of {} x {} pixels beside a picture of {width} x {height}",
        depth.width, depth.height
    );
    Err(ExportError::damaged(path, why))
}

fn no_such_pair(path: &Path, index: u64, pairs: u64) -> ExportError {
    let path = path.to_path_buf();
    ExportError::NoSuchPair { index, pairs, path }
}

/// Entries of a folder whose names pass, in name order.
fn listed(dir: &Path, keep: impl Fn(&str) -> bool) -> Result<Vec<std::path::PathBuf>, ExportError> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(|e| ExportError::read(dir, e))? {
        let entry = entry.map_err(|e| ExportError::read(dir, e))?;
        if keep(&entry.file_name().to_string_lossy()) {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}
