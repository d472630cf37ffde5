//! Posed cameras in capture order: the MIMIC sweep and CroCo's pair of views.
//!
//! A sweep stands at a random position, looks around in eight views, turns, steps, looks around,
//! turns, steps and looks around again: 24 cameras, the first eight against the other sixteen.

mod config;
pub mod croco;

use glam::{DVec3, Vec3};
use serde::{Deserialize, Serialize};

use crate::agent::Agent;
use crate::camera::{Camera, Intrinsics};
use crate::navmesh::NavMesh;
use crate::rng::Rng;

pub use config::{EyeAbove, FirstHeading, HeightPer, SweepConfig};

/// Views at each stop.
pub const VIEWS_PER_STOP: usize = 8;
/// Turn to the right between two views of a stop, degrees.
pub const VIEW_TURN_DEG: f64 = 45.0;
/// How far above or below the navmesh the true floor is looked for, beyond its cell height, metres.
const FLOOR_SLACK_M: f32 = 0.1;

/// A place where the agent looks around.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Stop {
    /// Where the agent stands on the navmesh, world metres.
    pub position: Vec3,
    /// Heading of the first of its views, degrees to the right of world -Z.
    pub heading_deg: f64,
    /// Turn to the right that led here, degrees; 0 at the first stop.
    pub turn_deg: f64,
    /// Length of the step that led here, as drawn, metres; 0 at the first stop.
    pub step_asked_m: f64,
    /// Length of the step as walked, metres.
    pub step_realised_m: f64,
    /// Whether a wall shortened the step.
    pub collided: bool,
}

/// A sampled sweep. The same (configuration, seed, scene, index) gives the same sweep anywhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sweep {
    /// Which sample of the scene this is.
    pub index: u64,
    /// The seed that it was drawn from.
    pub seed: u64,
    /// Height of the sensor above the floor, metres.
    pub sensor_height_m: f64,
    /// The three stops.
    pub stops: [Stop; 3],
    /// Eight cameras a stop, in the order of the stops, each turned 45 degrees right of the one before,
    /// pose noise included.
    pub cameras: Vec<Camera>,
}

impl Sweep {
    /// Cameras of the first stop: the candidates for the first view of a pair.
    pub fn first_list(&self) -> &[Camera] {
        &self.cameras[..VIEWS_PER_STOP]
    }

    /// Cameras of the second and third stop: the candidates for the second view.
    pub fn second_list(&self) -> &[Camera] {
        &self.cameras[VIEWS_PER_STOP..]
    }
}

/// Why a sample gives no sweep.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SweepRefusal {
    /// The position lies on an island that is too small.
    #[error("the position lies on an island of radius {radius_m:.2} m, min_island_radius_m is {required_m}")]
    IslandTooSmall {
        /// Radius of the island, metres.
        radius_m: f64,
        /// The gate, metres.
        required_m: f64,
    },
    /// No island passes the gate, so no sample of this scene ever gives a sweep.
    #[error(
        "no island of the scene passes min_island_radius_m = {required_m}: the largest has a radius of \
         {largest_m:.2} m, a min_island_radius_m up to that admits the scene"
    )]
    NoIsland {
        /// The gate, metres.
        required_m: f64,
        /// Radius of the largest island, metres.
        largest_m: f64,
    },
    /// `eye_above = "floor"`, and there is no floor under a stop.
    #[error("there is no floor under a stop of the sweep, or the navmesh does not know it (eye_above = \"floor\")")]
    NoFloor,
}

impl SweepRefusal {
    /// A short name for counting refusals.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::IslandTooSmall { .. } => "island_too_small",
            Self::NoIsland { .. } => "no_island",
            Self::NoFloor => "no_floor",
        }
    }
}

/// The sweep number `index` of a scene.
///
/// A pure function of its arguments: `scene_word` is [`crate::scene::Scene::hash_word`]. A navmesh none
/// of whose islands passes the gate can be told before with [`NavMesh::require_island_radius`].
pub fn sample_sweep(
    navmesh: &NavMesh,
    config: &SweepConfig,
    intrinsics: Intrinsics,
    seed: u64,
    scene_word: u64,
    index: u64,
) -> Result<Sweep, SweepRefusal> {
    let mut rng = Rng::stream(seed, "sweep", &[scene_word, index]);
    let position = draw_position(navmesh, config, &mut rng)?;

    // All draws are made whatever the switches say, so that a switch changes what it names alone.
    let own_height = draw_height(config, &mut rng);
    let random_heading = rng.range(0.0, 360.0);
    let sensor_height_m = match config.height_per {
        HeightPer::Position => own_height,
        HeightPer::Scene => draw_height(config, &mut Rng::stream(seed, "sweep height", &[scene_word])),
    };
    let heading_deg = match config.first_heading {
        FirstHeading::Zero => 0.0,
        FirstHeading::Random => random_heading,
    };

    let mut agent = Agent::new(position, heading_deg, sensor_height_m);
    let mut cameras = Vec::with_capacity(3 * VIEWS_PER_STOP);
    let first = Stop {
        position,
        heading_deg: agent.heading_deg,
        turn_deg: 0.0,
        step_asked_m: 0.0,
        step_realised_m: 0.0,
        collided: false,
    };
    look_around(navmesh, config, &agent, intrinsics, &mut cameras)?;

    let turn_deg = *rng.pick(&config.turns_deg);
    let second = walk(navmesh, config, &mut agent, turn_deg, &mut rng);
    look_around(navmesh, config, &agent, intrinsics, &mut cameras)?;

    let turn_deg = *rng.pick(&third_turns(config, turn_deg));
    let third = walk(navmesh, config, &mut agent, turn_deg, &mut rng);
    look_around(navmesh, config, &agent, intrinsics, &mut cameras)?;

    if config.has_pose_noise() {
        let mut rng = Rng::stream(seed, "pose noise", &[scene_word, index]);
        for camera in &mut cameras {
            *camera = disturbed(camera, config, &mut rng);
        }
    }
    Ok(Sweep {
        index,
        seed,
        sensor_height_m,
        stops: [first, second, third],
        cameras,
    })
}

fn draw_position(navmesh: &NavMesh, config: &SweepConfig, rng: &mut Rng) -> Result<Vec3, SweepRefusal> {
    let required_m = config.min_island_radius_m;
    let none = SweepRefusal::NoIsland {
        required_m,
        largest_m: navmesh.largest_island_radius_m(),
    };
    if !config.rejected_position_uses_attempt {
        return navmesh
            .random_navigable_point_on(rng, |island| island.radius_m >= required_m)
            .ok_or(none);
    }
    let position = navmesh.random_navigable_point(rng).ok_or(none)?;
    let radius_m = navmesh.island_radius_m(position).unwrap_or(0.0);
    if radius_m < required_m {
        return Err(SweepRefusal::IslandTooSmall { radius_m, required_m });
    }
    Ok(position)
}

/// A view a little off: normal draws in the order x, y, z, heading, pitch, roll. Their stream is their own and
/// all are made whatever the switches say, so that each deviation changes what it names alone.
fn disturbed(camera: &Camera, config: &SweepConfig, rng: &mut Rng) -> Camera {
    let offset = DVec3::new(rng.normal(), rng.normal(), rng.normal()) * config.position_noise_m;
    let mut angle = |sigma_deg: f64| sigma_deg.to_radians() * rng.normal();
    let heading = angle(config.heading_noise_deg);
    let pitch = angle(config.pitch_noise_deg);
    let roll = angle(config.roll_noise_deg);
    let mut camera = camera.turned(heading, pitch, roll);
    camera.world_from_camera.translation += offset;
    camera
}

fn draw_height(config: &SweepConfig, rng: &mut Rng) -> f64 {
    rng.range(config.sensor_height_min_m, config.sensor_height_max_m)
}

/// The turns to draw the third stop's from, after the second stop's turn.
fn third_turns(config: &SweepConfig, second_turn_deg: f64) -> Vec<f64> {
    let mut turns = config.turns_deg.clone();
    if config.third_turn_includes_zero {
        turns.push(0.0);
    }
    if config.third_turn_avoids_first_headings {
        let fresh: Vec<f64> = turns
            .iter()
            .copied()
            .filter(|turn| (second_turn_deg + turn).rem_euclid(VIEW_TURN_DEG) != 0.0)
            .collect();
        // A list of turns all of which repeat the headings is taken at its word.
        if !fresh.is_empty() {
            return fresh;
        }
    }
    turns
}

fn walk(navmesh: &NavMesh, config: &SweepConfig, agent: &mut Agent, turn_deg: f64, rng: &mut Rng) -> Stop {
    agent.turn_right(turn_deg);
    let asked_m = rng.range(config.step_min_m, config.step_max_m);
    let step = if config.sliding {
        agent.move_forward(asked_m, navmesh)
    } else {
        agent.move_forward_no_sliding(asked_m, navmesh)
    };
    Stop {
        position: agent.position,
        heading_deg: agent.heading_deg,
        turn_deg,
        step_asked_m: step.asked_m,
        step_realised_m: step.realised_m,
        collided: step.collided,
    }
}

/// Appends the eight views of a stop.
fn look_around(
    navmesh: &NavMesh,
    config: &SweepConfig,
    agent: &Agent,
    intrinsics: Intrinsics,
    cameras: &mut Vec<Camera>,
) -> Result<(), SweepRefusal> {
    let mut eye = *agent;
    if config.eye_above == EyeAbove::Floor {
        let reach_m = navmesh.config().cell_height_m as f32 + FLOOR_SLACK_M;
        let floor = navmesh.true_floor().ok_or(SweepRefusal::NoFloor)?;
        eye.position = floor.under(agent.position, reach_m).ok_or(SweepRefusal::NoFloor)?;
    }
    for _ in 0..VIEWS_PER_STOP {
        cameras.push(eye.camera(intrinsics));
        eye.turn_right(VIEW_TURN_DEG);
    }
    Ok(())
}
