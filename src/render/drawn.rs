//! Views that were drawn and still lie on the device, while the host decides which of them it wants.

use std::sync::{Arc, Mutex, PoisonError};

use image::GrayImage;

use super::error::RenderError;
use super::gpu::Gpu;
use super::images::GpuImages;
use super::target::{DepthScale, Picture, Target};
use super::timing::Stopwatch;
use crate::camera::Camera;
use crate::view::{DepthMap, View};

/// Views of one batch on the device. Dropping it gives their targets to the next batch.
#[derive(Debug)]
pub struct Drawn {
    pub(super) gpu: Gpu,
    pub(super) crop: u32,
    pub(super) cameras: Vec<Camera>,
    pub(super) pictures: Vec<Picture>,
    /// Each submission's target with the scale of each of its layers.
    pub(super) held: Vec<(Target, Vec<DepthScale>)>,
    pub(super) idle: Arc<Mutex<Vec<Target>>>,
    pub(super) stopwatch: Arc<Stopwatch>,
}

impl Drawn {
    /// Views of the batch.
    pub fn count(&self) -> usize {
        self.cameras.len()
    }

    /// Camera of the centred window of a view.
    pub fn camera(&self, view: usize) -> Camera {
        let (camera, crop) = (self.cameras[view], self.crop);
        let (width, height) = (camera.intrinsics.width, camera.intrinsics.height);
        camera.crop((width - crop) / 2, (height - crop) / 2, crop, crop)
    }

    /// The window of a view as luma and the share of its pixels with a surface; `None` where colours and depth were
    /// read back instead.
    pub fn gray(&self, view: usize) -> Option<(&GrayImage, f64)> {
        let (image, surfaces) = self.pictures[view].gray.as_ref()?;
        Some((image, f64::from(*surfaces) / f64::from(self.crop * self.crop)))
    }

    /// The window of a view as it was read back; without pixels where only luma was.
    pub fn view(&self, view: usize) -> View {
        let picture = &self.pictures[view];
        if picture.gray.is_some() {
            let empty = DepthMap {
                width: 0,
                height: 0,
                metres: Vec::new(),
            };
            return View {
                camera: self.camera(view),
                color: image::RgbImage::new(0, 0),
                depth: empty,
            };
        }
        let whole = View {
            camera: self.cameras[view],
            color: picture.color.clone(),
            depth: picture.depth.clone(),
        };
        whole.center_crop(self.crop)
    }

    /// Reads the depth of one view back: its window, metres.
    ///
    /// # Errors
    /// The device failed meanwhile.
    pub fn depth(&self, view: usize) -> Result<DepthMap, RenderError> {
        let (held, layer) = self.place(view);
        let (target, scales) = &self.held[held];
        let depth = target.read_depth(&self.gpu, layer, scales[layer as usize], &self.stopwatch)?;
        let (left, top) = ((depth.width - self.crop) / 2, (depth.height - self.crop) / 2);
        Ok(depth.crop(left, top, self.crop, self.crop))
    }

    /// Copies the windows of two views into a buffer of their own, on the device.
    ///
    /// # Errors
    /// The device refuses the memory.
    pub fn pair(&self, first: usize, second: usize) -> Result<GpuImages, RenderError> {
        self.gpu.scoped("keeping a pair", || {
            let images = GpuImages::new(&self.gpu, self.crop);
            let mut encoder = self.gpu.device.create_command_encoder(&Default::default());
            for (picture, view) in [first, second].into_iter().enumerate() {
                let (held, layer) = self.place(view);
                images.record(&mut encoder, picture, self.held[held].0.color_texture(), layer);
            }
            self.gpu.queue.submit([encoder.finish()]);
            images
        })
    }

    /// Which target a view lies in, and its layer there.
    fn place(&self, view: usize) -> (usize, u32) {
        let mut layer = view;
        for (held, (_, scales)) in self.held.iter().enumerate() {
            if layer < scales.len() {
                return (held, layer as u32);
            }
            layer -= scales.len();
        }
        // Out of range: the indexing of the caller's slice reports it.
        (self.held.len(), 0)
    }
}

impl Drop for Drawn {
    fn drop(&mut self) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.extend(self.held.drain(..).map(|(target, _)| target));
    }
}
