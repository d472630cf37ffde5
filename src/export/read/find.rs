//! Which format lies at a path.

use std::path::{Path, PathBuf};

use super::listed;
use crate::export::{ExportError, Format};

/// A recognised output: its format, and its folder (or the one file that was named).
pub(super) struct Found {
    pub(super) format: Format,
    pub(super) dir: PathBuf,
}

pub(super) fn find(path: &Path) -> Result<Found, ExportError> {
    let found = match path.is_dir() {
        true => in_folder(path)?,
        false => of_file(path)?,
    };
    found.ok_or_else(|| ExportError::Unrecognised {
        formats: Format::ALL.map(Format::name).join(", "),
        path: path.to_path_buf(),
    })
}

fn of_file(path: &Path) -> Result<Option<Found>, ExportError> {
    std::fs::metadata(path).map_err(|e| ExportError::read(path, e))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    let single = match extension.as_str() {
        "tar" => Some(Format::Webdataset),
        "parquet" => Some(Format::Parquet),
        "safetensors" => Some(Format::Safetensors),
        _ => None,
    };
    if let Some(format) = single {
        let dir = path.to_path_buf();
        return Ok(Some(Found { format, dir }));
    }
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    match name.as_str() {
        "cameras.bin" | "images.bin" | "points3D.bin" | "cameras.txt" | "images.txt" | "points3D.txt" => {
            Ok(Some(Found {
                format: Format::Colmap,
                dir: parent.to_path_buf(),
            }))
        }
        // The folder of a scene in a tree, and of a pair in a native set.
        "metadata.json" | "pair.json" => in_folder(parent.parent().unwrap_or(parent)),
        _ => in_folder(parent),
    }
}

fn in_folder(dir: &Path) -> Result<Option<Found>, ExportError> {
    let has = |name: &str| dir.join(name).exists();
    let any = |keep: &dyn Fn(&str) -> bool| listed(dir, keep).map(|found| !found.is_empty());
    let below = |name: &str| -> Result<bool, ExportError> {
        Ok(listed(dir, |_| true)?.iter().any(|entry| entry.join(name).exists()))
    };
    let format = if has("manifest.json") || has("progress.jsonl") {
        Format::Native
    } else if has("native") {
        return in_folder(&dir.join("native"));
    } else if has("pairs.csv") {
        Format::Mimic
    } else if has("pairs.txt") {
        match any(&|name| name.starts_with("Habitat_") && name.ends_with("_scenes_train.txt"))? {
            true => Format::Dust3r,
            false => Format::Croco,
        }
    } else if any(&|name| name.ends_with(".tar"))? {
        Format::Webdataset
    } else if any(&|name| name.ends_with(".parquet"))? {
        Format::Parquet
    } else if has("data") && !listed(&dir.join("data"), |name| name.ends_with(".parquet"))?.is_empty() {
        return in_folder(&dir.join("data"));
    } else if any(&|name| name.ends_with(".safetensors"))? {
        Format::Safetensors
    } else if below("first.npy")? {
        Format::Npy
    } else if has("transforms.json") || below("transforms.json")? {
        Format::Nerfstudio
    } else if has("images.txt") || has("images.bin") || has("sparse") || below("sparse")? {
        Format::Colmap
    } else {
        return several(dir);
    };
    Ok(Some(Found {
        format,
        dir: dir.to_path_buf(),
    }))
}

/// A folder of several formats without a native set: the first that tells most.
fn several(dir: &Path) -> Result<Option<Found>, ExportError> {
    let order = [
        Format::Webdataset,
        Format::Parquet,
        Format::Safetensors,
        Format::Npy,
        Format::Croco,
        Format::Dust3r,
        Format::Nerfstudio,
        Format::Colmap,
        Format::Mimic,
    ];
    let inside = order
        .iter()
        .map(|format| dir.join(format.name()))
        .find(|dir| dir.is_dir());
    inside.map_or(Ok(None), |dir| in_folder(&dir))
}
