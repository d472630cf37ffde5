//! The geometric overlap against closed forms: planes, turns, an occluder with a known shadow.

use std::f64::consts::{FRAC_PI_2, PI};

use covista::camera::{Camera, Intrinsics};
use covista::overlap::patch_votes::{self, PatchGrid};
use covista::overlap::{Fate, GeometricOverlapConfig, Reprojection, Surface, covisibility, geometric_overlap};
use covista::view::{DepthMap, View};
use glam::{DMat3, DVec2, DVec3};

const SIZE: u32 = 224;
/// Tangent of the half field of view of the published crop: 112 / 128.
const HALF: f64 = 0.875;

fn camera(eye: DVec3, heading: f64) -> Camera {
    Camera::level(
        Intrinsics::from_hfov(256, 256, FRAC_PI_2).crop(16, 16, SIZE, SIZE),
        eye,
        heading,
    )
}

/// What a camera sees of a world given as "distance along a unit ray, if it hits".
fn view(camera: Camera, world: impl Fn(DVec3, DVec3) -> Option<f64>) -> View {
    let mut metres = Vec::new();
    for y in 0..SIZE {
        for x in 0..SIZE {
            let pixel = DVec2::new(f64::from(x) + 0.5, f64::from(y) + 0.5);
            let toward = camera.unproject(pixel, 1.0) - camera.eye();
            let z = world(camera.eye(), toward.normalize()).map_or(0.0, |t| t / toward.length());
            metres.push(z as f32);
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

/// The wall z = -3.
fn wall(eye: DVec3, ray: DVec3) -> Option<f64> {
    let t = (-3.0 - eye.z) / ray.z;
    (t > 0.0 && t.is_finite()).then_some(t)
}

/// A plate of 0.8 m at z = -1.5 before the wall.
fn plate_and_wall(eye: DVec3, ray: DVec3) -> Option<f64> {
    let t = (-1.5 - eye.z) / ray.z;
    let hit = eye + t * ray;
    let plate = t > 0.0 && hit.x.abs() <= 0.4 && (hit.y - 1.5).abs() <= 0.4;
    if plate { Some(t) } else { wall(eye, ray) }
}

/// A closed room of 6 x 6 x 3 m around the origin.
fn room(eye: DVec3, ray: DVec3) -> Option<f64> {
    let (low, high) = (DVec3::new(-3.0, 0.0, -3.0), DVec3::new(3.0, 3.0, 3.0));
    (0..3)
        .filter(|&axis| ray[axis] != 0.0)
        .map(|axis| ((if ray[axis] > 0.0 { high } else { low })[axis] - eye[axis]) / ray[axis])
        .min_by(f64::total_cmp)
}

fn config() -> GeometricOverlapConfig {
    GeometricOverlapConfig::default()
}

const EYE: DVec3 = DVec3::new(0.0, 1.5, 0.0);

#[test]
fn identical_views_overlap_fully_and_opposite_ones_not_at_all() {
    let here = view(camera(EYE, 0.3), room);
    let same = geometric_overlap(&here, &here, &config());
    assert_eq!((same.covisibility.min(), same.patches.min()), (1.0, 1.0));
    assert!(
        same.correspondence
            .patches
            .iter()
            .all(|(first, second)| first == second)
    );
    assert_eq!(same.correspondence.patches.len(), 196);

    let behind = geometric_overlap(&here, &view(camera(EYE, 0.3 + PI), room), &config());
    assert_eq!((behind.covisibility.min(), behind.patches.min()), (0.0, 0.0));
    assert!(behind.correspondence.patches.is_empty());
}

#[test]
fn a_shift_along_a_wall_is_the_closed_form() {
    // The wall shows 2 * 3 * HALF metres; a shift of s leaves 1 - s / that.
    let shown = 2.0 * 3.0 * HALF;
    for shift in [0.3, 1.0, 2.5] {
        let overlap = covisibility(
            &view(camera(EYE, 0.0), wall),
            &view(camera(EYE + DVec3::X * shift, 0.0), wall),
            &config(),
        );
        let expected = 1.0 - shift / shown;
        for direction in [overlap.first_to_second, overlap.second_to_first] {
            assert!(
                (direction - expected).abs() < 1.0 / f64::from(SIZE),
                "{shift} m: {direction}, not {expected}"
            );
        }
    }
}

#[test]
fn a_step_back_is_seen_whole_one_way_and_in_part_the_other() {
    let (near, far) = (view(camera(EYE, 0.0), wall), view(camera(EYE + DVec3::Z, 0.0), wall));
    let overlap = covisibility(&near, &far, &config());
    assert_eq!(overlap.first_to_second, 1.0);
    assert!(
        (overlap.second_to_first - 9.0 / 16.0).abs() < 0.01,
        "{}",
        overlap.second_to_first
    );
    let swapped = covisibility(&far, &near, &config());
    assert_eq!(
        (swapped.first_to_second, swapped.second_to_first),
        (overlap.second_to_first, overlap.first_to_second)
    );
}

#[test]
fn on_a_plane_the_true_votes_are_those_of_its_homography() {
    let first = camera(EYE, 0.05);
    for second in [
        camera(EYE + DVec3::new(0.63, 0.0, 0.2), -0.12),
        camera(EYE + DVec3::new(-0.41, 0.1, 0.55), 0.21),
    ] {
        let homography = plane_homography(&first, &second);
        let grid = PatchGrid::new(SIZE);
        let map = |h: DMat3| {
            move |x: u32, y: u32| {
                let p = h * DVec3::new(f64::from(x), f64::from(y), 1.0);
                Some((p.x / p.z, p.y / p.z))
            }
        };
        let there = patch_votes::exact_votes(grid, map(homography));
        let back = patch_votes::exact_votes(grid, map(homography.inverse()));

        let truth = geometric_overlap(&view(first, wall), &view(second, wall), &config());
        assert_eq!(truth.patches, patch_votes::overlap(grid, &there, &back));
        assert_eq!(truth.correspondence, patch_votes::correspondence(grid, &there, &back));
        assert!(
            truth.patches.min() > 0.3,
            "the two views share something: {:?}",
            truth.patches
        );
    }
}

/// First to second for points of the wall, in the OpenCV convention (pixel centres at integers).
fn plane_homography(first: &Camera, second: &Camera) -> DMat3 {
    let relative = second.camera_from_world() * first.world_from_camera;
    // n . X = d in the first camera's frame.
    let normal = first.world_from_camera.matrix3.transpose() * DVec3::NEG_Z;
    let distance = 3.0 + first.eye().z;
    let outer = DMat3::from_cols(
        relative.translation * normal.x,
        relative.translation * normal.y,
        relative.translation * normal.z,
    );
    let k = |camera: &Camera| {
        let i = camera.intrinsics;
        DMat3::from_cols(
            DVec3::new(i.fx, 0.0, 0.0),
            DVec3::new(0.0, i.fy, 0.0),
            DVec3::new(i.cx - 0.5, i.cy - 0.5, 1.0),
        )
    };
    k(second) * (relative.matrix3 + outer * (1.0 / distance)) * k(first).inverse()
}

#[test]
fn what_a_plate_hides_is_not_covisible() {
    let (first, second) = (camera(EYE, 0.0), camera(EYE + DVec3::X * 0.8, 0.0));
    let (a, b) = (view(first, plate_and_wall), view(second, plate_and_wall));
    let surfaces = [Surface::new(&a), Surface::new(&b)];
    let reprojection = Reprojection::new(&surfaces[0], &surfaces[1], &config());
    let (mut wrong, mut hidden, mut valid) = (0, 0, 0);
    for y in 0..SIZE {
        for x in 0..SIZE {
            // The independent answer: does the ray from the second eye to the surface point arrive there?
            let point = first.unproject(
                DVec2::new(f64::from(x) + 0.5, f64::from(y) + 0.5),
                f64::from(a.depth.at(x, y)),
            );
            let inside = second.project(point).is_some_and(|p| second.intrinsics.contains(p));
            let toward = point - second.eye();
            let arrives = plate_and_wall(second.eye(), toward.normalize()).is_some_and(|t| t > toward.length() - 1e-4);
            valid += 1;
            hidden += u32::from(inside && !arrives);
            wrong += u32::from((inside && arrives) != reprojection.at(x, y).is_some());
        }
    }
    assert!(hidden > valid / 40, "the plate hides something: {hidden} of {valid}");
    // Only pixels at the plate's outline, where a pixel of the other view shows both surfaces, may differ.
    assert!(
        wrong < valid / 200,
        "{wrong} of {valid} pixels are judged otherwise than by the ray"
    );
}

#[test]
fn slanted_surfaces_do_not_hide_themselves() {
    // The floor and side walls of a room at grazing angles: nothing occludes anything in a convex room,
    // so every pixel that projects inside is covisible.
    let (first, second) = (camera(EYE, 0.2), camera(EYE + DVec3::new(0.7, 0.0, -0.4), 0.6));
    let (a, b) = (view(first, room), view(second, room));
    let surfaces = [Surface::new(&a), Surface::new(&b)];
    let reprojection = Reprojection::new(&surfaces[0], &surfaces[1], &config());
    let (mut inside, mut seen) = (0u32, 0u32);
    for y in 0..SIZE {
        for x in 0..SIZE {
            let point = first.unproject(
                DVec2::new(f64::from(x) + 0.5, f64::from(y) + 0.5),
                f64::from(a.depth.at(x, y)),
            );
            if second.project(point).is_some_and(|p| second.intrinsics.contains(p)) {
                inside += 1;
                seen += u32::from(reprojection.at(x, y).is_some());
            }
        }
    }
    assert!(f64::from(seen) > 0.998 * f64::from(inside), "{seen} of {inside}");
}

#[test]
fn holes_are_neither_counted_nor_seen() {
    let full = view(camera(EYE, 0.0), wall);
    let mut half = full.clone();
    half.depth.metres[..(SIZE * SIZE / 2) as usize].fill(0.0);
    let overlap = covisibility(&half, &full, &config());
    assert_eq!(
        overlap.first_to_second, 1.0,
        "of the pixels with a surface all are seen"
    );
    assert!((overlap.second_to_first - 0.5).abs() < 0.01);
    let empty = View {
        depth: DepthMap {
            metres: vec![0.0; (SIZE * SIZE) as usize],
            ..full.depth.clone()
        },
        ..full.clone()
    };
    assert_eq!(covisibility(&empty, &full, &config()).min(), 0.0);
}

#[test]
fn leaving_out_blocks_that_cannot_land_changes_nothing() {
    let mut rng = covista::rng::Rng::stream(2, "blocks", &[]);
    let mut draw = || {
        let eye = DVec3::new(rng.range(-2.5, 2.5), rng.range(0.5, 2.5), rng.range(-2.5, 2.5));
        let mut camera = camera(eye, rng.range(0.0, 2.0 * PI));
        camera.world_from_camera.matrix3 *= DMat3::from_rotation_x(rng.range(-0.5, 0.5));
        view(camera, room)
    };
    let (mut left_out, mut seen) = (0, 0);
    for _ in 0..12 {
        let (a, b) = (draw(), draw());
        let surfaces = [Surface::new(&a), Surface::new(&b)];
        let reprojection = Reprojection::new(&surfaces[0], &surfaces[1], &config());
        reprojection.blocks(|block, landings| {
            left_out += u32::from(landings.is_empty());
            for place in 0..block.width * block.height {
                let (x, y) = (block.left + place % block.width, block.top + place / block.width);
                let alone = reprojection.at(x, y);
                let landing = landings.get(place as usize).filter(|l| l.fate == Fate::Seen);
                let together = landing.map(|l| l.pixel).filter(|pixel| reprojection.contains(*pixel));
                assert_eq!(alone, together, "pixel {x}, {y}");
                seen += u32::from(alone.is_some());
            }
        });
    }
    assert!(left_out > 500 && seen > 50_000, "{left_out} blocks, {seen} pixels");
}
