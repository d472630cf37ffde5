//! Scaled dot-product attention of several heads.

use burn::backend::Flex;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::tensor::{Tensor, activation::softmax};
use rayon::prelude::*;

use super::Rope;
use super::autocast;
use super::flex::{self, Host};
use super::heads::{self, HeadGrads, Side};

/// Self-attention of `[batch, tokens, 3 * dim]` (queries, keys, values, each head-major) to
/// `[batch, tokens, dim]`.
pub fn self_attention(qkv: Tensor<3>, heads: usize, rope: Option<&Rope>) -> Tensor<3> {
    if !autocast::is_half()
        && flex::recorded(&qkv)
        && let Some(recorded) = flex::take(qkv.clone())
    {
        let node = recorded.node();
        let [batch, tokens, _] = qkv.dims();
        let packed = flex::contiguous(recorded.primitive());
        let state = State::new([packed.clone(), packed.clone(), packed], heads, rope, true);
        let (output, logs) = state.forward(batch, tokens);
        let state = State { logs, ..state };
        let prepared = SelfBackward.prepare::<flex::Strategy>([node]).compute_bound();
        let recorded = match prepared.stateful() {
            OpsKind::Tracked(prep) => prep.finish(state, output),
            OpsKind::UnTracked(prep) => prep.finish(output),
        };
        return Tensor::from_primitive::<flex::Recorded>(recorded);
    }
    let dim = qkv.dims()[2] / 3;
    let part = |i: usize| qkv.clone().narrow(2, i * dim, dim);
    portable(part(0), part(1), part(2), heads, rope)
}

/// Attention of `query` to `key` and `value`, all `[batch, tokens, dim]`.
///
/// With a position code, queries and keys must lie on the same places.
pub fn cross_attention(
    query: Tensor<3>,
    key: Tensor<3>,
    value: Tensor<3>,
    heads: usize,
    rope: Option<&Rope>,
) -> Tensor<3> {
    if !autocast::is_half() && [&query, &key, &value].into_iter().all(flex::recorded) {
        let [batch, tokens, _] = query.dims();
        let taken = [&query, &key, &value].map(|x| flex::take(x.clone()));
        if let [Some(q), Some(k), Some(v)] = taken {
            let nodes = [q.node(), k.node(), v.node()];
            let parts = [&q, &k, &v].map(|x| flex::contiguous(x.primitive()));
            let state = State::new(parts, heads, rope, false);
            let (output, logs) = state.forward(batch, tokens);
            let state = State { logs, ..state };
            let prepared = CrossBackward.prepare::<flex::Strategy>(nodes).compute_bound();
            let recorded = match prepared.stateful() {
                OpsKind::Tracked(prep) => prep.finish(state, output),
                OpsKind::UnTracked(prep) => prep.finish(output),
            };
            return Tensor::from_primitive::<flex::Recorded>(recorded);
        }
    }
    portable(query, key, value, heads, rope)
}

fn portable(query: Tensor<3>, key: Tensor<3>, value: Tensor<3>, heads: usize, rope: Option<&Rope>) -> Tensor<3> {
    let [batch, tokens, dim] = query.dims();
    let split = |x: Tensor<3>| {
        let count = x.dims()[1];
        x.reshape([batch, count, heads, dim / heads]).swap_dims(1, 2)
    };
    let (mut query, mut key, value) = (split(query), split(key), split(value));
    if let Some(rope) = rope {
        query = rope.turn(query);
        key = rope.turn(key);
    }
    let scale = 1.0 / ((dim / heads) as f64).sqrt();
    let weights = softmax(autocast::product(query.mul_scalar(scale), key.transpose()), 3);
    autocast::product(weights, value)
        .swap_dims(1, 2)
        .reshape([batch, tokens, dim])
}

/// What the backward pass needs; the weights of the attention are computed again.
#[derive(Debug, Clone)]
struct State {
    /// Queries, keys, values: one packed tensor three times, or three.
    parts: [Host; 3],
    packed: bool,
    heads: usize,
    dim: usize,
    rope: Option<Rope>,
    /// Logarithm of the sum of exponentials, `[batch * heads][tokens]`.
    logs: Vec<Vec<f32>>,
}

impl State {
    fn new(parts: [Host; 3], heads: usize, rope: Option<&Rope>, packed: bool) -> Self {
        let width = parts[0].layout().shape()[2];
        Self {
            parts,
            packed,
            heads,
            dim: if packed { width / 3 } else { width },
            rope: rope.cloned(),
            logs: Vec::new(),
        }
    }

    /// The rows of one head of one image in part 0 (queries), 1 (keys) or 2 (values).
    fn side(&self, part: usize, image: usize, head: usize) -> Side<'_> {
        let shape = self.parts[part].layout().shape();
        let (tokens, stride) = (shape[1], shape[2]);
        let column = head * (self.dim / self.heads) + if self.packed { part * self.dim } else { 0 };
        Side {
            data: &flex::numbers(&self.parts[part])[image * tokens * stride + column..],
            tokens,
            stride,
        }
    }

    fn head(&self, task: usize) -> heads::Head<'_> {
        let (image, head) = (task / self.heads, task % self.heads);
        heads::Head {
            query: self.side(0, image, head),
            key: self.side(1, image, head),
            value: self.side(2, image, head),
            dim: self.dim / self.heads,
            turns: self.rope.as_ref().map(|rope| rope.host(image)),
        }
    }

    fn forward(&self, batch: usize, tokens: usize) -> (Host, Vec<Vec<f32>>) {
        let width = self.dim / self.heads;
        let done: Vec<(Vec<f32>, Vec<f32>)> = (0..batch * self.heads)
            .into_par_iter()
            .map(|task| heads::forward(&self.head(task)))
            .collect();
        let mut out = vec![0.0; batch * tokens * self.dim];
        let mut logs = Vec::with_capacity(done.len());
        for (task, (values, log)) in done.into_iter().enumerate() {
            let (image, head) = (task / self.heads, task % self.heads);
            scatter(
                &values,
                width,
                &mut out[image * tokens * self.dim + head * width..],
                self.dim,
            );
            logs.push(log);
        }
        (flex::host(out, [batch, tokens, self.dim]), logs)
    }

    /// Gradients of the parts, in their own layouts: one tensor if packed, else three.
    fn backward(&self, grad: Host) -> Vec<Host> {
        let [batch, tokens, dim] = grad.layout().shape().dims::<3>();
        let grad = flex::contiguous(&grad);
        let width = dim / self.heads;
        let done: Vec<HeadGrads> = (0..batch * self.heads)
            .into_par_iter()
            .map(|task| {
                let (image, head) = (task / self.heads, task % self.heads);
                let side = Side {
                    data: &flex::numbers(&grad)[image * tokens * dim + head * width..],
                    tokens,
                    stride: dim,
                };
                heads::backward(&self.head(task), side, &self.logs[task])
            })
            .collect();
        let shapes: Vec<[usize; 3]> = if self.packed {
            vec![[batch, tokens, 3 * dim]]
        } else {
            self.parts.iter().map(|p| p.layout().shape().dims::<3>()).collect()
        };
        let mut outs: Vec<Vec<f32>> = shapes.iter().map(|s| vec![0.0; s.iter().product()]).collect();
        for (task, head_grads) in done.into_iter().enumerate() {
            let (image, head) = (task / self.heads, task % self.heads);
            for (part, values) in head_grads.into_iter().enumerate() {
                let (to, column) = if self.packed { (0, part * dim) } else { (part, 0) };
                let [_, rows, stride] = shapes[to];
                let start = image * rows * stride + column + head * width;
                scatter(&values, width, &mut outs[to][start..], stride);
            }
        }
        outs.into_iter()
            .zip(shapes)
            .map(|(values, shape)| flex::host(values, shape))
            .collect()
    }
}

/// Writes contiguous rows of `width` to rows that lie `stride` apart.
fn scatter(rows: &[f32], width: usize, out: &mut [f32], stride: usize) {
    for (row, out) in rows.chunks_exact(width).zip(out.chunks_mut(stride)) {
        out[..width].copy_from_slice(row);
    }
}

#[derive(Debug)]
struct SelfBackward;

impl Backward<Flex, 1> for SelfBackward {
    type State = State;

    fn backward(self, ops: Ops<State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<Flex>(&ops.node);
        let [Some(parent)] = ops.parents else { return };
        for part in ops.state.backward(grad) {
            grads.register::<Flex>(parent.id, part);
        }
    }
}

#[derive(Debug)]
struct CrossBackward;

impl Backward<Flex, 3> for CrossBackward {
    type State = State;

    fn backward(self, ops: Ops<State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<Flex>(&ops.node);
        for (parent, part) in ops.parents.into_iter().zip(ops.state.backward(grad)) {
            if let Some(node) = parent {
                grads.register::<Flex>(node.id, part);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::twin;
    use super::*;
    use crate::train::croco::pos_embed::RotaryTable;
    use burn::tensor::Device;

    fn split(qkv: Tensor<3>, heads: usize, rope: Option<&Rope>) -> Tensor<3> {
        let dim = qkv.dims()[2] / 3;
        let part = |i: usize| qkv.clone().narrow(2, i * dim, dim);
        portable(part(0), part(1), part(2), heads, rope)
    }

    #[test]
    fn fused_and_portable_self_attention_agree() {
        twin::compare(
            [[2, 9, 3 * 24]],
            |[x]| split(x, 3, None),
            |[x]| self_attention(x, 3, None),
        );
    }

    #[test]
    fn fused_and_portable_agree_with_rotary_codes_that_differ_by_image() {
        let places: Vec<i32> = vec![0, 3, 5, 8, 1, 2, 4, 7];
        let table = RotaryTable::new(8, 3).rows(&places);
        let rope = Rope::new(table, 2, &Device::flex());
        twin::compare(
            [[2, 4, 3 * 24]],
            |[x]| split(x, 3, Some(&rope)),
            |[x]| self_attention(x, 3, Some(&rope)),
        );
    }

    #[test]
    fn fused_and_portable_cross_attention_agree() {
        let rope = Rope::new(RotaryTable::new(8, 3), 1, &Device::flex());
        for rope in [None, Some(&rope)] {
            twin::compare(
                [[2, 9, 16], [2, 9, 16], [2, 9, 16]],
                |[q, k, v]| portable(q, k, v, 2, rope),
                |[q, k, v]| cross_attention(q, k, v, 2, rope),
            );
        }
        twin::compare(
            [[1, 5, 16], [1, 9, 16], [1, 9, 16]],
            |[q, k, v]| portable(q, k, v, 4, None),
            |[q, k, v]| cross_attention(q, k, v, 4, None),
        );
    }
}
