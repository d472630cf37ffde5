//! A model out of a file.

use std::collections::BTreeSet;
use std::path::Path;

use super::checkpoint::Checkpoint;
use super::layout::{Comparison, Hints, compare, infer};
use crate::train::croco::names::position_tables;
use crate::train::croco::{Croco, CrocoConfig};
use crate::train::device::TrainDevice;
use crate::train::error::TrainError;
use crate::train::params::{self, NamedTensor};

/// Largest difference of a stored position table from the one that the model computes.
const TABLE_TOLERANCE: f32 = 1e-4;

/// A file of weights and the model that they make up.
#[derive(Debug, Clone)]
pub struct ModelFile {
    /// What the file holds.
    pub checkpoint: Checkpoint,
    /// The model.
    pub config: CrocoConfig,
    /// Which of its parameters the file holds.
    pub comparison: Comparison,
}

impl ModelFile {
    /// Reads a file (or the model of a run folder) and finds out which model it holds.
    ///
    /// # Errors
    /// The file cannot be read, is damaged, or holds no CroCo, MIMIC or MAE model. That parameters are missing is
    /// no error yet: see [`Comparison::whole`].
    pub fn read(path: &Path, hints: &Hints) -> Result<Self, TrainError> {
        let checkpoint = Checkpoint::read(path)?;
        let shapes = checkpoint.shapes();
        let config = infer(&shapes, &checkpoint.hints(hints))?;
        Ok(Self {
            comparison: compare(&config, &shapes),
            checkpoint,
            config,
        })
    }

    /// The parameters alone, without what the model has no place for.
    ///
    /// # Errors
    /// A parameter is missing or has another shape, or the stored position tables are not the fixed sine-cosine ones.
    pub fn parameters(self) -> Result<Vec<NamedTensor>, TrainError> {
        let Comparison { missing, misshapen, .. } = &self.comparison;
        if !self.comparison.whole() {
            let names: Vec<&str> = missing.iter().map(|entry| entry.name.as_str()).collect();
            let shapes = misshapen
                .iter()
                .map(|m| format!("{} has shape {:?} where {:?} is wanted", m.name, m.shape, m.wanted));
            let absent = (!names.is_empty()).then(|| {
                let shown = names[..names.len().min(5)].join(", ");
                format!(
                    "{} parameters are missing ({shown}{})",
                    names.len(),
                    if names.len() > 5 { ", ..." } else { "" }
                )
            });
            let reasons: Vec<String> = absent.into_iter().chain(shapes.take(5)).collect();
            return Err(TrainError::Weights(reasons.join("; ")));
        }
        self.check_tables()?;
        let matched: BTreeSet<&str> = self.comparison.matched.iter().map(|e| e.name.as_str()).collect();
        let tensors = self.checkpoint.tensors.into_iter();
        Ok(tensors
            .filter(|tensor| matched.contains(tensor.name.as_str()))
            .collect())
    }

    /// [`Self::parameters`], to start a run of the model `wanted` from; the sides of the images may differ.
    ///
    /// # Errors
    /// As [`Self::parameters`], or the file holds another kind or size of model.
    pub fn parameters_for(self, wanted: &CrocoConfig) -> Result<Vec<NamedTensor>, TrainError> {
        let comparable = CrocoConfig {
            image: wanted.image,
            ..self.config
        };
        if comparable != *wanted {
            return Err(TrainError::Weights(format!(
                "the file holds {}, the run trains {}; set train.architecture, model, decoder, pos and patch to the file's",
                self.config, wanted
            )));
        }
        self.parameters()
    }

    /// Our model computes its tables, so those of the file must be the same.
    fn check_tables(&self) -> Result<(), TrainError> {
        for own in position_tables(&self.config) {
            let Some(stored) = self.checkpoint.tensors.iter().find(|tensor| tensor.name == own.name) else {
                continue;
            };
            let pairs = stored.values.iter().zip(&own.values);
            let off = pairs.fold(0.0f32, |worst, (a, b)| worst.max((a - b).abs()));
            if stored.shape != own.shape || off > TABLE_TOLERANCE || off.is_nan() {
                return Err(TrainError::Weights(format!(
                    "{} of shape {:?} is not the fixed sine-cosine table of shape {:?} (largest difference {off:.1e})",
                    own.name, stored.shape, own.shape
                )));
            }
        }
        Ok(())
    }
}

/// The model that a file or run folder holds, on `device`.
///
/// # Errors
/// As [`ModelFile::read`] and [`ModelFile::parameters`].
pub fn load_model(path: &Path, hints: &Hints, device: &TrainDevice) -> Result<Croco, TrainError> {
    let file = ModelFile::read(path, hints)?;
    let model = Croco::new(file.config, 0, device.burn());
    params::load(model, file.parameters()?)
}
