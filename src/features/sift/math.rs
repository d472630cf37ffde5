//! Elementary functions written out, so that they vectorise and give the same bits everywhere.

/// Angle of (x, y) in degrees, [0, 360], by an odd polynomial of degree 7 (error below 0.01 degrees).
///
/// The polynomial is the one OpenCV's `fastAtan2` uses: orientation histograms are binned by it, so
/// another one would move gradients across bin borders.
#[inline(always)]
pub(super) fn atan2_deg(y: f32, x: f32) -> f32 {
    const DEGREES: f32 = (180.0 / std::f64::consts::PI) as f32;
    const P1: f32 = 0.999_787_84 * DEGREES;
    const P3: f32 = -0.325_808_4 * DEGREES;
    const P5: f32 = 0.155_578_65 * DEGREES;
    const P7: f32 = -0.044_326_555 * DEGREES;
    let (ax, ay) = (x.abs(), y.abs());
    let steep = ay > ax;
    let (low, high) = if steep { (ax, ay) } else { (ay, ax) };
    let c = low / (high + f64::EPSILON as f32);
    let c2 = c * c;
    let mut angle = (((P7 * c2 + P5) * c2 + P3) * c2 + P1) * c;
    angle = if steep { 90.0 - angle } else { angle };
    angle = if x < 0.0 { 180.0 - angle } else { angle };
    if y < 0.0 { 360.0 - angle } else { angle }
}

/// e^x for x in [-80, 0], relative error below 2e-7.
#[inline(always)]
pub(super) fn exp_negative(x: f32) -> f32 {
    // Adding and taking away 1.5 * 2^23 rounds to the nearest integer without a call.
    const ROUND: f32 = 12_582_912.0;
    let n = (x * std::f32::consts::LOG2_E + ROUND) - ROUND;
    // ln 2 in two parts: n times the first is exact.
    let r = (x - n * 0.693_359_4) - n * -2.121_944_4e-4;
    let mut p = 1.0 / 5040.0;
    p = p * r + 1.0 / 720.0;
    p = p * r + 1.0 / 120.0;
    p = p * r + 1.0 / 24.0;
    p = p * r + 1.0 / 6.0;
    p = p * r + 0.5;
    p = p * r + 1.0;
    p = p * r + 1.0;
    // The low bits of n + ROUND are the integer itself in two's complement.
    let exponent = (n + ROUND).to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127) << 23;
    p * f32::from_bits(exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn atan2_is_close_to_the_true_angle() {
        for i in 0..3600 {
            let truth = f64::from(i) * 0.1;
            let (y, x) = truth.to_radians().sin_cos();
            let got = f64::from(atan2_deg(y as f32 * 7.0, x as f32 * 7.0));
            let error = (got - truth).abs();
            assert!(error.min(360.0 - error) < 0.02, "{truth}: {got}");
        }
        assert_eq!(atan2_deg(0.0, 0.0), 0.0);
    }

    #[test]
    fn exp_is_exact_to_float() {
        for i in 0..8000 {
            let x = -0.01 * i as f32;
            let truth = f64::from(x).exp();
            assert!((f64::from(exp_negative(x)) / truth - 1.0).abs() < 3e-7, "{x}");
        }
    }
}
