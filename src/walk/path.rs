//! The way of a strolling agent: geodesics between random points, followed with bounded turns and accelerations.

use std::collections::VecDeque;

use glam::{DVec3, Vec3};

use super::config::WalkConfig;
use crate::camera::{Camera, Intrinsics};
use crate::navmesh::NavMesh;
use crate::rng::Rng;

/// Goals that are drawn before a leg counts as impossible.
const GOAL_TRIES: usize = 200;
/// A corner of the path is passed within this distance, metres.
const PASSED_M: f64 = 0.2;
/// Turning: rate asked for an error, 1/s, and how fast the rate may change, 1/s of the fastest turn.
const STEERING: f64 = 2.5;
const TURN_RESPONSE: f64 = 4.0;
/// How fast the speed may change, 1/s of the walking speed.
const PACE_RESPONSE: f64 = 2.0;
/// Share of the walking speed that is left when the way leads backwards.
const SLOWEST: f64 = 0.1;
/// How fast the eye follows a change of the floor's height, 1/s.
const EYE_RESPONSE: f64 = 4.0;
/// Seconds without progress after which another goal is taken.
const PATIENCE_S: f64 = 2.0;

/// Why there is no walk.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum WalkError {
    /// No island is large enough.
    #[error("no island of the scene has a radius of {required_m} m; the largest has {largest_m:.2} m")]
    NoIsland {
        /// What was asked for, metres.
        required_m: f64,
        /// Radius of the largest island, metres.
        largest_m: f64,
    },
    /// No two points of the island are far enough apart.
    #[error("no two places of the floor are {min_leg_m} m apart: a smaller walk.min_leg_m may help")]
    NoGoal {
        /// What was asked for, metres.
        min_leg_m: f64,
    },
}

/// The cameras of `frames` frames, [`WalkConfig::fps`] a second. A pure function of its arguments.
///
/// # Errors
/// [`WalkError`].
pub fn walk(
    navmesh: &NavMesh,
    config: &WalkConfig,
    intrinsics: Intrinsics,
    seed: u64,
    scene_word: u64,
    frames: usize,
) -> Result<Vec<Camera>, WalkError> {
    let mut rng = Rng::stream(seed, "walk", &[scene_word]);
    let start = navmesh
        .random_navigable_point_on(&mut rng, |island| island.radius_m >= config.min_island_radius_m)
        .ok_or(WalkError::NoIsland {
            required_m: config.min_island_radius_m,
            largest_m: navmesh.largest_island_radius_m(),
        })?;
    let height = rng.range(config.sensor_height_min_m, config.sensor_height_max_m);
    let mut walker = Walker {
        navmesh,
        config,
        position: start,
        heading: rng.range(0.0, std::f64::consts::TAU),
        turn_rate: 0.0,
        pace: 0.0,
        eye_floor: f64::from(start.y),
        corners: VecDeque::new(),
        stuck_s: 0.0,
    };
    // It sets off in the direction of its first goal.
    walker.take_goal(&mut rng)?;
    walker.heading = walker.bearing();
    let mut cameras = Vec::with_capacity(frames);
    for _ in 0..frames {
        let eye = DVec3::new(
            f64::from(walker.position.x),
            walker.eye_floor + height,
            f64::from(walker.position.z),
        );
        cameras.push(Camera::level(intrinsics, eye, walker.heading));
        walker.step(&mut rng)?;
    }
    Ok(cameras)
}

struct Walker<'a> {
    navmesh: &'a NavMesh,
    config: &'a WalkConfig,
    position: Vec3,
    /// Radians to the right of world -Z.
    heading: f64,
    /// Radians a second.
    turn_rate: f64,
    /// Metres a second.
    pace: f64,
    /// Height of the floor as the eye follows it, metres.
    eye_floor: f64,
    /// What is left of the path.
    corners: VecDeque<Vec3>,
    stuck_s: f64,
}

impl Walker<'_> {
    fn take_goal(&mut self, rng: &mut Rng) -> Result<(), WalkError> {
        let island = self.navmesh.island_at(self.position);
        for _ in 0..GOAL_TRIES {
            let Some(goal) = self.navmesh.random_navigable_point(rng) else {
                break;
            };
            if self.navmesh.island_at(goal) != island {
                continue;
            }
            let path = self.navmesh.find_path(self.position, goal);
            if let Some(path) = path.filter(|path| path.length_m >= self.config.min_leg_m) {
                self.corners = path.points.into_iter().skip(1).collect();
                self.stuck_s = 0.0;
                return Ok(());
            }
        }
        Err(WalkError::NoGoal {
            min_leg_m: self.config.min_leg_m,
        })
    }

    /// The point that far ahead on what is left of the path.
    fn ahead(&self) -> Vec3 {
        let (mut at, mut left) = (self.position, self.config.look_ahead_m as f32);
        for &corner in &self.corners {
            let reach = at.distance(corner);
            if reach >= left {
                return at + (corner - at) * (left / reach);
            }
            (at, left) = (corner, left - reach);
        }
        at
    }

    /// The direction of that point, radians to the right of world -Z.
    fn bearing(&self) -> f64 {
        let way = (self.ahead() - self.position).as_dvec3();
        libm::atan2(way.x, -way.z)
    }

    fn step(&mut self, rng: &mut Rng) -> Result<(), WalkError> {
        let dt = 1.0 / self.config.fps;
        let passed = |walker: &Self| {
            walker.corners.front().is_some_and(|corner| {
                let way = (*corner - walker.position).as_dvec3();
                way.x.hypot(way.z) < PASSED_M
            })
        };
        while passed(self) {
            self.corners.pop_front();
        }
        if self.corners.is_empty() || self.stuck_s > PATIENCE_S {
            self.take_goal(rng)?;
        }
        let tau = std::f64::consts::TAU;
        let error = (self.bearing() - self.heading + 0.5 * tau).rem_euclid(tau) - 0.5 * tau;
        let fastest = self.config.turn_deg_per_s.to_radians();
        let wanted = (STEERING * error).clamp(-fastest, fastest);
        let change = TURN_RESPONSE * fastest * dt;
        self.turn_rate += (wanted - self.turn_rate).clamp(-change, change);
        self.heading += self.turn_rate * dt;

        let walking = self.config.speed_m_per_s;
        let wanted = walking * libm::cos(error).max(SLOWEST);
        let change = PACE_RESPONSE * walking * dt;
        self.pace += (wanted - self.pace).clamp(-change, change);
        let forward = DVec3::new(libm::sin(self.heading), 0.0, -libm::cos(self.heading));
        let target = self.position.as_dvec3() + forward * (self.pace * dt);
        let before = self.position;
        self.position = self.navmesh.try_step(before, target.as_vec3());
        let moved = f64::from(before.distance(self.position));
        // Turning on the spot is progress too.
        let stuck = moved < 0.2 * self.pace * dt && libm::fabs(error) < 1.0;
        self.stuck_s = if stuck { self.stuck_s + dt } else { 0.0 };
        self.eye_floor += (f64::from(self.position.y) - self.eye_floor) * (EYE_RESPONSE * dt).min(1.0);
        Ok(())
    }
}
