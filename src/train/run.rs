//! The training loop. It writes no file.

use std::error::Error;
use std::ops::ControlFlow;
use std::time::Instant;

use serde::{Deserialize, Deserializer, Serialize};

use super::batch::Batch;
use super::config::TrainConfig;
use super::device::TrainDevice;
use super::error::TrainError;
use super::step::Trainer;

/// One line of the log.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct StepReport {
    /// Update, counted from 0.
    pub step: u64,
    /// Mean squared error over hidden patches, in units of a patch's own variance: about 1 at first.
    pub loss: f32,
    /// Learning rate of this update.
    pub lr: f64,
    /// Global gradient norm before clipping; infinite where a float16 gradient overflowed and the update was left
    /// out (`null` in JSON).
    #[serde(deserialize_with = "number_or_infinity")]
    pub grad_norm: f64,
    /// Pairs trained on, over this update's wall time, 1/s.
    pub pairs_per_s: f64,
    /// Share of this update's wall time spent waiting for the stream, in [0, 1].
    pub data_wait: f64,
    /// Wall time of this update, s.
    pub seconds: f64,
}

/// JSON has no infinity: it is written as `null`.
fn number_or_infinity<'de, D: Deserializer<'de>>(value: D) -> Result<f64, D::Error> {
    Ok(Option::<f64>::deserialize(value)?.unwrap_or(f64::INFINITY))
}

/// Why a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// All updates were made.
    Finished,
    /// The caller asked to stop.
    Interrupted,
    /// The stream had no more pairs.
    StreamEnded,
}

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainSummary {
    /// Updates made.
    pub steps: u64,
    /// Pairs trained on.
    pub pairs: u64,
    /// Mean loss of the first tenth of the updates (at least one).
    pub first_loss: f32,
    /// Mean loss of the last tenth of the updates (at least one).
    pub last_loss: f32,
    /// Wall time, s.
    pub seconds: f64,
    /// Pairs over wall time, 1/s.
    pub pairs_per_s: f64,
    /// Share of the wall time spent waiting for the stream, in [0, 1].
    pub data_wait: f64,
    /// Why it ended.
    pub stopped: StopReason,
}

/// Trains a fresh model on `batches`; returns the summary and the trained state.
///
/// Each update takes `config.accumulate` items of `batches`, one at a time; the time spent in `next()` counts as
/// waiting. `on_step` sees every update and may stop the run after it. Nothing is written.
///
/// # Errors
/// The configuration is out of range, the stream fails or gives the wrong image size, or the loss diverges.
pub fn train<B: Batch, E>(
    batches: impl IntoIterator<Item = Result<B, E>>,
    config: &TrainConfig,
    device: &TrainDevice,
    mut on_step: impl FnMut(&StepReport) -> ControlFlow<()>,
) -> Result<(TrainSummary, Trainer), TrainError>
where
    E: Into<Box<dyn Error + Send + Sync>>,
{
    let mut trainer = Trainer::new(config, device)?;
    let summary = drive(&mut trainer, batches, |report, _| on_step(report))?;
    Ok((summary, trainer))
}

/// Goes on with `trainer` until its configured number of updates is reached; see [`train`].
///
/// After a checkpoint, `batches` must go on where that run stopped: `updates * accumulate` batches in.
/// `on_step` also sees the trainer as the update left it, to write checkpoints.
///
/// # Errors
/// As [`train`].
pub fn drive<B: Batch, E>(
    trainer: &mut Trainer,
    batches: impl IntoIterator<Item = Result<B, E>>,
    mut on_step: impl FnMut(&StepReport, &Trainer) -> ControlFlow<()>,
) -> Result<TrainSummary, TrainError>
where
    E: Into<Box<dyn Error + Send + Sync>>,
{
    let mut batches = batches.into_iter();
    let (mut losses, mut pairs, mut waited) = (Vec::new(), 0u64, 0.0);
    let started = Instant::now();
    let mut stopped = StopReason::Finished;
    while trainer.updates() < trainer.config().steps {
        let at = Instant::now();
        let mut wait = 0.0;
        let step = trainer.updates();
        let update = trainer.update_from(|| {
            let asked = Instant::now();
            let batch = batches.next().transpose();
            wait += asked.elapsed().as_secs_f64();
            batch.map_err(|error| TrainError::Stream(error.into()))
        })?;
        let Some(update) = update else {
            stopped = StopReason::StreamEnded;
            break;
        };
        let seconds = at.elapsed().as_secs_f64();
        losses.push(update.loss);
        pairs += update.pairs as u64;
        waited += wait;
        let report = StepReport {
            step,
            loss: update.loss,
            lr: update.lr,
            grad_norm: update.grad_norm,
            pairs_per_s: update.pairs as f64 / seconds.max(1e-9),
            data_wait: wait / seconds.max(1e-9),
            seconds,
        };
        if on_step(&report, trainer).is_break() && trainer.updates() < trainer.config().steps {
            stopped = StopReason::Interrupted;
            break;
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    let tenth = (losses.len() / 10).max(1);
    let mean = |part: &[f32]| part.iter().sum::<f32>() / part.len().max(1) as f32;
    Ok(TrainSummary {
        steps: trainer.updates(),
        pairs,
        first_loss: mean(&losses[..tenth.min(losses.len())]),
        last_loss: mean(&losses[losses.len().saturating_sub(tenth)..]),
        seconds,
        pairs_per_s: pairs as f64 / seconds.max(1e-9),
        data_wait: waited / seconds.max(1e-9),
        stopped,
    })
}
