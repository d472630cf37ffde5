//! The two layers everything is built from, and how their weights start.
//!
//! They are ours rather than Burn's so that field paths are the key names of released checkpoints
//! and so that every initial weight comes from the frozen random streams.

use burn::module::{Module, Param, ParamId};
use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::rng::Rng;
use crate::train::ops;

/// Draws initial weights; parameter number `i` owns the stream `(seed, "weights", [i])`.
#[derive(Debug)]
pub struct Init<'a> {
    device: &'a Device,
    seed: u64,
    next: u64,
}

impl<'a> Init<'a> {
    /// Weights for `device` from `seed`.
    pub fn new(seed: u64, device: &'a Device) -> Self {
        Self { device, seed, next: 0 }
    }

    /// A parameter of `shape` whose elements come from `draw`. Its id is its number, the same in every
    /// process, so that optimiser states can be matched after a restart.
    pub fn param<const D: usize>(
        &mut self,
        shape: [usize; D],
        mut draw: impl FnMut(&mut Rng) -> f64,
    ) -> Param<Tensor<D>> {
        let id = self.next;
        self.next += 1;
        let mut rng = Rng::stream(self.seed, "weights", &[id]);
        let values: Vec<f32> = (0..shape.iter().product()).map(|_| draw(&mut rng) as f32).collect();
        let tensor = Tensor::<D>::from_data(TensorData::new(values, shape), self.device);
        Param::initialized(ParamId::from(id), tensor.require_grad())
    }
}

/// Row numbers on `device`, for selecting rows of a table.
pub(super) fn index(rows: Vec<i32>, device: &Device) -> Tensor<1, Int> {
    let count = rows.len();
    Tensor::from_data(TensorData::new(rows, [count]), &device.clone().inner())
}

/// `y = x W + b`.
#[derive(Module, Debug)]
pub struct Linear {
    /// `[inputs, outputs]`: the transpose of PyTorch's.
    pub weight: Param<Tensor<2>>,
    /// `[outputs]`.
    pub bias: Param<Tensor<1>>,
}

impl Linear {
    /// Xavier-uniform weights (Glorot and Bengio 2010), bias 0.
    pub fn new(inputs: usize, outputs: usize, init: &mut Init<'_>) -> Self {
        let bound = libm::sqrt(6.0 / (inputs + outputs) as f64);
        Self {
            weight: init.param([inputs, outputs], |rng| rng.range(-bound, bound)),
            bias: init.param([outputs], |_| 0.0),
        }
    }

    /// `[batch, tokens, inputs]` to `[batch, tokens, outputs]`.
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        ops::linear(x, self.weight.val(), self.bias.val())
    }
}

/// Layer normalisation over the last dimension, epsilon 1e-6.
#[derive(Module, Debug)]
pub struct LayerNorm {
    /// Scale, `[channels]`.
    pub weight: Param<Tensor<1>>,
    /// Shift, `[channels]`.
    pub bias: Param<Tensor<1>>,
}

impl LayerNorm {
    /// Scale 1, shift 0.
    pub fn new(channels: usize, init: &mut Init<'_>) -> Self {
        Self {
            weight: init.param([channels], |_| 1.0),
            bias: init.param([channels], |_| 0.0),
        }
    }

    /// `[batch, tokens, channels]` to the same shape.
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        ops::layer_norm(x, self.weight.val(), self.bias.val())
    }
}
