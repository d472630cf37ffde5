//! Dominant gradient directions of a keypoint.

use fearless_simd::{Level, Simd as _, dispatch};

use super::math::{atan2_deg, exp_negative};
use super::params::{ORIENTATION_BINS, ORIENTATION_RADIUS, ORIENTATION_SIGMA, PEAK_RATIO};
use super::plane::Plane;

/// Row buffers shared by orientation and descriptor.
#[derive(Debug, Default)]
pub(super) struct Samples {
    /// Gradient direction, later bin coordinate.
    pub angle: Vec<f32>,
    /// Weighted gradient magnitude.
    pub magnitude: Vec<f32>,
    /// Descriptor row and column coordinates.
    pub row: Vec<f32>,
    pub column: Vec<f32>,
}

impl Samples {
    pub fn reset(&mut self, n: usize) {
        for buffer in [&mut self.angle, &mut self.magnitude, &mut self.row, &mut self.column] {
            buffer.resize(n, 0.0);
        }
    }
}

/// The angles in degrees, OpenCV's sense (clockwise from x as seen in the picture, 360 minus the
/// mathematical angle of y-up gradients), of every peak within [`PEAK_RATIO`] of the highest.
///
/// `scale` is the keypoint's scale in pixels of `plane`, (`column`, `row`) its nearest sample.
pub(super) fn orientations(
    level: Level,
    plane: &Plane,
    (column, row): (usize, usize),
    scale: f32,
    samples: &mut Samples,
    mut emit: impl FnMut(f32),
) {
    const N: usize = ORIENTATION_BINS;
    let radius = (ORIENTATION_RADIUS * scale).round_ties_even() as isize;
    let sigma = ORIENTATION_SIGMA * scale;
    let mut raw = [0.0f32; N];
    dispatch!(level, simd => simd.vectorize(#[inline(always)] || {
        histogram(plane, (column, row), radius, -1.0 / (2.0 * sigma * sigma), samples, &mut raw)
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
    samples: &mut Samples,
    raw: &mut [f32; ORIENTATION_BINS],
) {
    let (column, row) = (column as isize, row as isize);
    let left = (column - radius).max(1);
    let right = (column + radius).min(plane.width as isize - 2);
    let (top, bottom) = ((row - radius).max(1), (row + radius).min(plane.height as isize - 2));
    if left > right {
        return;
    }
    let n = (right - left + 1) as usize;
    samples.reset(n);
    for y in top..=bottom {
        let dy2 = ((y - row) * (y - row)) as f32;
        gradients(plane, left as usize, y as usize, n, samples);
        for (i, magnitude) in samples.magnitude[..n].iter_mut().enumerate() {
            let dx = (left - column + i as isize) as i32;
            *magnitude *= exp_negative(((dx * dx) as f32 + dy2) * exponent);
        }
        for (angle, magnitude) in samples.angle[..n].iter().zip(&samples.magnitude[..n]) {
            let bin = (angle * (ORIENTATION_BINS as f32 / 360.0)).round_ties_even() as usize;
            raw[if bin >= ORIENTATION_BINS {
                bin - ORIENTATION_BINS
            } else {
                bin
            }] += magnitude;
        }
    }
}

/// Direction (degrees, y up) and magnitude of `n` gradients of row `y` from column `x`.
#[inline(always)]
pub(super) fn gradients(plane: &Plane, x: usize, y: usize, n: usize, samples: &mut Samples) {
    let (up, here, down) = (plane.row(y - 1), plane.row(y), plane.row(y + 1));
    let (up, down) = (&up[x..x + n], &down[x..x + n]);
    let (left, right) = (&here[x - 1..x - 1 + n], &here[x + 1..x + 1 + n]);
    let (angle, magnitude) = (&mut samples.angle[..n], &mut samples.magnitude[..n]);
    for i in 0..n {
        let (dx, dy) = (right[i] - left[i], up[i] - down[i]);
        angle[i] = atan2_deg(dy, dx);
        magnitude[i] = (dx * dx + dy * dy).sqrt();
    }
}
