//! The 4x4x8 gradient histogram of a keypoint, quantised to bytes.

use fearless_simd::{Level, Simd as _, dispatch};

use super::math::exp_negative;
use super::orientation::{Samples, gradients};
use super::params::{BYTE_SCALE, CELL_BINS, CELL_WIDTH, CELLS, CLAMP};
use super::plane::Plane;

/// 16 cells of 8 orientations in raster order.
pub type Descriptor = [u8; CELLS * CELLS * CELL_BINS];

/// Cells along one side with a border that takes what interpolation spreads outside.
const SIDE: usize = CELLS + 2;
/// Orientation bins of a cell; the ninth wraps onto the first.
const BINS: usize = CELL_BINS + 1;
/// Row, column and orientation histogram, flat.
type Histogram = [f32; SIDE * SIDE * BINS];

/// Where and how a descriptor is taken, in pixels of its plane.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub x: f32,
    pub y: f32,
    pub scale: f32,
    /// Angle of the keypoint, degrees with y up.
    pub angle: f32,
}

/// Describes the surroundings of a keypoint (Lowe 2004, section 6).
pub(super) fn describe(level: Level, plane: &Plane, frame: Frame, samples: &mut Samples) -> Descriptor {
    // Neighbouring pixels mostly fall in the same bins; two histograms halve the chain of additions.
    let mut histograms: [Histogram; 2] = [[0.0; SIDE * SIDE * BINS]; 2];
    dispatch!(level, simd => simd.vectorize(#[inline(always)] || {
        accumulate(plane, frame, samples, &mut histograms)
    }));
    let [even, odd] = &histograms;
    let mut values = [0.0f32; CELLS * CELLS * CELL_BINS];
    for (cell, out) in values.chunks_exact_mut(CELL_BINS).enumerate() {
        let at = ((cell / CELLS + 1) * SIDE + cell % CELLS + 1) * BINS;
        for (bin, value) in out.iter_mut().enumerate() {
            *value = even[at + bin] + odd[at + bin];
        }
        out[0] += even[at + CELL_BINS] + odd[at + CELL_BINS];
    }
    quantise(&mut values)
}

/// Spreads the weighted gradients of the rotated window over the histogram.
#[inline(always)]
fn accumulate(plane: &Plane, frame: Frame, samples: &mut Samples, histograms: &mut [Histogram; 2]) {
    let cell = CELL_WIDTH * frame.scale;
    let diagonal = ((plane.width * plane.width + plane.height * plane.height) as f64).sqrt() as isize;
    let reach = (cell * std::f32::consts::SQRT_2 * (CELLS as f32 + 1.0) * 0.5).round_ties_even() as isize;
    let reach = reach.min(diagonal);
    let radians = frame.angle * (std::f64::consts::PI / 180.0) as f32;
    let (sin, cos) = (libm::sinf(radians) / cell, libm::cosf(radians) / cell);
    let (cx, cy) = (frame.x.round_ties_even() as isize, frame.y.round_ties_even() as isize);
    let (top, bottom) = ((cy - reach).max(1), (cy + reach).min(plane.height as isize - 2));
    let centre = CELLS as f32 * 0.5 - 0.5;
    for y in top..=bottom {
        let i = (y - cy) as f32;
        // Both bin coordinates must lie in (-1, CELLS): bounds on the column, one pixel generous.
        let (mut low, mut high) = (-reach as f32, reach as f32);
        narrow(cos, -i * sin + centre, &mut low, &mut high);
        narrow(sin, i * cos + centre, &mut low, &mut high);
        let left = (cx + low as isize - 1).max(cx - reach).max(1);
        let right = (cx + high as isize + 1).min(cx + reach).min(plane.width as isize - 2);
        if left > right {
            continue;
        }
        let n = (right - left + 1) as usize;
        samples.reset(n);
        gradients(plane, left as usize, y as usize, n, samples);
        weigh(samples, n, (left - cx) as i32, i, (sin, cos), frame.angle);
        let Samples {
            angle,
            magnitude,
            row,
            column,
        } = samples;
        let items = angle[..n]
            .iter()
            .zip(&magnitude[..n])
            .zip(row[..n].iter().zip(&column[..n]));
        for (k, ((&bin, &magnitude), (&row, &column))) in items.enumerate() {
            if row > -1.0 && row < CELLS as f32 && column > -1.0 && column < CELLS as f32 {
                spread(&mut histograms[k & 1], row, column, bin, magnitude);
            }
        }
    }
}

/// Narrows `low..high` to the j for which `slope * j + start` lies in [-1, CELLS].
#[inline(always)]
fn narrow(slope: f32, start: f32, low: &mut f32, high: &mut f32) {
    if slope.abs() < 1e-9 {
        return;
    }
    let (a, b) = ((-1.0 - start) / slope, (CELLS as f32 - start) / slope);
    *low = low.max(a.min(b));
    *high = high.min(a.max(b));
}

/// Bin coordinates and window weights of one row of samples.
#[inline(always)]
fn weigh(samples: &mut Samples, n: usize, first: i32, i: f32, (sin, cos): (f32, f32), angle: f32) {
    const EXPONENT: f32 = -1.0 / (CELLS as f32 * CELLS as f32 * 0.5);
    let centre = CELLS as f32 * 0.5;
    let (rows, columns) = (&mut samples.row[..n], &mut samples.column[..n]);
    let (angles, magnitudes) = (&mut samples.angle[..n], &mut samples.magnitude[..n]);
    for k in 0..n {
        let j = (first + k as i32) as f32;
        let (across, down) = (j * cos - i * sin, j * sin + i * cos);
        rows[k] = down + centre - 0.5;
        columns[k] = across + centre - 0.5;
        magnitudes[k] *= exp_negative((across * across + down * down) * EXPONENT);
        angles[k] = (angles[k] - angle) * (CELL_BINS as f32 / 360.0);
    }
}

/// Trilinear interpolation of one sample into its eight bins.
#[inline(always)]
fn spread(histogram: &mut Histogram, row: f32, column: f32, bin: f32, magnitude: f32) {
    // Shifted to be positive, truncation is floor; the angle lies in (-360, 360] degrees.
    // A coordinate just below CELLS may round up to it when shifted.
    let cell = |v: f32| ((v + 1.0) as i32).min(CELLS as i32);
    let (r0, c0, o0) = (cell(row), cell(column), (bin + CELL_BINS as f32) as i32);
    let row = row - (r0 - 1) as f32;
    let column = column - (c0 - 1) as f32;
    let bin = bin - (o0 - CELL_BINS as i32) as f32;
    let at = (r0 as usize * SIDE + c0 as usize) * BINS + (o0 as usize % CELL_BINS);
    let (r1, c1) = (magnitude * row, column);
    let r0 = magnitude - r1;
    let (r1c1, r0c1) = (r1 * c1, r0 * c1);
    let (r1c0, r0c0) = (r1 - r1c1, r0 - r0c1);
    for (offset, value) in [(0, r0c0), (BINS, r0c1), (SIDE * BINS, r1c0), (SIDE * BINS + BINS, r1c1)] {
        let next = value * bin;
        if let Some([first, second]) = histogram[at + offset..].first_chunk_mut::<2>() {
            *first += value - next;
            *second += next;
        }
    }
}

/// Normalises, clamps, normalises again and rounds to bytes.
fn quantise(values: &mut [f32; CELLS * CELLS * CELL_BINS]) -> Descriptor {
    let limit = length(values) * CLAMP;
    for value in values.iter_mut() {
        *value = value.min(limit);
    }
    let scale = BYTE_SCALE / length(values).max(f32::EPSILON);
    values.map(|value| (value * scale).round_ties_even() as u8)
}

/// Euclidean length, summed in eight fixed lanes.
fn length(values: &[f32]) -> f32 {
    let mut lanes = [0.0f32; 8];
    for chunk in values.chunks_exact(8) {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane += value * value;
        }
    }
    lanes.iter().sum::<f32>().sqrt()
}
