//! Adapter, device and queue, chosen or handed in.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::adapter::{AdapterReport, choose, enumerate, instance, report};
use super::error::RenderError;
use super::guard::Lost;
use super::mesh::Layouts;

/// Devices that a software adapter is opened as at most.
const MOST_DEVICES: u64 = 64;

/// Which adapter to use.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GpuConfig {
    /// Part of the adapter's name or backend, any case (`llvmpipe`, `nvidia`, `gl`), or `software`.
    /// Default: the environment's `COVISTA_ADAPTER`, else the best hardware adapter, else a software one.
    pub adapter: Option<String>,
}

/// A device to render with. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Gpu {
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    pub(super) layouts: Arc<Layouts>,
    report: AdapterReport,
    pub(super) cull_triangles: bool,
    /// What the pictures of one batch may take on the adapter, bytes.
    pub(super) picture_budget: u64,
    /// Devices that a pool of renderers opens a software adapter as, where that was said.
    pub(super) software_devices: Option<usize>,
    /// Why the driver gave the device up, once it has.
    pub(super) lost: Lost,
    origin: wgpu::Adapter,
    // Kept alive with the device.
    _instance: wgpu::Instance,
}

impl Gpu {
    /// Picks an adapter (hardware before software) and makes a device with the adapter's own limits.
    ///
    /// # Errors
    /// [`RenderError::NoAdapter`] without a fitting one, [`RenderError::NoDevice`] where it fails, [`RenderError::Config`]
    /// where the environment's `COVISTA_PICTURE_BYTES` or `COVISTA_DEVICES` is no number in its range.
    pub fn new(config: &GpuConfig) -> Result<Self, RenderError> {
        let wanted = config
            .adapter
            .clone()
            .or_else(|| std::env::var("COVISTA_ADAPTER").ok())
            .filter(|name| !name.is_empty());
        // GL drivers write to stderr when they look for a display, so they are only asked when needed.
        let mut seen = Vec::new();
        let mut chosen = None;
        for backends in [!wgpu::Backends::GL, wgpu::Backends::GL] {
            let instance = instance(backends);
            let found = enumerate(&instance);
            if let Some(index) = choose(found.iter().map(|(report, _)| report), wanted.as_deref()) {
                chosen = found.into_iter().nth(index).map(|(_, adapter)| (instance, adapter));
                break;
            }
            seen.extend(found.iter().map(|(report, _)| report.to_string()));
        }
        let Some((instance, adapter)) = chosen else {
            return Err(RenderError::NoAdapter {
                wanted: wanted.map_or(String::new(), |name| format!(" that matches \"{name}\"")),
                seen: if seen.is_empty() {
                    String::new()
                } else {
                    format!(" (seen: {})", seen.join("; "))
                },
            });
        };
        let budget = env_number("COVISTA_PICTURE_BYTES", 1, u64::MAX)?.unwrap_or(u64::MAX);
        let devices = env_number("COVISTA_DEVICES", 1, MOST_DEVICES)?;
        let features = wgpu::Features::TEXTURE_COMPRESSION_BC;
        let gpu = Self::open(instance, adapter, features)?.with_picture_budget(budget);
        Ok(match devices {
            Some(devices) => gpu.with_software_devices(devices as usize),
            None => gpu,
        })
    }

    /// A device of the adapter with the adapter's own limits and those of the features that it has.
    fn open(instance: wgpu::Instance, adapter: wgpu::Adapter, features: wgpu::Features) -> Result<Self, RenderError> {
        let (device, queue) = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor {
            label: Some("covista"),
            required_features: adapter.features() & features,
            required_limits: adapter.limits(),
            ..wgpu::DeviceDescriptor::default()
        }))
        .map_err(|error| RenderError::NoDevice {
            adapter: adapter.get_info().name,
            reason: error.to_string(),
        })?;
        let gpu = Self::from_parts(instance, adapter, device, queue);
        gpu.lost.listen(&gpu.device);
        Ok(gpu)
    }

    /// Another device of the same adapter, which draws the same pictures. It comes through an instance of its own, so that
    /// the driver has nothing that both must wait for.
    ///
    /// # Errors
    /// As [`Gpu::new`].
    pub fn another(&self) -> Result<Self, RenderError> {
        let backends = wgpu::Backends::from(self.origin.get_info().backend);
        let instance = instance(backends);
        let same = |(report, _): &(AdapterReport, wgpu::Adapter)| {
            (&report.name, &report.backend, &report.driver)
                == (&self.report.name, &self.report.backend, &self.report.driver)
        };
        let Some((_, adapter)) = enumerate(&instance).into_iter().find(same) else {
            return Err(RenderError::NoDevice {
                adapter: self.report.name.clone(),
                reason: "a new instance does not show it any more".to_owned(),
            });
        };
        // Blocks that one of them decoded and the other sampled would not give the same pixels.
        let features = self.device.features() & wgpu::Features::TEXTURE_COMPRESSION_BC;
        Ok(Self::open(instance, adapter, features)?
            .with_triangle_culling(self.cull_triangles)
            .with_picture_budget(self.picture_budget))
    }

    /// Wraps a device that someone else made, such as a training framework.
    ///
    /// One thread at a time should submit to a shared queue; flush the other side's pending work first. The device's loss
    /// is told to whoever made it, and found out here when something fails.
    pub fn from_parts(
        instance: wgpu::Instance,
        adapter: wgpu::Adapter,
        device: wgpu::Device,
        queue: wgpu::Queue,
    ) -> Self {
        let limits = device.limits();
        let mut report = report(&adapter);
        // Whoever made the device may have asked for less than the adapter offers.
        report.max_texture_px = report.max_texture_px.min(limits.max_texture_dimension_2d);
        report.max_buffer_bytes = report.max_buffer_bytes.min(limits.max_buffer_size);
        Self {
            layouts: Arc::new(Layouts::new(&device)),
            cull_triangles: report.is_software,
            picture_budget: u64::MAX,
            software_devices: None,
            lost: Lost::default(),
            report,
            device,
            queue,
            _instance: instance,
            origin: adapter,
        }
    }

    /// Whether scenes uploaded from now on have single triangles left out on the host that would colour
    /// no pixel. It changes speed, not pictures; the default is yes on software adapters only.
    pub fn with_triangle_culling(self, on: bool) -> Self {
        Self {
            cull_triangles: on,
            ..self
        }
    }

    /// Lets the pictures of one batch take at most so many bytes on the adapter; batches that would take more are
    /// drawn in parts. The default is no bound, or `COVISTA_PICTURE_BYTES` where [`Gpu::new`] finds it.
    pub fn with_picture_budget(self, bytes: u64) -> Self {
        Self {
            picture_budget: bytes,
            ..self
        }
    }

    /// Lets a [`RendererPool`](super::RendererPool) work with so many devices, 1 to 64, where the adapter is a software
    /// one under Vulkan. The default is the pool's, or `COVISTA_DEVICES` where [`Gpu::new`] finds it.
    pub fn with_software_devices(self, devices: usize) -> Self {
        Self {
            software_devices: Some(devices.clamp(1, MOST_DEVICES as usize)),
            ..self
        }
    }

    /// What is known about the adapter.
    pub fn adapter(&self) -> &AdapterReport {
        &self.report
    }

    /// True where the device samples BC blocks.
    pub(super) fn samples_bc(&self) -> bool {
        self.device.features().contains(wgpu::Features::TEXTURE_COMPRESSION_BC)
    }

    /// The device, for whoever shares it.
    pub fn device(&self) -> &wgpu::Device {
        &self.device
    }

    /// The queue, for whoever shares it.
    pub fn queue(&self) -> &wgpu::Queue {
        &self.queue
    }
}

/// The whole number that a variable of the environment holds, if it is set.
fn env_number(name: &str, least: u64, most: u64) -> Result<Option<u64>, RenderError> {
    let Some(text) = std::env::var_os(name).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let number = text.to_str().and_then(|text| text.trim().parse().ok());
    match number.filter(|number| (least..=most).contains(number)) {
        Some(number) => Ok(Some(number)),
        None => Err(RenderError::Config(format!(
            "the environment's {name} = {text:?} must be a whole number from {least} to {most}"
        ))),
    }
}
