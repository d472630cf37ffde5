//! Points that both views of a pair see, by depth and pose.

use glam::{DVec2, DVec3};
use image::Rgb;

use crate::view::View;

/// How far depths may lie apart for one surface: a share of the depth, and metres.
const TOLERANCE: (f64, f64) = (0.01, 0.005);

/// A surface point with its places in both pictures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CovisiblePoint {
    /// World, metres.
    pub world: DVec3,
    /// Place in the first picture, pixels, centres at +0.5: the centre of a pixel.
    pub first: DVec2,
    /// Place in the second picture, pixels, centres at +0.5.
    pub second: DVec2,
    /// Colour in the first picture.
    pub color: Rgb<u8>,
}

/// Every `step`-th pixel of the first view whose surface point the second view shows unoccluded, in row order.
pub fn covisible_points(first: &View, second: &View, step: u32) -> Vec<CovisiblePoint> {
    let step = step.max(1);
    let along = move |length: u32| (step / 2..length).step_by(step as usize);
    let pixels = along(first.depth.height).flat_map(|y| along(first.depth.width).map(move |x| (x, y)));
    pixels.filter_map(|(x, y)| point(first, second, x, y)).collect()
}

fn point(first: &View, second: &View, x: u32, y: u32) -> Option<CovisiblePoint> {
    let depth = f64::from(first.depth.at(x, y));
    if depth <= 0.0 {
        return None;
    }
    let pixel = DVec2::new(f64::from(x) + 0.5, f64::from(y) + 0.5);
    let world = first.camera.unproject(pixel, depth);
    let in_second = second.camera.camera_from_world().transform_point3(world);
    let place = second.camera.intrinsics.project(in_second)?;
    if !second.camera.intrinsics.contains(place) {
        return None;
    }
    let seen = f64::from(second.depth.at(place.x as u32, place.y as u32));
    let (share, metres) = TOLERANCE;
    let same = seen > 0.0 && (seen - in_second.z).abs() <= share * in_second.z + metres;
    same.then(|| CovisiblePoint {
        world,
        first: pixel,
        second: place,
        color: *first.color.get_pixel(x, y),
    })
}
