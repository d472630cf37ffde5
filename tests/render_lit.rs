//! Lit shading: light where there was none, lamps of the file, and nothing else changed.

mod common;

use std::path::Path;

use common::made::{look, scene_of};
use covista::camera::{Camera, Intrinsics, PosedCamera};
use covista::render::{Gpu, GpuScene, RenderConfig, Renderer, Sensors, Shading};
use covista::scene::lighting::light_primitives;
use covista::scene::{LightKind, Material, Primitive, Scene, SceneConfig, SceneSource, Up, load};
use covista::view::Capture;
use glam::{DVec3, Vec3};

/// A white room of 4 x 3 x 4 m, one quad a wall, faces inwards.
fn white_room() -> Scene {
    let (x, y, z) = (2.0f32, 1.5f32, 2.0f32);
    let quads = [
        [[-x, -y, z], [x, -y, z], [x, -y, -z], [-x, -y, -z]],
        [[-x, y, -z], [x, y, -z], [x, y, z], [-x, y, z]],
        [[-x, -y, -z], [x, -y, -z], [x, y, -z], [-x, y, -z]],
        [[x, -y, z], [-x, -y, z], [-x, y, z], [x, y, z]],
        [[-x, -y, z], [-x, -y, -z], [-x, y, -z], [-x, y, z]],
        [[x, -y, -z], [x, -y, z], [x, y, z], [x, y, -z]],
    ];
    let wall = |(instance, positions): (usize, [[f32; 3]; 4])| {
        let primitive = Primitive {
            positions: positions.to_vec(),
            indices: vec![0, 1, 2, 0, 2, 3],
            instance: instance as u32 + 1,
            ..Primitive::default()
        };
        (primitive, Material::default())
    };
    scene_of(quads.into_iter().enumerate().map(wall).collect())
}

fn shaded(gpu: &Gpu, scene: &Scene, shading: Shading, camera: Camera) -> Capture {
    let config = RenderConfig {
        shading,
        ..RenderConfig::default()
    };
    let uploaded = GpuScene::upload_for(gpu, scene, &config, Sensors::all()).expect("uploaded");
    let renderer = Renderer::new(gpu, &config).expect("a renderer");
    let cameras: [PosedCamera; 1] = [camera.into()];
    renderer
        .capture(&uploaded, &cameras, Sensors::all())
        .expect("captured")
        .remove(0)
}

fn ahead() -> Camera {
    look(Intrinsics::from_hfov(128, 96, 1.4), DVec3::new(0.0, 0.0, 1.0), 0.0)
}

#[test]
fn a_white_wall_is_no_longer_one_flat_colour_and_darkens_into_its_corners() {
    let Some(gpu) = common::gpu() else { return };
    let flat = shaded(&gpu, &white_room(), Shading::Flat, ahead());
    assert!(flat.color.pixels().all(|p| p.0 == [255; 3]));
    let lit = shaded(&gpu, &white_room(), Shading::Lit, ahead());
    let level = |x: u32, y: u32| lit.color.get_pixel(x, y).0[0];
    // The far wall is 3 m away: its middle, its left edge and its lower left corner.
    let k = ahead().intrinsics;
    let at = |x: f64, y: f64| {
        let pixel = k.project(DVec3::new(x, -y, 3.0)).expect("in front");
        level(pixel.x as u32, pixel.y as u32)
    };
    let (middle, edge, corner) = (at(0.0, 0.0), at(-1.95, 0.0), at(-1.95, -1.45));
    println!("middle {middle}, edge {edge}, corner {corner}");
    assert!(middle > edge + 20 && edge > corner + 8, "{middle} {edge} {corner}");
    let levels: std::collections::BTreeSet<u8> = lit.color.pixels().map(|p| p.0[0]).collect();
    assert!(levels.len() > 40, "{} levels", levels.len());
    assert!(
        levels.iter().all(|&l| l > 60 && l < 255),
        "nothing is black or blown out"
    );
}

#[test]
fn light_changes_neither_depth_nor_normals_nor_ids() {
    let Some(gpu) = common::gpu() else { return };
    let scene = SceneSource::Procedural(3)
        .load(&SceneConfig::default())
        .expect("a flat");
    let bounds = scene.bounds().expect("walls");
    let middle = (0.5 * (bounds.min + bounds.max)).as_dvec3();
    let camera = look(
        ahead().intrinsics,
        DVec3::new(middle.x, f64::from(bounds.min.y) + 1.5, middle.z),
        0.7,
    );
    let [flat, lit] = [Shading::Flat, Shading::Lit].map(|shading| shaded(&gpu, &scene, shading, camera));
    let pairs = flat.depth.metres.iter().zip(&lit.depth.metres);
    let apart = pairs.filter(|(a, b)| (*a - *b).abs() > 1e-3).count();
    // Halved edges are rounded anew, so a pixel on an edge may go either way.
    assert!(apart * 500 < flat.depth.metres.len(), "{apart} depths differ");
    let ids = [&flat, &lit].map(|c| c.instances.as_ref().expect("ids").ids.clone());
    let apart = ids[0].iter().zip(&ids[1]).filter(|(a, b)| a != b).count();
    assert!(apart * 500 < ids[0].len(), "{apart} ids differ");
    let normals = [&flat, &lit].map(|c| c.normals.as_ref().expect("normals").vectors.clone());
    let alike = |(a, b): &(&[f32; 3], &[f32; 3])| Vec3::from(**a).abs_diff_eq(Vec3::from(**b), 1e-2);
    let apart = normals[0].iter().zip(&normals[1]).filter(|pair| !alike(pair)).count();
    assert!(apart * 100 < ids[0].len(), "{apart} normals differ");
    assert_ne!(flat.color, lit.color);
}

#[test]
fn the_light_is_the_same_every_time_and_for_any_number_of_threads() {
    let scene = white_room();
    let first = light_primitives(&scene);
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool");
    let second = one.install(|| light_primitives(&scene));
    for (a, b) in first.iter().zip(&second) {
        assert_eq!(
            (&a.positions, &a.colors, &a.indices),
            (&b.positions, &b.colors, &b.indices)
        );
    }
    assert!(light_primitives(&Scene::default()).is_empty());
}

/// A floor of 6 m and a spot lamp 2 m above it that shines down, as a glTF file with its bytes inside.
fn write_lamp(path: &Path, lamp: &str) {
    use base64::Engine;
    let corners: [[f32; 3]; 4] = [[-3.0, 0.0, 3.0], [3.0, 0.0, 3.0], [3.0, 0.0, -3.0], [-3.0, 0.0, -3.0]];
    let mut bytes: Vec<u8> = corners.iter().flatten().flat_map(|v| v.to_le_bytes()).collect();
    bytes.extend([0u16, 1, 2, 0, 2, 3].iter().flat_map(|i| i.to_le_bytes()));
    let data = base64::engine::general_purpose::STANDARD.encode(&bytes);
    // A quarter turn about x takes the lamp's -Z to -Y.
    let text = format!(
        r#"{{"asset":{{"version":"2.0"}},"extensionsUsed":["KHR_lights_punctual"],
        "extensions":{{"KHR_lights_punctual":{{"lights":[{lamp}]}}}},
        "scene":0,"scenes":[{{"nodes":[0,1]}}],
        "nodes":[{{"mesh":0}},{{"translation":[0.5,2,0],"rotation":[-0.70710678,0,0,0.70710678],
            "extensions":{{"KHR_lights_punctual":{{"light":0}}}}}}],
        "meshes":[{{"primitives":[{{"attributes":{{"POSITION":0}},"indices":1}}]}}],
        "accessors":[{{"bufferView":0,"componentType":5126,"count":4,"type":"VEC3","min":[-3,0,-3],"max":[3,0,3]}},
            {{"bufferView":1,"componentType":5123,"count":6,"type":"SCALAR"}}],
        "bufferViews":[{{"buffer":0,"byteLength":48}},{{"buffer":0,"byteOffset":48,"byteLength":12}}],
        "buffers":[{{"byteLength":60,"uri":"data:application/octet-stream;base64,{data}"}}]}}"#
    );
    std::fs::write(path, text).expect("written");
}

fn load_y_up(path: &Path) -> Scene {
    let config = SceneConfig {
        up: Up::Y,
        ..SceneConfig::default()
    };
    load(path, &config).expect("the file loads")
}

#[test]
fn lamps_of_a_file_stand_where_their_nodes_do_and_light_the_floor() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("lamp.gltf");
    write_lamp(
        &path,
        r#"{"type":"spot","color":[1,0.5,0.25],"intensity":40,"spot":{"innerConeAngle":0.2,"outerConeAngle":0.6}}"#,
    );
    let scene = load_y_up(&path);
    let [lamp] = scene.lights[..] else {
        panic!("{:?}", scene.lights)
    };
    assert_eq!(lamp.intensity, [40.0, 20.0, 10.0]);
    let LightKind::Spot {
        position,
        direction,
        range_m,
        ..
    } = lamp.kind
    else {
        panic!("{lamp:?}")
    };
    assert!(position.abs_diff_eq(Vec3::new(0.5, 2.0, 0.0), 1e-6) && direction.abs_diff_eq(Vec3::NEG_Y, 1e-6));
    assert_eq!(range_m, f32::INFINITY);
    let lit = light_primitives(&scene).remove(0);
    let brightest = (0..lit.positions.len())
        .max_by(|&a, &b| lit.colors[a][0].total_cmp(&lit.colors[b][0]))
        .expect("a floor");
    let at = Vec3::from(lit.positions[brightest]);
    assert!(at.distance(Vec3::new(0.5, 0.0, 0.0)) < 0.6, "brightest at {at}");
    let [red, green, blue, _] = lit.colors[brightest];
    assert!(red > green && green > blue, "the lamp is orange");
    let dark = lit
        .positions
        .iter()
        .position(|p| Vec3::from(*p).distance(Vec3::new(-3.0, 0.0, 3.0)) < 0.1);
    assert!(lit.colors[dark.expect("a corner")][0] < 0.6 * red);
}

#[test]
fn lamps_that_cannot_shine_are_left_out_with_a_warning() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, lamp) in [
        ("odd", r#"{"type":"torch"}"#),
        ("dark", r#"{"type":"point","intensity":0}"#),
        ("negative", r#"{"type":"point","intensity":-3}"#),
    ] {
        let path = folder.path().join(format!("{name}.gltf"));
        write_lamp(&path, lamp);
        let scene = load_y_up(&path);
        assert!(scene.lights.is_empty(), "{name}");
        assert!(
            scene.warnings.iter().any(|w| w.starts_with("lamp 0")),
            "{:?}",
            scene.warnings
        );
    }
}
