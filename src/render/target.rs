//! Targets of one submission and their way back to the host.

use std::sync::mpsc;

use image::RgbImage;

use super::error::RenderError;
use super::gpu::Gpu;
use super::gpu_data::ViewUniforms;
use super::mesh::{COLOR, DEPTH};
use super::timing::{Step, Stopwatch};
use crate::camera::Camera;
use crate::view::{DepthMap, View};

/// Colour and depth layers for a batch of cameras, their uniforms and the buffer they are read through.
#[derive(Debug)]
pub(super) struct Target {
    width: u32,
    height: u32,
    layers: u32,
    color: wgpu::Texture,
    depth: wgpu::Texture,
    pub layer_views: Vec<(wgpu::TextureView, wgpu::TextureView)>,
    uniforms: wgpu::Buffer,
    pub view_group: wgpu::BindGroup,
    uniform_stride: u32,
    staging: wgpu::Buffer,
    indices: wgpu::Buffer,
}

/// Where the outcome of a mapping arrives.
pub(super) type MapResult = mpsc::Receiver<Result<(), wgpu::BufferAsyncError>>;

/// Rows in a copy start at multiples of this many bytes.
fn bytes_per_row(width: u32) -> u32 {
    (width * 4).next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT)
}

impl Target {
    pub fn new(gpu: &Gpu, width: u32, height: u32, layers: u32) -> Result<Self, RenderError> {
        gpu.scoped("making render targets", || {
            let texture = |label, format| {
                gpu.device.create_texture(&wgpu::TextureDescriptor {
                    label: Some(label),
                    size: wgpu::Extent3d {
                        width,
                        height,
                        depth_or_array_layers: layers,
                    },
                    mip_level_count: 1,
                    sample_count: 1,
                    dimension: wgpu::TextureDimension::D2,
                    format,
                    usage: wgpu::TextureUsages::RENDER_ATTACHMENT | wgpu::TextureUsages::COPY_SRC,
                    view_formats: &[],
                })
            };
            let (color, depth) = (texture("color", COLOR), texture("depth", DEPTH));
            let layer = |texture: &wgpu::Texture, base_array_layer| {
                texture.create_view(&wgpu::TextureViewDescriptor {
                    dimension: Some(wgpu::TextureViewDimension::D2),
                    base_array_layer,
                    array_layer_count: Some(1),
                    ..wgpu::TextureViewDescriptor::default()
                })
            };
            let alignment = gpu.device.limits().min_uniform_buffer_offset_alignment;
            let uniform_stride = (size_of::<ViewUniforms>() as u32).next_multiple_of(alignment.max(1));
            let uniforms = gpu.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("views"),
                size: u64::from(uniform_stride) * u64::from(layers),
                usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            });
            let view_group = gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some("views"),
                layout: &gpu.layouts.view,
                entries: &[wgpu::BindGroupEntry {
                    binding: 0,
                    resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                        buffer: &uniforms,
                        offset: 0,
                        size: wgpu::BufferSize::new(size_of::<ViewUniforms>() as u64),
                    }),
                }],
            });
            let plane = u64::from(bytes_per_row(width)) * u64::from(height);
            Self {
                layer_views: (0..layers).map(|i| (layer(&color, i), layer(&depth, i))).collect(),
                staging: gpu.device.create_buffer(&wgpu::BufferDescriptor {
                    label: Some("readback"),
                    size: 2 * plane * u64::from(layers),
                    usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
                    mapped_at_creation: false,
                }),
                indices: index_buffer(gpu, 16),
                width,
                height,
                layers,
                color,
                depth,
                uniforms,
                view_group,
                uniform_stride,
            }
        })
    }

    pub fn fits(&self, width: u32, height: u32, layers: u32) -> bool {
        (self.width, self.height) == (width, height) && self.layers >= layers
    }

    /// Where the uniforms of camera `layer` begin.
    pub fn uniform_offset(&self, layer: usize) -> u32 {
        layer as u32 * self.uniform_stride
    }

    pub fn write_uniforms(&self, gpu: &Gpu, views: &[ViewUniforms]) {
        let stride = self.uniform_stride as usize;
        let mut bytes = vec![0; stride * views.len()];
        for (slot, view) in bytes.chunks_exact_mut(stride).zip(views) {
            slot[..size_of::<ViewUniforms>()].copy_from_slice(bytemuck::bytes_of(view));
        }
        gpu.queue.write_buffer(&self.uniforms, 0, &bytes);
    }

    /// Puts the batch's own indices where the draws find them.
    pub fn write_indices(&mut self, gpu: &Gpu, indices: &[u32]) {
        let bytes: &[u8] = bytemuck::cast_slice(indices);
        if bytes.len() as u64 > self.indices.size() {
            // Half as much again, so that similar batches fit.
            self.indices = index_buffer(gpu, (bytes.len() as u64 / 8 + 1) * 12);
        }
        if !bytes.is_empty() {
            gpu.queue.write_buffer(&self.indices, 0, bytes);
        }
    }

    pub fn indices(&self) -> &wgpu::Buffer {
        &self.indices
    }

    /// Colour layers, then depth layers, into the staging buffer.
    pub fn copy_back(&self, encoder: &mut wgpu::CommandEncoder, layers: u32) {
        let plane = u64::from(bytes_per_row(self.width)) * u64::from(self.height);
        let depth_start = plane * u64::from(self.layers);
        for (texture, aspect, offset) in [
            (&self.color, wgpu::TextureAspect::All, 0),
            (&self.depth, wgpu::TextureAspect::DepthOnly, depth_start),
        ] {
            encoder.copy_texture_to_buffer(
                wgpu::TexelCopyTextureInfo {
                    texture,
                    mip_level: 0,
                    origin: wgpu::Origin3d::ZERO,
                    aspect,
                },
                wgpu::TexelCopyBufferInfo {
                    buffer: &self.staging,
                    layout: wgpu::TexelCopyBufferLayout {
                        offset,
                        bytes_per_row: Some(bytes_per_row(self.width)),
                        rows_per_image: Some(self.height),
                    },
                },
                wgpu::Extent3d {
                    width: self.width,
                    height: self.height,
                    depth_or_array_layers: layers,
                },
            );
        }
    }

    /// Asks for the staging buffer to be mapped once the submission that fills it is done.
    pub fn map(&self) -> MapResult {
        let (sender, receiver) = mpsc::channel();
        self.staging.slice(..).map_async(wgpu::MapMode::Read, move |result| {
            // Nobody listens any more where the pictures were given up.
            let _ = sender.send(result);
        });
        receiver
    }

    /// Waits for the submission and unpacks its views.
    pub fn read(
        &self,
        gpu: &Gpu,
        submission: wgpu::SubmissionIndex,
        mapped: &MapResult,
        cameras: &[Camera],
        near_m: f32,
        stopwatch: &Stopwatch,
    ) -> Result<Vec<View>, RenderError> {
        let failed = |reason: String| RenderError::Device {
            action: "reading pictures back",
            reason,
        };
        let slice = self.staging.slice(..);
        stopwatch.time(Step::Draw, || gpu.wait(submission))?;
        match mapped.try_recv() {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(failed(error.to_string())),
            Err(_) => return Err(failed("the buffer was not mapped".to_owned())),
        }
        let views = stopwatch.time(Step::Readback, || -> Result<_, RenderError> {
            let bytes = slice.get_mapped_range().map_err(|e| failed(e.to_string()))?;
            let row = bytes_per_row(self.width) as usize;
            let plane = row * self.height as usize;
            let (colors, depths) = bytes.split_at(plane * self.layers as usize);
            Ok(cameras
                .iter()
                .zip(colors.chunks_exact(plane).zip(depths.chunks_exact(plane)))
                .map(|(camera, (color, depth))| View {
                    camera: *camera,
                    color: unpack_color(color, row, self.width, self.height),
                    depth: unpack_depth(depth, row, self.width, self.height, near_m),
                })
                .collect())
        })?;
        self.staging.unmap();
        Ok(views)
    }
}

fn index_buffer(gpu: &Gpu, size: u64) -> wgpu::Buffer {
    gpu.device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("picked indices"),
        size,
        usage: wgpu::BufferUsages::INDEX | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    })
}

/// RGBA rows to a tight RGB image.
fn unpack_color(bytes: &[u8], row: usize, width: u32, height: u32) -> RgbImage {
    let mut image = RgbImage::new(width, height);
    let tight = width as usize;
    for (out, source) in image.chunks_exact_mut(tight * 3).zip(bytes.chunks_exact(row)) {
        for (rgb, rgba) in out.chunks_exact_mut(3).zip(source.chunks_exact(4)) {
            rgb.copy_from_slice(&rgba[..3]);
        }
    }
    image
}

/// Reverse-Z values to metres: `near / value`, 0 where nothing was hit.
fn unpack_depth(bytes: &[u8], row: usize, width: u32, height: u32, near_m: f32) -> DepthMap {
    let mut metres = Vec::with_capacity(width as usize * height as usize);
    for source in bytes.chunks_exact(row) {
        metres.extend(source[..width as usize * 4].chunks_exact(4).map(|raw| {
            let value = f32::from_le_bytes([raw[0], raw[1], raw[2], raw[3]]);
            if value > 0.0 { near_m / value } else { 0.0 }
        }));
    }
    DepthMap { width, height, metres }
}
