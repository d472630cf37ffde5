//! Homographies: 3x3 projective maps of the plane, `[f64; 9]` row-major, pixel centres at integers.
//!
//! `h` maps (x, y) of the first picture to the second as
//! `((h0 x + h1 y + h2) / w, (h3 x + h4 y + h5) / w)` with `w = h6 x + h7 y + h8`
//! (Hartley and Zisserman, Multiple View Geometry, section 2.3).

mod algebra;
mod eigen;
mod fit;
mod fletcher;
mod normal;
mod plausible;
mod refine;

pub use algebra::{Homography, determinant, inverse, is_singular, multiply, normalized, project};
pub use fit::{PointPair, fit, from_four};
pub use fletcher::refine_fletcher;
pub(super) use normal::gauss_newton_step;
pub use plausible::is_plausible;
pub use refine::refine;
