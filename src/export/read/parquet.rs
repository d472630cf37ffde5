//! A row of Parquet files.

use std::fs::File;
use std::path::Path;

use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};

use super::{ReadPair, checked_depth, listed, no_such_pair, of_views, patch_places, picture};
use crate::camera::{Camera, Intrinsics};
use crate::export::depth::decode_png_mm;
use crate::export::{ExportError, Format};
use crate::view::Correspondence;

pub(super) fn read(path: &Path, index: u64) -> Result<ReadPair, ExportError> {
    let files = match path.is_dir() {
        true => listed(path, |name| name.ends_with(".parquet"))?,
        false => vec![path.to_path_buf()],
    };
    let mut before = 0;
    let mut found = None;
    for file in files {
        let damaged = |e: ParquetError| ExportError::damaged(&file, e.to_string());
        let opened = File::open(&file).map_err(|e| ExportError::read(&file, e))?;
        let reader = SerializedFileReader::new(opened).map_err(damaged)?;
        for group in 0..reader.num_row_groups() {
            let group = reader.get_row_group(group).map_err(damaged)?;
            let rows = u64::try_from(group.metadata().num_rows()).unwrap_or(0);
            if (before..before + rows).contains(&index) {
                let mut rows = group.get_row_iter(None).map_err(damaged)?;
                let row = rows.nth((index - before) as usize).transpose().map_err(damaged)?;
                found = row.map(|row| (file.clone(), row));
            }
            before += rows;
        }
    }
    let (file, row) = found.ok_or_else(|| no_such_pair(path, index, before))?;
    let name = format!("{} row {index}", file.display());
    of_row(&file, &row, before, name)
}

fn of_row(file: &Path, row: &Row, pairs: u64, name: String) -> Result<ReadPair, ExportError> {
    let lacks = |column: &str| ExportError::damaged(file, format!("there is no column {column} of the right type"));
    let field = |column: &str| {
        row.get_column_iter()
            .find(|(name, _)| *name == column)
            .map(|(_, field)| field)
    };
    let bytes = |column: &str| match field(column) {
        Some(Field::Group(group)) => match group.get_column_iter().find(|(name, _)| *name == "bytes") {
            Some((_, Field::Bytes(bytes))) => Ok(bytes.data().to_vec()),
            _ => Err(lacks(column)),
        },
        Some(Field::Bytes(bytes)) => Ok(bytes.data().to_vec()),
        _ => Err(lacks(column)),
    };
    let numbers = |column: &str| match field(column) {
        Some(Field::ListInternal(list)) => {
            let numbers: Option<Vec<f64>> = list.elements().iter().map(number).collect();
            numbers.ok_or_else(|| lacks(column))
        }
        _ => Err(lacks(column)),
    };
    let pictures = [picture(file, &bytes("image1")?)?, picture(file, &bytes("image2")?)?];
    let camera = |which: usize| -> Result<Camera, ExportError> {
        let k = numbers(["K1", "K2"][which])?;
        let pose = numbers(["world_from_camera1", "world_from_camera2"][which])?;
        let (width, height) = pictures[which].dimensions();
        let camera = <[f64; 16]>::try_from(pose)
            .ok()
            .zip(<[f64; 9]>::try_from(k).ok())
            .and_then(|(pose, k)| {
                let intrinsics = Intrinsics {
                    fx: k[0],
                    fy: k[4],
                    cx: k[2],
                    cy: k[5],
                    width,
                    height,
                };
                Camera::from_row_major(intrinsics, &pose)
            });
        camera.ok_or_else(|| ExportError::damaged(file, "a camera is not a rigid pinhole"))
    };
    let depth = |which: usize| {
        let depth = decode_png_mm(&bytes(["depth1", "depth2"][which])?);
        checked_depth(
            file,
            depth.map_err(|why| ExportError::damaged(file, why))?,
            pictures[which].dimensions(),
        )
    };
    let cameras = [camera(0)?, camera(1)?];
    let depths = [depth(0)?, depth(1)?];
    let mut patches = Vec::new();
    for (a, b) in numbers("true_patches1")?.into_iter().zip(numbers("true_patches2")?) {
        patches.push((a as u16, b as u16));
    }
    let grid = field("grid").and_then(number).unwrap_or(0.0) as u32;
    let places = patch_places(
        &Correspondence { grid, patches },
        pictures[0].dimensions(),
        pictures[1].dimensions(),
    );
    let mut pair = of_views(Format::Parquet, pairs, name, pictures, cameras, Some(depths));
    if !places.is_empty() {
        pair.matches = places;
        pair.matches_from = "true patch correspondences";
    }
    Ok(pair)
}

fn number(field: &Field) -> Option<f64> {
    match field {
        Field::Double(value) => Some(*value),
        Field::Int(value) => Some(f64::from(*value)),
        _ => None,
    }
}
