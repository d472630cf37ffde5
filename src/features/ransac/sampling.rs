//! Random samples of four pairs, and which of them are worth a model.

use super::super::homography::PointPair;
use super::config::Draws;

/// Where the random numbers come from.
#[derive(Debug, Clone)]
enum Stream {
    /// SplitMix64 (Steele, Lea and Flood 2014): one multiply-and-shift stream a seed.
    SplitMix(u64),
    /// The multiply-with-carry generator of `cv::RNG`, started as `findHomography` always starts it.
    Opencv(u64),
}

impl Stream {
    /// An index below `n`, which must be at least 1 and is far below 2^32.
    #[inline]
    fn below(&mut self, n: usize) -> usize {
        match self {
            Self::SplitMix(state) => {
                *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
                // The bias of the product is nil in practice.
                ((u128::from(mixed(*state)) * n as u128) >> 64) as usize
            }
            Self::Opencv(state) => {
                const MULTIPLIER: u64 = 4_164_903_690;
                *state = (*state & 0xffff_ffff) * MULTIPLIER + (*state >> 32);
                (*state & 0xffff_ffff) as usize % n
            }
        }
    }
}

/// The output function of SplitMix64.
#[inline]
fn mixed(state: u64) -> u64 {
    let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Draws samples.
#[derive(Debug, Clone)]
pub(super) struct Sampler(Stream);

impl Sampler {
    pub fn new(draws: Draws, seed: u64) -> Self {
        Self(match draws {
            // Mixed, because seeds that differ by the increment would share a stream.
            Draws::Seeded => Stream::SplitMix(mixed(seed)),
            Draws::Opencv => Stream::Opencv(u64::MAX),
        })
    }

    /// `N` different indices below `n >= N`.
    #[inline]
    pub fn distinct<const N: usize>(&mut self, n: usize) -> [usize; N] {
        let mut chosen = [0; N];
        for i in 0..N {
            chosen[i] = loop {
                let index = self.0.below(n);
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
