#![doc = include_str!("../README.md")]

pub mod agent;
pub mod camera;
pub mod export;
pub mod features;
pub mod navmesh;
pub mod overlap;
pub mod render;
pub mod report;
pub mod rng;
pub mod scene;
pub mod select;
pub mod stream;
pub mod sweep;
#[cfg(feature = "train")]
pub mod train;
pub mod view;
