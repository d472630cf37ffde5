//! Textures to the device: stored bytes in, stored bytes out, some at a time.

use std::borrow::Cow;

use rayon::prelude::*;

use super::config::CompressedTextures;
use super::error::RenderError;
use super::gpu::Gpu;
use super::mipmap::mip_chain;
use crate::scene::{Texels, Texture};

/// Bytes of textures that wait in host memory at a time, one texture at least. wgpu keeps what is written until the
/// device has it.
const STAGED_BYTES: u64 = 128 << 20;

/// A texture on the device.
#[derive(Debug)]
pub(super) struct Uploaded {
    pub view: wgpu::TextureView,
    /// True where coordinates must be turned over: v is 0 in the lowest row.
    pub rows_from_bottom: bool,
    /// Bytes on the device, all levels.
    pub bytes: u64,
}

/// Uploads images with their mip levels as plain (not sRGB) BC7 or RGBA8, in order.
pub(super) fn upload_all(
    gpu: &Gpu,
    textures: &[Texture],
    compressed: CompressedTextures,
) -> Result<Vec<Uploaded>, RenderError> {
    let limit = gpu.adapter().max_texture_px;
    if let Some(texture) = textures.iter().find(|t| t.width.max(t.height) > limit) {
        return Err(RenderError::TooLarge {
            what: format!("the texture \"{}\"", texture.name),
            size: format!("{} x {} pixels", texture.width, texture.height),
            limit: format!("{limit} x {limit} pixels"),
        });
    }
    let blocks = gpu.samples_bc()
        && match compressed {
            CompressedTextures::Auto => !gpu.adapter().is_software,
            CompressedTextures::Always => true,
            CompressedTextures::Never => false,
        };
    let mut uploaded = Vec::with_capacity(textures.len());
    let mut rest = textures;
    while !rest.is_empty() {
        let (now, later) = rest.split_at(at_once(rest, STAGED_BYTES));
        rest = later;
        let levels: Vec<Levels<'_>> = now
            .par_iter()
            .map(|texture| Levels::of(texture, blocks))
            .collect::<Result<_, _>>()?;
        let submission = gpu.scoped("uploading textures", || {
            for (texture, levels) in now.iter().zip(&levels) {
                uploaded.push(write(gpu, texture, levels));
            }
            gpu.queue.submit([])
        })?;
        drop(levels);
        gpu.wait(submission)?;
    }
    Ok(uploaded)
}

/// How many of the first textures may be staged together: those that take `bytes` as RGBA8, and one at least.
fn at_once(textures: &[Texture], bytes: u64) -> usize {
    let mut total = 0u64;
    let fitting = textures.iter().take_while(|t| {
        // A third more for the levels below.
        total += u64::from(t.width) * u64::from(t.height) * 16 / 3;
        total <= bytes
    });
    fitting.count().max(1)
}

/// Every level of an image in the format that the device gets, largest first.
struct Levels<'a> {
    format: wgpu::TextureFormat,
    bytes: Vec<Cow<'a, [u8]>>,
    rows_from_bottom: bool,
}

impl<'a> Levels<'a> {
    fn of(texture: &'a Texture, blocks: bool) -> Result<Self, RenderError> {
        if let (Texels::Basis(texels), true) = (&texture.texels, blocks) {
            return Ok(Self {
                format: wgpu::TextureFormat::Bc7RgbaUnorm,
                bytes: texels.levels.iter().map(|level| Cow::Borrowed(&**level)).collect(),
                rows_from_bottom: texels.rows_from_bottom,
            });
        }
        let rgba = texture.rgba()?;
        let below = mip_chain(texture.width, texture.height, &rgba);
        Ok(Self {
            format: wgpu::TextureFormat::Rgba8Unorm,
            bytes: std::iter::once(rgba)
                .chain(below.into_iter().map(|level| Cow::Owned(level.rgba)))
                .collect(),
            rows_from_bottom: false,
        })
    }
}

fn write(gpu: &Gpu, texture: &Texture, levels: &Levels<'_>) -> Uploaded {
    let size = wgpu::Extent3d {
        width: texture.width,
        height: texture.height,
        depth_or_array_layers: 1,
    };
    let target = gpu.device.create_texture(&wgpu::TextureDescriptor {
        label: Some(&texture.name),
        size,
        mip_level_count: levels.bytes.len() as u32,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: levels.format,
        usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
        view_formats: &[],
    });
    let (block, _) = levels.format.block_dimensions();
    let block_bytes = levels.format.block_copy_size(None).unwrap_or(4);
    for (mip_level, bytes) in (0..).zip(&levels.bytes) {
        // Whole blocks, also where the level is smaller than one.
        let extent = size
            .mip_level_size(mip_level, wgpu::TextureDimension::D2)
            .physical_size(levels.format);
        gpu.queue.write_texture(
            wgpu::TexelCopyTextureInfo {
                texture: &target,
                mip_level,
                origin: wgpu::Origin3d::ZERO,
                aspect: wgpu::TextureAspect::All,
            },
            bytes,
            wgpu::TexelCopyBufferLayout {
                offset: 0,
                bytes_per_row: Some(extent.width / block * block_bytes),
                rows_per_image: Some(extent.height / block),
            },
            extent,
        );
    }
    Uploaded {
        view: target.create_view(&wgpu::TextureViewDescriptor::default()),
        rows_from_bottom: levels.rows_from_bottom,
        bytes: levels.bytes.iter().map(|level| level.len() as u64).sum(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn textures_are_staged_together_up_to_the_bound_and_never_none() {
        let textures =
            [3, 3, 6].map(|side| Texture::from_rgba("", side, side, vec![0; side as usize * side as usize * 4]));
        // 48, 48 and 192 bytes with their levels.
        assert_eq!(at_once(&textures, 288), 3);
        assert_eq!(at_once(&textures, 287), 2);
        assert_eq!(at_once(&textures, 95), 1);
        assert_eq!(at_once(&textures[2..], 1), 1);
    }
}
