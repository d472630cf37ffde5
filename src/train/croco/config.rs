//! Sizes of the model.

use serde::{Deserialize, Serialize};

/// Encoder and decoder sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ModelSize {
    /// Encoder 64 x 2 blocks, decoder 48 x 1: for tests.
    Micro,
    /// Encoder 192 x 4 blocks, decoder 128 x 2, 2.6 M parameters: learns on a laptop.
    Tiny,
    /// ViT-B encoder, decoder 512 x 8 blocks, 120.1 M parameters: CroCo v1.
    Base,
    /// ViT-B encoder, decoder 768 x 12 blocks, 200.3 M parameters: CroCo v2 base decoder.
    BaseBasedec,
}

/// Channels, blocks and heads of one of the two transformers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Width {
    /// Channels.
    pub dim: usize,
    /// Blocks.
    pub depth: usize,
    /// Attention heads.
    pub heads: usize,
}

impl ModelSize {
    /// Encoder and decoder.
    pub fn widths(self) -> (Width, Width) {
        let width = |dim, depth, heads| Width { dim, depth, heads };
        match self {
            Self::Micro => (width(64, 2, 2), width(48, 1, 3)),
            Self::Tiny => (width(192, 4, 3), width(128, 2, 4)),
            Self::Base => (width(768, 12, 12), width(512, 8, 16)),
            Self::BaseBasedec => (width(768, 12, 12), width(768, 12, 12)),
        }
    }
}

/// How a token knows its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PositionCode {
    /// Fixed sine-cosine tables added to the tokens of encoder and decoder (CroCo v1, MIMIC).
    Cosine,
    /// 2-D rotary code of base 100 in every attention (CroCo v2).
    Rope,
}

/// What determines the shape of every parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CrocoConfig {
    /// Size.
    pub size: ModelSize,
    /// Position code.
    pub pos: PositionCode,
    /// Side of the square input, pixels, a multiple of `patch`.
    pub image: usize,
    /// Side of a patch, pixels.
    pub patch: usize,
}

impl CrocoConfig {
    /// Patches along a side.
    pub fn grid(&self) -> usize {
        self.image / self.patch
    }

    /// Patches an image.
    pub fn tokens(&self) -> usize {
        self.grid() * self.grid()
    }

    /// Numbers in a patch: `patch * patch * 3`.
    pub fn pixels(&self) -> usize {
        self.patch * self.patch * 3
    }
}
