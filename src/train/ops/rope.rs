//! Rotary position codes on the device.

use burn::tensor::{Device, Tensor, TensorData};

use crate::train::croco::pos_embed::RotaryTable;

/// Rotary angles of one sequence, or of one sequence an image.
#[derive(Debug, Clone)]
pub struct Rope {
    /// `[1 or batch, 1, tokens, head dim]`.
    cos: Tensor<4>,
    /// Same shape.
    sin: Tensor<4>,
}

impl Rope {
    /// Angles for `sequences` sequences (1 when all images share the places of their tokens), whose rows
    /// follow each other in `table`.
    pub fn new(table: RotaryTable, sequences: usize, device: &Device) -> Self {
        let dim = table.dim;
        let tokens = table.cos.len() / dim / sequences.max(1);
        let plain = device.clone().inner();
        let upload = |data| Tensor::from_data(TensorData::new(data, [sequences, 1, tokens, dim]), &plain);
        Self {
            cos: upload(table.cos),
            sin: upload(table.sin),
        }
    }

    /// Turns `[batch, heads, tokens, head dim]`.
    pub fn turn(&self, x: Tensor<4>) -> Tensor<4> {
        let [batch, heads, tokens, dim] = x.dims();
        let swapped = x
            .clone()
            .reshape([batch * heads * tokens, 2, 2, dim / 4])
            .flip([2])
            .reshape([batch, heads, tokens, dim]);
        x * self.cos.clone() + swapped * self.sin.clone()
    }
}
