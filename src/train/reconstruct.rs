//! Completing held-out views: what a trained model makes of a masked picture and its reference.

use image::RgbImage;

use super::batch::{IMAGENET_MEAN, IMAGENET_STD, ViewTensors};
use super::croco::patch::patchify;
use super::croco::{Croco, PatchMask};
use super::device::TrainDevice;
use super::error::TrainError;
use super::loss::PATCH_EPS;
use crate::evaluate::PairLoss;
use crate::stream::PairBatch;

/// One completed view.
#[derive(Debug, Clone, PartialEq)]
pub struct Completed {
    /// Error over the hidden patches.
    pub loss: PairLoss,
    /// The view with its hidden patches as the model has them, scaled by the true mean and variance of each.
    pub picture: RgbImage,
}

/// Completes the first view of every pair of `batch` where `mask` hides it, with its second view as reference.
///
/// # Errors
/// The batch does not have the size of the model or of the mask, or the device cannot be read.
pub fn complete(
    model: &Croco,
    batch: &PairBatch,
    mask: &PatchMask,
    device: &TrainDevice,
) -> Result<Vec<Completed>, TrainError> {
    let config = model.config();
    if mask.batch() != batch.shape[0] || mask.tokens() != config.tokens() {
        return Err(TrainError::Config(format!(
            "a mask of {} x {} patches does not fit {} pictures of {} patches",
            mask.batch(),
            mask.tokens(),
            batch.shape[0],
            config.tokens()
        )));
    }
    let views = ViewTensors::upload(batch, config.image, &vec![false; batch.shape[0]], device.burn())?;
    let first = patchify(views.first, config.patch);
    let predicted = model.forward(first.clone(), patchify(views.second, config.patch), mask);
    let read = |tensor: burn::tensor::Tensor<3>| {
        let values = tensor.try_into_vec_as::<f32>();
        values.map_err(|error| TrainError::Read(format!("{error:?}")))
    };
    let (truth, predicted) = (read(first)?, read(predicted)?);
    let numbers = config.tokens() * config.pixels();
    let pictures = batch.first.chunks_exact(batch.first.len() / batch.shape[0]);
    let rows = mask.hidden().chunks_exact(config.tokens());
    Ok(truth
        .chunks_exact(numbers)
        .zip(predicted.chunks_exact(numbers))
        .zip(rows.zip(pictures))
        .map(|((truth, predicted), (hidden, picture))| one(truth, predicted, hidden, picture, config.patch))
        .collect())
}

/// `picture` with the patches that `hidden` marks in one grey; `patch` is their side in pixels.
pub fn masked_picture(picture: &RgbImage, hidden: &[bool], patch: u32) -> RgbImage {
    let columns = (picture.width() / patch).max(1);
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let token = (y / patch * columns + x / patch) as usize;
        match hidden.get(token) {
            Some(true) => image::Rgb([128; 3]),
            _ => *picture.get_pixel(x, y),
        }
    })
}

/// Loss and picture of one view. `truth` and `predicted` are patches, `picture` rows of interleaved bytes.
fn one(truth: &[f32], predicted: &[f32], hidden: &[bool], picture: &[u8], patch: usize) -> Completed {
    let numbers = patch * patch * 3;
    let columns = hidden.len().isqrt();
    let side = columns * patch;
    let mut completed = picture.to_vec();
    let (mut normalised, mut pixel) = (0.0, 0.0);
    let patches = truth.chunks_exact(numbers).zip(predicted.chunks_exact(numbers));
    for (token, (truth, predicted)) in patches.enumerate().filter(|(token, _)| hidden[*token]) {
        let (mean, deviation) = statistics(truth);
        let (left, top) = (token % columns * patch, token / columns * patch);
        for (i, (&want, &got)) in truth.iter().zip(predicted).enumerate() {
            let (want, got) = (f64::from(want), f64::from(got));
            let channel = i % 3;
            let scale = f64::from(IMAGENET_STD[channel]);
            let value = got * deviation + mean;
            normalised += (got - (want - mean) / deviation).powi(2);
            pixel += ((value - want) * scale).powi(2);
            let (x, y) = (left + i / 3 % patch, top + i / 3 / patch);
            let level = 255.0 * (value * scale + f64::from(IMAGENET_MEAN[channel]));
            completed[(y * side + x) * 3 + channel] = level.round().clamp(0.0, 255.0) as u8;
        }
    }
    let count = (hidden.iter().filter(|&&hidden| hidden).count() * numbers).max(1) as f64;
    let side = side as u32;
    Completed {
        loss: PairLoss {
            normalised: normalised / count,
            pixel: pixel / count,
        },
        // The buffer has the size of the picture that it was copied from.
        picture: RgbImage::from_raw(side, side, completed).unwrap_or_default(),
    }
}

/// Mean of a patch and the root of its unbiased variance plus epsilon.
fn statistics(patch: &[f32]) -> (f64, f64) {
    let count = patch.len() as f64;
    let mean = patch.iter().map(|&value| f64::from(value)).sum::<f64>() / count;
    let variance = patch
        .iter()
        .map(|&value| (f64::from(value) - mean).powi(2))
        .sum::<f64>()
        / (count - 1.0);
    (mean, (variance + PATCH_EPS).sqrt())
}

#[allow(clippy::unwrap_used, reason = "in a test a panic is the report")]
#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;
    use crate::train::loss::{masked_mse, normalised_patches};
    use burn::tensor::Device;

    use crate::train::test_models::micro_32 as config;

    fn batch() -> PairBatch {
        let mut rng = Rng::stream(1, "test", &[]);
        let mut views = || (0..2 * 32 * 32 * 3).map(|_| rng.next_u64() as u8).collect();
        PairBatch {
            first: views(),
            second: views(),
            shape: [2, 32, 32, 3],
            overlaps: vec![Default::default(); 2],
            indices: vec![0, 1],
        }
    }

    /// The twin is the loss of training, which Burn computes on tensors.
    #[test]
    fn an_untrained_model_has_the_loss_that_training_would_report() {
        let device = TrainDevice::flex();
        let model = Croco::new(config(), 5, device.burn());
        let mask = PatchMask::draw(2, 16, 12, 0, 0);
        let found = complete(&model, &batch(), &mask, &device).unwrap();
        let views = ViewTensors::upload(&batch(), 32, &[false; 2], device.burn()).unwrap();
        let first = patchify(views.first, 8);
        let prediction = model.forward(first.clone(), patchify(views.second, 8), &mask);
        let trained: f32 = masked_mse(prediction, first, &mask).into_scalar();
        let mean = (found[0].loss.normalised + found[1].loss.normalised) / 2.0;
        assert!((mean - f64::from(trained)).abs() < 1e-5, "{mean} is not {trained}");
        assert_ne!(found[0].loss, found[1].loss);
    }

    #[test]
    fn a_perfect_prediction_costs_nothing_and_draws_the_picture() {
        let batch = batch();
        let views = ViewTensors::upload(&batch, 32, &[false; 2], &Device::flex()).unwrap();
        let truth = patchify(views.first, 8);
        let perfect = normalised_patches(truth.clone()).try_into_vec_as::<f32>().unwrap();
        let truth = truth.try_into_vec_as::<f32>().unwrap();
        let hidden: Vec<bool> = (0..16).map(|token| token % 3 != 0).collect();
        let (numbers, bytes) = (16 * 192, 32 * 32 * 3);
        let found = one(
            &truth[..numbers],
            &perfect[..numbers],
            &hidden,
            &batch.first[..bytes],
            8,
        );
        assert!(
            found.loss.normalised < 1e-9 && found.loss.pixel < 1e-9,
            "{:?}",
            found.loss
        );
        assert_eq!(found.picture.as_raw()[..], batch.first[..bytes]);

        // Nothing predicted: the biased share of one patch's variance, and its grey in the picture.
        let found = one(
            &truth[..numbers],
            &vec![0.0; numbers],
            &hidden,
            &batch.first[..bytes],
            8,
        );
        assert!((found.loss.normalised - 191.0 / 192.0).abs() < 1e-4);
        assert_eq!(found.picture.get_pixel(0, 0).0[..], batch.first[..3]);
        assert_ne!(found.picture.as_raw()[..], batch.first[..bytes]);
    }

    #[test]
    fn pixel_errors_are_those_of_the_pictures() {
        // A patch of one grey but for one pixel, predicted as grey throughout.
        let mut picture = vec![100u8; 8 * 8 * 3];
        picture[..3].copy_from_slice(&[151, 151, 151]);
        let batch = PairBatch {
            first: picture.clone(),
            second: picture.clone(),
            shape: [1, 8, 8, 3],
            overlaps: vec![Default::default()],
            indices: vec![0],
        };
        let views = ViewTensors::upload(&batch, 8, &[false], &Device::flex()).unwrap();
        let truth = patchify(views.first, 8).try_into_vec_as::<f32>().unwrap();
        let (mean, deviation) = statistics(&truth);
        let mut predicted = truth.clone();
        predicted[..3].copy_from_slice(&truth[3..6]);
        let predicted: Vec<f32> = predicted
            .iter()
            .map(|&value| ((f64::from(value) - mean) / deviation) as f32)
            .collect();
        let found = one(&truth, &predicted, &[true], &picture, 8);
        // One pixel of 64 is 51 levels of 255 off: 0.2 squared.
        assert!((found.loss.pixel - 0.04 / 64.0).abs() < 1e-8, "{}", found.loss.pixel);
        assert!(found.picture.pixels().all(|pixel| pixel.0 == [100; 3]));
    }

    #[test]
    fn hidden_patches_are_grey_and_a_wrong_mask_is_refused() {
        let picture = RgbImage::from_pixel(4, 4, image::Rgb([9; 3]));
        let masked = masked_picture(&picture, &[false, true, false, false], 2);
        assert_eq!(masked.pixels().filter(|pixel| pixel.0 == [128; 3]).count(), 4);
        assert_eq!(masked.get_pixel(2, 0).0, [128; 3]);
        let device = TrainDevice::flex();
        let model = Croco::new(config(), 5, device.burn());
        assert!(complete(&model, &batch(), &PatchMask::draw(3, 16, 12, 0, 0), &device).is_err());
    }
}
