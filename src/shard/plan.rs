//! How a run is cut into blocks, and which scenes each block may use.

use super::cuts::{Cut, Cuts, check, cut, order, part_of, shares};
use super::error::ShardError;

/// Sample indices kept apart for each block.
const INDICES_PER_BLOCK: u64 = 1 << 32;

/// A scene of a plan.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Source {
    /// Share of the blocks that start with it, against the other weights; above 0.
    pub weight: f64,
    /// Most pairs of it in the whole run.
    pub quota: Option<u64>,
}

/// The blocks of a run.
///
/// Blocks start with scenes in proportion to their weights, evenly spread over the run. The first blocks are
/// short where there are several scenes and grow with each round, so that a longer run starts with the pairs of a
/// shorter one and a short one is not a single scene. With quotas the plan depends on the number of pairs.
#[derive(Debug, Clone)]
pub struct Plan {
    sources: Vec<Source>,
    seed: u64,
    pairs: u64,
    blocks: Vec<Cut>,
    /// What each block may take from which scene, where quotas limit it.
    limited: Option<Vec<Vec<Share>>>,
}

/// What a block may take from one scene.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// Place of the scene in the list.
    pub source: usize,
    /// Most pairs.
    pub most: u64,
}

/// Some consecutive pairs of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Place in the run, from 0.
    pub number: u64,
    /// Pairs of the run before it.
    pub first_pair: u64,
    /// Pairs that it makes.
    pub pairs: u64,
    /// Its scenes in the order in which they are tried.
    pub shares: Vec<Share>,
}

impl Block {
    /// The first of the block's own sample indices.
    pub fn first_index(&self) -> u64 {
        self.number * INDICES_PER_BLOCK
    }

    /// The scene that it starts with, by its place in the list, and the number of the block.
    pub fn first_source(&self) -> Option<(usize, u64)> {
        Some((self.shares.first()?.source, self.number))
    }
}

impl Plan {
    /// Cuts `pairs` pairs into blocks of at most `block_pairs`.
    ///
    /// # Errors
    ///
    /// [`ShardError::Plan`] without scenes, for a weight that is not above 0, for a block size of 0, and where the
    /// quotas do not allow so many pairs.
    pub fn new(sources: &[Source], pairs: u64, block_pairs: u64, seed: u64) -> Result<Self, ShardError> {
        check(sources, block_pairs)?;
        let mut plan = Self {
            sources: sources.to_vec(),
            seed,
            pairs,
            blocks: cut(sources, pairs, block_pairs, seed),
            limited: None,
        };
        if sources.iter().any(|s| s.quota.is_some()) {
            plan.limited = Some(plan.limit()?);
        }
        Ok(plan)
    }

    /// The blocks of part `part` of `parts` of a run that never ends. They are those of any run as far as it goes,
    /// without quotas; each is in one part, and which, `seed` decides, so that all scenes come to every part.
    ///
    /// # Errors
    ///
    /// [`ShardError::Plan`] without scenes, for a weight that is not above 0, and for a block size of 0.
    pub fn endless(
        sources: &[Source],
        block_pairs: u64,
        seed: u64,
        (part, parts): (u64, u64),
    ) -> Result<impl Iterator<Item = Block> + use<>, ShardError> {
        check(sources, block_pairs)?;
        let sources = sources.to_vec();
        let cuts = Cuts::new(&sources, block_pairs, seed).enumerate();
        let own = cuts.filter(move |(number, _)| part_of(*number as u64, parts, seed) == part);
        Ok(own.map(move |(number, cut)| Block {
            number: number as u64,
            first_pair: cut.first_pair,
            pairs: cut.pairs,
            shares: shares(&order(&sources, seed, number, cut.source), cut.pairs),
        }))
    }

    /// Pairs of the whole run.
    pub fn pairs(&self) -> u64 {
        self.pairs
    }

    /// Number of blocks.
    pub fn len(&self) -> usize {
        self.blocks.len()
    }

    /// True for a run of no pairs.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// The blocks of shard `index` of `count`: those whose first pair lies in its part of the pairs.
    pub fn shard(&self, index: u64, count: u64) -> impl Iterator<Item = Block> + '_ {
        let border = |i: u64| (u128::from(self.pairs) * u128::from(i) / u128::from(count.max(1))) as u64;
        let (low, high) = (border(index), border(index + 1));
        let place = |pair: u64| self.blocks.partition_point(|block| block.first_pair < pair);
        (place(low)..place(high)).map(|number| self.block(number))
    }

    /// All blocks.
    pub fn all(&self) -> impl Iterator<Item = Block> + '_ {
        self.shard(0, 1)
    }

    fn block(&self, number: usize) -> Block {
        let cut = self.blocks[number];
        let shares = match &self.limited {
            Some(limited) => limited[number].clone(),
            None => shares(&self.order(number), cut.pairs),
        };
        Block {
            number: number as u64,
            first_pair: cut.first_pair,
            pairs: cut.pairs,
            shares,
        }
    }

    fn order(&self, number: usize) -> Vec<usize> {
        order(&self.sources, self.seed, number, self.blocks[number].source)
    }

    /// Divides the quotas: first what every block needs, then what is left over, evenly, for blocks whose scenes
    /// give too little.
    fn limit(&self) -> Result<Vec<Vec<Share>>, ShardError> {
        let mut left: Vec<u64> = self.sources.iter().map(|s| s.quota.unwrap_or(self.pairs)).collect();
        let total = left.iter().fold(0u64, |sum, &quota| sum.saturating_add(quota));
        if total < self.pairs {
            return Err(ShardError::Plan(format!(
                "the quotas of the scenes allow {total} pairs, {} are asked for: raise them or ask for fewer",
                self.pairs
            )));
        }
        let mut shares = vec![Vec::new(); self.blocks.len()];
        for (number, shares) in shares.iter_mut().enumerate() {
            take(shares, self.blocks[number].pairs, &self.order(number), &mut left);
        }
        let spare = left.iter().fold(0u64, |sum, &quota| sum.saturating_add(quota));
        let each = (spare / self.blocks.len().max(1) as u64).max(1);
        for (number, shares) in shares.iter_mut().enumerate() {
            // More than the block itself needs from another scene would never be used.
            let most = each.min(self.blocks[number].pairs.saturating_mul(self.sources.len() as u64));
            take(shares, most, &self.order(number), &mut left);
        }
        Ok(shares)
    }
}

/// Takes `wanted` pairs from the scenes in `order` as far as something is left of them.
fn take(shares: &mut Vec<Share>, mut wanted: u64, order: &[usize], left: &mut [u64]) {
    for &source in order {
        let most = wanted.min(left[source]);
        if most == 0 {
            continue;
        }
        left[source] -= most;
        wanted -= most;
        match shares.iter_mut().find(|share| share.source == source) {
            Some(share) => share.most += most,
            None => shares.push(Share { source, most }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn plain(weights: &[f64]) -> Vec<Source> {
        weights.iter().map(|&weight| Source { weight, quota: None }).collect()
    }

    fn pairs_by_first_scene(plan: &Plan, scenes: usize) -> Vec<u64> {
        let mut count = vec![0; scenes];
        plan.all()
            .for_each(|block| count[block.shares[0].source] += block.pairs);
        count
    }

    #[test]
    fn shards_are_the_run_in_order_for_any_number() {
        let plan = Plan::new(&plain(&[1.0, 2.0, 0.5]), 5000, 64, 7).unwrap();
        let whole: Vec<Block> = plan.all().collect();
        assert_eq!(whole.iter().map(|b| b.pairs).sum::<u64>(), 5000);
        for count in [1, 2, 3, 8, 37, 1000] {
            let parts: Vec<Vec<Block>> = (0..count).map(|i| plan.shard(i, count).collect()).collect();
            assert_eq!(parts.concat(), whole);
            let sizes = parts.iter().map(|p| p.iter().map(|b| b.pairs).sum::<u64>());
            assert!(sizes.max().unwrap() <= 5000 / count + 2 * 64, "{count}");
        }
    }

    #[test]
    fn weights_decide_how_often_and_seeds_in_which_order() {
        let sources = plain(&[1.0, 3.0]);
        let plan = Plan::new(&sources, 64_000, 64, 1).unwrap();
        let count = pairs_by_first_scene(&plan, 2);
        let share = count[1] as f64 / 64_000.0;
        assert!((share - 0.75).abs() < 0.01, "{share}");
        let order = |seed| -> Vec<usize> {
            let plan = Plan::new(&plain(&[1.0; 5]), 4000, 64, seed).unwrap();
            plan.all().map(|b| b.shares[0].source).collect()
        };
        assert_eq!(order(3), order(3));
        assert_ne!(order(3), order(4));
        // Equal weights: every round sees every scene.
        let mut first = order(3)[..5].to_vec();
        first.sort_unstable();
        assert_eq!(first, [0, 1, 2, 3, 4]);
    }

    #[test]
    fn a_longer_run_starts_as_a_shorter_one() {
        let sources = plain(&[1.0, 1.0, 2.0]);
        let short: Vec<Block> = Plan::new(&sources, 100, 64, 5).unwrap().all().collect();
        let long: Vec<Block> = Plan::new(&sources, 1000, 64, 5).unwrap().all().collect();
        assert_eq!(short[..short.len() - 1], long[..short.len() - 1]);
        let (cut, whole) = (&short[short.len() - 1], &long[short.len() - 1]);
        assert_eq!(
            (cut.first_pair, cut.first_index()),
            (whole.first_pair, whole.first_index())
        );
        assert!(cut.pairs <= whole.pairs);
        let scenes: BTreeSet<_> = short.iter().map(|b| b.shares[0].source).collect();
        assert_eq!(scenes.len(), 3, "a short run sees every scene");
        assert_eq!(
            Plan::new(&plain(&[1.0]), 100, 64, 5).unwrap().len(),
            2,
            "one scene needs no short blocks"
        );
    }

    #[test]
    fn a_run_without_end_begins_as_any_other_and_its_parts_share_it() {
        for weights in [&[1.0][..], &[1.0, 2.0, 0.5]] {
            let sources = plain(weights);
            let whole: Vec<Block> = Plan::new(&sources, 2000, 64, 9).unwrap().all().collect();
            for parts in [1, 3] {
                let own = |part| Plan::endless(&sources, 64, 9, (part, parts)).unwrap();
                let mut together: Vec<Block> = (0..parts).flat_map(|part| own(part).take(whole.len())).collect();
                together.sort_by_key(|block| block.number);
                assert_eq!(together[..whole.len() - 1], whole[..whole.len() - 1]);
                for part in 0..parts {
                    let scenes: BTreeSet<_> = own(part).take(30).map(|block| block.shares[0].source).collect();
                    assert_eq!(scenes.len(), weights.len(), "every part sees every scene");
                }
            }
        }
        assert!(Plan::endless(&[], 64, 0, (0, 1)).is_err());
        assert!(Plan::endless(&plain(&[1.0]), 0, 0, (0, 1)).is_err());
    }

    #[test]
    fn quotas_hold_whatever_blocks_take_and_are_used_up() {
        let mut sources = plain(&[1.0, 1.0, 1.0, 5.0]);
        sources[3].quota = Some(50);
        sources[0].quota = Some(101);
        let plan = Plan::new(&sources, 600, 16, 2).unwrap();
        let mut most = [0; 4];
        for block in plan.all() {
            assert!(block.shares.iter().map(|s| s.most).sum::<u64>() >= block.pairs);
            block.shares.iter().for_each(|s| most[s.source] += s.most);
        }
        assert!(most[3] <= 50 && most[0] <= 101, "{most:?}");
        assert!(
            most.iter().sum::<u64>() > 600,
            "there is something in reserve: {most:?}"
        );
        for source in &mut sources {
            source.quota = Some(150);
        }
        let exact: Vec<Block> = Plan::new(&sources, 600, 16, 2).unwrap().all().collect();
        assert_eq!(exact.iter().flat_map(|b| &b.shares).map(|s| s.most).sum::<u64>(), 600);
        let error = Plan::new(&sources, 601, 16, 2).unwrap_err().to_string();
        assert!(error.contains("600") && error.contains("601"), "{error}");
    }

    #[test]
    fn nonsense_is_refused() {
        assert!(Plan::new(&[], 10, 64, 0).is_err());
        assert!(Plan::new(&plain(&[0.0]), 10, 64, 0).is_err());
        assert!(Plan::new(&plain(&[f64::NAN]), 10, 64, 0).is_err());
        assert!(Plan::new(&plain(&[1.0]), 10, 0, 0).is_err());
        assert!(Plan::new(&plain(&[1.0]), 0, 64, 0).unwrap().is_empty());
    }
}
