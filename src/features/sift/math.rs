//! Elementary functions written out, so that they vectorise and give the same bits everywhere.

use fearless_simd::prelude::*;
use fearless_simd::{f32x16, u32x16};

/// Angle of (x, y) in degrees, [0, 360], by an odd polynomial of degree 7 (error below 0.01 degrees).
///
/// The polynomial is the one OpenCV's `fastAtan2` uses: orientation histograms are binned by it, so
/// another one would move gradients across bin borders.
#[inline(always)]
pub(super) fn atan2_deg<S: Simd>(simd: S, y: f32x16<S>, x: f32x16<S>) -> f32x16<S> {
    const DEGREES: f32 = (180.0 / std::f64::consts::PI) as f32;
    const P1: f32 = 0.999_787_84 * DEGREES;
    const P3: f32 = -0.325_808_4 * DEGREES;
    const P5: f32 = 0.155_578_65 * DEGREES;
    const P7: f32 = -0.044_326_555 * DEGREES;
    let splat = |v: f32| f32x16::splat(simd, v);
    let (ax, ay) = (x.abs(), y.abs());
    let c = ax.min(ay) / (ax.max(ay) + splat(f64::EPSILON as f32));
    let c2 = c * c;
    let angle = (((splat(P7) * c2 + splat(P5)) * c2 + splat(P3)) * c2 + splat(P1)) * c;
    let angle = ay.simd_gt(ax).select(splat(90.0) - angle, angle);
    let angle = x.simd_lt(splat(0.0)).select(splat(180.0) - angle, angle);
    y.simd_lt(splat(0.0)).select(splat(360.0) - angle, angle)
}

/// e^x for x in [-80, 0], relative error below 2e-7.
#[inline(always)]
pub(super) fn exp_negative<S: Simd>(simd: S, x: f32x16<S>) -> f32x16<S> {
    // Adding and taking away 1.5 * 2^23 rounds to the nearest integer without a call.
    const ROUND: f32 = 12_582_912.0;
    const INVERSE_FACTORIALS: [f32; 7] = [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0];
    let splat = |v: f32| f32x16::splat(simd, v);
    let shifted = x * splat(std::f32::consts::LOG2_E) + splat(ROUND);
    let n = shifted - splat(ROUND);
    // ln 2 in two parts: n times the first is exact.
    let r = (x - n * splat(0.693_359_4)) - n * splat(-2.121_944_4e-4);
    let mut p = splat(1.0 / 5040.0);
    for term in INVERSE_FACTORIALS {
        p = p * r + splat(term);
    }
    // The low bits of n + ROUND are the integer itself in two's complement.
    let bits: u32x16<S> = (n + splat(ROUND)).bitcast();
    let exponent = (bits - u32x16::splat(simd, ROUND.to_bits()) + u32x16::splat(simd, 127)) << 23;
    p * exponent.bitcast::<f32x16<S>>()
}

#[cfg(test)]
mod tests {
    use fearless_simd::{Level, dispatch};

    use super::*;

    fn atan2(y: f32, x: f32) -> f32 {
        let mut out = [0.0; 16];
        dispatch!(Level::new(), simd => {
            atan2_deg(simd, f32x16::splat(simd, y), f32x16::splat(simd, x)).store_slice(&mut out)
        });
        out[7]
    }

    fn exp(x: f32) -> f32 {
        let mut out = [0.0; 16];
        dispatch!(Level::new(), simd => exp_negative(simd, f32x16::splat(simd, x)).store_slice(&mut out));
        out[7]
    }

    #[test]
    fn atan2_is_close_to_the_true_angle() {
        for i in 0..3600 {
            let truth = f64::from(i) * 0.1;
            let (y, x) = truth.to_radians().sin_cos();
            let got = f64::from(atan2(y as f32 * 7.0, x as f32 * 7.0));
            let error = (got - truth).abs();
            assert!(error.min(360.0 - error) < 0.02, "{truth}: {got}");
        }
        assert_eq!(atan2(0.0, 0.0), 0.0);
    }

    #[test]
    fn exp_is_exact_to_float() {
        for i in 0..8000 {
            let x = -0.01 * i as f32;
            let truth = f64::from(x).exp();
            assert!((f64::from(exp(x)) / truth - 1.0).abs() < 3e-7, "{x}");
        }
    }
}
