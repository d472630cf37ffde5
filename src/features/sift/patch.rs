//! Differences of Gaussians in a 3x3 neighbourhood.
//!
//! The coarsest plane of an octave takes the widest blur, and only the neighbours of extrema in the
//! layer below it are ever looked at: it is computed there and nowhere else, bit for bit as the whole
//! plane would be.

use fearless_simd::f32x4;
use fearless_simd::prelude::*;

use super::blur::{down_one, reflect};
use super::plane::{LANES, Plane};
use super::scale_space::Octave;

/// Rows of a 3x3 neighbourhood.
pub(super) type Patch = [[f32; 3]; 3];

/// Longest half kernel that [`patch`] can take: beyond what valid parameters give.
const MAX_RADIUS: usize = 62;
/// Columns of the blurred line.
const LINE: usize = (2 * MAX_RADIUS + 4).next_multiple_of(LANES);

/// Differences `gauss[layer + 1] - gauss[layer]` around a pixel that is not on the border.
#[inline(always)]
pub(super) fn patch<S: Simd>(simd: S, octave: &Octave, layer: usize, x: usize, y: usize) -> Patch {
    let finer = stored(&octave.gauss[layer], x, y);
    let mut out = match octave.gauss.get(layer + 1) {
        Some(plane) => stored(plane, x, y),
        None => blur_around(simd, &octave.coarsest_kernel, &octave.gauss[layer], x, y),
    };
    for row in 0..3 {
        for column in 0..3 {
            out[row][column] -= finer[row][column];
        }
    }
    out
}

/// The pixels around one.
#[inline(always)]
fn stored(plane: &Plane, x: usize, y: usize) -> Patch {
    let mut out = Patch::default();
    for (row, out) in out.iter_mut().enumerate() {
        let start = (y + row - 1) * plane.stride + x - 1;
        let [left, here, right] = [plane.data[start], plane.data[start + 1], plane.data[start + 2]];
        *out = [left, here, right];
    }
    out
}

/// The blurred values around one pixel.
#[inline(always)]
fn blur_around<S: Simd>(simd: S, half: &[f32], source: &Plane, x: usize, y: usize) -> Patch {
    let radius = half.len() - 1;
    let columns = 2 * radius + 3;
    let mut starts = [0usize; 2 * MAX_RADIUS + 3];
    for (j, start) in starts[..2 * radius + 3].iter_mut().enumerate() {
        *start = reflect((y + j) as isize - 1 - radius as isize, source.height) * source.stride;
    }
    let first = x as isize - 1 - radius as isize;
    let inside = first >= 0 && first as usize + columns <= source.width;
    let mut out = Patch::default();
    for (row, out) in out.iter_mut().enumerate() {
        let starts = &starts[row..row + 2 * radius + 1];
        let mut line = [0.0f32; LINE];
        if inside {
            for (block, line) in line.chunks_exact_mut(LANES).enumerate().take(columns.div_ceil(LANES)) {
                down_one(simd, half, &source.data, starts, first as usize + block * LANES).store_slice(line);
            }
        } else {
            let mut block = [0.0f32; LANES];
            for (column, value) in line[..columns].iter_mut().enumerate() {
                let column = reflect(first + column as isize, source.width);
                down_one(simd, half, &source.data, starts, column).store_slice(&mut block);
                *value = block[0];
            }
        }
        // Three neighbouring sums in one vector.
        let mut sum = few(simd, &line, radius) * f32x4::splat(simd, half[0]);
        for (j, &k) in half.iter().enumerate().skip(1) {
            sum += (few(simd, &line, radius - j) + few(simd, &line, radius + j)) * f32x4::splat(simd, k);
        }
        let sums: [f32; 4] = sum.into();
        out.copy_from_slice(&sums[..3]);
    }
    out
}

/// Four floats from a column.
#[inline(always)]
fn few<S: Simd>(simd: S, line: &[f32; LINE], column: usize) -> f32x4<S> {
    f32x4::from_slice(simd, &line[column..column + 4])
}

#[cfg(test)]
mod tests {
    use fearless_simd::{Level, dispatch};

    use super::super::blur::{BlurScratch, blur_rows, half_kernel};
    use super::*;

    #[test]
    fn equals_the_whole_plane_bit_for_bit() {
        let (width, height) = (61, 45);
        let mut source = Plane::default();
        source.reset(width, height);
        for y in 0..height {
            for x in 0..width {
                source.row_mut(y)[x] = ((x * 37 + y * y * 101) % 251) as f32;
            }
        }
        let half = half_kernel(3.0899);
        let mut whole = Plane::default();
        whole.reset(width, height);
        let mut scratch = BlurScratch::default();
        dispatch!(Level::new(), simd => blur_rows(simd, &half, &source, &mut whole, 0..height, &mut scratch));
        let octave = Octave {
            gauss: vec![source],
            coarsest_kernel: half,
            ..Octave::default()
        };
        for y in 1..height - 1 {
            for x in 1..width - 1 {
                let got = dispatch!(Level::new(), simd => patch(simd, &octave, 0, x, y));
                for row in 0..3 {
                    for column in 0..3 {
                        let (x, y) = (x + column - 1, y + row - 1);
                        let expected = whole.at(x, y) - octave.gauss[0].at(x, y);
                        assert_eq!(got[row][column].to_bits(), expected.to_bits());
                    }
                }
            }
        }
    }
}
