//! Scaled dot-product attention of several heads.

use burn::tensor::{Tensor, activation::softmax};

use super::Rope;

/// Self-attention of `[batch, tokens, 3 * dim]` (queries, keys, values, each head-major) to
/// `[batch, tokens, dim]`.
pub fn self_attention(qkv: Tensor<3>, heads: usize, rope: Option<&Rope>) -> Tensor<3> {
    let dim = qkv.dims()[2] / 3;
    let part = |i: usize| qkv.clone().narrow(2, i * dim, dim);
    attend(part(0), part(1), part(2), heads, rope)
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
    attend(query, key, value, heads, rope)
}

fn attend(query: Tensor<3>, key: Tensor<3>, value: Tensor<3>, heads: usize, rope: Option<&Rope>) -> Tensor<3> {
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
    let weights = softmax(query.mul_scalar(scale).matmul(key.transpose()), 3);
    weights.matmul(value).swap_dims(1, 2).reshape([batch, tokens, dim])
}
