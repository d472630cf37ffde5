//! The few tensor operations whose speed decides the speed of a step.

mod attention;
mod gelu;
mod norm;
mod rope;
mod update;

pub use attention::{cross_attention, self_attention};
pub use gelu::gelu;
pub use norm::{NORM_EPS, layer_norm};
pub use rope::Rope;
pub use update::{AdamWFactors, adamw_update, sum_of_squares};
