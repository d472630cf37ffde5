//! Cameras in, views out.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::capture::{self, PendingCaptures};
use super::config::{Culling, RenderConfig};
use super::cull::{self, Shot};
use super::draw_list::Lister;
use super::drawn::Drawn;
use super::error::RenderError;
use super::fine_cull::{PixelView, Projected};
use super::gpu::Gpu;
use super::gpu_data::ViewUniforms;
use super::gpu_scene::GpuScene;
use super::gray::GrayPipeline;
use super::mesh::{Pipelines, Stage};
use super::readback::Readback;
use super::record::{Lists, Recorder};
use super::sensors::{SensorPipelines, Sensors};
use super::target::{DepthScale, MapResult, Picture, Target};
use super::timing::{Step, Stopwatch, Timings};
use crate::camera::{Camera, PosedCamera};
use crate::view::{Capture, View};

/// Pixels that one submission draws at most; larger batches become several. 24 views of 512 x 512.
const SUBMISSION_PIXELS: u64 = 24 * 512 * 512;
/// Targets that are kept for later, the longest unused one given up first: five batches under way, and some of
/// another shape, such as the two views of a pair.
const IDLE_TARGETS: usize = 8;
/// How much farther than it is a back face counts as when it is left out: see the WGSL.
const BACK_FACE_PUSH: f64 = 1e-4;

/// Draws scenes. Shareable between threads; each batch has its own targets, which are used again.
#[derive(Debug)]
pub struct Renderer {
    gpu: Gpu,
    config: RenderConfig,
    perspective: Model,
    /// Made when the first orthographic camera comes.
    parallel: OnceLock<Model>,
    gray: GrayPipeline,
    idle: Arc<Mutex<Vec<Target>>>,
    /// Cameras of one submission at most: fewer once the adapter ran out of memory.
    most_at_once: AtomicUsize,
    stopwatch: Arc<Stopwatch>,
}

/// The pipelines of one way to project.
#[derive(Debug)]
pub(super) struct Model {
    pub stage: Stage,
    pub pipelines: Pipelines,
    pub sensors: SensorPipelines,
}

/// Pictures that were asked for and may not be there yet.
#[must_use = "the pictures come with wait()"]
#[derive(Debug)]
pub struct Pending {
    pub(super) shots: Vec<Shot>,
    gpu: Gpu,
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
    scales: Vec<DepthScale>,
}

impl Model {
    fn new(gpu: &Gpu, config: &RenderConfig, orthographic: bool) -> Result<Self, RenderError> {
        // Where back faces show they are marked where they are, else where they hide what shows.
        let push = match config.culling {
            Culling::Habitat | Culling::Gltf => BACK_FACE_PUSH,
            Culling::None => -BACK_FACE_PUSH,
        };
        gpu.scoped("compiling shaders", || {
            let stage = Stage::new(&gpu.device, &gpu.layouts, orthographic, push);
            Self {
                pipelines: Pipelines::new(&stage),
                stage,
                sensors: SensorPipelines::default(),
            }
        })
    }
}

impl Renderer {
    /// Builds the pipelines.
    ///
    /// # Errors
    /// [`RenderError::Config`] where the configuration is out of range, [`RenderError::Device`] where
    /// the driver refuses a pipeline.
    pub fn new(gpu: &Gpu, config: &RenderConfig) -> Result<Self, RenderError> {
        config.validate().map_err(RenderError::Config)?;
        Ok(Self {
            gpu: gpu.clone(),
            config: config.clone(),
            perspective: Model::new(gpu, config, false)?,
            parallel: OnceLock::new(),
            gray: gpu.scoped("compiling shaders", || GrayPipeline::new(gpu))?,
            idle: Arc::default(),
            most_at_once: AtomicUsize::new(usize::MAX),
            stopwatch: Arc::default(),
        })
    }

    /// The device that it draws with.
    pub(super) fn gpu(&self) -> &Gpu {
        &self.gpu
    }

    /// The configuration it was made with.
    pub fn config(&self) -> &RenderConfig {
        &self.config
    }

    /// Where the time went so far.
    pub fn timings(&self) -> Timings {
        self.stopwatch.read()
    }

    /// Bytes of pictures that travelled from the device to the host so far, padding included.
    pub fn bytes_read(&self) -> u64 {
        self.stopwatch.bytes()
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
    /// adapter's picture size, [`RenderError::OutOfMemory`] where not even one picture fits (batches are
    /// made smaller first), [`RenderError::Lost`] and [`RenderError::Device`] where the driver fails.
    pub fn submit(&self, scene: &GpuScene, cameras: &[Camera]) -> Result<Pending, RenderError> {
        let shots = cameras.iter().map(|&camera| Shot::Pinhole(camera)).collect();
        self.submit_shots(scene, shots, Sensors::default(), Readback::Whole)
    }

    /// As [`Renderer::submit`], but only the luma of the centred square of `crop` pixels and the number of its pixels
    /// with a surface travel to the host: see [`Pending::drawn`].
    ///
    /// # Errors
    /// As [`Renderer::submit`], and where a picture is smaller than `crop`.
    pub fn submit_gray(&self, scene: &GpuScene, cameras: &[Camera], crop: u32) -> Result<Pending, RenderError> {
        let too_small = |camera: &Camera| camera.intrinsics.width.min(camera.intrinsics.height) < crop;
        if let Some(index) = cameras.iter().position(too_small) {
            let reason = "has a smaller picture than the window that is asked for";
            return Err(RenderError::Camera { index, reason });
        }
        let shots = cameras.iter().map(|&camera| Shot::Pinhole(camera)).collect();
        self.submit_shots(scene, shots, Sensors::default(), Readback::Gray { crop })
    }

    /// Share of a camera's pixels whose rays meet the back of a surface first, in [0, 1].
    ///
    /// # Errors
    /// As [`Renderer::submit`] and [`Pending::wait`].
    pub fn back_face_fraction(&self, scene: &GpuScene, camera: &Camera) -> Result<f64, RenderError> {
        let found = self.back_face_fractions(scene, std::slice::from_ref(camera))?;
        Ok(found.into_iter().sum())
    }

    /// As [`Renderer::back_face_fraction`] for several cameras, in order, that agree in size.
    ///
    /// # Errors
    /// As [`Renderer::submit`] and [`Pending::wait`].
    pub fn back_face_fractions(&self, scene: &GpuScene, cameras: &[Camera]) -> Result<Vec<f64>, RenderError> {
        let shots = cameras.iter().map(|&camera| Shot::Pinhole(camera)).collect();
        let pending = self.submit_shots(scene, shots, Sensors::validity(), Readback::Marks)?;
        let mut fractions = Vec::with_capacity(cameras.len());
        for picture in pending.pictures()? {
            let backs = picture.backs.ok_or(RenderError::Device {
                action: "looking for back faces",
                reason: "no picture came back".to_owned(),
            })?;
            let count = backs.iter().filter(|&&back| back).count();
            fractions.push(count as f64 / backs.len().max(1) as f64);
        }
        Ok(fractions)
    }

    /// Draws the scene from cameras of any model, with the given channels, and waits: one capture a
    /// camera, in order.
    ///
    /// # Errors
    /// As [`Renderer::submit_captures`] and [`PendingCaptures::wait`].
    pub fn capture(
        &self,
        scene: &GpuScene,
        cameras: &[PosedCamera],
        sensors: Sensors,
    ) -> Result<Vec<Capture>, RenderError> {
        self.submit_captures(scene, cameras, sensors)?.wait()
    }

    /// As [`Renderer::submit`] for cameras of any model, with the given channels.
    ///
    /// Cameras of one batch must agree in model and size. An equirectangular picture is made from six
    /// square ones. Normals and ids need a scene that was uploaded for them ([`GpuScene::upload_for`]).
    ///
    /// # Errors
    /// As [`Renderer::submit`], and [`RenderError::Config`] where the scene lacks what a sensor needs.
    pub fn submit_captures(
        &self,
        scene: &GpuScene,
        cameras: &[PosedCamera],
        sensors: Sensors,
    ) -> Result<PendingCaptures, RenderError> {
        if sensors.numbers() && scene.triangle_numbers.is_none() {
            return Err(RenderError::Config(
                "normals and ids were asked of a scene that was uploaded without them: use GpuScene::upload_for"
                    .to_owned(),
            ));
        }
        let shots = capture::shots(cameras)?;
        let table = scene.triangle_numbers.as_ref().map(|n| Arc::clone(&n.table));
        let pending = self.submit_shots(scene, shots, sensors, Readback::Whole)?;
        Ok(PendingCaptures::new(cameras, sensors, table, pending))
    }

    fn submit_shots(
        &self,
        scene: &GpuScene,
        shots: Vec<Shot>,
        sensors: Sensors,
        readback: Readback,
    ) -> Result<Pending, RenderError> {
        self.check(&shots)?;
        let mut parts = Vec::new();
        if let Some(first) = shots.first() {
            let (width, height) = first.camera().model.size();
            let pixels = u64::from(width) * u64::from(height);
            let layers = self.gpu.device.limits().max_texture_array_layers as usize;
            let most = ((SUBMISSION_PIXELS / pixels) as usize).clamp(1, layers);
            let mut rest = shots.as_slice();
            while !rest.is_empty() {
                let most = most.min(self.most_at_once.load(Ordering::Relaxed));
                let (part, later) = rest.split_at(most.min(rest.len()));
                match self.submit_part(scene, part, sensors, readback) {
                    Ok(done) => {
                        parts.push(done);
                        rest = later;
                    }
                    Err(RenderError::OutOfMemory { .. }) if part.len() > 1 => self.draw_fewer_than(part.len()),
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(Pending {
            shots,
            gpu: self.gpu.clone(),
            parts,
            idle: Arc::clone(&self.idle),
            stopwatch: Arc::clone(&self.stopwatch),
        })
    }

    /// Halves the batches to come and gives up what is kept for later.
    fn draw_fewer_than(&self, cameras: usize) {
        let fewer = cameras / 2;
        tracing::warn!("the adapter has no memory for {cameras} pictures at once: going on with {fewer}");
        self.most_at_once.store(fewer, Ordering::Relaxed);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn check(&self, shots: &[Shot]) -> Result<(), RenderError> {
        let limit = self.gpu.adapter().max_texture_px;
        for (index, shot) in shots.iter().enumerate() {
            let refuse = |reason| Err(RenderError::Camera { index, reason });
            let camera = shot.camera();
            let (width, height) = camera.model.size();
            if width == 0 || height == 0 {
                return refuse("has no pixels");
            }
            if (width, height) != shots[0].camera().model.size() {
                return refuse("differs in picture size from the first of its batch");
            }
            let finite = match shot {
                Shot::Pinhole(Camera { intrinsics: k, .. }) => [k.fx, k.fy, k.cx, k.cy].iter().all(|v| v.is_finite()),
                Shot::Parallel(o, _) => o.width_m.is_finite() && o.width_m > 0.0,
            };
            if !camera.world_from_camera.is_finite() || !finite {
                return refuse("has a pose or projection that is not finite");
            }
            if width > limit || height > limit {
                return Err(RenderError::TooLarge {
                    what: "the picture".to_owned(),
                    size: format!("{width} x {height} pixels"),
                    limit: format!("{limit} x {limit} pixels"),
                });
            }
        }
        Ok(())
    }

    /// The pipelines of a batch, which is of one model.
    fn model(&self, shot: &Shot) -> Result<&Model, RenderError> {
        if let Shot::Pinhole(_) = shot {
            return Ok(&self.perspective);
        }
        if let Some(model) = self.parallel.get() {
            return Ok(model);
        }
        let made = Model::new(&self.gpu, &self.config, true)?;
        Ok(self.parallel.get_or_init(|| made))
    }

    fn submit_part(
        &self,
        scene: &GpuScene,
        shots: &[Shot],
        sensors: Sensors,
        readback: Readback,
    ) -> Result<Part, RenderError> {
        let model = self.model(&shots[0])?;
        model.sensors.prepare(&self.gpu, &model.stage, sensors)?;
        let size = shots[0].camera().model.size();
        let mut target = self.target(size, shots.len() as u32, sensors, readback)?;
        let mut indices = Vec::new();
        let mut scales = Vec::with_capacity(shots.len());
        let (uniforms, lists): (Vec<_>, Vec<_>) = self.stopwatch.time(Step::Cull, || {
            let mut scratch = Projected::default();
            let mut listed = |shot| {
                let (uniforms, scale, lists) = self.lists(scene, shot, sensors, &mut scratch, &mut indices);
                scales.push(scale);
                (uniforms, lists)
            };
            shots.iter().map(&mut listed).unzip()
        });
        let (submission, mapped) = self.stopwatch.time(Step::Record, || {
            self.gpu.scoped("drawing", || {
                target.write_uniforms(&self.gpu, &uniforms);
                target.write_indices(&self.gpu, &indices);
                let mut encoder = self.gpu.device.create_command_encoder(&Default::default());
                let recorder = Recorder {
                    model,
                    config: &self.config,
                    scene,
                    target: &target,
                };
                for (layer, lists) in lists.iter().enumerate() {
                    recorder.record(&mut encoder, layer, lists);
                }
                self.stopwatch
                    .count_bytes(target.copy_back(&mut encoder, shots.len() as u32));
                (self.gpu.queue.submit([encoder.finish()]), target.map())
            })
        })?;
        Ok(Part {
            mapped,
            target,
            submission,
            scales,
        })
    }

    /// What one camera draws.
    fn lists(
        &self,
        scene: &GpuScene,
        shot: &Shot,
        sensors: Sensors,
        scratch: &mut Projected,
        indices: &mut Vec<u32>,
    ) -> (ViewUniforms, DepthScale, Lists) {
        let near_m = self.config.near_m;
        let (pixels, far_m, scale) = match shot {
            Shot::Pinhole(camera) => {
                let scale = DepthScale::Perspective { near_m: near_m as f32 };
                (Some(PixelView::new(camera, scene.origin, near_m)), 0.0, scale)
            }
            Shot::Parallel(..) => {
                let clusters = scene.groups.iter().flat_map(|group| &group.clusters);
                let far_m = cull::reach(shot, scene.origin, near_m, clusters);
                let scale = DepthScale::Parallel {
                    near_m: near_m as f32,
                    far_m,
                };
                (None, far_m, scale)
            }
        };
        let (uniforms, frustum) = cull::view_of(shot, scene.origin, near_m, far_m);
        let mut lister = Lister {
            scene,
            config: &self.config,
            frustum: &frustum,
            pixels,
            scratch,
            indices,
        };
        let lists = Lists {
            colors: lister.colors(),
            numbers: sensors.numbers().then(|| lister.numbers()),
            backs: sensors.validity.then(|| lister.backs()),
        };
        (uniforms, scale, lists)
    }

    fn target(
        &self,
        size: (u32, u32),
        layers: u32,
        sensors: Sensors,
        readback: Readback,
    ) -> Result<Target, RenderError> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let fitting = idle.iter().position(|t| t.fits(size, layers, sensors, readback));
        match fitting {
            Some(index) => Ok(idle.remove(index)),
            None => {
                // Targets of a shape that is asked for no more would only hold memory.
                if idle.len() >= IDLE_TARGETS {
                    idle.remove(0);
                }
                drop(idle);
                Target::new(&self.gpu, size, layers, sensors, readback, &self.gray)
            }
        }
    }
}

impl Pending {
    /// Waits until everything has been drawn and copied, without reading it: for those who time the two apart.
    ///
    /// # Errors
    /// [`RenderError::Device`] where the device failed meanwhile.
    pub fn wait_for_drawing(&self) -> Result<(), RenderError> {
        self.parts
            .iter()
            .try_for_each(|part| self.gpu.wait(part.submission.clone()))
    }

    /// Waits for the device and gives the views in the order of the cameras.
    ///
    /// # Errors
    /// [`RenderError::Device`] where the device failed meanwhile.
    pub fn wait(mut self) -> Result<Vec<View>, RenderError> {
        let shots = std::mem::take(&mut self.shots);
        let pictures = self.pictures()?;
        let views = shots.iter().zip(pictures).filter_map(|(shot, picture)| {
            // Only pinhole cameras come this way.
            let Shot::Pinhole(camera) = *shot else { return None };
            Some(View {
                camera,
                color: picture.color,
                depth: picture.depth,
            })
        });
        Ok(views.collect())
    }

    /// Waits for the device and keeps the views there; `crop` is the side of the centred windows that they are seen
    /// through, at most that of the pictures.
    ///
    /// # Errors
    /// [`RenderError::Device`] where the device failed meanwhile.
    pub fn drawn(mut self, crop: u32) -> Result<Drawn, RenderError> {
        let mut drawn = Drawn {
            gpu: self.gpu.clone(),
            crop,
            // Only pinhole cameras come this way.
            cameras: std::mem::take(&mut self.shots)
                .into_iter()
                .filter_map(|shot| match shot {
                    Shot::Pinhole(camera) => Some(camera),
                    Shot::Parallel(..) => None,
                })
                .collect(),
            pictures: Vec::new(),
            held: Vec::new(),
            idle: Arc::clone(&self.idle),
            stopwatch: Arc::clone(&self.stopwatch),
        };
        for part in self.parts {
            let Part {
                target,
                submission,
                mapped,
                scales,
            } = part;
            let pictures = target.read(&self.gpu, submission, &mapped, &scales, &self.stopwatch)?;
            drawn.pictures.extend(pictures);
            drawn.held.push((target, scales));
        }
        Ok(drawn)
    }

    /// Waits for the device and gives what came back, in the order of the shots.
    pub(super) fn pictures(self) -> Result<Vec<Picture>, RenderError> {
        let mut pictures = Vec::new();
        for part in self.parts {
            pictures.extend(part.target.read(
                &self.gpu,
                part.submission,
                &part.mapped,
                &part.scales,
                &self.stopwatch,
            )?);
            self.idle
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(part.target);
        }
        Ok(pictures)
    }
}
