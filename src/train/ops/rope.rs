//! Rotary position codes, on the device and on the host.

use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};

use super::heads::Turns;
use crate::train::croco::pos_embed::RotaryTable;

/// Rotary angles of one sequence, or of one sequence an image.
#[derive(Debug, Clone)]
pub struct Rope {
    /// `[sequences * tokens, head dim]`.
    table: Arc<RotaryTable>,
    sequences: usize,
    device: Device,
}

impl Rope {
    /// Angles for `sequences` sequences (1 when all images share the places of their tokens), whose rows
    /// follow each other in `table`.
    pub fn new(table: RotaryTable, sequences: usize, device: &Device) -> Self {
        Self {
            table: Arc::new(table),
            sequences: sequences.max(1),
            device: device.clone().inner(),
        }
    }

    /// Turns `[batch, heads, tokens, head dim]`.
    pub fn turn(&self, x: Tensor<4>) -> Tensor<4> {
        let [batch, heads, tokens, dim] = x.dims();
        let angles = |values: &[f32]| {
            let data = TensorData::new(values.to_vec(), [self.sequences, 1, tokens, dim]);
            Tensor::<4>::from_data(data, &self.device)
        };
        let swapped = x
            .clone()
            .reshape([batch * heads * tokens, 2, 2, dim / 4])
            .flip([2])
            .reshape([batch, heads, tokens, dim]);
        x * angles(&self.table.cos) + swapped * angles(&self.table.sin)
    }

    /// Cosines and signed sines of the tokens of one image, `[tokens, head dim]`.
    pub(super) fn host(&self, image: usize) -> Turns<'_> {
        let count = self.table.cos.len() / self.sequences;
        let start = if self.sequences == 1 { 0 } else { image * count };
        let part = start..start + count;
        (&self.table.cos[part.clone()], &self.table.sin[part])
    }
}
