//! Depth against rays cast on the CPU, and the same surface seen from two places.

mod common;

use common::raycast::RayCaster;
use covista::camera::Camera;
use covista::render::{GpuScene, RenderConfig, Renderer};
use covista::scene::{Scene, SceneConfig, SceneSource, Up, load};
use covista::view::View;
use glam::{DVec2, DVec3};

fn room(name: &str) -> Option<Scene> {
    let path = common::shared(&format!("scenes/{name}/{name}.glb"))?;
    let config = SceneConfig {
        up: Up::Y,
        ..SceneConfig::default()
    };
    Some(load(path, &config).expect("the scene loads"))
}

/// Cameras here and there in the room, some of them tilted.
fn cameras(scene: &Scene, count: usize) -> Vec<Camera> {
    let bounds = scene.bounds().expect("a room has walls");
    let (min, max) = (bounds.min.as_dvec3(), bounds.max.as_dvec3());
    let mut rng = covista::rng::Rng::stream(7, "render-test", &[]);
    let intrinsics = RenderConfig::default().intrinsics();
    (0..count)
        .map(|_| {
            let share = DVec3::new(rng.range(0.3, 0.7), rng.range(0.2, 0.6), rng.range(0.3, 0.7));
            let mut camera = Camera::level(
                intrinsics,
                min + share * (max - min),
                rng.range(0.0, std::f64::consts::TAU),
            );
            camera.world_from_camera.matrix3 *= glam::DMat3::from_rotation_x(rng.range(-0.4, 0.4));
            camera
        })
        .collect()
}

fn centre(x: u32, y: u32) -> DVec2 {
    DVec2::new(f64::from(x) + 0.5, f64::from(y) + 0.5)
}

/// True where some ray within a twentieth of a pixel sees what the picture shows: a silhouette or a crack.
fn is_silhouette(caster: &RayCaster, camera: &Camera, pixel: DVec2, drawn: f64, near: f64) -> bool {
    (0..24).any(|i| {
        let (sin, cos) = (f64::from(i) * std::f64::consts::TAU / 12.0).sin_cos();
        let radius = if i < 12 { 0.01 } else { 0.05 };
        let depth = caster
            .cast(camera, pixel + radius * DVec2::new(cos, sin), near)
            .map_or(0.0, |hit| hit.depth);
        (depth - drawn).abs() < 1e-3 + 1e-3 * drawn
    })
}

/// Holds the drawn depth of some cameras of a scene against rays.
fn hold_depth_against_rays(scene: &Scene, count: usize) {
    let Some(gpu) = common::gpu() else { return };
    let config = RenderConfig::default();
    let caster = RayCaster::new(scene);
    let cameras = cameras(scene, count);
    let uploaded = GpuScene::upload(&gpu, scene).expect("uploaded");
    let views = Renderer::new(&gpu, &config).and_then(|r| r.render(&uploaded, &cameras));
    let (mut all, mut off, mut unexplained) = (0usize, 0usize, Vec::new());
    for view in views.expect("rendered") {
        for y in 0..256 {
            for x in 0..256 {
                let drawn = f64::from(view.depth.at(x, y));
                let hit = caster.cast(&view.camera, centre(x, y), config.near_m);
                let expected = hit.map_or(0.0, |hit| hit.depth);
                all += 1;
                if (drawn - expected).abs() > 1e-3 {
                    off += 1;
                    if !is_silhouette(&caster, &view.camera, centre(x, y), drawn, config.near_m) {
                        unexplained.push((x, y, drawn, expected));
                    }
                }
            }
        }
    }
    println!(
        "{}: {off} of {all} pixels differ by over 1 mm, {} not at silhouettes",
        scene.name,
        unexplained.len()
    );
    assert!(off * 100 < all, "{off} of {all} pixels differ by over 1 mm");
    assert!(
        unexplained.len() * 20_000 < all,
        "{} pixels are not at silhouettes, such as {:?}",
        unexplained.len(),
        &unexplained[..unexplained.len().min(8)]
    );
}

#[test]
fn depth_of_the_white_room_agrees_with_rays() {
    if let Some(scene) = room("white-room") {
        hold_depth_against_rays(&scene, 12);
    }
}

#[test]
fn depth_of_the_wooden_staircase_agrees_with_rays() {
    if let Some(scene) = room("wooden-staircase") {
        hold_depth_against_rays(&scene, 8);
    }
}

#[test]
fn depth_of_the_contemporary_bathroom_agrees_with_rays() {
    if let Some(scene) = room("contemporary-bathroom") {
        hold_depth_against_rays(&scene, 8);
    }
}

#[test]
fn depth_of_an_invented_flat_agrees_with_rays() {
    let scene = SceneSource::Procedural(3)
        .load(&SceneConfig::default())
        .expect("a flat");
    hold_depth_against_rays(&scene, 8);
}

/// Colour at a position, bilinear between pixel centres.
fn sample(view: &View, at: DVec2) -> DVec3 {
    let (x, y) = ((at.x - 0.5).max(0.0), (at.y - 0.5).max(0.0));
    let (left, top) = (x.floor(), y.floor());
    let pixel = |dx: f64, dy: f64| {
        let (px, py) = ((left + dx).min(255.0) as u32, (top + dy).min(255.0) as u32);
        DVec3::from(view.color.get_pixel(px, py).0.map(f64::from))
    };
    let (fx, fy) = (x - left, y - top);
    pixel(0.0, 0.0)
        .lerp(pixel(1.0, 0.0), fx)
        .lerp(pixel(0.0, 1.0).lerp(pixel(1.0, 1.0), fx), fy)
}

#[test]
fn a_pixel_unprojected_and_projected_lands_on_the_same_surface() {
    let Some(gpu) = common::gpu() else { return };
    let Some(scene) = room("white-room") else { return };
    let config = RenderConfig::default();
    let first = cameras(&scene, 1)[0];
    let mut second = first;
    second.world_from_camera.translation += DVec3::new(0.25, -0.05, 0.15);
    second.world_from_camera.matrix3 = glam::DMat3::from_rotation_y(0.2) * second.world_from_camera.matrix3;
    let uploaded = GpuScene::upload(&gpu, &scene).expect("uploaded");
    let renderer = Renderer::new(&gpu, &config).expect("a renderer");
    let views = renderer.render(&uploaded, &[first, second]).expect("rendered");
    let (mut seen, mut alike) = (0, 0);
    for y in 0..256 {
        for x in 0..256 {
            let depth = f64::from(views[0].depth.at(x, y));
            if depth == 0.0 {
                continue;
            }
            let point = first.unproject(centre(x, y), depth);
            let Some(at) = second.project(point).filter(|at| second.intrinsics.contains(*at)) else {
                continue;
            };
            let there = second.camera_from_world().transform_point3(point).z;
            let drawn = f64::from(views[1].depth.at(at.x as u32, at.y as u32));
            // A pixel apart the surface may be a little nearer; more than 2 % is something in front of it.
            if (drawn - there).abs() > 0.02 * there {
                continue;
            }
            seen += 1;
            let here = DVec3::from(views[0].color.get_pixel(x, y).0.map(f64::from));
            if (here - sample(&views[1], at)).abs().max_element() <= 12.0 {
                alike += 1;
            }
        }
    }
    println!("{alike} of {seen} co-visible pixels agree in colour");
    assert!(seen > 20_000, "only {seen} pixels are seen by both");
    assert!(alike * 100 > seen * 95, "{alike} of {seen} pixels agree in colour");
}

#[test]
fn a_batch_is_its_single_pictures_and_repeats_to_the_byte() {
    let Some(gpu) = common::gpu() else { return };
    let Some(scene) = room("white-room") else { return };
    let uploaded = GpuScene::upload(&gpu, &scene).expect("uploaded");
    let renderer = Renderer::new(&gpu, &RenderConfig::default()).expect("a renderer");
    let cameras = cameras(&scene, 24);
    let first = renderer.submit(&uploaded, &cameras).expect("submitted");
    let again = renderer
        .submit(&uploaded, &cameras)
        .expect("submitted while the first is under way");
    let (first, again) = (first.wait().expect("rendered"), again.wait().expect("rendered"));
    assert_eq!(first.len(), 24);
    assert!(first == again, "the same batch twice");
    for (view, camera) in first.iter().zip(&cameras) {
        let single = renderer.render(&uploaded, &[*camera]).expect("rendered");
        assert!(single[0] == *view, "a single picture equals the one of the batch");
    }
}

#[test]
fn leaving_out_triangles_that_colour_nothing_leaves_the_picture_as_it_is() {
    let Some(gpu) = common::gpu() else { return };
    let Some(scene) = room("white-room") else { return };
    let cameras = cameras(&scene, 24);
    let [all, picked] = [false, true].map(|on| {
        let gpu = gpu.clone().with_triangle_culling(on);
        let uploaded = GpuScene::upload(&gpu, &scene).expect("uploaded");
        let renderer = Renderer::new(&gpu, &RenderConfig::default()).expect("a renderer");
        renderer.render(&uploaded, &cameras).expect("rendered")
    });
    let (mut depths, mut colors) = (0, 0);
    for (a, b) in all.iter().zip(&picked) {
        // Metres may differ in the last bits: the adapter forms its planes from the corner that comes first.
        let apart = |(a, b): (&f32, &f32)| (a - b).abs() > 1e-5 + 1e-5 * a;
        depths += a
            .depth
            .metres
            .iter()
            .zip(&b.depth.metres)
            .filter(|&pair| apart(pair))
            .count();
        colors += a.color.pixels().zip(b.color.pixels()).filter(|(a, b)| a != b).count();
    }
    println!("{depths} depths and {colors} colours of {} pixels differ", 24 * 65536);
    // Surfaces that lie in one another are drawn in another order.
    assert!(
        depths <= 4 && colors <= 24 * 65536 / 1000,
        "{depths} depths, {colors} colours"
    );
}
