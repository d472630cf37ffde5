//! Judging on pairs that training never draws, always under the same masks.

use burn::tensor::Tensor;

use super::augment::Framing;
use super::batch::ViewTensors;
use super::config::TrainConfig;
use super::croco::patch::patchify;
use super::croco::{Croco, PatchMask};
use super::device::TrainDevice;
use super::error::TrainError;
use super::loss::{PATCH_EPS, masked_mse};
use super::pictures::{Reconstruction, denormalised};
use crate::stream::PairBatch;

/// Held-out pairs in batches; in memory, `2 * height * width * 3` bytes a pair.
#[derive(Debug, Clone)]
pub struct HeldOut {
    batches: Vec<PairBatch>,
}

/// What a batch looks like to the model: patches `[batch, tokens, pixels]` of both views, and the mask.
struct Judged {
    first: Tensor<3>,
    second: Tensor<3>,
    mask: PatchMask,
}

impl HeldOut {
    /// Judges by `batches`.
    pub fn new(batches: Vec<PairBatch>) -> Self {
        Self { batches }
    }

    /// Pairs in all.
    pub fn pairs(&self) -> usize {
        self.batches.iter().map(|batch| batch.shape[0]).sum()
    }

    /// Mean loss of `model` over all pairs, in units of a patch's own variance as in training, with the references
    /// that `config` asks for. Neither swapped nor coloured; masks depend on the seed alone.
    ///
    /// # Errors
    /// A batch has the wrong shape or, with unrelated references, a single position; or the device cannot be read.
    pub fn loss(&self, model: &Croco, config: &TrainConfig, device: &TrainDevice) -> Result<f64, TrainError> {
        let (mut total, mut pairs) = (0.0, 0);
        for number in 0..self.batches.len() {
            let Judged { first, second, mask } = self.judged(number, config, device)?;
            let prediction = model.forward(first.clone(), second, &mask);
            let loss = masked_mse(prediction, first, &mask).try_into_scalar::<f32>();
            let loss = loss.map_err(|error| TrainError::Read(format!("{error:?}")))?;
            total += f64::from(loss) * mask.batch() as f64;
            pairs += mask.batch();
        }
        Ok(total / pairs.max(1) as f64)
    }

    /// The first `count` pairs as `model` completes them (at most those of the first batch).
    ///
    /// Predictions are turned back by the mean and deviation of the patch that was hidden.
    ///
    /// # Errors
    /// A batch has the wrong shape, or the device cannot be read.
    pub fn pictures(
        &self,
        model: &Croco,
        config: &TrainConfig,
        device: &TrainDevice,
        count: usize,
    ) -> Result<Vec<Reconstruction>, TrainError> {
        if self.batches.is_empty() {
            return Ok(Vec::new());
        }
        let Judged { first, second, mask } = self.judged(0, config, device)?;
        let prediction = model.forward(first.clone(), second.clone(), &mask);
        let [_, tokens, pixels] = first.dims();
        let host = |tensor: Tensor<3>| {
            let values = tensor.try_into_vec_as::<f32>();
            values.map_err(|error| TrainError::Read(format!("{error:?}")))
        };
        let (target, reference, mut completed) = (host(first)?, host(second)?, host(prediction)?);
        let mut masked = target.clone();
        for (token, &hidden) in mask.hidden().iter().enumerate() {
            let patch = token * pixels..(token + 1) * pixels;
            if hidden {
                restore_statistics(&mut completed[patch.clone()], &target[patch.clone()]);
                masked[patch].fill(f32::NAN);
            } else {
                completed[patch.clone()].copy_from_slice(&target[patch]);
            }
        }
        let image = |values: &[f32], pair: usize| {
            let numbers = tokens * pixels;
            denormalised(&values[pair * numbers..(pair + 1) * numbers], config.patch)
        };
        let pairs = 0..count.min(mask.batch());
        Ok(pairs
            .map(|pair| Reconstruction {
                masked: image(&masked, pair),
                reference: image(&reference, pair),
                completed: image(&completed, pair),
                target: image(&target, pair),
            })
            .collect())
    }

    fn judged(&self, number: usize, config: &TrainConfig, device: &TrainDevice) -> Result<Judged, TrainError> {
        let batch = &self.batches[number];
        let count = batch.shape[0];
        let framing = Framing::judging(config);
        let views = ViewTensors::upload_framed(batch, config.image, &vec![false; count], framing, device.burn())?;
        let views = config.reference.assign(views, &batch.indices)?;
        let tokens = config.croco().tokens();
        // From the far end of the numbers that training counts up.
        let index = u64::MAX - number as u64;
        Ok(Judged {
            first: patchify(views.first, config.patch),
            second: patchify(views.second, config.patch),
            mask: PatchMask::draw(count, tokens, config.masked_tokens(), config.seed, index),
        })
    }
}

/// Gives normalised pixels the mean and the unbiased deviation of the pixels of `patch`.
fn restore_statistics(normalised: &mut [f32], patch: &[f32]) {
    let count = patch.len() as f64;
    let mean = patch.iter().copied().map(f64::from).sum::<f64>() / count;
    let squares = patch.iter().map(|&x| (f64::from(x) - mean) * (f64::from(x) - mean));
    let deviation = (squares.sum::<f64>() / (count - 1.0).max(1.0) + PATCH_EPS).sqrt();
    for value in normalised {
        *value = (f64::from(*value) * deviation + mean) as f32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::loss::normalised_patches;
    use burn::tensor::{Device, TensorData};

    #[test]
    fn statistics_turn_the_target_of_the_loss_back_into_pixels() {
        let patch: Vec<f32> = (0..48).map(|i| (i as f32 * 0.7).sin() * 2.0 + 0.3).collect();
        let tensor = Tensor::<3>::from_data(TensorData::new(patch.clone(), [1, 1, 48]), &Device::flex());
        let mut turned: Vec<f32> = normalised_patches(tensor).try_into_vec_as().unwrap();
        assert!((turned[5] - patch[5]).abs() > 0.1);
        restore_statistics(&mut turned, &patch);
        for (a, b) in turned.iter().zip(&patch) {
            assert!((a - b).abs() < 1e-5, "{a} {b}");
        }
    }
}
