//! CroCo's covisibility: points of one view with a point of the other closer than 5 cm.
//!
//! `covisibility(A, B) = |{x in cloud A : exists y in cloud B, |x - y| < r}| / pixels of A`, both clouds
//! from depth and pose. Holes count in the denominator. There is no occlusion test beyond proximity in
//! space (Weinzaepfel et al. 2022, section 3.3; radius and denominator as in the released generator).

use glam::{DVec2, DVec3};

use crate::view::{Overlap, View};

/// The published radius, metres.
pub const CROCO_RADIUS_M: f64 = 0.05;

/// CroCo's covisibility, both ways, with neighbours closer than `radius_m`.
pub fn croco_covisibility(first: &View, second: &View, radius_m: f64) -> Overlap {
    PointCloud::new(first, radius_m).covisibility(&PointCloud::new(second, radius_m))
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

/// The points of a view sorted into cubes of the radius' size, so that a neighbour lies in one of 27
/// cubes; computed once a view, however many pairs it takes part in.
#[derive(Debug, Clone)]
pub struct PointCloud {
    radius_m: f64,
    pixels: usize,
    /// Cube by cube.
    points: Vec<DVec3>,
    /// Each cube with points and where they begin in `points`, in order.
    cubes: Vec<(Cube, u32)>,
    /// Where a cube is in `cubes`, by its hash, open addressing; `EMPTY` where none is. A power of two long.
    slots: Vec<u32>,
    /// One bit a hash: set where the cube or one of its 26 neighbours has points. A clear bit is a proof that
    /// nothing is near, a set one is none that something is.
    nearby: Vec<u64>,
}

type Cube = [i64; 3];

const EMPTY: u32 = u32::MAX;
/// Bits of [`PointCloud::nearby`]: about 16 for each cube that a view of a room touches.
const NEARBY_BITS: u64 = 1 << 20;

impl PointCloud {
    /// Sorts the points of a view. `radius_m` must be above 0.
    pub fn new(view: &View, radius_m: f64) -> Self {
        let mut keyed: Vec<(Cube, DVec3)> = point_cloud(view)
            .into_iter()
            .map(|point| (cube(point, radius_m), point))
            .collect();
        // Stable: equal cubes keep their points in row order.
        keyed.sort_by_key(|(cube, _)| *cube);
        let mut cubes: Vec<(Cube, u32)> = Vec::new();
        for (place, (cube, _)) in keyed.iter().enumerate() {
            if cubes.last().is_none_or(|(last, _)| last != cube) {
                cubes.push((*cube, place as u32));
            }
        }
        let mut cloud = Self {
            radius_m,
            pixels: view.depth.metres.len(),
            points: keyed.into_iter().map(|(_, point)| point).collect(),
            slots: vec![EMPTY; (2 * cubes.len()).next_power_of_two()],
            cubes,
            nearby: vec![0; (NEARBY_BITS / 64) as usize],
        };
        for place in 0..cloud.cubes.len() {
            let (cube, _) = cloud.cubes[place];
            let mask = cloud.slots.len() - 1;
            let mut slot = hash(cube) as usize & mask;
            while cloud.slots[slot] != EMPTY {
                slot = (slot + 1) & mask;
            }
            cloud.slots[slot] = place as u32;
            for near in neighbours(cube) {
                let bit = hash(near) % NEARBY_BITS;
                cloud.nearby[(bit / 64) as usize] |= 1 << (bit % 64);
            }
        }
        cloud
    }

    /// CroCo's covisibility with another view, both ways; both clouds must have one radius.
    pub fn covisibility(&self, other: &Self) -> Overlap {
        Overlap {
            first_to_second: self.share_near(other),
            second_to_first: other.share_near(self),
        }
    }

    /// Share of this view's pixels whose point has a neighbour in the other cloud.
    fn share_near(&self, other: &Self) -> f64 {
        let near: usize = (0..self.cubes.len()).map(|place| self.near_in_cube(place, other)).sum();
        near as f64 / self.pixels.max(1) as f64
    }

    /// How many points of one cube have a neighbour in the other cloud.
    fn near_in_cube(&self, place: usize, other: &Self) -> usize {
        let (cube, _) = self.cubes[place];
        let bit = hash(cube) % NEARBY_BITS;
        if other.nearby[(bit / 64) as usize] >> (bit % 64) & 1 == 0 {
            return 0;
        }
        // The cube itself comes first: neighbours usually lie there.
        let mut around = [None; 27];
        let mut known = 0;
        let mut candidates = |number: usize| {
            while known <= number {
                around[known] = other.points_of(nth_neighbour(cube, known));
                known += 1;
            }
            around[number]
        };
        let limit = self.radius_m * self.radius_m;
        self.points_at(place)
            .iter()
            .filter(|point| {
                (0..27).any(|number| {
                    candidates(number).is_some_and(|points: &[DVec3]| {
                        points.iter().any(|other| other.distance_squared(**point) < limit)
                    })
                })
            })
            .count()
    }

    fn points_of(&self, cube: Cube) -> Option<&[DVec3]> {
        let mask = self.slots.len() - 1;
        let mut slot = hash(cube) as usize & mask;
        loop {
            let place = self.slots[slot];
            if place == EMPTY {
                return None;
            }
            if self.cubes[place as usize].0 == cube {
                return Some(self.points_at(place as usize));
            }
            slot = (slot + 1) & mask;
        }
    }

    fn points_at(&self, place: usize) -> &[DVec3] {
        let end = self
            .cubes
            .get(place + 1)
            .map_or(self.points.len(), |(_, start)| *start as usize);
        &self.points[self.cubes[place].1 as usize..end]
    }
}

fn cube(point: DVec3, size: f64) -> Cube {
    (point / size).floor().to_array().map(|v| v as i64)
}

/// Neighbour number 0 to 26 of a cube; number 0 is the cube itself.
fn nth_neighbour([x, y, z]: Cube, number: usize) -> Cube {
    const OFFSETS: [i64; 3] = [0, -1, 1];
    [
        x.wrapping_add(OFFSETS[number / 9]),
        y.wrapping_add(OFFSETS[number / 3 % 3]),
        z.wrapping_add(OFFSETS[number % 3]),
    ]
}

fn neighbours(cube: Cube) -> impl Iterator<Item = Cube> {
    (0..27).map(move |number| nth_neighbour(cube, number))
}

/// Spreads cubes evenly: a multiplication a coordinate, and the upper bits folded in.
fn hash([x, y, z]: Cube) -> u64 {
    let mixed = (x as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        ^ (y as u64).wrapping_mul(0xc2b2_ae3d_27d4_eb4f).rotate_left(21)
        ^ (z as u64).wrapping_mul(0x1656_67b1_9e37_79f9).rotate_left(42);
    let mixed = mixed.wrapping_mul(0xff51_afd7_ed55_8ccd);
    mixed ^ (mixed >> 32)
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
    fn cubes_find_what_a_search_of_all_points_finds() {
        let mut rng = crate::rng::Rng::stream(3, "cubes", &[]);
        let mut rough = |eye: DVec3| {
            let mut view = wall(eye, 2.0);
            for z in &mut view.depth.metres {
                *z += rng.range(-0.08, 0.08) as f32;
            }
            view
        };
        let views = [rough(DVec3::ZERO), rough(DVec3::new(0.11, 0.02, -0.03))];
        let clouds = views.each_ref().map(point_cloud);
        let near = clouds[0]
            .iter()
            .filter(|a| clouds[1].iter().any(|b| a.distance(*b) < CROCO_RADIUS_M));
        let expected = near.count() as f64 / (64.0 * 64.0);
        assert!((0.2..0.8).contains(&expected), "{expected} tells little");
        let overlap = croco_covisibility(&views[0], &views[1], CROCO_RADIUS_M);
        assert_eq!(overlap.first_to_second, expected);
    }

    #[test]
    fn a_view_of_nothing_shares_nothing() {
        let nothing = wall(DVec3::ZERO, 0.0);
        assert_eq!(
            croco_covisibility(&nothing, &wall(DVec3::ZERO, 2.0), CROCO_RADIUS_M).min(),
            0.0
        );
        assert_eq!(croco_covisibility(&nothing, &nothing, CROCO_RADIUS_M).min(), 0.0);
    }

    #[test]
    fn holes_count_as_not_shared() {
        let mut half = wall(DVec3::ZERO, 2.0);
        half.depth.metres[..64 * 32].fill(0.0);
        let overlap = croco_covisibility(&half, &wall(DVec3::ZERO, 2.0), CROCO_RADIUS_M);
        assert!((overlap.first_to_second - 0.5).abs() < 1e-12);
    }
}
