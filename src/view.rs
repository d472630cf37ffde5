//! The narrow waist: the plain data that everything downstream of the renderer speaks.
//!
//! None of it knows who made it, and none of it knows the scene or the GPU.

use std::sync::Arc;

use image::RgbImage;
use serde::{Deserialize, Serialize};

use crate::camera::{Camera, Intrinsics};

mod capture;

pub use capture::{Capture, IdMap, NormalMap, Validity, ValidityMap};

/// z-depth along the optical axis, `[height, width]` row-major, metres; 0 where nothing was hit.
#[derive(Debug, Clone, PartialEq)]
pub struct DepthMap {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// `height * width` metres.
    pub metres: Vec<f32>,
}

impl DepthMap {
    /// Depth of the pixel in column `x`, row `y`.
    pub fn at(&self, x: u32, y: u32) -> f32 {
        self.metres[y as usize * self.width as usize + x as usize]
    }

    /// Share of pixels with a surface, in [0, 1].
    pub fn valid_fraction(&self) -> f64 {
        let valid = self.metres.iter().filter(|&&z| z > 0.0).count();
        valid as f64 / self.metres.len().max(1) as f64
    }

    /// The window of `width` x `height` at (`left`, `top`), which must lie inside.
    pub fn crop(&self, left: u32, top: u32, width: u32, height: u32) -> Self {
        let mut metres = Vec::with_capacity(width as usize * height as usize);
        for y in top..top + height {
            let start = y as usize * self.width as usize + left as usize;
            metres.extend_from_slice(&self.metres[start..start + width as usize]);
        }
        Self { width, height, metres }
    }
}

/// One rendered picture with all that is known about how it was taken.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// Pose and projection of this very image.
    pub camera: Camera,
    /// 8-bit colour as stored in the textures: no lighting, no gamma change.
    pub color: RgbImage,
    /// Metric depth of the same size.
    pub depth: DepthMap,
}

impl View {
    /// A picture of which nothing else is known, such as a frame of a video: the depth map has no pixels, the camera
    /// is a placeholder of the picture's size (90 degrees, at the origin).
    pub fn without_geometry(color: RgbImage) -> Self {
        let (width, height) = color.dimensions();
        let intrinsics = Intrinsics::from_hfov(width, height, std::f64::consts::FRAC_PI_2);
        Self {
            camera: Camera::level(intrinsics, glam::DVec3::ZERO, 0.0),
            color,
            depth: DepthMap {
                width: 0,
                height: 0,
                metres: Vec::new(),
            },
        }
    }

    /// Whether depth and pose are known; where they are not, the camera means nothing.
    pub fn has_geometry(&self) -> bool {
        !self.depth.metres.is_empty()
    }

    /// The centred window of `size` x `size` pixels, camera included; itself when it already has that size.
    pub fn center_crop(&self, size: u32) -> Self {
        let (left, top) = ((self.color.width() - size) / 2, (self.color.height() - size) / 2);
        Self {
            camera: self.camera.crop(left, top, size, size),
            color: image::imageops::crop_imm(&self.color, left, top, size, size).to_image(),
            depth: self.depth.crop(left, top, size, size),
        }
    }
}

/// How much of each view the other one shows, as fractions in [0, 1].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Overlap {
    /// Share of the first view that is found in the second.
    pub first_to_second: f64,
    /// Share of the second view that is found in the first.
    pub second_to_first: f64,
}

impl Overlap {
    /// The measure that decides: the smaller direction (MIMIC supplement 2.2, CroCo 3.1).
    pub fn min(&self) -> f64 {
        self.first_to_second.min(self.second_to_first)
    }
}

/// Patches of the first view and the patch of the second that shows the same thing.
///
/// Patch index is `row * columns + column`; one-to-one, sorted by the first index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Correspondence {
    /// Patches along one side of the (square) image; 14 for 224 px and 16 px patches.
    pub grid: u32,
    /// `(first, second)` patch indices.
    pub patches: Vec<(u16, u16)>,
}

/// Every measure of one kept pair, each by its name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct PairOverlaps {
    /// Homography of SIFT matches and patch votes: the published, image-only metric.
    pub homography: Option<Overlap>,
    /// Truth in pixels: share of valid pixels whose surface point the other view sees unoccluded.
    pub covisibility: Option<Overlap>,
    /// Truth under the published rule: the patch votes fed with true correspondences.
    pub patch_truth: Option<Overlap>,
    /// CroCo's covisibility: share of pixels with a point of the other view within 5 cm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub croco: Option<Overlap>,
}

/// One of the measures of [`PairOverlaps`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Patch votes through the homography of SIFT matches.
    #[default]
    Homography,
    /// True covisibility in pixels.
    Covisibility,
    /// Patch votes with true correspondences.
    PatchTruth,
    /// CroCo's nearest-point rule.
    Croco,
}

impl Measure {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 4] = [Self::Homography, Self::Covisibility, Self::PatchTruth, Self::Croco];

    /// This measure of a pair, where it was taken.
    pub fn of(self, overlaps: &PairOverlaps) -> Option<Overlap> {
        match self {
            Self::Homography => overlaps.homography,
            Self::Covisibility => overlaps.covisibility,
            Self::PatchTruth => overlaps.patch_truth,
            Self::Croco => overlaps.croco,
        }
    }

    /// Its name for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Homography => "homography overlap",
            Self::Covisibility => "true covisibility",
            Self::PatchTruth => "true patch overlap",
            Self::Croco => "CroCo covisibility",
        }
    }
}

/// Two views of one scene that share a known part of what they show.
#[derive(Debug, Clone, PartialEq)]
pub struct ViewPair {
    /// A view of the first list.
    pub first: Arc<View>,
    /// A view of the second list.
    pub second: Arc<View>,
    /// Overlap by every measure that was asked for.
    pub overlaps: PairOverlaps,
    /// Patch correspondences by the measure that selected the pair.
    pub correspondence: Correspondence,
    /// Patch correspondences by true geometry.
    pub true_correspondence: Correspondence,
    /// Where the pair comes from and how to make it again.
    pub origin: PairOrigin,
}

/// What remakes a pair alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PairOrigin {
    /// Name of the scene (file stem or recipe).
    pub scene: String,
    /// BLAKE3 of the scene's bytes, hexadecimal.
    pub scene_hash: String,
    /// Seed of the run.
    pub seed: u64,
    /// Index of the sampled position within the scene: with the seed it remakes the pair alone.
    pub index: u64,
    /// Place of the two views in the sweep's capture order (first list 0..8, second 8..24).
    pub views: [u32; 2],
}

/// Where a pair stands in the endless sequence that a run makes: with the run's scenes and seed it remakes the pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct PairPlace {
    /// Number of the scene's turn, from 0.
    pub turn: u64,
    /// Index of the sampled position within the scene.
    pub index: u64,
    /// How many pairs its turn gave before it.
    pub nth: u64,
    /// First 64 bits of the scene's hash: what stands there must be the same scene.
    #[serde(default)]
    pub scene: u64,
}
