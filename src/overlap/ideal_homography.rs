//! What the published metric would say if its matches were perfect: the model's own limit.
//!
//! The homography is estimated from true correspondences (covisible lattice points, every eighth
//! pixel) by the same robust estimator, and all pixels vote. What is left between this and the patch
//! truth is what one homography cannot express: parallax and occlusion. What lies between this and the
//! metric comes from its matches.

use super::geometric_overlap::{LATTICE_STEP, LatticePoint};
use super::homography_votes::{MAX_SIDE, Voters, homography_votes};
use super::patch_votes::{self, PATCH, PatchGrid};
use crate::features::Level;
use crate::features::homography::{PointPair, inverse, normalized};
use crate::features::ransac::{RansacConfig, estimate};
use crate::view::Overlap;

/// Points that take part: every second lattice column and row.
const STEP: u32 = 2 * LATTICE_STEP;
/// Points needed, as many as the published metric asks for.
const LEAST: usize = 11;

/// The overlap by the homography of the true correspondences of two square views `width` pixels wide; `None`
/// where fewer than 11 points are shared or no homography explains them.
pub fn ideal_homography_overlap(lattice: &[LatticePoint], width: u32) -> Option<Overlap> {
    let grid = PatchGrid::new(width);
    let pairs: Vec<PointPair> = lattice
        .iter()
        .filter(|p| p.x % STEP < LATTICE_STEP && p.y % STEP < LATTICE_STEP)
        .map(|p| PointPair {
            // Pixel centres at integers, as the metric counts them.
            first: [f64::from(p.x), f64::from(p.y)],
            second: (p.landing.pixel - 0.5).to_array(),
        })
        .collect();
    if pairs.len() < LEAST || grid.side > MAX_SIDE || grid.side * PATCH != width {
        return None;
    }
    let level = Level::new();
    let found = estimate(level, &pairs, &RansacConfig::default(), 0)?;
    let there = normalized(&found.homography);
    let back = inverse(&there)?;
    let votes = |h| homography_votes(level, grid, h, Voters::All);
    Some(patch_votes::overlap(grid, &votes(&there), &votes(&back)))
}
