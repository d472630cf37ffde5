//! Camera models beside the pinhole: what a pixel sees, and where a point appears.

use glam::{DAffine3, DVec2, DVec3};
use serde::{Deserialize, Serialize};

use super::{Camera, Intrinsics};

/// Parallel rays along the optical axis, square pixels, centred.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Orthographic {
    /// Width of what the picture shows, metres.
    pub width_m: f64,
    /// Image width, pixels.
    pub width: u32,
    /// Image height, pixels.
    pub height: u32,
}

/// The whole sphere: longitude along x, latitude along y, both even.
///
/// The centre of the picture looks along the camera's z axis, its left and right edge look back, the
/// top looks up (camera -y). A picture twice as wide as high has square pixels at the horizon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Equirectangular {
    /// Image width, pixels: 360 degrees.
    pub width: u32,
    /// Image height, pixels: 180 degrees.
    pub height: u32,
}

/// How a camera forms its picture. Pixel centres lie at +0.5 in each.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "model", rename_all = "snake_case")]
pub enum CameraModel {
    /// Perspective; depth is z along the optical axis.
    Pinhole(Intrinsics),
    /// Parallel; depth is z along the optical axis.
    Orthographic(Orthographic),
    /// The whole sphere; depth is the distance from the camera centre (radial).
    Equirectangular(Equirectangular),
}

/// A half line: what a pixel looks along.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ray {
    /// Where it begins, metres.
    pub origin: DVec3,
    /// Where it goes; as long as one metre of the model's depth.
    pub direction: DVec3,
}

impl Ray {
    /// The point at `depth_m` of the model's own depth.
    pub fn at(&self, depth_m: f64) -> DVec3 {
        self.origin + depth_m * self.direction
    }
}

impl Orthographic {
    /// Edge of a pixel, metres.
    pub fn metres_per_px(&self) -> f64 {
        self.width_m / f64::from(self.width)
    }

    fn center(&self) -> DVec2 {
        0.5 * DVec2::new(f64::from(self.width), f64::from(self.height))
    }
}

impl CameraModel {
    /// Width and height, pixels.
    pub fn size(&self) -> (u32, u32) {
        match self {
            Self::Pinhole(k) => (k.width, k.height),
            Self::Orthographic(o) => (o.width, o.height),
            Self::Equirectangular(e) => (e.width, e.height),
        }
    }

    /// What depth means in this model's pictures: `z` (along the optical axis) or `radial` (from the centre).
    pub fn depth_kind(&self) -> &'static str {
        match self {
            Self::Pinhole(_) | Self::Orthographic(_) => "z",
            Self::Equirectangular(_) => "radial",
        }
    }

    /// The ray of `pixel` (centres at +0.5) in the camera frame.
    pub fn ray(&self, pixel: DVec2) -> Ray {
        match self {
            Self::Pinhole(k) => Ray {
                origin: DVec3::ZERO,
                direction: k.unproject(pixel, 1.0),
            },
            Self::Orthographic(o) => Ray {
                origin: ((pixel - o.center()) * o.metres_per_px()).extend(0.0),
                direction: DVec3::Z,
            },
            Self::Equirectangular(e) => {
                let longitude = (pixel.x / f64::from(e.width) - 0.5) * std::f64::consts::TAU;
                let latitude = (0.5 - pixel.y / f64::from(e.height)) * std::f64::consts::PI;
                let level = libm::cos(latitude);
                Ray {
                    origin: DVec3::ZERO,
                    direction: DVec3::new(
                        libm::sin(longitude) * level,
                        -libm::sin(latitude),
                        libm::cos(longitude) * level,
                    ),
                }
            }
        }
    }

    /// Pixel and depth of a point in the camera frame; `None` where the model cannot see it: behind a
    /// pinhole or orthographic camera, or at the centre of a sphere. The pixel may lie outside the image.
    pub fn project(&self, point_in_camera: DVec3) -> Option<(DVec2, f64)> {
        match self {
            Self::Pinhole(k) => k.project(point_in_camera).map(|pixel| (pixel, point_in_camera.z)),
            Self::Orthographic(o) => (point_in_camera.z > 0.0).then(|| {
                let pixel = point_in_camera.truncate() / o.metres_per_px() + o.center();
                (pixel, point_in_camera.z)
            }),
            Self::Equirectangular(e) => {
                let distance = point_in_camera.length();
                (distance > 0.0).then(|| {
                    let longitude = libm::atan2(point_in_camera.x, point_in_camera.z);
                    let latitude = -libm::asin(point_in_camera.y / distance);
                    let pixel = DVec2::new(
                        (longitude / std::f64::consts::TAU + 0.5) * f64::from(e.width),
                        (0.5 - latitude / std::f64::consts::PI) * f64::from(e.height),
                    );
                    (pixel, distance)
                })
            }
        }
    }
}

/// A camera of any model, posed in the world (frames in the head of [`crate::camera`]).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PosedCamera {
    /// Image size and projection.
    pub model: CameraModel,
    /// Rigid motion that takes RDF camera coordinates to world coordinates, metres.
    pub world_from_camera: DAffine3,
}

impl From<Camera> for PosedCamera {
    fn from(camera: Camera) -> Self {
        Self {
            model: CameraModel::Pinhole(camera.intrinsics),
            world_from_camera: camera.world_from_camera,
        }
    }
}

impl PosedCamera {
    /// The same camera where it is a pinhole.
    pub fn pinhole(&self) -> Option<Camera> {
        match self.model {
            CameraModel::Pinhole(intrinsics) => Some(Camera {
                intrinsics,
                world_from_camera: self.world_from_camera,
            }),
            CameraModel::Orthographic(_) | CameraModel::Equirectangular(_) => None,
        }
    }

    /// The ray of `pixel` in the world.
    pub fn ray(&self, pixel: DVec2) -> Ray {
        let ray = self.model.ray(pixel);
        Ray {
            origin: self.world_from_camera.transform_point3(ray.origin),
            direction: self.world_from_camera.transform_vector3(ray.direction),
        }
    }

    /// World point to pixel and depth; `None` where the model cannot see it.
    pub fn project(&self, point_in_world: DVec3) -> Option<(DVec2, f64)> {
        self.model
            .project(self.world_from_camera.inverse().transform_point3(point_in_world))
    }

    /// Pixel and depth to a world point, metres.
    pub fn unproject(&self, pixel: DVec2, depth_m: f64) -> DVec3 {
        self.ray(pixel).at(depth_m)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn models() -> [CameraModel; 3] {
        [
            CameraModel::Pinhole(Intrinsics::from_hfov(64, 48, 1.2)),
            CameraModel::Orthographic(Orthographic {
                width_m: 6.0,
                width: 64,
                height: 48,
            }),
            CameraModel::Equirectangular(Equirectangular { width: 128, height: 64 }),
        ]
    }

    #[test]
    fn projection_inverts_unprojection_in_every_model() {
        let level = Camera::level(Intrinsics::from_hfov(64, 48, 1.2), DVec3::new(1.0, 1.5, -2.0), 0.7);
        for model in models() {
            let camera = PosedCamera {
                model,
                world_from_camera: level.world_from_camera,
            };
            for pixel in [DVec2::new(0.5, 0.5), DVec2::new(40.25, 11.5), DVec2::new(63.5, 47.5)] {
                let (back, depth) = camera.project(camera.unproject(pixel, 2.5)).expect("in front");
                assert!(back.distance(pixel) < 1e-9 && (depth - 2.5).abs() < 1e-12, "{model:?}");
            }
        }
    }

    #[test]
    fn the_sphere_looks_forward_right_and_up_where_its_doc_says() {
        let [_, _, sphere] = models();
        for (pixel, direction) in [
            (DVec2::new(64.0, 32.0), DVec3::Z),
            (DVec2::new(96.0, 32.0), DVec3::X),
            (DVec2::new(64.0, 0.0), DVec3::NEG_Y),
            (DVec2::new(0.0, 32.0), DVec3::NEG_Z),
        ] {
            assert!(sphere.ray(pixel).direction.abs_diff_eq(direction, 1e-12), "{pixel}");
        }
    }

    #[test]
    fn an_orthographic_pixel_has_the_same_size_at_every_depth() {
        let [_, ortho, _] = models();
        let (near, _) = ortho.project(DVec3::new(1.5, 0.75, 1.0)).expect("in front");
        let (far, _) = ortho.project(DVec3::new(1.5, 0.75, 9.0)).expect("in front");
        assert_eq!(near, DVec2::new(48.0, 32.0));
        assert_eq!(near, far);
        assert_eq!(ortho.project(DVec3::NEG_Z), None);
    }
}
