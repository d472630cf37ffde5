//! `shaders/tensor.wgsl`: pictures that never came to the host, into a tensor that another library allocated.

use bytemuck::{Pod, Zeroable};
use wgpu::util::DeviceExt;

use super::compute;
use super::error::RenderError;
use super::gpu::Gpu;
use super::gpu_data::TENSOR_WGSL;
use super::images::GpuImages;

/// `TensorWindow` of the WGSL.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
pub(super) struct TensorWindow {
    pub first_word: u32,
    pub row_words: u32,
    pub left: u32,
    pub top: u32,
    pub side: u32,
    pub image: u32,
    pub pad_a: u32,
    pub pad_b: u32,
}

/// A square window of one picture of a pair.
#[derive(Debug, Clone, Copy)]
pub struct PictureWindow<'a> {
    /// The pair.
    pub pair: &'a GpuImages,
    /// 0 for the first view, 1 for the second.
    pub picture: usize,
    /// Pixels left of the window.
    pub left: u32,
    /// Pixels above the window.
    pub top: u32,
}

/// Part of a storage buffer of the same device that holds a tensor `[count, 3, side, side]` of f32, row-major.
///
/// Its owner must have handed all earlier work on it to the queue and keep it alive until it is read.
#[derive(Debug, Clone)]
pub struct TensorBytes {
    /// The buffer, with other tensors in it.
    pub buffer: wgpu::Buffer,
    /// Where the tensor begins, bytes.
    pub offset: u64,
    /// Bytes of the tensor.
    pub size: u64,
}

/// Writes pictures into tensors.
#[derive(Debug)]
pub struct TensorWriter {
    gpu: Gpu,
    layout: wgpu::BindGroupLayout,
    pipeline: wgpu::ComputePipeline,
    values: wgpu::Buffer,
}

impl TensorWriter {
    /// `values` says what each byte becomes, for red, green and blue in turn.
    ///
    /// # Errors
    /// The driver refuses the pipeline.
    pub fn new(gpu: &Gpu, values: &[[f32; 256]; 3]) -> Result<Self, RenderError> {
        gpu.scoped("compiling shaders", || {
            let layout = gpu.device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
                label: Some("tensor"),
                entries: &[
                    compute::entry(0, compute::uniform(true, size_of::<TensorWindow>())),
                    compute::entry(1, compute::storage(true)),
                    compute::entry(2, compute::storage(true)),
                    compute::entry(3, compute::storage(false)),
                ],
            });
            Self {
                pipeline: compute::pipeline(gpu, "tensor", TENSOR_WGSL, "tensor_image", &layout),
                layout,
                values: gpu.device.create_buffer_init(&wgpu::util::BufferInitDescriptor {
                    label: Some("values of bytes"),
                    contents: bytemuck::cast_slice(values.as_flattened()),
                    usage: wgpu::BufferUsages::STORAGE,
                }),
                gpu: gpu.clone(),
            }
        })
    }

    /// Hands the writing of `windows`, each `side` x `side` pixels, to the queue: window `i` becomes image `i`.
    ///
    /// # Errors
    /// The tensor has another size, a window reaches beyond its picture, or the driver refuses.
    pub fn write(&self, windows: &[PictureWindow<'_>], side: u32, tensor: &TensorBytes) -> Result<(), RenderError> {
        let wanted = windows.len() as u64 * 3 * u64::from(side) * u64::from(side) * 4;
        let inside = |w: &PictureWindow<'_>| {
            let most = w.pair.side();
            w.picture < 2 && w.left.saturating_add(side) <= most && w.top.saturating_add(side) <= most
        };
        if tensor.size != wanted || !windows.iter().all(inside) {
            return Err(RenderError::Config(format!(
                "a tensor of {} bytes cannot take {} windows of {side} x {side} pixels",
                tensor.size,
                windows.len()
            )));
        }
        if windows.is_empty() {
            return Ok(());
        }
        self.gpu.scoped("writing a tensor", || {
            let (uniforms, stride) = self.uniforms(windows, side);
            let mut encoder = self.gpu.device.create_command_encoder(&Default::default());
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
                label: Some("tensor"),
                timestamp_writes: None,
            });
            pass.set_pipeline(&self.pipeline);
            for (image, window) in windows.iter().enumerate() {
                let group = self.group(&uniforms, window.pair, tensor);
                pass.set_bind_group(0, &group, &[image as u32 * stride]);
                pass.dispatch_workgroups(side.div_ceil(8), side.div_ceil(8), 1);
            }
            drop(pass);
            self.gpu.queue.submit([encoder.finish()]);
        })
    }

    /// The windows as uniforms, and the bytes from one to the next.
    fn uniforms(&self, windows: &[PictureWindow<'_>], side: u32) -> (wgpu::Buffer, u32) {
        let alignment = self.gpu.device.limits().min_uniform_buffer_offset_alignment;
        let stride = (size_of::<TensorWindow>() as u32).next_multiple_of(alignment.max(1));
        let mut bytes = vec![0; stride as usize * windows.len()];
        for ((image, window), slot) in windows.iter().enumerate().zip(bytes.chunks_exact_mut(stride as usize)) {
            let uniform = TensorWindow {
                first_word: (window.pair.start(window.picture) / 4) as u32,
                row_words: window.pair.row_words(),
                left: window.left,
                top: window.top,
                side,
                image: image as u32,
                pad_a: 0,
                pad_b: 0,
            };
            slot[..size_of::<TensorWindow>()].copy_from_slice(bytemuck::bytes_of(&uniform));
        }
        let buffer = self.gpu.device.create_buffer_init(&wgpu::util::BufferInitDescriptor {
            label: Some("tensor windows"),
            contents: &bytes,
            usage: wgpu::BufferUsages::UNIFORM,
        });
        (buffer, stride)
    }

    fn group(&self, uniforms: &wgpu::Buffer, pair: &GpuImages, tensor: &TensorBytes) -> wgpu::BindGroup {
        self.gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("tensor"),
            layout: &self.layout,
            entries: &[
                compute::bound(
                    0,
                    wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                        buffer: uniforms,
                        offset: 0,
                        size: wgpu::BufferSize::new(size_of::<TensorWindow>() as u64),
                    }),
                ),
                compute::bound(1, self.values.as_entire_binding()),
                compute::bound(2, pair.buffer.as_entire_binding()),
                // Its library keeps many tensors in one buffer: never the whole of it.
                compute::bound(
                    3,
                    wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                        buffer: &tensor.buffer,
                        offset: tensor.offset,
                        size: wgpu::BufferSize::new(tensor.size),
                    }),
                ),
            ],
        })
    }
}
