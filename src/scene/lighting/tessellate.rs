//! Long edges are halved, so that what is kept in vertices can vary along a wall.

use std::collections::HashMap;

use glam::Vec3;

use crate::scene::model::Primitive;

/// Longest edge that stays whole in a scene of ordinary size, metres.
const LONGEST_M: f32 = 0.3;
/// Triangles that a scene may gain, about; the longest edge grows with the scene's area to keep to it.
const BUDGET: f32 = 300_000.0;

/// The longest edge for a scene of these primitives, metres.
pub(super) fn longest_edge(primitives: &[Primitive]) -> f32 {
    let area: f64 = primitives
        .iter()
        .flat_map(|p| p.indices.chunks_exact(3).map(|t| f64::from(area(p, t))))
        .sum();
    // Halving leaves triangles of a third of the square on the longest edge, about.
    LONGEST_M.max((3.0 * area as f32 / BUDGET).sqrt())
}

fn corners(primitive: &Primitive, triangle: &[u32]) -> [Vec3; 3] {
    [0, 1, 2].map(|k| Vec3::from(primitive.positions[triangle[k] as usize]))
}

fn area(primitive: &Primitive, triangle: &[u32]) -> f32 {
    let [a, b, c] = corners(primitive, triangle);
    0.5 * (b - a).cross(c - a).length()
}

/// The primitive with every edge longer than `longest_m` halved until none is.
///
/// Whether and where an edge is halved depends on its two ends alone, so neighbours agree and no cracks open.
pub(super) fn tessellate(primitive: &Primitive, longest_m: f32) -> Primitive {
    let mut out = Primitive {
        indices: Vec::with_capacity(primitive.indices.len()),
        semantics: Vec::with_capacity(primitive.semantics.len()),
        ..primitive.clone()
    };
    out.indices.clear();
    out.semantics.clear();
    let mut middles: HashMap<(u32, u32), u32> = HashMap::new();
    let mut open: Vec<[u32; 3]> = Vec::new();
    for (number, triangle) in primitive.indices.chunks_exact(3).enumerate() {
        open.push([triangle[0], triangle[1], triangle[2]]);
        while let Some([a, b, c]) = open.pop() {
            let at = |i: u32| Vec3::from(out.positions[i as usize]);
            let lengths = [(a, b), (b, c), (c, a)].map(|(p, q)| (at(p) - at(q)).length());
            // Turned so that the longest edge comes first.
            let [a, b, c, longest] = if lengths[0] >= lengths[1] && lengths[0] >= lengths[2] {
                [a, b, c, lengths[0].to_bits()]
            } else if lengths[1] >= lengths[2] {
                [b, c, a, lengths[1].to_bits()]
            } else {
                [c, a, b, lengths[2].to_bits()]
            };
            if f32::from_bits(longest) > longest_m {
                let m = *middles
                    .entry((a.min(b), a.max(b)))
                    .or_insert_with(|| push_middle(&mut out, a, b));
                open.push([m, b, c]);
                open.push([a, m, c]);
            } else {
                out.indices.extend([a, b, c]);
                out.semantics.extend(primitive.semantics.get(number));
            }
        }
    }
    out
}

/// Appends the vertex between two others; sums commute, so it is the same from either side.
fn push_middle(primitive: &mut Primitive, a: u32, b: u32) -> u32 {
    fn between<const N: usize>(values: &mut Vec<[f32; N]>, a: u32, b: u32) {
        if !values.is_empty() {
            let (a, b) = (values[a as usize], values[b as usize]);
            values.push(std::array::from_fn(|i| 0.5 * (a[i] + b[i])));
        }
    }
    let new = primitive.positions.len() as u32;
    between(&mut primitive.positions, a, b);
    between(&mut primitive.uvs, a, b);
    between(&mut primitive.colors, a, b);
    new
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_become_short_and_area_and_ids_stay() {
        let wall = Primitive {
            positions: vec![[0.0; 3], [3.0, 0.0, 0.0], [3.0, 2.0, 0.0], [0.0, 2.0, 0.0]],
            uvs: vec![[0.0, 1.0], [1.0, 1.0], [1.0, 0.0], [0.0, 0.0]],
            indices: vec![0, 1, 2, 0, 2, 3],
            semantics: vec![7, 9],
            ..Primitive::default()
        };
        let fine = tessellate(&wall, 0.25);
        let mut areas = [0.0; 2];
        for (triangle, &id) in fine.indices.chunks_exact(3).zip(&fine.semantics) {
            let [a, b, c] = corners(&fine, triangle);
            assert!((a - b).length().max((b - c).length()).max((c - a).length()) <= 0.25);
            assert!((b - a).cross(c - a).z > 0.0, "the winding stays");
            areas[usize::from(id == 9)] += area(&fine, triangle);
        }
        assert!(areas.iter().all(|a| (a - 3.0).abs() < 1e-3), "{areas:?}");
        for (p, uv) in fine.positions.iter().zip(&fine.uvs) {
            assert!((uv[0] - p[0] / 3.0).abs() < 1e-6 && (uv[1] - (1.0 - p[1] / 2.0)).abs() < 1e-6);
        }
        // The diagonal is shared: each of its points is there once.
        let on_diagonal = fine
            .positions
            .iter()
            .filter(|p| (p[1] * 1.5 - p[0]).abs() < 1e-6)
            .count();
        assert_eq!(on_diagonal, 17);
    }

    #[test]
    fn a_vast_scene_stays_within_the_budget() {
        let plain = Primitive {
            positions: vec![[0.0; 3], [4000.0, 0.0, 0.0], [0.0, 4000.0, 0.0]],
            indices: vec![0, 1, 2],
            ..Primitive::default()
        };
        let fine = tessellate(&plain, longest_edge(std::slice::from_ref(&plain)));
        assert!(
            (10_000..2_000_000).contains(&(fine.indices.len() / 3)),
            "{}",
            fine.indices.len()
        );
    }
}
