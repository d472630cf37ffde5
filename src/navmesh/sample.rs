//! Random positions, uniform over the floor's area as seen from above.

use glam::{DVec3, Vec3};

use super::{Island, NavMesh, Polygon};
use crate::rng::Rng;

/// Draws that [`NavMesh::random_navigable_point_near`] makes before it gives up.
const NEAR_TRIES: usize = 1000;

/// Area of a triangle seen from above, square metres.
fn plan_area(a: DVec3, b: DVec3, c: DVec3) -> f64 {
    0.5 * ((b.x - a.x) * (c.z - a.z) - (b.z - a.z) * (c.x - a.x)).abs()
}

/// A polygon's triangles around its first corner.
fn fan(polygon: &Polygon) -> impl Iterator<Item = [DVec3; 3]> + '_ {
    let first = polygon.vertices[0].as_dvec3();
    polygon.vertices[1..]
        .windows(2)
        .map(move |w| [first, w[0].as_dvec3(), w[1].as_dvec3()])
}

impl NavMesh {
    /// A position drawn uniformly by area (seen from above) over all islands; `None` without a floor.
    ///
    /// Three draws of `rng`, always.
    pub fn random_navigable_point(&self, rng: &mut Rng) -> Option<Vec3> {
        self.random_point_where(rng, |_| true)
    }

    /// The same over the islands that `admits` accepts; `None` where it accepts none.
    pub fn random_navigable_point_on(&self, rng: &mut Rng, admits: impl Fn(&Island) -> bool) -> Option<Vec3> {
        let admitted: Vec<bool> = self.islands().iter().map(admits).collect();
        self.random_point_where(rng, |polygon| admitted[polygon.island])
    }

    /// A position drawn uniformly by area among those within `radius_m` of `center` in the floor plane,
    /// on the island that `center` snaps to; `None` where it snaps to nothing or next to nothing lies within.
    pub fn random_navigable_point_near(&self, rng: &mut Rng, center: Vec3, radius_m: f32) -> Option<Vec3> {
        let island = self.island_at(center)?;
        let near = |polygon: &Polygon| {
            let (mut min, mut max) = (Vec3::INFINITY, Vec3::NEG_INFINITY);
            for vertex in &polygon.vertices {
                min = min.min(*vertex);
                max = max.max(*vertex);
            }
            polygon.island == island
                && min.x <= center.x + radius_m
                && max.x >= center.x - radius_m
                && min.z <= center.z + radius_m
                && max.z >= center.z - radius_m
        };
        (0..NEAR_TRIES)
            .map_while(|_| self.random_point_where(rng, near))
            .find(|p| (p.x - center.x).powi(2) + (p.z - center.z).powi(2) <= radius_m * radius_m)
    }

    fn random_point_where(&self, rng: &mut Rng, keep: impl Fn(&Polygon) -> bool) -> Option<Vec3> {
        let (pick, u, v) = (rng.unit(), rng.unit(), rng.unit());
        let kept: Vec<&Polygon> = self.polygons().iter().filter(|p| keep(p)).collect();
        let area = |t: [DVec3; 3]| plan_area(t[0], t[1], t[2]);
        let total: f64 = kept.iter().flat_map(|p| fan(p)).map(area).sum();
        let mut left = pick * total;
        let mut chosen = None;
        for (polygon, triangle) in kept.iter().flat_map(|p| fan(p).map(move |t| (p, t))) {
            let size = area(triangle);
            if size == 0.0 {
                continue;
            }
            chosen = Some((polygon, triangle));
            left -= size;
            if left < 0.0 {
                break;
            }
        }
        let (polygon, [a, b, c]) = chosen?;
        // Uniform in a triangle: the square root undoes the crowding at the first corner.
        let root = u.sqrt();
        let point = a * (1.0 - root) + b * (root * (1.0 - v)) + c * (root * v);
        let (on_floor, _) = self
            .query(1)?
            .closest_point_on_poly(polygon.reference, &point.as_vec3().to_array())
            .ok()?;
        Some(on_floor.into())
    }
}
