//! The whole model.

use burn::module::{Module, Param};
use burn::tensor::{Device, Int, Tensor, TensorData};

use super::blocks::{DecoderBlock, EncoderBlock};
use super::config::{CrocoConfig, ModelSize, PositionCode};
use super::layers::{Init, LayerNorm, Linear};
use super::masking::PatchMask;
use super::pos_embed::{RotaryTable, sincos_2d};
use crate::train::ops::Rope;

/// Patches to tokens: one linear over the numbers of a patch, which is what a convolution of stride
/// `patch` computes.
#[derive(Module, Debug)]
pub struct PatchEmbed {
    proj: Linear,
}

/// What has no gradient and no place in the optimiser: position codes.
#[derive(Debug, Clone)]
enum Positions {
    /// Of a model that is never run.
    None,
    /// `[tokens, dim]` tables of encoder and decoder.
    Cosine { encoder: Tensor<2>, decoder: Tensor<2> },
    /// Rotary tables of the full grid.
    Rope {
        encoder: RotaryTable,
        encoder_full: Rope,
        decoder_full: Rope,
    },
}

/// Encoder shared by both views, decoder with cross-attention, prediction of pixels.
#[derive(Module, Debug)]
pub struct Croco {
    patch_embed: PatchEmbed,
    mask_token: Param<Tensor<3>>,
    enc_blocks: Vec<EncoderBlock>,
    enc_norm: LayerNorm,
    decoder_embed: Linear,
    dec_blocks: Vec<DecoderBlock>,
    dec_norm: LayerNorm,
    prediction_head: Linear,
    #[module(skip)]
    positions: Positions,
    #[module(skip)]
    config: CrocoConfig,
}

impl Croco {
    /// A model with xavier-uniform linears, zero biases, unit norms and a normal (0, 0.02) mask token,
    /// all drawn from `seed`. A `device` with autodiff makes it trainable.
    pub fn new(config: CrocoConfig, seed: u64, device: &Device) -> Self {
        let (encoder, decoder) = config.size.widths();
        let init = &mut Init::new(seed, device);
        let plain = device.clone().inner();
        Self {
            patch_embed: PatchEmbed {
                proj: Linear::new(config.pixels(), encoder.dim, init),
            },
            mask_token: init.param([1, 1, decoder.dim], |rng| 0.02 * rng.normal()),
            enc_blocks: (0..encoder.depth)
                .map(|_| EncoderBlock::new(encoder.dim, encoder.heads, init))
                .collect(),
            enc_norm: LayerNorm::new(encoder.dim, init),
            decoder_embed: Linear::new(encoder.dim, decoder.dim, init),
            dec_blocks: (0..decoder.depth)
                .map(|_| DecoderBlock::new(decoder.dim, decoder.heads, init))
                .collect(),
            dec_norm: LayerNorm::new(decoder.dim, init),
            prediction_head: Linear::new(decoder.dim, config.pixels(), init),
            positions: positions(config, &plain),
            config,
        }
    }

    /// A model of next to no size, to stand in where one is moved out.
    pub(crate) fn hollow(device: &Device) -> Self {
        let init = &mut Init::new(0, device);
        Self {
            patch_embed: PatchEmbed {
                proj: Linear::new(1, 1, init),
            },
            mask_token: init.param([1, 1, 1], |_| 0.0),
            enc_blocks: Vec::new(),
            enc_norm: LayerNorm::new(1, init),
            decoder_embed: Linear::new(1, 1, init),
            dec_blocks: Vec::new(),
            dec_norm: LayerNorm::new(1, init),
            prediction_head: Linear::new(1, 1, init),
            positions: Positions::None,
            config: CrocoConfig {
                size: ModelSize::Micro,
                pos: PositionCode::Cosine,
                image: 1,
                patch: 1,
            },
        }
    }

    /// What the model was built from.
    pub fn config(&self) -> CrocoConfig {
        self.config
    }

    /// Encodes every patch: `[batch, tokens, pixels]` to `[batch, tokens, encoder dim]`.
    pub fn encode(&self, patches: Tensor<3>) -> Tensor<3> {
        let mut x = self.patch_embed.proj.forward(patches);
        let rope = match &self.positions {
            Positions::None => None,
            Positions::Cosine { encoder, .. } => {
                x = x + encoder.clone().unsqueeze();
                None
            }
            Positions::Rope { encoder_full, .. } => Some(encoder_full.clone()),
        };
        self.run_encoder(x, rope.as_ref())
    }

    /// Encodes the visible patches only: `[batch, tokens, pixels]` to `[batch, visible, encoder dim]`.
    fn encode_visible(&self, patches: Tensor<3>, mask: &PatchMask) -> Tensor<3> {
        let [batch, tokens, pixels] = patches.dims();
        let device = patches.device();
        let rows = index(mask.visible_rows(), &device);
        let visible =
            patches
                .reshape([batch * tokens, pixels])
                .select(0, rows)
                .reshape([batch, mask.visible(), pixels]);
        let mut x = self.patch_embed.proj.forward(visible);
        let places = mask.visible_tokens();
        let rope = match &self.positions {
            Positions::None => None,
            Positions::Cosine { encoder, .. } => {
                let dim = encoder.dims()[1];
                let code = encoder.clone().select(0, index(places, &device));
                x = x + code.reshape([batch, mask.visible(), dim]);
                None
            }
            Positions::Rope { encoder, .. } => Some(Rope::new(encoder.rows(&places), batch, &device)),
        };
        self.run_encoder(x, rope.as_ref())
    }

    fn run_encoder(&self, mut x: Tensor<3>, rope: Option<&Rope>) -> Tensor<3> {
        for block in &self.enc_blocks {
            x = block.forward(x, rope);
        }
        self.enc_norm.forward(x)
    }

    /// Completes the first view where `mask` hides it, with the second as reference.
    ///
    /// Both views as [`patchify`](super::patch::patchify) gives them, `[batch, tokens, pixels]`, normalised
    /// by ImageNet's mean and deviation. Gives predicted (per-patch normalised) pixels of every patch, same shape.
    pub fn forward(&self, first: Tensor<3>, second: Tensor<3>, mask: &PatchMask) -> Tensor<3> {
        let [batch, tokens, _] = first.dims();
        let device = first.device();
        let visible = self.decoder_embed.forward(self.encode_visible(first, mask));
        let mut reference = self.decoder_embed.forward(self.encode(second));
        let dim = reference.dims()[2];

        // The visible tokens and, in the last row, the mask token; each place of the grid takes its row.
        let table = Tensor::cat(
            vec![
                visible.reshape([batch * mask.visible(), dim]),
                self.mask_token.val().reshape([1, dim]),
            ],
            0,
        );
        let mut x = table
            .select(0, index(mask.fill_rows(), &device))
            .reshape([batch, tokens, dim]);
        let rope = match &self.positions {
            Positions::None => None,
            Positions::Cosine { decoder, .. } => {
                let code = decoder.clone().unsqueeze();
                x = x + code.clone();
                reference = reference + code;
                None
            }
            Positions::Rope { decoder_full, .. } => Some(decoder_full.clone()),
        };
        for block in &self.dec_blocks {
            x = block.forward(x, reference.clone(), rope.as_ref());
        }
        self.prediction_head.forward(self.dec_norm.forward(x))
    }
}

fn positions(config: CrocoConfig, device: &Device) -> Positions {
    let (encoder, decoder) = config.size.widths();
    let (grid, tokens) = (config.grid(), config.tokens());
    match config.pos {
        PositionCode::Cosine => {
            let table = |dim| Tensor::from_data(TensorData::new(sincos_2d(dim, grid), [tokens, dim]), device);
            Positions::Cosine {
                encoder: table(encoder.dim),
                decoder: table(decoder.dim),
            }
        }
        PositionCode::Rope => {
            let table = |width: super::Width| RotaryTable::new(width.dim / width.heads, grid);
            Positions::Rope {
                encoder: table(encoder),
                encoder_full: Rope::new(table(encoder), 1, device),
                decoder_full: Rope::new(table(decoder), 1, device),
            }
        }
    }
}

fn index(rows: Vec<i32>, device: &Device) -> Tensor<1, Int> {
    let count = rows.len();
    Tensor::from_data(TensorData::new(rows, [count]), &device.clone().inner())
}
