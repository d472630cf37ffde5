//! From a scene's triangles to lit ones: normals at corners, points to light, colours back.

use std::collections::HashMap;

use glam::Vec3;
use rayon::prelude::*;

use super::bvh::Bvh;
use super::covered::uncover;
use super::occlusion::{Point, openness};
use super::{shine, tessellate};
use crate::scene::model::{Primitive, Scene};

/// Faces that meet at a flatter angle than this share a normal: cosine of 40 degrees.
const CREASE_COS: f32 = 0.766;
/// Faces at one place beyond which each keeps its own normal; such fans are rare and would cost their square.
const MOST_FACES: usize = 64;
/// Points of like direction nearer than this share their light, metres.
const CELL_M: f32 = 0.04;
/// How far points are drawn in from corners towards the middle of their faces, metres: a point exactly in the
/// corner of a room lies on the walls that should darken it.
const INSET_M: f32 = 0.01;

/// Copies of a scene's primitives whose vertex colours hold the light on them (see the module's head).
///
/// Ids and materials stay; triangles with long edges become several. Without triangles, nothing.
pub fn light_primitives(scene: &Scene) -> Vec<Primitive> {
    let longest_m = tessellate::longest_edge(&scene.primitives);
    let mut primitives: Vec<Primitive> = scene
        .primitives
        .par_iter()
        .map(|primitive| tessellate::tessellate(primitive, longest_m))
        .collect();
    let faces: Vec<[Vec3; 3]> = (scene.primitives.iter())
        .flat_map(|p| p.indices.chunks_exact(3).map(|t| corner_positions(p, t)))
        .collect();
    // Rays need no more triangles than the scene has; its own order keeps the result the same.
    let bvh = Bvh::new(&faces);
    let corners = corners(&primitives);
    let (points, point_of_corner) = share_points(&corners);
    let mut open = openness(&bvh, &points);
    uncover(&mut open, point_of_corner.as_chunks().0);
    let around: Vec<f32> = points
        .iter()
        .zip(&open)
        .map(|(point, &open)| shine::surroundings(point, open))
        .collect();
    let lamps: Option<Vec<Vec3>> = (!scene.lights.is_empty()).then(|| {
        points
            .par_iter()
            .map(|point| shine::lamps(&scene.lights, &bvh, point))
            .collect()
    });
    let factors = shine::factors(&around, lamps.as_deref());
    let mut rest = point_of_corner.as_slice();
    for primitive in &mut primitives {
        let (own, later) = rest.split_at(primitive.indices.len());
        rest = later;
        color_corners(primitive, own, &factors);
    }
    primitives
}

fn corner_positions(primitive: &Primitive, triangle: &[u32]) -> [Vec3; 3] {
    [0, 1, 2].map(|k| Vec3::from(primitive.positions[triangle[k] as usize]))
}

/// A corner of a triangle.
#[derive(Debug, Clone, Copy)]
struct Corner {
    position: Vec3,
    /// Middle of the triangle.
    middle: Vec3,
    /// Cross product of two edges: normal times twice the area.
    area_normal: Vec3,
}

/// Points to light, one for each corner in the order of the indices.
fn corners(primitives: &[Primitive]) -> Vec<Point> {
    let corners: Vec<Corner> = primitives
        .iter()
        .flat_map(|primitive| {
            primitive.indices.chunks_exact(3).flat_map(|triangle| {
                let [a, b, c] = corner_positions(primitive, triangle);
                let (middle, area_normal) = ((a + b + c) / 3.0, (b - a).cross(c - a));
                [a, b, c].map(|position| Corner {
                    position,
                    middle,
                    area_normal,
                })
            })
        })
        .collect();
    // Corners in one place stand together after sorting; the second key keeps the order of the scene.
    let mut order: Vec<u32> = (0..corners.len() as u32).collect();
    let bits = |i: u32| corners[i as usize].position.to_array().map(|c| (c + 0.0).to_bits());
    order.par_sort_unstable_by_key(|&i| (bits(i), i));
    let mut points = vec![
        Point {
            position: Vec3::ZERO,
            normal: Vec3::Y
        };
        corners.len()
    ];
    for place in order.chunk_by(|&a, &b| bits(a) == bits(b)) {
        for &i in place {
            points[i as usize] = smooth(&corners, place, &corners[i as usize]);
        }
    }
    points
}

/// The point of a corner: its normal is that of all faces around it that it meets flatly.
fn smooth(corners: &[Corner], place: &[u32], corner: &Corner) -> Point {
    let own = corner.area_normal.normalize_or(Vec3::Y);
    let mut sum = corner.area_normal;
    let mut middle = corner.middle;
    if place.len() <= MOST_FACES {
        let like = place
            .iter()
            .map(|&i| &corners[i as usize])
            .filter(|other| other.area_normal.normalize_or_zero().dot(own) > CREASE_COS);
        let (mut normals, mut middles, mut count) = (Vec3::ZERO, Vec3::ZERO, 0.0);
        for other in like {
            normals += other.area_normal;
            middles += other.middle;
            count += 1.0;
        }
        if count > 0.0 {
            (sum, middle) = (normals, middles / count);
        }
    }
    let inwards = middle - corner.position;
    let inset = INSET_M.min(0.5 * inwards.length());
    Point {
        position: corner.position + inset * inwards.normalize_or_zero(),
        normal: sum.normalize_or(own),
    }
}

/// The distinct points among those of the corners, in order of first use, and which one each corner has.
fn share_points(corners: &[Point]) -> (Vec<Point>, Vec<u32>) {
    let mut numbers: HashMap<([i32; 3], [i8; 3]), u32> = HashMap::with_capacity(corners.len() / 4);
    let mut points: Vec<Point> = Vec::new();
    let place = corners
        .iter()
        .map(|point| {
            let cell = (point.position / CELL_M).floor().to_array().map(|c| c as i32);
            let direction = (point.normal * 4.0).round().to_array().map(|c| c as i8);
            *numbers.entry((cell, direction)).or_insert_with(|| {
                points.push(*point);
                points.len() as u32 - 1
            })
        })
        .collect();
    (points, place)
}

/// Multiplies the light of each corner into the vertex colours; vertices whose corners differ are split.
fn color_corners(primitive: &mut Primitive, points: &[u32], factors: &[[f32; 3]]) {
    let old = std::mem::take(primitive);
    let mut numbers: HashMap<(u32, u32), u32> = HashMap::with_capacity(old.positions.len());
    let mut new = Primitive {
        indices: Vec::with_capacity(old.indices.len()),
        material: old.material,
        instance: old.instance,
        semantics: old.semantics,
        ..Primitive::default()
    };
    for (&vertex, &point) in old.indices.iter().zip(points) {
        let number = *numbers.entry((vertex, point)).or_insert_with(|| {
            let at = vertex as usize;
            new.positions.push(old.positions[at]);
            if let Some(&uv) = old.uvs.get(at) {
                new.uvs.push(uv);
            }
            let tint = old.colors.get(at).copied().unwrap_or([1.0; 4]);
            let light = factors[point as usize];
            new.colors
                .push([tint[0] * light[0], tint[1] * light[1], tint[2] * light[2], tint[3]]);
            new.positions.len() as u32 - 1
        });
        new.indices.push(number);
    }
    *primitive = new;
}
