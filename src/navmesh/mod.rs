//! The walkable floor: build, read, write, sample, step, islands, geodesics, map.
//!
//! [`NavMesh`] wraps a pure-Rust port of Recast and Detour with Habitat's settings and Habitat's
//! meaning of each query, and reads and writes Habitat's `.navmesh` files. Positions are 32-bit world
//! metres, Y up, -Z forward, on the floor of the navmesh (which Recast quantises to the cell height).
//! Every query takes `&self`; a navmesh can be shared by threads.

mod build;
mod config;
mod error;
mod file;
mod floor;
mod islands;
mod map;
mod mesh;
mod path;
mod query;
mod sample;
mod tile_bytes;

pub use config::NavMeshConfig;
pub use error::NavMeshError;
pub use floor::TrueFloor;
pub use islands::Island;
pub use map::TopDownMap;
pub use mesh::{NavMesh, Polygon};
pub use path::Path;
