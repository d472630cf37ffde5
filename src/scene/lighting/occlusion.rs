//! How open the surroundings of a point are.

use glam::{Mat3, Vec3};
use rayon::prelude::*;

use super::bvh::Bvh;

/// Directions over the hemisphere.
const DIRECTIONS: usize = 48;
/// What is farther away takes no light, metres.
const REACH_M: f32 = 1.0;
/// Distance of a ray's beginning from its surface, metres: it must clear the rounding of positions.
const LIFT_M: f32 = 2e-3;

/// A point of a surface that is to be lit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Point {
    pub position: Vec3,
    /// Unit normal.
    pub normal: Vec3,
}

impl Point {
    /// Where rays from it begin.
    pub fn lifted(&self) -> Vec3 {
        self.position + LIFT_M * self.normal
    }
}

/// Openness of each point in [0, 1]: 1 where nothing is near, 0 where all directions end at once.
///
/// The same directions serve every point, turned to its normal, so openness varies smoothly over a
/// plane instead of being noisy.
pub(super) fn openness(bvh: &Bvh, points: &[Point]) -> Vec<f32> {
    let directions = directions();
    points
        .par_iter()
        .map(|point| {
            let frame = frame(point.normal);
            let origin = point.lifted();
            let open: f32 = directions
                .iter()
                .map(|&direction| {
                    let hit = bvh.first_hit(origin, frame * direction, REACH_M);
                    hit.map_or(1.0, |distance| distance / REACH_M)
                })
                .sum();
            open / DIRECTIONS as f32
        })
        .collect()
}

/// Directions about +Z with a density of the cosine: Hammersley points on the disk, lifted to the sphere.
fn directions() -> [Vec3; DIRECTIONS] {
    std::array::from_fn(|i| {
        let share = (i as f64 + 0.5) / DIRECTIONS as f64;
        let turn = f64::from((i as u32).reverse_bits()) / 4_294_967_296.0;
        let (radius, angle) = (libm::sqrt(share), std::f64::consts::TAU * turn);
        Vec3::new(
            (radius * libm::cos(angle)) as f32,
            (radius * libm::sin(angle)) as f32,
            libm::sqrt(1.0 - share) as f32,
        )
    })
}

/// A rotation that takes +Z to the normal (Duff et al., Building an Orthonormal Basis, Revisited, 2017).
fn frame(normal: Vec3) -> Mat3 {
    let sign = 1.0f32.copysign(normal.z);
    let a = -1.0 / (sign + normal.z);
    let b = normal.x * normal.y * a;
    Mat3::from_cols(
        Vec3::new(1.0 + sign * normal.x * normal.x * a, sign * b, -sign * normal.x),
        Vec3::new(b, sign + normal.y * normal.y * a, -normal.y),
        normal,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_is_open_and_the_foot_of_a_wall_is_half_so() {
        let far = 100.0;
        let floor = [
            [
                Vec3::new(-far, 0.0, -far),
                Vec3::new(0.0, 0.0, far),
                Vec3::new(far, 0.0, -far),
            ],
            // A wall at x = 0 that faces both ways.
            [
                Vec3::new(0.0, -far, -far),
                Vec3::new(0.0, -far, far),
                Vec3::new(0.0, far, 0.0),
            ],
            [
                Vec3::new(0.0, -far, -far),
                Vec3::new(0.0, far, 0.0),
                Vec3::new(0.0, -far, far),
            ],
        ];
        let up = |x: f32| Point {
            position: Vec3::new(x, 0.0, 0.0),
            normal: Vec3::Y,
        };
        let bvh = Bvh::new(&floor);
        let open = openness(&bvh, &[up(5.0), up(0.01), up(-0.01), up(0.6)]);
        assert_eq!(open[0], 1.0);
        assert!((open[1] - 0.5).abs() < 0.05, "{open:?}");
        assert!(
            (open[2] - open[1]).abs() < 0.03,
            "both sides of the wall are alike: {open:?}"
        );
        assert!(open[3] > 0.8 && open[3] < 1.0, "{open:?}");
    }

    #[test]
    fn frames_are_rotations_to_the_normal() {
        for normal in [Vec3::Z, Vec3::NEG_Z, Vec3::X, Vec3::new(0.6, -0.48, 0.64)] {
            let frame = frame(normal);
            assert!((frame * Vec3::Z - normal).length() < 1e-6);
            assert!((frame.determinant() - 1.0).abs() < 1e-5);
        }
    }
}
