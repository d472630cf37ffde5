//! Images as sequences of patches.

use burn::tensor::Tensor;

/// `[batch, 3, height, width]` to `[batch, tokens, patch * patch * 3]`.
///
/// Tokens run row by row; inside a patch the order is row, column, channel (channel fastest), the order
/// of CroCo's prediction head. The sides must be multiples of `patch`.
pub fn patchify(images: Tensor<4>, patch: usize) -> Tensor<3> {
    let [batch, channels, height, width] = images.dims();
    let (rows, columns) = (height / patch, width / patch);
    images
        .reshape([batch, channels, rows, patch, columns, patch])
        .permute([0, 2, 4, 3, 5, 1])
        .reshape([batch, rows * columns, patch * patch * channels])
}

/// The inverse of [`patchify`] for a square grid of patches: `[batch, tokens, patch * patch * 3]` to
/// `[batch, 3, height, width]`.
pub fn unpatchify(patches: Tensor<3>, patch: usize) -> Tensor<4> {
    let [batch, tokens, _] = patches.dims();
    let grid = tokens.isqrt();
    patches
        .reshape([batch, grid, grid, patch, patch, 3])
        .permute([0, 5, 1, 3, 2, 4])
        .reshape([batch, 3, grid * patch, grid * patch])
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, TensorData};

    #[test]
    fn pixels_land_where_the_order_says() {
        let (patch, side) = (2, 4);
        let value = |c: usize, y: usize, x: usize| (c * 100 + y * 10 + x) as f32;
        let mut data = Vec::new();
        for c in 0..3 {
            for y in 0..side {
                data.extend((0..side).map(|x| value(c, y, x)));
            }
        }
        let image = Tensor::<4>::from_data(TensorData::new(data, [1, 3, side, side]), &Device::flex());
        let patches = patchify(image.clone(), patch);
        let flat: Vec<f32> = patches.try_to_vec_as().unwrap();
        // Token 1 is the top right patch; its entry (row 1, column 0, channel 2).
        assert_eq!(flat[12 + 2 * 3 + 2], value(2, 1, 2));
        assert_eq!(unpatchify(patches, patch).to_data(), image.to_data());
    }
}
