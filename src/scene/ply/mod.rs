//! PLY: ASCII and binary of both byte orders, polygons, vertex colours, texture coordinates by vertex or by corner.
//!
//! An own reader, because it has to count before it takes memory and to be quick on scans of millions of polygons.

mod body;
mod header;
mod read;

pub(in crate::scene) use read::read;
