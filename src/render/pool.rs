//! Renderers of the same pictures, each on a device of its own.

use std::sync::Arc;

use super::config::RenderConfig;
use super::error::RenderError;
use super::gpu::Gpu;
use super::gpu_scene::GpuScene;
use super::renderer::Renderer;
use crate::scene::Scene;

/// Devices that a software adapter is opened as where it may use more than one core.
const SOFTWARE_DEVICES: usize = 2;
/// Larger pictures are drawn by one device: their targets fill the memory, and each keeps every core busy later.
const SHARED_PIXELS: u64 = 512 * 512;

/// Renderers that share the work of a run. Which of them draws a picture changes nothing in it. Cloning shares them.
///
/// Hardware is one device. A software adapter works through a device's queue in one thread, so it is opened twice where
/// rayon's pool has two threads or more and pictures have at most 512 x 512 pixels; each scene then lies twice in memory.
/// [`Gpu::with_software_devices`] decides otherwise.
#[derive(Debug, Clone)]
pub struct RendererPool {
    /// At least one.
    renderers: Vec<Arc<Renderer>>,
}

impl RendererPool {
    /// A renderer on `gpu` and, where that pays, others on more devices of its adapter.
    ///
    /// # Errors
    /// As [`Renderer::new`] for the first; devices that cannot be had besides it are done without.
    pub fn new(gpu: &Gpu, config: &RenderConfig) -> Result<Self, RenderError> {
        let mut pool = Self::single(gpu, config)?;
        while pool.renderers.len() < devices(gpu, config) {
            match gpu.another().and_then(|other| Renderer::new(&other, config)) {
                Ok(renderer) => pool.renderers.push(Arc::new(renderer)),
                Err(error) => {
                    tracing::info!("drawing with {} device(s): {error}", pool.renderers.len());
                    break;
                }
            }
        }
        Ok(pool)
    }

    /// One renderer, on `gpu`: for who waits for each picture before the next is asked for.
    ///
    /// # Errors
    /// As [`Renderer::new`].
    pub fn single(gpu: &Gpu, config: &RenderConfig) -> Result<Self, RenderError> {
        Ok(Self {
            renderers: vec![Arc::new(Renderer::new(gpu, config)?)],
        })
    }

    /// Renderers in it, at least 1.
    pub fn count(&self) -> usize {
        self.renderers.len()
    }

    /// Bytes of pictures that travelled to the host so far, padding included.
    pub fn bytes_read(&self) -> u64 {
        self.renderers.iter().map(|renderer| renderer.bytes_read()).sum()
    }

    /// The scene on every device that has room for it, the first among them, with its renderer.
    ///
    /// # Errors
    /// As [`GpuScene::upload_for`] for the first.
    pub(crate) fn upload(&self, scene: &Scene) -> Result<Vec<(Arc<Renderer>, GpuScene)>, RenderError> {
        let config = self.renderers[0].config();
        let gpus = self.renderers.iter().map(|renderer| renderer.gpu());
        let mut uploaded = Vec::with_capacity(self.renderers.len());
        for (renderer, outcome) in self.renderers.iter().zip(GpuScene::upload_each(gpus, scene, config)) {
            match outcome {
                Ok(scene) => uploaded.push((Arc::clone(renderer), scene)),
                Err(error) if uploaded.is_empty() => return Err(error),
                Err(error) => tracing::info!("drawing \"{}\" with fewer devices: {error}", scene.name),
            }
        }
        Ok(uploaded)
    }
}

/// Devices that pay for the adapter of `gpu`.
fn devices(gpu: &Gpu, config: &RenderConfig) -> usize {
    // One GL context at a time belongs to a thread, so a second would only wait for the first.
    if !gpu.adapter().is_software || gpu.adapter().backend != "vulkan" {
        return 1;
    }
    let intrinsics = config.intrinsics();
    let pixels = u64::from(intrinsics.width) * u64::from(intrinsics.height);
    match gpu.software_devices {
        Some(wanted) => wanted,
        None if pixels > SHARED_PIXELS || rayon::current_num_threads() == 1 => 1,
        None => SOFTWARE_DEVICES,
    }
}
