//! glTF 2.0, as `.glb` or `.gltf` with files beside it.
//!
//! The flow: container → JSON → required extensions → buffers → placed meshes → primitives and images in parallel.

mod accessor;
mod buffers;
mod container;
mod draco;
mod extensions;
mod json;
mod lights;
mod material;
mod meshopt;
mod nodes;
mod primitive;
mod read;
mod textures;

pub(in crate::scene) use container::is_glb;
pub(in crate::scene) use read::read;
