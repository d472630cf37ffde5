//! Element-wise arithmetic on slices, written so that the compiler turns it into vector code.
//!
//! No step needs a fused multiply-add, so results do not depend on the instruction set.

use fearless_simd::{Level, Simd, dispatch};

/// Runs `work` compiled for the widest vectors of this machine. Everything it calls must be inlined.
#[inline(always)]
pub fn vectorised<R>(work: impl FnOnce() -> R) -> R {
    dispatch!(Level::new(), simd => simd.vectorize(work))
}

/// `e^x` to about 2 units in the last place for `x <= 88`; 0 below -87.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    // x = n ln 2 + r with |r| <= ln 2 / 2; ln 2 is split so that n times its head is exact.
    let bounded = x.clamp(-87.0, 88.0);
    // Adding 1.5 * 2^23 rounds to the nearest integer and leaves it in the low bits.
    const ROUND: f32 = 12_582_912.0;
    let shifted = bounded * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = bounded - n * 0.693_359_4 + n * 2.121_944_4e-4;
    // Taylor's series of degree 7: the first term left out is below 3e-9 here.
    let mut p = 1.0 / 5040.0;
    for c in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        p = p * r + c;
    }
    let power = f32::from_bits(((shifted.to_bits() as i32).wrapping_add(127) << 23) as u32);
    if x < -87.0 { 0.0 } else { p * power }
}

/// `(Phi(x), phi(x))`: the normal distribution function and density.
///
/// The tail by Abramowitz and Stegun 7.1.26; with rounding, the absolute error stays below 3e-7.
#[inline(always)]
pub fn normal(x: f32) -> (f32, f32) {
    let bell = exp(-0.5 * x * x);
    let z = x.abs() * std::f32::consts::FRAC_1_SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * z);
    let mut p = 1.061_405_4;
    for c in [-1.453_152, 1.421_413_7, -0.284_496_74, 0.254_829_6] {
        p = p * t + c;
    }
    let tail = 0.5 * p * t * bell;
    let below = if x < 0.0 { tail } else { 1.0 - tail };
    (below, 0.398_942_3 * bell)
}

/// `out = x Phi(x)`.
#[inline(always)]
pub fn gelu(x: &[f32], out: &mut [f32]) {
    for (out, &x) in out.iter_mut().zip(x) {
        *out = x * normal(x).0;
    }
}

/// `grad *= Phi(x) + x phi(x)`.
#[inline(always)]
pub fn gelu_backward(x: &[f32], grad: &mut [f32]) {
    for (grad, &x) in grad.iter_mut().zip(x) {
        let (below, density) = normal(x);
        *grad *= below + x * density;
    }
}

/// Sum in 16 lanes, so that it can be vectorised and still has one order.
#[inline(always)]
pub fn sum(values: impl Fn(usize) -> f32, count: usize) -> f32 {
    const LANES: usize = 16;
    let mut lanes = [0.0f32; LANES];
    let whole = count / LANES * LANES;
    for start in (0..whole).step_by(LANES) {
        for (lane, total) in lanes.iter_mut().enumerate() {
            *total += values(start + lane);
        }
    }
    let mut width = LANES / 2;
    while width > 0 {
        for lane in 0..width {
            lanes[lane] += lanes[lane + width];
        }
        width /= 2;
    }
    lanes[0] + (whole..count).map(values).sum::<f32>()
}

/// Turns scores into weights that sum to 1, in place; returns the logarithm of the sum of exponentials.
#[inline(always)]
pub fn softmax(row: &mut [f32]) -> f32 {
    let largest = maximum(row);
    for value in row.iter_mut() {
        *value = exp(*value - largest);
    }
    let total = sum(|i| row[i], row.len());
    let scale = 1.0 / total;
    for value in row.iter_mut() {
        *value *= scale;
    }
    largest + total.ln()
}

#[inline(always)]
fn maximum(row: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; 16];
    let mut chunks = row.chunks_exact(16);
    for chunk in &mut chunks {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane = if value > *lane { value } else { *lane };
        }
    }
    let rest = chunks.remainder().iter().chain(&lanes);
    rest.fold(f32::NEG_INFINITY, |m, &v| if v > m { v } else { m })
}

/// One normalised row; returns (mean, 1 / deviation).
#[inline(always)]
pub fn norm_row(x: &[f32], weight: &[f32], bias: &[f32], eps: f32, out: &mut [f32]) -> (f32, f32) {
    let count = x.len() as f32;
    let mean = sum(|i| x[i], x.len()) / count;
    let variance = sum(|i| (x[i] - mean) * (x[i] - mean), x.len()) / count;
    let inverse = 1.0 / (variance + eps).sqrt();
    for (((out, &x), &weight), &bias) in out.iter_mut().zip(x).zip(weight).zip(bias) {
        *out = (x - mean) * inverse * weight + bias;
    }
    (mean, inverse)
}

/// Backward of [`norm_row`]: `grad` becomes the gradient of `x`, those of weight and bias are added up.
#[inline(always)]
pub fn norm_row_backward(
    x: &[f32],
    (mean, inverse): (f32, f32),
    weight: &[f32],
    grad: &mut [f32],
    (grad_weight, grad_bias): (&mut [f32], &mut [f32]),
) {
    let count = x.len();
    let (x, weight, grad) = (&x[..count], &weight[..count], &mut grad[..count]);
    for i in 0..count {
        grad_weight[i] += grad[i] * (x[i] - mean) * inverse;
        grad_bias[i] += grad[i];
    }
    let scaled_mean = sum(|i| grad[i] * weight[i], count) / count as f32;
    let along = sum(|i| grad[i] * weight[i] * (x[i] - mean), count) * inverse / count as f32;
    for i in 0..count {
        let normal = (x[i] - mean) * inverse;
        grad[i] = (grad[i] * weight[i] - scaled_mean - normal * along) * inverse;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_agrees_with_libm() {
        for i in -8700..8800 {
            let x = i as f32 * 0.01;
            let want = libm::exp(f64::from(x));
            assert!((f64::from(exp(x)) / want - 1.0).abs() < 4e-7, "{x}");
        }
        assert_eq!((exp(-1e4), exp(0.0)), (0.0, 1.0));
    }

    #[test]
    fn normal_agrees_with_libm() {
        for i in -1200..1200 {
            let x = i as f32 * 0.01;
            let below = 0.5 * (1.0 + libm::erf(f64::from(x) / std::f64::consts::SQRT_2));
            assert!((f64::from(normal(x).0) - below).abs() < 3e-7, "{x}");
        }
    }

    #[test]
    fn softmax_sums_to_one_and_knows_its_logarithm() {
        let scores: Vec<f32> = (0..196).map(|i| (i as f32 * 0.37).sin() * 9.0).collect();
        let mut row = scores.clone();
        let log = vectorised(|| softmax(&mut row));
        assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        for (weight, score) in row.iter().zip(&scores) {
            assert!((weight - (score - log).exp()).abs() < 1e-6);
        }
    }
}
