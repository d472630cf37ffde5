//! Held-out pairs in memory, and every model's losses on them under one set of masks.

use image::RgbImage;

use super::croco::{Croco, PatchMask};
use super::device::TrainDevice;
use super::error::TrainError;
use super::reconstruct::{Completed, complete};
use super::reference::Reference;
use crate::stream::PairBatch;

/// Pairs that go through a model at once: bounds the memory of a forward pass.
const CHUNK: usize = 8;

/// Pairs at the size of the models: `2 * side * side * 3` bytes each (301 kB at 224 px).
#[derive(Debug, Clone, Default)]
pub struct TestSet {
    side: usize,
    first: Vec<Vec<u8>>,
    second: Vec<Vec<u8>>,
}

impl TestSet {
    /// No pairs yet, of pictures of `side` pixels.
    pub fn new(side: usize) -> Self {
        Self {
            side,
            ..Self::default()
        }
    }

    /// Adds a pair; both are rows of interleaved RGB.
    ///
    /// # Errors
    /// A picture is not `side` x `side`; nothing is added then.
    pub fn push(&mut self, first: Vec<u8>, second: Vec<u8>) -> Result<(), TrainError> {
        let bytes = self.side * self.side * 3;
        if first.len() != bytes || second.len() != bytes {
            let got = (first.len().max(second.len()) / 3).isqrt();
            return Err(TrainError::BatchShape {
                got_height: got,
                got_width: got,
                want: self.side,
            });
        }
        self.first.push(first);
        self.second.push(second);
        Ok(())
    }

    /// Pairs.
    pub fn len(&self) -> usize {
        self.first.len()
    }

    /// True where there are none.
    pub fn is_empty(&self) -> bool {
        self.first.is_empty()
    }

    /// The first view of a pair, to be completed.
    pub fn target(&self, pair: usize) -> RgbImage {
        self.picture(&self.first[pair])
    }

    /// What a pair is completed from: its own second view, or that of the pair half the set away, which comes from
    /// another position and, where several scenes gave pairs one scene after the other, from another scene.
    pub fn reference(&self, pair: usize, reference: Reference) -> RgbImage {
        self.picture(&self.second[self.lender(pair, reference)])
    }

    /// The completed first views in order: every pair under the mask that `seed` and its number give, the same for
    /// all models. `masked` patches are hidden. `each` sees one after the other.
    ///
    /// # Errors
    /// The pictures do not have the model's size, fewer than two pairs leave nothing unrelated, or the device fails.
    pub fn complete(
        &self,
        model: &Croco,
        masked: usize,
        seed: u64,
        reference: Reference,
        device: &TrainDevice,
        mut each: impl FnMut(usize, Completed),
    ) -> Result<(), TrainError> {
        if reference == Reference::Unrelated && self.len() < 2 {
            return Err(TrainError::Config(
                "an unrelated reference needs at least two pairs".to_owned(),
            ));
        }
        let tokens = model.config().tokens();
        for start in (0..self.len()).step_by(CHUNK) {
            let pairs = start..(start + CHUNK).min(self.len());
            let mut batch = PairBatch {
                first: Vec::new(),
                second: Vec::new(),
                shape: [pairs.len(), self.side, self.side, 3],
                overlaps: vec![Default::default(); pairs.len()],
                indices: pairs.clone().map(|pair| pair as u64).collect(),
            };
            let mut hidden = Vec::with_capacity(pairs.len() * tokens);
            for pair in pairs {
                batch.first.extend_from_slice(&self.first[pair]);
                batch
                    .second
                    .extend_from_slice(&self.second[self.lender(pair, reference)]);
                hidden.extend(hidden_patches(tokens, masked, seed, pair).into_iter().map(u8::from));
            }
            let mask = PatchMask::from_flags(&hidden, tokens).ok_or_else(|| {
                TrainError::Config(format!(
                    "{masked} of {tokens} patches cannot be hidden: at least one and not all"
                ))
            })?;
            for (place, completed) in complete(model, &batch, &mask, device)?.into_iter().enumerate() {
                each(start + place, completed);
            }
        }
        Ok(())
    }

    fn lender(&self, pair: usize, reference: Reference) -> usize {
        match reference {
            Reference::Pair => pair,
            Reference::Unrelated => (pair + self.len() / 2) % self.len(),
        }
    }

    fn picture(&self, bytes: &[u8]) -> RgbImage {
        let side = self.side as u32;
        // `push` let no other size in.
        RgbImage::from_raw(side, side, bytes.to_vec()).unwrap_or_default()
    }
}

/// Which patches of held-out pair number `pair` are hidden: `[tokens]`, true where hidden.
pub fn hidden_patches(tokens: usize, masked: usize, seed: u64, pair: usize) -> Vec<bool> {
    PatchMask::draw(1, tokens, masked, seed, pair as u64).hidden().to_vec()
}

#[allow(clippy::unwrap_used, reason = "in a test a panic is the report")]
#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;
    use crate::train::test_models::micro_32 as config;

    fn pairs(count: usize) -> TestSet {
        let mut set = TestSet::new(32);
        for pair in 0..count {
            let mut rng = Rng::stream(1, "test", &[pair as u64]);
            let mut view = || (0..32 * 32 * 3).map(|_| rng.next_u64() as u8).collect();
            let (first, second) = (view(), view());
            set.push(first, second).unwrap();
        }
        set
    }

    fn losses(set: &TestSet, reference: Reference) -> Vec<(usize, f64)> {
        let device = TrainDevice::flex();
        let model = Croco::new(config(), 5, device.burn());
        let mut found = Vec::new();
        let each = |pair, completed: Completed| found.push((pair, completed.loss.normalised));
        set.complete(&model, 12, 3, reference, &device, each).unwrap();
        found
    }

    /// More pairs than go through a model at once, against each pair alone under its own mask.
    #[test]
    fn every_pair_has_the_loss_that_it_has_alone() {
        let all = pairs(CHUNK + 3);
        let found = losses(&all, Reference::Pair);
        assert_eq!(
            found.iter().map(|(pair, _)| *pair).collect::<Vec<_>>(),
            (0..11).collect::<Vec<_>>()
        );
        let device = TrainDevice::flex();
        let model = Croco::new(config(), 5, device.burn());
        for pair in [0, 9] {
            let batch = PairBatch {
                first: all.first[pair].clone(),
                second: all.second[pair].clone(),
                shape: [1, 32, 32, 3],
                overlaps: vec![Default::default()],
                indices: vec![0],
            };
            let mask = PatchMask::draw(1, 16, 12, 3, pair as u64);
            let alone = complete(&model, &batch, &mask, &device).unwrap()[0].loss;
            assert!((alone.normalised - found[pair].1).abs() < 1e-5, "pair {pair}");
        }
        assert_eq!(losses(&all, Reference::Pair), found, "the same again");
    }

    #[test]
    fn unrelated_references_come_from_half_the_set_away() {
        let all = pairs(5);
        assert_eq!(*all.reference(1, Reference::Unrelated).as_raw(), all.second[3]);
        assert_eq!(*all.reference(4, Reference::Unrelated).as_raw(), all.second[1]);
        assert_eq!(*all.reference(4, Reference::Pair).as_raw(), all.second[4]);
        let (own, lent) = (losses(&all, Reference::Pair), losses(&all, Reference::Unrelated));
        assert!(own.iter().zip(&lent).all(|(own, lent)| own != lent));
    }

    #[test]
    fn other_sizes_and_a_single_pair_are_refused() {
        let mut all = pairs(1);
        assert!(all.push(vec![0; 12], vec![0; 12]).is_err());
        let device = TrainDevice::flex();
        let model = Croco::new(config(), 5, device.burn());
        let run = |reference, masked| all.complete(&model, masked, 3, reference, &device, |_, _| ());
        assert!(run(Reference::Unrelated, 12).is_err());
        assert!(run(Reference::Pair, 16).is_err());
        assert!(run(Reference::Pair, 12).is_ok());
    }
}
