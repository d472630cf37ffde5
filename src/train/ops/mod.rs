//! The few tensor operations whose speed decides the speed of a step.
//!
//! Each has a portable form of Burn's own operations, which runs on any device, and on the CPU a
//! kernel of ours with a backward pass of its own; tests hold the two together.

mod attention;
mod autocast;
mod flex;
mod gelu;
mod gemm;
mod heads;
mod kernels;
mod norm;
mod rope;
#[cfg(test)]
mod twin;
mod update;

pub use attention::{cross_attention, self_attention};
pub use autocast::{autocast, linear};
pub use gelu::gelu;
pub use norm::{NORM_EPS, layer_norm};
pub use rope::Rope;
pub use update::{AdamWFactors, adamw_update, sum_of_squares};
