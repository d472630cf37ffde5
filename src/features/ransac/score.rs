//! Reprojection errors of all pairs under one model, in float as OpenCV computes them.

use fearless_simd::{Level, Simd as _, dispatch};

use super::super::homography::{Homography, PointPair};

/// Floats worked on at once.
pub(super) const BLOCK: usize = 16;
/// Reach of the soft loss in units of the inlier threshold. A loss that fades needs more reach than one that is cut
/// off: at 2.4 its pull is that of a cut at the threshold itself.
const REACH: f64 = 2.4;

/// Squared distances that decide.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Up to here a pair is an inlier.
    pub inlier2: f32,
    /// From here on a pair has no say in the quality.
    pub reach2: f32,
}

impl Limits {
    /// Only inliers have a say.
    pub fn hard(threshold: f64) -> Self {
        let inlier2 = (threshold * threshold) as f32;
        Self {
            inlier2,
            reach2: inlier2,
        }
    }

    /// Pairs somewhat beyond the threshold have a say as well.
    pub fn soft(threshold: f64) -> Self {
        Self {
            reach2: (threshold * threshold * REACH * REACH) as f32,
            ..Self::hard(threshold)
        }
    }
}

/// A block of one column.
type Lanes = [f32; BLOCK];

/// The pairs in columns, padded with pairs that are never inliers.
#[derive(Debug)]
pub(super) struct Columns {
    level: Level,
    n: usize,
    x: Vec<Lanes>,
    y: Vec<Lanes>,
    u: Vec<Lanes>,
    v: Vec<Lanes>,
    weight: Vec<Lanes>,
}

/// What a model achieves.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Score {
    /// Pairs within the threshold.
    pub inliers: u32,
    /// Sum over pairs of `weight * max(0, 1 - (error / reach)^2)^2`: high is good.
    pub quality: f32,
}

impl Columns {
    /// All pairs count alike.
    pub fn new(level: Level, pairs: &[PointPair]) -> Self {
        let column = |pick: fn(&PointPair) -> f64, pad: f32| {
            let chunk = |pairs: &[PointPair]| std::array::from_fn(|i| pairs.get(i).map_or(pad, |p| pick(p) as f32));
            pairs.chunks(BLOCK).map(chunk).collect()
        };
        Self {
            level,
            n: pairs.len(),
            x: column(|p| p.first[0], 0.0),
            y: column(|p| p.first[1], 0.0),
            u: column(|p| p.second[0], 1e15),
            v: column(|p| p.second[1], 1e15),
            weight: column(|_| 1.0, 0.0),
        }
    }

    /// Pairs that share a point share its weight: a place that attracts many matches, as repeated texture makes it,
    /// supports a model no more than any other place.
    pub fn each_keypoint_once(level: Level, pairs: &[PointPair]) -> Self {
        let sharing = |pair: &PointPair| {
            let with = |same: fn(&PointPair, &PointPair) -> bool| pairs.iter().filter(|p| same(p, pair)).count();
            with(|a, b| a.first == b.first).max(with(|a, b| a.second == b.second))
        };
        let mut columns = Self::new(level, pairs);
        for (i, pair) in pairs.iter().enumerate() {
            columns.weight[i / BLOCK][i % BLOCK] = 1.0 / sharing(pair) as f32;
        }
        columns
    }

    /// The instruction set to use.
    pub fn level(&self) -> Level {
        self.level
    }

    /// The columns x, y, u, v and weight, a block at a time.
    #[inline(always)]
    pub fn blocks(&self) -> impl Iterator<Item = [&Lanes; 5]> {
        let points = self.x.iter().zip(&self.y).zip(self.u.iter().zip(&self.v));
        points
            .zip(&self.weight)
            .map(|(((x, y), (u, v)), weight)| [x, y, u, v, weight])
    }

    /// Counts inliers and sums the quality.
    pub fn score(&self, h: &Homography, limits: Limits) -> Score {
        dispatch!(self.level, simd => simd.vectorize(#[inline(always)] || self.score_body(h, limits)))
    }

    #[inline(always)]
    fn score_body(&self, h: &Homography, limits: Limits) -> Score {
        let h = h.map(|v| v as f32);
        let mut inliers = [0u32; BLOCK];
        let mut quality = [0.0f32; BLOCK];
        let scale = 1.0 / limits.reach2;
        for [x, y, u, v, weight] in self.blocks() {
            let error = errors(&h, x, y, u, v);
            for lane in 0..BLOCK {
                // NaN, from a point at infinity, is no inlier and has no say.
                inliers[lane] += u32::from(error[lane] <= limits.inlier2);
                let near = 1.0 - error[lane] * scale;
                let near = if near > 0.0 { near } else { 0.0 };
                quality[lane] += weight[lane] * near * near;
            }
        }
        Score {
            inliers: inliers.iter().sum(),
            quality: quality.iter().sum(),
        }
    }

    /// Which pairs are inliers.
    pub fn inliers(&self, h: &Homography, limits: Limits) -> Vec<bool> {
        let h = h.map(|v| v as f32);
        let within = self
            .blocks()
            .flat_map(|[x, y, u, v, _]| errors(&h, x, y, u, v).map(|e| e <= limits.inlier2));
        within.take(self.n).collect()
    }
}

/// Squared errors of a block.
#[inline(always)]
fn errors(h: &[f32; 9], x: &Lanes, y: &Lanes, u: &Lanes, v: &Lanes) -> Lanes {
    let mut error = [0.0f32; BLOCK];
    for l in 0..BLOCK {
        let w = 1.0 / (h[6] * x[l] + h[7] * y[l] + 1.0);
        let dx = (h[0] * x[l] + h[1] * y[l] + h[2]) * w - u[l];
        let dy = (h[3] * x[l] + h[4] * y[l] + h[5]) * w - v[l];
        error[l] = dx * dx + dy * dy;
    }
    error
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
