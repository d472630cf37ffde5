//! Scenes: CPU data and its readers. No GPU and no navmesh in here.

mod basis;
mod builder;
mod config;
mod error;
mod files;
mod gltf;
mod image;
mod load;
mod model;
mod obj;
mod ply;
pub mod primitives;
pub mod procedural;
mod source;
mod up;

pub use config::{Limits, SceneConfig, Up};
pub use error::SceneError;
pub use load::load;
pub use model::{AlphaMode, Bounds, Material, MipMode, Primitive, Sampler, Scene, Texture, TextureRef, Wrap};
pub use source::SceneSource;
pub use up::up_axis;
