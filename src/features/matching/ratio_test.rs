//! Which nearest neighbours are matches.

use fearless_simd::Level;

use super::descriptor_set::DescriptorSet;
use super::nearest::{Nearest, nearest};

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

/// Nearest beats second nearest by the ratio, strictly, on float distances; a lone neighbour is no match.
fn passes(near: &Nearest, ratio: f64) -> bool {
    let distance = |square: i32| f64::from((square as f32).sqrt());
    near.second != i32::MAX && distance(near.best) < ratio * distance(near.second)
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
    let forward = nearest(level, first, second);
    let backward = if mutual {
        nearest(level, second, first)
    } else {
        Vec::new()
    };
    let agree = |i: usize, near: &Nearest| !mutual || backward[near.index as usize].index as usize == i;
    forward
        .iter()
        .enumerate()
        .filter(|(i, near)| passes(near, ratio) && agree(*i, near))
        .map(|(i, near)| Match {
            first: i,
            second: near.index as usize,
            distance: (near.best as f32).sqrt(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::sift::Descriptor;

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

    /// Every instruction set that this machine offers.
    fn levels() -> Vec<Level> {
        let mut all = vec![Level::baseline(), Level::new()];
        #[cfg(target_arch = "x86_64")]
        all.extend(Level::new().as_avx2().map(Level::Avx2));
        all
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
        for (n, m) in [(0, 5), (5, 0), (3, 1), (1, 2), (37, 41), (64, 64), (17, 33)] {
            let (a, b) = (noise(n, 1), noise(m, 2));
            let expected = plain(&a, &b, 0.97);
            let (set_a, set_b) = (DescriptorSet::new(&a), DescriptorSet::new(&b));
            for level in levels() {
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
