//! Pixels moved and scaled so that sums over them keep their digits in single precision.

use super::super::homography::{Homography, PointPair, multiply, normalized};

/// One shift a picture and one scale for both, so that distances in the second picture stay comparable.
#[derive(Debug, Clone, Copy)]
pub(super) struct Conditioned {
    first: [f64; 2],
    second: [f64; 2],
    scale: f64,
}

impl Conditioned {
    /// Centroids to the origin and a mean distance from it of about 1; `None` when all points of a picture coincide.
    pub fn of(pairs: &[PointPair]) -> Option<Self> {
        let n = pairs.len() as f64;
        let mean = |pick: fn(&PointPair) -> [f64; 2]| {
            let sum = pairs.iter().map(pick).fold([0.0; 2], |s, p| [s[0] + p[0], s[1] + p[1]]);
            sum.map(|v| v / n)
        };
        let (first, second) = (mean(|p| p.first), mean(|p| p.second));
        let spread = |pick: fn(&PointPair) -> [f64; 2], c: [f64; 2]| {
            let distance = |p: [f64; 2]| (p[0] - c[0]).abs() + (p[1] - c[1]).abs();
            pairs.iter().map(|p| distance(pick(p))).sum::<f64>() / n
        };
        let (one, other) = (spread(|p| p.first, first), spread(|p| p.second, second));
        (one > 1e-9 && other > 1e-9).then(|| Self {
            first,
            second,
            scale: 2.0 / (one + other),
        })
    }

    /// A distance in pixels in the new units.
    pub fn scaled(&self, pixels: f64) -> f64 {
        pixels * self.scale
    }

    /// The pairs in the new units.
    pub fn pairs(&self, pairs: &[PointPair]) -> Vec<PointPair> {
        let moved = |p: [f64; 2], c: [f64; 2]| [(p[0] - c[0]) * self.scale, (p[1] - c[1]) * self.scale];
        let pair = |p: &PointPair| PointPair {
            first: moved(p.first, self.first),
            second: moved(p.second, self.second),
        };
        pairs.iter().map(pair).collect()
    }

    /// A homography of the new units in pixels, last element 1.
    pub fn undo(&self, h: &Homography) -> Homography {
        let s = self.scale;
        let into = [s, 0.0, -s * self.first[0], 0.0, s, -s * self.first[1], 0.0, 0.0, 1.0];
        let back = [
            1.0 / s,
            0.0,
            self.second[0],
            0.0,
            1.0 / s,
            self.second[1],
            0.0,
            0.0,
            1.0,
        ];
        normalized(&multiply(&back, &multiply(h, &into)))
    }
}
