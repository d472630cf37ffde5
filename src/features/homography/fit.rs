//! Homographies from point pairs: exactly from four, by least squares from more.

use super::algebra::{Homography, adjugate, multiply, normalized};
use super::eigen::eigen;

/// A point of the first picture and the same point of the second, pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PointPair {
    /// In the first picture.
    pub first: [f64; 2],
    /// In the second picture.
    pub second: [f64; 2],
}

/// The homography through four pairs, normalised; `None` where three points of a side are in line.
pub fn from_four(pairs: &[PointPair; 4]) -> Option<Homography> {
    let from = basis(pairs.map(|p| p.first))?;
    let to = basis(pairs.map(|p| p.second))?;
    let h = normalized(&multiply(&to, &adjugate(&from)));
    h.iter().all(|v| v.is_finite()).then_some(h)
}

/// The map that takes the projective basis (1,0,0), (0,1,0), (0,0,1), (1,1,1) to four points.
#[inline(always)]
fn basis(p: [[f64; 2]; 4]) -> Option<Homography> {
    let m = [p[0][0], p[1][0], p[2][0], p[0][1], p[1][1], p[2][1], 1.0, 1.0, 1.0];
    let a = adjugate(&m);
    let scale = |r: usize| a[r] * p[3][0] + a[r + 1] * p[3][1] + a[r + 2];
    let (s0, s1, s2) = (scale(0), scale(3), scale(6));
    // Twice the areas of the triangles of the fourth point with two of the others.
    let area = m[0] * (m[4] - m[5]) - m[1] * (m[3] - m[5]) + m[2] * (m[3] - m[4]);
    if [s0, s1, s2, area].iter().any(|v| v.abs() < 1e-9) {
        return None;
    }
    Some([
        m[0] * s0,
        m[1] * s1,
        m[2] * s2,
        m[3] * s0,
        m[4] * s1,
        m[5] * s2,
        s0,
        s1,
        s2,
    ])
}

/// Least-squares homography of at least four pairs by the normalised direct linear transform
/// (Hartley and Zisserman, algorithm 4.2), normalised; `None` when the points do not determine one.
pub fn fit(pairs: &[PointPair]) -> Option<Homography> {
    if pairs.len() < 4 {
        return None;
    }
    let from = Conditioning::of(pairs.iter().map(|p| p.first))?;
    let to = Conditioning::of(pairs.iter().map(|p| p.second))?;
    let mut normal = [[0.0f64; 9]; 9];
    for pair in pairs {
        let ([x, y], [u, v]) = (from.apply(pair.first), to.apply(pair.second));
        let rows = [
            [x, y, 1.0, 0.0, 0.0, 0.0, -u * x, -u * y, -u],
            [0.0, 0.0, 0.0, x, y, 1.0, -v * x, -v * y, -v],
        ];
        for i in 0..9 {
            for j in i..9 {
                normal[i][j] += rows[0][i] * rows[0][j] + rows[1][i] * rows[1][j];
            }
        }
    }
    for i in 1..9 {
        for j in 0..i {
            normal[i][j] = normal[j][i];
        }
    }
    let (values, vectors) = eigen(normal);
    let least = (1..9).fold(0, |best, i| if values[i] < values[best] { i } else { best });
    let h = vectors[least];
    let h = normalized(&multiply(&multiply(&to.undo(), &h), &from.matrix()));
    h.iter().all(|v| v.is_finite()).then_some(h)
}

/// Shift to the centroid and scale to a mean absolute deviation of 1 along each axis, as OpenCV conditions points.
struct Conditioning {
    centre: [f64; 2],
    scale: [f64; 2],
}

impl Conditioning {
    fn of(points: impl Iterator<Item = [f64; 2]> + Clone) -> Option<Self> {
        let n = points.clone().count() as f64;
        let mut centre = [0.0; 2];
        let mut spread = [0.0; 2];
        for p in points.clone() {
            centre = [centre[0] + p[0], centre[1] + p[1]];
        }
        centre = centre.map(|v| v / n);
        for p in points {
            spread = [
                spread[0] + (p[0] - centre[0]).abs(),
                spread[1] + (p[1] - centre[1]).abs(),
            ];
        }
        let degenerate = spread.iter().any(|v| v.is_nan() || *v < f64::EPSILON);
        (!degenerate).then(|| Self {
            centre,
            scale: spread.map(|v| n / v),
        })
    }

    fn apply(&self, p: [f64; 2]) -> [f64; 2] {
        [
            (p[0] - self.centre[0]) * self.scale[0],
            (p[1] - self.centre[1]) * self.scale[1],
        ]
    }

    fn matrix(&self) -> Homography {
        let ([cx, cy], [sx, sy]) = (self.centre, self.scale);
        [sx, 0.0, -cx * sx, 0.0, sy, -cy * sy, 0.0, 0.0, 1.0]
    }

    fn undo(&self) -> Homography {
        let ([cx, cy], [sx, sy]) = (self.centre, self.scale);
        [1.0 / sx, 0.0, cx, 0.0, 1.0 / sy, cy, 0.0, 0.0, 1.0]
    }
}

#[cfg(test)]
mod tests {
    use super::super::algebra::project;
    use super::*;

    const TRUE: Homography = [1.1, 0.2, 5.0, -0.1, 0.9, -7.0, 1e-4, -2e-4, 1.0];

    fn pair(x: f64, y: f64) -> PointPair {
        let (u, v) = project(&TRUE, x, y);
        PointPair {
            first: [x, y],
            second: [u, v],
        }
    }

    #[test]
    fn recovers_a_known_homography() {
        let four = [pair(3.0, 4.0), pair(200.0, 10.0), pair(180.0, 190.0), pair(20.0, 210.0)];
        let many: Vec<_> = (0..50)
            .map(|i| pair(f64::from(i * 37 % 224), f64::from(i * 91 % 223)))
            .collect();
        for h in [from_four(&four).unwrap(), fit(&four).unwrap(), fit(&many).unwrap()] {
            assert!(h.iter().zip(TRUE).all(|(a, b)| (a - b).abs() < 1e-8), "{h:?}");
        }
    }

    #[test]
    fn refuses_points_in_line() {
        let line = [0.0, 1.0, 2.0, 3.0].map(|t| pair(10.0 * t, 20.0 * t));
        assert_eq!(from_four(&line), None);
        assert_eq!(fit(&[pair(5.0, 5.0); 8]), None);
        assert_eq!(fit(&line[..3]), None);
    }
}
