//! Extrema of the difference-of-Gaussians space, fitted to sub-pixel accuracy.

use fearless_simd::{Level, Simd as _, dispatch};

use super::params::{BORDER, MAX_STEPS, SiftParams};
use super::plane::{LANES, Plane};
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

/// Finds the extrema of one octave in layer and raster order.
pub(super) fn extrema(
    level: Level,
    octave: &Octave,
    params: &SiftParams,
    marks: &mut Vec<u32>,
    out: &mut Vec<Extremum>,
) {
    // OpenCV drops the fraction here; with the defaults 1.7 grey levels become 1.
    let threshold = (0.5 * params.contrast_threshold / f64::from(params.octave_layers) * 255.0).floor() as f32;
    for layer in 1..=params.octave_layers as usize {
        let plane = &octave.dog[layer];
        if plane.height <= 2 * BORDER || plane.width <= 2 * BORDER {
            return;
        }
        marks.clear();
        marks.resize(plane.stride, 0);
        for row in BORDER..plane.height - BORDER {
            dispatch!(level, simd => simd.vectorize(#[inline(always)] || mark(plane, row, threshold, marks)));
            for (chunk, group) in marks.chunks_exact(LANES).enumerate() {
                if group.iter().fold(0, |any, m| any | m) == 0 {
                    continue;
                }
                for (lane, _) in group.iter().enumerate().filter(|(_, m)| **m != 0) {
                    let column = chunk * LANES + lane;
                    let inside = column >= BORDER && column < plane.width - BORDER;
                    if inside && is_extremum(octave, layer, row, column) {
                        out.extend(refine(octave, params, layer, row, column));
                    }
                }
            }
        }
    }
}

/// Marks the columns that exceed the threshold and their four neighbours in the layer: the cheap part of the test.
#[inline(always)]
fn mark(plane: &Plane, row: usize, threshold: f32, marks: &mut [u32]) {
    let n = plane.stride;
    let (up, here, down) = (plane.row(row - 1), plane.row(row), plane.row(row + 1));
    let (up, down, marks) = (&up[1..n - 1], &down[1..n - 1], &mut marks[1..n - 1]);
    let (left, middle, right) = (&here[..n - 2], &here[1..n - 1], &here[2..]);
    for i in 0..n - 2 {
        let v = middle[i];
        let high = up[i].max(down[i]).max(left[i].max(right[i]));
        let low = up[i].min(down[i]).min(left[i].min(right[i]));
        marks[i] = u32::from((v >= high) & (v > threshold)) | u32::from((v <= low) & (v < -threshold));
    }
}

/// Whether a sample is at least as far out as its 26 neighbours.
fn is_extremum(octave: &Octave, layer: usize, row: usize, column: usize) -> bool {
    let value = octave.dog[layer].at(column, row);
    let sign = if value > 0.0 { 1.0 } else { -1.0 };
    octave.dog[layer - 1..=layer + 1].iter().all(|plane| {
        (row - 1..=row + 1).all(|y| {
            plane.row(y)[column - 1..=column + 1]
                .iter()
                .all(|v| sign * v <= sign * value)
        })
    })
}

/// Newton steps to the extremum of the local quadratic; then the contrast and edge tests (Lowe 2004, section 4).
fn refine(octave: &Octave, params: &SiftParams, layer: usize, row: usize, column: usize) -> Option<Extremum> {
    const SCALE: f32 = 1.0 / 255.0;
    let (mut column, mut row, mut layer) = (column, row, layer);
    let (width, height) = (octave.dog[layer].width, octave.dog[layer].height);
    for _ in 0..MAX_STEPS {
        let [below, here, above] = [&octave.dog[layer - 1], &octave.dog[layer], &octave.dog[layer + 1]];
        let at =
            |plane: &Plane, dx: isize, dy: isize| plane.at(column.wrapping_add_signed(dx), row.wrapping_add_signed(dy));
        let value = here.at(column, row);
        let gradient = [
            (at(here, 1, 0) - at(here, -1, 0)) * (SCALE * 0.5),
            (at(here, 0, 1) - at(here, 0, -1)) * (SCALE * 0.5),
            (at(above, 0, 0) - at(below, 0, 0)) * (SCALE * 0.5),
        ];
        let twice = value * 2.0;
        let xx = (at(here, 1, 0) + at(here, -1, 0) - twice) * SCALE;
        let yy = (at(here, 0, 1) + at(here, 0, -1) - twice) * SCALE;
        let ss = (at(above, 0, 0) + at(below, 0, 0) - twice) * SCALE;
        let cross = SCALE * 0.25;
        let xy = (at(here, 1, 1) - at(here, -1, 1) - at(here, 1, -1) + at(here, -1, -1)) * cross;
        let xs = (at(above, 1, 0) - at(above, -1, 0) - at(below, 1, 0) + at(below, -1, 0)) * cross;
        let ys = (at(above, 0, 1) - at(above, 0, -1) - at(below, 0, 1) + at(below, 0, -1)) * cross;
        let offset = solve([[xx, xy, xs], [xy, yy, ys], [xs, ys, ss]], gradient).map(|v| -v);
        if offset.iter().all(|v| v.abs() < 0.5) {
            let slope = gradient[0] * offset[0] + gradient[1] * offset[1] + gradient[2] * offset[2];
            let contrast = value * SCALE + slope * 0.5;
            if f64::from(contrast.abs()) * f64::from(params.octave_layers) < f64::from(params.contrast_threshold as f32)
            {
                return None;
            }
            let (trace, determinant) = (xx + yy, xx * yy - xy * xy);
            let edge = params.edge_threshold as f32;
            if determinant <= 0.0 || trace * trace * edge >= (edge + 1.0) * (edge + 1.0) * determinant {
                return None;
            }
            return Some(Extremum {
                column,
                row,
                layer,
                offset,
                response: contrast.abs(),
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

/// Solves a 3x3 system by elimination with partial pivoting; zeros when it is singular, as OpenCV returns.
fn solve(mut a: [[f32; 3]; 3], mut b: [f32; 3]) -> [f32; 3] {
    for i in 0..3 {
        let pivot = (i + 1..3).fold(i, |best, r| if a[r][i].abs() > a[best][i].abs() { r } else { best });
        if a[pivot][i].abs() < f32::EPSILON * 10.0 {
            return [0.0; 3];
        }
        a.swap(i, pivot);
        b.swap(i, pivot);
        for r in i + 1..3 {
            let factor = a[r][i] / a[i][i];
            for c in i + 1..3 {
                a[r][c] -= factor * a[i][c];
            }
            b[r] -= factor * b[i];
        }
    }
    let z = b[2] / a[2][2];
    let y = (b[1] - a[1][2] * z) / a[1][1];
    let x = (b[0] - a[0][1] * y - a[0][2] * z) / a[0][0];
    [x, y, z]
}
