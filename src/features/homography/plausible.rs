//! Which homographies a camera could have caused.

use super::algebra::{Homography, project};

/// Largest change of area, either way, of the whole picture.
const MAX_AREA_RATIO: f64 = 32.0;

/// Whether `h` maps the square picture of `size` pixels to a convex quadrangle that is not turned over
/// and whose area is between 1/32 and 32 times that of the picture.
///
/// A plane seen by two cameras can do no more, bar extreme zooms: a denominator that changes sign
/// inside the picture would put part of it behind the second camera.
pub fn is_plausible(h: &Homography, size: f64) -> bool {
    let corners = [(0.0, 0.0), (size, 0.0), (size, size), (0.0, size)];
    let denominator = |(x, y): (f64, f64)| h[6] * x + h[7] * y + h[8];
    let sign = denominator(corners[0]).signum();
    if !corners.iter().all(|&c| denominator(c) * sign > 1e-6) {
        return false;
    }
    let p = corners.map(|(x, y)| project(h, x, y));
    let turn = |i: usize| {
        let (a, b, c) = (p[i], p[(i + 1) % 4], p[(i + 2) % 4]);
        (b.0 - a.0) * (c.1 - b.1) - (b.1 - a.1) * (c.0 - b.0)
    };
    let area = 0.5
        * (0..4)
            .map(|i| p[i].0 * p[(i + 1) % 4].1 - p[(i + 1) % 4].0 * p[i].1)
            .sum::<f64>();
    let ratio = area / (size * size);
    (0..4).all(|i| turn(i) > 0.0) && (1.0 / MAX_AREA_RATIO..=MAX_AREA_RATIO).contains(&ratio)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_cameras_from_accidents() {
        let ok = |h: Homography| is_plausible(&h, 224.0);
        assert!(
            ok([1.0, 0.0, 300.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]),
            "a shift out of the picture"
        );
        assert!(ok([0.0, -1.0, 223.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0]), "a quarter turn");
        assert!(!ok([-1.0, 0.0, 223.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]), "a mirror");
        assert!(
            !ok([1.0, 0.0, 0.0, 0.0, 1.0, 0.0, -0.01, 0.0, 1.0]),
            "a horizon inside the picture"
        );
        assert!(
            !ok([0.1, 0.0, 0.0, 0.0, 0.1, 0.0, 0.0, 0.0, 1.0]),
            "a hundredth of the area"
        );
        assert!(!ok([f64::NAN; 9]));
    }
}
