//! Adapter, device and queue, chosen or handed in.

use std::sync::{Arc, OnceLock};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::error::RenderError;
use super::mesh::Layouts;

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
    /// Why the driver gave the device up, once it has.
    lost: Arc<OnceLock<String>>,
    // Kept alive with the device; nothing else asks them again.
    _instance: wgpu::Instance,
    _adapter: wgpu::Adapter,
}

/// What is known about an adapter.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AdapterReport {
    /// The driver's name for it.
    pub name: String,
    /// Graphics interface: `vulkan`, `gl`, `metal`, `dx12`.
    pub backend: String,
    /// `discrete`, `integrated`, `virtual`, `software` or `other`.
    pub kind: String,
    /// Driver and its version, as it states them.
    pub driver: String,
    /// True where a CPU does the drawing.
    pub is_software: bool,
    /// Largest width and height of a picture or texture, pixels.
    pub max_texture_px: u32,
    /// Largest buffer, bytes.
    pub max_buffer_bytes: u64,
    /// True where depth can be read back, without which it cannot be used here.
    pub reads_depth: bool,
}

/// Name, interface and kind, as messages and records state it.
impl std::fmt::Display for AdapterReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({}, {})", self.name, self.backend, self.kind)
    }
}

impl Gpu {
    /// Picks an adapter (hardware before software) and makes a device with the adapter's own limits.
    ///
    /// # Errors
    /// [`RenderError::NoAdapter`] without a fitting one, [`RenderError::NoDevice`] where it fails.
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
        let (device, queue) = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor {
            label: Some("covista"),
            required_features: adapter.features() & wgpu::Features::TEXTURE_COMPRESSION_BC,
            required_limits: adapter.limits(),
            ..wgpu::DeviceDescriptor::default()
        }))
        .map_err(|error| RenderError::NoDevice {
            adapter: adapter.get_info().name,
            reason: error.to_string(),
        })?;
        let budget = std::env::var("COVISTA_PICTURE_BYTES").ok();
        let budget = budget.and_then(|bytes| bytes.parse().ok()).unwrap_or(u64::MAX);
        Ok(Self::from_parts(instance, adapter, device, queue).with_picture_budget(budget))
    }

    /// Wraps a device that someone else made, such as a training framework.
    ///
    /// One thread at a time should submit to a shared queue; flush the other side's pending work first.
    pub fn from_parts(
        instance: wgpu::Instance,
        adapter: wgpu::Adapter,
        device: wgpu::Device,
        queue: wgpu::Queue,
    ) -> Self {
        let lost = Arc::new(OnceLock::new());
        let told = Arc::clone(&lost);
        device.set_device_lost_callback(move |reason, message| {
            // The first reason is the cause; later ones follow from it.
            let _ = told.set(format!("{reason:?} {message}").trim().to_owned());
        });
        let limits = device.limits();
        let mut report = report(&adapter);
        // Whoever made the device may have asked for less than the adapter offers.
        report.max_texture_px = report.max_texture_px.min(limits.max_texture_dimension_2d);
        report.max_buffer_bytes = report.max_buffer_bytes.min(limits.max_buffer_size);
        Self {
            layouts: Arc::new(Layouts::new(&device)),
            cull_triangles: report.is_software,
            picture_budget: u64::MAX,
            lost,
            report,
            device,
            queue,
            _instance: instance,
            _adapter: adapter,
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

    /// Runs `work` and turns what the driver reports meanwhile into an error instead of a panic.
    pub(super) fn scoped<T>(&self, action: &'static str, work: impl FnOnce() -> T) -> Result<T, RenderError> {
        let memory = self.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let validation = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let result = work();
        let validation = pollster::block_on(validation.pop());
        // What does not fit is not there, which makes whatever uses it invalid: the cause comes first.
        if let Some(error) = pollster::block_on(memory.pop()) {
            return Err(RenderError::OutOfMemory {
                action,
                reason: error.to_string(),
            });
        }
        match validation {
            // A lost device reports nothing to scopes.
            None if self.lost.get().is_none() => Ok(result),
            error => Err(self.failure(action, error.map_or(String::new(), |error| error.to_string()))),
        }
    }

    /// The error of a failed action: where the device is lost, that is why.
    pub(super) fn failure(&self, action: &'static str, reason: String) -> RenderError {
        match self.lost.get() {
            Some(reason) => RenderError::Lost {
                action,
                reason: reason.clone(),
            },
            None => RenderError::Device { action, reason },
        }
    }

    /// Blocks until the given submission is done.
    pub(super) fn wait(&self, submission: wgpu::SubmissionIndex) -> Result<(), RenderError> {
        self.device
            .poll(wgpu::PollType::Wait {
                submission_index: Some(submission),
                timeout: None,
            })
            .map(|_| ())
            .map_err(|error| self.failure("waiting for a picture", error.to_string()))
    }
}

/// Every adapter that is seen, in order of preference.
pub fn adapters() -> Vec<AdapterReport> {
    let mut reports: Vec<_> = enumerate(&instance(wgpu::Backends::all()))
        .into_iter()
        .map(|(report, _)| report)
        .collect();
    reports.sort_by_key(rank);
    reports
}

fn instance(backends: wgpu::Backends) -> wgpu::Instance {
    wgpu::Instance::new(wgpu::InstanceDescriptor {
        backends,
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    })
}

fn enumerate(instance: &wgpu::Instance) -> Vec<(AdapterReport, wgpu::Adapter)> {
    pollster::block_on(instance.enumerate_adapters(wgpu::Backends::all()))
        .into_iter()
        .map(|adapter| (report(&adapter), adapter))
        .collect()
}

fn report(adapter: &wgpu::Adapter) -> AdapterReport {
    let info = adapter.get_info();
    let limits = adapter.limits();
    let known_software = ["llvmpipe", "softpipe", "swiftshader", "lavapipe"]
        .iter()
        .any(|name| info.name.to_lowercase().contains(name));
    let is_software = known_software || info.device_type == wgpu::DeviceType::Cpu;
    let kind = match info.device_type {
        _ if is_software => "software",
        wgpu::DeviceType::DiscreteGpu => "discrete",
        wgpu::DeviceType::IntegratedGpu => "integrated",
        wgpu::DeviceType::VirtualGpu => "virtual",
        _ => "other",
    };
    AdapterReport {
        name: info.name,
        backend: info.backend.to_string(),
        kind: kind.to_owned(),
        driver: format!("{} {}", info.driver, info.driver_info).trim().to_owned(),
        is_software,
        max_texture_px: limits.max_texture_dimension_2d,
        max_buffer_bytes: limits.max_buffer_size,
        reads_depth: adapter
            .get_downlevel_capabilities()
            .flags
            .contains(wgpu::DownlevelFlags::DEPTH_TEXTURE_AND_BUFFER_COPIES),
    }
}

/// Smaller is better: hardware first, native interfaces before GL.
fn rank(report: &AdapterReport) -> (u32, bool) {
    let kind = match report.kind.as_str() {
        "discrete" => 0,
        "integrated" => 1,
        "virtual" => 2,
        "other" => 3,
        _ => 4,
    };
    (kind, report.backend == "gl")
}

/// Index of the best report that fits the name.
fn choose<'a>(reports: impl Iterator<Item = &'a AdapterReport>, wanted: Option<&str>) -> Option<usize> {
    let wanted = wanted.map(str::to_lowercase);
    let fits = |r: &AdapterReport| match wanted.as_deref() {
        None => true,
        Some("software") => r.is_software,
        Some(name) => r.name.to_lowercase().contains(name) || r.backend == name,
    };
    reports
        .enumerate()
        .filter(|(_, r)| r.reads_depth && fits(r))
        .min_by_key(|(index, r)| (rank(r), *index))
        .map(|(index, _)| index)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(name: &str, backend: &str, kind: &str) -> AdapterReport {
        AdapterReport {
            name: name.to_owned(),
            backend: backend.to_owned(),
            kind: kind.to_owned(),
            driver: String::new(),
            is_software: kind == "software",
            max_texture_px: 8192,
            max_buffer_bytes: 1 << 30,
            reads_depth: true,
        }
    }

    #[test]
    fn hardware_comes_first_and_a_name_decides() {
        let all = [
            report("llvmpipe (LLVM 15)", "vulkan", "software"),
            report("NVIDIA H200", "gl", "discrete"),
            report("NVIDIA H200", "vulkan", "discrete"),
        ];
        let pick = |wanted| choose(all.iter(), wanted);
        assert_eq!(pick(None), Some(2));
        assert_eq!(pick(Some("LLVMpipe")), Some(0));
        assert_eq!(pick(Some("software")), Some(0));
        assert_eq!(pick(Some("gl")), Some(1));
        assert_eq!(pick(Some("radeon")), None);
    }

    #[test]
    fn an_adapter_that_cannot_read_depth_is_passed_over() {
        let mut blind = report("old", "gl", "discrete");
        blind.reads_depth = false;
        assert_eq!(choose([blind].iter(), None), None);
    }
}
