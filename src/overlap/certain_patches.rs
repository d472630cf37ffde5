//! Patches whose vote a homography decides by their corners alone.
//!
//! Where the denominator stays positive over a patch, its image is the convex quadrilateral of its
//! corners' images. If those all lie in one patch of the other view, or all beyond one of its sides,
//! so does every pixel. The rounding of the points is far below the margin that is kept.

use super::patch_votes::{PATCH, PatchGrid};
use crate::features::homography::Homography;

/// Pixels that a corner keeps from any border.
const MARGIN: f64 = 0.01;
/// Least denominator; far above the one that `perspectiveTransform` takes for zero.
const LEAST_DENOMINATOR: f64 = 1e-6;
/// Bound of the relative error of a coordinate's sums and products, generously (a few units of 2^-53).
const ROUNDING: f64 = 1e-14;
/// Patches along one side, rounded up to whole vectors.
const SIDE: usize = 16;

/// The label that all pixels of a patch vote for, where that is certain.
pub(super) type Certain = [Option<u16>; SIDE * SIDE];

/// Looks at the corners of every patch; patches in raster order.
#[inline(always)]
pub(super) fn certain_patches(grid: PatchGrid, h: &Homography) -> Certain {
    let side = grid.side as usize;
    let size = f64::from(grid.side * PATCH);
    let mut out = [None; SIDE * SIDE];
    // What the terms of each sum can add up to: their rounding errors are in proportion.
    let sum = |row: usize| size * (h[row].abs() + h[row + 1].abs()) + h[row + 2].abs();
    let (sum_x, sum_y, sum_w) = (sum(0), sum(3), sum(6));
    for row in 0..side {
        let mut low = [[f64::MAX; SIDE]; 3];
        let mut high = [[f64::MIN; SIDE]; 3];
        for (down, right) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let y = (row as u32 * PATCH + down * (PATCH - 1)) as f64;
            for column in 0..SIDE {
                let x = f64::from((column as u32 * PATCH + right * (PATCH - 1)) as i32);
                let w = x * h[6] + y * h[7] + h[8];
                let inverse = 1.0 / w;
                let px = (x * h[0] + y * h[1] + h[2]) * inverse;
                let py = (x * h[3] + y * h[4] + h[5]) * inverse;
                for (axis, v) in [px, py, w].into_iter().enumerate() {
                    let (low, high) = (&mut low[axis][column], &mut high[axis][column]);
                    *low = if v < *low { v } else { *low };
                    *high = if v > *high { v } else { *high };
                }
            }
        }
        for column in 0..side {
            let ([left, top, w], [right, bottom, _]) = (low.map(|v| v[column]), high.map(|v| v[column]));
            let reach = left.abs().max(right.abs()).max(top.abs()).max(bottom.abs());
            let error = ROUNDING * (sum_x + sum_y + reach * sum_w) / w;
            // Comparisons with NaN fail, so that nothing is certain then.
            if !(w > LEAST_DENOMINATOR && error < MARGIN * 0.1) {
                continue;
            }
            let patch = |v: f64| (v * (1.0 / f64::from(PATCH))).floor();
            let out_of = |low: f64, high: f64| high < -MARGIN || low > size + MARGIN;
            let within = |low: f64, high: f64| {
                let inside = low - MARGIN >= 0.0 && high + MARGIN < size;
                inside && patch(low - MARGIN) == patch(high + MARGIN)
            };
            let label = if out_of(left, right) || out_of(top, bottom) {
                Some(grid.out())
            } else if within(left, right) && within(top, bottom) {
                Some(patch(top) as u16 * grid.side as u16 + patch(left) as u16)
            } else {
                None
            };
            out[row * side + column] = label;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::patch_votes::PATCH;
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
            let certain = certain_patches(grid, &h);
            for (patch, certain) in certain[..grid.len()].iter().enumerate() {
                let Some(certain) = certain else {
                    open += 1;
                    continue;
                };
                if *certain == grid.out() {
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
                    assert_eq!(*certain, label, "patch {patch} pixel {pixel} of {h:?}");
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
            let certain = certain_patches(grid, &[bad, 0.0, 0.0, 0.0, bad, 0.0, 0.0, 0.0, bad * 0.0]);
            assert!(certain.iter().all(Option::is_none), "{bad}");
        }
    }
}
