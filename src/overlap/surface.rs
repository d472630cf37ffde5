//! The surface that a view shows, prepared for questions of visibility: computed once a view, however
//! many pairs it takes part in.

use glam::{DAffine3, DVec2};

use super::patch_votes::PATCH;
use crate::view::{DepthMap, View};

/// A view with the local plane under each pixel and the depth range of each block of 16 x 16 pixels.
#[derive(Debug, Clone)]
pub struct Surface<'a> {
    /// The view.
    pub view: &'a View,
    /// Rigid motion from the world to the camera.
    pub camera_from_world: DAffine3,
    planes: Vec<LocalPlane>,
    /// Nearest and farthest depth of each block in raster order, metres; `None` where nothing was hit.
    ranges: Vec<Option<[f64; 2]>>,
    valid: u32,
}

/// Inverse depth at a pixel centre and its slopes: 1/z of a plane is affine in the image.
#[derive(Debug, Clone, Copy, Default)]
struct LocalPlane {
    /// 1/z, 1/metres; 0 where nothing was hit.
    inverse: f64,
    /// Change of 1/z per pixel to the right and down.
    slope: [f64; 2],
}

impl<'a> Surface<'a> {
    /// Prepares a view.
    pub fn new(view: &'a View) -> Self {
        let depth = &view.depth;
        let inverse: Vec<f64> = depth
            .metres
            .iter()
            .map(|&z| if z > 0.0 { 1.0 / f64::from(z) } else { 0.0 })
            .collect();
        let mut planes = vec![LocalPlane::default(); inverse.len()];
        let (width, height) = (depth.width as usize, depth.height as usize);
        for y in 0..height {
            for x in 0..width {
                let i = y * width + x;
                let here = inverse[i];
                if here <= 0.0 {
                    continue;
                }
                let at = |inside: bool, offset: isize| {
                    let w = if inside {
                        inverse[i.wrapping_add_signed(offset)]
                    } else {
                        0.0
                    };
                    (w > 0.0).then_some(w)
                };
                planes[i] = LocalPlane {
                    inverse: here,
                    slope: [
                        flatter(at(x > 0, -1), here, at(x + 1 < width, 1)),
                        flatter(at(y > 0, -(width as isize)), here, at(y + 1 < height, width as isize)),
                    ],
                };
            }
        }
        Self {
            view,
            camera_from_world: view.camera.camera_from_world(),
            planes,
            ranges: block_ranges(depth),
            valid: depth.metres.iter().filter(|&&z| z > 0.0).count() as u32,
        }
    }

    /// Pixels with a surface.
    pub fn valid(&self) -> u32 {
        self.valid
    }

    /// Nearest and farthest depth of the block of 16 x 16 pixels number (`column`, `row`), metres.
    pub(super) fn range(&self, column: u32, row: u32) -> Option<[f64; 2]> {
        self.ranges[(row * self.view.depth.width.div_ceil(PATCH) + column) as usize]
    }

    /// Whether the surface at `pixel` (centres at +0.5) lies at the z-depth `depth_m` of this view,
    /// within the tolerance of the head of [`super::geometric_overlap`].
    ///
    /// Beyond the last pixel centres the last pixel's surface, carried on, decides.
    pub(super) fn lies_at(&self, pixel: DVec2, depth_m: f64, tolerance_px: f64) -> bool {
        let depth = &self.view.depth;
        let (x, y) = (
            (pixel.x as u32).min(depth.width - 1),
            (pixel.y as u32).min(depth.height - 1),
        );
        let plane = &self.planes[y as usize * depth.width as usize + x as usize];
        let [slope_x, slope_y] = plane.slope;
        let carried =
            plane.inverse + slope_x * (pixel.x - f64::from(x) - 0.5) + slope_y * (pixel.y - f64::from(y) - 0.5);
        // Both sides of |z - 1/c| <= k (z/f + (|sx| + |sy|) / (2 c^2)) times c^2: no division. 1/c is the
        // depth of the plane at the pixel, and slopes of depth are those of inverse depth times z^2.
        plane.inverse > 0.0
            && carried > 0.0
            && (depth_m * carried - 1.0).abs() * carried
                <= tolerance_px
                    * (depth_m * carried * carried / self.view.camera.intrinsics.fx
                        + 0.5 * (slope_x.abs() + slope_y.abs()))
    }
}

/// The flatter of the two one-sided differences, so that an edge beside the pixel does not count as
/// slope of its surface.
fn flatter(before: Option<f64>, here: f64, after: Option<f64>) -> f64 {
    match (before.map(|w| here - w), after.map(|w| w - here)) {
        (Some(a), Some(b)) if a.abs() <= b.abs() => a,
        (_, Some(b)) => b,
        (Some(a), None) => a,
        (None, None) => 0.0,
    }
}

fn block_ranges(depth: &DepthMap) -> Vec<Option<[f64; 2]>> {
    let columns = depth.width.div_ceil(PATCH) as usize;
    let mut ranges = vec![None; columns * depth.height.div_ceil(PATCH) as usize];
    for (y, row) in depth.metres.chunks(depth.width.max(1) as usize).enumerate() {
        for (x, &z) in row.iter().enumerate().filter(|(_, z)| **z > 0.0) {
            let z = f64::from(z);
            let range = &mut ranges[y / PATCH as usize * columns + x / PATCH as usize];
            *range = Some(range.map_or([z, z], |[near, far]: [f64; 2]| [near.min(z), far.max(z)]));
        }
    }
    ranges
}
