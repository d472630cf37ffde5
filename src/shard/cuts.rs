//! The sizes of blocks, the scenes they start with, and the parts they belong to.

use super::error::ShardError;
use super::plan::{Share, Source};
use crate::rng::Rng;

/// Pairs of the first blocks where there are several scenes: few, so that a small run sees many of them.
const FIRST_BLOCK_PAIRS: u64 = 4;

/// A block without its scenes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut {
    /// Pairs of the run before it.
    pub(super) first_pair: u64,
    pub(super) pairs: u64,
    /// Place of its first scene in the list.
    pub(super) source: u32,
}

/// The sizes of the blocks and the scene that each starts with.
pub(super) fn cut(sources: &[Source], pairs: u64, block_pairs: u64, seed: u64) -> Vec<Cut> {
    let whole = Cuts::new(sources, block_pairs, seed).take_while(|cut| cut.first_pair < pairs);
    whole
        .map(|cut| Cut {
            pairs: cut.pairs.min(pairs - cut.first_pair),
            ..cut
        })
        .collect()
}

/// The same without end.
pub(super) struct Cuts {
    turns: Turns,
    block_pairs: u64,
    number: usize,
    first_pair: u64,
}

impl Cuts {
    pub(super) fn new(sources: &[Source], block_pairs: u64, seed: u64) -> Self {
        Self {
            turns: Turns::new(sources, seed),
            block_pairs,
            number: 0,
            first_pair: 0,
        }
    }
}

impl Iterator for Cuts {
    type Item = Cut;

    fn next(&mut self) -> Option<Cut> {
        let scenes = self.turns.weights.len();
        let round = self.number / scenes;
        let pairs = match scenes {
            1 => self.block_pairs,
            _ => FIRST_BLOCK_PAIRS
                .checked_shl(round.min(40) as u32)
                .map_or(self.block_pairs, |s| s.min(self.block_pairs)),
        };
        let cut = Cut {
            first_pair: self.first_pair,
            pairs,
            source: self.turns.next() as u32,
        };
        self.number += 1;
        self.first_pair = self.first_pair.saturating_add(pairs);
        Some(cut)
    }
}

/// Whose turn it is: the smooth weighted round robin, started at random.
struct Turns {
    weights: Vec<f64>,
    credit: Vec<f64>,
    total: f64,
}

impl Turns {
    fn new(sources: &[Source], seed: u64) -> Self {
        let mut rng = Rng::stream(seed, "turns", &[]);
        let weights: Vec<f64> = sources.iter().map(|source| source.weight).collect();
        Self {
            credit: weights.iter().map(|weight| rng.unit() * weight).collect(),
            total: weights.iter().sum(),
            weights,
        }
    }

    fn next(&mut self) -> usize {
        let mut best = 0;
        for (place, weight) in self.weights.iter().enumerate() {
            self.credit[place] += weight;
            if self.credit[place] > self.credit[best] {
                best = place;
            }
        }
        self.credit[best] -= self.total;
        best
    }
}

/// Refuses what no run can be cut from.
pub(super) fn check(sources: &[Source], block_pairs: u64) -> Result<(), ShardError> {
    let bad = |why: String| Err(ShardError::Plan(why));
    if sources.is_empty() {
        return bad("there is no scene to make pairs from".into());
    }
    if block_pairs == 0 {
        return bad("a block needs at least one pair".into());
    }
    if let Some(source) = sources.iter().find(|s| !(s.weight.is_finite() && s.weight > 0.0)) {
        return bad(format!("the weight {} of a scene must be above 0", source.weight));
    }
    Ok(())
}

/// The scenes of a block: its own first, then the others in a weighted random order (Efraimidis and Spirakis).
pub(super) fn order(sources: &[Source], seed: u64, number: usize, first: u32) -> Vec<usize> {
    let mut rng = Rng::stream(seed, "block", &[number as u64]);
    let mut keys: Vec<(f64, usize)> = (0..sources.len())
        .map(|source| {
            let key = -libm::log(1.0 - rng.unit()) / sources[source].weight;
            (if source == first as usize { -1.0 } else { key }, source)
        })
        .collect();
    keys.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    keys.into_iter().map(|(_, source)| source).collect()
}

/// Without quotas each scene of a block may give all of it.
pub(super) fn shares(order: &[usize], most: u64) -> Vec<Share> {
    order.iter().map(|&source| Share { source, most }).collect()
}

/// The part that makes a block: of every `parts` blocks in a row each part makes one.
pub(super) fn part_of(number: u64, parts: u64, seed: u64) -> u64 {
    let parts = parts.max(1);
    let mut order: Vec<u64> = (0..parts).collect();
    Rng::stream(seed, "parts", &[number / parts]).shuffle(&mut order);
    order[(number % parts) as usize]
}
