//! Where to render and where to train: one device for both on a GPU, two on a machine without.

use covista::render::{Gpu, GpuConfig};
#[cfg(feature = "train")]
pub use covista::train::DeviceChoice as Choice;
#[cfg(feature = "train")]
use covista::train::TrainDevice;

/// The renderer's device and the trainer's.
#[cfg(feature = "train")]
pub struct Devices {
    /// Draws views.
    pub gpu: Gpu,
    /// Holds tensors.
    pub train: TrainDevice,
    /// Whether both are one device, so that pictures need not pass the host.
    pub shared: bool,
}

/// Opens both. On a GPU Burn makes the device and the renderer draws with it, so that pixels and
/// tensors share one queue; with a software adapter rendering uses that and training the CPU.
///
/// `adapter` names the rendering adapter where the two are apart.
#[cfg(feature = "train")]
pub fn open(choice: Choice, adapter: Option<String>) -> anyhow::Result<Devices> {
    if choice == Choice::Auto {
        // Only a GPU is worth the shared device, and to ask Burn for one costs a second device.
        let gpu = open_renderer(adapter.clone())?;
        if gpu.adapter().is_software {
            return Ok(Devices {
                gpu,
                train: TrainDevice::flex(),
                shared: false,
            });
        }
    }
    let (train, shared) = TrainDevice::open(choice)?;
    let (gpu, shared) = match shared {
        Some(setup) => (
            Gpu::from_parts(setup.instance, setup.adapter, setup.device, setup.queue),
            true,
        ),
        None => (open_renderer(adapter)?, false),
    };
    Ok(Devices { gpu, train, shared })
}

/// The renderer's device alone.
pub fn open_renderer(adapter: Option<String>) -> anyhow::Result<Gpu> {
    Ok(Gpu::new(&GpuConfig { adapter })?)
}
