//! Patches whose vote a homography decides by their corners alone.
//!
//! Where the denominator stays positive over a patch, its image is the convex quadrilateral of its
//! corners' images. If those all lie in one patch of the other view, or all beyond one of its sides,
//! so does every pixel. The rounding of the points is far below the margin that is kept.

use fearless_simd::f64x8;
use fearless_simd::prelude::*;

use super::patch_votes::{PATCH, PatchGrid};
use crate::features::homography::Homography;

/// Pixels that a corner keeps from any border.
const MARGIN: f64 = 0.01;
/// Least denominator; far above the one that `perspectiveTransform` takes for zero.
const LEAST_DENOMINATOR: f64 = 1e-6;
/// Bound of the relative error of a coordinate's sums and products, generously (a few units of 2^-53).
const ROUNDING: f64 = 1e-14;
/// Patches along one side, rounded up to whole vectors.
pub(super) const SIDE: usize = 16;

/// The label that all pixels of a patch vote for, where that is certain; [`SIDE`] patches a row.
pub(super) type Certain = [Option<u16>; SIDE * SIDE];

/// Looks at the corners of every patch.
#[inline(always)]
pub(super) fn certain_patches<S: Simd>(simd: S, grid: PatchGrid, h: &Homography) -> Certain {
    let side = grid.side as usize;
    let size = f64::from(grid.side * PATCH);
    // What the terms of each sum can add up to: their rounding errors are in proportion.
    let sum = |row: usize| size * (h[row].abs() + h[row + 1].abs()) + h[row + 2].abs();
    let (sum_x, sum_y, sum_w) = (sum(0), sum(3), sum(6));
    let mut out = [None; SIDE * SIDE];
    for row in 0..side {
        for first in (0..side).step_by(LANES) {
            let corners = Corners::of(simd, h, first, row);
            for (lane, out) in out[row * SIDE + first..][..LANES].iter_mut().enumerate() {
                let [left, right, top, bottom, w] = corners.0.map(|v| v[lane]);
                let reach = left.abs().max(right.abs()).max(top.abs()).max(bottom.abs());
                let error = ROUNDING * (sum_x + sum_y + reach * sum_w);
                // Comparisons with NaN fail, so that nothing is certain then.
                if w > LEAST_DENOMINATOR && error < 0.1 * MARGIN * w {
                    *out = label(grid, (left, right), (top, bottom));
                }
            }
        }
    }
    out
}

/// The label that all points of a rectangle have, if they do.
#[inline(always)]
fn label(grid: PatchGrid, (left, right): (f64, f64), (top, bottom): (f64, f64)) -> Option<u16> {
    let size = f64::from(grid.side * PATCH);
    if right < -MARGIN || bottom < -MARGIN || left > size + MARGIN || top > size + MARGIN {
        return Some(grid.out());
    }
    let width = f64::from(PATCH) - 2.0 * MARGIN;
    if right - left > width || bottom - top > width || left < MARGIN || top < MARGIN {
        return None;
    }
    let patch = |v: f64| (v * (1.0 / f64::from(PATCH))) as u32;
    let (column, row) = (patch(left - MARGIN), patch(top - MARGIN));
    let same = column == patch(right + MARGIN) && row == patch(bottom + MARGIN);
    (same && column < grid.side && row < grid.side).then_some((row * grid.side + column) as u16)
}

/// Patches looked at together.
const LANES: usize = 8;

/// Of some patches of a row: least and greatest x, least and greatest y, least denominator.
struct Corners([[f64; LANES]; 5]);

impl Corners {
    #[inline(always)]
    fn of<S: Simd>(simd: S, h: &Homography, first: usize, row: usize) -> Self {
        let splat = |v: f64| f64x8::splat(simd, v);
        let mut left = [0.0; LANES];
        for (lane, x) in left.iter_mut().enumerate() {
            *x = ((first + lane) as u32 * PATCH) as f64;
        }
        let left = f64x8::load_array(simd, left);
        let top = splat((row as u32 * PATCH) as f64);
        let far = splat(f64::from(PATCH - 1));
        let (most, least) = (splat(f64::MAX), splat(f64::MIN));
        let (mut low_x, mut high_x, mut low_y, mut high_y, mut low_w) = (most, least, most, least, most);
        for (x, y) in [
            (left, top),
            (left + far, top),
            (left, top + far),
            (left + far, top + far),
        ] {
            let w = x * splat(h[6]) + y * splat(h[7]) + splat(h[8]);
            let inverse = splat(1.0) / w;
            let px = (x * splat(h[0]) + y * splat(h[1]) + splat(h[2])) * inverse;
            let py = (x * splat(h[3]) + y * splat(h[4]) + splat(h[5])) * inverse;
            (low_x, high_x) = (low_x.min(px), high_x.max(px));
            (low_y, high_y) = (low_y.min(py), high_y.max(py));
            low_w = low_w.min(w);
        }
        Self([low_x.into(), high_x.into(), low_y.into(), high_y.into(), low_w.into()])
    }
}

#[cfg(test)]
mod tests {
    use fearless_simd::{Level, dispatch};

    use super::*;
    use crate::rng::Rng;

    #[test]
    fn every_pixel_of_a_certain_patch_agrees() {
        let grid = PatchGrid::new(224);
        let mut rng = Rng::stream(3, "certain", &[]);
        let (mut outside, mut inside, mut open) = (0, 0, 0);
        for round in 0..300 {
            let tilt = [0.0, 1e-4, 2e-3, 2e-2][round % 4];
            let zoom = [0.3, 1.0, 3.0][round % 3];
            let mut h = [
                zoom,
                0.0,
                rng.range(-200.0, 200.0),
                0.0,
                zoom,
                rng.range(-200.0, 200.0),
                0.0,
                0.0,
                1.0,
            ];
            for (i, spread) in [0.3, 0.3, 0.0, 0.3, 0.3, 0.0, tilt, tilt, 0.0].into_iter().enumerate() {
                h[i] += rng.range(-spread, spread + 1e-300);
            }
            if round % 7 == 0 {
                // Borders that corners hit exactly.
                h = [1.0, 0.0, f64::from(round as u32), 0.0, 1.0, -16.0, 0.0, 0.0, 1.0];
            }
            let certain = dispatch!(Level::new(), simd => certain_patches(simd, grid, &h));
            for patch in 0..grid.len() {
                let certain = certain[patch / 14 * SIDE + patch % 14];
                let Some(certain) = certain else {
                    open += 1;
                    continue;
                };
                if certain == grid.out() {
                    outside += 1
                } else {
                    inside += 1
                }
                let (left, top) = grid.corner(patch);
                for pixel in 0..PATCH * PATCH {
                    let (x, y) = (f64::from(left + pixel % PATCH), f64::from(top + pixel / PATCH));
                    let w = x * h[6] + y * h[7] + h[8];
                    let px = ((x * h[0] + y * h[1] + h[2]) / w) as f32;
                    let py = ((x * h[3] + y * h[4] + h[5]) / w) as f32;
                    let seen = px >= 0.0 && py >= 0.0 && px < 224.0 && py < 224.0;
                    let label = if seen {
                        (py / 16.0) as u16 * 14 + (px / 16.0) as u16
                    } else {
                        grid.out()
                    };
                    assert_eq!(certain, label, "patch {patch} pixel {pixel} of {h:?}");
                }
            }
        }
        assert!(
            outside > 5000 && inside > 500 && open > 5000,
            "{outside} {inside} {open}"
        );
    }

    #[test]
    fn nothing_is_certain_of_nonsense() {
        let grid = PatchGrid::new(224);
        for bad in [f64::NAN, f64::INFINITY, 0.0, 1e300] {
            let h = [bad, 0.0, 0.0, 0.0, bad, 0.0, 0.0, 0.0, bad * 0.0];
            let certain = dispatch!(Level::new(), simd => certain_patches(simd, grid, &h));
            assert!(certain.iter().all(Option::is_none), "{bad}");
        }
    }
}
