//! Layer normalisation.

use burn::backend::Flex;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::tensor::{Tensor, module};
use rayon::prelude::*;

use super::flex::{self, Host, RecordedHost};
use super::kernels::{self, vectorised};

/// Epsilon under the root, of CroCo, MAE and MIMIC alike.
pub const NORM_EPS: f64 = 1e-6;

/// Rows that one task works on: fixed, so that sums do not depend on the number of threads.
const ROWS: usize = 49;

/// Normalises the last dimension of `[batch, tokens, channels]`, then scales and shifts it.
pub fn layer_norm(x: Tensor<3>, weight: Tensor<1>, bias: Tensor<1>) -> Tensor<3> {
    if flex::recorded(&x) && flex::recorded(&weight) && flex::recorded(&bias) {
        let shape = x.dims();
        let taken = (
            flex::take(x.clone()),
            flex::take(weight.clone()),
            flex::take(bias.clone()),
        );
        if let (Some(x), Some(weight), Some(bias)) = taken {
            return fused(x, weight, bias, shape);
        }
    }
    portable(x, weight, bias)
}

fn portable(x: Tensor<3>, weight: Tensor<1>, bias: Tensor<1>) -> Tensor<3> {
    module::layer_norm(x, weight, Some(bias), NORM_EPS)
}

/// What the backward pass needs.
#[derive(Debug, Clone)]
struct State {
    x: Host,
    weight: Host,
    /// (mean, 1 / deviation) of each row.
    moments: Vec<(f32, f32)>,
}

fn fused(x: RecordedHost, weight: RecordedHost, bias: RecordedHost, shape: [usize; 3]) -> Tensor<3> {
    let nodes = [x.node(), weight.node(), bias.node()];
    let x = flex::contiguous(x.primitive());
    let weight = flex::contiguous(weight.primitive());
    let bias = flex::contiguous(bias.primitive());
    let channels = shape[2];
    let values = flex::numbers(&x);
    let (scale, shift) = (flex::numbers(&weight), flex::numbers(&bias));
    let mut out = vec![0.0; values.len()];
    let mut moments = vec![(0.0, 0.0); values.len() / channels];
    out.par_chunks_mut(ROWS * channels)
        .zip(values.par_chunks(ROWS * channels))
        .zip(moments.par_chunks_mut(ROWS))
        .for_each(|((out, x), moments)| {
            vectorised(|| {
                let rows = out.chunks_exact_mut(channels).zip(x.chunks_exact(channels));
                for ((out, x), moments) in rows.zip(moments) {
                    *moments = kernels::norm_row(x, scale, shift, NORM_EPS as f32, out);
                }
            });
        });
    let output = flex::host(out, shape);
    let recorded = match NormBackward.prepare::<flex::Strategy>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish(State { x, weight, moments }, output),
        OpsKind::UnTracked(prep) => prep.finish(output),
    };
    Tensor::from_primitive::<flex::Recorded>(recorded)
}

#[derive(Debug)]
struct NormBackward;

impl Backward<Flex, 3> for NormBackward {
    type State = State;

    fn backward(self, ops: Ops<State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<Flex>(&ops.node);
        let channels = grad.layout().shape()[2];
        let mut grad = flex::writable(grad);
        let weight = flex::numbers(&ops.state.weight);
        let parts: Vec<(Vec<f32>, Vec<f32>)> = flex::numbers_mut(&mut grad)
            .par_chunks_mut(ROWS * channels)
            .zip(flex::numbers(&ops.state.x).par_chunks(ROWS * channels))
            .zip(ops.state.moments.par_chunks(ROWS))
            .map(|((grad, x), moments)| {
                let mut sums = (vec![0.0; channels], vec![0.0; channels]);
                vectorised(|| {
                    let rows = grad.chunks_exact_mut(channels).zip(x.chunks_exact(channels));
                    for ((grad, x), &moments) in rows.zip(moments) {
                        let into = (&mut sums.0[..channels], &mut sums.1[..channels]);
                        kernels::norm_row_backward(x, moments, weight, grad, into);
                    }
                });
                sums
            })
            .collect();
        let (mut grad_weight, mut grad_bias) = (vec![0.0; channels], vec![0.0; channels]);
        for (weights, biases) in parts {
            grad_weight.iter_mut().zip(weights).for_each(|(sum, part)| *sum += part);
            grad_bias.iter_mut().zip(biases).for_each(|(sum, part)| *sum += part);
        }
        let [x, weight, bias] = ops.parents;
        if let Some(node) = x {
            grads.register::<Flex>(node.id, grad);
        }
        if let Some(node) = weight {
            grads.register::<Flex>(node.id, flex::host(grad_weight, [channels]));
        }
        if let Some(node) = bias {
            grads.register::<Flex>(node.id, flex::host(grad_bias, [channels]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::twin;
    use super::*;

    #[test]
    fn fused_and_portable_agree() {
        let flat = |x: Tensor<3>| x.reshape([21]);
        twin::compare(
            [[2, 60, 21], [1, 1, 21], [1, 1, 21]],
            |[x, w, b]| portable(x, flat(w), flat(b)),
            |[x, w, b]| layer_norm(x, flat(w), flat(b)),
        );
    }
}
