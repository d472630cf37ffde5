//! Cameras in, views out.

use std::sync::{Arc, Mutex, PoisonError};

use super::config::{Alpha, Culling, Filter, RenderConfig};
use super::cull::{self, Frustum, Run};
use super::error::RenderError;
use super::gpu::Gpu;
use super::gpu_scene::{GpuScene, Group};
use super::mesh::{Coverage, Pipelines};
use super::target::Target;
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
}

/// Pictures that were asked for and may not be there yet.
#[must_use = "the pictures come with wait()"]
#[derive(Debug)]
pub struct Pending {
    gpu: Gpu,
    near_m: f32,
    parts: Vec<(Target, wgpu::SubmissionIndex, Vec<Camera>)>,
    idle: Arc<Mutex<Vec<Target>>>,
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
        })
    }

    /// The configuration it was made with.
    pub fn config(&self) -> &RenderConfig {
        &self.config
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

    fn submit_part(
        &self,
        scene: &GpuScene,
        cameras: &[Camera],
    ) -> Result<(Target, wgpu::SubmissionIndex, Vec<Camera>), RenderError> {
        let k = &cameras[0].intrinsics;
        let target = self.target(k.width, k.height, cameras.len() as u32)?;
        let (uniforms, frusta): (Vec<_>, Vec<Frustum>) = cameras
            .iter()
            .map(|camera| cull::view_of(camera, scene.origin, self.config.near_m))
            .unzip();
        let submission = self.gpu.scoped("drawing", || {
            target.write_uniforms(&self.gpu, &uniforms);
            let mut encoder = self.gpu.device.create_command_encoder(&Default::default());
            let mut runs = Vec::new();
            for (layer, frustum) in frusta.iter().enumerate() {
                self.draw(&mut encoder, scene, &target, layer, frustum, &mut runs);
            }
            target.copy_back(&mut encoder, cameras.len() as u32);
            self.gpu.queue.submit([encoder.finish()])
        })?;
        Ok((target, submission, cameras.to_vec()))
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

    /// One camera: opaque groups nearest first, then transparent ones.
    fn draw(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        scene: &GpuScene,
        target: &Target,
        layer: usize,
        frustum: &Frustum,
        runs: &mut Vec<Run>,
    ) {
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
        let mut blended = Vec::new();
        for (place, group) in scene.groups.iter().enumerate() {
            let (coverage, cull) = self.rules(group);
            if coverage == Coverage::Blended {
                frustum.visible_back_to_front(&group.clusters, cull, runs);
                blended.extend(runs.iter().map(|run| (place, *run)));
                continue;
            }
            frustum.visible(&group.clusters, cull, runs);
            if runs.is_empty() {
                continue;
            }
            runs.sort_by(|a, b| a.nearest.total_cmp(&b.nearest).then(a.first_index.cmp(&b.first_index)));
            self.bind(&mut pass, group);
            for run in runs.iter() {
                pass.draw_indexed(run.first_index..run.first_index + run.index_count, 0, 0..1);
            }
        }
        blended.sort_by(|(_, a), (_, b)| b.nearest.total_cmp(&a.nearest).then(a.first_index.cmp(&b.first_index)));
        let mut bound = None;
        for (place, run) in blended {
            if bound != Some(place) {
                self.bind(&mut pass, &scene.groups[place]);
                bound = Some(place);
            }
            pass.draw_indexed(run.first_index..run.first_index + run.index_count, 0, 0..1);
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
        for (target, submission, cameras) in self.parts {
            views.extend(target.read(&self.gpu, submission, &cameras, self.near_m)?);
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(target);
        }
        Ok(views)
    }
}
