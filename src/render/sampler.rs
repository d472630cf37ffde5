//! Samplers on the device.

use super::config::Filter;
use super::gpu::Gpu;
use crate::scene::{MipMode, Sampler, Wrap};

/// The sampler that the material asks for, as far as the filter leaves it its way.
pub(super) fn sampler(gpu: &Gpu, sampler: &Sampler, filter: Filter) -> wgpu::Sampler {
    let linear = |on: bool| {
        if on {
            wgpu::FilterMode::Linear
        } else {
            wgpu::FilterMode::Nearest
        }
    };
    let wrap = |wrap: Wrap| match wrap {
        Wrap::Repeat => wgpu::AddressMode::Repeat,
        Wrap::Mirror => wgpu::AddressMode::MirrorRepeat,
        Wrap::Clamp => wgpu::AddressMode::ClampToEdge,
    };
    let (mag_linear, min_linear, mip) = match filter {
        Filter::Mip => (sampler.mag_linear, sampler.min_linear, sampler.mip),
        Filter::MipNearest => (true, true, MipMode::Nearest),
        Filter::Bilinear => (true, true, MipMode::None),
        Filter::Nearest => (false, false, MipMode::None),
    };
    let (mipmap_filter, lod_max_clamp) = match mip {
        MipMode::Linear => (wgpu::MipmapFilterMode::Linear, 32.0),
        MipMode::Nearest => (wgpu::MipmapFilterMode::Nearest, 32.0),
        // A quarter level rounds to the full image and still tells minified from magnified.
        MipMode::None => (wgpu::MipmapFilterMode::Nearest, 0.25),
    };
    gpu.device.create_sampler(&wgpu::SamplerDescriptor {
        label: Some("material"),
        address_mode_u: wrap(sampler.wrap[0]),
        address_mode_v: wrap(sampler.wrap[1]),
        mag_filter: linear(mag_linear),
        min_filter: linear(min_linear),
        mipmap_filter,
        lod_max_clamp,
        ..wgpu::SamplerDescriptor::default()
    })
}
