//! The two pictures of a pair, kept on the device.

use super::gpu::Gpu;

/// Both pictures of a pair in one buffer of the device: rows of RGBA bytes, each row padded to 256 bytes.
///
/// 459 kB of device memory for two views of 224 x 224.
#[derive(Debug, Clone)]
pub struct GpuImages {
    pub(super) buffer: wgpu::Buffer,
    side: u32,
}

impl GpuImages {
    /// Room for two square pictures.
    pub(super) fn new(gpu: &Gpu, side: u32) -> Self {
        let images = |buffer| Self { buffer, side };
        images(gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("pair"),
            size: 2 * u64::from(row_bytes(side)) * u64::from(side),
            usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::STORAGE,
            mapped_at_creation: false,
        }))
    }

    /// Pixels across and down of each picture.
    pub fn side(&self) -> u32 {
        self.side
    }

    /// Device memory that it takes, bytes.
    pub fn bytes(&self) -> u64 {
        self.buffer.size()
    }

    /// Words of a row.
    pub(super) fn row_words(&self) -> u32 {
        row_bytes(self.side) / 4
    }

    /// Bytes before picture 0 or 1.
    pub(super) fn start(&self, picture: usize) -> u64 {
        picture as u64 * u64::from(row_bytes(self.side)) * u64::from(self.side)
    }

    /// Copies the centred window of one layer of `color` to picture 0 or 1.
    pub(super) fn record(&self, encoder: &mut wgpu::CommandEncoder, picture: usize, color: &wgpu::Texture, layer: u32) {
        encoder.copy_texture_to_buffer(
            wgpu::TexelCopyTextureInfo {
                texture: color,
                mip_level: 0,
                origin: wgpu::Origin3d {
                    x: (color.width() - self.side) / 2,
                    y: (color.height() - self.side) / 2,
                    z: layer,
                },
                aspect: wgpu::TextureAspect::All,
            },
            wgpu::TexelCopyBufferInfo {
                buffer: &self.buffer,
                layout: wgpu::TexelCopyBufferLayout {
                    offset: self.start(picture),
                    bytes_per_row: Some(row_bytes(self.side)),
                    rows_per_image: Some(self.side),
                },
            },
            wgpu::Extent3d {
                width: self.side,
                height: self.side,
                depth_or_array_layers: 1,
            },
        );
    }
}

fn row_bytes(side: u32) -> u32 {
    (side * 4).next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT)
}
