//! The error of the completed pixels.

use burn::tensor::{Device, Tensor, TensorData};

use super::croco::PatchMask;

/// Epsilon under the root of a patch's variance.
pub const PATCH_EPS: f64 = 1e-6;

/// Patches with mean 0 and deviation 1: `(x - mean) / sqrt(var + 1e-6)`, the variance unbiased over all
/// numbers of the patch (CroCo and MAE with normalised pixels). `[batch, tokens, pixels]` to the same shape.
pub fn normalised_patches(patches: Tensor<3>) -> Tensor<3> {
    let (variance, mean) = patches.clone().var_mean(2);
    (patches - mean) / variance.add_scalar(PATCH_EPS).sqrt()
}

/// Mean over the hidden patches of the mean squared error between `prediction` and the normalised
/// pixels of `patches`, both `[batch, tokens, pixels]`. A prediction of zero costs about 1.
pub fn masked_mse(prediction: Tensor<3>, patches: Tensor<3>, mask: &PatchMask) -> Tensor<1> {
    let [_, _, pixels] = prediction.dims();
    let weight = hidden_weight(mask, &prediction.device());
    let error = prediction - normalised_patches(patches);
    let total = (error.clone() * error * weight).sum();
    total.div_scalar((mask.hidden_total() * pixels) as f64)
}

/// `[batch, tokens, 1]`: 1 where hidden, else 0.
fn hidden_weight(mask: &PatchMask, device: &Device) -> Tensor<3> {
    let flags: Vec<f32> = mask
        .hidden()
        .iter()
        .map(|&hidden| f32::from(u8::from(hidden)))
        .collect();
    let shape = [mask.batch(), mask.tokens(), 1];
    Tensor::from_data(TensorData::new(flags, shape), &device.clone().inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patches() -> Tensor<3> {
        let values: Vec<f32> = (0..2 * 4 * 12).map(|i| ((i * 37 % 101) as f32).sin()).collect();
        Tensor::from_data(TensorData::new(values, [2, 4, 12]), &Device::flex())
    }

    fn mask() -> PatchMask {
        PatchMask::from_flags(&[1, 0, 1, 1, 1, 1, 0, 1], 4).unwrap()
    }

    #[test]
    fn zero_costs_the_biased_share_of_one() {
        // The target has unbiased variance 1, so its mean square is (n - 1) / n.
        let loss: f32 = masked_mse(patches().zeros_like(), patches(), &mask()).into_scalar();
        assert!((loss - 11.0 / 12.0).abs() < 1e-4, "{loss}");
    }

    #[test]
    fn the_target_itself_costs_nothing_and_visible_patches_do_not_count() {
        let target = normalised_patches(patches());
        let loss: f32 = masked_mse(target.clone(), patches(), &mask()).into_scalar();
        assert!(loss.abs() < 1e-10);
        let visible_off = target.slice_fill([0..1, 1..2, 0..12], 9.0);
        let loss: f32 = masked_mse(visible_off, patches(), &mask()).into_scalar();
        assert!(loss.abs() < 1e-10);
    }
}
