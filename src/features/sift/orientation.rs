//! Dominant gradient directions of a keypoint.

use fearless_simd::{Level, Simd as _, dispatch};

use super::math::{atan2_deg, exp_negative};
use super::params::{ORIENTATION_BINS, ORIENTATION_RADIUS, ORIENTATION_SIGMA, PEAK_RATIO};
use super::plane::{LANES, Plane};

/// The angles in degrees, OpenCV's sense (clockwise from x as seen in the picture, 360 minus the
/// mathematical angle of y-up gradients), of every peak within [`PEAK_RATIO`] of the highest.
///
/// `scale` is the keypoint's scale in pixels of `plane`, (`column`, `row`) its nearest sample.
pub(super) fn orientations(
    level: Level,
    plane: &Plane,
    (column, row): (usize, usize),
    scale: f32,
    mut emit: impl FnMut(f32),
) {
    const N: usize = ORIENTATION_BINS;
    let radius = (ORIENTATION_RADIUS * scale).round_ties_even() as isize;
    let sigma = ORIENTATION_SIGMA * scale;
    let mut raw = [0.0f32; N];
    dispatch!(level, simd => simd.vectorize(#[inline(always)] || {
        histogram(plane, (column, row), radius, -1.0 / (2.0 * sigma * sigma), &mut raw)
    }));
    let at = |i: isize| raw[i.rem_euclid(N as isize) as usize];
    let mut smooth = [0.0f32; N];
    for (i, s) in smooth.iter_mut().enumerate() {
        let i = i as isize;
        *s = (at(i - 2) + at(i + 2)) * (1.0 / 16.0) + (at(i - 1) + at(i + 1)) * (4.0 / 16.0) + at(i) * (6.0 / 16.0);
    }
    let peak = smooth.iter().fold(0.0f32, |m, &v| m.max(v));
    let threshold = peak * PEAK_RATIO;
    for i in 0..N {
        let (left, here, right) = (smooth[(i + N - 1) % N], smooth[i], smooth[(i + 1) % N]);
        if here > left && here > right && here >= threshold {
            let mut bin = i as f32 + 0.5 * (left - right) / (left - 2.0 * here + right);
            if bin < 0.0 {
                bin += N as f32;
            } else if bin >= N as f32 {
                bin -= N as f32;
            }
            let angle = 360.0 - (360.0 / N as f32) * bin;
            emit(if (angle - 360.0).abs() < f32::EPSILON {
                0.0
            } else {
                angle
            });
        }
    }
}

/// Gradient directions around a point, weighted by magnitude and a Gaussian.
#[inline(always)]
fn histogram(
    plane: &Plane,
    (column, row): (usize, usize),
    radius: isize,
    exponent: f32,
    raw: &mut [f32; ORIENTATION_BINS],
) {
    let (column, row) = (column as isize, row as isize);
    let left = (column - radius).max(1);
    let right = (column + radius).min(plane.width as isize - 2);
    let (top, bottom) = ((row - radius).max(1), (row + radius).min(plane.height as isize - 2));
    if left > right {
        return;
    }
    for y in top..=bottom {
        let dy2 = ((y - row) * (y - row)) as f32;
        for x in (left..=right).step_by(LANES) {
            let (angle, mut magnitude) = gradients(plane, x as usize, y as usize);
            for (i, magnitude) in magnitude.iter_mut().enumerate() {
                let dx = (x - column) as i32 + i as i32;
                *magnitude *= exp_negative(((dx * dx) as f32 + dy2) * exponent);
            }
            let n = LANES.min((right - x + 1) as usize);
            for (angle, magnitude) in angle[..n].iter().zip(&magnitude[..n]) {
                let bin = round_positive(angle * (ORIENTATION_BINS as f32 / 360.0)) as usize;
                raw[if bin >= ORIENTATION_BINS {
                    bin - ORIENTATION_BINS
                } else {
                    bin
                }] += magnitude;
            }
        }
    }
}

/// Nearest integer, ties to even, of a value in [0, 2^22].
#[inline(always)]
fn round_positive(v: f32) -> u32 {
    const SHIFT: f32 = 8_388_608.0;
    (v + SHIFT).to_bits() - SHIFT.to_bits()
}

/// Direction (degrees, y up) and magnitude of a block of gradients of row `y` from column `x`.
#[inline(always)]
pub(super) fn gradients(plane: &Plane, x: usize, y: usize) -> ([f32; LANES], [f32; LANES]) {
    let (up, down) = (plane.block::<LANES>(x, y - 1), plane.block::<LANES>(x, y + 1));
    let (left, right) = (plane.block::<LANES>(x - 1, y), plane.block::<LANES>(x + 1, y));
    let (mut angle, mut magnitude) = ([0.0; LANES], [0.0; LANES]);
    for i in 0..LANES {
        let (dx, dy) = (right[i] - left[i], up[i] - down[i]);
        angle[i] = atan2_deg(dy, dx);
        magnitude[i] = (dx * dx + dy * dy).sqrt();
    }
    (angle, magnitude)
}
