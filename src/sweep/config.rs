//! What a sweep draws from, and every quirk of the released and the published protocol as a switch.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How often the sensor's height is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HeightPer {
    /// Once for all sweeps of a scene (MIMIC's code).
    Scene,
    /// For each sweep (MIMIC's supplement).
    Position,
}

/// The heading of the first view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FirstHeading {
    /// World -Z, always (MIMIC's code).
    Zero,
    /// Uniform over the circle.
    Random,
}

/// The surface that the sensor's height is measured from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EyeAbove {
    /// The navmesh, which floats up to a cell height (0.2 m) above the floor (Habitat).
    Navmesh,
    /// The scene's own floor under the position.
    Floor,
}

/// The sweep: where the agent stands, how it turns and steps between its three stops.
///
/// The default is the `covista` profile; [`SweepConfig::mimic_code`] and [`SweepConfig::mimic_paper`]
/// are the released and the published protocol.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SweepConfig {
    /// Lowest sensor, metres above the floor, 0.1 to 10. Default 1.2.
    pub sensor_height_min_m: f64,
    /// Highest sensor, metres above the floor, at least the lowest and at most 10. Default 1.8.
    pub sensor_height_max_m: f64,
    /// Whether the sensor's height is drawn per `scene` or per `position`. Default `position`.
    pub height_per: HeightPer,
    /// What the sensor's height is measured from, `navmesh` or `floor`. Default `navmesh`.
    pub eye_above: EyeAbove,
    /// Heading of the first view, `zero` or `random`. Default `random`.
    pub first_heading: FirstHeading,
    /// Turns to the right, degrees, one of which is drawn before each step; 1 to 64 values within
    /// -360 to 360. Default 60, 120, 240, 300.
    pub turns_deg: Vec<f64>,
    /// Whether the turn before the second step may also be 0 (MIMIC's code). Default false.
    pub third_turn_includes_zero: bool,
    /// Whether that turn is drawn only from those that do not bring back the first stop's headings, so
    /// that no view of the third stop looks exactly along one of the first (what the supplement
    /// promises and the code does not keep). Default true.
    pub third_turn_avoids_first_headings: bool,
    /// Shortest step, metres, 0 to 10. Default 0.5.
    pub step_min_m: f64,
    /// Longest step, metres, at least the shortest and at most 10. Default 1.
    pub step_max_m: f64,
    /// Whether a step slides along walls; else it stops at the first. Default true.
    pub sliding: bool,
    /// Noise of each view's eye along each of the world's axes, standard deviation, metres, 0 to 1.
    /// Default 0.
    pub position_noise_m: f64,
    /// Noise of each view's heading, standard deviation, degrees, 0 to 45. Default 0.
    pub heading_noise_deg: f64,
    /// Noise of each view's pitch, standard deviation, degrees, 0 to 45. Default 0: level.
    pub pitch_noise_deg: f64,
    /// Noise of each view's roll, standard deviation, degrees, 0 to 45. Default 0: level.
    pub roll_noise_deg: f64,
    /// Smallest `island_radius` of an island that the agent may stand on, metres, 0 (any) to 1000.
    /// Default 1.5, which small real rooms pass; MIMIC's code has 6.
    pub min_island_radius_m: f64,
    /// Whether a position on a smaller island uses up its sample (MIMIC's code); else positions are
    /// drawn from the islands that pass. Default false.
    pub rejected_position_uses_attempt: bool,
}

impl Default for SweepConfig {
    fn default() -> Self {
        Self {
            sensor_height_min_m: 1.2,
            sensor_height_max_m: 1.8,
            height_per: HeightPer::Position,
            eye_above: EyeAbove::Navmesh,
            first_heading: FirstHeading::Random,
            turns_deg: vec![60.0, 120.0, 240.0, 300.0],
            third_turn_includes_zero: false,
            third_turn_avoids_first_headings: true,
            step_min_m: 0.5,
            step_max_m: 1.0,
            sliding: true,
            position_noise_m: 0.0,
            heading_noise_deg: 0.0,
            pitch_noise_deg: 0.0,
            roll_noise_deg: 0.0,
            min_island_radius_m: 1.5,
            rejected_position_uses_attempt: false,
        }
    }
}

impl SweepConfig {
    /// The protocol as MIMIC's released code runs it.
    pub fn mimic_code() -> Self {
        Self {
            height_per: HeightPer::Scene,
            first_heading: FirstHeading::Zero,
            third_turn_includes_zero: true,
            third_turn_avoids_first_headings: false,
            min_island_radius_m: 6.0,
            rejected_position_uses_attempt: true,
            ..Self::default()
        }
    }

    /// The protocol as MIMIC's supplement words it; where that is silent (island radius, first heading)
    /// as the code.
    pub fn mimic_paper() -> Self {
        Self {
            height_per: HeightPer::Position,
            third_turn_includes_zero: false,
            third_turn_avoids_first_headings: true,
            ..Self::mimic_code()
        }
    }

    /// True where views are not exactly where the agent stands and looks.
    pub fn has_pose_noise(&self) -> bool {
        let noise = [
            self.position_noise_m,
            self.heading_noise_deg,
            self.pitch_noise_deg,
            self.roll_noise_deg,
        ];
        noise.iter().any(|&sigma| sigma > 0.0)
    }

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
            ("step_min_m", self.step_min_m, 0.0, 10.0),
            ("step_max_m", self.step_max_m, self.step_min_m, 10.0),
            ("position_noise_m", self.position_noise_m, 0.0, 1.0),
            ("heading_noise_deg", self.heading_noise_deg, 0.0, 45.0),
            ("pitch_noise_deg", self.pitch_noise_deg, 0.0, 45.0),
            ("roll_noise_deg", self.roll_noise_deg, 0.0, 45.0),
            ("min_island_radius_m", self.min_island_radius_m, 0.0, 1000.0),
        ] {
            if !(low..=high).contains(&value) {
                return Err(format!("{name} is {value}, allowed is {low} to {high}"));
            }
        }
        if !(1..=64).contains(&self.turns_deg.len()) || self.turns_deg.iter().any(|t| !(-360.0..=360.0).contains(t)) {
            return Err(format!(
                "turns_deg is {:?}, allowed are 1 to 64 values from -360 to 360",
                self.turns_deg
            ));
        }
        Ok(())
    }
}
