//! Adapters that the drivers show, and which of them is best.

use serde::Serialize;

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

/// Every adapter that is seen, in order of preference.
pub fn adapters() -> Vec<AdapterReport> {
    let mut reports: Vec<_> = enumerate(&instance(wgpu::Backends::all()))
        .into_iter()
        .map(|(report, _)| report)
        .collect();
    reports.sort_by_key(rank);
    reports
}

pub(super) fn instance(backends: wgpu::Backends) -> wgpu::Instance {
    wgpu::Instance::new(wgpu::InstanceDescriptor {
        backends,
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    })
}

pub(super) fn enumerate(instance: &wgpu::Instance) -> Vec<(AdapterReport, wgpu::Adapter)> {
    pollster::block_on(instance.enumerate_adapters(wgpu::Backends::all()))
        .into_iter()
        .map(|adapter| (report(&adapter), adapter))
        .collect()
}

pub(super) fn report(adapter: &wgpu::Adapter) -> AdapterReport {
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
pub(super) fn choose<'a>(reports: impl Iterator<Item = &'a AdapterReport>, wanted: Option<&str>) -> Option<usize> {
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
