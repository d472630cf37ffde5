//! Channels beside colour and depth, and cameras beside the pinhole, where the answer is known.

mod common;

use common::made::{look, one_quad, scene_of};
use covista::camera::{Camera, CameraModel, Equirectangular, Intrinsics, Orthographic, PosedCamera};
use covista::render::{Alpha, Culling, GpuScene, RenderConfig, RenderError, Renderer, Sensors};
use covista::scene::{AlphaMode, Material, Primitive, Scene};
use covista::view::{Capture, Validity};
use glam::{DAffine3, DMat3, DVec2, DVec3};

fn capture(scene: &Scene, config: &RenderConfig, camera: PosedCamera, sensors: Sensors) -> Option<Capture> {
    let gpu = common::gpu()?;
    let uploaded = GpuScene::upload_for(&gpu, scene, config, sensors).expect("uploaded");
    let renderer = Renderer::new(&gpu, config).expect("a renderer");
    let mut captures = renderer.capture(&uploaded, &[camera], sensors).expect("captured");
    captures.pop()
}

/// The six walls of a box as one primitive each, faces inwards unless `outwards`; wall `i` has instance `i + 1`
/// and semantic ids `10 i + 1` and `10 i + 2` for its two triangles.
fn box_scene(half: DVec3, outwards: bool) -> Scene {
    let mut parts = Vec::new();
    for (axis, sign) in [(0, 1.0), (0, -1.0), (1, 1.0), (1, -1.0), (2, 1.0), (2, -1.0)] {
        let (u, v) = ((axis + 1) % 3, (axis + 2) % 3);
        let corner = |a: f64, b: f64| {
            let mut p = DVec3::ZERO;
            p[axis] = sign * half[axis];
            p[u] = a * half[u];
            p[v] = b * half[v];
            p.as_vec3().to_array()
        };
        // Counter-clockwise about +axis for (u, v); turned for the face that looks the other way.
        let mut indices = vec![0, 1, 2, 0, 2, 3];
        if (sign > 0.0) != outwards {
            indices = vec![0, 2, 1, 0, 3, 2];
        }
        let wall = parts.len() as u32;
        let primitive = Primitive {
            positions: vec![
                corner(-1.0, -1.0),
                corner(1.0, -1.0),
                corner(1.0, 1.0),
                corner(-1.0, 1.0),
            ],
            indices,
            instance: wall + 1,
            semantics: vec![10 * wall + 1, 10 * wall + 2],
            ..Primitive::default()
        };
        let shade = 0.1 + 0.15 * wall as f32;
        let material = Material {
            base_color: [shade, 1.0 - shade, 0.5, 1.0],
            ..Material::default()
        };
        parts.push((primitive, material));
    }
    scene_of(parts)
}

/// Where a ray from inside a box leaves it: distance in units of the direction, wall and inward normal.
fn leave_box(half: DVec3, origin: DVec3, direction: DVec3) -> (f64, u32, DVec3) {
    let mut first = (f64::INFINITY, 0, DVec3::ZERO);
    for axis in 0..3 {
        let positive = direction[axis] > 0.0;
        let wall = if positive { half[axis] } else { -half[axis] };
        let t = (wall - origin[axis]) / direction[axis];
        if t < first.0 {
            let mut normal = DVec3::ZERO;
            normal[axis] = if positive { -1.0 } else { 1.0 };
            first = (t, 2 * axis as u32 + u32::from(!positive) + 1, normal);
        }
    }
    first
}

fn centre(x: u32, y: u32) -> DVec2 {
    DVec2::new(f64::from(x) + 0.5, f64::from(y) + 0.5)
}

/// Holds every channel of a picture from inside a box against the answer. Along creases a sphere's pixel may
/// show the wall that a ray within a pixel sees.
fn hold_in_box(half: DVec3, taken: &Capture, tolerance: f64) {
    let is_sphere = matches!(taken.camera.model, CameraModel::Equirectangular(_));
    let (width, height) = taken.camera.model.size();
    let (mut all, mut off) = (0, 0);
    for y in 0..height {
        for x in 0..width {
            let wall_seen = taken.instances.as_ref().expect("ids").at(x, y);
            let same_at = |pixel: DVec2, tolerance: f64| {
                let ray = taken.camera.ray(pixel);
                let (depth, wall, normal) = leave_box(half, ray.origin, ray.direction);
                (f64::from(taken.depth.at(x, y)) - depth).abs() < tolerance
                    && wall_seen == wall
                    && taken.semantics.as_ref().expect("ids").at(x, y) / 10 == wall - 1
                    && taken.normals.as_ref().expect("normals").at(x, y) == normal.as_vec3().to_array()
                    && taken.validity.as_ref().expect("validity").at(x, y) == Validity::Surface
            };
            all += 1;
            if !same_at(centre(x, y), tolerance) {
                off += 1;
                let explained = (0..32).any(|i| {
                    let (sin, cos) = (f64::from(i) * std::f64::consts::TAU / 8.0).sin_cos();
                    let radius = 0.2 * f64::from(i / 8 + 1);
                    same_at(centre(x, y) + radius * DVec2::new(cos, sin), 0.1)
                });
                assert!(is_sphere && explained, "({x}, {y}) of {:?}", taken.camera.model);
            }
        }
    }
    println!(
        "{:?}: {off} of {all} pixels differ, all of them at creases",
        taken.camera.model
    );
    assert!(
        off * 25 <= all,
        "{off} of {all} pixels differ: {:?}",
        taken.camera.model
    );
}

/// A pose that is nothing special.
fn pose() -> DAffine3 {
    let mut camera = Camera::level(Intrinsics::from_hfov(1, 1, 1.0), DVec3::new(0.4, -0.2, 0.3), 0.6);
    camera.world_from_camera.matrix3 *= DMat3::from_rotation_x(0.3) * DMat3::from_rotation_z(0.2);
    camera.world_from_camera
}

#[test]
fn every_camera_model_measures_a_box_from_inside() {
    let half = DVec3::new(2.0, 1.5, 3.0);
    for (model, tolerance) in [
        (CameraModel::Pinhole(Intrinsics::from_hfov(96, 40, 1.9)), 1e-4),
        (
            CameraModel::Pinhole(Intrinsics {
                fx: 50.0,
                fy: 80.0,
                cx: 20.0,
                cy: 33.0,
                width: 48,
                height: 64,
            }),
            1e-4,
        ),
        (
            CameraModel::Orthographic(Orthographic {
                width_m: 0.9,
                width: 60,
                height: 44,
            }),
            1e-4,
        ),
        (
            CameraModel::Equirectangular(Equirectangular { width: 128, height: 64 }),
            1e-3,
        ),
        (
            CameraModel::Equirectangular(Equirectangular { width: 90, height: 90 }),
            1e-3,
        ),
    ] {
        let camera = PosedCamera {
            model,
            world_from_camera: pose(),
        };
        let config = RenderConfig::default();
        let Some(taken) = capture(&box_scene(half, false), &config, camera, Sensors::all()) else {
            return;
        };
        assert_eq!(taken.color.dimensions(), model.size());
        hold_in_box(half, &taken, tolerance);
        // Each wall is of one colour.
        let instances = taken.instances.as_ref().expect("ids");
        let painted = taken.color.enumerate_pixels().filter(|(x, y, pixel)| {
            let shade = 0.1 + 0.15 * (instances.at(*x, *y) as f32 - 1.0);
            (f32::from(pixel.0[0]) - 255.0 * shade).abs() <= 1.0
        });
        let (width, height) = model.size();
        assert!(painted.count() as u32 * 100 > width * height * 95);
    }
}

#[test]
fn a_sphere_of_distance_is_the_same_all_around() {
    // A finely divided ball of 2 m seen from its middle: every ray goes 2 m.
    let (rings, sectors) = (64u32, 128u32);
    let mut ball = Primitive::default();
    for ring in 0..=rings {
        for sector in 0..=sectors {
            let (latitude, longitude) = (
                std::f64::consts::PI * f64::from(ring) / f64::from(rings),
                std::f64::consts::TAU * f64::from(sector) / f64::from(sectors),
            );
            let p = 2.0
                * DVec3::new(
                    latitude.sin() * longitude.cos(),
                    latitude.cos(),
                    latitude.sin() * longitude.sin(),
                );
            ball.positions.push(p.as_vec3().into());
        }
    }
    for ring in 0..rings {
        for sector in 0..sectors {
            let a = ring * (sectors + 1) + sector;
            let b = a + sectors + 1;
            ball.indices.extend([a, b, a + 1, a + 1, b, b + 1]);
        }
    }
    let sphere = Equirectangular { width: 160, height: 80 };
    let camera = PosedCamera {
        model: CameraModel::Equirectangular(sphere),
        world_from_camera: DAffine3 {
            translation: DVec3::ZERO,
            ..pose()
        },
    };
    let config = RenderConfig::default();
    let Some(taken) = capture(
        &scene_of(vec![(ball, Material::default())]),
        &config,
        camera,
        Sensors::all(),
    ) else {
        return;
    };
    // The facets' middles lie up to 2 (1 - cos(pi / 64)^2) m inside the ball, and a facet carried on
    // for half a pixel leaves it by less than that.
    for (i, &depth) in taken.depth.metres.iter().enumerate() {
        assert!((1.995..2.002).contains(&depth), "pixel {i}: {depth}");
    }
    let normals = taken.normals.expect("normals");
    for y in 0..80 {
        for x in 0..160 {
            let inwards = -taken.camera.ray(centre(x, y)).direction;
            let normal = DVec3::from(normals.at(x, y).map(f64::from));
            assert!(normal.dot(inwards) > 0.998, "({x}, {y})");
        }
    }
}

#[test]
fn asking_for_channels_leaves_colour_and_depth_as_they_are() {
    let Some(gpu) = common::gpu() else { return };
    let scene = box_scene(DVec3::new(2.0, 1.5, 3.0), false);
    let config = RenderConfig::default();
    let camera = Camera {
        intrinsics: Intrinsics::from_hfov(96, 64, 1.2),
        world_from_camera: pose(),
    };
    let plain = GpuScene::upload(&gpu, &scene).expect("uploaded");
    let full = GpuScene::upload_for(&gpu, &scene, &config, Sensors::all()).expect("uploaded");
    assert!(full.device_bytes() > plain.device_bytes());
    let renderer = Renderer::new(&gpu, &config).expect("a renderer");
    let view = renderer.render(&plain, &[camera]).expect("rendered").remove(0);
    for sensors in [Sensors::default(), Sensors::validity(), Sensors::all()] {
        let taken = renderer
            .capture(&full, &[camera.into()], sensors)
            .expect("captured")
            .remove(0);
        assert_eq!(taken.normals.is_some(), sensors.normal);
        assert_eq!(taken.validity.is_some(), sensors.validity);
        assert_eq!(taken.into_view(), Some(view.clone()));
    }
    let error = renderer.capture(&plain, &[camera.into()], Sensors::all());
    assert!(matches!(error, Err(RenderError::Config(_))), "{error:?}");
    assert!(renderer.capture(&plain, &[camera.into()], Sensors::validity()).is_ok());
}

#[test]
fn a_camera_inside_a_solid_sees_backs_only() {
    let half = DVec3::new(0.5, 0.5, 0.5);
    let camera = look(Intrinsics::from_hfov(48, 48, 1.5), DVec3::ZERO, 0.4);
    let room = box_scene(DVec3::splat(4.0), false);
    let mut solid = box_scene(half, true);
    for primitive in &mut solid.primitives {
        primitive.material += room.materials.len();
    }
    let mut both = room;
    both.primitives.extend(solid.primitives);
    both.materials.extend(solid.materials);
    for culling in [Culling::Habitat, Culling::Gltf, Culling::None] {
        let config = RenderConfig {
            culling,
            ..RenderConfig::default()
        };
        let Some(inside) = capture(&both, &config, camera.into(), Sensors::all()) else {
            return;
        };
        let validity = inside.validity.expect("validity");
        assert_eq!(validity.fraction(Validity::BackFace), 1.0, "{culling:?}");
        assert!(validity.is_inside_geometry());
        // Left out, the solid shows the room behind it.
        let expected = if culling == Culling::None { 0.3..0.9 } else { 2.5..7.0 };
        assert!(inside.depth.metres.iter().all(|z| expected.contains(z)), "{culling:?}");
        let outside = Camera {
            world_from_camera: DAffine3 {
                translation: DVec3::new(2.0, 0.1, 2.0),
                ..camera.world_from_camera
            },
            ..camera
        };
        let outside = capture(&both, &config, outside.into(), Sensors::all()).expect("an adapter");
        let validity = outside.validity.expect("validity");
        assert_eq!(validity.fraction(Validity::Surface), 1.0, "{culling:?}");
        assert!(!validity.is_inside_geometry());
    }
}

#[test]
fn validity_tells_nothing_from_a_back_and_the_two_sides_of_a_thin_wall_apart() {
    let camera = look(
        Intrinsics::from_hfov(64, 64, std::f64::consts::FRAC_PI_2),
        DVec3::ZERO,
        0.0,
    );
    // A wall of two surfaces in one place, the back one 40 cm wide to each side more.
    let (front, material) = one_quad(-2.0, 0.5, [1.0; 4]);
    let (mut back, _) = one_quad(-2.0, 0.9, [1.0; 4]);
    for triangle in back.indices.chunks_exact_mut(3) {
        triangle.swap(1, 2);
    }
    let parts = |material: &Material| vec![(front.clone(), material.clone()), (back.clone(), material.clone())];
    for (culling, double_sided, ring) in [
        (Culling::Habitat, false, Validity::BackFace),
        (Culling::Habitat, true, Validity::BackFace),
        (Culling::Gltf, false, Validity::BackFace),
        (Culling::Gltf, true, Validity::Surface),
        (Culling::None, false, Validity::BackFace),
        (Culling::None, true, Validity::Surface),
    ] {
        let config = RenderConfig {
            culling,
            ..RenderConfig::default()
        };
        let material = Material {
            double_sided,
            ..material.clone()
        };
        let Some(taken) = capture(&scene_of(parts(&material)), &config, camera.into(), Sensors::all()) else {
            return;
        };
        let validity = taken.validity.expect("validity");
        let at = |x: u32| validity.at(x, 32);
        assert_eq!(at(1), Validity::Nothing, "{culling:?} {double_sided}");
        assert_eq!(at(20), ring, "{culling:?} {double_sided}");
        if culling != Culling::None {
            assert_eq!(at(32), Validity::Surface, "{culling:?} {double_sided}");
        }
    }
}

#[test]
fn ids_go_through_the_holes_of_masked_surfaces_and_past_blended_ones() {
    let camera = look(Intrinsics::from_hfov(32, 32, 1.0), DVec3::ZERO, 0.0);
    let wall = one_quad(-3.0, 5.0, [1.0; 4]);
    for (alpha, opacity, seen) in [
        (AlphaMode::Mask(0.5), 0.25, 1),
        (AlphaMode::Mask(0.5), 0.75, 2),
        (AlphaMode::Blend, 0.5, 1),
        (AlphaMode::Opaque, 0.5, 2),
    ] {
        let (quad, material) = one_quad(-2.0, 5.0, [1.0, 1.0, 1.0, opacity]);
        let mut scene = scene_of(vec![wall.clone(), (quad, Material { alpha, ..material })]);
        for (instance, primitive) in scene.primitives.iter_mut().enumerate() {
            primitive.instance = instance as u32 + 1;
        }
        let config = RenderConfig {
            alpha: Alpha::Gltf,
            ..RenderConfig::default()
        };
        let Some(taken) = capture(&scene, &config, camera.into(), Sensors::all()) else {
            return;
        };
        let ids = taken.instances.expect("ids").ids;
        assert!(ids.iter().all(|&id| id == seen), "{alpha:?} {opacity}: {}", ids[0]);
    }
}

#[test]
fn cameras_that_do_not_fit_together_are_refused() {
    let Some(gpu) = common::gpu() else { return };
    let scene = GpuScene::upload(&gpu, &box_scene(DVec3::ONE, false)).expect("uploaded");
    let renderer = Renderer::new(&gpu, &RenderConfig::default()).expect("a renderer");
    let posed = |model| PosedCamera {
        model,
        world_from_camera: pose(),
    };
    let pinhole = posed(CameraModel::Pinhole(Intrinsics::from_hfov(32, 16, 1.0)));
    let ortho = |width_m| {
        let (width, height) = (32, 16);
        posed(CameraModel::Orthographic(Orthographic { width_m, width, height }))
    };
    let sphere = |width, height| posed(CameraModel::Equirectangular(Equirectangular { width, height }));
    for batch in [
        [pinhole, ortho(1.0)],
        [ortho(1.0), ortho(-1.0)],
        [ortho(1.0), ortho(f64::NAN)],
        [sphere(32, 16), sphere(32, 17)],
    ] {
        let error = renderer
            .capture(&scene, &batch, Sensors::default())
            .expect_err("refused");
        assert!(matches!(error, RenderError::Camera { index: 1, .. }), "{error}");
    }
    assert!(renderer.capture(&scene, &[sphere(0, 0)], Sensors::default()).is_err());
    assert!(
        renderer.capture(&scene, &[], Sensors::all()).is_err(),
        "uploaded without ids"
    );
    assert!(
        renderer
            .capture(&scene, &[], Sensors::default())
            .expect("nothing")
            .is_empty()
    );
}
