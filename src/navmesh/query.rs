//! Questions about positions and steps, with Habitat's meaning.

use glam::{Vec2, Vec3};
use navmesh_rs::detour::PolyRef;

use super::NavMesh;
use super::mesh::polygon_vertices;

/// Half extents of the box in which a position looks for its polygon, metres (Habitat).
const PICK_HALF_EXTENTS_M: [f32; 3] = [2.0, 4.0, 2.0];
/// Farthest a navigable position may be from the navmesh in the floor plane, metres (Habitat).
const NAVIGABLE_OFFSET_M: f32 = 0.01;
/// Most polygons that one step visits (Habitat).
const MAX_STEP_POLYGONS: usize = 256;
/// How far a step that ended on a thin wall is drawn back, metres (Habitat).
const THIN_WALL_NUDGE_M: f32 = 1e-4;

/// A position on the navmesh and its polygon.
#[derive(Debug, Clone, Copy)]
pub(super) struct Projection {
    pub(super) reference: PolyRef,
    pub(super) position: Vec3,
}

impl NavMesh {
    /// The nearest position on the navmesh within Habitat's box (2 m to each side, 4 m up and down).
    pub(super) fn project(&self, position: Vec3) -> Option<Projection> {
        let (reference, nearest, _) = self
            .query(1)?
            .find_nearest_poly(&position.to_array(), &PICK_HALF_EXTENTS_M, &self.filter)
            .ok()?;
        (reference != 0).then_some(Projection {
            reference,
            position: nearest.into(),
        })
    }

    /// The nearest position on the navmesh; `None` beyond 2 m to a side or 4 m up or down.
    pub fn snap_point(&self, position: Vec3) -> Option<Vec3> {
        self.project(position).map(|p| p.position)
    }

    /// The island (index into [`NavMesh::islands`]) that a position snaps to.
    pub fn island_at(&self, position: Vec3) -> Option<usize> {
        self.island_of_ref(self.project(position)?.reference)
    }

    /// Radius of the island that a position snaps to, metres; `None` where it snaps to nothing.
    pub fn island_radius_m(&self, position: Vec3) -> Option<f64> {
        Some(self.islands()[self.island_at(position)?].radius_m)
    }

    /// Whether a position is on the navmesh: within 1 cm in the floor plane and `max_height_m`
    /// (Habitat: 0.5) above or below.
    pub fn is_navigable(&self, position: Vec3, max_height_m: f32) -> bool {
        self.project(position).is_some_and(|p| {
            let offset = p.position - position;
            offset.y.abs() <= max_height_m && Vec2::new(offset.x, offset.z).length() <= NAVIGABLE_OFFSET_M
        })
    }

    /// Walks from `start` towards `end` and slides along walls; the position that is reached.
    ///
    /// Both ends are snapped first. A step that would leave the island stays at its start, as does one
    /// from a position that snaps to nothing.
    pub fn try_step(&self, start: Vec3, end: Vec3) -> Vec3 {
        self.step(start, end, true)
    }

    /// Like [`NavMesh::try_step`], but stops at the wall where the straight line to `end` meets it.
    ///
    /// As in Habitat, that is the last wall that the line meets on the polygons that a slide crosses, so a
    /// step may go on past an obstacle that a slide gets around.
    pub fn try_step_no_sliding(&self, start: Vec3, end: Vec3) -> Vec3 {
        self.step(start, end, false)
    }

    fn step(&self, start: Vec3, end: Vec3, sliding: bool) -> Vec3 {
        // The end's snap decides whether there is a way; the walk heads for the end itself.
        let (Some(from), Some(to)) = (self.project(start), self.project(end)) else {
            return start;
        };
        let island = self.island_of_ref(from.reference);
        if self.island_of_ref(to.reference) != island {
            return start;
        }
        let reached = if sliding {
            self.slide(from, end)
        } else {
            self.walk_to_wall(from, end)
        };
        let Some(mut reached) = reached else {
            return start;
        };
        if self.island_of_ref(reached.reference) != island {
            return start;
        }
        // Two islands can touch along a wall without thickness: step back from it, so that the next
        // step starts on this side.
        if self.island_at(reached.position) != island {
            let back = (from.position - reached.position).normalize_or_zero();
            reached.position += back * THIN_WALL_NUDGE_M;
            if self.island_at(reached.position) != island {
                return from.position;
            }
        }
        reached.position
    }

    fn slide(&self, from: Projection, end: Vec3) -> Option<Projection> {
        let (position, visited) = self.slide_over(from, end)?;
        Some(self.on_floor(*visited.last()?, position))
    }

    /// Where Detour's walk with sliding ends, at the height of its start, and the polygons that it crosses.
    fn slide_over(&self, from: Projection, end: Vec3) -> Option<(Vec3, Vec<PolyRef>)> {
        let mut query = self.query(1)?;
        let mut visited = Vec::new();
        let (position, _) = query
            .move_along_surface(
                from.reference,
                &from.position.to_array(),
                &end.to_array(),
                &self.filter,
                &mut visited,
                MAX_STEP_POLYGONS,
            )
            .ok()?;
        Some((position.into(), visited))
    }

    /// Habitat's step without sliding: of the polygons that the slide crosses, the last point where a wall
    /// cuts the straight line; the slide's own end where none does.
    fn walk_to_wall(&self, from: Projection, end: Vec3) -> Option<Projection> {
        let (slid, visited) = self.slide_over(from, end)?;
        let plan = |v: Vec3| Vec2::new(v.x, v.z);
        let line = [plan(from.position), plan(end)];
        let cuts = visited.iter().flat_map(|&reference| {
            let walls = self.walls(reference).into_iter();
            walls.filter_map(move |wall| Some((reference, crossing(line, wall.map(plan))?)))
        });
        let last = cuts.max_by(|a, b| line[0].distance(a.1).total_cmp(&line[0].distance(b.1)));
        Some(match last {
            Some((reference, point)) => self.on_floor(reference, Vec3::new(point.x, slid.y, point.y)),
            None => self.on_floor(*visited.last()?, slid),
        })
    }

    /// The edges of a polygon that lead nowhere.
    fn walls(&self, reference: PolyRef) -> Vec<[Vec3; 2]> {
        let Ok((tile, polygon)) = self.detour.tile_and_poly_by_ref(reference) else {
            return Vec::new();
        };
        let corners = polygon_vertices(tile, polygon);
        let mut open = vec![false; corners.len()];
        let mut link = polygon.first_link;
        while let Some(edge) = tile.links.get(link as usize) {
            link = edge.next;
            if let Some(open) = open.get_mut(edge.edge as usize) {
                *open |= self.island_of_ref(edge.r#ref).is_some();
            }
        }
        (0..corners.len())
            .filter(|&i| !open[i])
            .map(|i| [corners[i], corners[(i + 1) % corners.len()]])
            .collect()
    }

    /// Puts a position that was moved in the floor plane at the height of its polygon.
    fn on_floor(&self, reference: PolyRef, mut position: Vec3) -> Projection {
        // On an edge rounding may put it just outside, where the nearest point of the edge has the height.
        if let Some(Ok((nearest, _))) = self
            .query(1)
            .map(|query| query.closest_point_on_poly(reference, &position.to_array()))
        {
            position.y = nearest[1];
        }
        Projection { reference, position }
    }

    /// Distance along the floor to the nearest wall, metres, at most `max_radius_m` (Habitat: 2);
    /// `None` where the position snaps to nothing.
    pub fn distance_to_closest_obstacle(&self, position: Vec3, max_radius_m: f32) -> Option<f32> {
        let from = self.project(position)?;
        let (distance, ..) = self
            .search()?
            .find_distance_to_wall(from.reference, &from.position.to_array(), max_radius_m, &self.filter)
            .ok()?;
        Some(distance)
    }
}

/// Where two segments cross; `None` where they do not or are parallel.
fn crossing([a, b]: [Vec2; 2], [c, d]: [Vec2; 2]) -> Option<Vec2> {
    let (u, v, w) = (b - a, d - c, a - c);
    let determinant = u.perp_dot(v);
    let (s, t) = (v.perp_dot(w) / determinant, u.perp_dot(w) / determinant);
    ((0.0..=1.0).contains(&s) && (0.0..=1.0).contains(&t)).then(|| a + u * s)
}
