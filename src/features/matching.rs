//! Brute-force nearest neighbours of descriptors, with the ratio test.

use fearless_simd::{Level, Simd as _, dispatch};

use super::sift::Descriptor;

/// Elements of a descriptor.
const LENGTH: usize = 128;
/// Descriptors of each side compared in one go.
const TILE: usize = 4;

/// Descriptors widened for integer dot products, with their squared lengths.
///
/// Made once a view: every pair that the view takes part in reads it.
#[derive(Debug, Clone, Default)]
pub struct DescriptorSet {
    /// `[n, 128]`, row-major, padded with zeros to a whole tile.
    wide: Vec<i16>,
    /// Squared length of each.
    squares: Vec<i32>,
}

impl DescriptorSet {
    /// Widens `descriptors`.
    pub fn new(descriptors: &[Descriptor]) -> Self {
        let mut wide: Vec<i16> = descriptors.iter().flatten().map(|&v| i16::from(v)).collect();
        wide.resize(descriptors.len().next_multiple_of(TILE) * LENGTH, 0);
        let square = |d: &Descriptor| d.iter().map(|&v| i32::from(v) * i32::from(v)).sum();
        let squares = descriptors.iter().map(square).collect();
        Self { wide, squares }
    }

    /// How many descriptors.
    pub fn len(&self) -> usize {
        self.squares.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.squares.is_empty()
    }

    fn tile(&self, index: usize) -> &[i16] {
        &self.wide[index * TILE * LENGTH..(index + 1) * TILE * LENGTH]
    }
}

/// A pair of descriptors that belong together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Match {
    /// Index in the first picture.
    pub first: usize,
    /// Index in the second picture.
    pub second: usize,
    /// Euclidean distance of the descriptors.
    pub distance: f32,
}

/// The two nearest of the other side: squared distances and the index of the nearest.
#[derive(Debug, Clone, Copy)]
struct Nearest {
    index: u32,
    best: i32,
    second: i32,
}

impl Nearest {
    const NONE: Self = Self {
        index: u32::MAX,
        best: i32::MAX,
        second: i32::MAX,
    };

    /// Of equal distances the first seen is the nearest, as in OpenCV.
    #[inline(always)]
    fn offer(&mut self, index: u32, square: i32) {
        if square < self.best {
            (self.second, self.best, self.index) = (self.best, square, index);
        } else if square < self.second {
            self.second = square;
        }
    }

    /// Nearest beats second nearest by the ratio, strictly, on float distances; a lone neighbour is no match.
    fn passes(&self, ratio: f64) -> bool {
        let distance = |square: i32| f64::from((square as f32).sqrt());
        self.second != i32::MAX && distance(self.best) < ratio * distance(self.second)
    }
}

/// Matches from `first` to `second` whose nearest neighbour is closer than `ratio` times the second
/// nearest, in the order of `first`.
///
/// With `mutual`, the first descriptor must also be the nearest of its match.
pub fn match_descriptors(
    level: Level,
    first: &DescriptorSet,
    second: &DescriptorSet,
    ratio: f64,
    mutual: bool,
) -> Vec<Match> {
    let mut forward = vec![Nearest::NONE; first.len()];
    let mut backward = vec![Nearest::NONE; if mutual { second.len() } else { 0 }];
    dispatch!(level, simd => simd.vectorize(#[inline(always)] || {
        nearest(first, second, &mut forward, &mut backward)
    }));
    let agree = |i: usize, near: &Nearest| !mutual || backward[near.index as usize].index as usize == i;
    forward
        .iter()
        .enumerate()
        .filter(|(i, near)| near.passes(ratio) && agree(*i, near))
        .map(|(i, near)| Match {
            first: i,
            second: near.index as usize,
            distance: (near.best as f32).sqrt(),
        })
        .collect()
}

/// Two nearest neighbours of each descriptor of `first`, and of `second` when `backward` has room.
#[inline(always)]
fn nearest(first: &DescriptorSet, second: &DescriptorSet, forward: &mut [Nearest], backward: &mut [Nearest]) {
    for (tile_a, near) in forward.chunks_mut(TILE).enumerate() {
        let a = first.tile(tile_a);
        for (tile_b, squares_b) in second.squares.chunks(TILE).enumerate() {
            let products = dot_tile(a, second.tile(tile_b));
            for (i, near) in near.iter_mut().enumerate() {
                let index_a = tile_a * TILE + i;
                for (j, square_b) in squares_b.iter().enumerate() {
                    let square = first.squares[index_a] + square_b - 2 * products[i][j];
                    let index_b = tile_b * TILE + j;
                    near.offer(index_b as u32, square);
                    if let Some(back) = backward.get_mut(index_b) {
                        back.offer(index_a as u32, square);
                    }
                }
            }
        }
    }
}

/// Dot products of every descriptor of one tile with every one of another. Integers: any order of sums is exact.
#[inline(always)]
fn dot_tile(a: &[i16], b: &[i16]) -> [[i32; TILE]; TILE] {
    let mut sums = [[0i32; TILE]; TILE];
    for (i, a) in a.chunks_exact(LENGTH).enumerate() {
        for (j, b) in b.chunks_exact(LENGTH).enumerate() {
            sums[i][j] = a.iter().zip(b).map(|(&x, &y)| i32::from(x) * i32::from(y)).sum();
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(n: usize, seed: u64) -> Vec<Descriptor> {
        let mut state = seed;
        let mut next = move || {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            (state >> 56) as u8
        };
        (0..n).map(|_| std::array::from_fn(|_| next())).collect()
    }

    /// Every distance by definition.
    fn plain(a: &[Descriptor], b: &[Descriptor], ratio: f64) -> Vec<(usize, usize)> {
        let distance = |x: &Descriptor, y: &Descriptor| {
            let d = x.iter().zip(y).map(|(&p, &q)| (f64::from(p) - f64::from(q)).powi(2));
            d.sum::<f64>().sqrt() as f32
        };
        let mut out = Vec::new();
        for (i, x) in a.iter().enumerate() {
            let mut all: Vec<(f32, usize)> = b.iter().enumerate().map(|(j, y)| (distance(x, y), j)).collect();
            all.sort_by(|p, q| p.0.total_cmp(&q.0).then(p.1.cmp(&q.1)));
            if all.len() > 1 && f64::from(all[0].0) < ratio * f64::from(all[1].0) {
                out.push((i, all[0].1));
            }
        }
        out
    }

    #[test]
    fn agrees_with_the_definition_at_every_level() {
        for (n, m) in [(0, 5), (5, 0), (3, 1), (1, 2), (37, 41), (64, 64)] {
            let (a, b) = (noise(n, 1), noise(m, 2));
            let expected = plain(&a, &b, 0.97);
            let (set_a, set_b) = (DescriptorSet::new(&a), DescriptorSet::new(&b));
            for level in [Level::new(), Level::baseline()] {
                let got = match_descriptors(level, &set_a, &set_b, 0.97, false);
                assert_eq!(got.iter().map(|m| (m.first, m.second)).collect::<Vec<_>>(), expected);
            }
        }
    }

    #[test]
    fn mutual_matches_are_those_of_both_directions() {
        let (a, b) = (noise(40, 3), noise(50, 4));
        let (set_a, set_b) = (DescriptorSet::new(&a), DescriptorSet::new(&b));
        let forward = match_descriptors(Level::new(), &set_a, &set_b, 1.0, false);
        let back = match_descriptors(Level::new(), &set_b, &set_a, 1.0, false);
        let mutual = match_descriptors(Level::new(), &set_a, &set_b, 1.0, true);
        let both = |m: &&Match| back.iter().any(|o| (o.second, o.first) == (m.first, m.second));
        assert_eq!(mutual, forward.iter().filter(both).copied().collect::<Vec<_>>());
        assert!(!mutual.is_empty() && mutual.len() < forward.len());
    }
}
