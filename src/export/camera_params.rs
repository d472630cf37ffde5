//! Cameras as the trees of CroCo and DUSt3R hold them: one JSON a picture.
//!
//! `camera_intrinsics` is K with **pixel centres at integers** (the centre of the top-left pixel is
//! (0, 0)), so its principal point is half a pixel less than everywhere else here; `R_cam2world`
//! (3 x 3, row-major) and `t_cam2world` (metres) take OpenCV camera axes (x right, y down, z forward)
//! to the world, which stays Y up.

use glam::{DAffine3, DMat3, DQuat, DVec3};
use serde_json::{Value, json};

use crate::camera::{Camera, Intrinsics};

/// The JSON of one camera.
pub(super) fn encode(camera: &Camera) -> Value {
    let k = &camera.intrinsics;
    let rows = camera.world_from_camera.matrix3.transpose().to_cols_array_2d();
    json!({
        "camera_intrinsics": [[k.fx, 0.0, k.cx - 0.5], [0.0, k.fy, k.cy - 0.5], [0.0, 0.0, 1.0]],
        "R_cam2world": rows,
        "t_cam2world": camera.eye().to_array(),
    })
}

/// The camera of such a JSON, whose picture has `width` x `height` pixels.
///
/// # Errors
///
/// A sentence that names the key that is missing or makes no sense.
pub(super) fn decode(value: &Value, width: u32, height: u32) -> Result<Camera, String> {
    let matrix = |key: &str| -> Result<[[f64; 3]; 3], String> {
        serde_json::from_value(value[key].clone()).map_err(|_| format!("{key} is not a 3 x 3 matrix"))
    };
    let k = matrix("camera_intrinsics")?;
    let rotation = DMat3::from_cols_array_2d(&matrix("R_cam2world")?).transpose();
    let eye: [f64; 3] =
        serde_json::from_value(value["t_cam2world"].clone()).map_err(|_| "t_cam2world is not a vector of 3")?;
    let intrinsics = Intrinsics {
        fx: k[0][0],
        fy: k[1][1],
        cx: k[0][2] + 0.5,
        cy: k[1][2] + 0.5,
        width,
        height,
    };
    let rows = glam::DMat4::from(DAffine3 {
        matrix3: rotation,
        translation: DVec3::from_array(eye),
    });
    Camera::from_row_major(intrinsics, &rows.transpose().to_cols_array())
        .filter(|_| k[0][0] > 0.0 && k[1][1] > 0.0)
        .ok_or_else(|| "the camera is not a rigid pinhole".into())
}

/// The orientation as Habitat writes it: quaternion (w, x, y, z), w not negative, of camera axes x right,
/// y up, z **back** to the world.
pub(super) fn habitat_orientation(camera: &Camera) -> [f64; 4] {
    let q = quaternion(camera.world_from_camera.matrix3 * DMat3::from_diagonal(DVec3::new(1.0, -1.0, -1.0)));
    [q.w, q.x, q.y, q.z]
}

/// The unit quaternion of a rotation whose w is not negative: one of the two that mean the same.
pub(super) fn quaternion(rotation: DMat3) -> DQuat {
    let q = DQuat::from_mat3(&rotation).normalize();
    if q.w < 0.0 { -q } else { q }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn camera() -> Camera {
        let intrinsics = Intrinsics::from_hfov(64, 48, 1.2);
        Camera::level(intrinsics, DVec3::new(1.0, 1.5, -2.0), 0.7).turned(0.1, -0.2, 0.05)
    }

    #[test]
    fn pixel_centres_move_to_integers_and_back() {
        let value = encode(&camera());
        assert_eq!(value["camera_intrinsics"][0][2], 31.5);
        assert_eq!(value["camera_intrinsics"][1][2], 23.5);
        assert_eq!(decode(&value, 64, 48), Ok(camera()));
        // The image of a point on the optical axis is the pixel between the four in the middle.
        assert!(decode(&json!({"camera_intrinsics": 3}), 64, 48).is_err());
    }

    #[test]
    fn an_agent_that_looks_along_minus_z_has_the_identity() {
        let camera = Camera::level(camera().intrinsics, DVec3::ZERO, 0.0);
        let [w, x, y, z] = habitat_orientation(&camera);
        assert!((w - 1.0).abs() < 1e-12 && x.abs() + y.abs() + z.abs() < 1e-12);
        // Turned right by 90 degrees it is a turn of -90 degrees about the vertical.
        let right = Camera::level(camera.intrinsics, DVec3::ZERO, std::f64::consts::FRAC_PI_2);
        let [w, _, y, _] = habitat_orientation(&right);
        assert!((w - 0.5f64.sqrt()).abs() < 1e-12 && (y + 0.5f64.sqrt()).abs() < 1e-12);
    }
}
