//! CroCo: complete a masked view from a second view of the same scene; and its relatives.
//!
//! Weinzaepfel et al., *CroCo: Self-Supervised Pre-training for 3D Vision Tasks by Cross-View
//! Completion* (2022) and *CroCo v2* (2023); Marathe et al., *MIMIC* (2023), whose model is CroCo with a
//! class token; He et al., *Masked Autoencoders Are Scalable Vision Learners* (2022), the single-view
//! baseline. Field names are the key names of released CroCo checkpoints; [`names`] has those of the others.

pub mod blocks;
mod config;
pub mod layers;
pub mod masking;
mod model;
pub mod names;
pub mod patch;
pub mod pos_embed;
mod positions;

pub use config::{Architecture, CrocoConfig, DecoderSize, ModelSize, PositionCode, Width};
pub use masking::PatchMask;
pub use model::Croco;
