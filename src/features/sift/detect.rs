//! Extrema of the difference-of-Gaussians space, fitted to sub-pixel accuracy.

use fearless_simd::{Level, Simd as _, dispatch};

use super::params::{BORDER, MAX_STEPS, SiftParams};
use super::patch::{Patch, patch};
use super::plane::LANES;
use super::quadratic::Quadratic;
use super::scale_space::Octave;

/// An accepted extremum, in pixels of its octave.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Extremum {
    /// Nearest sample: column, row, layer (1 to `octave_layers`).
    pub column: usize,
    pub row: usize,
    pub layer: usize,
    /// Fitted offset from that sample: x, y, layer.
    pub offset: [f32; 3],
    /// Interpolated contrast, absolute.
    pub response: f32,
}

/// Finds the extrema of one octave, row by row.
pub(super) fn extrema(
    level: Level,
    octave: &Octave,
    params: &SiftParams,
    scratch: &mut Scratch,
    out: &mut Vec<Extremum>,
) {
    // OpenCV drops the fraction here; with the defaults 1.7 grey levels become 1.
    let threshold = (0.5 * params.contrast_threshold / f64::from(params.octave_layers) * 255.0).floor() as f32;
    let layers = params.octave_layers as usize;
    let (width, height, stride) = (octave.gauss[0].width, octave.gauss[0].height, octave.gauss[0].stride);
    if height <= 2 * BORDER || width <= 2 * BORDER {
        return;
    }
    scratch.reset(layers, stride);
    dispatch!(level, simd => simd.vectorize(#[inline(always)] || {
        scratch.difference(octave, BORDER - 1);
        scratch.difference(octave, BORDER);
    }));
    for row in BORDER..height - BORDER {
        dispatch!(level, simd => simd.vectorize(#[inline(always)] || {
            scratch.difference(octave, row + 1);
            for layer in 1..=layers {
                scratch.mark(layer, row, threshold);
            }
        }));
        let marked = scratch.blocks.iter().enumerate().filter(|(_, any)| **any != 0);
        for (block, _) in marked {
            let group = &scratch.columns[block * LANES..(block + 1) * LANES];
            for (lane, _) in group.iter().enumerate().filter(|(_, m)| **m != 0) {
                let (layer, column) = (1 + block * LANES / stride, (block * LANES + lane) % stride);
                let inside = column >= BORDER && column < width - BORDER;
                if inside && is_extremum(level, octave, layer, row, column) {
                    out.extend(refine(level, octave, params, layer, row, column));
                }
            }
        }
    }
}

/// Rows of differences around the one looked at, and its possible extrema.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    stride: usize,
    layers: usize,
    /// `[layer][row % 3][column]`, layers 0 to `layers`.
    rows: Vec<f32>,
    /// `[layer - 1][column]`: not 0 where there may be an extremum.
    columns: Vec<u32>,
    /// Not 0 where any column of a block is marked.
    blocks: Vec<u32>,
}

impl Scratch {
    fn reset(&mut self, layers: usize, stride: usize) {
        (self.stride, self.layers) = (stride, layers);
        self.rows.resize((layers + 1) * 3 * stride, 0.0);
        self.columns.clear();
        self.columns.resize(layers * stride, 0);
        self.blocks.resize(layers * stride / LANES, 0);
    }

    fn place(&self, layer: usize, row: usize) -> std::ops::Range<usize> {
        let start = (layer * 3 + row % 3) * self.stride;
        start..start + self.stride
    }

    /// Takes the differences of one row in every layer that is searched.
    #[inline(always)]
    fn difference(&mut self, octave: &Octave, row: usize) {
        for layer in 0..=self.layers {
            let place = self.place(layer, row);
            let (finer, coarser) = (octave.gauss[layer].row(row), octave.gauss[layer + 1].row(row));
            for ((d, c), f) in self.rows[place].iter_mut().zip(coarser).zip(finer) {
                *d = c - f;
            }
        }
    }

    /// Marks the columns that exceed the threshold and their four neighbours in the layer: the cheap part of the test.
    #[inline(always)]
    fn mark(&mut self, layer: usize, row: usize, threshold: f32) {
        let n = self.stride;
        let [up, here, down] = [row - 1, row, row + 1].map(|row| self.place(layer, row));
        let (up, here, down) = (&self.rows[up], &self.rows[here], &self.rows[down]);
        let (up, down) = (&up[1..n - 1], &down[1..n - 1]);
        let (left, middle, right) = (&here[..n - 2], &here[1..n - 1], &here[2..]);
        // The coarsest layer has no row of differences above it: it stands in for that itself.
        let beside = |layer: usize| self.place(layer.min(self.layers), row);
        let (finer, coarser) = (beside(layer - 1), beside(layer + 1));
        let (finer, coarser) = (&self.rows[finer][1..n - 1], &self.rows[coarser][1..n - 1]);
        let marks = &mut self.columns[(layer - 1) * n..layer * n];
        let columns = &mut marks[1..n - 1];
        for i in 0..n - 2 {
            let v = middle[i];
            let high = (v >= up[i]) & (v >= down[i]) & (v >= left[i]) & (v >= right[i]) & (v > threshold);
            let low = (v <= up[i]) & (v <= down[i]) & (v <= left[i]) & (v <= right[i]) & (v < -threshold);
            let high = high & (v >= finer[i]) & (v >= coarser[i]);
            let low = low & (v <= finer[i]) & (v <= coarser[i]);
            columns[i] = u32::from(high | low);
        }
        let blocks = &mut self.blocks[(layer - 1) * n / LANES..layer * n / LANES];
        for (any, group) in blocks.iter_mut().zip(marks.chunks_exact(LANES)) {
            *any = group.iter().fold(0, |any, mark| any | mark);
        }
    }
}

/// Whether a sample is at least as far out as its 26 neighbours.
fn is_extremum(level: Level, octave: &Octave, layer: usize, row: usize, column: usize) -> bool {
    let here = patch(level, octave, layer, column, row);
    let value = here[1][1];
    let sign = if value > 0.0 { 1.0 } else { -1.0 };
    let topped = |patch: Patch| patch.iter().flatten().all(|v| sign * v <= sign * value);
    topped(here)
        && [layer - 1, layer + 1]
            .iter()
            .all(|&l| topped(patch(level, octave, l, column, row)))
}

/// Newton steps to the extremum of the local quadratic; then the contrast and edge tests (Lowe 2004, section 4).
fn refine(
    level: Level,
    octave: &Octave,
    params: &SiftParams,
    layer: usize,
    row: usize,
    column: usize,
) -> Option<Extremum> {
    let (mut column, mut row, mut layer) = (column, row, layer);
    let (width, height) = (octave.gauss[0].width, octave.gauss[0].height);
    for _ in 0..MAX_STEPS {
        let around = [layer - 1, layer, layer + 1].map(|l| patch(level, octave, l, column, row));
        let fit = Quadratic::new(&around);
        let offset = fit.extremum();
        if offset.iter().all(|v| v.abs() < 0.5) {
            let response = fit.accepted_contrast(offset, params)?;
            return Some(Extremum {
                column,
                row,
                layer,
                offset,
                response,
            });
        }
        column = step(column, offset[0], BORDER, width - BORDER)?;
        row = step(row, offset[1], BORDER, height - BORDER)?;
        layer = step(layer, offset[2], 1, params.octave_layers as usize + 1)?;
    }
    None
}

/// Moves an index by a rounded offset, or gives up outside `low..high`.
fn step(index: usize, offset: f32, low: usize, high: usize) -> Option<usize> {
    // NaN and infinity, from a singular system, fail the comparison.
    let moved = index as f32 + offset.round_ties_even();
    (moved >= low as f32 && moved < high as f32).then_some(moved as usize)
}
