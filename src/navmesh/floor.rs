//! The floor itself under the navmesh, which floats up to a cell height above it.

use glam::{Vec2, Vec3};

use crate::scene::Scene;

/// Steepest surface that counts as floor, as the smallest y of its unit normal (60 degrees).
const MIN_NORMAL_Y: f32 = 0.5;
/// Most bins along a side.
const MAX_BINS: f32 = 512.0;

/// The upward triangles of a scene, in bins, to find the true floor below a navmesh position.
#[derive(Debug, Clone)]
pub struct TrueFloor {
    triangles: Vec<[Vec3; 3]>,
    origin: Vec2,
    bin_m: f32,
    bins_x: usize,
    bins_z: usize,
    bins: Vec<Vec<u32>>,
}

impl TrueFloor {
    /// Sorts the triangles of a scene that face up.
    pub fn new(scene: &Scene) -> Self {
        let (vertices, indices) = scene.triangle_soup();
        let triangles: Vec<[Vec3; 3]> = indices
            .iter()
            .map(|t| t.map(|i| Vec3::from(vertices[i as usize])))
            .filter(|[a, b, c]| (*b - *a).cross(*c - *a).normalize_or_zero().y > MIN_NORMAL_Y)
            .collect();
        let (mut min, mut max) = (Vec2::INFINITY, Vec2::NEG_INFINITY);
        for vertex in triangles.iter().flatten() {
            min = min.min(Vec2::new(vertex.x, vertex.z));
            max = max.max(Vec2::new(vertex.x, vertex.z));
        }
        if triangles.is_empty() {
            (min, max) = (Vec2::ZERO, Vec2::ZERO);
        }
        let bin_m = ((max - min).max_element() / MAX_BINS).max(0.1);
        let bins_x = ((max.x - min.x) / bin_m) as usize + 1;
        let bins_z = ((max.y - min.y) / bin_m) as usize + 1;
        let mut floor = Self {
            triangles,
            origin: min,
            bin_m,
            bins_x,
            bins_z,
            bins: vec![Vec::new(); bins_x * bins_z],
        };
        for number in 0..floor.triangles.len() {
            let corners = floor.triangles[number].map(|v| Vec2::new(v.x, v.z));
            let low = floor.bin(corners[0].min(corners[1]).min(corners[2]));
            let high = floor.bin(corners[0].max(corners[1]).max(corners[2]));
            for z in low.1..=high.1 {
                for x in low.0..=high.0 {
                    floor.bins[z * bins_x + x].push(number as u32);
                }
            }
        }
        floor
    }

    fn bin(&self, position: Vec2) -> (usize, usize) {
        let cell = ((position - self.origin) / self.bin_m).max(Vec2::ZERO);
        (
            (cell.x as usize).min(self.bins_x - 1),
            (cell.y as usize).min(self.bins_z - 1),
        )
    }

    /// The surface nearest in height to `position`, straight above or below it by at most `reach_m`
    /// (a navmesh's cell height and a little); `None` where there is none.
    pub fn under(&self, position: Vec3, reach_m: f32) -> Option<Vec3> {
        let point = Vec2::new(position.x, position.z);
        let (x, z) = self.bin(point);
        self.bins[z * self.bins_x + x]
            .iter()
            .filter_map(|&number| height_at(self.triangles[number as usize], point))
            .filter(|height| (height - position.y).abs() <= reach_m)
            .min_by(|a, b| (a - position.y).abs().total_cmp(&(b - position.y).abs()))
            .map(|height| Vec3::new(position.x, height, position.z))
    }
}

/// Height of the triangle's plane at a point of its plan, `None` outside it.
fn height_at([a, b, c]: [Vec3; 3], point: Vec2) -> Option<f32> {
    let plan = |v: Vec3| Vec2::new(v.x, v.z) - point;
    let (pa, pb, pc) = (plan(a), plan(b), plan(c));
    let weights = [pb.perp_dot(pc), pc.perp_dot(pa), pa.perp_dot(pb)];
    let total: f32 = weights.iter().sum();
    if total == 0.0 || weights.iter().any(|w| w / total < 0.0) {
        return None;
    }
    Some((weights[0] * a.y + weights[1] * b.y + weights[2] * c.y) / total)
}
