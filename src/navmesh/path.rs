//! Shortest paths over the floor.

use glam::Vec3;
use navmesh_rs::detour::NavMeshQuery;

use super::NavMesh;

/// A taut path over the floor.
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    /// Corners from start to goal, world metres, both snapped to the navmesh.
    pub points: Vec<Vec3>,
    /// Length of the polyline, metres.
    pub length_m: f64,
}

impl NavMesh {
    /// A query with room to visit every polygon.
    pub(super) fn search(&self) -> Option<NavMeshQuery<'_>> {
        self.query(self.polygons().len() + 64)
    }

    /// The shortest path that A* over the polygons and string pulling give (Detour's, as in Habitat);
    /// `None` where an end snaps to nothing or the ends lie on different islands.
    pub fn find_path(&self, start: Vec3, goal: Vec3) -> Option<Path> {
        let (from, to) = (self.project(start)?, self.project(goal)?);
        if self.island_of_ref(from.reference)? != self.island_of_ref(to.reference)? {
            return None;
        }
        let mut query = self.search()?;
        let most = self.polygons().len() + 1;
        let (a, b) = (from.position.to_array(), to.position.to_array());
        let mut corridor = Vec::new();
        query
            .find_path(from.reference, to.reference, &a, &b, &self.filter, &mut corridor, most)
            .ok()?;
        if corridor.last() != Some(&to.reference) {
            return None;
        }
        let mut corners = Vec::new();
        query
            .find_straight_path(&a, &b, &corridor, &mut corners, 2 * most + 2, 0)
            .ok()?;
        let points: Vec<Vec3> = corners.iter().map(|corner| corner.pos.into()).collect();
        let length_m = points
            .windows(2)
            .map(|w| w[0].as_dvec3().distance(w[1].as_dvec3()))
            .sum();
        Some(Path { points, length_m })
    }

    /// Length of the shortest path, metres; infinite where there is none.
    pub fn geodesic_distance_m(&self, start: Vec3, goal: Vec3) -> f64 {
        self.find_path(start, goal).map_or(f64::INFINITY, |path| path.length_m)
    }
}
