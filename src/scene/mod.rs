//! Scenes: CPU data and its readers. No GPU and no navmesh in here.

mod basis;
mod builder;
mod config;
mod error;
mod files;
mod glb_writer;
mod gltf;
mod habitat;
mod image;
pub mod lighting;
mod list;
mod load;
mod model;
mod obj;
mod ply;
pub mod primitives;
pub mod procedural;
mod source;
mod texture;
mod up;

pub use config::{Limits, SceneConfig, Up};
pub use error::SceneError;
pub use glb_writer::{GlbError, to_glb, write_glb};
pub use habitat::{ListedScene, SceneLayout, SemanticLabel, SemanticTable, list_scenes};
pub use list::{ListedSource, SceneEntry, SceneList, SceneListError};
pub use load::{load, load_with_up};
pub use model::{AlphaMode, Bounds, Light, LightKind, Material, MipMode, Primitive, Sampler, Scene, TextureRef, Wrap};
pub use source::SceneSource;
pub use texture::{BasisTexels, Texels, Texture, TextureError};
