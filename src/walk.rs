//! An agent that strolls through a scene with a camera, and one that looks at the same thing from many places: what
//! the paper mines from videos and street views, made here with depth and poses.

mod config;
mod orbit;
mod path;

pub use config::{OrbitConfig, WalkConfig};
pub use orbit::{OrbitGroup, orbit_group};
pub use path::{WalkError, walk};
