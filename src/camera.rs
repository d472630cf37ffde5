//! The one statement of frames and units.
//!
//! - World: metres, right-handed, **Y up, -Z forward** (Habitat).
//! - Camera: **RDF** (OpenCV): x right, y down, z forward, metres.
//! - Image: pixels, x right, y down; the centre of the top-left pixel lies at (0.5, 0.5), so the
//!   principal point of a centred camera is `(width / 2, height / 2)`.
//! - Depth is z along the optical axis in metres, 0 where nothing was hit; only an
//!   [`Equirectangular`] picture, which has no axis, holds the distance from the camera centre.
//!
//! Poses are 64-bit so that a point of the world survives unprojection and projection exactly
//! enough to tell surfaces a tenth of a millimetre apart.

use glam::{DAffine3, DMat3, DVec2, DVec3};
use serde::{Deserialize, Serialize};

mod model;

pub use model::{CameraModel, Equirectangular, Orthographic, PosedCamera, Ray};

/// Pinhole intrinsics in pixels, pixel centres at +0.5.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Intrinsics {
    /// Focal length along x, pixels.
    pub fx: f64,
    /// Focal length along y, pixels.
    pub fy: f64,
    /// Principal point x, pixels from the left edge of the image.
    pub cx: f64,
    /// Principal point y, pixels from the top edge of the image.
    pub cy: f64,
    /// Image width, pixels.
    pub width: u32,
    /// Image height, pixels.
    pub height: u32,
}

impl Intrinsics {
    /// Square pixels, centred principal point, `hfov_rad` across the full width (Habitat's rule).
    pub fn from_hfov(width: u32, height: u32, hfov_rad: f64) -> Self {
        let focal = 0.5 * f64::from(width) / libm::tan(0.5 * hfov_rad);
        Self {
            fx: focal,
            fy: focal,
            cx: 0.5 * f64::from(width),
            cy: 0.5 * f64::from(height),
            width,
            height,
        }
    }

    /// Horizontal field of view in radians.
    pub fn hfov_rad(&self) -> f64 {
        libm::atan(self.cx / self.fx) + libm::atan((f64::from(self.width) - self.cx) / self.fx)
    }

    /// Intrinsics of the window of `width` x `height` pixels whose top-left corner is at (`left`, `top`).
    pub fn crop(&self, left: u32, top: u32, width: u32, height: u32) -> Self {
        Self {
            cx: self.cx - f64::from(left),
            cy: self.cy - f64::from(top),
            width,
            height,
            ..*self
        }
    }

    /// The 3x3 matrix K of this convention (pixel centres at +0.5), row-major.
    pub fn matrix_row_major(&self) -> [[f64; 3]; 3] {
        [[self.fx, 0.0, self.cx], [0.0, self.fy, self.cy], [0.0, 0.0, 1.0]]
    }

    /// Pixel coordinates of a point in the camera frame; `None` behind or in the camera plane.
    pub fn project(&self, point_in_camera: DVec3) -> Option<DVec2> {
        (point_in_camera.z > 0.0).then(|| {
            DVec2::new(
                self.fx * point_in_camera.x / point_in_camera.z + self.cx,
                self.fy * point_in_camera.y / point_in_camera.z + self.cy,
            )
        })
    }

    /// Point in the camera frame at `pixel` (centre of pixel (i, j) is (i + 0.5, j + 0.5)) and z-depth `depth_m`.
    pub fn unproject(&self, pixel: DVec2, depth_m: f64) -> DVec3 {
        DVec3::new(
            (pixel.x - self.cx) / self.fx * depth_m,
            (pixel.y - self.cy) / self.fy * depth_m,
            depth_m,
        )
    }

    /// True where `pixel` lies inside the image: `0 <= x < width` and `0 <= y < height`.
    pub fn contains(&self, pixel: DVec2) -> bool {
        pixel.x >= 0.0 && pixel.y >= 0.0 && pixel.x < f64::from(self.width) && pixel.y < f64::from(self.height)
    }
}

/// A pinhole camera posed in the world (frames in the module head).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Camera {
    /// Image size and projection.
    pub intrinsics: Intrinsics,
    /// Rigid motion that takes RDF camera coordinates to world coordinates, metres.
    pub world_from_camera: DAffine3,
}

impl Camera {
    /// Camera at `eye` that looks level along `heading_rad` to the right of world -Z (seen from above).
    ///
    /// Heading 0 looks along -Z, +90 degrees along +X; Habitat's `turn_right` adds to it.
    pub fn level(intrinsics: Intrinsics, eye: DVec3, heading_rad: f64) -> Self {
        let (sin, cos) = (libm::sin(heading_rad), libm::cos(heading_rad));
        let right = DVec3::new(cos, 0.0, sin);
        let down = DVec3::new(0.0, -1.0, 0.0);
        let forward = DVec3::new(sin, 0.0, -cos);
        Self {
            intrinsics,
            world_from_camera: DAffine3 {
                matrix3: DMat3::from_cols(right, down, forward),
                translation: eye,
            },
        }
    }

    /// The same camera turned on the spot, radians: to the right about the world's vertical, then up about
    /// its own x axis, then rolled clockwise about its own axis.
    pub fn turned(&self, right_rad: f64, up_rad: f64, roll_rad: f64) -> Self {
        let (sin, cos) = (libm::sin(right_rad), libm::cos(right_rad));
        let right = DMat3::from_cols(DVec3::new(cos, 0.0, sin), DVec3::Y, DVec3::new(-sin, 0.0, cos));
        let (sin, cos) = (libm::sin(up_rad), libm::cos(up_rad));
        let up = DMat3::from_cols(DVec3::X, DVec3::new(0.0, cos, sin), DVec3::new(0.0, -sin, cos));
        let (sin, cos) = (libm::sin(roll_rad), libm::cos(roll_rad));
        let roll = DMat3::from_cols(DVec3::new(cos, sin, 0.0), DVec3::new(-sin, cos, 0.0), DVec3::Z);
        let mut turned = *self;
        turned.world_from_camera.matrix3 = right * self.world_from_camera.matrix3 * up * roll;
        turned
    }

    /// The camera centre in the world, metres.
    pub fn eye(&self) -> DVec3 {
        self.world_from_camera.translation
    }

    /// Unit viewing direction in the world.
    pub fn forward(&self) -> DVec3 {
        self.world_from_camera.matrix3.z_axis
    }

    /// Rigid motion that takes world coordinates to camera coordinates.
    pub fn camera_from_world(&self) -> DAffine3 {
        self.world_from_camera.inverse()
    }

    /// World point to pixel; `None` behind the camera. May lie outside the image.
    pub fn project(&self, point_in_world: DVec3) -> Option<DVec2> {
        self.intrinsics
            .project(self.camera_from_world().transform_point3(point_in_world))
    }

    /// Pixel and z-depth to a world point, metres.
    pub fn unproject(&self, pixel: DVec2, depth_m: f64) -> DVec3 {
        self.world_from_camera
            .transform_point3(self.intrinsics.unproject(pixel, depth_m))
    }

    /// The same camera looking through a window of its image.
    pub fn crop(&self, left: u32, top: u32, width: u32, height: u32) -> Self {
        Self {
            intrinsics: self.intrinsics.crop(left, top, width, height),
            ..*self
        }
    }

    /// `world_from_camera` as a row-major 4x4 matrix, the form of every JSON file here.
    pub fn world_from_camera_row_major(&self) -> [f64; 16] {
        glam::DMat4::from(self.world_from_camera).transpose().to_cols_array()
    }

    /// Reads the row-major 4x4 form; `None` unless it is finite, rigid to 1e-3 and has the last row 0 0 0 1.
    pub fn from_row_major(intrinsics: Intrinsics, rows: &[f64; 16]) -> Option<Self> {
        let matrix = glam::DMat4::from_cols_array(rows).transpose();
        let rotation = DMat3::from_mat4(matrix);
        let rigid = rows.iter().all(|v| v.is_finite())
            && rows[12..] == [0.0, 0.0, 0.0, 1.0]
            && (rotation.transpose() * rotation).abs_diff_eq(DMat3::IDENTITY, 1e-3)
            && rotation.determinant() > 0.0;
        rigid.then(|| Self {
            intrinsics,
            world_from_camera: DAffine3 {
                matrix3: rotation,
                translation: matrix.w_axis.truncate(),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn camera() -> Camera {
        Camera::level(
            Intrinsics::from_hfov(256, 256, std::f64::consts::FRAC_PI_2),
            DVec3::new(1.0, 1.5, -2.0),
            0.7,
        )
    }

    #[test]
    fn projection_inverts_unprojection() {
        let pixel = DVec2::new(17.5, 200.5);
        let back = camera().project(camera().unproject(pixel, 3.25));
        assert!(back.is_some_and(|p| p.distance(pixel) < 1e-9));
    }

    #[test]
    fn heading_zero_looks_along_minus_z_and_right_is_plus_x() {
        let camera = Camera::level(camera().intrinsics, DVec3::ZERO, 0.0);
        assert_eq!(camera.forward(), DVec3::new(0.0, 0.0, -1.0));
        assert_eq!(camera.world_from_camera.matrix3.x_axis, DVec3::X);
        let turned = Camera::level(camera.intrinsics, DVec3::ZERO, std::f64::consts::FRAC_PI_2);
        assert!(turned.forward().abs_diff_eq(DVec3::X, 1e-12));
    }

    #[test]
    fn turning_right_adds_to_the_heading_and_up_raises_the_gaze() {
        let level = Camera::level(camera().intrinsics, DVec3::ONE, 0.4);
        let right = level.turned(0.3, 0.0, 0.0).world_from_camera;
        let expected = Camera::level(level.intrinsics, DVec3::ONE, 0.7).world_from_camera;
        assert!(right.abs_diff_eq(expected, 1e-12));
        let up = level.turned(0.0, 0.2, 0.5);
        assert!((up.forward().y - libm::sin(0.2)).abs() < 1e-12);
        assert_eq!(up.eye(), level.eye());
        // Rolled clockwise, the right edge of the picture sinks.
        let rolled = level.turned(0.0, 0.0, 0.1).world_from_camera.matrix3;
        assert!((rolled.x_axis.y + libm::sin(0.1)).abs() < 1e-12);
        assert!((rolled.determinant() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_published_crop_has_focal_128_and_82_degrees() {
        let crop = camera().crop(16, 16, 224, 224).intrinsics;
        assert!((crop.fx - 128.0).abs() < 1e-9);
        assert_eq!((crop.cx, crop.cy), (112.0, 112.0));
        assert!((crop.hfov_rad().to_degrees() - 82.37).abs() < 0.01);
    }

    #[test]
    fn row_major_round_trip_and_refusal() {
        let rows = camera().world_from_camera_row_major();
        assert_eq!(Camera::from_row_major(camera().intrinsics, &rows), Some(camera()));
        let mut scaled = rows;
        scaled[0] *= 2.0;
        assert_eq!(Camera::from_row_major(camera().intrinsics, &scaled), None);
    }
}
