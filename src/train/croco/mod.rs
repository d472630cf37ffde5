//! CroCo: complete a masked view from a second view of the same scene.
//!
//! Weinzaepfel et al., *CroCo: Self-Supervised Pre-training for 3D Vision Tasks by Cross-View
//! Completion* (2022) and *CroCo v2* (2023). Field names are the key names of released checkpoints.

pub mod blocks;
mod config;
pub mod layers;
pub mod masking;
mod model;
pub mod patch;
pub mod pos_embed;

pub use config::{CrocoConfig, ModelSize, PositionCode, Width};
pub use masking::PatchMask;
pub use model::Croco;
