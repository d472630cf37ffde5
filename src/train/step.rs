//! One update: forward, loss, backward, AdamW.

use burn::module::Module;
use burn::optim::{GradientsAccumulator, GradientsParams};

use super::augment::Framing;
use super::batch::{Batch, ViewTensors, draw_swaps};
use super::config::TrainConfig;
use super::croco::patch::patchify;
use super::croco::{Croco, PatchMask};
use super::device::TrainDevice;
use super::ema::Ema;
use super::error::TrainError;
use super::loss::masked_mse;
use super::ops::autocast;
use super::optim::{AdamW, global_norm};
use super::params::{self, NamedTensor};
use super::precision::LossScale;
use super::replicas::Replicas;
use super::schedule::Schedule;

/// What one update did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Update {
    /// Mean loss of its batches.
    pub loss: f32,
    /// Pairs it saw.
    pub pairs: usize,
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
    /// Devices that compute gradients beside it.
    others: Vec<TrainDevice>,
    schedule: Schedule,
    model: Croco,
    optimizer: AdamW,
    ema: Option<Ema>,
    loss_scale: Option<LossScale>,
    updates: u64,
}

impl Trainer {
    /// A fresh model.
    ///
    /// # Errors
    /// The configuration is out of range.
    pub fn new(config: &TrainConfig, device: &TrainDevice) -> Result<Self, TrainError> {
        config.checked()?;
        config.precision.check(device)?;
        let model = Croco::new(config.croco(), config.seed, device.burn());
        Ok(Self {
            schedule: Schedule::new(config),
            ema: (config.ema_decay > 0.0).then(|| Ema::new(&model, config.ema_decay)),
            loss_scale: LossScale::new(config.precision),
            model,
            optimizer: AdamW::new(config),
            updates: 0,
            config: config.clone(),
            device: device.clone(),
            others: Vec::new(),
        })
    }

    /// Spreads the batches of an update over `others` as well: one batch a device at a time. Sums stay in the order of
    /// the batches.
    pub fn with_devices(self, others: Vec<TrainDevice>) -> Self {
        Self { others, ..self }
    }

    /// The model as it stands.
    pub fn model(&self) -> &Croco {
        &self.model
    }

    /// The running mean of the weights, where the settings ask for one.
    pub fn ema(&self) -> Option<&Croco> {
        self.ema.as_ref().map(Ema::model)
    }

    /// The weights to judge and to use: the running mean where there is one, else the model; without gradients.
    pub fn judged(&self) -> Croco {
        self.ema().unwrap_or(&self.model).valid()
    }

    /// The scale of a float16 loss.
    pub fn loss_scale(&self) -> Option<LossScale> {
        self.loss_scale
    }

    /// Where it trains.
    pub fn device(&self) -> &TrainDevice {
        &self.device
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

    /// Goes on from the parameters, moments and running mean of a checkpoint, made after `updates` updates.
    ///
    /// # Errors
    /// The tensors do not fit the model, or the settings ask for a running mean and there is none; nothing is
    /// replaced then.
    pub fn restore(
        &mut self,
        parameters: Vec<NamedTensor>,
        moments: Vec<NamedTensor>,
        mean: Option<Vec<NamedTensor>>,
        loss_scale: Option<LossScale>,
        updates: u64,
    ) -> Result<(), TrainError> {
        let model = params::load(self.model.clone(), parameters)?;
        let ema = match (&self.ema, mean) {
            (None, _) => None,
            (Some(ema), Some(mean)) => Some(ema.restored(mean)?),
            (Some(_), None) => return Err(TrainError::Weights("the running mean is missing".to_owned())),
        };
        // Updates that overflowed never reached the optimiser.
        let skipped = loss_scale.map_or(0, |scale| scale.skipped);
        self.optimizer
            .restore(&model, moments, updates.saturating_sub(skipped))?;
        self.loss_scale = loss_scale.or(self.loss_scale);
        self.ema = ema;
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
    /// As [`Self::update_from`].
    pub fn update<B: Batch>(&mut self, batches: &[B]) -> Result<Update, TrainError> {
        let averaged = self.average(batches.len(), |i| Ok(batches.get(i).map(Held::Lent)))?;
        let Some(averaged) = averaged else {
            return Err(TrainError::Config("an update needs at least one batch".to_owned()));
        };
        self.apply(averaged)
    }

    /// One update from the next `accumulate` batches, whose gradients are averaged; `None`, and nothing
    /// changed, where `next` gives fewer.
    ///
    /// Each batch is asked for when the one before it has become gradients and been dropped, so memory does
    /// not grow with `accumulate`: parameters and their two moments, one gradient summed and one at work
    /// (five times the parameters, six with a running mean; 4 bytes a number), the activations of one batch,
    /// and `2 * batch * height * width * 3` bytes of pictures.
    ///
    /// # Errors
    /// `next` fails, a batch has the wrong shape, the device fails, or the loss is no longer finite (the
    /// model is then as it was before).
    pub fn update_from<B: Batch>(
        &mut self,
        mut next: impl FnMut() -> Result<Option<B>, TrainError>,
    ) -> Result<Option<Update>, TrainError> {
        let averaged = self.average(self.config.accumulate, |_| Ok(next()?.map(Held::Own)))?;
        averaged.map(|averaged| self.apply(averaged)).transpose()
    }

    /// Sums the gradients of `count` batches.
    fn average<'a, B: Batch + 'a>(
        &self,
        count: usize,
        mut next: impl FnMut(usize) -> Result<Option<Held<'a, B>>, TrainError>,
    ) -> Result<Option<Averaged>, TrainError> {
        let mut accumulator = GradientsAccumulator::<Croco>::new();
        let (mut total, mut pairs, mut done) = (0.0f32, 0, 0);
        let copies = Replicas::new(&self.model, if count > 1 { &self.others } else { &[] });
        let scaled = self.loss_scale.map_or(1.0, |scaled| scaled.scale);
        while done < count {
            let mut tasks = Vec::with_capacity(copies.count());
            while tasks.len() < copies.count().min(count - done) {
                let Some(held) = next(done + tasks.len())? else {
                    return Ok(None);
                };
                let batch = held.batch();
                let index = self.updates * self.config.accumulate as u64 + (done + tasks.len()) as u64;
                pairs += batch.pairs();
                tasks.push((self.views(batch, index)?, index));
            }
            done += tasks.len();
            for result in copies.run(&self.model, &self.device, &self.recipe(), tasks) {
                let (loss, grads) = result?;
                total += loss;
                if count == 1 {
                    let scale = 1.0 / scaled;
                    return Ok(Some(Averaged {
                        grads,
                        loss,
                        pairs,
                        scale,
                    }));
                }
                accumulator.accumulate(&self.model, grads);
            }
        }
        Ok((count > 0).then(|| Averaged {
            grads: accumulator.grads(),
            loss: total / count as f32,
            pairs,
            scale: 1.0 / (count as f64 * scaled),
        }))
    }

    /// Loss and gradients of one batch, without an update; the gradients times the scale of a float16 loss. `index` counts batches over the whole run and
    /// picks masks and swaps.
    ///
    /// # Errors
    /// The batch has the wrong shape, the device fails, or the loss is not finite.
    pub fn gradients(&self, batch: &impl Batch, index: u64) -> Result<(f32, GradientsParams), TrainError> {
        self.recipe().gradients(&self.model, self.views(batch, index)?, index)
    }

    /// The tensors of a batch, with the swaps and the framing of its number.
    fn views(&self, batch: &impl Batch, index: u64) -> Result<ViewTensors, TrainError> {
        let config = &self.config;
        let swaps = draw_swaps(batch.pairs(), config.swap, config.seed, index);
        let views = batch.views(config.image, &swaps, Framing::of(config, index), &self.device)?;
        config.reference.assign(views, batch.positions())
    }

    /// What the gradients of this update depend on beside the model.
    fn recipe(&self) -> Recipe {
        Recipe {
            config: self.config.clone(),
            loss_scale: self.loss_scale,
            step: self.updates,
        }
    }

    fn apply(&mut self, averaged: Averaged) -> Result<Update, TrainError> {
        let Averaged {
            grads,
            loss,
            pairs,
            scale,
        } = averaged;
        let lr = self.schedule.rate(self.updates);
        let grad_norm = global_norm(&self.model, &grads)? * scale;
        let finite = grad_norm.is_finite();
        if let Some(scale) = &mut self.loss_scale
            && (finite || scale.scale > 1.0)
        {
            scale.follow(finite);
            if !finite {
                self.updates += 1;
                return Ok(Update {
                    loss,
                    pairs,
                    lr,
                    grad_norm,
                });
            }
        }
        if !finite {
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
        if let Some(mean) = &mut self.ema {
            mean.follow(&self.model);
        }
        self.updates += 1;
        Ok(Update {
            loss,
            pairs,
            lr,
            grad_norm,
        })
    }
}

/// What the gradients of an update depend on beside the model.
pub(super) struct Recipe {
    config: TrainConfig,
    loss_scale: Option<LossScale>,
    step: u64,
}

impl Recipe {
    /// Loss and gradients of `model` on the views of batch `index`.
    pub fn gradients(
        &self,
        model: &Croco,
        views: ViewTensors,
        index: u64,
    ) -> Result<(f32, GradientsParams), TrainError> {
        let config = &self.config;
        let count = views.first.dims()[0];
        let tokens = config.croco().tokens();
        let mask = PatchMask::draw(count, tokens, config.masked_tokens(), config.seed, index);
        let first = patchify(views.first, config.patch);
        let second = patchify(views.second, config.patch);
        let half = config.precision.half();
        let prediction = autocast(half, || model.forward(first.clone(), second, &mask));
        let loss = masked_mse(prediction, first, &mask);
        let value = loss
            .clone()
            .try_into_scalar::<f32>()
            .map_err(|error| TrainError::Read(format!("{error:?}")))?;
        if !value.is_finite() {
            return Err(TrainError::Diverged {
                step: self.step,
                loss: value,
            });
        }
        let loss = match self.loss_scale {
            Some(LossScale { scale, .. }) => loss.mul_scalar(scale),
            None => loss,
        };
        let mut grads = loss.backward();
        Ok((value, GradientsParams::from_module(&mut grads, model)))
    }
}

/// A batch at work: lent by the caller, or ours to drop.
enum Held<'a, B> {
    Lent(&'a B),
    Own(B),
}

impl<B> Held<'_, B> {
    fn batch(&self) -> &B {
        match self {
            Self::Lent(batch) => batch,
            Self::Own(batch) => batch,
        }
    }
}

/// Gradients of an update's batches.
struct Averaged {
    grads: GradientsParams,
    /// Mean loss.
    loss: f32,
    pairs: usize,
    /// Turns the sum of gradients into their mean.
    scale: f64,
}
