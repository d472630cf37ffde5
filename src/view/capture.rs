//! A picture with every channel that was asked for.

use image::RgbImage;

use super::{DepthMap, View};
use crate::camera::PosedCamera;

/// Unit normals of the visible surfaces in the world frame, `[height, width]` row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct NormalMap {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// `height * width` unit vectors: the triangle's own normal, on the side that its corners run
    /// counter-clockwise; all 0 where nothing was hit and on triangles without area.
    pub vectors: Vec<[f32; 3]>,
}

/// A number for every pixel, `[height, width]` row-major; 0 is "none".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdMap {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// `height * width` ids.
    pub ids: Vec<u32>,
}

/// What the ray of a pixel meets first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Validity {
    /// Nothing: the picture is black there and depth is 0.
    Nothing,
    /// The back of a surface that has only a front: the camera is outside the room or inside an
    /// object, and what the pixel shows (if anything) lies behind a surface.
    BackFace,
    /// A surface, seen from its front.
    Surface,
}

/// What the ray of every pixel meets first, `[height, width]` row-major.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidityMap {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// `height * width` values.
    pub values: Vec<Validity>,
}

/// The window of a row-major picture `width` pixels across.
fn window<T: Copy>(values: &[T], width: u32, [left, top, side]: [u32; 3]) -> Vec<T> {
    let mut kept = Vec::with_capacity(side as usize * side as usize);
    for y in top..top + side {
        let start = y as usize * width as usize + left as usize;
        kept.extend_from_slice(&values[start..start + side as usize]);
    }
    kept
}

impl NormalMap {
    /// Normal at column `x`, row `y`.
    pub fn at(&self, x: u32, y: u32) -> [f32; 3] {
        self.vectors[y as usize * self.width as usize + x as usize]
    }
}

impl IdMap {
    /// Id at column `x`, row `y`.
    pub fn at(&self, x: u32, y: u32) -> u32 {
        self.ids[y as usize * self.width as usize + x as usize]
    }
}

impl ValidityMap {
    /// Share of pixels above which back faces mean that the camera is inside something.
    pub const INSIDE_FRACTION: f64 = 0.5;

    /// Value at column `x`, row `y`.
    pub fn at(&self, x: u32, y: u32) -> Validity {
        self.values[y as usize * self.width as usize + x as usize]
    }

    /// Share of pixels with the given value, in [0, 1].
    pub fn fraction(&self, of: Validity) -> f64 {
        let count = self.values.iter().filter(|&&v| v == of).count();
        count as f64 / self.values.len().max(1) as f64
    }

    /// Whether the camera is inside geometry: more than half of its rays come out through a back.
    /// (A ray that starts inside a closed surface always meets a back first.)
    pub fn is_inside_geometry(&self) -> bool {
        self.fraction(Validity::BackFace) > Self::INSIDE_FRACTION
    }
}

/// One picture of any camera model with the channels that were asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Capture {
    /// Pose and projection of this very picture.
    pub camera: PosedCamera,
    /// 8-bit colour.
    pub color: RgbImage,
    /// Metric depth in the camera model's own sense ([`crate::camera::CameraModel::depth_kind`]).
    pub depth: DepthMap,
    /// World normals.
    pub normals: Option<NormalMap>,
    /// Which placed object is seen, 1-based.
    pub instances: Option<IdMap>,
    /// Semantic ids as the scene supplies them.
    pub semantics: Option<IdMap>,
    /// What each ray meets first.
    pub validity: Option<ValidityMap>,
}

impl Capture {
    /// The centred window of `side` x `side` pixels of a pinhole picture, camera included; itself where it has
    /// that size already or is of another model.
    pub fn center_crop(self, side: u32) -> Self {
        let (width, height) = self.color.dimensions();
        let Some(camera) = self.camera.pinhole().filter(|_| (width, height) != (side, side)) else {
            return self;
        };
        let (left, top) = ((width - side) / 2, (height - side) / 2);
        let area = [left, top, side];
        let ids = |map: IdMap| IdMap {
            width: side,
            height: side,
            ids: window(&map.ids, width, area),
        };
        Self {
            camera: camera.crop(left, top, side, side).into(),
            color: image::imageops::crop_imm(&self.color, left, top, side, side).to_image(),
            depth: self.depth.crop(left, top, side, side),
            normals: self.normals.map(|map| NormalMap {
                width: side,
                height: side,
                vectors: window(&map.vectors, width, area),
            }),
            instances: self.instances.map(ids),
            semantics: self.semantics.map(ids),
            validity: self.validity.map(|map| ValidityMap {
                width: side,
                height: side,
                values: window(&map.values, width, area),
            }),
        }
    }

    /// Colour and depth as a [`View`]; `None` unless the camera is a pinhole.
    pub fn into_view(self) -> Option<View> {
        self.camera.pinhole().map(|camera| View {
            camera,
            color: self.color,
            depth: self.depth,
        })
    }
}
