//! One update: forward, loss, backward, AdamW.

use burn::optim::{GradientsAccumulator, GradientsParams};

use super::batch::{ViewTensors, draw_swaps};
use super::config::TrainConfig;
use super::croco::patch::patchify;
use super::croco::{Croco, PatchMask};
use super::device::TrainDevice;
use super::error::TrainError;
use super::loss::masked_mse;
use super::optim::{AdamW, global_norm};
use super::params::{self, NamedTensor};
use super::schedule::Schedule;
use crate::stream::PairBatch;

/// What one update did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Update {
    /// Mean loss of its batches.
    pub loss: f32,
    /// Learning rate it used.
    pub lr: f64,
    /// Global gradient norm before clipping.
    pub grad_norm: f64,
}

/// Model, optimiser and counters: everything that a run carries from one update to the next.
#[derive(Debug)]
pub struct Trainer {
    config: TrainConfig,
    device: TrainDevice,
    schedule: Schedule,
    model: Croco,
    optimizer: AdamW,
    updates: u64,
}

impl Trainer {
    /// A fresh model.
    ///
    /// # Errors
    /// The configuration is out of range.
    pub fn new(config: &TrainConfig, device: &TrainDevice) -> Result<Self, TrainError> {
        config.checked()?;
        Ok(Self {
            schedule: Schedule::new(config),
            model: Croco::new(config.croco(), config.seed, device.burn()),
            optimizer: AdamW::new(config),
            updates: 0,
            config: config.clone(),
            device: device.clone(),
        })
    }

    /// The model as it stands.
    pub fn model(&self) -> &Croco {
        &self.model
    }

    /// The optimiser as it stands.
    pub fn optimizer(&self) -> &AdamW {
        &self.optimizer
    }

    /// The settings.
    pub fn config(&self) -> &TrainConfig {
        &self.config
    }

    /// Updates made so far.
    pub fn updates(&self) -> u64 {
        self.updates
    }

    /// Goes on from the parameters and moments of a checkpoint, made after `updates` updates.
    ///
    /// # Errors
    /// The tensors do not fit the model; nothing is replaced then.
    pub fn restore(
        &mut self,
        parameters: Vec<NamedTensor>,
        moments: Vec<NamedTensor>,
        updates: u64,
    ) -> Result<(), TrainError> {
        let model = params::load(self.model.clone(), parameters)?;
        self.optimizer.restore(&model, moments, updates)?;
        self.model = model;
        self.updates = updates;
        Ok(())
    }

    /// Sets how many updates the run is to make in all; the schedule keeps its length.
    pub fn set_steps(&mut self, steps: u64) {
        self.config.schedule_steps = self.config.horizon().max(steps);
        self.config.steps = steps;
    }

    /// One update from `batches` (as many as `accumulate` says), whose gradients are averaged.
    ///
    /// # Errors
    /// A batch has the wrong shape, the device fails, or the loss is no longer finite (the model is
    /// then as it was before).
    pub fn update(&mut self, batches: &[PairBatch]) -> Result<Update, TrainError> {
        let mut accumulator = GradientsAccumulator::<Croco>::new();
        let mut losses = Vec::with_capacity(batches.len());
        for (i, batch) in batches.iter().enumerate() {
            let (loss, grads) = self.gradients(batch, self.updates * self.config.accumulate as u64 + i as u64)?;
            losses.push(loss);
            if batches.len() == 1 {
                return self.apply(grads, loss, 1.0);
            }
            accumulator.accumulate(&self.model, grads);
        }
        let count = batches.len().max(1) as f64;
        let loss = losses.iter().sum::<f32>() / count as f32;
        self.apply(accumulator.grads(), loss, 1.0 / count)
    }

    /// Loss and gradients of one batch, without an update. `index` counts batches over the whole run and
    /// picks masks and swaps.
    ///
    /// # Errors
    /// The batch has the wrong shape, the device fails, or the loss is not finite.
    pub fn gradients(&self, batch: &PairBatch, index: u64) -> Result<(f32, GradientsParams), TrainError> {
        let config = &self.config;
        let count = batch.shape[0];
        let swaps = draw_swaps(count, config.swap, config.seed, index);
        let views = ViewTensors::upload(batch, config.image, &swaps, self.device.burn())?;
        let tokens = config.croco().tokens();
        let mask = PatchMask::draw(count, tokens, config.masked_tokens(), config.seed, index);
        let first = patchify(views.first, config.patch);
        let second = patchify(views.second, config.patch);
        let prediction = self.model.forward(first.clone(), second, &mask);
        let loss = masked_mse(prediction, first, &mask);
        let value = loss
            .clone()
            .try_into_scalar::<f32>()
            .map_err(|error| TrainError::Read(format!("{error:?}")))?;
        if !value.is_finite() {
            return Err(TrainError::Diverged {
                step: self.updates,
                loss: value,
            });
        }
        let mut grads = loss.backward();
        Ok((value, GradientsParams::from_module(&mut grads, &self.model)))
    }

    fn apply(&mut self, grads: GradientsParams, loss: f32, scale: f64) -> Result<Update, TrainError> {
        let lr = self.schedule.rate(self.updates);
        let grad_norm = global_norm(&self.model, &grads)? * scale;
        if !grad_norm.is_finite() {
            return Err(TrainError::Diverged {
                step: self.updates,
                loss: f32::NAN,
            });
        }
        let limit = self.config.clip_norm;
        let clip = if limit > 0.0 && grad_norm > limit {
            limit / grad_norm
        } else {
            1.0
        };
        // Not a clone: parameters that are shared would be copied before they are updated.
        let hollow = Croco::hollow(self.device.burn());
        let model = std::mem::replace(&mut self.model, hollow);
        self.model = self.optimizer.update(model, grads, lr, scale * clip);
        self.updates += 1;
        Ok(Update { loss, lr, grad_norm })
    }
}
