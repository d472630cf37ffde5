//! Layer normalisation.

use burn::tensor::{Tensor, module};

/// Epsilon under the root, of CroCo, MAE and MIMIC alike.
pub const NORM_EPS: f64 = 1e-6;

/// Normalises the last dimension of `[batch, tokens, channels]`, then scales and shifts it.
pub fn layer_norm(x: Tensor<3>, weight: Tensor<1>, bias: Tensor<1>) -> Tensor<3> {
    module::layer_norm(x, weight, Some(bias), NORM_EPS)
}
