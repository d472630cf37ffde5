//! Cameras in, views out.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use super::config::{Alpha, Culling, Filter, RenderConfig};
use super::cull::{self, Frustum, Run};
use super::error::RenderError;
use super::fine_cull::{self, PixelView, Projected};
use super::gpu::Gpu;
use super::gpu_scene::{GpuScene, Group};
use super::mesh::{Coverage, Pipelines};
use super::target::{MapResult, Target};
use super::timing::{Step, Stopwatch, Timings};
use crate::camera::Camera;
use crate::scene::AlphaMode;
use crate::view::View;

/// Pixels that one submission draws at most; larger batches become several. 24 views of 512 x 512.
const SUBMISSION_PIXELS: u64 = 24 * 512 * 512;

/// Draws scenes. Shareable between threads; each batch has its own targets, which are used again.
#[derive(Debug)]
pub struct Renderer {
    gpu: Gpu,
    config: RenderConfig,
    pipelines: Pipelines,
    idle: Arc<Mutex<Vec<Target>>>,
    stopwatch: Arc<Stopwatch>,
}

/// One draw call.
#[derive(Debug)]
struct Draw {
    /// Place in [`GpuScene::groups`].
    group: usize,
    /// True where the indices are the batch's own, false where they are the scene's.
    picked: bool,
    indices: Range<u32>,
}

/// Pictures that were asked for and may not be there yet.
#[must_use = "the pictures come with wait()"]
#[derive(Debug)]
pub struct Pending {
    gpu: Gpu,
    near_m: f32,
    parts: Vec<Part>,
    idle: Arc<Mutex<Vec<Target>>>,
    stopwatch: Arc<Stopwatch>,
}

/// One submission under way.
#[derive(Debug)]
struct Part {
    target: Target,
    submission: wgpu::SubmissionIndex,
    mapped: MapResult,
    cameras: Vec<Camera>,
}

impl Renderer {
    /// Builds the pipelines.
    ///
    /// # Errors
    /// [`RenderError::Config`] where the configuration is out of range, [`RenderError::Device`] where
    /// the driver refuses a pipeline.
    pub fn new(gpu: &Gpu, config: &RenderConfig) -> Result<Self, RenderError> {
        config.validate().map_err(RenderError::Config)?;
        let pipelines = gpu.scoped("compiling shaders", || Pipelines::new(&gpu.device, &gpu.layouts))?;
        Ok(Self {
            gpu: gpu.clone(),
            config: config.clone(),
            pipelines,
            idle: Arc::default(),
            stopwatch: Arc::default(),
        })
    }

    /// The configuration it was made with.
    pub fn config(&self) -> &RenderConfig {
        &self.config
    }

    /// Where the time went so far.
    pub fn timings(&self) -> Timings {
        self.stopwatch.read()
    }

    /// Draws the scene from every camera and waits: one view a camera, in order.
    ///
    /// # Errors
    /// As [`Renderer::submit`] and [`Pending::wait`].
    pub fn render(&self, scene: &GpuScene, cameras: &[Camera]) -> Result<Vec<View>, RenderError> {
        self.submit(scene, cameras)?.wait()
    }

    /// Hands the drawing of all cameras to the device and returns at once.
    ///
    /// The picture's size and projection are the camera's own; cameras of one batch must agree in size.
    ///
    /// # Errors
    /// [`RenderError::Camera`] for a camera that cannot be drawn, [`RenderError::TooLarge`] beyond the
    /// adapter's picture size, [`RenderError::Device`] where the driver refuses.
    pub fn submit(&self, scene: &GpuScene, cameras: &[Camera]) -> Result<Pending, RenderError> {
        let mut pending = Pending {
            gpu: self.gpu.clone(),
            near_m: self.config.near_m as f32,
            parts: Vec::new(),
            idle: Arc::clone(&self.idle),
            stopwatch: Arc::clone(&self.stopwatch),
        };
        let Some(first) = cameras.first() else {
            return Ok(pending);
        };
        self.check(cameras)?;
        let pixels = u64::from(first.intrinsics.width) * u64::from(first.intrinsics.height);
        let layers = self.gpu.device.limits().max_texture_array_layers as usize;
        let most = ((SUBMISSION_PIXELS / pixels) as usize).clamp(1, layers);
        for part in cameras.chunks(most) {
            pending.parts.push(self.submit_part(scene, part)?);
        }
        Ok(pending)
    }

    fn check(&self, cameras: &[Camera]) -> Result<(), RenderError> {
        let limit = self.gpu.adapter().max_texture_px;
        let size = |c: &Camera| (c.intrinsics.width, c.intrinsics.height);
        for (index, camera) in cameras.iter().enumerate() {
            let refuse = |reason| Err(RenderError::Camera { index, reason });
            let k = &camera.intrinsics;
            if k.width == 0 || k.height == 0 {
                return refuse("has no pixels");
            }
            if size(camera) != size(&cameras[0]) {
                return refuse("differs in picture size from the first of its batch");
            }
            if !camera.world_from_camera.is_finite() || ![k.fx, k.fy, k.cx, k.cy].iter().all(|v| v.is_finite()) {
                return refuse("has a pose or projection that is not finite");
            }
            if k.width > limit || k.height > limit {
                return Err(RenderError::TooLarge {
                    what: "the picture".to_owned(),
                    size: format!("{} x {} pixels", k.width, k.height),
                    limit: format!("{limit} x {limit} pixels"),
                });
            }
        }
        Ok(())
    }

    fn submit_part(&self, scene: &GpuScene, cameras: &[Camera]) -> Result<Part, RenderError> {
        let k = &cameras[0].intrinsics;
        let mut target = self.target(k.width, k.height, cameras.len() as u32)?;
        let mut indices = Vec::new();
        let (uniforms, lists): (Vec<_>, Vec<_>) = self.stopwatch.time(Step::Cull, || {
            let mut scratch = Projected::default();
            cameras
                .iter()
                .map(|camera| {
                    let (uniforms, frustum) = cull::view_of(camera, scene.origin, self.config.near_m);
                    let pixels = PixelView::new(camera, scene.origin, self.config.near_m);
                    let list = self.draw_list(scene, &frustum, &pixels, &mut scratch, &mut indices);
                    (uniforms, list)
                })
                .unzip()
        });
        let submission = self.stopwatch.time(Step::Record, || {
            self.gpu.scoped("drawing", || {
                target.write_uniforms(&self.gpu, &uniforms);
                target.write_indices(&self.gpu, &indices);
                let mut encoder = self.gpu.device.create_command_encoder(&Default::default());
                for (layer, list) in lists.iter().enumerate() {
                    self.draw(&mut encoder, scene, &target, layer, list);
                }
                target.copy_back(&mut encoder, cameras.len() as u32);
                self.gpu.queue.submit([encoder.finish()])
            })
        })?;
        Ok(Part {
            mapped: target.map(),
            target,
            submission,
            cameras: cameras.to_vec(),
        })
    }

    fn target(&self, width: u32, height: u32, layers: u32) -> Result<Target, RenderError> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let fitting = idle.iter().position(|t| t.fits(width, height, layers));
        match fitting {
            Some(index) => Ok(idle.swap_remove(index)),
            None => {
                // Targets of another shape would only hold memory.
                idle.clear();
                drop(idle);
                Target::new(&self.gpu, width, height, layers)
            }
        }
    }

    /// What one camera draws, in order: opaque groups nearest part first, then what is laid over
    /// them, farthest first. Triangles that were picked one by one are appended to `indices`.
    fn draw_list(
        &self,
        scene: &GpuScene,
        frustum: &Frustum,
        pixels: &PixelView,
        scratch: &mut Projected,
        indices: &mut Vec<u32>,
    ) -> Vec<Draw> {
        let mut list = Vec::with_capacity(scene.groups.len());
        let mut blended = Vec::new();
        for (place, group) in scene.groups.iter().enumerate() {
            let (coverage, cull) = self.rules(group);
            let draw = |run: &Run| Draw {
                group: place,
                picked: false,
                indices: run.first_index..run.first_index + run.index_count,
            };
            match (&scene.host, coverage) {
                (_, Coverage::Blended) => {
                    let runs = frustum.visible_back_to_front(&group.clusters, cull);
                    blended.extend(runs.iter().map(|run| (run.nearest, draw(run))));
                }
                (Some(host), _) => {
                    let clusters = frustum.visible_front_to_back(&group.clusters, cull);
                    let first = indices.len() as u32;
                    fine_cull::keep_visible(host, &clusters, pixels, cull, scratch, indices);
                    if indices.len() as u32 > first {
                        list.push(Draw {
                            group: place,
                            picked: true,
                            indices: first..indices.len() as u32,
                        });
                    }
                }
                (None, _) => list.extend(frustum.visible_runs(&group.clusters, cull).iter().map(draw)),
            }
        }
        blended.sort_by(|(a, left), (b, right)| b.total_cmp(a).then(left.indices.start.cmp(&right.indices.start)));
        list.extend(blended.into_iter().map(|(_, draw)| draw));
        list
    }

    fn draw(&self, encoder: &mut wgpu::CommandEncoder, scene: &GpuScene, target: &Target, layer: usize, list: &[Draw]) {
        let (color, depth) = &target.layer_views[layer];
        let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            label: Some("view"),
            color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                view: color,
                depth_slice: None,
                resolve_target: None,
                ops: wgpu::Operations {
                    load: wgpu::LoadOp::Clear(wgpu::Color::BLACK),
                    store: wgpu::StoreOp::Store,
                },
            })],
            depth_stencil_attachment: Some(wgpu::RenderPassDepthStencilAttachment {
                view: depth,
                depth_ops: Some(wgpu::Operations {
                    load: wgpu::LoadOp::Clear(0.0),
                    store: wgpu::StoreOp::Store,
                }),
                stencil_ops: None,
            }),
            ..Default::default()
        });
        pass.set_bind_group(0, &target.view_group, &[target.uniform_offset(layer)]);
        pass.set_vertex_buffer(0, scene.vertices.slice(..));
        pass.set_index_buffer(scene.indices.slice(..), wgpu::IndexFormat::Uint32);
        let mut bound = None;
        let mut picked = false;
        for draw in list {
            if bound != Some(draw.group) {
                self.bind(&mut pass, &scene.groups[draw.group]);
                bound = Some(draw.group);
            }
            if picked != draw.picked {
                picked = draw.picked;
                let buffer = if picked { target.indices() } else { &scene.indices };
                pass.set_index_buffer(buffer.slice(..), wgpu::IndexFormat::Uint32);
            }
            pass.draw_indexed(draw.indices.clone(), 0, 0..1);
        }
    }

    fn bind(&self, pass: &mut wgpu::RenderPass<'_>, group: &Group) {
        let (coverage, cull) = self.rules(group);
        pass.set_pipeline(self.pipelines.get(group.shading, coverage, cull));
        let material = match self.config.filter {
            Filter::Mip => &group.material[0],
            Filter::Bilinear => &group.material[1],
        };
        pass.set_bind_group(1, material, &[]);
    }

    fn rules(&self, group: &Group) -> (Coverage, bool) {
        let coverage = match (self.config.alpha, group.alpha) {
            (Alpha::Habitat, _) | (_, AlphaMode::Opaque) => Coverage::Opaque,
            (Alpha::Gltf, AlphaMode::Mask(_)) => Coverage::Masked,
            (Alpha::Gltf, AlphaMode::Blend) => Coverage::Blended,
        };
        let cull = match self.config.culling {
            Culling::Habitat => true,
            Culling::Gltf => !group.double_sided,
            Culling::None => false,
        };
        (coverage, cull)
    }
}

impl Pending {
    /// Waits for the device and gives the views in the order of the cameras.
    ///
    /// # Errors
    /// [`RenderError::Device`] where the device failed meanwhile.
    pub fn wait(self) -> Result<Vec<View>, RenderError> {
        let mut views = Vec::new();
        for part in self.parts {
            views.extend(part.target.read(
                &self.gpu,
                part.submission,
                &part.mapped,
                &part.cameras,
                self.near_m,
                &self.stopwatch,
            )?);
            self.idle
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(part.target);
        }
        Ok(views)
    }
}
