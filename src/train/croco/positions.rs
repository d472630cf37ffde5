//! The position codes of a model on its device: no gradient, no place in the optimiser.

use burn::tensor::{Device, Tensor, TensorData};

use super::config::{CrocoConfig, PositionCode, Width};
use super::layers::index;
use super::masking::PatchMask;
use super::pos_embed::{RotaryTable, sincos_2d, sincos_table};
use crate::train::ops::Rope;

/// Codes of encoder and decoder.
#[derive(Debug, Clone)]
pub(super) enum Positions {
    /// Of a model that is never run.
    None,
    /// Tables to add: the encoder's `[tokens, dim]`, the decoder's `[class tokens + tokens, dim]`.
    Cosine { encoder: Tensor<2>, decoder: Tensor<2> },
    /// Rotary tables of the full grid.
    Rope {
        encoder: RotaryTable,
        encoder_full: Rope,
        decoder_full: Rope,
    },
}

impl Positions {
    /// The codes of `config` on `device`, which records no gradients.
    pub(super) fn new(config: &CrocoConfig, device: &Device) -> Self {
        let grid = config.grid();
        match config.pos {
            PositionCode::Cosine => {
                let table = |values: Vec<f32>, dim: usize| {
                    let rows = values.len() / dim;
                    Tensor::from_data(TensorData::new(values, [rows, dim]), device)
                };
                let class_tokens = config.architecture.class_tokens();
                let (encoder, decoder) = (config.encoder.dim, config.decoder.dim);
                Self::Cosine {
                    encoder: table(sincos_2d(encoder, grid), encoder),
                    decoder: table(sincos_table(decoder, grid, class_tokens), decoder),
                }
            }
            PositionCode::Rope => {
                let table = |width: Width| RotaryTable::new(width.dim / width.heads, grid);
                Self::Rope {
                    encoder: table(config.encoder),
                    encoder_full: Rope::new(table(config.encoder), 1, device),
                    decoder_full: Rope::new(table(config.decoder), 1, device),
                }
            }
        }
    }

    /// Adds the encoder's code to the tokens of every patch, or tells how attention is to turn them.
    pub(super) fn encoder(&self, x: Tensor<3>) -> (Tensor<3>, Option<Rope>) {
        match self {
            Self::None => (x, None),
            Self::Cosine { encoder, .. } => (x + encoder.clone().unsqueeze(), None),
            Self::Rope { encoder_full, .. } => (x, Some(encoder_full.clone())),
        }
    }

    /// As [`Self::encoder`], for the patches that `mask` leaves visible.
    pub(super) fn encoder_visible(&self, x: Tensor<3>, mask: &PatchMask) -> (Tensor<3>, Option<Rope>) {
        let (shape, device, places) = (x.dims(), x.device(), mask.visible_tokens());
        match self {
            Self::None => (x, None),
            Self::Cosine { encoder, .. } => {
                let code = encoder.clone().select(0, index(places, &device));
                (x + code.reshape(shape), None)
            }
            Self::Rope { encoder, .. } => (x, Some(Rope::new(encoder.rows(&places), shape[0], &device))),
        }
    }

    /// Adds the decoder's code to the full sequence, or tells how attention is to turn it.
    pub(super) fn decoder(&self, x: Tensor<3>) -> (Tensor<3>, Option<Rope>) {
        match self {
            Self::None => (x, None),
            Self::Cosine { decoder, .. } => (x + decoder.clone().unsqueeze(), None),
            Self::Rope { decoder_full, .. } => (x, Some(decoder_full.clone())),
        }
    }
}
