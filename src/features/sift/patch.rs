//! Differences of Gaussians in a 3x3 neighbourhood.
//!
//! The coarsest plane of an octave takes the widest blur, and only the neighbours of extrema in the
//! layer below it are ever looked at: it is computed there and nowhere else, bit for bit as the whole
//! plane would be.

use fearless_simd::{Level, Simd as _, dispatch};

use super::blur::{down, reflect};
use super::plane::{LANES, Plane};
use super::scale_space::Octave;

/// Rows of a 3x3 neighbourhood.
pub(super) type Patch = [[f32; 3]; 3];

/// Longest half kernel that [`patch`] can take: beyond what valid parameters give.
const MAX_RADIUS: usize = 62;
/// Columns of the blurred line.
const LINE: usize = (2 * MAX_RADIUS + 3).next_multiple_of(LANES);

/// Differences `gauss[layer + 1] - gauss[layer]` around a pixel that is not on the border.
pub(super) fn patch(level: Level, octave: &Octave, layer: usize, x: usize, y: usize) -> Patch {
    let stored = |plane: &Plane| -> Patch {
        std::array::from_fn(|row| std::array::from_fn(|column| plane.at(x + column - 1, y + row - 1)))
    };
    let finer = stored(&octave.gauss[layer]);
    let coarser = match octave.gauss.get(layer + 1) {
        Some(plane) => stored(plane),
        None => dispatch!(level, simd => simd.vectorize(#[inline(always)] || {
            blur_around(&octave.coarsest_kernel, &octave.gauss[layer], x, y)
        })),
    };
    std::array::from_fn(|row| std::array::from_fn(|column| coarser[row][column] - finer[row][column]))
}

/// The blurred values around one pixel.
#[inline(always)]
fn blur_around(half: &[f32], source: &Plane, x: usize, y: usize) -> Patch {
    let radius = half.len() - 1;
    let first = x as isize - 1 - radius as isize;
    let columns = 2 * radius + 3;
    let inside = first >= 0 && first as usize + columns <= source.width;
    let mut around = [0usize; 2 * MAX_RADIUS + 1];
    let around = &mut around[..2 * radius + 1];
    let mut line = [0.0f32; LINE];
    let mut out = Patch::default();
    for (row, out) in out.iter_mut().enumerate() {
        for (j, start) in around.iter_mut().enumerate() {
            *start = reflect((y + row + j) as isize - 1 - radius as isize, source.height) * source.stride;
        }
        if inside {
            for (block, line) in line.chunks_exact_mut(LANES).enumerate().take(columns.div_ceil(LANES)) {
                down::<LANES>(half, &source.data, around, first as usize + block * LANES, line);
            }
        } else {
            for (column, value) in line[..columns].iter_mut().enumerate() {
                let mut one = [0.0];
                down::<1>(
                    half,
                    &source.data,
                    around,
                    reflect(first + column as isize, source.width),
                    &mut one,
                );
                *value = one[0];
            }
        }
        for (column, out) in out.iter_mut().enumerate() {
            let centre = radius + column;
            let mut sum = half[0] * line[centre];
            for (j, k) in half.iter().enumerate().skip(1) {
                sum += k * (line[centre - j] + line[centre + j]);
            }
            *out = sum;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::blur::{BlurScratch, blur, half_kernel};
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
        blur(Level::new(), &half, &source, &mut whole, &mut BlurScratch::default());
        let octave = Octave {
            gauss: vec![source],
            coarsest_kernel: half,
        };
        for y in 1..height - 1 {
            for x in 1..width - 1 {
                let got = patch(Level::new(), &octave, 0, x, y);
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
