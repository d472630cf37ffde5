//! An equirectangular picture from six perspective ones.
//!
//! The faces of a cube around the eye are drawn as usual and looked up along each pixel's ray. Depth is
//! carried from the nearest pixel centre of the face to the ray itself along the local plane, which is
//! exact for planar surfaces because 1/z is affine in the image; it comes out as the distance from the
//! eye. Colour is bilinear; normals, ids and validity are those of the nearest pixel centre.

use glam::{DAffine3, DMat3, DVec2, DVec3};
use image::{Rgb, RgbImage};
use rayon::prelude::*;

use crate::camera::{Camera, Equirectangular, Intrinsics, PosedCamera};
use crate::view::{Capture, DepthMap, IdMap, NormalMap, ValidityMap};

/// Pictures for each sphere.
pub(super) const FACES: usize = 6;
/// Pixels that each face shows beyond its edge, so that filters and slopes find neighbours.
const BORDER_PX: u32 = 2;

/// Camera axes (right, down, forward) of each face in the sphere's frame: ahead, right, back, left, up, down.
fn axes(face: usize) -> DMat3 {
    let (x, y, z) = (DVec3::X, DVec3::Y, DVec3::Z);
    let columns = [[x, y, z], [-z, y, x], [-x, y, -z], [z, y, -x], [x, z, -y], [x, -z, y]][face];
    DMat3::from_cols(columns[0], columns[1], columns[2])
}

/// The six cameras. A face has half as many pixels as the sphere is wide, which is 1.6 times the sphere's
/// own density where the face is coarsest.
pub(super) fn faces(sphere: Equirectangular, world_from_camera: DAffine3) -> [Camera; FACES] {
    let inner = (sphere.width.max(2 * sphere.height).div_ceil(2)).max(4);
    let size = inner + 2 * BORDER_PX;
    let (focal, center) = (0.5 * f64::from(inner), 0.5 * f64::from(size));
    std::array::from_fn(|face| Camera {
        intrinsics: Intrinsics {
            fx: focal,
            fy: focal,
            cx: center,
            cy: center,
            width: size,
            height: size,
        },
        world_from_camera: DAffine3 {
            matrix3: world_from_camera.matrix3 * axes(face),
            translation: world_from_camera.translation,
        },
    })
}

/// The face that a direction of the sphere's frame goes through: that of its longest component.
fn face_of(direction: DVec3) -> usize {
    let size = direction.abs();
    if size.x >= size.y && size.x >= size.z {
        if direction.x > 0.0 { 1 } else { 3 }
    } else if size.y >= size.z {
        if direction.y > 0.0 { 5 } else { 4 }
    } else if direction.z > 0.0 {
        0
    } else {
        2
    }
}

/// What one pixel of the sphere is made of.
struct Texel {
    color: Rgb<u8>,
    depth: f32,
    face: usize,
    /// Place of the nearest pixel in the face.
    nearest: usize,
}

/// The sphere from its six faces.
pub(super) fn stitch(camera: &PosedCamera, faces: &[Capture]) -> Capture {
    let (width, height) = camera.model.size();
    let texels: Vec<Texel> = (0..height)
        .into_par_iter()
        .flat_map_iter(|y| (0..width).map(move |x| DVec2::new(f64::from(x) + 0.5, f64::from(y) + 0.5)))
        .map(|pixel| look_up(camera.model.ray(pixel).direction, faces))
        .collect();
    let channel = |of: fn(&Capture) -> Option<&[u32]>| -> Option<IdMap> {
        let maps: Option<Vec<&[u32]>> = faces.iter().map(of).collect();
        maps.map(|maps| IdMap {
            width,
            height,
            ids: texels.iter().map(|t| maps[t.face][t.nearest]).collect(),
        })
    };
    let normals: Option<Vec<&NormalMap>> = faces.iter().map(|f| f.normals.as_ref()).collect();
    let validity: Option<Vec<&ValidityMap>> = faces.iter().map(|f| f.validity.as_ref()).collect();
    Capture {
        camera: *camera,
        color: RgbImage::from_fn(width, height, |x, y| texels[(y * width + x) as usize].color),
        depth: DepthMap {
            width,
            height,
            metres: texels.iter().map(|t| t.depth).collect(),
        },
        normals: normals.map(|maps| NormalMap {
            width,
            height,
            vectors: texels.iter().map(|t| maps[t.face].vectors[t.nearest]).collect(),
        }),
        instances: channel(|f| f.instances.as_ref().map(|m| m.ids.as_slice())),
        semantics: channel(|f| f.semantics.as_ref().map(|m| m.ids.as_slice())),
        validity: validity.map(|maps| ValidityMap {
            width,
            height,
            values: texels.iter().map(|t| maps[t.face].values[t.nearest]).collect(),
        }),
    }
}

/// The ids of the sphere from those of its six faces.
pub(super) fn stitch_ids(camera: &PosedCamera, faces: &[IdMap]) -> IdMap {
    let (width, height) = camera.model.size();
    let at = |x: u32, y: u32| DVec2::new(f64::from(x) + 0.5, f64::from(y) + 0.5);
    let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    IdMap {
        width,
        height,
        ids: pixels
            .map(|(x, y)| {
                let (face, pixel, _) = place(camera.model.ray(at(x, y)).direction, faces[0].width);
                faces[face].at(pixel.x as u32, pixel.y as u32)
            })
            .collect(),
    }
}

/// Face, pixel there and z of a direction's unit vector in the face's frame, for faces of `size` pixels.
fn place(direction: DVec3, size: u32) -> (usize, DVec2, f64) {
    let face = face_of(direction);
    // Local z is the longest component, so the pixel lies inside the face's inner square.
    let local = axes(face).transpose() * direction;
    let focal = 0.5 * f64::from(size - 2 * BORDER_PX);
    (
        face,
        focal * local.truncate() / local.z + 0.5 * f64::from(size),
        local.z,
    )
}

fn look_up(direction: DVec3, faces: &[Capture]) -> Texel {
    let (face, pixel, z) = place(direction, faces[0].depth.width);
    let capture = &faces[face];
    // One metre of the face's depth is 1 / z metres along the unit ray.
    let depth = carried_depth(&capture.depth, pixel) / z;
    Texel {
        color: bilinear(&capture.color, pixel),
        depth: depth as f32,
        face,
        nearest: pixel.y as usize * capture.depth.width as usize + pixel.x as usize,
    }
}

/// z-depth at `pixel` on the plane of the nearest pixel's surface, metres; 0 where there is none.
fn carried_depth(depth: &DepthMap, pixel: DVec2) -> f64 {
    let (x, y) = (pixel.x as u32, pixel.y as u32);
    let inverse = |x: u32, y: u32| {
        let metres = f64::from(depth.at(x, y));
        (metres > 0.0).then(|| 1.0 / metres)
    };
    let Some(here) = inverse(x, y) else { return 0.0 };
    // The flatter side, so that an edge beside the pixel does not count as slope.
    let slope = |before: Option<f64>, after: Option<f64>| match (before.map(|b| here - b), after.map(|a| a - here)) {
        (Some(b), Some(a)) => {
            if b.abs() <= a.abs() {
                b
            } else {
                a
            }
        }
        (b, a) => a.or(b).unwrap_or(0.0),
    };
    let slope_x = slope(inverse(x - 1, y), inverse(x + 1, y));
    let slope_y = slope(inverse(x, y - 1), inverse(x, y + 1));
    let carried = here + slope_x * (pixel.x - f64::from(x) - 0.5) + slope_y * (pixel.y - f64::from(y) - 0.5);
    if carried > 0.0 { 1.0 / carried } else { 1.0 / here }
}

fn bilinear(picture: &RgbImage, pixel: DVec2) -> Rgb<u8> {
    let at = pixel - 0.5;
    let base = at.floor();
    let share = at - base;
    let texel = |dx: u32, dy: u32| {
        let pixel = picture.get_pixel(base.x as u32 + dx, base.y as u32 + dy);
        DVec3::from(pixel.0.map(f64::from))
    };
    let top = texel(0, 0).lerp(texel(1, 0), share.x);
    let bottom = texel(0, 1).lerp(texel(1, 1), share.x);
    Rgb(top.lerp(bottom, share.y).to_array().map(|c| (c + 0.5) as u8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_face_is_a_right_handed_frame_that_looks_where_it_is_chosen() {
        for face in 0..FACES {
            let axes = axes(face);
            assert_eq!(axes.determinant(), 1.0, "face {face}");
            assert_eq!(face_of(axes.z_axis), face);
            // A little off the axis, in the face's own frame.
            let local = axes.transpose() * (axes.z_axis + 0.1 * axes.x_axis + 0.2 * axes.y_axis);
            assert_eq!(local, DVec3::new(0.1, 0.2, 1.0), "face {face}");
        }
    }

    #[test]
    fn depth_is_carried_exactly_along_a_plane_and_not_across_an_edge() {
        // 1/z is affine over a plane.
        let plane = |x: u32, y: u32| 1.0 / (0.2 + 0.01 * f64::from(x) + 0.02 * f64::from(y));
        let mut depth = DepthMap {
            width: 8,
            height: 8,
            metres: (0..64).map(|i| plane(i % 8, i / 8) as f32).collect(),
        };
        let expected = 1.0 / (0.2 + 0.01 * 3.3 + 0.02 * 3.8);
        assert!((carried_depth(&depth, DVec2::new(3.8, 4.3)) - expected).abs() < 1e-5);
        depth.metres[4 * 8 + 4] = 50.0;
        assert!((carried_depth(&depth, DVec2::new(3.8, 4.3)) - expected).abs() < 1e-5);
    }
}
