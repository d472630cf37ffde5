//! A run on disk, written only when asked: `run.json` from its beginning, `model.safetensors` with the key
//! names of released checkpoints at its end.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, TensorView};

use super::croco::Croco;
use super::croco::names::position_tables;
use super::error::TrainError;
use super::params::{NamedTensor, parameters};
use super::record::{RunRecord, RunState};
use super::run::TrainSummary;
use super::step::Trainer;

/// The trained model within a run's folder.
pub(super) const MODEL: &str = "model.safetensors";
/// The running mean of its weights, where one is kept.
pub(super) const MEAN: &str = "ema.safetensors";
/// The record within a run's folder.
pub(super) const RECORD: &str = "run.json";

/// Makes the new folder `out` with the record of a run that begins; metrics, pictures and checkpoints gather there.
///
/// # Errors
/// `out` exists, or it cannot be written; nothing is left behind then.
pub fn begin_run(out: &Path, trainer: &Trainer, state: &RunState) -> Result<(), TrainError> {
    if out.exists() {
        let source = std::io::Error::new(
            std::io::ErrorKind::AlreadyExists,
            "it exists already, name a new folder",
        );
        return Err(failed(source, out));
    }
    let temporary = temporary_beside(out);
    let write = || -> Result<(), TrainError> {
        fs::create_dir_all(&temporary).map_err(|e| failed(e, &temporary))?;
        write_record(&temporary.join(RECORD), trainer, state, None)?;
        fs::rename(&temporary, out).map_err(|e| failed(e, out))
    };
    write().inspect_err(|_| {
        // What is half-written is of no use; the error that stopped it is the one to report.
        let _ = fs::remove_dir_all(&temporary);
    })
}

/// Writes the trained model, the running mean of its weights where one is kept, and the record into the
/// folder `run`.
///
/// # Errors
/// Something cannot be written; each file is whole or as it was.
pub fn finish_run(run: &Path, trainer: &Trainer, state: &RunState, summary: &TrainSummary) -> Result<(), TrainError> {
    clear_leftovers(run);
    let replace = |name: &str, write: &dyn Fn(&Path) -> Result<(), TrainError>| {
        let (path, temporary) = (run.join(name), temporary_beside(&run.join(name)));
        write(&temporary)?;
        fs::rename(&temporary, &path).map_err(|e| failed(e, &path))
    };
    if let Some(mean) = trainer.ema() {
        replace(MEAN, &|path| write_model(path, mean))?;
    }
    replace(MODEL, &|path| write_model(path, trainer.model()))?;
    replace(RECORD, &|path| write_record(path, trainer, state, Some(summary)))
}

fn write_model(path: &Path, model: &Croco) -> Result<(), TrainError> {
    let mut tensors = parameters(model)?;
    tensors.extend(position_tables(&model.config()));
    write_safetensors(path, &tensors)
}

fn write_record(
    path: &Path,
    trainer: &Trainer,
    state: &RunState,
    summary: Option<&TrainSummary>,
) -> Result<(), TrainError> {
    let record = RunRecord {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        device: trainer.device().name().to_owned(),
        config: trainer.config().clone(),
        data: state.data.clone(),
        best: state.best,
        summary: summary.cloned(),
    };
    let text = serde_json::to_string_pretty(&record).map_err(|e| failed(e.into(), path))?;
    fs::write(path, text + "\n").map_err(|e| failed(e, path))
}

fn failed(source: std::io::Error, path: &Path) -> TrainError {
    TrainError::Output {
        source,
        path: path.to_owned(),
    }
}

/// `.NAME.tmp-PID` in the folder of `path`, so that the rename stays on one file system.
fn temporary_beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.tmp-{}", std::process::id()))
}

/// Removes what processes that were killed while they ended this run left of its files.
fn clear_leftovers(run: &Path) {
    for entry in fs::read_dir(run).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let process = [RECORD, MODEL, MEAN]
            .iter()
            .find_map(|file| name.strip_prefix('.')?.strip_prefix(file)?.strip_prefix(".tmp-"));
        if process.is_some_and(|id| !id.is_empty() && id.bytes().all(|digit| digit.is_ascii_digit())) {
            // Best effort: it takes room and harms nobody.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Writes float32 tensors to a safetensors file.
///
/// # Errors
/// The file cannot be written.
pub fn write_safetensors(path: &Path, tensors: &[NamedTensor]) -> Result<(), TrainError> {
    let failed = |reason: String| TrainError::Output {
        source: std::io::Error::other(reason),
        path: path.to_owned(),
    };
    let mut views = Vec::with_capacity(tensors.len());
    for tensor in tensors {
        let bytes = bytemuck::cast_slice(&tensor.values);
        let view = TensorView::new(Dtype::F32, tensor.shape.clone(), bytes).map_err(|e| failed(e.to_string()))?;
        views.push((tensor.name.as_str(), view));
    }
    let format = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    safetensors::serialize_to_file(views, Some(format), path).map_err(|e| failed(e.to_string()))
}

/// Reads every float32 tensor of a safetensors file.
///
/// # Errors
/// The file cannot be read, is damaged, or holds another element type.
pub fn read_safetensors(path: &Path) -> Result<Vec<NamedTensor>, TrainError> {
    let failed = |source| TrainError::Input {
        source,
        path: path.to_owned(),
    };
    let damaged = |reason: String| failed(std::io::Error::new(std::io::ErrorKind::InvalidData, reason));
    let bytes = fs::read(path).map_err(failed)?;
    let file = safetensors::SafeTensors::deserialize(&bytes).map_err(|e| damaged(e.to_string()))?;
    let mut tensors = Vec::new();
    for (name, view) in file.tensors() {
        if view.dtype() != Dtype::F32 {
            return Err(damaged(format!("tensor {name} is {:?}, not F32", view.dtype())));
        }
        let values = view.data().chunks_exact(4);
        tensors.push(NamedTensor {
            shape: view.shape().to_vec(),
            values: values.map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect(),
            name,
        });
    }
    tensors.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(tensors)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_kill_left_is_cleared_and_nothing_else() {
        let run = tempfile::tempdir().unwrap();
        let left = [
            ".run.json.tmp-12",
            ".model.safetensors.tmp-3",
            ".ema.safetensors.tmp-44",
        ];
        let kept = [
            "run.json",
            ".run.json.tmp-",
            ".run.json.tmp-1a",
            ".notes.tmp-12",
            "run.json.tmp-12",
        ];
        for name in left.iter().chain(&kept) {
            fs::write(run.path().join(name), "x").unwrap();
        }
        clear_leftovers(run.path());
        for name in left {
            assert!(!run.path().join(name).exists(), "{name}");
        }
        for name in kept {
            assert!(run.path().join(name).exists(), "{name}");
        }
    }
}
