//! The page that shows a training run: curves, throughput, and what the model completed as it learnt.

mod curve;
mod input;
mod page;
mod plots;

pub use curve::{Bucket, Curve};
pub use input::{RunInput, RunPicture, is_run};
pub use page::{render_run, write_run};
