//! An independent picture: rays against all triangles through a BVH, hits computed in 64 bits.

use std::time::Duration;

use covista::camera::Camera;
use covista::scene::Scene;
use glam::{DVec2, DVec3, Vec3A};
use obvhs::BvhBuildParams;
use obvhs::bvh2::Bvh2;
use obvhs::bvh2::builder::build_bvh2_from_tris;
use obvhs::ray::{Ray, RayHit};
use obvhs::triangle::Triangle;

/// A scene that rays can be cast into; back faces let them pass.
pub struct RayCaster {
    corners: Vec<[DVec3; 3]>,
    bvh: Bvh2,
}

/// Where a ray meets a front face first.
#[derive(Debug, Clone, Copy)]
pub struct Hit {
    /// z-depth, metres.
    pub depth: f64,
    /// Triangle in the order of `Scene::triangle_soup`.
    pub triangle: usize,
    /// Weights of the second and third corner.
    pub barycentric: [f64; 2],
}

impl RayCaster {
    pub fn new(scene: &Scene) -> Self {
        let (positions, triangles) = scene.triangle_soup();
        let corner = |i: u32| positions[i as usize];
        let single: Vec<Triangle> = triangles
            .iter()
            .map(|t| Triangle {
                v0: Vec3A::from(corner(t[0])),
                v1: Vec3A::from(corner(t[1])),
                v2: Vec3A::from(corner(t[2])),
            })
            .collect();
        let mut spent = Duration::ZERO;
        let bvh = build_bvh2_from_tris(&single, BvhBuildParams::very_fast_build(), &mut spent);
        let corners = triangles
            .iter()
            .map(|t| t.map(|i| DVec3::from(corner(i).map(f64::from))))
            .collect();
        Self { corners, bvh }
    }

    /// The first front face behind `pixel` (centres at +0.5), not nearer than `near` along the axis.
    pub fn cast(&self, camera: &Camera, pixel: DVec2, near: f64) -> Option<Hit> {
        let origin = camera.eye();
        // Length one along the axis, so that the distance is the z-depth.
        let direction = camera
            .world_from_camera
            .transform_vector3(camera.intrinsics.unproject(pixel, 1.0));
        let ray = Ray::new_inf(origin.as_vec3().into(), direction.as_vec3().into());
        let mut best: Option<Hit> = None;
        self.bvh.ray_traverse(ray, &mut RayHit::none(), |_, place| {
            let triangle = self.bvh.primitive_indices[place] as usize;
            let Some((depth, barycentric)) = front_hit(&self.corners[triangle], origin, direction) else {
                return f32::INFINITY;
            };
            if depth < near || best.is_some_and(|b| b.depth <= depth) {
                return f32::INFINITY;
            }
            best = Some(Hit {
                depth,
                triangle,
                barycentric,
            });
            // Rounded up, so that the box test never drops a nearer triangle.
            (depth * (1.0 + 1e-6)) as f32
        });
        best
    }
}

/// Moeller and Trumbore's test; `None` from behind.
fn front_hit([a, b, c]: &[DVec3; 3], origin: DVec3, direction: DVec3) -> Option<(f64, [f64; 2])> {
    let (ab, ac) = (*b - *a, *c - *a);
    let p = direction.cross(ac);
    let determinant = ab.dot(p);
    if determinant <= 0.0 {
        return None;
    }
    let from_a = origin - *a;
    let u = from_a.dot(p) / determinant;
    let q = from_a.cross(ab);
    let v = direction.dot(q) / determinant;
    let t = ac.dot(q) / determinant;
    (u >= 0.0 && v >= 0.0 && u + v <= 1.0 && t > 0.0).then_some((t, [u, v]))
}
