//! Separable Gaussian blur, with the difference to its input on the way.

use fearless_simd::{Level, Simd as _, dispatch};

use super::plane::{LANES, Plane};

/// Floats worked on at once: four AVX-512 or eight AVX2 accumulators.
const BLOCK: usize = 4 * LANES;

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
    line: Vec<f32>,
    rows: Vec<usize>,
}

/// Blurs `source` into `target`; `difference`, if asked for, becomes `target - source`.
pub(super) fn blur(
    level: Level,
    half: &[f32],
    source: &Plane,
    target: &mut Plane,
    difference: Option<&mut Plane>,
    scratch: &mut BlurScratch,
) {
    let radius = half.len() - 1;
    let pad = radius.next_multiple_of(LANES);
    target.reset(source.width, source.height);
    scratch.line.clear();
    scratch.line.resize(pad + source.stride + pad, 0.0);
    scratch.rows.clear();
    let (reach, height) = (radius as isize, source.height);
    scratch
        .rows
        .extend((-reach..height as isize + reach).map(|y| reflect(y, height) * source.stride));
    let BlurScratch { line, rows } = scratch;
    match difference {
        Some(difference) => {
            difference.reset(source.width, source.height);
            dispatch!(level, simd => simd.vectorize(#[inline(always)] || {
                blur_rows(half, source, line, rows, |y, line| {
                    let out = target.row_mut(y);
                    across(half, line, pad, out);
                    for ((d, o), s) in difference.row_mut(y).iter_mut().zip(out).zip(source.row(y)) {
                        *d = *o - *s;
                    }
                })
            }));
        }
        None => dispatch!(level, simd => simd.vectorize(#[inline(always)] || {
            blur_rows(half, source, line, rows, |y, line| across(half, line, pad, target.row_mut(y)))
        })),
    }
}

/// Blurs down the columns of each row into `line`, mirrors its ends, and hands it on.
#[inline(always)]
fn blur_rows(half: &[f32], source: &Plane, line: &mut [f32], rows: &[usize], mut emit: impl FnMut(usize, &[f32])) {
    let radius = half.len() - 1;
    let pad = radius.next_multiple_of(LANES);
    for y in 0..source.height {
        let around = &rows[y..y + 2 * radius + 1];
        let out = &mut line[pad..pad + source.stride];
        let mut x = 0;
        while x + BLOCK <= source.stride {
            down::<BLOCK>(half, &source.data, around, x, out);
            x += BLOCK;
        }
        while x < source.stride {
            down::<LANES>(half, &source.data, around, x, out);
            x += LANES;
        }
        for i in 1..=radius as isize {
            line[(pad as isize - i) as usize] = line[pad + reflect(-i, source.width)];
            let right = source.width as isize - 1 + i;
            line[pad + right as usize] = line[pad + reflect(right, source.width)];
        }
        emit(y, line);
    }
}

/// `N` columns of one output row of the vertical pass.
#[inline(always)]
fn down<const N: usize>(half: &[f32], data: &[f32], around: &[usize], x: usize, out: &mut [f32]) {
    let radius = half.len() - 1;
    let at = |row: usize| block::<N>(data, around[row] + x);
    let mut sum = [0.0f32; N];
    for (s, v) in sum.iter_mut().zip(at(radius)) {
        *s = half[0] * v;
    }
    for (j, &k) in half.iter().enumerate().skip(1) {
        let (above, below) = (at(radius - j), at(radius + j));
        for i in 0..N {
            sum[i] += k * (above[i] + below[i]);
        }
    }
    out[x..x + N].copy_from_slice(&sum);
}

/// The horizontal pass: `line` has `pad` floats before its first pixel.
#[inline(always)]
fn across(half: &[f32], line: &[f32], pad: usize, out: &mut [f32]) {
    let mut x = 0;
    while x + BLOCK <= out.len() {
        along::<BLOCK>(half, line, pad + x, &mut out[x..x + BLOCK]);
        x += BLOCK;
    }
    while x < out.len() {
        along::<LANES>(half, line, pad + x, &mut out[x..x + LANES]);
        x += LANES;
    }
}

/// `N` pixels of the horizontal pass.
#[inline(always)]
fn along<const N: usize>(half: &[f32], line: &[f32], centre: usize, out: &mut [f32]) {
    let mut sum = [0.0f32; N];
    for (s, v) in sum.iter_mut().zip(block::<N>(line, centre)) {
        *s = half[0] * v;
    }
    for (j, &k) in half.iter().enumerate().skip(1) {
        let (left, right) = (block::<N>(line, centre - j), block::<N>(line, centre + j));
        for i in 0..N {
            sum[i] += k * (left[i] + right[i]);
        }
    }
    out.copy_from_slice(&sum);
}

/// `N` floats from `start`.
#[inline(always)]
fn block<const N: usize>(data: &[f32], start: usize) -> &[f32; N] {
    match data[start..start + N].first_chunk() {
        Some(block) => block,
        None => unreachable!("a slice of N holds N"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reflects_over_small_images() {
        let got: Vec<usize> = (-7..8).map(|i| reflect(i, 3)).collect();
        assert_eq!(got, [1, 2, 1, 0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2, 1][..]);
        assert_eq!(reflect(-9, 1), 0);
    }

    #[test]
    fn equals_the_plain_sum_at_every_level() {
        for (width, height) in [(7, 5), (70, 33), (3, 40)] {
            let mut source = Plane::default();
            source.reset(width, height);
            for y in 0..height {
                for x in 0..width {
                    source.row_mut(y)[x] = ((x * 37 + y * 101) % 251) as f32;
                }
            }
            let half = half_kernel(2.2);
            let radius = half.len() as isize - 1;
            let weight = |d: isize| f64::from(half[d.unsigned_abs()]);
            let (mut first, mut other, mut difference) = (Plane::default(), Plane::default(), Plane::default());
            blur(
                Level::new(),
                &half,
                &source,
                &mut first,
                Some(&mut difference),
                &mut BlurScratch::default(),
            );
            blur(
                Level::baseline(),
                &half,
                &source,
                &mut other,
                None,
                &mut BlurScratch::default(),
            );
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
                    assert_eq!(difference.at(x, y), first.at(x, y) - source.at(x, y));
                }
            }
        }
    }
}
