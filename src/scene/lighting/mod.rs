//! Light for scenes whose textures hold none, computed once and kept in the vertex colours.
//!
//! A scan's textures hold the light of their room and want none added; a designer's or an inventor's
//! surfaces are one flat colour without it. [`light_primitives`] gives copies of a scene's triangles
//! whose vertex colours are multiplied by the light that falls on them, so a renderer that knows nothing
//! of light draws them as ever:
//!
//! 1. edges longer than 0.3 m are halved until they are not, so that light can vary along a wall;
//! 2. corners get smooth normals, creases stay sharp;
//! 3. ambient occlusion is cast against all triangles: 48 directions over the hemisphere, 1 m far;
//!    covered corners take it from their neighbours;
//! 4. the lamps of the file ([`super::Light`]) shine with shadows over a dim hemisphere, or, where there are none,
//!    a bright hemisphere and a soft key light do.
//!
//! Light is linear, stored colours are not: a share L of light multiplies stored bytes by L^(1/2.2).
//! Nothing here is random, and the result does not depend on the number of threads.

mod bvh;
mod corners;
mod covered;
mod occlusion;
mod shine;
mod tessellate;

pub use corners::light_primitives;
