//! Reaching into tensors that live in host memory, to run our own kernels with their own backward.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Flex};
use burn::tensor::{Tensor, TensorData};

/// Every activation is kept for the backward pass.
pub(super) type Strategy = burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
/// The CPU backend that records gradients.
pub(super) type Recorded = Autodiff<Flex>;
/// A tensor in host memory.
pub(super) type Host = FloatTensor<Flex>;
/// A tensor in host memory that takes part in the gradient.
pub(super) type RecordedHost = FloatTensor<Recorded>;

/// Whether our own kernels apply: every tensor in host memory and recorded, or none recorded.
pub(super) fn recorded<const D: usize>(tensor: &Tensor<D>) -> bool {
    tensor.is_autodiff() && crate::train::device::is_flex(&tensor.device())
}

/// The recorded tensor behind `tensor`; `None` where it is recorded in another way (checkpointing).
pub(super) fn take<const D: usize>(tensor: Tensor<D>) -> Option<RecordedHost> {
    tensor.try_into_primitive::<Recorded>().ok()
}

/// The numbers of a tensor, copied only if they do not lie in row-major order.
pub(super) fn contiguous(tensor: &Host) -> Host {
    tensor.to_contiguous()
}

/// The numbers of a tensor that [`contiguous`] gave.
pub(super) fn numbers(tensor: &Host) -> &[f32] {
    tensor.as_slice::<f32>().unwrap_or_default()
}

/// A tensor of `values`.
pub(super) fn host<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> Host {
    Host::from_data(TensorData::new(values, shape))
}

/// The tensor in row-major order, to be written over: in place when nobody else holds it.
pub(super) fn writable(tensor: Host) -> Host {
    if tensor.layout().is_contiguous() {
        tensor
    } else {
        tensor.to_contiguous()
    }
}

/// The numbers of a tensor that [`writable`] gave; copied first if they are shared.
pub(super) fn numbers_mut(tensor: &mut Host) -> &mut [f32] {
    match tensor.layout().contiguous_offsets() {
        Some((start, end)) => &mut tensor.storage_mut::<f32>()[start..end],
        None => &mut [],
    }
}
