//! The truth: which pixels of one view the other one sees, from depth and pose.
//!
//! **Pixel covisibility.** A pixel p of view A with depth z > 0 is the world point X. It is *covisible*
//! in view B when X projects to q inside B's image and B's own surface at q lies at the depth of X:
//!
//! `|z_B(X) - z_B[q]| <= k * ( z_B(X) / f_B + (|dz/dx| + |dz/dy|) / 2 )`
//!
//! `z_B[q]` is B's depth carried from the centre of the pixel that holds q to q itself along the local
//! plane, which is exact for planar surfaces because 1/z is affine in the image. The right side is the
//! only error that sampling at pixel centres leaves: the width of a pixel on the surface, and how much
//! depth changes over half a pixel. `k` is [`GeometricOverlapConfig::occlusion_tolerance_px`].
//!
//! The overlap of A to B is the share of A's pixels with a surface that are covisible in B.
//!
//! **Patch truth.** The published vote (MIMIC supplement 2.2) fed with these correspondences in place
//! of a homography: a point that B does not see votes "out".

use glam::{DAffine3, DVec2, DVec3};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::patch_votes::{self, PatchGrid};
use crate::view::{Correspondence, DepthMap, Overlap, View};

/// How the truth is measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GeometricOverlapConfig {
    /// Occlusion tolerance in pixel footprints (k in the module head); above 0, at most 10; default 1.
    pub occlusion_tolerance_px: f64,
}

impl Default for GeometricOverlapConfig {
    fn default() -> Self {
        Self {
            occlusion_tolerance_px: 1.0,
        }
    }
}

impl GeometricOverlapConfig {
    /// Checks every range.
    pub fn validate(&self) -> Result<(), String> {
        let k = self.occlusion_tolerance_px;
        if k > 0.0 && k <= 10.0 {
            Ok(())
        } else {
            Err(format!(
                "occlusion_tolerance_px = {k} must lie above 0 and at most at 10"
            ))
        }
    }
}

/// The true overlap of two views.
#[derive(Debug, Clone, PartialEq)]
pub struct GeometricOverlap {
    /// Share of pixels with a surface that the other view sees, both ways.
    pub covisibility: Overlap,
    /// Share of patches with a partner under the published one-to-one vote, both ways.
    pub patches: Overlap,
    /// The patch partners: the direction with fewer of them, as the published metric keeps it.
    pub correspondence: Correspondence,
}

/// Measures the true overlap both ways. Views of any size; patches need square views that 16 divides.
pub fn geometric_overlap(first: &View, second: &View, config: &GeometricOverlapConfig) -> GeometricOverlap {
    let forward = Reprojection::new(first, second, config);
    let backward = Reprojection::new(second, first, config);
    let grid = PatchGrid::new(first.color.width());
    let there = patch_votes::exact_votes(grid, |x, y| forward.at_integer_pixel(x, y));
    let back = patch_votes::exact_votes(grid, |x, y| backward.at_integer_pixel(x, y));
    GeometricOverlap {
        covisibility: Overlap {
            first_to_second: forward.covisible_fraction(),
            second_to_first: backward.covisible_fraction(),
        },
        patches: patch_votes::overlap(grid, &there, &back),
        correspondence: patch_votes::correspondence(grid, &there, &back),
    }
}

/// Share of pixels with a surface that the other view sees, both ways, without the patches.
pub fn covisibility(first: &View, second: &View, config: &GeometricOverlapConfig) -> Overlap {
    Overlap {
        first_to_second: Reprojection::new(first, second, config).covisible_fraction(),
        second_to_first: Reprojection::new(second, first, config).covisible_fraction(),
    }
}

/// Carries pixels of one view into another, with the occlusion test.
#[derive(Debug, Clone, Copy)]
pub struct Reprojection<'a> {
    from: &'a View,
    to: &'a View,
    to_from: DAffine3,
    tolerance_px: f64,
}

impl<'a> Reprojection<'a> {
    /// Prepares the motion from the camera frame of `from` to that of `to`.
    pub fn new(from: &'a View, to: &'a View, config: &GeometricOverlapConfig) -> Self {
        Self {
            from,
            to,
            to_from: to.camera.camera_from_world() * from.camera.world_from_camera,
            tolerance_px: config.occlusion_tolerance_px,
        }
    }

    /// Where the surface at the centre of pixel (`x`, `y`) of the first view appears in the second, in
    /// pixels with centres at +0.5; `None` when there is no surface, or it is outside or hidden there.
    pub fn at(&self, x: u32, y: u32) -> Option<DVec2> {
        let (pixel, point) = self.carried(x, y)?;
        (self.to.camera.intrinsics.contains(pixel) && self.unoccluded(pixel, point)).then_some(pixel)
    }

    /// As [`Reprojection::at`], in the OpenCV convention (centres at integers) and with the border of the
    /// patch votes: they take a coordinate in [0, width), which reaches half a pixel beyond the last
    /// centre. There the last pixel's surface, carried on, decides.
    pub fn at_integer_pixel(&self, x: u32, y: u32) -> Option<(f64, f64)> {
        let (pixel, point) = self.carried(x, y)?;
        let integer = pixel - 0.5;
        (self.to.camera.intrinsics.contains(integer) && self.unoccluded(pixel, point)).then_some((integer.x, integer.y))
    }

    /// Pixel and point in the second camera's frame of the surface at the centre of a pixel of the first.
    fn carried(&self, x: u32, y: u32) -> Option<(DVec2, DVec3)> {
        let depth = f64::from(self.from.depth.at(x, y));
        if depth <= 0.0 {
            return None;
        }
        let centre = DVec2::new(f64::from(x) + 0.5, f64::from(y) + 0.5);
        let point = self
            .to_from
            .transform_point3(self.from.camera.intrinsics.unproject(centre, depth));
        Some((self.to.camera.intrinsics.project(point)?, point))
    }

    /// Share of pixels with a surface that pass [`Reprojection::at`]; 0 when there are none.
    pub fn covisible_fraction(&self) -> f64 {
        let (mut valid, mut covisible) = (0u32, 0u32);
        for y in 0..self.from.depth.height {
            for x in 0..self.from.depth.width {
                if self.from.depth.at(x, y) > 0.0 {
                    valid += 1;
                    covisible += u32::from(self.at(x, y).is_some());
                }
            }
        }
        f64::from(covisible) / f64::from(valid.max(1))
    }

    fn unoccluded(&self, pixel: DVec2, point: DVec3) -> bool {
        let depth = &self.to.depth;
        let (x, y) = (
            (pixel.x as u32).min(depth.width - 1),
            (pixel.y as u32).min(depth.height - 1),
        );
        let here = f64::from(depth.at(x, y));
        if here <= 0.0 {
            return false;
        }
        let inverse = 1.0 / here;
        let slope_x = inverse_slope(depth, inverse, (x, y), (1, 0));
        let slope_y = inverse_slope(depth, inverse, (x, y), (0, 1));
        let carried = inverse + slope_x * (pixel.x - f64::from(x) - 0.5) + slope_y * (pixel.y - f64::from(y) - 0.5);
        if carried <= 0.0 {
            return false;
        }
        let surface = 1.0 / carried;
        // d(1/w) = -dw / w^2: slopes of inverse depth as slopes of depth, over half a pixel each.
        let change = 0.5 * (slope_x.abs() + slope_y.abs()) * surface * surface;
        let tolerance = self.tolerance_px * (point.z / self.to.camera.intrinsics.fx + change);
        (point.z - surface).abs() <= tolerance
    }
}

/// Slope of inverse depth per pixel along one axis: the flatter of the two one-sided differences, so
/// that an edge beside the pixel does not count as slope of its surface.
fn inverse_slope(depth: &DepthMap, here: f64, (x, y): (u32, u32), (step_x, step_y): (u32, u32)) -> f64 {
    let inverse_at = |x: u32, y: u32| {
        let metres = if x < depth.width && y < depth.height {
            depth.at(x, y)
        } else {
            0.0
        };
        (metres > 0.0).then(|| 1.0 / f64::from(metres))
    };
    let after = inverse_at(x + step_x, y + step_y).map(|w| w - here);
    let before = (x >= step_x && y >= step_y)
        .then(|| inverse_at(x - step_x, y - step_y))
        .flatten()
        .map(|w| here - w);
    match (before, after) {
        (Some(a), Some(b)) if a.abs() <= b.abs() => a,
        (_, Some(b)) => b,
        (Some(a), None) => a,
        (None, None) => 0.0,
    }
}
