//! The transformer blocks: pre-normalised attention, cross-attention and a perceptron of ratio 4.

use burn::module::Module;
use burn::tensor::Tensor;

use super::layers::{Init, LayerNorm, Linear};
use crate::train::ops::{self, Rope};

/// Two linears with an exact GELU between them.
#[derive(Module, Debug)]
pub struct Mlp {
    fc1: Linear,
    fc2: Linear,
}

impl Mlp {
    fn new(dim: usize, init: &mut Init<'_>) -> Self {
        Self {
            fc1: Linear::new(dim, 4 * dim, init),
            fc2: Linear::new(4 * dim, dim, init),
        }
    }

    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        self.fc2.forward(ops::gelu(self.fc1.forward(x)))
    }
}

/// Self-attention; one linear makes queries, keys and values.
#[derive(Module, Debug)]
pub struct Attention {
    heads: usize,
    qkv: Linear,
    proj: Linear,
}

impl Attention {
    fn new(dim: usize, heads: usize, init: &mut Init<'_>) -> Self {
        Self {
            heads,
            qkv: Linear::new(dim, 3 * dim, init),
            proj: Linear::new(dim, dim, init),
        }
    }

    fn forward(&self, x: Tensor<3>, rope: Option<&Rope>) -> Tensor<3> {
        self.proj
            .forward(ops::self_attention(self.qkv.forward(x), self.heads, rope))
    }
}

/// Attention of the target's tokens to the reference's.
#[derive(Module, Debug)]
pub struct CrossAttention {
    heads: usize,
    projq: Linear,
    projk: Linear,
    projv: Linear,
    proj: Linear,
}

impl CrossAttention {
    fn new(dim: usize, heads: usize, init: &mut Init<'_>) -> Self {
        Self {
            heads,
            projq: Linear::new(dim, dim, init),
            projk: Linear::new(dim, dim, init),
            projv: Linear::new(dim, dim, init),
            proj: Linear::new(dim, dim, init),
        }
    }

    fn forward(&self, x: Tensor<3>, reference: Tensor<3>, rope: Option<&Rope>) -> Tensor<3> {
        let query = self.projq.forward(x);
        let key = self.projk.forward(reference.clone());
        let value = self.projv.forward(reference);
        self.proj
            .forward(ops::cross_attention(query, key, value, self.heads, rope))
    }
}

/// One block of the shared encoder.
#[derive(Module, Debug)]
pub struct EncoderBlock {
    norm1: LayerNorm,
    attn: Attention,
    norm2: LayerNorm,
    mlp: Mlp,
}

impl EncoderBlock {
    /// A block of `dim` channels.
    pub fn new(dim: usize, heads: usize, init: &mut Init<'_>) -> Self {
        Self {
            norm1: LayerNorm::new(dim, init),
            attn: Attention::new(dim, heads, init),
            norm2: LayerNorm::new(dim, init),
            mlp: Mlp::new(dim, init),
        }
    }

    /// `[batch, tokens, dim]` to the same shape.
    pub fn forward(&self, x: Tensor<3>, rope: Option<&Rope>) -> Tensor<3> {
        let x = x.clone() + self.attn.forward(self.norm1.forward(x), rope);
        x.clone() + self.mlp.forward(self.norm2.forward(x))
    }
}

/// One block of the decoder: the target attends to itself, then to the reference.
#[derive(Module, Debug)]
pub struct DecoderBlock {
    norm1: LayerNorm,
    attn: Attention,
    norm2: LayerNorm,
    norm_y: LayerNorm,
    cross_attn: CrossAttention,
    norm3: LayerNorm,
    mlp: Mlp,
}

impl DecoderBlock {
    /// A block of `dim` channels.
    pub fn new(dim: usize, heads: usize, init: &mut Init<'_>) -> Self {
        Self {
            norm1: LayerNorm::new(dim, init),
            attn: Attention::new(dim, heads, init),
            norm2: LayerNorm::new(dim, init),
            norm_y: LayerNorm::new(dim, init),
            cross_attn: CrossAttention::new(dim, heads, init),
            norm3: LayerNorm::new(dim, init),
            mlp: Mlp::new(dim, init),
        }
    }

    /// Target `x` and `reference`, both `[batch, tokens, dim]` on the full grid; the new target comes back.
    pub fn forward(&self, x: Tensor<3>, reference: Tensor<3>, rope: Option<&Rope>) -> Tensor<3> {
        let x = x.clone() + self.attn.forward(self.norm1.forward(x), rope);
        let reference = self.norm_y.forward(reference);
        let x = x.clone() + self.cross_attn.forward(self.norm2.forward(x), reference, rope);
        x.clone() + self.mlp.forward(self.norm3.forward(x))
    }
}
