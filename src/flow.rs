//! Where every pixel of one view appears in another: forward flow and pixel correspondences, from depth
//! and pose, with the occlusion test of [`crate::overlap`].
//!
//! Scenes stand still, so the motion of a pixel is that of the camera alone, and it is known wherever a
//! surface is, even where the other view does not see it: [`Sight`] says which is the case.

use glam::DVec2;
use rayon::prelude::*;

use crate::overlap::{GeometricOverlapConfig, Reprojection, Surface};
use crate::view::View;

/// Whether the other view sees the surface of a pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sight {
    /// The pixel shows no surface, so it has no motion.
    NoSurface,
    /// The surface lies behind the other camera: it has no place in its image plane.
    Behind,
    /// It appears outside the other image.
    Outside,
    /// It lies inside the other image but behind another surface.
    Hidden,
    /// The other view shows it.
    Visible,
}

/// Forward flow: the motion of every pixel of the first view, `[height, width]` row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct FlowMap {
    /// Pixels across, of the first view.
    pub width: u32,
    /// Pixels down, of the first view.
    pub height: u32,
    /// `height * width` motions `[dx, dy]` in pixels: the place in the second image minus the place in the
    /// first, pixel centres at +0.5 in both; 0 under [`Sight::NoSurface`] and [`Sight::Behind`].
    pub motion: Vec<[f32; 2]>,
    /// `height * width` values.
    pub sight: Vec<Sight>,
}

/// A pixel of the first view and the place of the second that shows the same point of the same surface.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PixelMatch {
    /// Column and row in the first image.
    pub first: [u32; 2],
    /// Place in the second image, pixels, centres at +0.5; exact to the depth's 32 bits.
    pub second: DVec2,
}

impl FlowMap {
    /// Motion and sight of the pixel in column `x`, row `y`.
    pub fn at(&self, x: u32, y: u32) -> ([f32; 2], Sight) {
        let place = y as usize * self.width as usize + x as usize;
        (self.motion[place], self.sight[place])
    }

    /// Share of pixels with the given value, in [0, 1].
    pub fn fraction(&self, of: Sight) -> f64 {
        let count = self.sight.iter().filter(|&&s| s == of).count();
        count as f64 / self.sight.len().max(1) as f64
    }
}

/// Flow from the first view to the second. The views may differ in size and field of view.
pub fn optical_flow(first: &View, second: &View, config: &GeometricOverlapConfig) -> FlowMap {
    let (width, height) = (first.depth.width, first.depth.height);
    let surfaces = [Surface::new(first), Surface::new(second)];
    let carrier = Carrier::new(&surfaces, config);
    let (motion, sight) = (0..height)
        .into_par_iter()
        .flat_map_iter(|y| (0..width).map(move |x| (x, y)))
        .map(|(x, y)| {
            let (place, sight) = carrier.carry(x, y);
            let motion = place.map_or(DVec2::ZERO, |place| place - centre(x, y));
            (motion.as_vec2().to_array(), sight)
        })
        .unzip();
    FlowMap {
        width,
        height,
        motion,
        sight,
    }
}

/// Every pixel of the first view that the second one sees too, in row order.
pub fn pixel_matches(first: &View, second: &View, config: &GeometricOverlapConfig) -> Vec<PixelMatch> {
    let (width, height) = (first.depth.width, first.depth.height);
    let surfaces = [Surface::new(first), Surface::new(second)];
    let carrier = Carrier::new(&surfaces, config);
    (0..height)
        .into_par_iter()
        .flat_map_iter(|y| (0..width).map(move |x| (x, y)))
        .filter_map(|(x, y)| match carrier.carry(x, y) {
            (Some(second), Sight::Visible) => Some(PixelMatch { first: [x, y], second }),
            _ => None,
        })
        .collect()
}

fn centre(x: u32, y: u32) -> DVec2 {
    DVec2::new(f64::from(x) + 0.5, f64::from(y) + 0.5)
}

/// Carries pixels of one view into another.
struct Carrier<'a> {
    first: &'a View,
    second: &'a View,
    second_from_first: glam::DAffine3,
    seen: Reprojection<'a>,
}

impl<'a> Carrier<'a> {
    fn new([first, second]: &'a [Surface<'a>; 2], config: &GeometricOverlapConfig) -> Self {
        Self {
            first: first.view,
            second: second.view,
            second_from_first: second.camera_from_world * first.view.camera.world_from_camera,
            seen: Reprojection::new(first, second, config),
        }
    }

    /// Where a pixel's surface appears, as far as it has a place, and whether it is seen there.
    fn carry(&self, x: u32, y: u32) -> (Option<DVec2>, Sight) {
        let depth = f64::from(self.first.depth.at(x, y));
        if depth <= 0.0 {
            return (None, Sight::NoSurface);
        }
        let point = self.first.camera.intrinsics.unproject(centre(x, y), depth);
        let lens = &self.second.camera.intrinsics;
        let Some(place) = lens.project(self.second_from_first.transform_point3(point)) else {
            return (None, Sight::Behind);
        };
        let sight = if !lens.contains(place) {
            Sight::Outside
        } else if self.seen.at(x, y).is_some() {
            Sight::Visible
        } else {
            Sight::Hidden
        };
        (Some(place), sight)
    }
}
