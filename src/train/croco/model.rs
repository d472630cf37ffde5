//! The whole model.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};

use super::blocks::{DecoderBlock, EncoderBlock};
use super::config::{Architecture, CrocoConfig, ModelSize, PositionCode};
use super::layers::{Init, LayerNorm, Linear, index};
use super::masking::PatchMask;
use super::positions::Positions;
use crate::train::ops::Rope;

/// Patches to tokens: one linear over the numbers of a patch, which is what a convolution of stride
/// `patch` computes.
#[derive(Module, Debug)]
pub struct PatchEmbed {
    proj: Linear,
}

/// Encoder shared by both views, decoder with cross-attention (or, for MAE, without), prediction of pixels.
#[derive(Module, Debug)]
pub struct Croco {
    patch_embed: PatchEmbed,
    /// `[1, 1, encoder dim]`, where there is one.
    cls_token: Option<Param<Tensor<3>>>,
    mask_token: Param<Tensor<3>>,
    enc_blocks: Vec<EncoderBlock>,
    enc_norm: LayerNorm,
    decoder_embed: Linear,
    /// Of CroCo and MIMIC.
    dec_blocks: Vec<DecoderBlock>,
    /// Of MAE.
    self_blocks: Vec<EncoderBlock>,
    dec_norm: LayerNorm,
    prediction_head: Linear,
    #[module(skip)]
    positions: Positions,
    #[module(skip)]
    config: CrocoConfig,
}

impl Croco {
    /// A model with xavier-uniform linears, zero biases, unit norms and normal (0, 0.02) mask and class
    /// tokens, all drawn from `seed`. A `device` with autodiff makes it trainable.
    pub fn new(config: CrocoConfig, seed: u64, device: &Device) -> Self {
        let (encoder, decoder) = (config.encoder, config.decoder);
        let init = &mut Init::new(seed, device);
        let token = |dim: usize, init: &mut Init<'_>| init.param([1, 1, dim], |rng| 0.02 * rng.normal());
        let alone = config.architecture == Architecture::Mae;
        let (crossed, plain) = if alone { (0, decoder.depth) } else { (decoder.depth, 0) };
        Self {
            patch_embed: PatchEmbed {
                proj: Linear::new(config.pixels(), encoder.dim, init),
            },
            cls_token: (config.architecture.class_tokens() > 0).then(|| token(encoder.dim, init)),
            mask_token: token(decoder.dim, init),
            enc_blocks: (0..encoder.depth)
                .map(|_| EncoderBlock::new(encoder.dim, encoder.heads, init))
                .collect(),
            enc_norm: LayerNorm::new(encoder.dim, init),
            decoder_embed: Linear::new(encoder.dim, decoder.dim, init),
            dec_blocks: (0..crossed)
                .map(|_| DecoderBlock::new(decoder.dim, decoder.heads, init))
                .collect(),
            self_blocks: (0..plain)
                .map(|_| EncoderBlock::new(decoder.dim, decoder.heads, init))
                .collect(),
            dec_norm: LayerNorm::new(decoder.dim, init),
            prediction_head: Linear::new(decoder.dim, config.pixels(), init),
            positions: Positions::new(&config, &device.clone().inner()),
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
            cls_token: None,
            mask_token: init.param([1, 1, 1], |_| 0.0),
            enc_blocks: Vec::new(),
            enc_norm: LayerNorm::new(1, init),
            decoder_embed: Linear::new(1, 1, init),
            dec_blocks: Vec::new(),
            self_blocks: Vec::new(),
            dec_norm: LayerNorm::new(1, init),
            prediction_head: Linear::new(1, 1, init),
            positions: Positions::None,
            config: CrocoConfig::croco(ModelSize::Micro, PositionCode::Cosine, 1, 1),
        }
    }

    /// What the model was built from.
    pub fn config(&self) -> CrocoConfig {
        self.config
    }

    /// Encodes every patch: `[batch, tokens, pixels]` to `[batch, tokens, encoder dim]`, with the class
    /// token (where the model has one) before the others: `[batch, 1 + tokens, encoder dim]`.
    pub fn encode(&self, patches: Tensor<3>) -> Tensor<3> {
        let (x, rope) = self.positions.encoder(self.patch_embed.proj.forward(patches));
        self.run_encoder(x, rope.as_ref())
    }

    /// Encodes the visible patches only: `[batch, tokens, pixels]` to `[batch, visible, encoder dim]`, the
    /// class token before them.
    fn encode_visible(&self, patches: Tensor<3>, mask: &PatchMask) -> Tensor<3> {
        let [batch, tokens, pixels] = patches.dims();
        let rows = index(mask.visible_rows(), &patches.device());
        let visible =
            patches
                .reshape([batch * tokens, pixels])
                .select(0, rows)
                .reshape([batch, mask.visible(), pixels]);
        let tokens = self.patch_embed.proj.forward(visible);
        let (x, rope) = self.positions.encoder_visible(tokens, mask);
        self.run_encoder(x, rope.as_ref())
    }

    fn run_encoder(&self, mut x: Tensor<3>, rope: Option<&Rope>) -> Tensor<3> {
        if let Some(token) = &self.cls_token {
            // Its row of the position table is zero.
            let [batch, _, dim] = x.dims();
            x = Tensor::cat(vec![token.val().expand([batch, 1, dim]), x], 1);
        }
        for block in &self.enc_blocks {
            x = block.forward(x, rope);
        }
        self.enc_norm.forward(x)
    }

    /// Completes the first view where `mask` hides it, with the second as reference (which MAE leaves out).
    ///
    /// Both views as [`patchify`](super::patch::patchify) gives them, `[batch, tokens, pixels]`, normalised
    /// by ImageNet's mean and deviation. Gives predicted (per-patch normalised) pixels of every patch, same shape.
    pub fn forward(&self, first: Tensor<3>, second: Tensor<3>, mask: &PatchMask) -> Tensor<3> {
        let [batch, tokens, _] = first.dims();
        let device = first.device();
        let class_tokens = self.config.architecture.class_tokens();
        let visible = self.decoder_embed.forward(self.encode_visible(first, mask));
        let dim = visible.dims()[2];

        // The class and visible tokens and, in the last row, the mask token; each place takes its row.
        let table = Tensor::cat(
            vec![
                visible.reshape([batch * (class_tokens + mask.visible()), dim]),
                self.mask_token.val().reshape([1, dim]),
            ],
            0,
        );
        let x =
            table
                .select(0, index(mask.fill_rows(class_tokens), &device))
                .reshape([batch, class_tokens + tokens, dim]);
        let (mut x, rope) = self.positions.decoder(x);
        if self.config.architecture == Architecture::Mae {
            for block in &self.self_blocks {
                x = block.forward(x, None);
            }
        } else {
            let reference = self.decoder_embed.forward(self.encode(second));
            let (reference, _) = self.positions.decoder(reference);
            for block in &self.dec_blocks {
                x = block.forward(x, reference.clone(), rope.as_ref());
            }
        }
        if class_tokens > 0 {
            x = x.narrow(1, class_tokens, tokens);
        }
        self.prediction_head.forward(self.dec_norm.forward(x))
    }
}
