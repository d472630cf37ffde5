//! Wavefront OBJ with its MTL: polygons, materials with a colour and a texture, vertex colours.
//!
//! An own reader, because it has to count before it takes memory and to name the line that is broken.

mod material;
mod parse;
mod read;

pub(in crate::scene) use read::read;
