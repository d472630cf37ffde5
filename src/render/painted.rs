//! Ids that are painted: a copy of the scene in which every object has one colour (HM3D's `*.semantic.glb`).

use super::config::{Filter, RenderConfig, Shading};
use super::error::RenderError;
use super::gpu::Gpu;
use super::gpu_scene::GpuScene;
use super::panorama;
use super::renderer::Renderer;
use super::sensors::Sensors;
use crate::camera::{CameraModel, PosedCamera};
use crate::scene::Scene;
use crate::view::{Capture, IdMap};

/// A painted scene on the device, drawn so that no two colours are ever mixed.
#[derive(Debug)]
pub struct PaintedIds {
    renderer: Renderer,
    scene: GpuScene,
}

impl PaintedIds {
    /// Uploads the painted scene. Of `config` alpha, culling and near plane count, which should be those of the
    /// pictures that the ids belong to.
    ///
    /// # Errors
    /// As [`GpuScene::upload`] and [`Renderer::new`].
    pub fn upload(gpu: &Gpu, painted: &Scene, config: &RenderConfig) -> Result<Self, RenderError> {
        let config = RenderConfig {
            filter: Filter::Nearest,
            shading: Shading::Flat,
            ..config.clone()
        };
        Ok(Self {
            renderer: Renderer::new(gpu, &config)?,
            scene: GpuScene::upload(gpu, painted)?,
        })
    }

    /// The ids that each camera sees, where `id_of` gives that of a colour; 0 where nothing was hit. Cameras must
    /// agree in model and size.
    ///
    /// # Errors
    /// As [`Renderer::capture`].
    pub fn capture(&self, cameras: &[PosedCamera], id_of: impl Fn([u8; 3]) -> u32) -> Result<Vec<IdMap>, RenderError> {
        // A sphere's own colours are mixed from several pixels; its faces' are not.
        let mut shots: Vec<PosedCamera> = Vec::with_capacity(cameras.len());
        for camera in cameras {
            match camera.model {
                CameraModel::Pinhole(_) | CameraModel::Orthographic(_) => shots.push(*camera),
                CameraModel::Equirectangular(sphere) => {
                    shots.extend(panorama::faces(sphere, camera.world_from_camera).map(PosedCamera::from));
                }
            }
        }
        let captures = self.renderer.capture(&self.scene, &shots, Sensors::default())?;
        let maps: Vec<IdMap> = captures.iter().map(|capture| ids(capture, &id_of)).collect();
        let is_sphere = |camera: &PosedCamera| matches!(camera.model, CameraModel::Equirectangular(_));
        if !cameras.first().is_some_and(is_sphere) {
            return Ok(maps);
        }
        let spheres = cameras.iter().zip(maps.chunks_exact(panorama::FACES));
        Ok(spheres
            .map(|(camera, faces)| panorama::stitch_ids(camera, faces))
            .collect())
    }
}

fn ids(capture: &Capture, id_of: impl Fn([u8; 3]) -> u32) -> IdMap {
    let pixels = capture.color.pixels().zip(&capture.depth.metres);
    IdMap {
        width: capture.depth.width,
        height: capture.depth.height,
        ids: pixels
            .map(|(color, &depth)| if depth > 0.0 { id_of(color.0) } else { 0 })
            .collect(),
    }
}
