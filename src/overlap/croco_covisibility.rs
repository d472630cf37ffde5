//! CroCo's covisibility: points of one view with a point of the other closer than 5 cm.
//!
//! `covisibility(A, B) = |{x in cloud A : exists y in cloud B, |x - y| < r}| / pixels of A`, both clouds
//! from depth and pose. Holes count in the denominator. There is no occlusion test beyond proximity in
//! space (Weinzaepfel et al. 2022, section 3.3; radius and denominator as in the released generator).

use std::collections::HashMap;

use glam::{DVec2, DVec3};

use crate::view::{Overlap, View};

/// The published radius, metres.
pub const CROCO_RADIUS_M: f64 = 0.05;

/// CroCo's covisibility, both ways, with neighbours closer than `radius_m`.
pub fn croco_covisibility(first: &View, second: &View, radius_m: f64) -> Overlap {
    let clouds = [point_cloud(first), point_cloud(second)];
    let grids = [Grid::new(&clouds[0], radius_m), Grid::new(&clouds[1], radius_m)];
    let share = |from: usize, to: usize, view: &View| {
        let near = clouds[from]
            .iter()
            .filter(|&&point| grids[to].has_neighbour(point))
            .count();
        near as f64 / view.depth.metres.len().max(1) as f64
    };
    Overlap {
        first_to_second: share(0, 1, first),
        second_to_first: share(1, 0, second),
    }
}

/// World points of all pixels with a surface, in row order, metres.
pub fn point_cloud(view: &View) -> Vec<DVec3> {
    let mut points = Vec::with_capacity(view.depth.metres.len());
    for y in 0..view.depth.height {
        for x in 0..view.depth.width {
            let depth = f64::from(view.depth.at(x, y));
            if depth > 0.0 {
                let centre = DVec2::new(f64::from(x) + 0.5, f64::from(y) + 0.5);
                points.push(view.camera.unproject(centre, depth));
            }
        }
    }
    points
}

/// Points in cubes of the radius' size: a neighbour lies in one of 27 cubes.
struct Grid<'a> {
    radius_m: f64,
    points: &'a [DVec3],
    /// Cube to the range of `order` that holds its points.
    cells: HashMap<[i64; 3], (u32, u32)>,
    order: Vec<u32>,
}

impl<'a> Grid<'a> {
    fn new(points: &'a [DVec3], radius_m: f64) -> Self {
        let mut keyed: Vec<([i64; 3], u32)> = points
            .iter()
            .enumerate()
            .map(|(i, &point)| (cell(point, radius_m), i as u32))
            .collect();
        keyed.sort_unstable();
        let mut cells = HashMap::new();
        let mut start = 0;
        while start < keyed.len() {
            let key = keyed[start].0;
            let end = start + keyed[start..].partition_point(|(other, _)| *other == key);
            cells.insert(key, (start as u32, end as u32));
            start = end;
        }
        Self {
            radius_m,
            points,
            cells,
            order: keyed.into_iter().map(|(_, i)| i).collect(),
        }
    }

    fn has_neighbour(&self, point: DVec3) -> bool {
        let [x, y, z] = cell(point, self.radius_m);
        let close = |&i: &u32| self.points[i as usize].distance_squared(point) < self.radius_m * self.radius_m;
        // The point's own cube first: neighbours usually lie there.
        [0, -1, 1].into_iter().any(|dx| {
            [0, -1, 1].into_iter().any(|dy| {
                [0, -1, 1].into_iter().any(|dz| {
                    self.cells
                        .get(&[x + dx, y + dy, z + dz])
                        .is_some_and(|&(start, end)| self.order[start as usize..end as usize].iter().any(close))
                })
            })
        })
    }
}

fn cell(point: DVec3, size: f64) -> [i64; 3] {
    (point / size).floor().to_array().map(|v| v as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::{Camera, Intrinsics};
    use crate::view::DepthMap;

    /// A wall at z-depth `depth_m` seen head-on from `eye`, 64 px wide, 90 degrees.
    fn wall(eye: DVec3, depth_m: f32) -> View {
        View {
            camera: Camera::level(Intrinsics::from_hfov(64, 64, std::f64::consts::FRAC_PI_2), eye, 0.0),
            color: image::RgbImage::new(64, 64),
            depth: DepthMap {
                width: 64,
                height: 64,
                metres: vec![depth_m; 64 * 64],
            },
        }
    }

    #[test]
    fn the_same_wall_from_the_side_is_shared_in_part() {
        // The wall spans 4 m; 1 m to the side three quarters are shared. Samples lie 6.25 cm apart and
        // 1 m is 16 of them, so shared points coincide.
        let overlap = croco_covisibility(&wall(DVec3::ZERO, 2.0), &wall(DVec3::X, 2.0), CROCO_RADIUS_M);
        assert!((overlap.first_to_second - 0.75).abs() < 1e-12, "{overlap:?}");
        assert!((overlap.second_to_first - 0.75).abs() < 1e-12, "{overlap:?}");
    }

    #[test]
    fn the_radius_is_strict_and_in_metres() {
        let shifted = |metres: f64| {
            croco_covisibility(&wall(DVec3::ZERO, 2.0), &wall(DVec3::Z * metres, 2.0), CROCO_RADIUS_M).min()
        };
        assert!(shifted(0.049) > 0.9);
        assert_eq!(shifted(0.051), 0.0);
    }

    #[test]
    fn holes_count_as_not_shared() {
        let mut half = wall(DVec3::ZERO, 2.0);
        half.depth.metres[..64 * 32].fill(0.0);
        let overlap = croco_covisibility(&half, &wall(DVec3::ZERO, 2.0), CROCO_RADIUS_M);
        assert!((overlap.first_to_second - 0.5).abs() < 1e-12);
    }
}
