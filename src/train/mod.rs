//! Pretraining on streamed pairs: the only folder that names Burn.
//!
//! A [`PairBatch`](crate::stream::PairBatch) comes in, becomes two normalised image tensors
//! ([`batch`]), nine tenths of the first image are hidden ([`croco::masking`]), the model completes
//! it from the second ([`croco`]), and [`loss`] compares the result with the hidden pixels.
//! [`run::train`] is the loop; it writes nothing. [`save`] writes a run when asked.
//!
//! The folder knows batches, never cameras, scenes or the renderer.

pub mod augment;
pub mod batch;
pub mod checkpoint;
pub mod config;
pub mod croco;
pub mod device;
pub mod ema;
pub mod error;
pub mod gpu_batch;
pub mod held_out;
pub mod journal;
pub mod loss;
pub mod ops;
pub mod optim;
pub mod params;
pub mod pictures;
pub mod precision;
pub mod reconstruct;
pub mod record;
pub mod reference;
mod replicas;
pub mod run;
pub mod save;
pub mod schedule;
pub mod step;
mod tensorboard;
#[cfg(test)]
mod test_models;
pub mod test_set;
pub mod weights;

pub use augment::Augment;
pub use config::TrainConfig;
pub use croco::{Architecture, Croco, CrocoConfig, DecoderSize, ModelSize, PositionCode};
pub use device::{DeviceChoice, TrainDevice};
pub use error::TrainError;
pub use precision::Precision;
pub use record::{Best, Cadence, DataRecord, RunRecord, RunState, SavedRun};
pub use reference::Reference;
pub use run::{StepReport, StopReason, TrainSummary, train};
