//! The lines of a plan.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::camera::{Camera, Intrinsics};
use crate::export::native::{PlanRecord, SkippedScene};
use crate::generate::{Outcome, Position};
use crate::view::{Correspondence, PairOverlaps, ViewPair};

/// What the first line says the file is.
pub(super) const FORMAT: &str = "covista-plan";
/// Version of the lines.
pub(super) const VERSION: u32 = 1;

/// The first line: what the run was made from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanHeader {
    /// Always `covista-plan`.
    pub format: String,
    /// Version of the lines.
    pub version: u32,
    /// Version of the program that planned.
    pub covista_version: String,
    /// Profile that the configuration started from.
    pub profile: String,
    /// The resolved configuration.
    pub config: Value,
    /// Its hash, as every output of the run would carry it.
    pub config_hash: String,
    /// Seed of every draw.
    pub seed: u64,
    /// Scenes in the order in which they were opened.
    pub scenes: Vec<PlanScene>,
    /// Scenes of the list that cannot be used, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<SkippedScene>,
    /// How the run is cut into blocks, as its set would say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocks: Option<PlanRecord>,
}

impl PlanHeader {
    /// The header of a run of this build.
    pub fn new(profile: &str, config: Value, config_hash: String, seed: u64, scenes: Vec<PlanScene>) -> Self {
        Self {
            format: FORMAT.into(),
            version: VERSION,
            covista_version: env!("CARGO_PKG_VERSION").into(),
            profile: profile.into(),
            config,
            config_hash,
            seed,
            scenes,
            skipped: Vec::new(),
            blocks: None,
        }
    }
}

/// A scene of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanScene {
    /// File stem or recipe, as positions name it; no other scene of the plan has it.
    pub name: String,
    /// The path or recipe to open it by.
    pub spec: String,
    /// BLAKE3 of its bytes, hexadecimal.
    pub hash: String,
}

/// A sample index and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedPosition {
    /// Name of the scene.
    pub scene: String,
    /// Sample index within scene and seed.
    pub index: u64,
    /// Where the agent stood, world metres, in order.
    pub stops: Vec<[f64; 3]>,
    /// Candidates that were refused, by reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub refused: BTreeMap<String, u64>,
    /// The pairs that were kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pairs: Vec<PlannedPair>,
    /// Why none was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl PlannedPosition {
    /// What is kept of a position: all but its pictures.
    pub fn new(scene: &str, position: &Position) -> Self {
        let (pairs, reason) = match &position.outcome {
            Outcome::Kept(pair) => (vec![PlannedPair::new(pair)], None),
            Outcome::Refused(reason) => (Vec::new(), Some((*reason).to_owned())),
        };
        Self {
            scene: scene.to_owned(),
            index: position.index,
            stops: position.stops.clone(),
            refused: position.refused.clone(),
            pairs,
            reason,
        }
    }

    /// Whether it makes sense in a plan of these scenes; a sentence that says why not.
    pub(super) fn check(&self, scenes: &[PlanScene]) -> Result<(), String> {
        if !scenes.iter().any(|scene| scene.name == self.scene) {
            return Err(format!("the plan has no scene {:?}", self.scene));
        }
        if self.pairs.is_empty() == self.reason.is_none() {
            return Err("a position has pairs, or a reason for having none".to_owned());
        }
        self.pairs.iter().try_for_each(|pair| pair.checked().map(drop))
    }
}

/// A pair without its pictures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedPair {
    /// Place of the two views in the capture order of the position.
    pub views: [u32; 2],
    /// Cameras of the two pictures as they are kept, crop included.
    pub cameras: [PlannedCamera; 2],
    /// Overlap by every measure that was taken; all empty in plans of others.
    #[serde(default)]
    pub overlaps: PairOverlaps,
    /// Patch partners by the measure that selected the pair.
    #[serde(default)]
    pub correspondence: Correspondence,
    /// Patch partners by true geometry.
    #[serde(default)]
    pub true_correspondence: Correspondence,
}

impl PlannedPair {
    /// What is kept of a pair: all but its pictures.
    pub fn new(pair: &ViewPair) -> Self {
        Self {
            views: pair.origin.views,
            cameras: [&pair.first, &pair.second].map(|view| PlannedCamera::new(&view.camera)),
            overlaps: pair.overlaps.clone(),
            correspondence: pair.correspondence.clone(),
            true_correspondence: pair.true_correspondence.clone(),
        }
    }

    /// A pair of which only the cameras are known.
    pub fn of_cameras(views: [u32; 2], cameras: [Camera; 2]) -> Self {
        Self {
            views,
            cameras: cameras.map(|camera| PlannedCamera::new(&camera)),
            overlaps: PairOverlaps::default(),
            correspondence: Correspondence::default(),
            true_correspondence: Correspondence::default(),
        }
    }
}

impl PlannedPair {
    /// The cameras, which must be pinholes of one picture size.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn checked(&self) -> Result<[Camera; 2], String> {
        let [first, second] = &self.cameras;
        if (first.width, first.height) != (second.width, second.height) {
            return Err(format!(
                "the two pictures of a pair differ in size: {} x {} and {} x {}",
                first.width, first.height, second.width, second.height
            ));
        }
        Ok([first.camera()?, second.camera()?])
    }
}

/// A posed pinhole camera as JSON files of this program write it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PlannedCamera {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Intrinsics, pixels, centres at +0.5, row-major.
    #[serde(rename = "K")]
    pub k: [[f64; 3]; 3],
    /// Row-major 4x4; camera x right, y down, z forward; world metres, Y up.
    pub world_from_camera: [f64; 16],
}

impl PlannedCamera {
    /// The record of a camera.
    pub fn new(camera: &Camera) -> Self {
        Self {
            width: camera.intrinsics.width,
            height: camera.intrinsics.height,
            k: camera.intrinsics.matrix_row_major(),
            world_from_camera: camera.world_from_camera_row_major(),
        }
    }

    /// The camera; what is wrong with the record otherwise.
    ///
    /// # Errors
    /// A sentence that says which number is out of place.
    pub fn camera(&self) -> Result<Camera, String> {
        let [[fx, skew, cx], [zero, fy, cy], last] = self.k;
        let focal_ok = |f: f64| f.is_finite() && f > 0.0;
        if !focal_ok(fx) || !focal_ok(fy) || !cx.is_finite() || !cy.is_finite() {
            return Err(format!("K has no usable focal length or centre: {:?}", self.k));
        }
        if skew != 0.0 || zero != 0.0 || last != [0.0, 0.0, 1.0] {
            return Err(format!("K is not a pinhole without skew: {:?}", self.k));
        }
        if !(1..=MAX_SIDE).contains(&self.width) || !(1..=MAX_SIDE).contains(&self.height) {
            return Err(format!(
                "a picture of {} x {} pixels is not within 1 to {MAX_SIDE} a side",
                self.width, self.height
            ));
        }
        let intrinsics = Intrinsics {
            fx,
            fy,
            cx,
            cy,
            width: self.width,
            height: self.height,
        };
        Camera::from_row_major(intrinsics, &self.world_from_camera)
            .ok_or_else(|| "the pose is not a rigid motion (row-major, last row 0 0 0 1)".to_owned())
    }
}

/// Longest side of a planned picture, pixels.
const MAX_SIDE: u32 = 16_384;

/// The last line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanEnd {
    /// Always true.
    pub end: bool,
    /// Positions of the plan.
    pub positions: u64,
    /// Pairs of the plan.
    pub pairs: u64,
}
