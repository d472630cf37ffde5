//! From pictures of the device to captures: channels by name, and six faces to a sphere.

use std::sync::Arc;

use super::cull::Shot;
use super::error::RenderError;
use super::panorama;
use super::renderer::Pending;
use super::sensors::{Sensors, TriangleTable};
use super::target::Picture;
use crate::camera::{CameraModel, PosedCamera};
use crate::view::{Capture, Validity, ValidityMap};

/// Captures that were asked for and may not be there yet.
#[must_use = "the captures come with wait()"]
#[derive(Debug)]
pub struct PendingCaptures {
    cameras: Vec<PosedCamera>,
    sensors: Sensors,
    table: Option<Arc<TriangleTable>>,
    pending: Pending,
}

/// The pictures that the device draws for the given cameras, which must agree in model and size.
pub(super) fn shots(cameras: &[PosedCamera]) -> Result<Vec<Shot>, RenderError> {
    let mut shots = Vec::with_capacity(cameras.len());
    for (index, camera) in cameras.iter().enumerate() {
        let first = &cameras[0].model;
        if std::mem::discriminant(&camera.model) != std::mem::discriminant(first) {
            let reason = "differs in model from the first of its batch";
            return Err(RenderError::Camera { index, reason });
        }
        if camera.model.size() != first.size() {
            let reason = "differs in picture size from the first of its batch";
            return Err(RenderError::Camera { index, reason });
        }
        match camera.model {
            CameraModel::Pinhole(intrinsics) => shots.push(Shot::Pinhole(crate::camera::Camera {
                intrinsics,
                world_from_camera: camera.world_from_camera,
            })),
            CameraModel::Orthographic(o) => shots.push(Shot::Parallel(o, camera.world_from_camera)),
            CameraModel::Equirectangular(sphere) => {
                if sphere.width == 0 || sphere.height == 0 {
                    let reason = "has no pixels";
                    return Err(RenderError::Camera { index, reason });
                }
                let faces = panorama::faces(sphere, camera.world_from_camera);
                shots.extend(faces.map(Shot::Pinhole));
            }
        }
    }
    Ok(shots)
}

impl PendingCaptures {
    pub(super) fn new(
        cameras: &[PosedCamera],
        sensors: Sensors,
        table: Option<Arc<TriangleTable>>,
        pending: Pending,
    ) -> Self {
        Self {
            cameras: cameras.to_vec(),
            sensors,
            table,
            pending,
        }
    }

    /// Waits for the device and gives the captures in the order of the cameras.
    ///
    /// # Errors
    /// [`RenderError::Device`] where the device failed meanwhile.
    pub fn wait(self) -> Result<Vec<Capture>, RenderError> {
        let shots = self.pending.shots.clone();
        let pictures = self.pending.pictures()?;
        let flat: Vec<Capture> = shots
            .iter()
            .zip(pictures)
            .map(|(shot, picture)| assemble(shot.camera(), picture, self.sensors, self.table.as_deref()))
            .collect();
        let is_sphere = |camera: &PosedCamera| matches!(camera.model, CameraModel::Equirectangular(_));
        if !self.cameras.first().is_some_and(is_sphere) {
            return Ok(flat);
        }
        let spheres = self.cameras.iter().zip(flat.chunks_exact(panorama::FACES));
        Ok(spheres.map(|(camera, faces)| panorama::stitch(camera, faces)).collect())
    }
}

/// The channels that were asked for, from what came back.
fn assemble(camera: PosedCamera, picture: Picture, sensors: Sensors, table: Option<&TriangleTable>) -> Capture {
    let (width, height) = camera.model.size();
    let numbers = picture.numbers.as_deref().zip(table);
    let validity = picture.backs.as_ref().map(|backs| ValidityMap {
        width,
        height,
        values: backs
            .iter()
            .zip(&picture.depth.metres)
            .map(|(&back, &depth)| match (back, depth > 0.0) {
                (true, _) => Validity::BackFace,
                (false, true) => Validity::Surface,
                (false, false) => Validity::Nothing,
            })
            .collect(),
    });
    Capture {
        camera,
        normals: numbers
            .filter(|_| sensors.normal)
            .map(|(n, table)| table.normal_map(width, height, n)),
        instances: numbers
            .filter(|_| sensors.instance)
            .map(|(n, table)| table.instance_map(width, height, n)),
        semantics: numbers
            .filter(|_| sensors.semantic)
            .map(|(n, table)| table.semantic_map(width, height, n)),
        validity,
        color: picture.color,
        depth: picture.depth,
    }
}
