//! Flow and pixel correspondences where the answer is known: planes under known motion, and there and back.

mod common;

use std::f64::consts::FRAC_PI_2;

use covista::camera::{Camera, Intrinsics};
use covista::flow::{FlowMap, Sight, optical_flow, pixel_matches};
use covista::overlap::GeometricOverlapConfig;
use covista::render::{Gpu, GpuScene, RenderConfig, Renderer};
use covista::scene::{Scene, SceneConfig, SceneSource};
use covista::view::{DepthMap, View};
use glam::{DMat3, DVec2, DVec3};
use image::RgbImage;

/// What a camera before a wall at z = -`wall` sees: exact depth, no colour. With `box_z`, a square of half a metre
/// to each side of the z axis stands before it.
fn before_wall(camera: Camera, wall: f64, box_z: Option<f64>) -> View {
    let k = camera.intrinsics;
    let depth_at = |x: u32, y: u32| {
        let pixel = DVec2::new(f64::from(x) + 0.5, f64::from(y) + 0.5);
        let direction = camera.world_from_camera.transform_vector3(k.unproject(pixel, 1.0));
        let reach = |z: f64| (-z - camera.eye().z) / direction.z;
        let near = box_z.map(reach).filter(|&t| {
            let p = camera.eye() + t * direction;
            t > 0.0 && p.x.abs() <= 0.5 && p.y.abs() <= 0.5
        });
        near.or(Some(reach(wall)).filter(|&t| t > 0.0)).unwrap_or(0.0) as f32
    };
    View {
        camera,
        color: RgbImage::new(k.width, k.height),
        depth: DepthMap {
            width: k.width,
            height: k.height,
            metres: (0..k.width * k.height)
                .map(|i| depth_at(i % k.width, i / k.width))
                .collect(),
        },
    }
}

fn camera(width: u32, height: u32, eye: DVec3) -> Camera {
    Camera::level(Intrinsics::from_hfov(width, height, FRAC_PI_2), eye, 0.0)
}

fn flow(first: &View, second: &View) -> FlowMap {
    optical_flow(first, second, &GeometricOverlapConfig::default())
}

#[test]
fn a_step_aside_before_a_wall_moves_every_pixel_alike() {
    // 64 px and 90 degrees: focal 32; 25 cm to the right at 2 m is 4 px to the left.
    let first = before_wall(camera(64, 48, DVec3::ZERO), 2.0, None);
    let second = before_wall(camera(64, 48, DVec3::new(0.25, 0.0, 0.0)), 2.0, None);
    let flow = flow(&first, &second);
    for y in 0..48 {
        for x in 0..64 {
            let (motion, sight) = flow.at(x, y);
            assert!(
                (motion[0] + 4.0).abs() < 1e-4 && motion[1].abs() < 1e-4,
                "({x}, {y}): {motion:?}"
            );
            let expected = if x < 4 { Sight::Outside } else { Sight::Visible };
            assert_eq!(sight, expected, "({x}, {y})");
        }
    }
    assert_eq!(flow.fraction(Sight::Visible), 60.0 / 64.0);
}

#[test]
fn a_step_ahead_spreads_pixels_from_the_middle() {
    let first = before_wall(camera(64, 64, DVec3::ZERO), 2.0, None);
    let second = before_wall(camera(64, 64, DVec3::new(0.0, 0.0, -1.0)), 2.0, None);
    let flow = flow(&first, &second);
    for y in 0..64u32 {
        for x in 0..64u32 {
            // Twice as large: each pixel's distance from the middle doubles.
            let expected = [f64::from(x) + 0.5 - 32.0, f64::from(y) + 0.5 - 32.0];
            let (motion, _) = flow.at(x, y);
            for axis in 0..2 {
                assert!((f64::from(motion[axis]) - expected[axis]).abs() < 1e-4, "({x}, {y})");
            }
        }
    }
}

#[test]
fn a_turn_moves_pixels_by_the_homography_of_a_rotation_whatever_their_depth() {
    let first = before_wall(camera(80, 60, DVec3::ZERO), 2.0, Some(1.2));
    let mut turned = first.camera;
    let turn = DMat3::from_rotation_y(0.2) * DMat3::from_rotation_x(-0.1);
    turned.world_from_camera.matrix3 *= turn;
    let second = before_wall(turned, 2.0, Some(1.2));
    let k = first.camera.intrinsics;
    let flow = flow(&first, &second);
    let mut visible = 0;
    for y in 0..60 {
        for x in 0..80 {
            let (motion, sight) = flow.at(x, y);
            let pixel = DVec2::new(f64::from(x) + 0.5, f64::from(y) + 0.5);
            let expected = k.project(turn.transpose() * k.unproject(pixel, 1.0)).expect("in front") - pixel;
            let motion = DVec2::from(motion.map(f64::from));
            assert!(motion.distance(expected) < 1e-3, "({x}, {y}): {motion} {expected}");
            visible += u32::from(sight == Sight::Visible);
            // Nothing hides behind anything when the eye stays, but beside the square's edge (16.7 px from the
            // middle) the centre of the pixel there may lie on the square.
            let from_middle = (pixel - DVec2::new(40.0, 30.0)).abs().max_element();
            if (from_middle - 16.7).abs() > 1.0 {
                assert_ne!(sight, Sight::Hidden, "({x}, {y})");
            }
        }
    }
    assert!(visible > 3000);
}

#[test]
fn what_a_thing_covers_is_hidden_and_still_has_its_motion() {
    let first = before_wall(camera(64, 64, DVec3::ZERO), 2.0, Some(1.0));
    let second = before_wall(camera(64, 64, DVec3::new(0.5, 0.0, 0.0)), 2.0, Some(1.0));
    let flow = flow(&first, &second);
    // The square of half a metre is seen at columns 16..48 and at 0..32 from 50 cm to the right. The wall moves by
    // 8 px, so its columns 8..40 lie behind the square there, of which the first view shows 8..16.
    for x in 0..64 {
        let (motion, sight) = flow.at(x, 32);
        let on_square = (16..48).contains(&x);
        assert!((motion[0] + if on_square { 16.0 } else { 8.0 }).abs() < 1e-4, "{x}");
        let expected = match x {
            0..8 => Sight::Outside,
            8..16 => Sight::Hidden,
            _ => Sight::Visible,
        };
        assert_eq!(sight, expected, "column {x}");
    }
}

#[test]
fn no_surface_and_behind_are_told_apart() {
    let ahead = before_wall(camera(16, 16, DVec3::ZERO), 2.0, None);
    let mut back = camera(16, 16, DVec3::ZERO);
    back.world_from_camera.matrix3 = DMat3::from_rotation_y(std::f64::consts::PI) * back.world_from_camera.matrix3;
    let back = before_wall(back, 2.0, None);
    assert_eq!(back.depth.valid_fraction(), 0.0);
    assert_eq!(flow(&ahead, &back).fraction(Sight::Behind), 1.0);
    assert_eq!(flow(&back, &ahead).fraction(Sight::NoSurface), 1.0);
}

#[test]
fn views_of_another_size_and_lens_correspond_too() {
    let first = before_wall(camera(64, 48, DVec3::ZERO), 2.0, None);
    let k = Intrinsics::from_hfov(100, 30, 1.0);
    let second = before_wall(Camera::level(k, DVec3::new(0.1, 0.05, -0.3), 0.2), 2.0, None);
    let matches = pixel_matches(&first, &second, &GeometricOverlapConfig::default());
    assert!(matches.len() > 100, "{}", matches.len());
    for m in matches {
        let pixel = DVec2::new(f64::from(m.first[0]) + 0.5, f64::from(m.first[1]) + 0.5);
        let point = first.camera.unproject(pixel, 2.0);
        let expected = second.camera.project(point).expect("in front");
        assert!(m.second.distance(expected) < 1e-4);
    }
}

/// Two views of a flat, half a metre and half a radian apart.
fn two_views(gpu: &Gpu, scene: &Scene) -> [View; 2] {
    let bounds = scene.bounds().expect("a flat has walls");
    let middle = (0.5 * (bounds.min + bounds.max)).as_dvec3();
    let eye = DVec3::new(middle.x, f64::from(bounds.min.y) + 1.5, middle.z);
    let intrinsics = Intrinsics::from_hfov(128, 96, FRAC_PI_2);
    let cameras = [
        Camera::level(intrinsics, eye, 0.3),
        Camera::level(intrinsics, eye + DVec3::new(0.3, 0.1, -0.35), 0.8),
    ];
    let uploaded = GpuScene::upload(gpu, scene).expect("uploaded");
    let renderer = Renderer::new(gpu, &RenderConfig::default()).expect("a renderer");
    let views = renderer.render(&uploaded, &cameras).expect("rendered");
    views.try_into().expect("two")
}

#[test]
fn a_match_there_and_back_ends_where_it_began() {
    let Some(gpu) = common::gpu() else { return };
    let scene = SceneSource::Procedural(5)
        .load(&SceneConfig::default())
        .expect("a flat");
    let [first, second] = two_views(&gpu, &scene);
    let config = GeometricOverlapConfig::default();
    let there = pixel_matches(&first, &second, &config);
    let back = optical_flow(&second, &first, &config);
    let (mut cycles, mut closed) = (0, 0);
    for m in &there {
        let (x, y) = (m.second.x as u32, m.second.y as u32);
        let (motion, sight) = back.at(x, y);
        if sight != Sight::Visible {
            continue;
        }
        // The way back starts at the centre of the pixel that holds the match: up to half a pixel aside.
        let end = DVec2::new(
            f64::from(x) + 0.5 + f64::from(motion[0]),
            f64::from(y) + 0.5 + f64::from(motion[1]),
        );
        let start = DVec2::new(f64::from(m.first[0]) + 0.5, f64::from(m.first[1]) + 0.5);
        cycles += 1;
        closed += usize::from(end.distance(start) <= 2.0);
    }
    println!(
        "{} matches, {closed} of {cycles} ways back end within 2 px",
        there.len()
    );
    assert!(there.len() > 2000, "{} matches", there.len());
    assert!(cycles * 10 > there.len() * 9, "{cycles} of {}", there.len());
    assert!(closed * 100 >= cycles * 98, "{closed} of {cycles}");
}
