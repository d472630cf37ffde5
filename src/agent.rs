//! The agent: a pose on the navmesh, turns and steps, and a level camera at its sensor's height.

use glam::{DVec3, Vec3};
use serde::{Deserialize, Serialize};

use crate::camera::{Camera, Intrinsics};
use crate::navmesh::NavMesh;

/// A step counts as shortened when its squared length fell by more than this, square metres (Habitat).
const COLLISION_TOLERANCE_M2: f64 = 1e-5;

/// A body on the floor that looks level.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Agent {
    /// Where it stands on the navmesh, world metres.
    pub position: Vec3,
    /// Where it looks, degrees to the right of world -Z seen from above, in [0, 360). Degrees, because
    /// turns are whole degrees and stay exact.
    pub heading_deg: f64,
    /// Height of its sensor above its position, metres.
    pub sensor_height_m: f64,
}

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Length asked for, metres.
    pub asked_m: f64,
    /// From the old position to the new one, world metres.
    pub displacement: Vec3,
    /// Length of the displacement, metres.
    pub realised_m: f64,
    /// Whether a wall shortened the step (Habitat's rule).
    pub collided: bool,
}

impl Agent {
    /// An agent at a position of the navmesh.
    pub fn new(position: Vec3, heading_deg: f64, sensor_height_m: f64) -> Self {
        Self {
            position,
            heading_deg: heading_deg.rem_euclid(360.0),
            sensor_height_m,
        }
    }

    /// The heading in radians, as [`Camera::level`] takes it.
    pub fn heading_rad(&self) -> f64 {
        self.heading_deg.to_radians()
    }

    /// Unit vector along the heading, level.
    pub fn forward(&self) -> DVec3 {
        let heading = self.heading_rad();
        DVec3::new(libm::sin(heading), 0.0, -libm::cos(heading))
    }

    /// Turns on the spot, clockwise seen from above for positive `degrees`.
    pub fn turn_right(&mut self, degrees: f64) {
        self.heading_deg = (self.heading_deg + degrees).rem_euclid(360.0);
    }

    /// Walks `metres` along the heading and slides along walls.
    pub fn move_forward(&mut self, metres: f64, navmesh: &NavMesh) -> Step {
        self.step(metres, |start, end| navmesh.try_step(start, end))
    }

    /// Walks `metres` along the heading and stops at the first wall.
    pub fn move_forward_no_sliding(&mut self, metres: f64, navmesh: &NavMesh) -> Step {
        self.step(metres, |start, end| navmesh.try_step_no_sliding(start, end))
    }

    fn step(&mut self, asked_m: f64, filter: impl Fn(Vec3, Vec3) -> Vec3) -> Step {
        let start = self.position;
        let end = (start.as_dvec3() + self.forward() * asked_m).as_vec3();
        self.position = filter(start, end);
        let displacement = self.position - start;
        let realised = displacement.as_dvec3();
        Step {
            asked_m,
            displacement,
            realised_m: realised.length(),
            collided: realised.length_squared() + COLLISION_TOLERANCE_M2 < asked_m * asked_m,
        }
    }

    /// The sensor's position, world metres.
    pub fn eye(&self) -> DVec3 {
        self.position.as_dvec3() + DVec3::Y * self.sensor_height_m
    }

    /// The level camera at the sensor.
    pub fn camera(&self, intrinsics: Intrinsics) -> Camera {
        Camera::level(intrinsics, self.eye(), self.heading_rad())
    }
}
