//! Textures and samplers on the device: stored bytes in, stored bytes out.

use super::config::Filter;
use super::error::RenderError;
use super::gpu::Gpu;
use super::mipmap::mip_chain;
use crate::scene::{MipMode, Sampler, Texture, Wrap};

/// Uploads one image with its mip levels as plain (not sRGB) RGBA8.
pub(super) fn upload(gpu: &Gpu, texture: &Texture) -> Result<wgpu::TextureView, RenderError> {
    let limit = gpu.adapter().max_texture_px;
    if texture.width > limit || texture.height > limit {
        return Err(RenderError::TooLarge {
            what: format!("the texture \"{}\"", texture.name),
            size: format!("{} x {} pixels", texture.width, texture.height),
            limit: format!("{limit} x {limit} pixels"),
        });
    }
    let levels = mip_chain(texture.width, texture.height, &texture.rgba);
    gpu.scoped("uploading a texture", || {
        let target = gpu.device.create_texture(&wgpu::TextureDescriptor {
            label: Some(&texture.name),
            size: extent(texture.width, texture.height),
            mip_level_count: levels.len() as u32 + 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: wgpu::TextureFormat::Rgba8Unorm,
            usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
            view_formats: &[],
        });
        write_level(gpu, &target, 0, texture.width, texture.height, &texture.rgba);
        for (above, level) in levels.iter().enumerate() {
            write_level(gpu, &target, above as u32 + 1, level.width, level.height, &level.rgba);
        }
        target.create_view(&wgpu::TextureViewDescriptor::default())
    })
}

fn extent(width: u32, height: u32) -> wgpu::Extent3d {
    wgpu::Extent3d {
        width,
        height,
        depth_or_array_layers: 1,
    }
}

fn write_level(gpu: &Gpu, texture: &wgpu::Texture, mip_level: u32, width: u32, height: u32, rgba: &[u8]) {
    gpu.queue.write_texture(
        wgpu::TexelCopyTextureInfo {
            texture,
            mip_level,
            origin: wgpu::Origin3d::ZERO,
            aspect: wgpu::TextureAspect::All,
        },
        rgba,
        wgpu::TexelCopyBufferLayout {
            offset: 0,
            bytes_per_row: Some(width * 4),
            rows_per_image: Some(height),
        },
        extent(width, height),
    );
}

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
