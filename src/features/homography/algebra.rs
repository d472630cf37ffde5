//! Applying, inverting and combining homographies.

/// A row-major 3x3 matrix, first picture to second.
pub type Homography = [f64; 9];

/// Where `h` takes (x, y); (0, 0) where the denominator vanishes, as OpenCV's `perspectiveTransform` does.
#[inline(always)]
pub fn project(h: &Homography, x: f64, y: f64) -> (f64, f64) {
    let w = x * h[6] + y * h[7] + h[8];
    if w.abs() <= f64::from(f32::EPSILON) {
        return (0.0, 0.0);
    }
    let w = 1.0 / w;
    ((x * h[0] + y * h[1] + h[2]) * w, (x * h[3] + y * h[4] + h[5]) * w)
}

/// Determinant.
pub fn determinant(h: &Homography) -> f64 {
    h[0] * (h[4] * h[8] - h[5] * h[7]) - h[1] * (h[3] * h[8] - h[5] * h[6]) + h[2] * (h[3] * h[7] - h[4] * h[6])
}

/// Whether the determinant of the normalised matrix is below 1e-12 or not a number: then no inverse is worth having.
pub fn is_singular(h: &Homography) -> bool {
    let determinant = determinant(&normalized(h)).abs();
    determinant.is_nan() || determinant < 1e-12
}

/// Matrix of cofactors, transposed: the inverse times the determinant.
pub(super) fn adjugate(h: &Homography) -> Homography {
    [
        h[4] * h[8] - h[5] * h[7],
        h[2] * h[7] - h[1] * h[8],
        h[1] * h[5] - h[2] * h[4],
        h[5] * h[6] - h[3] * h[8],
        h[0] * h[8] - h[2] * h[6],
        h[2] * h[3] - h[0] * h[5],
        h[3] * h[7] - h[4] * h[6],
        h[1] * h[6] - h[0] * h[7],
        h[0] * h[4] - h[1] * h[3],
    ]
}

/// The map back, or `None` for a [singular](is_singular) one.
pub fn inverse(h: &Homography) -> Option<Homography> {
    if is_singular(h) {
        return None;
    }
    let scale = 1.0 / determinant(h);
    Some(adjugate(h).map(|v| v * scale))
}

/// `a` after `b`.
pub fn multiply(a: &Homography, b: &Homography) -> Homography {
    std::array::from_fn(|i| {
        let (row, column) = (i / 3 * 3, i % 3);
        a[row] * b[column] + a[row + 1] * b[column + 3] + a[row + 2] * b[column + 6]
    })
}

/// Scaled so that the last element is 1, unless it is (nearly) 0.
pub fn normalized(h: &Homography) -> Homography {
    if h[8].abs() > f64::from(f32::EPSILON) {
        let scale = 1.0 / h[8];
        h.map(|v| v * scale)
    } else {
        *h
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inverse_undoes() {
        let h = [1.1, 0.2, 5.0, -0.1, 0.9, -7.0, 1e-4, -2e-4, 1.0];
        let identity = multiply(&h, &inverse(&h).unwrap());
        for (i, v) in identity.iter().enumerate() {
            assert!((v - f64::from(u8::from(i % 4 == 0))).abs() < 1e-12);
        }
        let (x, y) = project(&h, 30.0, 40.0);
        let (x, y) = project(&inverse(&h).unwrap(), x, y);
        assert!((x - 30.0).abs() < 1e-9 && (y - 40.0).abs() < 1e-9);
        assert_eq!(inverse(&[1.0, 2.0, 3.0, 2.0, 4.0, 6.0, 0.0, 0.0, 1.0]), None);
    }
}
