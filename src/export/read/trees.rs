//! Trees of files: MIMIC's, CroCo's and DUSt3R's, nerfstudio's.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use glam::DMat4;
use image::RgbImage;

use super::{ReadPair, bytes, checked_depth, json, listed, no_such_pair, of_views, patch_places, pickle, picture};
use crate::camera::{Camera, Intrinsics};
use crate::export::depth::decode_png_mm;
use crate::export::nerfstudio::{TRANSFORMS, flip_y_and_z, z_up_from_y_up};
use crate::export::{ExportError, Format, camera_params, exr, mimic as writer, npy, pair_tree as tree};
use crate::view::{Correspondence, DepthMap};

/// The grid of patches of the released set; larger pictures have as many.
const MIMIC_GRID: u32 = 14;
/// Side of a patch, pixels.
const PATCH: u32 = 16;

/// A line of a list with a head of `head` lines, and the number of lines; only one line is held at a time.
fn line_of(path: &Path, head: usize, index: u64) -> Result<(String, u64), ExportError> {
    let file = File::open(path).map_err(|e| ExportError::read(path, e))?;
    let (mut count, mut found) = (0, None);
    for line in BufReader::new(file).lines().skip(head) {
        let line = line.map_err(|e| ExportError::read(path, e))?;
        if line.trim().is_empty() {
            continue;
        }
        if count == index {
            found = Some(line);
        }
        count += 1;
    }
    match found {
        Some(line) => Ok((line, count)),
        None => Err(no_such_pair(path, index, count)),
    }
}

pub(super) fn mimic(dir: &Path, index: u64) -> Result<ReadPair, ExportError> {
    let list = dir.join(writer::LIST);
    let (line, pairs) = line_of(&list, 1, index)?;
    let mut columns = line.split(',');
    let (Some(first), Some(second)) = (columns.next(), columns.next()) else {
        return Err(ExportError::damaged(&list, format!("line {index} lacks a column")));
    };
    let read = |name: &str| picture(&dir.join(name), &bytes(&dir.join(name))?);
    let pictures = [read(first)?, read(second)?];
    let matches = columns.next().map(str::trim).filter(|name| !name.is_empty());
    let correspondence = match matches {
        Some(name) => dict(&dir.join(name), &pictures[0])?,
        None => Correspondence::default(),
    };
    Ok(ReadPair {
        format: Format::Mimic,
        pairs,
        name: first.into(),
        scene_hash: None,
        matches: patch_places(&correspondence, pictures[0].dimensions(), pictures[1].dimensions()),
        matches_from: "corresponding.npy",
        pictures,
        cameras: None,
        depths: None,
    })
}

/// `corresponding.npy`: patches in a grid of 14, or of patches of 16 pixels where the numbers go beyond that.
fn dict(path: &Path, first: &RgbImage) -> Result<Correspondence, ExportError> {
    let bytes = bytes(path)?;
    let damaged = |why: String| ExportError::damaged(path, why);
    let header = match bytes.get(..10) {
        Some(head) if head.starts_with(b"\x93NUMPY\x01") => 10 + usize::from(u16::from_le_bytes([head[8], head[9]])),
        _ => return Err(damaged("not an .npy file of version 1".into())),
    };
    let pickled = bytes
        .get(header..)
        .ok_or_else(|| damaged("the header is cut off".into()))?;
    let items = pickle::dict_of_ints(pickled).map_err(damaged)?;
    let patch = |n: i64| u16::try_from(n).map_err(|_| ExportError::damaged(path, format!("{n} is no patch")));
    let mut patches = Vec::with_capacity(items.len());
    for (a, b) in items {
        patches.push((patch(a)?, patch(b)?));
    }
    let largest = patches.iter().map(|&(a, b)| a.max(b)).max().unwrap_or(0);
    let by_size = (first.width() / PATCH).max(1);
    let grid = match u32::from(largest) < by_size * by_size {
        true => by_size,
        false => MIMIC_GRID,
    };
    Ok(Correspondence { grid, patches })
}

pub(super) fn pair_tree(dir: &Path, format: Format, index: u64) -> Result<ReadPair, ExportError> {
    let list = dir.join(tree::LIST);
    let (line, pairs) = line_of(&list, 0, index)?;
    let mut paths = line.split_whitespace();
    let (Some(first), Some(second)) = (paths.next(), paths.next()) else {
        return Err(ExportError::damaged(
            &list,
            format!("line {index} does not name two pictures"),
        ));
    };
    let views = [tree_view(&dir.join(first))?, tree_view(&dir.join(second))?];
    let name = first.to_string();
    let [(a, camera_a, depth_a), (b, camera_b, depth_b)] = views;
    let depths = depth_a.zip(depth_b).map(|(a, b)| [a, b]);
    Ok(match camera_a.zip(camera_b) {
        Some((camera_a, camera_b)) => of_views(format, pairs, name, [a, b], [camera_a, camera_b], depths),
        None => ReadPair {
            format,
            pairs,
            name,
            scene_hash: None,
            pictures: [a, b],
            cameras: None,
            depths: None,
            matches: Vec::new(),
            matches_from: "nothing: there are no cameras beside the pictures",
        },
    })
}

type TreeView = (RgbImage, Option<Camera>, Option<DepthMap>);

/// A picture with the camera and the depth that lie beside it, where they do.
fn tree_view(path: &Path) -> Result<TreeView, ExportError> {
    let color = picture(path, &bytes(path)?)?;
    let stem = path.with_extension("");
    let beside = |ending: &str| PathBuf::from(format!("{}{ending}", stem.display()));
    let params = beside("_camera_params.json");
    let camera = match params.exists() {
        true => {
            let decoded = camera_params::decode(&json(&params)?, color.width(), color.height());
            Some(decoded.map_err(|why| ExportError::damaged(&params, why))?)
        }
        false => None,
    };
    let (exr, array) = (beside("_depth.exr"), beside("_depth.npy"));
    let depth = if exr.exists() {
        let depth = exr::decode(&bytes(&exr)?).map_err(|why| ExportError::damaged(&exr, why))?;
        Some(checked_depth(&exr, depth, color.dimensions())?)
    } else if array.exists() {
        let (shape, metres) = npy::read_f32(&array)?;
        let [height, width] = shape[..] else {
            return Err(ExportError::damaged(&array, format!("shape {shape:?} is no depth map")));
        };
        let (width, height) = (width as u32, height as u32);
        let depth = DepthMap { width, height, metres };
        Some(checked_depth(&array, depth, color.dimensions())?)
    } else {
        None
    };
    Ok((color, camera, depth))
}

pub(super) fn nerfstudio(dir: &Path, index: u64) -> Result<ReadPair, ExportError> {
    let own = dir.join(TRANSFORMS);
    let files = match own.exists() {
        true => vec![own],
        false => {
            let scenes = listed(dir, |_| true)?;
            scenes
                .into_iter()
                .map(|scene| scene.join(TRANSFORMS))
                .filter(|f| f.exists())
                .collect()
        }
    };
    let mut before = 0;
    let mut chosen = None;
    for file in files {
        let transforms = json(&file)?;
        let frames = transforms["frames"].as_array().map_or(0, Vec::len) as u64;
        if chosen.is_none() && index < before + frames / 2 {
            chosen = Some((file, transforms, (index - before) as usize));
        }
        before += frames / 2;
    }
    let (file, transforms, place) = chosen.ok_or_else(|| no_such_pair(dir, index, before))?;
    let folder = file.parent().unwrap_or(dir);
    let frame = |n: usize| frame(folder, &file, &transforms, n);
    let [(a, camera_a, depth_a), (b, camera_b, depth_b)] = [frame(2 * place)?, frame(2 * place + 1)?];
    let name = format!("{} frames {} and {}", file.display(), 2 * place, 2 * place + 1);
    let depths = depth_a.zip(depth_b).map(|(a, b)| [a, b]);
    Ok(of_views(
        Format::Nerfstudio,
        before,
        name,
        [a, b],
        [camera_a, camera_b],
        depths,
    ))
}

fn frame(
    folder: &Path,
    file: &Path,
    transforms: &serde_json::Value,
    number: usize,
) -> Result<(RgbImage, Camera, Option<DepthMap>), ExportError> {
    let frame = &transforms["frames"][number];
    let damaged = |why: String| ExportError::damaged(file, why);
    let name = frame["file_path"].as_str();
    let path = folder.join(name.ok_or_else(|| damaged(format!("frame {number} has no file_path")))?);
    let color = picture(&path, &bytes(&path)?)?;
    // Intrinsics stand in the frame or once for all.
    let value = |key: &str| {
        let value = frame[key].as_f64().or_else(|| transforms[key].as_f64());
        value.ok_or_else(|| damaged(format!("frame {number} has no {key}")))
    };
    let intrinsics = Intrinsics {
        fx: value("fl_x")?,
        fy: value("fl_y")?,
        cx: value("cx")?,
        cy: value("cy")?,
        width: color.width(),
        height: color.height(),
    };
    let rows: Option<[[f64; 4]; 4]> = serde_json::from_value(frame["transform_matrix"].clone()).ok();
    let rows = rows.ok_or_else(|| damaged(format!("frame {number} has no 4 x 4 transform_matrix")))?;
    let stored = DMat4::from_cols_array_2d(&rows).transpose();
    let world = match transforms["applied_transform"].is_array() {
        true => z_up_from_y_up().transpose() * stored,
        false => stored,
    };
    let matrix = (world * flip_y_and_z()).transpose().to_cols_array();
    let camera = Camera::from_row_major(intrinsics, &matrix)
        .ok_or_else(|| damaged(format!("the camera of frame {number} is not rigid")))?;
    let depth = match frame["depth_file_path"].as_str() {
        Some(name) => {
            let path = folder.join(name);
            let depth = decode_png_mm(&bytes(&path)?).map_err(|why| ExportError::damaged(&path, why))?;
            Some(checked_depth(&path, depth, color.dimensions())?)
        }
        None => None,
    };
    Ok((color, camera, depth))
}
