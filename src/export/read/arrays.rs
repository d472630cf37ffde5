//! A row of safetensors or npy batches.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use glam::DVec2;
use image::RgbImage;
use safetensors::SafeTensors;

use super::{ReadPair, bytes, listed, no_such_pair, of_views, patch_places};
use crate::camera::{Camera, Intrinsics};
use crate::export::{ExportError, Format};
use crate::view::{Correspondence, DepthMap};

/// An array of a batch: its shape and its bytes, little-endian.
struct Array {
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

/// The arrays that a picture of a pair needs.
const NEEDED: [&str; 9] = [
    "first",
    "second",
    "first_depth",
    "second_depth",
    "first_K",
    "second_K",
    "first_world_from_camera",
    "second_world_from_camera",
    "true_matches",
];

pub(super) fn safetensors(path: &Path, index: u64) -> Result<ReadPair, ExportError> {
    let files = match path.is_dir() {
        true => listed(path, |name| name.ends_with(".safetensors"))?,
        false => vec![path.to_path_buf()],
    };
    let read = |file: &PathBuf| -> Result<BTreeMap<&'static str, Array>, ExportError> {
        let data = bytes(file)?;
        let damaged = |e: safetensors::SafeTensorError| ExportError::damaged(file, e.to_string());
        let tensors = SafeTensors::deserialize(&data).map_err(damaged)?;
        let mut arrays = BTreeMap::new();
        for name in NEEDED {
            let tensor = tensors.tensor(name).map_err(damaged)?;
            let (shape, bytes) = (tensor.shape().to_vec(), tensor.data().to_vec());
            arrays.insert(name, Array { shape, bytes });
        }
        Ok(arrays)
    };
    find(Format::Safetensors, path, index, files, read)
}

pub(super) fn npy(path: &Path, index: u64) -> Result<ReadPair, ExportError> {
    let own = path.join("first.npy").exists();
    let folders = match own {
        true => vec![path.to_path_buf()],
        false => listed(path, |name| path.join(name).join("first.npy").exists())?,
    };
    let read = |folder: &PathBuf| -> Result<BTreeMap<&'static str, Array>, ExportError> {
        let mut arrays = BTreeMap::new();
        for name in NEEDED {
            let file = folder.join(format!("{name}.npy"));
            let data = bytes(&file)?;
            let (shape, at) = crate::export::npy::shape_of(&data).map_err(|why| ExportError::damaged(&file, why))?;
            let bytes = data[at..].to_vec();
            arrays.insert(name, Array { shape, bytes });
        }
        Ok(arrays)
    };
    find(Format::Npy, path, index, folders, read)
}

fn find(
    format: Format,
    path: &Path,
    index: u64,
    batches: Vec<PathBuf>,
    read: impl Fn(&PathBuf) -> Result<BTreeMap<&'static str, Array>, ExportError>,
) -> Result<ReadPair, ExportError> {
    let mut before = 0;
    let mut found = None;
    for batch in batches {
        let arrays = read(&batch)?;
        let rows = arrays["first"].shape.first().copied().unwrap_or(0) as u64;
        if (before..before + rows).contains(&index) {
            let row = (index - before) as usize;
            let name = format!("{} row {row}", batch.display());
            found = Some(of_row(format, &batch, &arrays, row, name)?);
        }
        before += rows;
    }
    let mut pair = found.ok_or_else(|| no_such_pair(path, index, before))?;
    pair.pairs = before;
    Ok(pair)
}

fn of_row(
    format: Format,
    batch: &Path,
    arrays: &BTreeMap<&'static str, Array>,
    row: usize,
    name: String,
) -> Result<ReadPair, ExportError> {
    let damaged = |what: &str| ExportError::damaged(batch, format!("the array {what} has another type or shape"));
    // The bytes of one row, which must be `count` items of `size` bytes.
    let slice = |what: &'static str, size: usize| -> Result<(&[usize], &[u8]), ExportError> {
        let array = &arrays[what];
        let shape = array.shape.get(1..).unwrap_or_default();
        let length = shape.iter().try_fold(size, |n, &d| n.checked_mul(d));
        let bytes = length.and_then(|length| array.bytes.get(row.checked_mul(length)?..)?.get(..length));
        bytes.map(|bytes| (shape, bytes)).ok_or_else(|| damaged(what))
    };
    let f64s = |what| -> Result<Vec<f64>, ExportError> { Ok(items(slice(what, 8)?.1, f64::from_le_bytes)) };
    let view = |names: [&'static str; 4]| -> Result<(RgbImage, Camera, DepthMap), ExportError> {
        let (shape, color) = slice(names[0], 1)?;
        let [h, w, 3] = *shape else {
            return Err(damaged(names[0]));
        };
        let (width, height) = (w as u32, h as u32);
        let color = RgbImage::from_raw(width, height, color.to_vec()).ok_or_else(|| damaged(names[0]))?;
        let (shape, depth) = slice(names[1], 4)?;
        if shape != [h, w] {
            return Err(damaged(names[1]));
        }
        let metres = items(depth, f32::from_le_bytes);
        let k = <[f64; 9]>::try_from(f64s(names[2])?).map_err(|_| damaged(names[2]))?;
        let pose = <[f64; 16]>::try_from(f64s(names[3])?).map_err(|_| damaged(names[3]))?;
        let intrinsics = Intrinsics {
            fx: k[0],
            fy: k[4],
            cx: k[2],
            cy: k[5],
            width,
            height,
        };
        let camera = Camera::from_row_major(intrinsics, &pose).ok_or_else(|| damaged(names[3]))?;
        Ok((color, camera, DepthMap { width, height, metres }))
    };
    let (a, camera_a, depth_a) = view(["first", "first_depth", "first_K", "first_world_from_camera"])?;
    let (b, camera_b, depth_b) = view(["second", "second_depth", "second_K", "second_world_from_camera"])?;
    let (shape, rows) = slice("true_matches", 4)?;
    let grid = (shape.first().copied().unwrap_or(0) as f64).sqrt() as u32;
    let rows = items(rows, i32::from_le_bytes);
    let patches = rows
        .chunks_exact(2)
        .filter(|pair| pair[0] >= 0)
        .map(|pair| (pair[0] as u16, pair[1] as u16));
    let matches = Correspondence {
        grid,
        patches: patches.collect(),
    };
    let places: Vec<[DVec2; 2]> = patch_places(&matches, a.dimensions(), b.dimensions());
    let mut pair = of_views(format, 0, name, [a, b], [camera_a, camera_b], Some([depth_a, depth_b]));
    if !places.is_empty() {
        pair.matches = places;
        pair.matches_from = "true patch correspondences";
    }
    Ok(pair)
}

fn items<T, const N: usize>(bytes: &[u8], read: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes
        .chunks_exact(N)
        .filter_map(|chunk| chunk.try_into().ok())
        .map(read)
        .collect()
}
