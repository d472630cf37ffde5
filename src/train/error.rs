//! What can go wrong while training.

use std::path::PathBuf;

/// Errors of the training loop, its configuration and its files.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// A value of [`TrainConfig`](super::TrainConfig) is out of range.
    #[error("{0}")]
    Config(String),
    /// A batch does not have the shape that the model was built for.
    #[error(
        "the stream gave images of {got_height}x{got_width} pixels but the model wants {want}x{want}; set train.image or the crop of the profile so that they agree"
    )]
    BatchShape {
        /// Rows of the images that came.
        got_height: usize,
        /// Columns of the images that came.
        got_width: usize,
        /// Side that the model wants.
        want: usize,
    },
    /// The loss or the gradient is no longer a number.
    #[error(
        "the loss is {loss} at step {step}: training has diverged; lower train.lr or train.blr, or lengthen the warm-up"
    )]
    Diverged {
        /// Step at which it was seen.
        step: u64,
        /// The loss.
        loss: f32,
    },
    /// The source of pairs failed.
    #[error("the stream of pairs failed: {0}")]
    Stream(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Burn could not open the device.
    #[error("cannot open a {choice} training device: {reason}; use --device flex to train on the CPU")]
    Device {
        /// What was asked for.
        choice: String,
        /// What Burn said.
        reason: String,
    },
    /// The device does not compute in the type that was asked for.
    #[error(
        "train.precision = \"{precision}\" cannot be used: {device} does not compute in it; use \"f32\", or a device that does"
    )]
    Precision {
        /// What was asked for.
        precision: &'static str,
        /// Where.
        device: String,
    },
    /// A tensor could not be read back from the device.
    #[error("cannot read a tensor back from the training device: {0}")]
    Read(String),
    /// A tensor could not be filled by the renderer.
    #[error("cannot hand pictures to the training device: {0}")]
    Handover(String),
    /// Weights that do not fit the model.
    #[error("weights do not fit the model: {0}")]
    Weights(String),
    /// A file or folder could not be read.
    #[error("cannot read: {source}: {}", path.display())]
    Input {
        /// What the system said.
        source: std::io::Error,
        /// Which file.
        path: PathBuf,
    },
    /// A file or folder could not be written.
    #[error("cannot write: {source}: {}", path.display())]
    Output {
        /// What the system said.
        source: std::io::Error,
        /// Which file.
        path: PathBuf,
    },
}
