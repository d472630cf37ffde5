//! Targets of one submission and their way back to the host.

use std::sync::mpsc;

use image::RgbImage;

use super::error::RenderError;
use super::gpu::Gpu;
use super::gpu_data::ViewUniforms;
use super::mesh::{COLOR, DEPTH};
use super::sensors::{MARKS, NUMBERS, Sensors};
use super::timing::{Step, Stopwatch};
use crate::view::DepthMap;

/// Layers for a batch of cameras, their uniforms and the buffer they are read through.
#[derive(Debug)]
pub(super) struct Target {
    width: u32,
    height: u32,
    layers: u32,
    sensors: Sensors,
    planes: Planes,
    pub layer_views: Vec<LayerViews>,
    uniforms: wgpu::Buffer,
    pub view_group: wgpu::BindGroup,
    uniform_stride: u32,
    staging: wgpu::Buffer,
    indices: wgpu::Buffer,
}

/// The textures that are read back, and where each lies in the staging buffer.
#[derive(Debug)]
struct Planes {
    color: Plane,
    depth: Plane,
    numbers: Option<Plane>,
    marks: Option<Plane>,
}

/// One texture with a layer a camera.
#[derive(Debug)]
struct Plane {
    texture: wgpu::Texture,
    aspect: wgpu::TextureAspect,
    bytes_per_row: u32,
    /// Bytes of a layer.
    layer: u64,
    offset: u64,
}

/// What the passes of one camera draw into.
#[derive(Debug)]
pub(super) struct LayerViews {
    pub color: wgpu::TextureView,
    pub depth: wgpu::TextureView,
    /// Triangle numbers and a depth of their own.
    pub numbers: Option<(wgpu::TextureView, wgpu::TextureView)>,
    pub marks: Option<wgpu::TextureView>,
}

/// One camera's layers as they came back.
#[derive(Debug)]
pub(super) struct Picture {
    pub color: RgbImage,
    pub depth: DepthMap,
    /// Triangle numbers from 1; 0 where nothing was hit.
    pub numbers: Option<Vec<u32>>,
    /// True where a back face lies first.
    pub backs: Option<Vec<bool>>,
}

/// How a camera's depth values become metres.
#[derive(Debug, Clone, Copy)]
pub(super) enum DepthScale {
    /// `near / value`.
    Perspective { near_m: f32 },
    /// From 1 at the near plane to 0 at the far one.
    Parallel { near_m: f32, far_m: f32 },
}

/// Where the outcome of a mapping arrives.
pub(super) type MapResult = mpsc::Receiver<Result<(), wgpu::BufferAsyncError>>;

impl Plane {
    fn new(texture: wgpu::Texture, aspect: wgpu::TextureAspect, texel_bytes: u32, end: &mut u64) -> Self {
        // Rows in a copy start at multiples of a fixed number of bytes.
        let bytes_per_row = (texture.width() * texel_bytes).next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT);
        let layer = u64::from(bytes_per_row) * u64::from(texture.height());
        let offset = *end;
        *end += layer * u64::from(texture.depth_or_array_layers());
        Self {
            texture,
            aspect,
            bytes_per_row,
            layer,
            offset,
        }
    }

    fn view(&self, base_array_layer: u32) -> wgpu::TextureView {
        self.texture.create_view(&wgpu::TextureViewDescriptor {
            dimension: Some(wgpu::TextureViewDimension::D2),
            base_array_layer,
            array_layer_count: Some(1),
            ..wgpu::TextureViewDescriptor::default()
        })
    }

    /// The rows of one layer, padding included.
    fn rows<'a>(&self, bytes: &'a [u8], layer: usize) -> std::slice::ChunksExact<'a, u8> {
        let start = self.offset as usize + layer * self.layer as usize;
        bytes[start..start + self.layer as usize].chunks_exact(self.bytes_per_row as usize)
    }
}

impl Target {
    pub fn new(gpu: &Gpu, width: u32, height: u32, layers: u32, sensors: Sensors) -> Result<Self, RenderError> {
        gpu.scoped("making render targets", || {
            let texture = |label, format, layers| {
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
            let mut end = 0;
            let mut plane = |label, format, aspect, texel_bytes| {
                Plane::new(texture(label, format, layers), aspect, texel_bytes, &mut end)
            };
            let all = wgpu::TextureAspect::All;
            let planes = Planes {
                color: plane("color", COLOR, all, 4),
                depth: plane("depth", DEPTH, wgpu::TextureAspect::DepthOnly, 4),
                numbers: sensors.numbers().then(|| plane("triangle numbers", NUMBERS, all, 4)),
                marks: sensors.validity.then(|| plane("back faces", MARKS, all, 1)),
            };
            // The passes of one camera follow those of another, so one depth serves all.
            let scratch_depth = sensors.numbers().then(|| {
                texture("depth of triangle numbers", DEPTH, 1).create_view(&wgpu::TextureViewDescriptor::default())
            });
            let layer_views = (0..layers)
                .map(|i| LayerViews {
                    color: planes.color.view(i),
                    depth: planes.depth.view(i),
                    numbers: planes.numbers.as_ref().map(|p| p.view(i)).zip(scratch_depth.clone()),
                    marks: planes.marks.as_ref().map(|p| p.view(i)),
                })
                .collect();
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
            Self {
                layer_views,
                staging: gpu.device.create_buffer(&wgpu::BufferDescriptor {
                    label: Some("readback"),
                    size: end,
                    usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
                    mapped_at_creation: false,
                }),
                indices: index_buffer(gpu, 16),
                width,
                height,
                layers,
                sensors,
                planes,
                uniforms,
                view_group,
                uniform_stride,
            }
        })
    }

    pub fn fits(&self, width: u32, height: u32, layers: u32, sensors: Sensors) -> bool {
        (self.width, self.height, self.sensors) == (width, height, sensors) && self.layers >= layers
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

    /// All layers of `layers` cameras into the staging buffer.
    pub fn copy_back(&self, encoder: &mut wgpu::CommandEncoder, layers: u32) {
        let Planes {
            color,
            depth,
            numbers,
            marks,
        } = &self.planes;
        for plane in [Some(color), Some(depth), numbers.as_ref(), marks.as_ref()]
            .into_iter()
            .flatten()
        {
            encoder.copy_texture_to_buffer(
                wgpu::TexelCopyTextureInfo {
                    texture: &plane.texture,
                    mip_level: 0,
                    origin: wgpu::Origin3d::ZERO,
                    aspect: plane.aspect,
                },
                wgpu::TexelCopyBufferInfo {
                    buffer: &self.staging,
                    layout: wgpu::TexelCopyBufferLayout {
                        offset: plane.offset,
                        bytes_per_row: Some(plane.bytes_per_row),
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

    /// Waits for the submission and unpacks its pictures, one for each scale.
    pub fn read(
        &self,
        gpu: &Gpu,
        submission: wgpu::SubmissionIndex,
        mapped: &MapResult,
        scales: &[DepthScale],
        stopwatch: &Stopwatch,
    ) -> Result<Vec<Picture>, RenderError> {
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
        let pictures = stopwatch.time(Step::Readback, || -> Result<_, RenderError> {
            let bytes = slice.get_mapped_range().map_err(|e| failed(e.to_string()))?;
            let numbered = scales.iter().enumerate();
            Ok(numbered
                .map(|(layer, scale)| self.unpack(&bytes, layer, *scale))
                .collect())
        })?;
        self.staging.unmap();
        Ok(pictures)
    }

    fn unpack(&self, bytes: &[u8], layer: usize, scale: DepthScale) -> Picture {
        let Planes {
            color,
            depth,
            numbers,
            marks,
        } = &self.planes;
        let width = self.width as usize;
        let pixels = width * self.height as usize;
        Picture {
            color: unpack_color(color.rows(bytes, layer), self.width, self.height),
            depth: DepthMap {
                width: self.width,
                height: self.height,
                metres: unpack_depth(depth.rows(bytes, layer), width, pixels, scale),
            },
            numbers: numbers.as_ref().map(|plane| {
                let rows = plane.rows(bytes, layer).map(|row| &row[..4 * width]);
                rows.flat_map(|row| row.chunks_exact(4).map(word)).collect()
            }),
            backs: marks.as_ref().map(|plane| {
                let rows = plane.rows(bytes, layer).map(|row| &row[..width]);
                rows.flat_map(|row| row.iter().map(|&mark| mark > 0)).collect()
            }),
        }
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

fn word(raw: &[u8]) -> u32 {
    u32::from_le_bytes([raw[0], raw[1], raw[2], raw[3]])
}

/// RGBA rows to a tight RGB image.
fn unpack_color<'a>(rows: impl Iterator<Item = &'a [u8]>, width: u32, height: u32) -> RgbImage {
    let mut image = RgbImage::new(width, height);
    for (out, source) in image.chunks_exact_mut(width as usize * 3).zip(rows) {
        for (rgb, rgba) in out.chunks_exact_mut(3).zip(source.chunks_exact(4)) {
            rgb.copy_from_slice(&rgba[..3]);
        }
    }
    image
}

/// Reverse-Z values to metres, 0 where nothing was hit.
fn unpack_depth<'a>(rows: impl Iterator<Item = &'a [u8]>, width: usize, pixels: usize, scale: DepthScale) -> Vec<f32> {
    let mut metres = Vec::with_capacity(pixels);
    for row in rows {
        let values = row[..width * 4].chunks_exact(4).map(|raw| f32::from_bits(word(raw)));
        match scale {
            DepthScale::Perspective { near_m } => {
                metres.extend(values.map(|value| if value > 0.0 { near_m / value } else { 0.0 }));
            }
            DepthScale::Parallel { near_m, far_m } => metres.extend(values.map(|value| {
                if value > 0.0 {
                    far_m - value * (far_m - near_m)
                } else {
                    0.0
                }
            })),
        }
    }
    metres
}
