//! Reprojection errors of all pairs under one model, in float as OpenCV computes them.

use fearless_simd::{Level, Simd as _, dispatch};

use super::super::homography::{Homography, PointPair};

/// Floats worked on at once.
const BLOCK: usize = 16;

/// The pairs in columns, padded with pairs that are never inliers.
#[derive(Debug, Default)]
pub(super) struct Columns {
    level: Option<Level>,
    n: usize,
    x: Vec<[f32; BLOCK]>,
    y: Vec<[f32; BLOCK]>,
    u: Vec<[f32; BLOCK]>,
    v: Vec<[f32; BLOCK]>,
}

/// What a model achieves.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Score {
    /// Pairs within the threshold.
    pub inliers: u32,
    /// Sum over pairs of `max(0, 1 - (error / threshold)^2)`: high is good.
    pub quality: f32,
}

impl Columns {
    pub fn new(level: Level, pairs: &[PointPair]) -> Self {
        let column = |pick: fn(&PointPair) -> f64, pad: f32| {
            let chunk = |pairs: &[PointPair]| std::array::from_fn(|i| pairs.get(i).map_or(pad, |p| pick(p) as f32));
            pairs.chunks(BLOCK).map(chunk).collect()
        };
        Self {
            level: Some(level),
            n: pairs.len(),
            x: column(|p| p.first[0], 0.0),
            y: column(|p| p.first[1], 0.0),
            u: column(|p| p.second[0], 1e15),
            v: column(|p| p.second[1], 1e15),
        }
    }

    /// Counts inliers and sums the truncated quality at a squared threshold.
    pub fn score(&self, h: &Homography, threshold2: f32) -> Score {
        let level = self.level.unwrap_or_else(Level::baseline);
        dispatch!(level, simd => simd.vectorize(#[inline(always)] || self.score_body(h, threshold2)))
    }

    #[inline(always)]
    fn score_body(&self, h: &Homography, threshold2: f32) -> Score {
        let h = h.map(|v| v as f32);
        let mut inliers = [0u32; BLOCK];
        let mut quality = [0.0f32; BLOCK];
        let scale = 1.0 / threshold2;
        for i in 0..self.x.len() {
            let error = self.errors(i, &h);
            for lane in 0..BLOCK {
                // NaN, from a point at infinity, is no inlier.
                let inside = error[lane] <= threshold2;
                inliers[lane] += u32::from(inside);
                quality[lane] += if inside { 1.0 - error[lane] * scale } else { 0.0 };
            }
        }
        Score {
            inliers: inliers.iter().sum(),
            quality: quality.iter().sum(),
        }
    }

    /// Squared errors of block `i`.
    #[inline(always)]
    fn errors(&self, i: usize, h: &[f32; 9]) -> [f32; BLOCK] {
        let (x, y, u, v) = (&self.x[i], &self.y[i], &self.u[i], &self.v[i]);
        let mut error = [0.0f32; BLOCK];
        for l in 0..BLOCK {
            let w = 1.0 / (h[6] * x[l] + h[7] * y[l] + 1.0);
            let dx = (h[0] * x[l] + h[1] * y[l] + h[2]) * w - u[l];
            let dy = (h[3] * x[l] + h[4] * y[l] + h[5]) * w - v[l];
            error[l] = dx * dx + dy * dy;
        }
        error
    }

    /// Squared error of each pair.
    pub fn squared_errors(&self, h: &Homography) -> Vec<f32> {
        let h = h.map(|v| v as f32);
        let mut out: Vec<f32> = (0..self.x.len()).flat_map(|i| self.errors(i, &h)).collect();
        out.truncate(self.n);
        out
    }

    /// Which pairs lie within a squared threshold.
    pub fn inliers(&self, h: &Homography, threshold2: f32) -> Vec<bool> {
        self.squared_errors(h).iter().map(|&e| e <= threshold2).collect()
    }
}

/// The pairs marked as inliers.
pub(super) fn chosen(pairs: &[PointPair], inliers: &[bool]) -> Vec<PointPair> {
    pairs
        .iter()
        .zip(inliers)
        .filter(|(_, inlier)| **inlier)
        .map(|(p, _)| *p)
        .collect()
}
