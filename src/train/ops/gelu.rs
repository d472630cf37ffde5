//! The exact GELU.

use burn::backend::Flex;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::tensor::Tensor;
use rayon::prelude::*;

use super::flex::{self, Host};
use super::kernels::{self, vectorised};

/// Numbers that one task works on.
const CHUNK: usize = 1 << 15;

/// `x / 2 * (1 + erf(x / sqrt 2))`, exact in both directions.
pub fn gelu(x: Tensor<3>) -> Tensor<3> {
    if flex::recorded(&x)
        && let Some(recorded) = flex::take(x.clone())
    {
        return fused(recorded, x.dims());
    }
    portable(x)
}

/// Composed rather than Burn's own, because the derivative of that one is a tanh approximation on GPUs.
fn portable(x: Tensor<3>) -> Tensor<3> {
    let phi = x
        .clone()
        .mul_scalar(std::f64::consts::FRAC_1_SQRT_2)
        .erf()
        .add_scalar(1.0);
    x * phi.mul_scalar(0.5)
}

fn fused(x: flex::RecordedHost, shape: [usize; 3]) -> Tensor<3> {
    let node = x.node();
    let input = flex::contiguous(x.primitive());
    let values = flex::numbers(&input);
    let mut out = vec![0.0; values.len()];
    out.par_chunks_mut(CHUNK)
        .zip(values.par_chunks(CHUNK))
        .for_each(|(out, x)| vectorised(|| kernels::gelu(x, out)));
    let output = flex::host(out, shape);
    let recorded = match GeluBackward
        .prepare::<super::flex::Strategy>([node])
        .compute_bound()
        .stateful()
    {
        OpsKind::Tracked(prep) => prep.finish(input, output),
        OpsKind::UnTracked(prep) => prep.finish(output),
    };
    Tensor::from_primitive::<flex::Recorded>(recorded)
}

#[derive(Debug)]
struct GeluBackward;

impl Backward<Flex, 1> for GeluBackward {
    type State = Host;

    fn backward(self, ops: Ops<Host, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<Flex>(&ops.node);
        let [Some(parent)] = ops.parents else { return };
        let mut grad = flex::writable(grad);
        flex::numbers_mut(&mut grad)
            .par_chunks_mut(CHUNK)
            .zip(flex::numbers(&ops.state).par_chunks(CHUNK))
            .for_each(|(grad, x)| vectorised(|| kernels::gelu_backward(x, grad)));
        grads.register::<Flex>(parent.id, grad);
    }
}

#[cfg(test)]
mod tests {
    use super::super::twin;
    use super::*;

    #[test]
    fn fused_and_portable_agree() {
        twin::compare([[2, 7, 33]], |[x]| portable(x), |[x]| gelu(x));
    }
}
