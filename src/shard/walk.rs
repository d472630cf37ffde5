//! The positions that a block tries, one after the other, as a function of what the earlier ones gave.

use super::plan::Block;

/// A position to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Place of the scene in the list.
    pub source: usize,
    /// Sample index, unique in the run.
    pub index: u64,
}

/// The way through one block.
///
/// A scene is left when the block has all it may take from it, or when it gives too few pairs: first after
/// `positions_per_pair` positions for each pair that it gave and one more; when every scene was tried like that, each again
/// until it has had `positions_per_pair` positions for every pair of the block. Nothing but the outcomes goes in, so a
/// walk can be taken again from a record of them.
#[derive(Debug)]
pub struct BlockWalk<'a> {
    block: &'a Block,
    positions_per_pair: u64,
    /// Of each share: positions tried, pairs kept, of no use.
    had: Vec<Had>,
    at: usize,
    patient: bool,
    tried: u64,
    kept: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Had {
    tried: u64,
    kept: u64,
    useless: bool,
}

impl<'a> BlockWalk<'a> {
    /// The walk before its first step.
    pub fn new(block: &'a Block, positions_per_pair: u64) -> Self {
        Self {
            block,
            positions_per_pair,
            had: vec![Had::default(); block.shares.len()],
            at: 0,
            patient: false,
            tried: 0,
            kept: 0,
        }
    }

    /// The position to try next; `None` where the block is complete or its scenes give no more.
    ///
    /// Stays the same until [`Self::record`] or [`Self::skip_scene`] is called.
    pub fn step(&mut self) -> Option<Step> {
        while self.kept < self.block.pairs {
            let share = match self.block.shares.get(self.at) {
                Some(share) => share,
                None if self.patient => return None,
                None => {
                    (self.at, self.patient) = (0, true);
                    continue;
                }
            };
            let had = self.had[self.at];
            let pairs = if self.patient { self.block.pairs } else { had.kept + 1 };
            let budget = self.positions_per_pair.saturating_mul(pairs);
            if !had.useless && had.kept < share.most && had.tried < budget {
                return Some(Step {
                    source: share.source,
                    index: self.block.first_index() + self.tried,
                });
            }
            self.at += 1;
        }
        None
    }

    /// Says how many pairs the position of the last step gave.
    pub fn record(&mut self, pairs: u64) {
        if let Some(had) = self.had.get_mut(self.at) {
            had.tried += 1;
            had.kept += pairs;
        }
        self.tried += 1;
        self.kept += pairs;
    }

    /// Says that the scene of the last step cannot be used.
    pub fn skip_scene(&mut self) {
        if let Some(had) = self.had.get_mut(self.at) {
            had.useless = true;
        }
    }

    /// Pairs so far.
    pub fn kept(&self) -> u64 {
        self.kept
    }
}

#[cfg(test)]
mod tests {
    use super::super::plan::Share;
    use super::*;

    fn block(pairs: u64, most: &[u64]) -> Block {
        Block {
            number: 3,
            first_pair: 0,
            pairs,
            shares: most
                .iter()
                .enumerate()
                .map(|(source, &most)| Share { source, most })
                .collect(),
        }
    }

    /// Positions tried by scene, pairs kept by scene.
    fn walk(block: &Block, budget: u64, gives: impl Fn(usize, u64) -> u64) -> Vec<(u64, u64)> {
        let mut walk = BlockWalk::new(block, budget);
        let mut had = vec![(0, 0); block.shares.len()];
        let mut index = block.first_index();
        while let Some(step) = walk.step() {
            assert_eq!(step.index, index, "every index once");
            index += 1;
            let pairs = gives(step.source, had[step.source].0);
            walk.record(pairs);
            had[step.source].0 += 1;
            had[step.source].1 += pairs;
        }
        had
    }

    #[test]
    fn one_good_scene_gives_all() {
        assert_eq!(walk(&block(5, &[5, 5]), 10, |_, n| n % 2), [(10, 5), (0, 0)]);
    }

    #[test]
    fn a_barren_scene_is_left_soon_and_a_share_is_not_passed() {
        assert_eq!(
            walk(&block(5, &[5, 2, 5]), 10, |s, _| u64::from(s > 0)),
            [(10, 0), (2, 2), (3, 3)]
        );
    }

    #[test]
    fn meagre_scenes_are_asked_again_before_the_block_stays_short() {
        // One pair in 15 positions: too few for the first round, enough for the second.
        let had = walk(&block(2, &[2, 2]), 10, |s, n| u64::from(s == 1 && n == 14));
        assert_eq!(had, [(20, 0), (20, 1)]);
        assert_eq!(walk(&block(2, &[2]), 10, |_, n| u64::from(n == 12)), [(20, 1)]);
    }

    #[test]
    fn a_scene_of_no_use_costs_no_index() {
        let block = block(2, &[2, 2]);
        let mut walk = BlockWalk::new(&block, 10);
        assert_eq!(walk.step().unwrap().source, 0);
        walk.skip_scene();
        let step = walk.step().unwrap();
        assert_eq!((step.source, step.index), (1, block.first_index()));
        walk.skip_scene();
        assert_eq!(walk.step(), None);
        assert_eq!(walk.kept(), 0);
    }
}
