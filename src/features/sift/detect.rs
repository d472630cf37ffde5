//! Extrema of the difference-of-Gaussians space, fitted to sub-pixel accuracy.

use fearless_simd::prelude::*;
use fearless_simd::{Level, dispatch, f32x16, mask32x16};

use super::blur::load;
use super::params::{BORDER, MAX_STEPS, SiftParams};
use super::patch::{Patch, patch};
use super::plane::{AlignedFloats, LANES, Plane};
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

/// A sample beyond the threshold and its neighbours in the layers that are stored.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    layer: usize,
    row: usize,
    column: usize,
}

/// Looks for candidates in the rows of an octave as they come.
#[derive(Debug, Default)]
pub(super) struct Search {
    threshold: f32,
    layers: usize,
    width: usize,
    height: usize,
    /// Floats of one line of differences, [`LANES`] of them unused at each end.
    length: usize,
    /// `[layer][row % 3][column]`, layers 0 to `layers`.
    lines: AlignedFloats,
    /// The next row to be searched; differences exist up to it.
    next: usize,
}

impl Search {
    /// Begins an octave of planes like `plane`.
    pub fn start(&mut self, params: &SiftParams, plane: &Plane) {
        // OpenCV drops the fraction here; with the defaults 1.7 grey levels become 1.
        let contrast = 0.5 * params.contrast_threshold / f64::from(params.octave_layers);
        self.threshold = (contrast * 255.0).floor() as f32;
        self.layers = params.octave_layers as usize;
        (self.width, self.height) = (plane.width, plane.height);
        self.length = LANES + plane.stride + LANES;
        self.lines.resize((self.layers + 1) * 3 * self.length);
        self.next = BORDER - 2;
    }

    /// Searches all rows whose neighbours are there, when every plane has `rows` rows.
    #[inline(always)]
    pub fn advance<S: Simd>(&mut self, simd: S, gauss: &[Plane], rows: usize, out: &mut Vec<Candidate>) {
        let end = rows.min((self.height + 1).saturating_sub(BORDER));
        while self.next + 1 < end {
            self.difference(simd, gauss, self.next + 1);
            if self.next >= BORDER {
                for layer in 1..=self.layers {
                    simd.vectorize(
                        #[inline(always)]
                        || self.mark(simd, layer, self.next, out),
                    );
                }
            }
            self.next += 1;
        }
    }

    /// Where a line starts.
    #[inline(always)]
    fn place(&self, layer: usize, row: usize) -> usize {
        (layer * 3 + row % 3) * self.length + LANES
    }

    /// Takes the differences of one row in every layer that is searched.
    #[inline(always)]
    fn difference<S: Simd>(&mut self, simd: S, gauss: &[Plane], row: usize) {
        for (layer, pair) in gauss.windows(2).enumerate().take(self.layers + 1) {
            let place = self.place(layer, row);
            let (finer, coarser) = (pair[0].row(row), pair[1].row(row));
            let line = &mut self.lines[place..place + finer.len()];
            for ((d, c), f) in line
                .chunks_exact_mut(LANES)
                .zip(coarser.chunks_exact(LANES))
                .zip(finer.chunks_exact(LANES))
            {
                (f32x16::from_slice(simd, c) - f32x16::from_slice(simd, f)).store_slice(d);
            }
        }
    }

    /// Notes the columns that exceed the threshold and all their neighbours in the lines at hand.
    #[inline(always)]
    fn mark<S: Simd>(&self, simd: S, layer: usize, row: usize, out: &mut Vec<Candidate>) {
        let threshold = f32x16::splat(simd, self.threshold);
        let [here, finer, coarser] = [layer, layer - 1, (layer + 1).min(self.layers)].map(|layer| {
            // Above the coarsest layer there are no differences yet: it stands in for that itself.
            [row, row - 1, row + 1].map(|row| {
                let place = self.place(layer, row);
                &self.lines[place - LANES..place - LANES + self.length]
            })
        });
        for x in (LANES..self.length - LANES).step_by(LANES) {
            let value = load(simd, here[0], x);
            // Six neighbours rule out almost all.
            let mut range = Range::of(value);
            range.widen(simd, here[0], x - 1);
            range.widen(simd, here[0], x + 1);
            range.widen(simd, here[1], x);
            range.widen(simd, here[2], x);
            range.widen(simd, finer[0], x);
            range.widen(simd, coarser[0], x);
            if !range.ends_at(value, threshold).any_true() {
                continue;
            }
            for line in [
                here[1], here[2], finer[0], finer[1], finer[2], coarser[0], coarser[1], coarser[2],
            ] {
                range.widen(simd, line, x - 1);
                range.widen(simd, line, x);
                range.widen(simd, line, x + 1);
            }
            let mut marked = range.ends_at(value, threshold).to_bitmask();
            while marked != 0 {
                let column = x - LANES + marked.trailing_zeros() as usize;
                marked &= marked - 1;
                if column >= BORDER && column < self.width - BORDER {
                    out.push(Candidate { layer, row, column });
                }
            }
        }
    }
}

/// Least and greatest of some values, lane by lane.
struct Range<S: Simd> {
    least: f32x16<S>,
    most: f32x16<S>,
}

impl<S: Simd> Range<S> {
    #[inline(always)]
    fn of(value: f32x16<S>) -> Self {
        Self {
            least: value,
            most: value,
        }
    }

    #[inline(always)]
    fn widen(&mut self, simd: S, line: &[f32], x: usize) {
        let value = load(simd, line, x);
        self.least = self.least.min(value);
        self.most = self.most.max(value);
    }

    /// Lanes in which a value beyond the threshold is the greatest or the least.
    #[inline(always)]
    fn ends_at(&self, value: f32x16<S>, threshold: f32x16<S>) -> mask32x16<S> {
        (value.simd_ge(self.most) & value.simd_gt(threshold)) | (value.simd_le(self.least) & value.simd_lt(-threshold))
    }
}

/// Finds the extrema of one octave among its candidates.
pub(super) fn extrema(level: Level, octave: &Octave, params: &SiftParams, out: &mut Vec<Extremum>) {
    dispatch!(level, simd => simd.vectorize(#[inline(always)] || {
        for candidate in &octave.candidates {
            if let Some(around) = neighbourhood(simd, octave, *candidate) {
                out.extend(refine(simd, octave, params, *candidate, around));
            }
        }
    }));
}

/// The neighbours of a sample in the layers below, here and above, if it is at least as far out as all 26.
#[inline(always)]
fn neighbourhood<S: Simd>(simd: S, octave: &Octave, at: Candidate) -> Option<[Patch; 3]> {
    let Candidate { layer, row, column } = at;
    let here = patch(simd, octave, layer, column, row);
    let value = here[1][1];
    let sign = if value > 0.0 { 1.0 } else { -1.0 };
    if !topped(&here, sign, value) {
        return None;
    }
    let below = patch(simd, octave, layer - 1, column, row);
    if !topped(&below, sign, value) {
        return None;
    }
    // Last, because it may have to be blurred first.
    let above = patch(simd, octave, layer + 1, column, row);
    topped(&above, sign, value).then_some([below, here, above])
}

/// Whether a value lies at least as far out as a whole patch.
#[inline(always)]
fn topped(patch: &Patch, sign: f32, value: f32) -> bool {
    let mut all = true;
    for row in patch {
        for v in row {
            all &= sign * v <= sign * value;
        }
    }
    all
}

/// Newton steps to the extremum of the local quadratic; then the contrast and edge tests (Lowe 2004, section 4).
#[inline(always)]
fn refine<S: Simd>(
    simd: S,
    octave: &Octave,
    params: &SiftParams,
    start: Candidate,
    mut around: [Patch; 3],
) -> Option<Extremum> {
    let Candidate {
        mut layer,
        mut row,
        mut column,
    } = start;
    let (width, height) = (octave.gauss[0].width, octave.gauss[0].height);
    for taken in 0..MAX_STEPS {
        if taken > 0 {
            around = [
                patch(simd, octave, layer - 1, column, row),
                patch(simd, octave, layer, column, row),
                patch(simd, octave, layer + 1, column, row),
            ];
        }
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
