//! Dominant gradient directions of a keypoint.

use fearless_simd::prelude::*;
use fearless_simd::{Level, dispatch, f32x16, u32x16};

use super::math::{atan2_deg, exp_negative};
use super::params::{ORIENTATION_BINS, ORIENTATION_RADIUS, ORIENTATION_SIGMA, PEAK_RATIO};
use super::plane::{LANES, Plane};

/// [`ORIENTATION_BINS`] rounded up to a power of two: an index below it needs no check.
const SLOTS: usize = ORIENTATION_BINS.next_power_of_two();

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
    let mut raw = [0.0f32; SLOTS];
    dispatch!(level, simd => simd.vectorize(#[inline(always)] || {
        histogram(simd, plane, (column, row), radius, -1.0 / (2.0 * sigma * sigma), &mut raw)
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
fn histogram<S: Simd>(
    simd: S,
    plane: &Plane,
    (column, row): (usize, usize),
    radius: isize,
    exponent: f32,
    raw: &mut [f32; SLOTS],
) {
    let (column, row) = (column as isize, row as isize);
    let left = (column - radius).max(1);
    let right = (column + radius).min(plane.width as isize - 2);
    let (top, bottom) = ((row - radius).max(1), (row + radius).min(plane.height as isize - 2));
    if left > right {
        return;
    }
    let splat = |v: f32| f32x16::splat(simd, v);
    let steps: [f32; LANES] = std::array::from_fn(|k| k as f32);
    let steps = f32x16::from_slice(simd, &steps);
    let turns = u32x16::splat(simd, ORIENTATION_BINS as u32);
    for y in top..=bottom {
        let dy2 = splat(((y - row) * (y - row)) as f32);
        for x in (left..=right).step_by(LANES) {
            let (angle, magnitude) = gradients(simd, plane, x as usize, y as usize);
            let dx = splat((x - column) as f32) + steps;
            let magnitude = magnitude * exp_negative(simd, (dx * dx + dy2) * splat(exponent));
            let bin = round_positive(simd, angle * splat(ORIENTATION_BINS as f32 / 360.0));
            let bin = bin.simd_ge(turns).select(bin - turns, bin);
            let (mut bins, mut magnitudes) = ([0; LANES], [0.0; LANES]);
            bin.store_slice(&mut bins);
            magnitude.store_slice(&mut magnitudes);
            let n = LANES.min((right - x + 1) as usize);
            for (bin, magnitude) in bins[..n].iter().zip(&magnitudes[..n]) {
                raw[*bin as usize % SLOTS] += magnitude;
            }
        }
    }
}

/// Nearest integer, ties to even, of values in [0, 2^22].
#[inline(always)]
fn round_positive<S: Simd>(simd: S, v: f32x16<S>) -> u32x16<S> {
    const SHIFT: f32 = 8_388_608.0;
    (v + f32x16::splat(simd, SHIFT)).bitcast::<u32x16<S>>() - u32x16::splat(simd, SHIFT.to_bits())
}

/// Direction (degrees, y up) and magnitude of a block of gradients of row `y` from column `x`.
#[inline(always)]
pub(super) fn gradients<S: Simd>(simd: S, plane: &Plane, x: usize, y: usize) -> (f32x16<S>, f32x16<S>) {
    let block = |x: usize, y: usize| f32x16::from_slice(simd, plane.block::<LANES>(x, y));
    let dx = block(x + 1, y) - block(x - 1, y);
    let dy = block(x, y - 1) - block(x, y + 1);
    (atan2_deg(simd, dy, dx), (dx * dx + dy * dy).sqrt())
}
