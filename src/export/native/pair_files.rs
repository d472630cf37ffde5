//! One pair to the files of its folder, and back.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use image::ImageFormat;
use serde::{Deserialize, Serialize};

use super::record::{PairEntry, RunRecord};
use crate::camera::{Camera, Intrinsics};
use crate::export::{ExportError, PictureFormat, encode_picture, json, npy};
use crate::view::{Correspondence, DepthMap, PairOrigin, PairOverlaps, View, ViewPair};

const PAIR: &str = "pair.json";
const FORMAT: &str = "covista-pair";
const CAMERA_AXES: &str = "x right, y down, z forward (RDF, OpenCV), metres";
const WORLD_AXES: &str = "y up, right-handed, metres";
const PIXEL_CENTRES: &str = "+0.5: the centre of the top-left pixel is (0.5, 0.5); subtract 0.5 from cx and cy \
                             where centres are integers (OpenCV)";
const DEPTH: &str = "z along the optical axis, metres, float32, 0 where nothing was hit";

/// `pair.json`.
#[derive(Debug, Serialize, Deserialize)]
struct PairRecord {
    format: String,
    config_hash: String,
    #[serde(flatten)]
    origin: PairOrigin,
    width: u32,
    height: u32,
    camera_axes: String,
    world_axes: String,
    pixel_centres: String,
    depth: String,
    first: ViewRecord,
    second: ViewRecord,
    overlaps: PairOverlaps,
    correspondence: Correspondence,
    true_correspondence: Correspondence,
}

#[derive(Debug, Serialize, Deserialize)]
struct ViewRecord {
    color: String,
    /// Absent, as all that follows, where only the picture is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    depth: Option<String>,
    #[serde(default, rename = "K", skip_serializing_if = "Option::is_none")]
    k: Option<[[f64; 3]; 3]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    world_from_camera: Option<[f64; 16]>,
}

/// The files of a pair, by name.
///
/// # Errors
///
/// [`ExportError::Unfit`] where picture, depth and camera of a view differ in size.
pub fn encode(pair: &ViewPair, run: &RunRecord) -> Result<BTreeMap<String, Vec<u8>>, ExportError> {
    let mut files = BTreeMap::new();
    let mut view = |name: &str, view: &View| -> Result<ViewRecord, ExportError> {
        check_sizes(name, view, &pair.first)?;
        let color = format!("{name}.{}", run.pictures.extension());
        files.insert(color.clone(), encode_picture(&view.color, run.pictures)?);
        if !view.has_geometry() {
            return Ok(ViewRecord {
                color,
                depth: None,
                k: None,
                world_from_camera: None,
            });
        }
        let depth = format!("{name}.depth.npy");
        let shape = [view.depth.height as usize, view.depth.width as usize];
        files.insert(depth.clone(), npy::encode_f32(&shape, &view.depth.metres)?);
        Ok(ViewRecord {
            color,
            depth: Some(depth),
            k: Some(view.camera.intrinsics.matrix_row_major()),
            world_from_camera: Some(view.camera.world_from_camera_row_major()),
        })
    };
    let record = PairRecord {
        format: FORMAT.into(),
        config_hash: run.config_hash.clone(),
        origin: pair.origin.clone(),
        width: pair.first.color.width(),
        height: pair.first.color.height(),
        camera_axes: CAMERA_AXES.into(),
        world_axes: WORLD_AXES.into(),
        pixel_centres: PIXEL_CENTRES.into(),
        depth: DEPTH.into(),
        first: view("first", &pair.first)?,
        second: view("second", &pair.second)?,
        overlaps: pair.overlaps.clone(),
        correspondence: pair.correspondence.clone(),
        true_correspondence: pair.true_correspondence.clone(),
    };
    files.insert(PAIR.into(), json::pretty(&json::to_value(&record)?).into_bytes());
    Ok(files)
}

/// BLAKE3 of each file.
pub fn hashes(files: &BTreeMap<String, Vec<u8>>) -> BTreeMap<String, String> {
    let hash = |bytes: &Vec<u8>| blake3::hash(bytes).to_hex().to_string();
    files.iter().map(|(name, bytes)| (name.clone(), hash(bytes))).collect()
}

fn check_sizes(name: &str, view: &View, first: &View) -> Result<(), ExportError> {
    let size = first.color.dimensions();
    let intrinsics = &view.camera.intrinsics;
    let depth = match view.has_geometry() {
        true => (view.depth.width, view.depth.height),
        false => size,
    };
    let sizes = [
        ("picture", view.color.dimensions()),
        ("depth", depth),
        ("camera", (intrinsics.width, intrinsics.height)),
    ];
    match sizes.iter().find(|(_, s)| *s != size) {
        None => Ok(()),
        Some((what, got)) => Err(ExportError::Unfit {
            format: "a pair",
            why: format!("the {what} of the {name} view is {got:?}, the first picture {size:?}"),
        }),
    }
}

/// The files of a pair as recorded, every hash checked.
pub fn read_files(folder: &Path, entry: &PairEntry) -> Result<BTreeMap<String, Vec<u8>>, ExportError> {
    let mut files = BTreeMap::new();
    for (name, hash) in &entry.files {
        let path = folder.join(name);
        files.insert(name.clone(), read_verified(&path, hash)?);
    }
    Ok(files)
}

/// The bytes of a file whose BLAKE3 is known.
pub fn read_verified(path: &Path, hash: &str) -> Result<Vec<u8>, ExportError> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(ExportError::damaged(path, "the file is missing"));
        }
        Err(error) => return Err(ExportError::read(path, error)),
    };
    if blake3::hash(&bytes).to_hex().as_str() != hash {
        return Err(ExportError::damaged(path, "its BLAKE3 is not the recorded one"));
    }
    Ok(bytes)
}

/// The overlaps of a recorded pair, without reading its pictures.
pub fn read_overlaps(folder: &Path, entry: &PairEntry) -> Result<PairOverlaps, ExportError> {
    let path = folder.join(PAIR);
    let Some(hash) = entry.files.get(PAIR) else {
        return Err(ExportError::damaged(&path, "the set does not list this file"));
    };
    let bytes = read_verified(&path, hash)?;
    let record: PairRecord = serde_json::from_slice(&bytes).map_err(|e| ExportError::damaged(&path, e.to_string()))?;
    Ok(record.overlaps)
}

/// The pair of `files`, which lie in `folder` (named in errors).
pub fn decode(folder: &Path, files: &BTreeMap<String, Vec<u8>>) -> Result<ViewPair, ExportError> {
    let file = |name: &str| {
        let bytes = files.get(name).map(Vec::as_slice);
        bytes.ok_or_else(|| ExportError::damaged(&folder.join(name), "the file is missing"))
    };
    let damaged = |why: String| ExportError::damaged(&folder.join(PAIR), why);
    let record: PairRecord = serde_json::from_slice(file(PAIR)?).map_err(|e| damaged(e.to_string()))?;
    if record.format != FORMAT {
        return Err(damaged(format!("its format is {:?}, not {FORMAT:?}", record.format)));
    }
    let size = (record.width, record.height);
    let view = |view: &ViewRecord| -> Result<Arc<View>, ExportError> {
        let color_path = folder.join(&view.color);
        let format = match color_path.extension().and_then(|e| e.to_str()) {
            Some(extension) if extension == PictureFormat::Jpeg.extension() => ImageFormat::Jpeg,
            _ => ImageFormat::Png,
        };
        let color = image::load_from_memory_with_format(file(&view.color)?, format)
            .map_err(|e| ExportError::damaged(&color_path, e.to_string()))?
            .into_rgb8();
        if color.dimensions() != size {
            let got = color.dimensions();
            return Err(ExportError::damaged(
                &color_path,
                format!("{got:?} pixels instead of {size:?}"),
            ));
        }
        let Some(depth) = &view.depth else {
            return Ok(Arc::new(View::without_geometry(color)));
        };
        let camera = camera(view, size).ok_or_else(|| damaged("a camera is not a rigid pinhole".into()))?;
        let depth_path = folder.join(depth);
        let (shape, metres) = npy::decode_f32(file(depth)?).map_err(|why| ExportError::damaged(&depth_path, why))?;
        if shape != [size.1 as usize, size.0 as usize] {
            return Err(ExportError::damaged(
                &depth_path,
                format!("shape {shape:?} instead of [height, width] {size:?}"),
            ));
        }
        let depth = DepthMap {
            width: size.0,
            height: size.1,
            metres,
        };
        Ok(Arc::new(View { camera, color, depth }))
    };
    Ok(ViewPair {
        first: view(&record.first)?,
        second: view(&record.second)?,
        overlaps: record.overlaps,
        correspondence: record.correspondence,
        true_correspondence: record.true_correspondence,
        origin: record.origin,
    })
}

fn camera(view: &ViewRecord, (width, height): (u32, u32)) -> Option<Camera> {
    let k = view.k?;
    let intrinsics = Intrinsics {
        fx: k[0][0],
        fy: k[1][1],
        cx: k[0][2],
        cy: k[1][2],
        width,
        height,
    };
    (intrinsics.fx > 0.0 && intrinsics.fy > 0.0)
        .then(|| Camera::from_row_major(intrinsics, &view.world_from_camera?))
        .flatten()
}
