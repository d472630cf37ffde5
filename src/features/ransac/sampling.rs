//! Random samples of four pairs, and which of them are worth a model.

use crate_free::SplitMix;

use super::super::homography::PointPair;

/// Written here, because this folder uses nothing of the crate.
mod crate_free {
    /// SplitMix64 (Steele, Lea and Flood 2014): one multiply-and-shift stream a seed.
    #[derive(Debug, Clone)]
    pub struct SplitMix(pub u64);

    impl SplitMix {
        /// The next 64 bits.
        #[inline]
        pub fn next_u64(&mut self) -> u64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        }
    }
}

/// Draws samples.
#[derive(Debug, Clone)]
pub(super) struct Sampler(SplitMix);

impl Sampler {
    pub fn new(seed: u64) -> Self {
        Self(SplitMix(seed))
    }

    /// An index below `n` (which is far below 2^32, so the bias of the product is nil in practice).
    #[inline]
    pub fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.0.next_u64()) * n as u128) >> 64) as usize
    }

    /// `N` different indices below `n >= N`.
    #[inline]
    pub fn distinct<const N: usize>(&mut self, n: usize) -> [usize; N] {
        let mut chosen = [0; N];
        for i in 0..N {
            chosen[i] = loop {
                let index = self.below(n);
                if !chosen[..i].contains(&index) {
                    break index;
                }
            };
        }
        chosen
    }

    /// A sample that passes [`consistent`], or `None` after 10,000 tries (OpenCV's limit).
    #[inline]
    pub fn sample(&mut self, pairs: &[PointPair]) -> Option<[PointPair; 4]> {
        (0..10_000).find_map(|_| {
            let sample = self.distinct::<4>(pairs.len()).map(|i| pairs[i]);
            consistent(&sample).then_some(sample)
        })
    }
}

/// Whether four pairs may belong to one homography of a plane in front of both cameras.
///
/// The last point must not be in line with two others (OpenCV checks only these triples), and each
/// triple must turn the same way in both pictures, or each the other way.
#[inline]
fn consistent(sample: &[PointPair; 4]) -> bool {
    if last_in_line(sample.map(|p| p.first)) || last_in_line(sample.map(|p| p.second)) {
        return false;
    }
    let turned = [[0, 1, 2], [1, 2, 3], [0, 2, 3], [0, 1, 3]]
        .iter()
        .filter(|triple| {
            let area = |side: fn(&PointPair) -> [f64; 2]| {
                let [a, b, c] = triple.map(|i| side(&sample[i]));
                (b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1])
            };
            area(|p| p.first) * area(|p| p.second) < 0.0
        })
        .count();
    turned == 0 || turned == 4
}

/// Whether the last point lies on a line through two others, or on one of them.
#[inline]
fn last_in_line(points: [[f64; 2]; 4]) -> bool {
    let d = |j: usize| [points[j][0] - points[3][0], points[j][1] - points[3][1]];
    [(1, 0), (2, 0), (2, 1)].iter().any(|&(j, k)| {
        let ([x1, y1], [x2, y2]) = (d(j), d(k));
        (x2 * y1 - y2 * x1).abs() <= f64::from(f32::EPSILON) * (x1.abs() + y1.abs() + x2.abs() + y2.abs())
    })
}
