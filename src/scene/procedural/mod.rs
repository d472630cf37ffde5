//! A furnished flat from a seed: nothing has to be downloaded.
//!
//! [`build`] draws a floor plan (five or six rooms in about 14 x 11 m, doorways that an agent can
//! pass, windows; three flats in ten have two storeys and stairs that Habitat's agent climbs), furnishes it by room type, paints the textures and bakes soft light into the
//! vertex colours. Surfaces vary from tile to tile and board to board on purpose: features of repeated patterns
//! cannot be told apart, so a flat of identical tiles would give no matches.

mod bake;
mod canvas;
mod color;
mod config;
mod flat;
mod frame;
mod furnish;
mod furniture;
mod house;
mod mesh;
mod mood;
mod noise;
mod openings;
mod paint;
mod plan;
mod rect;
mod semantics;
mod shell;
mod space;
mod stairs;
mod style;

pub use config::ProceduralConfig;
pub use flat::{ProceduralError, build, build_with};
pub use semantics::FLAT_CLASSES;
