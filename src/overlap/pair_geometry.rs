//! Everything that depth and pose say of a pair of views.

use glam::DVec3;

use super::croco_covisibility::PointCloud;
use super::geometric_overlap::{GeometricOverlap, GeometricOverlapConfig, LatticePoint, Passage};
use super::patch_votes::PatchMap;
use super::planarity::planarity;
use super::surface::Surface;
use crate::view::Overlap;

/// The true measures of a pair.
///
/// C(A, B) are the pixels of A that are covisible in B (head of [`super::geometric_overlap`]).
#[derive(Debug, Clone, PartialEq)]
pub struct PairGeometry {
    /// Covisibility, patch truth and true patch partners.
    pub overlap: GeometricOverlap,
    /// Intersection over union of the visible surface.
    pub iou: f64,
    /// CroCo's share of points with a neighbour closer than 5 cm, both ways.
    pub croco: Overlap,
    /// Share of pixels with a surface that project into the other image and are hidden there, both ways.
    pub hidden: Overlap,
    /// Mean angle at a common point X between the rays to the two eyes,
    /// `mean over X of angle(eye_A - X, eye_B - X)`, radians; X the surface points of C(A, B) and C(B, A) on the
    /// lattice (every fourth pixel). `None` where nothing is shared.
    pub angle_rad: Option<f64>,
    /// Distance of the two eyes, metres.
    pub baseline_m: f64,
    /// Mean z-depth of C(A, B) in A and C(B, A) in B together, metres; `None` where nothing is shared.
    pub mean_depth_m: Option<f64>,
    /// Largest share of the shared surface in one plane (head of `planarity.rs`); `None` where too little is shared.
    pub planarity: Option<f64>,
    /// The patch of the second view that each patch of the first truly votes for, and the other way round.
    pub votes: [PatchMap; 2],
    /// Covisible lattice points of the first view, in block order.
    pub lattice: Vec<LatticePoint>,
}

impl PairGeometry {
    /// Measures a pair; the clouds must be those of the two surfaces' views.
    pub fn new(surfaces: [&Surface<'_>; 2], clouds: [&PointCloud; 2], config: &GeometricOverlapConfig) -> Self {
        let [first, second] = surfaces;
        let mut lattices = [Vec::new(), Vec::new()];
        let there = Passage::new(first, second, config, &mut lattices[0]);
        let back = Passage::new(second, first, config, &mut lattices[1]);
        let eyes = surfaces.map(|s| s.view.camera.eye());
        let covisible = f64::from(there.covisible) + f64::from(back.covisible);
        let [lattice, lattice_back] = lattices;
        Self {
            overlap: there.overlap_with(&back),
            iou: there.iou_with(&back),
            croco: clouds[0].covisibility(clouds[1]),
            hidden: Overlap {
                first_to_second: there.hidden_fraction(),
                second_to_first: back.hidden_fraction(),
            },
            angle_rad: mean_angle([(first, second, &lattice), (second, first, &lattice_back)]),
            baseline_m: eyes[0].distance(eyes[1]),
            mean_depth_m: (covisible > 0.0).then(|| (there.depth_sum_m + back.depth_sum_m) / covisible),
            planarity: planarity(&lattice),
            votes: [there.votes, back.votes],
            lattice,
        }
    }

    /// Baseline over the mean depth of what both see; `None` where nothing is shared.
    pub fn baseline_over_depth(&self) -> Option<f64> {
        self.mean_depth_m.map(|depth| self.baseline_m / depth)
    }
}

/// Mean over the points of all passages of the angle between the rays to the two eyes.
fn mean_angle(passages: [(&Surface<'_>, &Surface<'_>, &[LatticePoint]); 2]) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0usize);
    for (from, to, lattice) in passages {
        // In the second camera's frame, where its own eye is the origin.
        let eye = to.camera_from_world.transform_point3(from.view.camera.eye());
        for LatticePoint { landing, .. } in lattice {
            sum += angle(-landing.point, eye - landing.point);
        }
        count += lattice.len();
    }
    (count > 0).then(|| sum / count as f64)
}

/// Angle between two vectors, radians; exact for small angles too.
fn angle(a: DVec3, b: DVec3) -> f64 {
    libm::atan2(a.cross(b).length(), a.dot(b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::{Camera, Intrinsics};
    use crate::overlap::CROCO_RADIUS_M;
    use crate::view::{DepthMap, View};

    const SIZE: u32 = 224;

    /// The wall z = -3, and from the column x = 0 on to the right another wall at z = `right`.
    fn view(eye: DVec3, right: f64) -> View {
        let camera = Camera::level(Intrinsics::from_hfov(SIZE, SIZE, 1.4), eye, 0.0);
        let mut metres = Vec::new();
        for _ in 0..SIZE {
            for x in 0..SIZE {
                let slope = (f64::from(x) + 0.5 - 112.0) / camera.intrinsics.fx;
                let far = 3.0 + eye.z;
                let hits_left = eye.x + slope * far < 0.0;
                metres.push(if hits_left { far } else { eye.z - right } as f32);
            }
        }
        View {
            camera,
            color: image::RgbImage::new(SIZE, SIZE),
            depth: DepthMap {
                width: SIZE,
                height: SIZE,
                metres,
            },
        }
    }

    fn measure(first: &View, second: &View) -> PairGeometry {
        let surfaces = [Surface::new(first), Surface::new(second)];
        let clouds = [first, second].map(|v| PointCloud::new(v, CROCO_RADIUS_M));
        PairGeometry::new(
            surfaces.each_ref(),
            clouds.each_ref(),
            &GeometricOverlapConfig::default(),
        )
    }

    #[test]
    fn the_same_view_shares_everything_without_parallax() {
        let here = view(DVec3::ZERO, -3.0);
        let same = measure(&here, &here);
        assert_eq!((same.iou, same.croco.min(), same.hidden.min()), (1.0, 1.0, 0.0));
        assert_eq!(
            (same.angle_rad, same.baseline_m, same.planarity),
            (Some(0.0), 0.0, Some(1.0))
        );
        assert!((same.mean_depth_m.unwrap() - 3.0).abs() < 1e-6);
        assert!(
            same.votes[0]
                .iter()
                .enumerate()
                .all(|(i, vote)| *vote == Some(i as u16))
        );
    }

    #[test]
    fn a_shift_along_a_wall_is_the_closed_form() {
        let (a, b) = (view(DVec3::ZERO, -3.0), view(DVec3::X, -3.0));
        let pair = measure(&a, &b);
        let shown = 2.0 * 3.0 * libm::tan(0.7);
        let share = 1.0 - 1.0 / shown;
        // Both see the same: I = share of one view, the union is two views less that.
        assert!((pair.iou - share / (2.0 - share)).abs() < 0.01, "{}", pair.iou);
        assert_eq!(pair.baseline_over_depth().map(|r| (r * 3000.0).round()), Some(1000.0));
        // At the middle of the common part the angle is 2 atan(0.5 / 3); it is smaller to the sides.
        let most = 2.0 * libm::atan(0.5 / 3.0);
        let angle = pair.angle_rad.unwrap();
        assert!(angle < most && angle > 0.5 * most, "{angle} of {most}");
        assert_eq!(pair.hidden.min(), 0.0);
    }

    #[test]
    fn two_walls_are_half_planar() {
        let here = view(DVec3::ZERO, -2.0);
        let planarity = measure(&here, &here).planarity.unwrap();
        assert!((planarity - 0.5).abs() < 0.02, "{planarity}");
    }

    #[test]
    fn views_that_share_nothing_have_no_angle() {
        let (a, b) = (view(DVec3::ZERO, -3.0), view(DVec3::X * 50.0, -3.0));
        let pair = measure(&a, &b);
        assert_eq!(
            (pair.iou, pair.angle_rad, pair.mean_depth_m, pair.planarity),
            (0.0, None, None, None)
        );
        assert_eq!(pair.baseline_m, 50.0);
    }
}
