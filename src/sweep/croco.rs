//! CroCo's views: one at a random pose, the other after a random walk, looking at what the first saw.
//!
//! The second view needs the first one's depth, so the sampler has two phases: draw [`first_view`],
//! render it, take the mean of its points as `look_at`, draw [`second_view`]. Which pairs to keep is
//! the business of the selection.

use glam::{DMat3, DVec3, Vec3};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::camera::{Camera, Intrinsics};
use crate::navmesh::NavMesh;
use crate::rng::Rng;

/// What CroCo's views are drawn from; the defaults are those of its generator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CrocoConfig {
    /// Lowest sensor, metres above the floor, 0.1 to 10; drawn for each view. Default 1.2.
    pub sensor_height_min_m: f64,
    /// Highest sensor, metres above the floor, at least the lowest and at most 10. Default 1.8.
    pub sensor_height_max_m: f64,
    /// Noise of the heading, degrees to either side, uniform, 0 to 180. Default 3.
    pub pan_noise_deg: f64,
    /// Noise of the pitch, degrees up or down, uniform, 0 to 90. Default 10.
    pub tilt_noise_deg: f64,
    /// Noise of the roll, degrees to either side, uniform, 0 to 180. Default 5.
    pub roll_noise_deg: f64,
    /// Steps of the walk from the first view to the second, 0 to 1000. Default 5.
    pub walk_steps: u32,
    /// Standard deviation of a step along x and along z, metres, 0 to 100. Default 2.
    pub walk_step_m: f64,
}

impl Default for CrocoConfig {
    fn default() -> Self {
        Self {
            sensor_height_min_m: 1.2,
            sensor_height_max_m: 1.8,
            pan_noise_deg: 3.0,
            tilt_noise_deg: 10.0,
            roll_noise_deg: 5.0,
            walk_steps: 5,
            walk_step_m: 2.0,
        }
    }
}

impl CrocoConfig {
    /// Checks every field against its range; the message names the field, the value and the range.
    pub fn validate(&self) -> Result<(), String> {
        for (name, value, low, high) in [
            ("sensor_height_min_m", self.sensor_height_min_m, 0.1, 10.0),
            (
                "sensor_height_max_m",
                self.sensor_height_max_m,
                self.sensor_height_min_m,
                10.0,
            ),
            ("pan_noise_deg", self.pan_noise_deg, 0.0, 180.0),
            ("tilt_noise_deg", self.tilt_noise_deg, 0.0, 90.0),
            ("roll_noise_deg", self.roll_noise_deg, 0.0, 180.0),
            ("walk_steps", f64::from(self.walk_steps), 0.0, 1000.0),
            ("walk_step_m", self.walk_step_m, 0.0, 100.0),
        ] {
            if !(low..=high).contains(&value) {
                return Err(format!("{name} is {value}, allowed is {low} to {high}"));
            }
        }
        Ok(())
    }
}

/// A view and the position of the navmesh below it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CrocoView {
    /// Position on the navmesh, world metres.
    pub position: Vec3,
    /// The camera above it.
    pub camera: Camera,
}

/// The first view of try `attempt` of sample `index`; `None` without a floor.
pub fn first_view(
    navmesh: &NavMesh,
    config: &CrocoConfig,
    intrinsics: Intrinsics,
    seed: u64,
    scene_word: u64,
    index: u64,
    attempt: u64,
) -> Option<CrocoView> {
    let mut rng = Rng::stream(seed, "croco first view", &[scene_word, index, attempt]);
    let position = navmesh.random_navigable_point(&mut rng)?;
    let eye = draw_eye(config, position, &mut rng);
    let yaw = rng.range(0.0, std::f64::consts::TAU);
    let camera = noisy_camera(config, intrinsics, eye, yaw, 0.0, &mut rng);
    Some(CrocoView { position, camera })
}

/// The second view: a random walk away from the first, looking at `look_at` (world metres), with the
/// noise of the first. A step of the walk that snaps to nothing is left out.
#[expect(clippy::too_many_arguments, reason = "the sample is named by four of them")]
pub fn second_view(
    navmesh: &NavMesh,
    config: &CrocoConfig,
    intrinsics: Intrinsics,
    first: &CrocoView,
    look_at: DVec3,
    seed: u64,
    scene_word: u64,
    index: u64,
    attempt: u64,
) -> CrocoView {
    let mut rng = Rng::stream(seed, "croco second view", &[scene_word, index, attempt]);
    let mut position = first.position;
    for _ in 0..config.walk_steps {
        let step = DVec3::new(rng.normal(), 0.0, rng.normal()) * config.walk_step_m;
        if let Some(snapped) = navmesh.snap_point((position.as_dvec3() + step).as_vec3()) {
            position = snapped;
        }
    }
    let eye = draw_eye(config, position, &mut rng);
    let gaze = look_at - eye;
    let yaw = libm::atan2(gaze.x, -gaze.z);
    let pitch = libm::atan2(gaze.y, libm::hypot(gaze.x, gaze.z));
    let camera = noisy_camera(config, intrinsics, eye, yaw, pitch, &mut rng);
    CrocoView { position, camera }
}

fn draw_eye(config: &CrocoConfig, position: Vec3, rng: &mut Rng) -> DVec3 {
    position.as_dvec3() + DVec3::Y * rng.range(config.sensor_height_min_m, config.sensor_height_max_m)
}

/// A camera that looks `yaw` right of -Z and `pitch` up (radians), each with noise, and rolls a little.
fn noisy_camera(
    config: &CrocoConfig,
    intrinsics: Intrinsics,
    eye: DVec3,
    yaw: f64,
    pitch: f64,
    rng: &mut Rng,
) -> Camera {
    let mut noise = |amplitude_deg: f64| amplitude_deg.to_radians() * rng.range(-1.0, 1.0);
    let yaw = yaw + noise(config.pan_noise_deg);
    let pitch = pitch + noise(config.tilt_noise_deg);
    let roll = noise(config.roll_noise_deg);
    let mut camera = Camera::level(intrinsics, eye, yaw);
    camera.world_from_camera.matrix3 *= rotation_x(pitch) * rotation_z(roll);
    camera
}

/// Turns the view up by `angle` radians (camera x is right, y down).
fn rotation_x(angle: f64) -> DMat3 {
    let (sin, cos) = (libm::sin(angle), libm::cos(angle));
    DMat3::from_cols(DVec3::X, DVec3::new(0.0, cos, sin), DVec3::new(0.0, -sin, cos))
}

/// Rolls the camera about its axis, clockwise seen from behind.
fn rotation_z(angle: f64) -> DMat3 {
    let (sin, cos) = (libm::sin(angle), libm::cos(angle));
    DMat3::from_cols(DVec3::new(cos, sin, 0.0), DVec3::new(-sin, cos, 0.0), DVec3::Z)
}
