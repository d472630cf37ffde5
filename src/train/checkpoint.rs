//! Checkpoints: everything a run needs to go on as if it had never stopped.
//!
//! `RUN/checkpoints/00000120/` holds the state after 120 updates: `model.safetensors` (CroCo's key
//! names), `optimizer.safetensors` (`first.KEY`, `second.KEY`, PyTorch's layout), `ema.safetensors` where a
//! running mean of the weights is kept, and `state.json` with the settings, what the run was trained on, and
//! a hash of all of it. A checkpoint appears under its name only when it is whole. Masks,
//! swaps and learning rate are functions of the number of updates, so there is no random state to keep.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::config::TrainConfig;
use super::device::TrainDevice;
use super::error::TrainError;
use super::params::{self, NamedTensor};
use super::precision::LossScale;
use super::record::RunState;
use super::save::{MEAN, MODEL, read_safetensors, write_safetensors};
use super::step::Trainer;

const OPTIMIZER: &str = "optimizer.safetensors";
const STATE: &str = "state.json";

/// What `state.json` holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckpointState {
    /// Version of Covista that wrote it.
    #[serde(default)]
    pub version: String,
    /// Updates made.
    pub updates: u64,
    /// Settings of the run.
    pub config: TrainConfig,
    /// The scale of a float16 loss.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss_scale: Option<LossScale>,
    /// What the run carries beside the trainer.
    #[serde(default)]
    pub run: RunState,
    /// BLAKE3 of the tensor files one after the other and of this record without its hash, hexadecimal.
    pub hash: String,
}

impl CheckpointState {
    fn tensor_files(&self) -> impl Iterator<Item = &'static str> {
        [MODEL, OPTIMIZER]
            .into_iter()
            .chain((self.config.ema_decay > 0.0).then_some(MEAN))
    }

    /// The hash of a checkpoint in `folder` whose record is the JSON of `text`.
    ///
    /// It covers the record as written, not as this build understands it: a field that a later version adds
    /// must not make older checkpoints look damaged.
    fn hash_of(&self, text: &str, folder: &Path) -> Result<String, TrainError> {
        let mut hasher = blake3::Hasher::new();
        for name in self.tensor_files() {
            let path = folder.join(name);
            let file = fs::File::open(&path).map_err(|e| input(e, &path))?;
            hasher.update_reader(file).map_err(|e| input(e, &path))?;
        }
        let mut record: serde_json::Value = serde_json::from_str(text).map_err(|e| input(e.into(), folder))?;
        if let Some(fields) = record.as_object_mut() {
            fields.remove("hash");
        }
        hasher.update(record.to_string().as_bytes());
        Ok(hasher.finalize().to_hex().to_string())
    }
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

    /// Writes the state of `trainer` and removes checkpoints beyond the newest `keep` and the one of the best
    /// validation. Returns its folder.
    ///
    /// # Errors
    /// Something cannot be written; no checkpoint of that name exists then.
    pub fn write(&self, trainer: &Trainer, run: &RunState) -> Result<PathBuf, TrainError> {
        let path = self.path_of(trainer.updates());
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
            if let Some(mean) = trainer.ema() {
                write_safetensors(&temporary.join(MEAN), &params::parameters(mean)?)?;
            }
            let mut state = CheckpointState {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                updates: trainer.updates(),
                config: trainer.config().clone(),
                loss_scale: trainer.loss_scale(),
                run: run.clone(),
                hash: String::new(),
            };
            let state_path = temporary.join(STATE);
            let bare = serde_json::to_string(&state).map_err(|e| output(e.into(), &state_path))?;
            state.hash = state.hash_of(&bare, &temporary)?;
            let text = serde_json::to_string_pretty(&state).map_err(|e| output(e.into(), &state_path))?;
            fs::write(&state_path, text + "\n").map_err(|e| output(e, &state_path))?;
            for name in state.tensor_files().chain([STATE]) {
                let file = temporary.join(name);
                let synced = fs::File::open(&file).and_then(|open| open.sync_all());
                synced.map_err(|e| output(e, &file))?;
            }
            // One of this name, from before a resume, makes way in one step.
            let old = self.folder.join(format!(".{:08}.old", trainer.updates()));
            let _ = fs::remove_dir_all(&old);
            if path.exists() {
                fs::rename(&path, &old).map_err(|e| output(e, &path))?;
            }
            fs::rename(&temporary, &path).map_err(|e| output(e, &path))?;
            // Hidden and without use; that removing it may fail changes nothing.
            let _ = fs::remove_dir_all(&old);
            Ok(())
        };
        write().inspect_err(|_| {
            // What is half-written is of no use; the error that stopped it is the one to report.
            let _ = fs::remove_dir_all(&temporary);
        })?;
        self.prune(run)?;
        Ok(path)
    }

    /// Removes checkpoints beyond the newest ones that stay and the one of the best validation. [`Self::write`] does so;
    /// a process that was killed right after it wrote may not have.
    ///
    /// # Errors
    /// One cannot be removed.
    pub fn prune(&self, run: &RunState) -> Result<(), TrainError> {
        let all = self.list()?;
        let best = run.best.map(|best| self.path_of(best.updates));
        let older = &all[..all.len().saturating_sub(self.keep)];
        for old in older.iter().filter(|old| Some(*old) != best.as_ref()) {
            fs::remove_dir_all(old).map_err(|e| output(e, old))?;
        }
        Ok(())
    }

    /// Where the checkpoint after so many updates lies.
    pub fn path_of(&self, updates: u64) -> PathBuf {
        self.folder.join(format!("{updates:08}"))
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
            if name.len() >= 8 && name.bytes().all(|b| b.is_ascii_digit()) {
                found.push(path);
            }
        }
        // By number: a run of a hundred million updates has longer names.
        found.sort_by_key(|path| path.file_name().map(|name| (name.len(), name.to_owned())));
        Ok(found)
    }

    /// The newest checkpoint that is not damaged, as a trainer that goes on from it, and its record. `damaged` is
    /// told of each that had to be passed over; where a whole one is found, those are renamed to
    /// `damaged-00000120`, out of the way of the checkpoints to come. `None` where there is none.
    ///
    /// # Errors
    /// The folder cannot be read, or a damaged checkpoint cannot be renamed.
    pub fn resume(
        &self,
        device: &TrainDevice,
        mut damaged: impl FnMut(&Path, &TrainError),
    ) -> Result<Option<(Trainer, CheckpointState)>, TrainError> {
        let mut passed: Vec<PathBuf> = Vec::new();
        for path in self.list()?.into_iter().rev() {
            match read(&path, device) {
                Ok(found) => {
                    for path in passed {
                        set_aside(&path)?;
                    }
                    return Ok(Some(found));
                }
                Err(error) => {
                    damaged(&path, &error);
                    passed.push(path);
                }
            }
        }
        Ok(None)
    }
}

fn set_aside(path: &Path) -> Result<(), TrainError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let aside = path.with_file_name(format!("damaged-{name}"));
    // An older wreck of the same name has nothing that this one lacks.
    let _ = fs::remove_dir_all(&aside);
    fs::rename(path, &aside).map_err(|e| output(e, path))
}

/// Whether `folder` looks like a checkpoint.
pub(super) fn is_checkpoint(folder: &Path) -> bool {
    folder.join(STATE).exists()
}

/// The record of the checkpoint in `folder`, held against its hash.
///
/// # Errors
/// A file is missing or damaged.
pub fn read_state(folder: &Path) -> Result<CheckpointState, TrainError> {
    let path = folder.join(STATE);
    let text = fs::read_to_string(&path).map_err(|e| input(e, &path))?;
    let state: CheckpointState = serde_json::from_str(&text).map_err(|e| input(e.into(), &path))?;
    if state.hash_of(&text, folder)? != state.hash {
        let reason = "its files do not have the hash that state.json names";
        let source = std::io::Error::new(std::io::ErrorKind::InvalidData, reason);
        return Err(input(source, folder));
    }
    Ok(state)
}

/// The trainer that the checkpoint in `folder` describes, and its record.
///
/// # Errors
/// A file is missing or damaged, or the tensors do not fit the settings.
pub fn read(folder: &Path, device: &TrainDevice) -> Result<(Trainer, CheckpointState), TrainError> {
    let state = read_state(folder)?;
    let mut trainer = Trainer::new(&state.config, device)?;
    let model = read_safetensors(&folder.join(MODEL))?;
    let moments: Vec<NamedTensor> = read_safetensors(&folder.join(OPTIMIZER))?;
    let mean = (state.config.ema_decay > 0.0).then(|| read_safetensors(&folder.join(MEAN)));
    trainer.restore(model, moments, mean.transpose()?, state.loss_scale, state.updates)?;
    Ok((trainer, state))
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
