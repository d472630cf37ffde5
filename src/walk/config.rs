//! How the agent strolls, as named fields.

use serde::{Deserialize, Serialize};

/// A stroll.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WalkConfig {
    /// Frames a second, 1 to 240; default 30.
    pub fps: f64,
    /// Walking speed, metres a second, 0.05 to 5; default 0.6.
    pub speed_m_per_s: f64,
    /// Fastest turn, degrees a second, 1 to 720; default 60.
    pub turn_deg_per_s: f64,
    /// How far ahead on the path the agent looks, metres, 0.1 to 10; default 0.8.
    pub look_ahead_m: f64,
    /// Shortest way between two goals, metres, 0.1 to 100; default 2.
    pub min_leg_m: f64,
    /// Lowest height of the camera above the floor, metres, 0.05 to 3; default 1.2.
    pub sensor_height_min_m: f64,
    /// Largest height of the camera above the floor, metres, `sensor_height_min_m` to 3; default 1.8.
    pub sensor_height_max_m: f64,
    /// Radius that an island needs, metres, 0 to 1000; default 1.5.
    pub min_island_radius_m: f64,
}

impl Default for WalkConfig {
    fn default() -> Self {
        Self {
            fps: 30.0,
            speed_m_per_s: 0.6,
            turn_deg_per_s: 60.0,
            look_ahead_m: 0.8,
            min_leg_m: 2.0,
            sensor_height_min_m: 1.2,
            sensor_height_max_m: 1.8,
            min_island_radius_m: 1.5,
        }
    }
}

/// Groups of views of one point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OrbitConfig {
    /// Views of a group, 2 to 100; default 6.
    pub views: usize,
    /// How far from the first view's place the others stand, metres, 0.2 to 20; default 2.5.
    pub radius_m: f64,
    /// Nearest point that a group may look at, metres, 0.1 to 100; default 1.
    pub min_distance_m: f64,
    /// Farthest, metres, `min_distance_m` to 100; default 6.
    pub max_distance_m: f64,
    /// Places tried for each view, 1 to 1000; default 10.
    pub tries: usize,
}

impl Default for OrbitConfig {
    fn default() -> Self {
        Self {
            views: 6,
            radius_m: 2.5,
            min_distance_m: 1.0,
            max_distance_m: 6.0,
            tries: 10,
        }
    }
}

fn check(name: &str, value: f64, low: f64, high: f64) -> Result<(), String> {
    match value >= low && value <= high {
        true => Ok(()),
        false => Err(format!("{name} = {value} must lie in {low} to {high}")),
    }
}

impl WalkConfig {
    /// Checks every range.
    ///
    /// # Errors
    /// A sentence with field, value and range.
    pub fn validate(&self) -> Result<(), String> {
        check("fps", self.fps, 1.0, 240.0)?;
        check("speed_m_per_s", self.speed_m_per_s, 0.05, 5.0)?;
        check("turn_deg_per_s", self.turn_deg_per_s, 1.0, 720.0)?;
        check("look_ahead_m", self.look_ahead_m, 0.1, 10.0)?;
        check("min_leg_m", self.min_leg_m, 0.1, 100.0)?;
        check("sensor_height_min_m", self.sensor_height_min_m, 0.05, 3.0)?;
        check(
            "sensor_height_max_m",
            self.sensor_height_max_m,
            self.sensor_height_min_m,
            3.0,
        )?;
        check("min_island_radius_m", self.min_island_radius_m, 0.0, 1000.0)
    }
}

impl OrbitConfig {
    /// Checks every range.
    ///
    /// # Errors
    /// A sentence with field, value and range.
    pub fn validate(&self) -> Result<(), String> {
        check("views", self.views as f64, 2.0, 100.0)?;
        check("radius_m", self.radius_m, 0.2, 20.0)?;
        check("min_distance_m", self.min_distance_m, 0.1, 100.0)?;
        check("max_distance_m", self.max_distance_m, self.min_distance_m, 100.0)?;
        check("tries", self.tries as f64, 1.0, 1000.0)
    }
}
