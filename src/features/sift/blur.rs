//! Separable Gaussian blur.

use fearless_simd::{Level, Simd as _, dispatch};

use super::plane::{LANES, Plane, block};

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

/// Runs `$body` for each block of `$n` floats from `$x`: large ones first, so that sums of several
/// vectors hide each other's latency.
macro_rules! for_blocks {
    ($len:expr, $n:ident, $x:ident, $body:expr) => {
        let mut $x = 0;
        while $x + BLOCK <= $len {
            const $n: usize = BLOCK;
            $body;
            $x += BLOCK;
        }
        if $x + BLOCK / 2 <= $len {
            const $n: usize = BLOCK / 2;
            $body;
            $x += BLOCK / 2;
        }
        if $x < $len {
            const $n: usize = LANES;
            $body;
        }
    };
}

/// Buffers that one blur leaves to the next.
#[derive(Debug, Default)]
pub(super) struct BlurScratch {
    line: Vec<f32>,
    rows: Vec<usize>,
}

/// Blurs `source` into `target`.
pub(super) fn blur(level: Level, half: &[f32], source: &Plane, target: &mut Plane, scratch: &mut BlurScratch) {
    let radius = half.len() - 1;
    let pad = radius.next_multiple_of(LANES);
    target.reset(source.width, source.height);
    scratch.line.clear();
    scratch.line.resize(pad + source.stride + pad, 0.0);
    scratch.rows.clear();
    let (reach, height) = (radius as isize, source.height);
    let start = |y| reflect(y, height) * source.stride;
    scratch.rows.extend((-reach..height as isize + reach).map(start));
    dispatch!(level, simd => simd.vectorize(#[inline(always)] || {
        // The kernels of the default parameters get loops of known length.
        match half.len() {
            6 => rows::<6>(half, source, target, scratch),
            7 => rows::<7>(half, source, target, scratch),
            9 => rows::<9>(half, source, target, scratch),
            11 => rows::<11>(half, source, target, scratch),
            14 => rows::<14>(half, source, target, scratch),
            _ => rows::<0>(half, source, target, scratch),
        }
    }));
}

/// Blurs down the columns of each row, mirrors its ends, and blurs along it. `K` is the length of `half`, or 0 for any.
#[inline(always)]
fn rows<const K: usize>(half: &[f32], source: &Plane, target: &mut Plane, scratch: &mut BlurScratch) {
    let BlurScratch { line, rows } = scratch;
    let half = if K > 0 { &half[..K] } else { half };
    let radius = half.len() - 1;
    let pad = radius.next_multiple_of(LANES);
    for y in 0..source.height {
        let around = &rows[y..y + 2 * radius + 1];
        let out = &mut line[pad..pad + source.stride];
        for_blocks!(
            source.stride,
            N,
            x,
            down::<N>(half, &source.data, around, x, &mut out[x..x + N])
        );
        for i in 1..=radius as isize {
            line[(pad as isize - i) as usize] = line[pad + reflect(-i, source.width)];
            let right = source.width as isize - 1 + i;
            line[pad + right as usize] = line[pad + reflect(right, source.width)];
        }
        let out = target.row_mut(y);
        for_blocks!(out.len(), N, x, {
            let window = &line[pad + x - radius..pad + x + radius + N];
            along::<N>(half, window, &mut out[x..x + N]);
        });
    }
}

/// `N` columns of one output row of the vertical pass.
#[inline(always)]
pub(super) fn down<const N: usize>(half: &[f32], data: &[f32], around: &[usize], x: usize, out: &mut [f32]) {
    let radius = half.len() - 1;
    let mut sum = [0.0f32; N];
    for (s, v) in sum.iter_mut().zip(block::<N>(data, around[radius] + x)) {
        *s = half[0] * v;
    }
    let (before, after) = (around[..radius].iter().rev(), around[radius + 1..].iter());
    for (k, (above, below)) in half[1..].iter().zip(before.zip(after)) {
        let (above, below) = (block::<N>(data, above + x), block::<N>(data, below + x));
        for i in 0..N {
            sum[i] += k * (above[i] + below[i]);
        }
    }
    out.copy_from_slice(&sum);
}

/// `N` pixels of the horizontal pass from the `N + 2 radius` floats around them.
#[inline(always)]
fn along<const N: usize>(half: &[f32], window: &[f32], out: &mut [f32]) {
    let radius = half.len() - 1;
    let mut sum = [0.0f32; N];
    for (s, v) in sum.iter_mut().zip(block::<N>(window, radius)) {
        *s = half[0] * v;
    }
    for (j, k) in half.iter().enumerate().skip(1) {
        let (left, right) = (block::<N>(window, radius - j), block::<N>(window, radius + j));
        for i in 0..N {
            sum[i] += k * (left[i] + right[i]);
        }
    }
    out.copy_from_slice(&sum);
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
            let (mut first, mut other) = (Plane::default(), Plane::default());
            blur(Level::new(), &half, &source, &mut first, &mut BlurScratch::default());
            blur(
                Level::baseline(),
                &half,
                &source,
                &mut other,
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
                }
            }
        }
    }
}
