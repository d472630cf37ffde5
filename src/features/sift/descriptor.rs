//! The 4x4x8 gradient histogram of a keypoint, quantised to bytes.

use fearless_simd::{Level, Simd as _, dispatch};

use super::math::exp_negative;
use super::orientation::gradients;
use super::params::{BYTE_SCALE, CELL_BINS, CELL_WIDTH, CELLS, CLAMP};
use super::plane::{LANES, Plane};

/// 16 cells of 8 orientations in raster order.
pub type Descriptor = [u8; CELLS * CELLS * CELL_BINS];

/// Cells along one side with a border that takes what interpolation spreads outside.
const SIDE: usize = CELLS + 2;
/// Orientation bins of one cell: one vector.
type Cell = [f32; CELL_BINS];
/// Cells in raster order, border included.
type Histogram = [Cell; SIDE * SIDE];

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
pub(super) fn describe(level: Level, plane: &Plane, frame: Frame) -> Descriptor {
    let mut histogram: Histogram = [[0.0; CELL_BINS]; SIDE * SIDE];
    dispatch!(level, simd => simd.vectorize(#[inline(always)] || {
        accumulate(plane, frame, &mut histogram)
    }));
    let mut values = [0.0f32; CELLS * CELLS * CELL_BINS];
    for (cell, out) in values.chunks_exact_mut(CELL_BINS).enumerate() {
        out.copy_from_slice(&histogram[(cell / CELLS + 1) * SIDE + cell % CELLS + 1]);
    }
    quantise(&mut values)
}

/// Spreads the weighted gradients of the rotated window over the histogram.
#[inline(always)]
fn accumulate(plane: &Plane, frame: Frame, histogram: &mut Histogram) {
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
        for x in (left..=right).step_by(LANES) {
            let (angle, magnitude) = gradients(plane, x as usize, y as usize);
            let samples = weigh(angle, magnitude, (x - cx) as i32, i, (sin, cos), frame.angle);
            spread(&samples, LANES.min((right - x + 1) as usize), histogram);
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

/// A block of weighted gradients.
struct Samples {
    /// Cell of the upper left of the four that share a sample.
    cell: [i32; LANES],
    /// Orientation in bins, [0, 8).
    bin: [f32; LANES],
    /// Weight in each of the four cells: upper left, upper right, lower left, lower right.
    weights: [[f32; LANES]; 4],
}

/// Places a block of gradients from offset `first` of row `i` in the window; weight 0 outside of it.
#[inline(always)]
fn weigh(
    angle: [f32; LANES],
    magnitude: [f32; LANES],
    first: i32,
    i: f32,
    (sin, cos): (f32, f32),
    turn: f32,
) -> Samples {
    const EXPONENT: f32 = -1.0 / (CELLS as f32 * CELLS as f32 * 0.5);
    let centre = CELLS as f32 * 0.5;
    let mut out = Samples {
        cell: [0; LANES],
        bin: [0.0; LANES],
        weights: [[0.0; LANES]; 4],
    };
    for k in 0..LANES {
        let j = (first + k as i32) as f32;
        let (across, down) = (j * cos - i * sin, j * sin + i * cos);
        let (row, column) = (down + centre - 0.5, across + centre - 0.5);
        let inside = (row > -1.0) & (row < CELLS as f32) & (column > -1.0) & (column < CELLS as f32);
        let weight = magnitude[k] * exp_negative((across * across + down * down) * EXPONENT);
        let weight = if inside { weight } else { 0.0 };
        let (cell_row, cell_column) = (clamp_cell(row + 1.0), clamp_cell(column + 1.0));
        out.cell[k] = cell_row * SIDE as i32 + cell_column;
        let (row, column) = (row - (cell_row - 1) as f32, column - (cell_column - 1) as f32);
        let lower = weight * row;
        let upper = weight - lower;
        let (upper_right, lower_right) = (upper * column, lower * column);
        out.weights[0][k] = upper - upper_right;
        out.weights[1][k] = upper_right;
        out.weights[2][k] = lower - lower_right;
        out.weights[3][k] = lower_right;
        let bin = (angle[k] - turn) * (CELL_BINS as f32 / 360.0);
        out.bin[k] = if bin < 0.0 { bin + CELL_BINS as f32 } else { bin };
    }
    out
}

/// The integer part of a coordinate, kept within the histogram.
#[inline(always)]
fn clamp_cell(v: f32) -> i32 {
    // Comparisons instead of `clamp` and a saturating cast: one instruction each.
    let v = if v > 0.0 { v } else { 0.0 };
    let v = if v < CELLS as f32 { v } else { CELLS as f32 };
    v as i32
}

/// Trilinear interpolation of the first `n` samples of a block.
///
/// Samples of a row stay in the same four cells for some pixels; those are kept at hand and written
/// back when the cells change.
#[inline(always)]
fn spread(samples: &Samples, n: usize, histogram: &mut Histogram) {
    const AROUND: [usize; 4] = [0, 1, SIDE, SIDE + 1];
    let mut current = samples.cell[0] as usize;
    let mut sums = AROUND.map(|offset| histogram[current + offset]);
    for k in 0..n.min(LANES) {
        let cell = samples.cell[k] as usize;
        if cell != current {
            for (sum, offset) in sums.iter().zip(AROUND) {
                histogram[current + offset] = *sum;
            }
            current = cell;
            sums = AROUND.map(|offset| histogram[current + offset]);
        }
        // A sample shares itself between the two bins nearest to its direction.
        let mut share: Cell = [0.0; CELL_BINS];
        for (bin, share) in share.iter_mut().enumerate() {
            let distance = (samples.bin[k] - bin as f32).abs();
            let around = CELL_BINS as f32 - distance;
            let near = 1.0 - if distance < around { distance } else { around };
            *share = if near > 0.0 { near } else { 0.0 };
        }
        for (sum, weights) in sums.iter_mut().zip(&samples.weights) {
            for (value, share) in sum.iter_mut().zip(share) {
                *value += weights[k] * share;
            }
        }
    }
    for (sum, offset) in sums.iter().zip(AROUND) {
        histogram[current + offset] = *sum;
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
