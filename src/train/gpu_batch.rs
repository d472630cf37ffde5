//! Tensors that somebody else fills on the graphics device.
//!
//! Burn allocates the tensor and says where its bytes lie; whoever shares the device writes them through the same
//! queue. Nothing passes the host.

use burn::tensor::Tensor;
use burn_wgpu::{AutoCompiler, CubeBackend, Wgpu};
use cubecl::wgpu::WgpuServer;

use super::device::TrainDevice;
use super::error::TrainError;

/// The buffer type of the graphics library.
pub use burn_wgpu::wgpu::Buffer;

/// Where the bytes of a tensor lie: a part of a buffer that holds other tensors as well.
#[derive(Debug, Clone)]
pub struct TensorSlot {
    /// The buffer.
    pub buffer: Buffer,
    /// Where the tensor begins, bytes.
    pub offset: u64,
    /// Bytes of the tensor: f32, row-major.
    pub size: u64,
}

/// A tensor of `shape` on a graphics device, filled by `write`, which must hand its work to the device's queue before
/// it returns. All of Burn's earlier work has been handed over by then, and what Burn does next comes after it.
///
/// # Errors
/// The device is no graphics device, or `write` fails.
pub fn filled(
    shape: [usize; 4],
    device: &TrainDevice,
    write: impl FnOnce(TensorSlot) -> Result<(), String>,
) -> Result<Tensor<4>, TrainError> {
    let failed = |reason: String| TrainError::Handover(reason);
    let tensor = Tensor::<4>::empty(shape, &device.burn().clone().inner());
    let fused = tensor
        .clone()
        .try_into_primitive::<Wgpu>()
        .map_err(|error| failed(format!("{error:?}")))?;
    let client = fused.client.clone();
    let plain = client.resolve_tensor_float::<CubeBackend>(fused);
    let resource = plain
        .client
        .get_resource::<WgpuServer<AutoCompiler>>(plain.handle.clone())
        .map_err(|error| failed(format!("{error:?}")))?;
    plain.client.flush().map_err(|error| failed(format!("{error:?}")))?;
    let found = resource.resource();
    write(TensorSlot {
        buffer: found.buffer.clone(),
        offset: found.offset,
        size: found.size,
    })
    .map_err(failed)?;
    Ok(tensor)
}
