//! The columns of the Parquet table, as Parquet and as Hugging Face `datasets` call them.

use serde_json::{Map, Value, json};

use super::depth::encode_png_mm;
use super::{ExportError, PictureFormat, encode_picture};
use crate::view::{Correspondence, Measure, View, ViewPair};

/// Type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A struct of the file's bytes and its name: `datasets` shows it as a picture.
    Picture,
    Text,
    Int32,
    Uint64,
    /// May be null.
    Float64,
    Float64s,
    Int32s,
}

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Picture { bytes: Vec<u8>, path: String },
    Text(String),
    Int32(i32),
    Uint64(u64),
    Float64(Option<f64>),
    Float64s(Vec<f64>),
    Int32s(Vec<i32>),
}

/// Names and types, in the order of the table.
///
/// `depth*` are 16-bit PNG in millimetres (0 where nothing was hit); `K*` has 9 values (row-major, pixel
/// centres at +0.5), `world_from_camera*` 16 (row-major, OpenCV camera axes, world Y up, metres).
pub(super) const COLUMNS: [(&str, Kind); 29] = [
    ("image1", Kind::Picture),
    ("image2", Kind::Picture),
    ("depth1", Kind::Picture),
    ("depth2", Kind::Picture),
    ("scene", Kind::Text),
    ("scene_hash", Kind::Text),
    ("seed", Kind::Uint64),
    ("index", Kind::Uint64),
    ("view1", Kind::Int32),
    ("view2", Kind::Int32),
    ("width", Kind::Int32),
    ("height", Kind::Int32),
    ("K1", Kind::Float64s),
    ("K2", Kind::Float64s),
    ("world_from_camera1", Kind::Float64s),
    ("world_from_camera2", Kind::Float64s),
    ("grid", Kind::Int32),
    ("patches1", Kind::Int32s),
    ("patches2", Kind::Int32s),
    ("true_patches1", Kind::Int32s),
    ("true_patches2", Kind::Int32s),
    ("homography_1to2", Kind::Float64),
    ("homography_2to1", Kind::Float64),
    ("covisibility_1to2", Kind::Float64),
    ("covisibility_2to1", Kind::Float64),
    ("patch_truth_1to2", Kind::Float64),
    ("patch_truth_2to1", Kind::Float64),
    ("croco_1to2", Kind::Float64),
    ("croco_2to1", Kind::Float64),
];

/// The row of a pair, in the order of [`COLUMNS`].
pub(super) fn row(pair: &ViewPair, pictures: PictureFormat) -> Result<Vec<Cell>, ExportError> {
    let origin = &pair.origin;
    let views = [&pair.first, &pair.second];
    let mut cells = Vec::with_capacity(COLUMNS.len());
    for (view, number) in views.into_iter().zip(1..) {
        cells.push(Cell::Picture {
            bytes: encode_picture(&view.color, pictures)?,
            path: format!("{:06}_{number}.{}", origin.index, pictures.extension()),
        });
    }
    for (view, number) in views.into_iter().zip(1..) {
        cells.push(Cell::Picture {
            bytes: encode_png_mm(&view.depth)?,
            path: format!("{:06}_{number}_depth.png", origin.index),
        });
    }
    cells.push(Cell::Text(origin.scene.clone()));
    cells.push(Cell::Text(origin.scene_hash.clone()));
    cells.push(Cell::Uint64(origin.seed));
    cells.push(Cell::Uint64(origin.index));
    cells.extend(origin.views.map(|view| Cell::Int32(view as i32)));
    cells.push(Cell::Int32(pair.first.color.width() as i32));
    cells.push(Cell::Int32(pair.first.color.height() as i32));
    let k = |view: &View| Cell::Float64s(view.camera.intrinsics.matrix_row_major().concat());
    cells.extend(views.map(|view| k(view)));
    cells.extend(views.map(|view| Cell::Float64s(view.camera.world_from_camera_row_major().to_vec())));
    cells.push(Cell::Int32(pair.correspondence.grid as i32));
    for matches in [&pair.correspondence, &pair.true_correspondence] {
        cells.extend(columns_of(matches));
    }
    for measure in [
        Measure::Homography,
        Measure::Covisibility,
        Measure::PatchTruth,
        Measure::Croco,
    ] {
        let overlap = measure.of(&pair.overlaps);
        cells.push(Cell::Float64(overlap.map(|o| o.first_to_second)));
        cells.push(Cell::Float64(overlap.map(|o| o.second_to_first)));
    }
    Ok(cells)
}

fn columns_of(matches: &Correspondence) -> [Cell; 2] {
    let first = matches.patches.iter().map(|p| i32::from(p.0)).collect();
    let second = matches.patches.iter().map(|p| i32::from(p.1)).collect();
    [Cell::Int32s(first), Cell::Int32s(second)]
}

/// The table as Parquet's own text says it.
pub(super) fn message_type() -> String {
    let field = |(name, kind): (&str, Kind)| match kind {
        Kind::Picture => format!("optional group {name} {{ optional binary bytes; optional binary path (STRING); }}"),
        Kind::Text => format!("optional binary {name} (STRING);"),
        Kind::Int32 => format!("optional int32 {name};"),
        Kind::Uint64 => format!("optional int64 {name} (INTEGER(64,false));"),
        Kind::Float64 => format!("optional double {name};"),
        Kind::Float64s => list(name, "double"),
        Kind::Int32s => list(name, "int32"),
    };
    format!("message pair {{ {} }}", COLUMNS.map(field).join(" "))
}

fn list(name: &str, item: &str) -> String {
    format!("optional group {name} (LIST) {{ repeated group list {{ optional {item} element; }} }}")
}

/// What `datasets` wants to know of the columns: the value of the metadata key `huggingface`.
pub(super) fn features() -> Value {
    let value = |dtype: &str| json!({"_type": "Value", "dtype": dtype});
    let sequence = |dtype: &str| json!({"_type": "Sequence", "feature": value(dtype)});
    let feature = |kind: Kind| match kind {
        Kind::Picture => json!({"_type": "Image"}),
        Kind::Text => value("string"),
        Kind::Int32 => value("int32"),
        Kind::Uint64 => value("uint64"),
        Kind::Float64 => value("float64"),
        Kind::Float64s => sequence("float64"),
        Kind::Int32s => sequence("int32"),
    };
    let features: Map<_, _> = COLUMNS
        .map(|(name, kind)| (name.to_string(), feature(kind)))
        .into_iter()
        .collect();
    json!({"info": {"features": features}})
}
