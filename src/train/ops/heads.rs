//! One head of attention of one image: what one task computes while it stays in the cache.

use super::gemm::{Matrix, multiply};
use super::kernels::{self, vectorised};

/// Rows of one head, `stride` apart, from `data[0]` on.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// From the first number of the head on.
    pub data: &'a [f32],
    /// Rows.
    pub tokens: usize,
    /// Distance of rows.
    pub stride: usize,
}

impl<'a> Side<'a> {
    fn matrix(self, dim: usize) -> Matrix<'a> {
        Matrix::new(self.data, self.tokens, dim, self.stride)
    }
}

/// Cosines and signed sines of each row, `[tokens, dim]`; see `RotaryTable`.
pub type Turns<'a> = (&'a [f32], &'a [f32]);

/// What a head attends with.
#[derive(Debug, Clone, Copy)]
pub struct Head<'a> {
    /// Queries.
    pub query: Side<'a>,
    /// Keys.
    pub key: Side<'a>,
    /// Values.
    pub value: Side<'a>,
    /// Channels of a head.
    pub dim: usize,
    /// Rotary position code of queries and keys alike.
    pub turns: Option<Turns<'a>>,
}

/// Gradients of queries, keys and values, each contiguous `[tokens, dim]`.
pub type HeadGrads = [Vec<f32>; 3];

/// The head's output `[tokens, dim]` and the logarithms of its rows' sums of exponentials.
pub fn forward(head: &Head<'_>) -> (Vec<f32>, Vec<f32>) {
    let (query, key) = turned_pair(head);
    let mut weights = scores(head, &query, &key);
    let mut logs = vec![0.0; head.query.tokens];
    vectorised(|| {
        for (row, log) in weights.chunks_exact_mut(head.key.tokens).zip(&mut logs) {
            *log = kernels::softmax(row);
        }
    });
    let mut out = vec![0.0; head.query.tokens * head.dim];
    let weights = Matrix::new(&weights, head.query.tokens, head.key.tokens, head.key.tokens);
    multiply(weights, head.value.matrix(head.dim), 1.0, &mut out);
    (out, logs)
}

/// Gradients from that of the output.
pub fn backward(head: &Head<'_>, grad: Side<'_>, logs: &[f32]) -> HeadGrads {
    let (rows, columns, dim) = (head.query.tokens, head.key.tokens, head.dim);
    let scale = 1.0 / (dim as f32).sqrt();
    let (query, key) = turned_pair(head);
    let mut weights = scores(head, &query, &key);
    vectorised(|| {
        for (row, &log) in weights.chunks_exact_mut(columns).zip(logs) {
            for value in row {
                *value = kernels::exp(*value - log);
            }
        }
    });
    let mut grad_value = vec![0.0; columns * dim];
    let attention = Matrix::new(&weights, rows, columns, columns);
    multiply(attention.t(), grad.matrix(dim), 1.0, &mut grad_value);

    let mut grad_scores = vec![0.0; rows * columns];
    multiply(grad.matrix(dim), head.value.matrix(dim).t(), 1.0, &mut grad_scores);
    vectorised(|| {
        let pairs = grad_scores.chunks_exact_mut(columns).zip(weights.chunks_exact(columns));
        for (grad, weight) in pairs {
            let mean = kernels::sum(|i| grad[i] * weight[i], columns);
            for (grad, &weight) in grad.iter_mut().zip(weight) {
                *grad = weight * (*grad - mean);
            }
        }
    });
    let grad_scores = Matrix::new(&grad_scores, rows, columns, columns);
    let mut grad_query = vec![0.0; rows * dim];
    multiply(
        grad_scores,
        Matrix::new(&key, columns, dim, dim),
        scale,
        &mut grad_query,
    );
    let mut grad_key = vec![0.0; columns * dim];
    multiply(
        grad_scores.t(),
        Matrix::new(&query, rows, dim, dim),
        scale,
        &mut grad_key,
    );
    if let Some((cos, sin)) = head.turns {
        turn_back(&mut grad_query, cos, sin, dim);
        turn_back(&mut grad_key, cos, sin, dim);
    }
    [grad_query, grad_key, grad_value]
}

/// `scale * query keyᵀ`, `[queries, keys]`.
fn scores(head: &Head<'_>, query: &[f32], key: &[f32]) -> Vec<f32> {
    let (rows, columns, dim) = (head.query.tokens, head.key.tokens, head.dim);
    let mut out = vec![0.0; rows * columns];
    let key = Matrix::new(key, columns, dim, dim);
    let scale = 1.0 / (dim as f32).sqrt();
    multiply(Matrix::new(query, rows, dim, dim), key.t(), scale, &mut out);
    out
}

/// Contiguous queries and keys with their position code applied.
fn turned_pair(head: &Head<'_>) -> (Vec<f32>, Vec<f32>) {
    let gather = |side: Side<'_>| {
        let mut out = Vec::with_capacity(side.tokens * head.dim);
        for row in side.data.chunks(side.stride).take(side.tokens) {
            out.extend_from_slice(&row[..head.dim]);
        }
        if let Some((cos, sin)) = head.turns {
            turn(&mut out, cos, sin, head.dim);
        }
        out
    };
    (gather(head.query), gather(head.key))
}

/// `x cos + swap(x) sin` in place, where `swap` exchanges the quarters of each half.
fn turn(rows: &mut [f32], cos: &[f32], sin: &[f32], dim: usize) {
    let quarter = dim / 4;
    for_halves(rows, cos, sin, dim, |x, cos, sin| {
        for i in 0..quarter {
            let (low, high) = (x[i], x[i + quarter]);
            x[i] = low * cos[i] + high * sin[i];
            x[i + quarter] = high * cos[i + quarter] + low * sin[i + quarter];
        }
    });
}

/// The transpose of [`turn`]: the opposite rotation.
fn turn_back(rows: &mut [f32], cos: &[f32], sin: &[f32], dim: usize) {
    let quarter = dim / 4;
    for_halves(rows, cos, sin, dim, |x, cos, sin| {
        for i in 0..quarter {
            let (low, high) = (x[i], x[i + quarter]);
            x[i] = low * cos[i] + high * sin[i + quarter];
            x[i + quarter] = high * cos[i + quarter] + low * sin[i];
        }
    });
}

fn for_halves(rows: &mut [f32], cos: &[f32], sin: &[f32], dim: usize, work: impl Fn(&mut [f32], &[f32], &[f32])) {
    let half = dim / 2;
    let angles = cos.chunks_exact(half).zip(sin.chunks_exact(half));
    for (x, (cos, sin)) in rows.chunks_exact_mut(half).zip(angles) {
        work(x, cos, sin);
    }
}
