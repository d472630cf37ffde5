//! Targets of one submission and their way back to the host.

use std::sync::mpsc;
use std::time::Duration;

use image::{GrayImage, RgbImage};

use super::error::RenderError;
use super::gpu::Gpu;
use super::gpu_data::ViewUniforms;
use super::gray::{GrayPipeline, GrayPlane};
use super::mesh::{COLOR, DEPTH};
use super::readback::Readback;
use super::sensors::{MARKS, NUMBERS, Sensors};
use super::timing::{Step, Stopwatch};
use crate::contain::{contained, said};
use crate::view::DepthMap;

/// Layers for a batch of cameras, their uniforms and the buffer they are read through.
#[derive(Debug)]
pub(super) struct Target {
    width: u32,
    height: u32,
    layers: u32,
    sensors: Sensors,
    readback: Readback,
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
    gray: Option<GrayPlane>,
}

/// One texture with a layer a camera.
#[derive(Debug)]
struct Plane {
    texture: wgpu::Texture,
    aspect: wgpu::TextureAspect,
    bytes_per_row: u32,
    /// Bytes of a layer.
    layer: u64,
    /// Where it lies in the staging buffer; `None` where it does not travel.
    offset: Option<u64>,
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
    /// Luma of the centred window, and how many of its pixels show a surface.
    pub gray: Option<(GrayImage, u32)>,
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
    fn new(texture: wgpu::Texture, aspect: wgpu::TextureAspect, texel_bytes: u32, end: Option<&mut u64>) -> Self {
        // Rows in a copy start at multiples of a fixed number of bytes.
        let bytes_per_row = (texture.width() * texel_bytes).next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT);
        let layer = u64::from(bytes_per_row) * u64::from(texture.height());
        let offset = end.map(|end| {
            let offset = *end;
            *end += layer * u64::from(texture.depth_or_array_layers());
            offset
        });
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

    /// The rows of one layer, padding included; `None` where the plane did not travel.
    fn rows<'a>(&self, bytes: &'a [u8], layer: usize) -> Option<std::slice::ChunksExact<'a, u8>> {
        let start = self.offset? as usize + layer * self.layer as usize;
        Some(bytes[start..start + self.layer as usize].chunks_exact(self.bytes_per_row as usize))
    }

    /// Copies `layers` layers from `first` on to `offset` of a buffer.
    fn copy(&self, encoder: &mut wgpu::CommandEncoder, first: u32, layers: u32, buffer: &wgpu::Buffer, offset: u64) {
        encoder.copy_texture_to_buffer(
            wgpu::TexelCopyTextureInfo {
                texture: &self.texture,
                mip_level: 0,
                origin: wgpu::Origin3d { x: 0, y: 0, z: first },
                aspect: self.aspect,
            },
            wgpu::TexelCopyBufferInfo {
                buffer,
                layout: wgpu::TexelCopyBufferLayout {
                    offset,
                    bytes_per_row: Some(self.bytes_per_row),
                    rows_per_image: Some(self.texture.height()),
                },
            },
            wgpu::Extent3d {
                width: self.texture.width(),
                height: self.texture.height(),
                depth_or_array_layers: layers,
            },
        );
    }
}

impl Target {
    /// `gray` is asked for where the readback is grey.
    pub fn new(
        gpu: &Gpu,
        (width, height): (u32, u32),
        layers: u32,
        sensors: Sensors,
        readback: Readback,
        gray: &GrayPipeline,
    ) -> Result<Self, RenderError> {
        let texel_bytes = 8 + if sensors.numbers() { 4 } else { 0 } + u64::from(sensors.validity);
        // Each plane once as a texture and once in the buffer that it is read through.
        let bytes = 2 * texel_bytes * u64::from(width) * u64::from(height) * u64::from(layers);
        if bytes > gpu.picture_budget {
            let budget = gpu.picture_budget;
            return Err(RenderError::OutOfMemory {
                action: "making render targets",
                reason: format!("{layers} of {width} x {height} pixels take {bytes} bytes, {budget} are allowed"),
            });
        }
        gpu.scoped("making render targets", || {
            let sampled = match readback {
                Readback::Gray { .. } => wgpu::TextureUsages::TEXTURE_BINDING,
                _ => wgpu::TextureUsages::empty(),
            };
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
                    usage: wgpu::TextureUsages::RENDER_ATTACHMENT | wgpu::TextureUsages::COPY_SRC | sampled,
                    view_formats: &[],
                })
            };
            let mut end = 0;
            let mut plane = |label, format, aspect, texel_bytes, travels: bool| {
                let texture = texture(label, format, layers);
                Plane::new(texture, aspect, texel_bytes, travels.then_some(&mut end))
            };
            let (all, whole) = (wgpu::TextureAspect::All, readback.planes());
            let mut planes = Planes {
                color: plane("color", COLOR, all, 4, whole),
                depth: plane("depth", DEPTH, wgpu::TextureAspect::DepthOnly, 4, whole),
                numbers: sensors
                    .numbers()
                    .then(|| plane("triangle numbers", NUMBERS, all, 4, whole)),
                marks: sensors
                    .validity
                    .then(|| plane("back faces", MARKS, all, 1, readback.marks())),
                gray: None,
            };
            if let Readback::Gray { crop } = readback {
                let (color, depth) = (&planes.color.texture, &planes.depth.texture);
                planes.gray = Some(GrayPlane::new(gpu, gray, crop, color, depth, &mut end));
            }
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
                staging: staging_buffer(gpu, end),
                indices: index_buffer(gpu, 16),
                width,
                height,
                layers,
                sensors,
                readback,
                planes,
                uniforms,
                view_group,
                uniform_stride,
            }
        })
    }

    pub fn fits(&self, size: (u32, u32), layers: u32, sensors: Sensors, readback: Readback) -> bool {
        (self.width, self.height) == size
            && (self.sensors, self.readback) == (sensors, readback)
            && self.layers >= layers
    }

    pub fn color_texture(&self) -> &wgpu::Texture {
        &self.planes.color.texture
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

    /// What travels of `layers` cameras, into the staging buffer; says how many bytes.
    pub fn copy_back(&self, encoder: &mut wgpu::CommandEncoder, layers: u32) -> u64 {
        let mut bytes = 0;
        for plane in self.planes.all() {
            if let Some(offset) = plane.offset {
                plane.copy(encoder, 0, layers, &self.staging, offset);
                bytes += plane.layer * u64::from(layers);
            }
        }
        if let Some(gray) = &self.planes.gray {
            gray.record(encoder, &self.staging, layers);
            bytes += gray.layer_bytes() * u64::from(layers);
        }
        bytes
    }

    /// Reads the depth of one layer back, outside of the staging buffer, and waits for it.
    pub fn read_depth(
        &self,
        gpu: &Gpu,
        layer: u32,
        scale: DepthScale,
        stopwatch: &Stopwatch,
    ) -> Result<DepthMap, RenderError> {
        let depth = &self.planes.depth;
        let (staging, submission, mapped) = gpu.scoped("reading depth back", || {
            let staging = staging_buffer(gpu, depth.layer);
            let mut encoder = gpu.device.create_command_encoder(&Default::default());
            depth.copy(&mut encoder, layer, 1, &staging, 0);
            let submission = gpu.queue.submit([encoder.finish()]);
            let mapped = map(&staging);
            (staging, submission, mapped)
        })?;
        stopwatch.count_bytes(depth.layer);
        let metres = with_mapped(gpu, &staging, submission, &mapped, stopwatch, |bytes| {
            let rows = bytes.chunks_exact(depth.bytes_per_row as usize);
            let width = self.width as usize;
            unpack_depth(rows, width, width * self.height as usize, scale)
        })?;
        Ok(DepthMap {
            width: self.width,
            height: self.height,
            metres,
        })
    }

    /// Asks for the staging buffer to be mapped once the submission that fills it is done.
    pub fn map(&self) -> MapResult {
        map(&self.staging)
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
        with_mapped(gpu, &self.staging, submission, mapped, stopwatch, |bytes| {
            let numbered = scales.iter().enumerate();
            numbered
                .map(|(layer, scale)| self.unpack(bytes, layer, *scale))
                .collect()
        })
    }

    fn unpack(&self, bytes: &[u8], layer: usize, scale: DepthScale) -> Picture {
        let Planes {
            color,
            depth,
            numbers,
            marks,
            gray,
        } = &self.planes;
        let width = self.width as usize;
        let pixels = width * self.height as usize;
        Picture {
            color: color
                .rows(bytes, layer)
                .map_or_else(RgbImage::default, |rows| unpack_color(rows, self.width, self.height)),
            depth: DepthMap {
                width: self.width,
                height: self.height,
                metres: depth
                    .rows(bytes, layer)
                    .map_or_else(Vec::new, |rows| unpack_depth(rows, width, pixels, scale)),
            },
            numbers: numbers.as_ref().and_then(|plane| {
                let rows = plane.rows(bytes, layer)?.map(|row| &row[..4 * width]);
                Some(rows.flat_map(|row| row.chunks_exact(4).map(word)).collect())
            }),
            backs: marks.as_ref().and_then(|plane| {
                let rows = plane.rows(bytes, layer)?.map(|row| &row[..width]);
                Some(rows.flat_map(|row| row.iter().map(|&mark| mark > 0)).collect())
            }),
            gray: gray.as_ref().map(|plane| plane.unpack(bytes, layer)),
        }
    }
}

impl Planes {
    /// The textures that there are.
    fn all(&self) -> impl Iterator<Item = &Plane> {
        [
            Some(&self.color),
            Some(&self.depth),
            self.numbers.as_ref(),
            self.marks.as_ref(),
        ]
        .into_iter()
        .flatten()
    }
}

/// How long a buffer may take to be mapped after its submission is done; longer means a broken driver.
const MAP_PATIENCE: Duration = Duration::from_secs(60);

fn staging_buffer(gpu: &Gpu, size: u64) -> wgpu::Buffer {
    gpu.device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("readback"),
        size,
        usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    })
}

/// Asks for a buffer to be mapped once the submission that fills it is done.
fn map(buffer: &wgpu::Buffer) -> MapResult {
    let (sender, receiver) = mpsc::channel();
    buffer.slice(..).map_async(wgpu::MapMode::Read, move |result| {
        // Nobody listens any more where the pictures were given up.
        let _ = sender.send(result);
    });
    receiver
}

/// Waits for the submission, shows the mapped bytes to `unpack` and unmaps them.
fn with_mapped<T>(
    gpu: &Gpu,
    buffer: &wgpu::Buffer,
    submission: wgpu::SubmissionIndex,
    mapped: &MapResult,
    stopwatch: &Stopwatch,
    unpack: impl FnOnce(&[u8]) -> T,
) -> Result<T, RenderError> {
    let failed = |reason| gpu.failure("reading pictures back", reason);
    stopwatch.time(Step::Draw, || gpu.wait(submission))?;
    // Whichever thread waited for the device last tells the one whose buffer is mapped, so the word may come a little
    // later than the end of the submission.
    let told = mapped.recv_timeout(MAP_PATIENCE).or_else(|_| {
        // A process that was stopped meanwhile has not waited, whatever the clock says.
        gpu.catch_up();
        mapped.recv_timeout(MAP_PATIENCE)
    });
    match told {
        Ok(Ok(())) => {}
        Ok(Err(error)) => return Err(failed(error.to_string())),
        Err(_) => return Err(failed("the buffer was not mapped".to_owned())),
    }
    let unpacked = stopwatch.time(Step::Readback, || -> Result<_, RenderError> {
        let slice = buffer.slice(..);
        let bytes = slice.get_mapped_range().map_err(|e| failed(e.to_string()))?;
        Ok(unpack(&bytes))
    })?;
    // On a device that has just been lost there is nothing to unmap.
    contained(|| buffer.unmap()).map_err(|panic| failed(said(&*panic).to_owned()))?;
    Ok(unpacked)
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
