//! Views of one physical point from many places, as street views have them.

use glam::{DVec2, DVec3, Vec3};

use super::config::{OrbitConfig, WalkConfig};
use crate::camera::{Camera, Intrinsics};
use crate::navmesh::NavMesh;
use crate::rng::Rng;
use crate::view::View;

/// How far the surface in the middle of a view may lie from the point that it looks at, share of the distance.
const SAME_POINT: f64 = 0.03;

/// A group.
#[derive(Debug, Clone, PartialEq)]
pub struct OrbitGroup {
    /// The point that all of them show in their middle, world metres.
    pub target: DVec3,
    /// The views, the first one first.
    pub views: Vec<View>,
}

/// The group number `index` of a scene: a view at a random place, then views from places around it that look at
/// what the first one has in its middle and really see it. `None` where the first view shows nothing in reach or
/// fewer than two views are found. `draw` renders a camera. A pure function of its arguments.
///
/// # Errors
/// Those of `draw`.
#[allow(clippy::too_many_arguments, reason = "each names one thing that decides the group")]
pub fn orbit_group<E>(
    navmesh: &NavMesh,
    walk: &WalkConfig,
    orbit: &OrbitConfig,
    intrinsics: Intrinsics,
    seed: u64,
    scene_word: u64,
    index: u64,
    mut draw: impl FnMut(Camera) -> Result<View, E>,
) -> Result<Option<OrbitGroup>, E> {
    let mut rng = Rng::stream(seed, "orbit", &[scene_word, index]);
    let large = |island: &crate::navmesh::Island| island.radius_m >= walk.min_island_radius_m;
    let Some(start) = navmesh.random_navigable_point_on(&mut rng, large) else {
        return Ok(None);
    };
    let heading = rng.range(0.0, std::f64::consts::TAU);
    let first = draw(Camera::level(intrinsics, eye(walk, start, &mut rng), heading))?;
    let Some(target) = middle(&first).filter(|target| in_reach(orbit, &first.camera, *target)) else {
        return Ok(None);
    };
    let mut views = vec![first];
    for _ in 1..orbit.views {
        for _ in 0..orbit.tries {
            let place = navmesh.random_navigable_point_near(&mut rng, start, orbit.radius_m as f32);
            let Some(place) = place else { continue };
            let camera = looking_at(intrinsics, eye(walk, place, &mut rng), target);
            if !in_reach(orbit, &camera, target) {
                continue;
            }
            let view = draw(camera)?;
            let distance = camera.eye().distance(target);
            if middle(&view).is_some_and(|seen| seen.distance(target) < SAME_POINT * distance) {
                views.push(view);
                break;
            }
        }
    }
    Ok((views.len() > 1).then_some(OrbitGroup { target, views }))
}

fn eye(walk: &WalkConfig, place: Vec3, rng: &mut Rng) -> DVec3 {
    place.as_dvec3() + DVec3::Y * rng.range(walk.sensor_height_min_m, walk.sensor_height_max_m)
}

fn in_reach(orbit: &OrbitConfig, camera: &Camera, target: DVec3) -> bool {
    let distance = camera.eye().distance(target);
    distance >= orbit.min_distance_m && distance <= orbit.max_distance_m
}

/// The camera at `eye` that has `target` in its middle, without roll.
fn looking_at(intrinsics: Intrinsics, eye: DVec3, target: DVec3) -> Camera {
    let way = target - eye;
    let heading = libm::atan2(way.x, -way.z);
    let up = libm::atan2(way.y, libm::hypot(way.x, way.z));
    Camera::level(intrinsics, eye, heading).turned(0.0, up, 0.0)
}

/// The point in the middle of a view, from the pixel right and below of it.
fn middle(view: &View) -> Option<DVec3> {
    let (x, y) = (view.depth.width / 2, view.depth.height / 2);
    let depth = f64::from(view.depth.at(x, y));
    let centre = DVec2::new(f64::from(x) + 0.5, f64::from(y) + 0.5);
    (depth > 0.0).then(|| view.camera.unproject(centre, depth))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_is_in_the_middle() {
        let intrinsics = Intrinsics::from_hfov(64, 48, 1.2);
        let (eye, target) = (DVec3::new(1.0, 1.5, -2.0), DVec3::new(-0.4, 2.2, 1.0));
        let pixel = looking_at(intrinsics, eye, target).project(target);
        assert!(pixel.is_some_and(|p| p.distance(DVec2::new(32.0, 24.0)) < 1e-9));
    }
}
