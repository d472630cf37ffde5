//! Checkpoints: everything a run needs to go on as if it had never stopped.
//!
//! `RUN/checkpoints/00000120/` holds the state after 120 updates: `model.safetensors` (CroCo's key
//! names), `optimizer.safetensors` (`first.KEY`, `second.KEY`, PyTorch's layout) and `state.json` with
//! the settings and a hash of both. A checkpoint appears under its name only when it is whole. Masks,
//! swaps and learning rate are functions of the number of updates, so there is no random state to keep.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::config::TrainConfig;
use super::device::TrainDevice;
use super::error::TrainError;
use super::params::{self, NamedTensor};
use super::save::{read_safetensors, write_safetensors};
use super::step::Trainer;

const MODEL: &str = "model.safetensors";
const OPTIMIZER: &str = "optimizer.safetensors";
const STATE: &str = "state.json";

/// What `state.json` holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckpointState {
    /// Updates made.
    pub updates: u64,
    /// Settings of the run.
    pub config: TrainConfig,
    /// BLAKE3 of the two tensor files, one after the other, hexadecimal.
    pub hash: String,
}

/// The checkpoints of one run.
#[derive(Debug, Clone)]
pub struct Checkpoints {
    folder: PathBuf,
    keep: usize,
}

impl Checkpoints {
    /// The checkpoints under the run folder `run`, of which the newest `keep` (at least one) stay.
    pub fn new(run: &Path, keep: usize) -> Self {
        Self {
            folder: run.join("checkpoints"),
            keep: keep.max(1),
        }
    }

    /// Writes the state of `trainer` and removes checkpoints beyond the newest `keep`. Returns its folder.
    ///
    /// # Errors
    /// Something cannot be written; no checkpoint of that name exists then.
    pub fn write(&self, trainer: &Trainer) -> Result<PathBuf, TrainError> {
        let path = self.folder.join(format!("{:08}", trainer.updates()));
        let temporary = self.folder.join(format!(".{:08}.tmp", trainer.updates()));
        let write = || -> Result<(), TrainError> {
            // What a killed process left behind under this very name is of no use.
            let _ = fs::remove_dir_all(&temporary);
            fs::create_dir_all(&temporary).map_err(|e| output(e, &temporary))?;
            write_safetensors(&temporary.join(MODEL), &params::parameters(trainer.model())?)?;
            write_safetensors(
                &temporary.join(OPTIMIZER),
                &trainer.optimizer().tensors(trainer.model())?,
            )?;
            let state = CheckpointState {
                updates: trainer.updates(),
                config: trainer.config().clone(),
                hash: hash(&temporary)?,
            };
            let state_path = temporary.join(STATE);
            let text = serde_json::to_string_pretty(&state).map_err(|e| output(e.into(), &state_path))?;
            fs::write(&state_path, text + "\n").map_err(|e| output(e, &state_path))?;
            for name in [MODEL, OPTIMIZER, STATE] {
                let file = temporary.join(name);
                let synced = fs::File::open(&file).and_then(|open| open.sync_all());
                synced.map_err(|e| output(e, &file))?;
            }
            if path.exists() {
                fs::remove_dir_all(&path).map_err(|e| output(e, &path))?;
            }
            fs::rename(&temporary, &path).map_err(|e| output(e, &path))
        };
        write().inspect_err(|_| {
            // What is half-written is of no use; the error that stopped it is the one to report.
            let _ = fs::remove_dir_all(&temporary);
        })?;
        let all = self.list()?;
        for old in &all[..all.len().saturating_sub(self.keep)] {
            fs::remove_dir_all(old).map_err(|e| output(e, old))?;
        }
        Ok(path)
    }

    /// Folders of whole checkpoints, oldest first; empty where there are none.
    ///
    /// # Errors
    /// The folder exists but cannot be read.
    pub fn list(&self) -> Result<Vec<PathBuf>, TrainError> {
        if !self.folder.exists() {
            return Ok(Vec::new());
        }
        let entries = fs::read_dir(&self.folder).map_err(|e| input(e, &self.folder))?;
        let mut found = Vec::new();
        for entry in entries {
            let path = entry.map_err(|e| input(e, &self.folder))?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.len() == 8 && name.bytes().all(|b| b.is_ascii_digit()) {
                found.push(path);
            }
        }
        found.sort();
        Ok(found)
    }

    /// The newest checkpoint that is not damaged, as a trainer that goes on from it. `damaged` is told of
    /// each that had to be passed over. `None` where there is none.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn resume(
        &self,
        device: &TrainDevice,
        mut damaged: impl FnMut(&Path, &TrainError),
    ) -> Result<Option<Trainer>, TrainError> {
        for path in self.list()?.into_iter().rev() {
            match read(&path, device) {
                Ok(trainer) => return Ok(Some(trainer)),
                Err(error) => damaged(&path, &error),
            }
        }
        Ok(None)
    }
}

/// The trainer that the checkpoint in `folder` describes.
///
/// # Errors
/// A file is missing or damaged, or the tensors do not fit the settings.
pub fn read(folder: &Path, device: &TrainDevice) -> Result<Trainer, TrainError> {
    let path = folder.join(STATE);
    let text = fs::read_to_string(&path).map_err(|e| input(e, &path))?;
    let state: CheckpointState = serde_json::from_str(&text).map_err(|e| input(e.into(), &path))?;
    if hash(folder)? != state.hash {
        let reason = "the tensors do not have the hash that state.json names";
        let source = std::io::Error::new(std::io::ErrorKind::InvalidData, reason);
        return Err(input(source, folder));
    }
    let mut trainer = Trainer::new(&state.config, device)?;
    let model = read_safetensors(&folder.join(MODEL))?;
    let moments: Vec<NamedTensor> = read_safetensors(&folder.join(OPTIMIZER))?;
    trainer.restore(model, moments, state.updates)?;
    Ok(trainer)
}

fn hash(folder: &Path) -> Result<String, TrainError> {
    let mut hasher = blake3::Hasher::new();
    for name in [MODEL, OPTIMIZER] {
        let path = folder.join(name);
        let file = fs::File::open(&path).map_err(|e| input(e, &path))?;
        hasher.update_reader(file).map_err(|e| input(e, &path))?;
    }
    Ok(hasher.finalize().to_hex().to_string())
}

fn input(source: std::io::Error, path: &Path) -> TrainError {
    TrainError::Input {
        source,
        path: path.to_owned(),
    }
}

fn output(source: std::io::Error, path: &Path) -> TrainError {
    TrainError::Output {
        source,
        path: path.to_owned(),
    }
}
