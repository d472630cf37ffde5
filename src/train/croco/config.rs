//! Kinds and sizes of the model.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Which model is trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Architecture {
    /// CroCo: the decoder's target tokens attend to a second view; no class token.
    #[default]
    Croco,
    /// MIMIC's multiview masked autoencoder: CroCo with a class token in encoder and decoder.
    Mimic,
    /// MAE on the first view alone, as a baseline: class token, no cross-attention, the second view unused.
    Mae,
}

impl Architecture {
    /// Tokens of a sequence that stand for no patch: 1 with a class token, else 0.
    pub fn class_tokens(self) -> usize {
        usize::from(self != Self::Croco)
    }
}

/// Sizes of the encoder, each with the decoder it usually has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ModelSize {
    /// Encoder 64 x 2 blocks, decoder 48 x 1: for tests.
    Micro,
    /// Encoder 192 x 4 blocks, decoder 128 x 2, 2.6 M parameters: learns on a laptop.
    Tiny,
    /// ViT-B encoder, small decoder (512 x 8 blocks), 120.1 M parameters: CroCo v1, MIMIC.
    Base,
    /// ViT-B encoder, base decoder (768 x 12 blocks), 200.3 M parameters: CroCo v2.
    BaseBasedec,
    /// ViT-L encoder (1024 x 24 blocks), base decoder, 417.9 M parameters: the largest CroCo v2.
    Large,
}

/// Sizes of the decoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DecoderSize {
    /// The one that goes with the encoder's size.
    #[default]
    Auto,
    /// 48 channels, 1 block, 3 heads.
    Micro,
    /// 128 channels, 2 blocks, 4 heads.
    Tiny,
    /// 512 channels, 8 blocks, 16 heads: CroCo v1, MAE, MIMIC.
    Small,
    /// 768 channels, 12 blocks, 12 heads: CroCo v2.
    Base,
}

/// Channels, blocks and heads of one of the two transformers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Width {
    /// Channels.
    pub dim: usize,
    /// Blocks.
    pub depth: usize,
    /// Attention heads.
    pub heads: usize,
}

const fn width(dim: usize, depth: usize, heads: usize) -> Width {
    Width { dim, depth, heads }
}

impl ModelSize {
    /// Every size, smallest first.
    pub const ALL: [Self; 5] = [Self::Micro, Self::Tiny, Self::Base, Self::BaseBasedec, Self::Large];

    /// Encoder, and the decoder that goes with it.
    pub fn widths(self) -> (Width, Width) {
        match self {
            Self::Micro => (width(64, 2, 2), width(48, 1, 3)),
            Self::Tiny => (width(192, 4, 3), width(128, 2, 4)),
            Self::Base => (width(768, 12, 12), width(512, 8, 16)),
            Self::BaseBasedec => (width(768, 12, 12), width(768, 12, 12)),
            Self::Large => (width(1024, 24, 16), width(768, 12, 12)),
        }
    }
}

impl DecoderSize {
    /// The decoder's width; `None` for [`Self::Auto`].
    pub fn width(self) -> Option<Width> {
        match self {
            Self::Auto => None,
            Self::Micro => Some(width(48, 1, 3)),
            Self::Tiny => Some(width(128, 2, 4)),
            Self::Small => Some(width(512, 8, 16)),
            Self::Base => Some(width(768, 12, 12)),
        }
    }
}

/// How a token knows its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PositionCode {
    /// Fixed sine-cosine tables added to the tokens of encoder and decoder (CroCo v1, MIMIC, MAE).
    Cosine,
    /// 2-D rotary code of base 100 in every attention (CroCo v2).
    Rope,
}

/// What determines the shape of every parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrocoConfig {
    /// Kind of model.
    pub architecture: Architecture,
    /// Encoder, shared by both views.
    pub encoder: Width,
    /// Decoder.
    pub decoder: Width,
    /// Position code; rotary codes know patches only, so they go with [`Architecture::Croco`].
    pub pos: PositionCode,
    /// Side of the square input, pixels, a multiple of `patch`.
    pub image: usize,
    /// Side of a patch, pixels.
    pub patch: usize,
}

impl fmt::Display for CrocoConfig {
    /// `croco, encoder 768/12/12, decoder 512/8/16 (channels/blocks/heads), cosine positions, 224 px in patches of 16`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.architecture {
            Architecture::Croco => "croco",
            Architecture::Mimic => "mimic",
            Architecture::Mae => "mae",
        };
        let pos = match self.pos {
            PositionCode::Cosine => "cosine",
            PositionCode::Rope => "rope",
        };
        let [encoder, decoder] = [self.encoder, self.decoder].map(|w| format!("{}/{}/{}", w.dim, w.depth, w.heads));
        write!(
            f,
            "{kind}, encoder {encoder}, decoder {decoder} (channels/blocks/heads), {pos} positions, {} px in patches of {}",
            self.image, self.patch
        )
    }
}

impl CrocoConfig {
    /// CroCo of a size with its usual decoder, for images of `image` pixels a side cut into patches of `patch`.
    pub fn croco(size: ModelSize, pos: PositionCode, image: usize, patch: usize) -> Self {
        let (encoder, decoder) = size.widths();
        Self {
            architecture: Architecture::Croco,
            encoder,
            decoder,
            pos,
            image,
            patch,
        }
    }

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

    /// How many patches of the first view are hidden.
    ///
    /// CroCo rounds the hidden ones down, `floor(ratio * tokens)` (176 of 196 at 0.9); MAE and MIMIC the
    /// visible ones, `tokens - floor(tokens * (1 - ratio))` (177 of 196).
    pub fn hidden_patches(&self, ratio: f64) -> usize {
        let tokens = self.tokens();
        match self.architecture {
            Architecture::Croco => (ratio * tokens as f64).floor() as usize,
            Architecture::Mimic | Architecture::Mae => tokens - (tokens as f64 * (1.0 - ratio)).floor() as usize,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_counts_of_visible_patches() {
        let mut config = CrocoConfig::croco(ModelSize::Base, PositionCode::Cosine, 224, 16);
        assert_eq!(config.tokens() - config.hidden_patches(0.9), 20);
        config.architecture = Architecture::Mimic;
        assert_eq!(config.tokens() - config.hidden_patches(0.9), 19);
        config.architecture = Architecture::Mae;
        assert_eq!(config.tokens() - config.hidden_patches(0.75), 49);
    }
}
