//! The rotated window of a descriptor: weighted gradients and the cells they belong to.

use fearless_simd::prelude::*;
use fearless_simd::{f32x16, i32x16};

use super::descriptor::{Frame, SIDE};
use super::math::exp_negative;
use super::orientation::gradients;
use super::params::{CELL_BINS, CELL_WIDTH, CELLS};
use super::plane::{LANES, Plane};

/// Samples handed over at once: few enough to stay in the first-level cache.
pub(super) const CHUNK: usize = 384;

/// Weighted gradients, one array each.
#[derive(Debug)]
pub(super) struct Samples {
    pub len: usize,
    /// Cell of the upper left of the four that share a sample.
    pub cell: [i32; CHUNK + LANES],
    /// Orientation in bins, [0, 8).
    pub bin: [f32; CHUNK + LANES],
    /// Weight in each of the four cells: upper left, upper right, lower left, lower right.
    pub weights: [[f32; CHUNK + LANES]; 4],
}

impl Default for Samples {
    fn default() -> Self {
        Self {
            len: 0,
            cell: [0; _],
            bin: [0.0; _],
            weights: [[0.0; _]; 4],
        }
    }
}

impl Samples {
    /// Adds samples without weight up to a length of `n`.
    pub fn pad(&mut self, n: usize) {
        for weights in &mut self.weights {
            weights[self.len..n].fill(0.0);
        }
    }
}

/// The pixels of a keypoint's window in raster order.
pub(super) struct Window<'a> {
    plane: &'a Plane,
    reach: isize,
    /// Sine and cosine of the keypoint's angle in cells a pixel.
    sin: f32,
    cos: f32,
    turn: f32,
    centre: (isize, isize),
    bottom: isize,
    /// Next pixel to be sampled, and the last one of its row.
    x: isize,
    y: isize,
    right: isize,
}

impl<'a> Window<'a> {
    #[inline(always)]
    pub fn new(plane: &'a Plane, frame: Frame) -> Self {
        let cell = CELL_WIDTH * frame.scale;
        let diagonal = ((plane.width * plane.width + plane.height * plane.height) as f64).sqrt() as isize;
        let reach = (cell * std::f32::consts::SQRT_2 * (CELLS as f32 + 1.0) * 0.5).round_ties_even() as isize;
        let reach = reach.min(diagonal);
        let radians = frame.angle * (std::f64::consts::PI / 180.0) as f32;
        let centre = (frame.x.round_ties_even() as isize, frame.y.round_ties_even() as isize);
        let top = (centre.1 - reach).max(1);
        Self {
            plane,
            reach,
            sin: libm::sinf(radians) / cell,
            cos: libm::cosf(radians) / cell,
            turn: frame.angle,
            centre,
            bottom: (centre.1 + reach).min(plane.height as isize - 2),
            x: 0,
            y: top - 1,
            right: -1,
        }
    }

    /// Takes the next samples, until `samples` is full or the window is done.
    #[inline(always)]
    pub fn fill<S: Simd>(&mut self, simd: S, samples: &mut Samples) {
        loop {
            if self.x > self.right {
                if self.y >= self.bottom {
                    return;
                }
                self.y += 1;
                self.start_row();
                continue;
            }
            let n = LANES.min((self.right - self.x + 1) as usize);
            if samples.len + n > CHUNK {
                return;
            }
            self.weigh(simd, samples);
            samples.len += n;
            self.x += n as isize;
        }
    }

    /// Finds the columns of row `y` that can lie in the window.
    #[inline(always)]
    fn start_row(&mut self) {
        let centre = CELLS as f32 * 0.5 - 0.5;
        let (cx, reach) = (self.centre.0, self.reach);
        let i = (self.y - self.centre.1) as f32;
        // Both bin coordinates must lie in (-1, CELLS): bounds on the column, one pixel generous.
        let (mut low, mut high) = (-reach as f32, reach as f32);
        narrow(self.cos, -i * self.sin + centre, &mut low, &mut high);
        narrow(self.sin, i * self.cos + centre, &mut low, &mut high);
        self.x = (cx + low as isize - 1).max(cx - reach).max(1);
        self.right = (cx + high as isize + 1)
            .min(cx + reach)
            .min(self.plane.width as isize - 2);
    }

    /// Writes the next [`LANES`] samples of the row; those outside of the window have no weight.
    #[inline(always)]
    fn weigh<S: Simd>(&self, simd: S, samples: &mut Samples) {
        const EXPONENT: f32 = -1.0 / (CELLS as f32 * CELLS as f32 * 0.5);
        let splat = |v: f32| f32x16::splat(simd, v);
        let (zero, cells, one) = (splat(0.0), splat(CELLS as f32), splat(1.0));
        let (angle, magnitude) = gradients(simd, self.plane, self.x as usize, self.y as usize);
        let steps: [f32; LANES] = std::array::from_fn(|k| k as f32);
        let j = splat((self.x - self.centre.0) as f32) + f32x16::from_slice(simd, &steps);
        let i = (self.y - self.centre.1) as f32;
        let across = j * splat(self.cos) - splat(i * self.sin);
        let down = j * splat(self.sin) + splat(i * self.cos);
        let offset = splat(CELLS as f32 * 0.5);
        let (row, column) = (down + offset - splat(0.5), across + offset - splat(0.5));
        let inside = row.simd_gt(-one) & row.simd_lt(cells) & column.simd_gt(-one) & column.simd_lt(cells);
        let weight = magnitude * exp_negative(simd, (across * across + down * down) * splat(EXPONENT));
        let weight = inside.select(weight, zero);
        let whole = |v: f32x16<S>| -> i32x16<S> { (v + one).max(zero).min(cells).to_int() };
        let (cell_row, cell_column) = (whole(row), whole(column));
        let cell = cell_row * i32x16::splat(simd, SIDE as i32) + cell_column;
        let past = |v: f32x16<S>, cell: i32x16<S>| v - (cell - i32x16::splat(simd, 1)).to_float::<f32x16<S>>();
        let (row, column) = (past(row, cell_row), past(column, cell_column));
        let lower = weight * row;
        let upper = weight - lower;
        let (upper_right, lower_right) = (upper * column, lower * column);
        let bin = (angle - splat(self.turn)) * splat(CELL_BINS as f32 / 360.0);
        let bin = bin.simd_lt(zero).select(bin + splat(CELL_BINS as f32), bin);
        let place = samples.len..samples.len + LANES;
        cell.store_slice(&mut samples.cell[place.clone()]);
        bin.store_slice(&mut samples.bin[place.clone()]);
        let weights = [upper - upper_right, upper_right, lower - lower_right, lower_right];
        for (to, from) in samples.weights.iter_mut().zip(weights) {
            from.store_slice(&mut to[place.clone()]);
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
