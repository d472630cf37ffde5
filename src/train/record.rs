//! What a run remembers of itself, and how a run's folder is read back.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::checkpoint::{self, Checkpoints};
use super::config::TrainConfig;
use super::croco::Croco;
use super::device::TrainDevice;
use super::error::TrainError;
use super::params::{self, NamedTensor};
use super::run::TrainSummary;
use super::save::{MEAN, MODEL, RECORD, read_safetensors};
use crate::stream::{SceneSeen, StreamPlace};

/// Which pairs made a run: enough to make them again, and to tell which scenes the model has seen.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct DataRecord {
    /// Name of the profile that the configuration started from.
    pub profile: String,
    /// The scenes as the user named them.
    pub sources: Vec<String>,
    /// Place of this process among those that share the scenes, from 0.
    pub rank: u64,
    /// How many processes share the scenes; 0 where that was not kept, and means 1.
    pub world_size: u64,
    /// Seed of positions and draws.
    pub seed: u64,
    /// The adapter that renders.
    pub adapter: String,
    /// BLAKE3 (hexadecimal) of the sections that decide which pairs are made.
    pub config_hash: String,
    /// The whole resolved configuration.
    pub config: serde_json::Value,
    /// Every scene whose pairs came into the ring, in the order of their first pair.
    pub scenes: Vec<SceneSeen>,
}

impl DataRecord {
    /// Adds those of `scenes` that are not yet listed.
    pub fn add_scenes(&mut self, scenes: &[SceneSeen]) {
        for scene in scenes {
            if !self.scenes.contains(scene) {
                self.scenes.push(scene.clone());
            }
        }
    }
}

/// The validation that came out lowest.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Best {
    /// Updates made when it was taken.
    pub updates: u64,
    /// Its loss, as in training.
    pub loss: f64,
}

/// How often a run looks at itself and saves; kept with the run, so that a resumed one goes on alike.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Cadence {
    /// Updates from one checkpoint to the next; 0: only when interrupted.
    pub save_every: u64,
    /// How many of the newest checkpoints stay; the best by validation stays besides.
    pub keep: usize,
    /// Updates from one validation to the next; 0: none.
    pub validate_every: u64,
    /// Held-out pairs.
    pub validation_pairs: usize,
    /// Scene of the held-out pairs; none: other positions of the first training scene.
    pub validation_scene: Option<String>,
    /// Updates from one picture of reconstructions to the next; 0: none.
    pub pictures_every: u64,
    /// Whether TensorBoard's events are written.
    pub tensorboard: bool,
}

impl Default for Cadence {
    fn default() -> Self {
        Self {
            save_every: 500,
            keep: 3,
            validate_every: 0,
            validation_pairs: 32,
            validation_scene: None,
            pictures_every: 0,
            tensorboard: false,
        }
    }
}

/// What a run carries from one update to the next beside the trainer.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RunState {
    /// What it is trained on.
    pub data: DataRecord,
    /// Its best validation so far.
    pub best: Option<Best>,
    /// How often it looks at itself.
    pub cadence: Cadence,
    /// Where its stream stood after the last update; none in checkpoints that did not keep it.
    pub stream: Option<StreamPlace>,
}

/// What `run.json` holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Version of Covista that trained.
    pub version: String,
    /// Where it trained last.
    #[serde(default)]
    pub device: String,
    /// Settings of the training.
    pub config: TrainConfig,
    /// What it was trained on; empty in records of versions that did not keep it.
    #[serde(default)]
    pub data: DataRecord,
    /// Its best validation, whose checkpoint is kept.
    #[serde(default)]
    pub best: Option<Best>,
    /// What it came to; none while it goes on.
    pub summary: Option<TrainSummary>,
}

/// A run read back from its folder: the finished one, or else the newest whole checkpoint of one that goes on.
#[derive(Debug, Clone)]
pub struct SavedRun {
    /// The folder it was read from.
    pub folder: PathBuf,
    /// Updates that made the weights.
    pub updates: u64,
    /// What the run remembers.
    pub record: RunRecord,
    tensors: Vec<NamedTensor>,
}

impl SavedRun {
    /// Reads the run in `folder`, or a single checkpoint (`RUN/checkpoints/00000120`). The weights are the
    /// running mean where the run kept one.
    ///
    /// # Errors
    /// [`TrainError::Input`]: there is no run, or a file of it is damaged.
    pub fn open(folder: &Path) -> Result<Self, TrainError> {
        if folder.join(MODEL).exists() && folder.join(RECORD).exists() {
            let path = folder.join(RECORD);
            let text = fs::read_to_string(&path).map_err(|e| failed(e, &path))?;
            let record: RunRecord = serde_json::from_str(&text).map_err(|e| failed(e.into(), &path))?;
            let weights = if record.config.ema_decay > 0.0 { MEAN } else { MODEL };
            return Ok(Self {
                folder: folder.to_owned(),
                updates: record.summary.as_ref().map_or(0, |summary| summary.steps),
                record,
                tensors: read_safetensors(&folder.join(weights))?,
            });
        }
        if checkpoint::is_checkpoint(folder) {
            return Self::from_checkpoint(folder);
        }
        let mut why = None;
        for path in Checkpoints::new(folder, 1).list()?.into_iter().rev() {
            match Self::from_checkpoint(&path) {
                Ok(run) => return Ok(run),
                Err(error) => why = why.or(Some(error)),
            }
        }
        let missing = || {
            let what = "no training run: neither model.safetensors with run.json nor a checkpoint lies there";
            failed(std::io::Error::new(std::io::ErrorKind::NotFound, what), folder)
        };
        Err(why.unwrap_or_else(missing))
    }

    fn from_checkpoint(folder: &Path) -> Result<Self, TrainError> {
        let state = checkpoint::read_state(folder)?;
        let weights = if state.config.ema_decay > 0.0 { MEAN } else { MODEL };
        let tensors = read_safetensors(&folder.join(weights))?;
        Ok(Self {
            folder: folder.to_owned(),
            updates: state.updates,
            record: RunRecord {
                version: state.version,
                device: String::new(),
                config: state.config,
                data: state.run.data,
                best: state.run.best,
                summary: None,
            },
            tensors,
        })
    }

    /// The weights by CroCo's key names, in PyTorch's layout.
    pub fn tensors(&self) -> &[NamedTensor] {
        &self.tensors
    }

    /// The model with its weights on `device`.
    ///
    /// # Errors
    /// The settings are out of range, or the weights do not fit the model that they describe.
    pub fn model(&self, device: &TrainDevice) -> Result<Croco, TrainError> {
        let config = &self.record.config;
        config.checked()?;
        let fresh = Croco::new(config.croco(), config.seed, device.burn());
        params::load(fresh, self.tensors.clone())
    }
}

fn failed(source: std::io::Error, path: &Path) -> TrainError {
    TrainError::Input {
        source,
        path: path.to_owned(),
    }
}
