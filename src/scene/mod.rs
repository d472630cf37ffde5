//! Scenes: CPU data and its readers. No GPU and no navmesh in here.

mod model;
pub mod procedural;

pub use model::{AlphaMode, Bounds, Material, MipMode, Primitive, Sampler, Scene, Texture, TextureRef, Wrap};
