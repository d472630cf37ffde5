//! Separable Gaussian blur.
//!
//! Columns first, then rows; the sum of each pixel goes from the centre of the kernel outwards, one
//! pair of mirrored neighbours after the other, without fused operations.

use std::ops::Range;

use fearless_simd::f32x16;
use fearless_simd::prelude::*;

use super::plane::{AlignedFloats, LANES, Plane};

/// Rows blurred together: neighbouring rows share most of what they read.
pub(super) const ROWS: usize = 4;

/// Right half of a symmetric kernel, the centre first.
///
/// Length and weights as OpenCV chooses them for float images: `round(8 sigma + 1) | 1` taps,
/// computed in double precision and normalised before rounding to float.
pub(super) fn half_kernel(sigma: f64) -> Vec<f32> {
    let taps = ((sigma * 8.0 + 1.0).round_ties_even() as usize) | 1;
    let radius = taps / 2;
    let weight = |i: usize| libm::exp(-0.5 * (i * i) as f64 / (sigma * sigma));
    let sum = weight(0) + 2.0 * (1..=radius).map(weight).sum::<f64>();
    (0..=radius).map(|i| (weight(i) / sum) as f32).collect()
}

/// Reflection without repeating the edge (`dcb|abcd|cba`), for any distance and size.
pub(super) fn reflect(i: isize, n: usize) -> usize {
    let last = n as isize - 1;
    // Once is enough nearly always, and needs no division.
    let once = if i < 0 {
        -i
    } else if i > last {
        2 * last - i
    } else {
        i
    };
    if (0..=last).contains(&once) {
        return once as usize;
    }
    if n == 1 {
        return 0;
    }
    let period = 2 * (n as isize - 1);
    let i = i.rem_euclid(period);
    (if i < n as isize { i } else { period - i }) as usize
}

/// Buffers that one blur leaves to the next.
#[derive(Debug, Default)]
pub(super) struct BlurScratch {
    /// One line for each of [`ROWS`] rows, with room for its mirrored ends.
    lines: [AlignedFloats; ROWS],
    /// Where the rows around those to be blurred start.
    starts: Vec<usize>,
}

/// Blurs some rows of `source` into `target`, which must have its size.
#[inline(always)]
pub(super) fn blur_rows<S: Simd>(
    simd: S,
    half: &[f32],
    source: &Plane,
    target: &mut Plane,
    rows: Range<usize>,
    scratch: &mut BlurScratch,
) {
    let radius = half.len() - 1;
    let pad = radius.next_multiple_of(LANES);
    for line in &mut scratch.lines {
        line.resize(pad + source.stride + pad);
    }
    let around = rows.start as isize - radius as isize..(rows.end + ROWS + radius) as isize;
    scratch.starts.clear();
    scratch
        .starts
        .extend(around.map(|y| reflect(y, source.height) * source.stride));
    // A function of its own for each pass, so that its sums stay in registers.
    for first in rows.clone().step_by(ROWS) {
        let starts = &scratch.starts[first - rows.start..][..2 * radius + ROWS];
        let lines = &mut scratch.lines;
        simd.vectorize(
            #[inline(always)]
            || down_rows(simd, half, source, starts, lines, pad),
        );
        let valid = ROWS.min(rows.end - first);
        for (line, y) in lines[..valid].iter_mut().zip(first..) {
            for i in 1..=radius as isize {
                line[(pad as isize - i) as usize] = line[pad + reflect(-i, source.width)];
                let right = source.width as isize - 1 + i;
                line[pad + right as usize] = line[pad + reflect(right, source.width)];
            }
            let line = &line[pad - radius..];
            let out = target.row_mut(y);
            simd.vectorize(
                #[inline(always)]
                || along_row(simd, half, line, out),
            );
        }
    }
}

/// [`ROWS`] rows of the vertical pass.
#[inline(always)]
fn down_rows<S: Simd>(
    simd: S,
    half: &[f32],
    source: &Plane,
    starts: &[usize],
    lines: &mut [AlignedFloats; ROWS],
    pad: usize,
) {
    let [l0, l1, l2, l3] = lines;
    let end = pad + source.stride;
    let lines = l0[pad..end]
        .chunks_exact_mut(S::f32s::LEN)
        .zip(l1[pad..end].chunks_exact_mut(S::f32s::LEN));
    let lines = lines.zip(
        l2[pad..end]
            .chunks_exact_mut(S::f32s::LEN)
            .zip(l3[pad..end].chunks_exact_mut(S::f32s::LEN)),
    );
    for (vector, ((l0, l1), (l2, l3))) in lines.enumerate() {
        let [s0, s1, s2, s3] = down(simd, half, &source.data, starts, vector * S::f32s::LEN);
        s0.store_slice(l0);
        s1.store_slice(l1);
        s2.store_slice(l2);
        s3.store_slice(l3);
    }
}

/// A vector of [`ROWS`] rows of the vertical pass; `starts` are those of the first row's `radius`
/// rows above, of the rows, and of the last one's rows below.
///
/// Vectors have the machine's width: what is at hand of the neighbouring rows just fits its registers.
#[inline(always)]
fn down<S: Simd>(simd: S, half: &[f32], data: &[f32], starts: &[usize], x: usize) -> [S::f32s; ROWS] {
    let radius = half.len() - 1;
    let centre = S::f32s::splat(simd, half[0]);
    let (above, rest) = starts.split_at(radius);
    let (here, below) = rest.split_at(ROWS);
    let mut a0 = native(simd, data, here[0] + x);
    let mut a1 = native(simd, data, here[1] + x);
    let mut a2 = native(simd, data, here[2] + x);
    let mut a3 = native(simd, data, here[3] + x);
    let [mut b1, mut b2, mut b3] = [a1, a2, a3];
    let [mut s0, mut s1, mut s2, mut s3] = [a0 * centre, a1 * centre, a2 * centre, a3 * centre];
    let mut b0;
    for ((&k, &above), &below) in half[1..].iter().zip(above.iter().rev()).zip(below) {
        let k = S::f32s::splat(simd, k);
        // One row further out: all but one of those around the next row are at hand.
        (a3, a2, a1) = (a2, a1, a0);
        a0 = native(simd, data, above + x);
        (b0, b1, b2) = (b1, b2, b3);
        b3 = native(simd, data, below + x);
        s0 += (a0 + b0) * k;
        s1 += (a1 + b1) * k;
        s2 += (a2 + b2) * k;
        s3 += (a3 + b3) * k;
    }
    [s0, s1, s2, s3]
}

/// Sixteen columns of one row.
#[inline(always)]
pub(super) fn down_one<S: Simd>(simd: S, half: &[f32], data: &[f32], starts: &[usize], x: usize) -> f32x16<S> {
    let radius = half.len() - 1;
    let (above, rest) = starts.split_at(radius);
    let mut sum = load(simd, data, rest[0] + x) * f32x16::splat(simd, half[0]);
    for ((&k, &above), &below) in half[1..].iter().zip(above.iter().rev()).zip(&rest[1..]) {
        let pair = load(simd, data, above + x) + load(simd, data, below + x);
        sum += pair * f32x16::splat(simd, k);
    }
    sum
}

/// One row of the horizontal pass; `line` begins `radius` before it.
#[inline(always)]
fn along_row<S: Simd>(simd: S, half: &[f32], line: &[f32], out: &mut [f32]) {
    let mut x = 0;
    while x + 4 * S::f32s::LEN <= out.len() {
        along::<S, 4>(simd, half, &line[x..], &mut out[x..]);
        x += 4 * S::f32s::LEN;
    }
    while x + 2 * S::f32s::LEN <= out.len() {
        along::<S, 2>(simd, half, &line[x..], &mut out[x..]);
        x += 2 * S::f32s::LEN;
    }
    if x < out.len() {
        along::<S, 1>(simd, half, &line[x..], &mut out[x..]);
    }
}

/// `N` vectors, at most four: enough sums side by side to hide the latency of an addition.
#[inline(always)]
fn along<S: Simd, const N: usize>(simd: S, half: &[f32], line: &[f32], out: &mut [f32]) {
    let radius = half.len() - 1;
    let floats = N * S::f32s::LEN;
    let window = &line[..floats + 2 * radius];
    let left = window[..floats + radius - 1].windows(floats).rev();
    let right = window[radius + 1..].windows(floats);
    let centre = S::f32s::splat(simd, half[0]);
    let mut sums = [S::f32s::splat(simd, 0.0); N];
    for (v, sum) in sums.iter_mut().enumerate() {
        *sum = native(simd, window, radius + v * S::f32s::LEN) * centre;
    }
    for ((&k, left), right) in half[1..].iter().zip(left).zip(right) {
        let k = S::f32s::splat(simd, k);
        for (v, sum) in sums.iter_mut().enumerate() {
            let at = v * S::f32s::LEN;
            *sum += (native(simd, left, at) + native(simd, right, at)) * k;
        }
    }
    for (sum, out) in sums.iter().zip(out.chunks_exact_mut(S::f32s::LEN)) {
        sum.store_slice(out);
    }
}

/// A vector of the machine's width from `start`.
#[inline(always)]
fn native<S: Simd>(simd: S, data: &[f32], start: usize) -> S::f32s {
    S::f32s::from_slice(simd, &data[start..start + S::f32s::LEN])
}

/// Sixteen floats from `start`.
#[inline(always)]
pub(super) fn load<S: Simd>(simd: S, data: &[f32], start: usize) -> f32x16<S> {
    f32x16::from_slice(simd, &data[start..start + LANES])
}

#[cfg(test)]
mod tests {
    use fearless_simd::{Level, dispatch};

    use super::*;

    fn blur(level: Level, half: &[f32], source: &Plane) -> Plane {
        let mut target = Plane::default();
        target.reset(source.width, source.height);
        let mut scratch = BlurScratch::default();
        dispatch!(level, simd => {
            // In two strips, of which the first does not end with a group of rows.
            let middle = source.height.min(5);
            blur_rows(simd, half, source, &mut target, 0..middle, &mut scratch);
            blur_rows(simd, half, source, &mut target, middle..source.height, &mut scratch);
        });
        target
    }

    #[test]
    fn reflects_over_small_images() {
        let got: Vec<usize> = (-7..8).map(|i| reflect(i, 3)).collect();
        assert_eq!(got, [1, 2, 1, 0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2, 1][..]);
        assert_eq!(reflect(-9, 1), 0);
    }

    #[test]
    fn equals_the_plain_sum_at_every_level() {
        for (width, height, sigma) in [(7, 5, 2.2), (70, 33, 1.2263), (3, 40, 3.09), (130, 9, 1.9466)] {
            let mut source = Plane::default();
            source.reset(width, height);
            for y in 0..height {
                for x in 0..width {
                    source.row_mut(y)[x] = ((x * 37 + y * 101) % 251) as f32;
                }
            }
            let half = half_kernel(sigma);
            let radius = half.len() as isize - 1;
            let weight = |d: isize| f64::from(half[d.unsigned_abs()]);
            let first = blur(Level::new(), &half, &source);
            let other = blur(Level::baseline(), &half, &source);
            for y in 0..height {
                for x in 0..width {
                    let mut sum = 0.0;
                    for j in -radius..=radius {
                        for i in -radius..=radius {
                            let (sx, sy) = (reflect(x as isize + i, width), reflect(y as isize + j, height));
                            sum += weight(i) * weight(j) * f64::from(source.at(sx, sy));
                        }
                    }
                    assert!((f64::from(first.at(x, y)) - sum).abs() < 1e-3);
                    assert_eq!(first.at(x, y).to_bits(), other.at(x, y).to_bits());
                }
            }
        }
    }
}
