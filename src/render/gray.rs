//! `shaders/gray.wgsl`: the grey pictures that the overlap filter needs, made where the colours lie.

use bytemuck::{Pod, Zeroable};
use image::GrayImage;
use wgpu::util::DeviceExt;

use super::compute;
use super::gpu::Gpu;
use super::gpu_data::GRAY_WGSL;

/// Words that one invocation makes: `RUN` of the WGSL.
const RUN: u32 = 8;

/// `GrayWindow` of the WGSL.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
pub(super) struct GrayWindow {
    pub left: u32,
    pub top: u32,
    pub size: u32,
    pub row_words: u32,
    pub layer_words: u32,
    pub pad_a: u32,
    pub pad_b: u32,
    pub pad_c: u32,
}

/// The pipeline.
#[derive(Debug)]
pub(super) struct GrayPipeline {
    layout: wgpu::BindGroupLayout,
    pipeline: wgpu::ComputePipeline,
}

/// Where the grey pictures of one target go.
#[derive(Debug)]
pub(super) struct GrayPlane {
    window: GrayWindow,
    pixels: wgpu::Buffer,
    surfaces: wgpu::Buffer,
    group: wgpu::BindGroup,
    pipeline: wgpu::ComputePipeline,
    /// Where pixels and counts lie in the staging buffer.
    offsets: [u64; 2],
}

impl GrayPipeline {
    pub fn new(gpu: &Gpu) -> Self {
        let texture = |binding, sample_type| {
            let ty = wgpu::BindingType::Texture {
                sample_type,
                view_dimension: wgpu::TextureViewDimension::D2Array,
                multisampled: false,
            };
            compute::entry(binding, ty)
        };
        let float = wgpu::TextureSampleType::Float { filterable: false };
        let layout = gpu.device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some("gray"),
            entries: &[
                texture(0, float),
                texture(1, wgpu::TextureSampleType::Depth),
                compute::entry(2, compute::uniform(false, size_of::<GrayWindow>())),
                compute::entry(3, compute::storage(false)),
                compute::entry(4, compute::storage(false)),
            ],
        });
        Self {
            pipeline: compute::pipeline(gpu, "gray", GRAY_WGSL, "gray", &layout),
            layout,
        }
    }
}

impl GrayPlane {
    /// Buffers for the `crop` x `crop` window of every layer of the two textures; `end` is the size of the staging
    /// buffer so far.
    pub fn new(
        gpu: &Gpu,
        pipeline: &GrayPipeline,
        crop: u32,
        color: &wgpu::Texture,
        depth: &wgpu::Texture,
        end: &mut u64,
    ) -> Self {
        let layers = u64::from(color.depth_or_array_layers());
        let row_words = crop.div_ceil(4);
        let window = GrayWindow {
            left: (color.width() - crop) / 2,
            top: (color.height() - crop) / 2,
            size: crop,
            row_words,
            layer_words: row_words * crop,
            pad_a: 0,
            pad_b: 0,
            pad_c: 0,
        };
        let buffer = |label, words: u64| {
            gpu.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some(label),
                size: words * 4,
                usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            })
        };
        let pixels = buffer("gray pixels", u64::from(window.layer_words) * layers);
        let surfaces = buffer("surface counts", layers);
        let uniform = gpu.device.create_buffer_init(&wgpu::util::BufferInitDescriptor {
            label: Some("gray window"),
            contents: bytemuck::bytes_of(&window),
            usage: wgpu::BufferUsages::UNIFORM,
        });
        let array = |texture: &wgpu::Texture, aspect| {
            texture.create_view(&wgpu::TextureViewDescriptor {
                dimension: Some(wgpu::TextureViewDimension::D2Array),
                aspect,
                ..wgpu::TextureViewDescriptor::default()
            })
        };
        let (color, depth) = (
            array(color, wgpu::TextureAspect::All),
            array(depth, wgpu::TextureAspect::DepthOnly),
        );
        let group = gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("gray"),
            layout: &pipeline.layout,
            entries: &[
                compute::bound(0, wgpu::BindingResource::TextureView(&color)),
                compute::bound(1, wgpu::BindingResource::TextureView(&depth)),
                compute::bound(2, uniform.as_entire_binding()),
                compute::bound(3, pixels.as_entire_binding()),
                compute::bound(4, surfaces.as_entire_binding()),
            ],
        });
        let offsets = [*end, *end + pixels.size()];
        *end += pixels.size() + surfaces.size();
        Self {
            window,
            pixels,
            surfaces,
            group,
            pipeline: pipeline.pipeline.clone(),
            offsets,
        }
    }

    /// Bytes that travel for each view.
    pub fn layer_bytes(&self) -> u64 {
        u64::from(self.window.layer_words) * 4 + 4
    }

    /// Makes the pictures of the first `layers` views and copies them to the staging buffer.
    pub fn record(&self, encoder: &mut wgpu::CommandEncoder, staging: &wgpu::Buffer, layers: u32) {
        encoder.clear_buffer(&self.surfaces, 0, None);
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
            label: Some("gray"),
            timestamp_writes: None,
        });
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &self.group, &[]);
        let runs = self.window.row_words.div_ceil(RUN);
        pass.dispatch_workgroups(runs.div_ceil(8), self.window.size.div_ceil(8), layers);
        drop(pass);
        let pixels = u64::from(self.window.layer_words) * 4 * u64::from(layers);
        encoder.copy_buffer_to_buffer(&self.pixels, 0, staging, self.offsets[0], Some(pixels));
        encoder.copy_buffer_to_buffer(&self.surfaces, 0, staging, self.offsets[1], Some(4 * u64::from(layers)));
    }

    /// One view's grey picture and the number of its pixels with a surface, from the mapped staging buffer.
    pub fn unpack(&self, bytes: &[u8], layer: usize) -> (GrayImage, u32) {
        let GrayWindow {
            size,
            row_words,
            layer_words,
            ..
        } = self.window;
        let start = self.offsets[0] as usize + layer * layer_words as usize * 4;
        let rows = bytes[start..start + layer_words as usize * 4].chunks_exact(row_words as usize * 4);
        let mut image = GrayImage::new(size, size);
        for (to, from) in image.chunks_exact_mut(size as usize).zip(rows) {
            to.copy_from_slice(&from[..size as usize]);
        }
        let count = self.offsets[1] as usize + layer * 4;
        let word = [bytes[count], bytes[count + 1], bytes[count + 2], bytes[count + 3]];
        (image, u32::from_le_bytes(word))
    }
}
