//! What the page of a run is made from.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use image::RgbImage;
use serde::Deserialize;
use serde_json::Value;

use super::curve::{Bucket, Curve};
use crate::export::ExportError;

/// Everything that the page shows. [`RunInput::read`] fills it from the folder of a run, finished or not.
#[derive(Debug, Clone)]
pub struct RunInput {
    /// Where the run lies, as a person would call it.
    pub location: String,
    /// `run.json`.
    pub record: Value,
    /// The updates.
    pub curve: Curve,
    /// (update, loss) of each validation, ascending.
    pub validations: Vec<(f64, f64)>,
    /// Pictures of reconstructions, ascending.
    pub pictures: Vec<RunPicture>,
}

/// What the model completed at one time.
#[derive(Debug, Clone)]
pub struct RunPicture {
    /// Updates made.
    pub updates: u64,
    /// Rows of masked view, reference, reconstruction and target.
    pub sheet: RgbImage,
}

/// A line of `metrics.jsonl`.
#[derive(Deserialize)]
struct Line {
    step: f64,
    loss: f64,
    lr: f64,
    /// None where a float16 gradient overflowed.
    grad_norm: Option<f64>,
    pairs_per_s: f64,
    data_wait: f64,
    seconds: f64,
    validation_loss: Option<f64>,
}

/// Whether `folder` holds a training run.
pub fn is_run(folder: &Path) -> bool {
    folder.join("run.json").is_file()
}

impl RunInput {
    /// Reads the run in `folder`; of its pictures at most `shown`, evenly spread, the first and the last among them.
    ///
    /// # Errors
    /// [`ExportError::Read`] or [`ExportError::Damaged`] where the record or a picture cannot be read. Lines of the
    /// log that are no update are left out: the last one may be half-written.
    pub fn read(folder: &Path, shown: usize) -> Result<Self, ExportError> {
        let path = folder.join("run.json");
        let text = std::fs::read_to_string(&path).map_err(|source| read(&path, source))?;
        let record = serde_json::from_str(&text).map_err(|error| damaged(&path, error.to_string()))?;
        let (curve, validations) = read_log(&folder.join("metrics.jsonl"))?;
        Ok(Self {
            location: folder.display().to_string(),
            record,
            curve,
            validations,
            pictures: read_pictures(&folder.join("pictures"), shown)?,
        })
    }
}

fn read_log(path: &Path) -> Result<(Curve, Vec<(f64, f64)>), ExportError> {
    let (mut curve, mut validations) = (Curve::default(), Vec::new());
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok((curve, validations)),
        Err(error) => return Err(read(path, error)),
    };
    for line in BufReader::new(file).split(b'\n') {
        let Ok(line) = serde_json::from_slice::<Line>(&line.map_err(|error| read(path, error))?) else {
            continue;
        };
        let pairs = line.pairs_per_s * line.seconds;
        let update = [
            line.step,
            line.loss,
            line.lr,
            line.grad_norm.unwrap_or(f64::NAN),
            pairs,
            line.seconds,
            line.data_wait,
        ];
        curve.add(&Bucket::of(update));
        validations.extend(line.validation_loss.map(|loss| (line.step, loss)));
    }
    Ok((curve, validations))
}

fn read_pictures(folder: &Path, shown: usize) -> Result<Vec<RunPicture>, ExportError> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Ok(Vec::new());
    };
    let numbered = |path: PathBuf| {
        let updates = path.file_name()?.to_str()?.strip_suffix(".png")?.parse::<u64>().ok()?;
        Some((updates, path))
    };
    let mut found: Vec<_> = entries.filter_map(|entry| numbered(entry.ok()?.path())).collect();
    found.sort();
    let chosen = super::super::input::spread(found.len(), shown);
    let pictures = chosen.into_iter().map(|number| {
        let (updates, path) = &found[number];
        let bytes = std::fs::read(path).map_err(|source| read(path, source))?;
        let picture = image::load_from_memory_with_format(&bytes, image::ImageFormat::Png);
        let picture = picture.map_err(|error| damaged(path, error.to_string()))?;
        Ok(RunPicture {
            updates: *updates,
            sheet: picture.into_rgb8(),
        })
    });
    pictures.collect()
}

fn read(path: &Path, source: std::io::Error) -> ExportError {
    ExportError::Read {
        path: path.to_owned(),
        source,
    }
}

fn damaged(path: &Path, why: String) -> ExportError {
    ExportError::Damaged {
        path: path.to_owned(),
        why,
    }
}
