//! Image in, geometry out: SIFT, matching, homographies. Uses nothing else of this crate.
//!
//! Every number is the same for every instruction set and any number of threads: no fused
//! multiply-add, a fixed order in every sum, and transcendental functions from `libm` or written out.
//!
//! Pixel convention of this folder, as OpenCV's: **pixel centres lie at integer coordinates**, x to
//! the right, y down. A homography is a row-major `[f64; 9]` that maps the first picture to the second.

pub mod gray;
pub mod homography;
pub mod laplacian;
pub mod matching;
pub mod ransac;
pub mod resize;
pub mod sift;

/// The instruction set in use; [`Level::new`] detects it. It changes speed, never a result.
pub use fearless_simd::Level;
