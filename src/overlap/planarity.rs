//! How much of what two views share lies in one plane.
//!
//! `planarity = max over planes |{p : |w_p - w_plane(p)| <= 0.02 w_plane(p)}| / |{p}|`, p the covisible
//! lattice points of the first view, w inverse depth. The maximum is taken over planes through three
//! points drawn at random, so it is a lower bound of the true one: with 256 draws a plane that holds a
//! third of the points is missed less often than once in 10,000.

use glam::{DMat3, DVec3};

use super::geometric_overlap::{LATTICE_STEP, LatticePoint};
use crate::rng::Rng;

/// Share of its depth by which a point may lie off the plane.
const TOLERANCE: f64 = 0.02;
const DRAWS: usize = 256;
/// Points that are looked at: every second lattice column and row.
const STEP: u32 = 2 * LATTICE_STEP;
/// Points below which a share says nothing.
const LEAST: usize = 12;

/// The largest share of the points in one plane (module head); `None` for fewer than 12 points.
pub(super) fn planarity(lattice: &[LatticePoint]) -> Option<f64> {
    // Pixel and inverse depth: a plane is w = a x + b y + c.
    let points: Vec<DVec3> = lattice
        .iter()
        .filter(|p| p.x % STEP < LATTICE_STEP && p.y % STEP < LATTICE_STEP)
        .map(|p| DVec3::new(f64::from(p.x), f64::from(p.y), 1.0 / p.depth_m))
        .collect();
    if points.len() < LEAST {
        return None;
    }
    let mut rng = Rng::stream(0, "planarity", &[]);
    let most = (0..DRAWS)
        .filter_map(|_| {
            let plane = plane_through([*rng.pick(&points), *rng.pick(&points), *rng.pick(&points)])?;
            Some(points.iter().filter(|p| lies_in(plane, **p)).count())
        })
        .max();
    Some(most.unwrap_or(0) as f64 / points.len() as f64)
}

/// `(a, b, c)` of the plane through three points; `None` where their pixels lie on a line.
fn plane_through(points: [DVec3; 3]) -> Option<DVec3> {
    let rows = DMat3::from_cols_array_2d(&points.map(|p| [p.x, p.y, 1.0])).transpose();
    let plane = rows.inverse() * DVec3::from_array(points.map(|p| p.z));
    (rows.determinant().abs() > 1.0).then_some(plane)
}

fn lies_in(plane: DVec3, point: DVec3) -> bool {
    let expected = plane.dot(DVec3::new(point.x, point.y, 1.0));
    (point.z - expected).abs() <= TOLERANCE * expected
}
