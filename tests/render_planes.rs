//! Pictures whose every pixel is known beforehand.

mod common;

use common::made::{look, one_quad, scene_of};
use covista::camera::{Camera, Intrinsics};
use covista::render::{Alpha, Culling, GpuScene, RenderConfig, RenderError, Renderer};
use covista::scene::{AlphaMode, Material, Scene};
use glam::DVec3;

fn renderer(gpu: &covista::render::Gpu, config: &RenderConfig) -> Renderer {
    Renderer::new(gpu, config).expect("a renderer")
}

#[test]
fn a_plane_at_two_metres_reads_two_everywhere() {
    let Some(gpu) = common::gpu() else { return };
    let scene = scene_of(vec![one_quad(-2.0, 5.0, [0.2, 0.4, 0.6, 1.0])]);
    let scene = GpuScene::upload(&gpu, &scene).expect("uploaded");
    let config = RenderConfig::default();
    let views = renderer(&gpu, &config).render(&scene, &[look(config.intrinsics(), DVec3::ZERO, 0.0)]);
    let view = &views.expect("rendered")[0];
    for &z in &view.depth.metres {
        assert!((z - 2.0).abs() < 1e-5, "{z}");
    }
    assert!(view.color.pixels().all(|p| p.0 == [51, 102, 153]));
}

#[test]
fn a_quad_covers_exactly_the_pixels_whose_centres_it_covers() {
    let Some(gpu) = common::gpu() else { return };
    // Half a metre to each side at 2 m under 90 degrees: 32 pixels to each side of the centre.
    let scene = scene_of(vec![one_quad(-2.0, 0.5, [1.0; 4])]);
    let scene = GpuScene::upload(&gpu, &scene).expect("uploaded");
    let config = RenderConfig::default();
    let views = renderer(&gpu, &config).render(&scene, &[look(config.intrinsics(), DVec3::ZERO, 0.0)]);
    let view = &views.expect("rendered")[0];
    for y in 0..256 {
        for x in 0..256 {
            let inside = (96..160).contains(&x) && (96..160).contains(&y);
            assert_eq!(view.depth.at(x, y) > 0.0, inside, "({x}, {y})");
            assert_eq!(view.color.get_pixel(x, y).0[0] == 255, inside, "({x}, {y})");
        }
    }
}

#[test]
fn an_off_centre_crop_equals_the_window_of_the_whole() {
    let Some(gpu) = common::gpu() else { return };
    let scene = scene_of(vec![one_quad(-2.0, 0.8, [1.0, 0.5, 0.0, 1.0])]);
    let scene = GpuScene::upload(&gpu, &scene).expect("uploaded");
    let whole = look(Intrinsics::from_hfov(256, 192, 1.2), DVec3::new(0.3, -0.2, 0.1), 0.3);
    let window = whole.crop(40, 70, 96, 64);
    let renderer = renderer(&gpu, &RenderConfig::default());
    let whole = renderer.render(&scene, &[whole]).expect("rendered").remove(0);
    let window = renderer.render(&scene, &[window]).expect("rendered").remove(0);
    let expected = whole.depth.crop(40, 70, 96, 64);
    let differing = (window.depth.metres.iter().zip(&expected.metres))
        .filter(|(a, b)| (*a - *b).abs() > 1e-5)
        .count();
    assert!(differing <= 2, "{differing} pixels differ");
}

#[test]
fn depth_far_from_the_origin_is_as_good_as_near_it() {
    let Some(gpu) = common::gpu() else { return };
    let mut quad = one_quad(-2.0, 5.0, [1.0; 4]);
    for p in &mut quad.0.positions {
        // Multiples of 1/2048: exact in 32 bits out there.
        *p = [p[0] + 5000.0, p[1], p[2] + 5000.0];
    }
    let scene = GpuScene::upload(&gpu, &scene_of(vec![quad])).expect("uploaded");
    let config = RenderConfig::default();
    let eye = DVec3::new(5000.1234, 0.0, 5000.0001);
    let views = renderer(&gpu, &config).render(&scene, &[look(config.intrinsics(), eye, 0.0)]);
    for &z in &views.expect("rendered")[0].depth.metres {
        assert!((z - 2.0001).abs() < 2e-5, "{z}");
    }
}

#[test]
fn nothing_shows_from_behind_unless_asked_for() {
    let Some(gpu) = common::gpu() else { return };
    let (quad, mut material) = one_quad(-2.0, 5.0, [1.0; 4]);
    material.double_sided = true;
    let scene = GpuScene::upload(&gpu, &scene_of(vec![(quad, material)])).expect("uploaded");
    let behind = look(
        RenderConfig::default().intrinsics(),
        DVec3::new(0.0, 0.0, -4.0),
        std::f64::consts::PI,
    );
    for (culling, shown) in [(Culling::Habitat, false), (Culling::Gltf, true), (Culling::None, true)] {
        let config = RenderConfig {
            culling,
            ..RenderConfig::default()
        };
        let view = renderer(&gpu, &config)
            .render(&scene, &[behind])
            .expect("rendered")
            .remove(0);
        assert_eq!(view.depth.valid_fraction(), f64::from(u8::from(shown)), "{culling:?}");
    }
}

#[test]
fn alpha_is_ignored_as_habitat_does_or_honoured_as_gltf_says() {
    let Some(gpu) = common::gpu() else { return };
    let wall = one_quad(-3.0, 5.0, [0.0, 0.0, 1.0, 1.0]);
    let pane = |alpha, opacity| {
        let (quad, material) = one_quad(-2.0, 5.0, [1.0, 0.0, 0.0, opacity]);
        (quad, Material { alpha, ..material })
    };
    let draw = |front, alpha| {
        let scene = GpuScene::upload(&gpu, &scene_of(vec![wall.clone(), front])).expect("uploaded");
        let config = RenderConfig {
            alpha,
            ..RenderConfig::default()
        };
        let camera = look(config.intrinsics(), DVec3::ZERO, 0.0);
        let view = renderer(&gpu, &config)
            .render(&scene, &[camera])
            .expect("rendered")
            .remove(0);
        (view.color.get_pixel(100, 30).0, view.depth.at(100, 30).round())
    };
    let (red, blue) = ([255, 0, 0], [0, 0, 255]);
    assert_eq!(draw(pane(AlphaMode::Mask(0.5), 0.25), Alpha::Habitat), (red, 2.0));
    assert_eq!(draw(pane(AlphaMode::Mask(0.5), 0.25), Alpha::Gltf), (blue, 3.0));
    assert_eq!(draw(pane(AlphaMode::Mask(0.5), 0.75), Alpha::Gltf), (red, 2.0));
    assert_eq!(draw(pane(AlphaMode::Blend, 0.25), Alpha::Habitat), (red, 2.0));
    let (mixed, depth) = draw(pane(AlphaMode::Blend, 0.25), Alpha::Gltf);
    assert!(mixed[0].abs_diff(64) <= 1 && mixed[2].abs_diff(191) <= 1, "{mixed:?}");
    assert_eq!(depth, 3.0);
}

#[test]
fn an_empty_scene_and_an_empty_batch_are_no_errors_and_bad_cameras_are() {
    let Some(gpu) = common::gpu() else { return };
    let scene = GpuScene::upload(&gpu, &Scene::default()).expect("uploaded");
    let config = RenderConfig::default();
    let renderer = renderer(&gpu, &config);
    assert!(renderer.render(&scene, &[]).expect("nothing").is_empty());
    let camera = look(config.intrinsics(), DVec3::ZERO, 0.0);
    let view = renderer.render(&scene, &[camera]).expect("rendered").remove(0);
    assert_eq!(view.depth.valid_fraction(), 0.0);
    let mut lost = camera;
    lost.world_from_camera.translation.x = f64::NAN;
    let other = Camera {
        intrinsics: Intrinsics::from_hfov(64, 64, 1.0),
        ..camera
    };
    for bad in [lost, other] {
        let error = renderer.render(&scene, &[camera, bad]).expect_err("refused");
        assert!(matches!(error, RenderError::Camera { index: 1, .. }), "{error}");
    }
    let huge = Camera {
        intrinsics: Intrinsics::from_hfov(1 << 20, 1, 1.0),
        ..camera
    };
    let error = renderer.render(&scene, &[huge]).expect_err("refused");
    assert!(matches!(error, RenderError::TooLarge { .. }), "{error}");
}
