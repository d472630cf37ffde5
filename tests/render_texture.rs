//! Colour against a sampler written on the CPU from the recipe of Habitat's pictures.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod common;

use common::raycast::RayCaster;
use common::sampler::CpuTexture;
use covista::camera::Camera;
use covista::render::{GpuScene, RenderConfig, Renderer};
use covista::scene::{Scene, SceneConfig, Up, load};
use glam::{DVec2, DVec3, DVec4};

/// Material and texture coordinates of each triangle, in the order of `Scene::triangle_soup`.
fn triangles(scene: &Scene) -> Vec<(usize, [DVec2; 3])> {
    let corner = |uvs: &[[f32; 2]], i: u32| {
        let uv = uvs.get(i as usize).copied().unwrap_or_default();
        DVec2::new(uv[0].into(), uv[1].into())
    };
    (scene.primitives.iter())
        .flat_map(|p| (p.indices.chunks_exact(3)).map(|t| (p.material, [0, 1, 2].map(|k| corner(&p.uvs, t[k])))))
        .collect()
}

/// Texture coordinates where the ray of `pixel` meets the triangle's plane, inside or not.
fn uv_at(camera: &Camera, corners: &[DVec3; 3], uvs: &[DVec2; 3], pixel: DVec2) -> DVec2 {
    let direction = camera
        .world_from_camera
        .transform_vector3(camera.intrinsics.unproject(pixel, 1.0));
    let (ab, ac) = (corners[1] - corners[0], corners[2] - corners[0]);
    let from_a = camera.eye() - corners[0];
    let p = direction.cross(ac);
    let q = from_a.cross(ab);
    let (u, v) = (from_a.dot(p) / ab.dot(p), direction.dot(q) / ab.dot(p));
    uvs[0] + u * (uvs[1] - uvs[0]) + v * (uvs[2] - uvs[0])
}

fn compare(name: &str, eye: DVec3) {
    let Some(gpu) = common::gpu() else { return };
    let Some(file) = common::shared(&format!("scenes/{name}/{name}.glb")) else {
        return;
    };
    let config = SceneConfig {
        up: Up::Y,
        ..SceneConfig::default()
    };
    let scene = load(file, &config).expect("the scene loads");
    let (positions, indices) = scene.triangle_soup();
    let attributes = triangles(&scene);
    let textures: Vec<CpuTexture> = scene.textures.iter().map(CpuTexture::new).collect();
    let caster = RayCaster::new(&scene);
    let config = RenderConfig::default();
    let cameras: Vec<Camera> = (0..4)
        .map(|i| {
            Camera::level(
                config.intrinsics(),
                eye,
                0.3 + f64::from(i) * std::f64::consts::FRAC_PI_2,
            )
        })
        .collect();
    let uploaded = GpuScene::upload(&gpu, &scene).expect("uploaded");
    let views = Renderer::new(&gpu, &config).and_then(|r| r.render(&uploaded, &cameras));
    let (mut seen, mut textured, mut close, mut total) = (0, 0, 0, 0.0);
    for view in views.expect("rendered") {
        for y in 0..256u32 {
            for x in 0..256u32 {
                let pixel = DVec2::new(f64::from(x) + 0.5, f64::from(y) + 0.5);
                let Some(hit) = caster.cast(&view.camera, pixel, config.near_m) else {
                    continue;
                };
                if (hit.depth - f64::from(view.depth.at(x, y))).abs() > 1e-3 {
                    continue;
                }
                let (material, uvs) = &attributes[hit.triangle];
                let material = &scene.materials[*material];
                let factor = DVec4::from(material.base_color.map(f64::from));
                let texel = match material.texture {
                    None => DVec4::splat(255.0),
                    Some(reference) => {
                        let corners = indices[hit.triangle].map(|i| DVec3::from(positions[i as usize].map(f64::from)));
                        let at = |x: u32, y: u32| {
                            let pixel = DVec2::new(f64::from(x) + 0.5, f64::from(y) + 0.5);
                            uv_at(&view.camera, &corners, uvs, pixel)
                        };
                        // Adapters take the steps of a 2x2 block.
                        let (left, top) = (x & !1, y & !1);
                        let base = at(left, top);
                        textured += 1;
                        textures[reference.texture].sample(
                            at(x, y),
                            at(left + 1, top) - base,
                            at(left, top + 1) - base,
                            &reference.sampler,
                        )
                    }
                };
                let expected = (texel * factor).truncate();
                let drawn = DVec3::from(view.color.get_pixel(x, y).0.map(f64::from));
                let difference = (drawn - expected).abs().max_element();
                seen += 1;
                total += difference;
                close += usize::from(difference <= 2.5);
            }
        }
    }
    let share = close as f64 / f64::from(seen);
    println!(
        "{name}: {:.3} % of {seen} pixels ({textured} textured) within 2 levels, off by {:.3} on average",
        100.0 * share,
        total / f64::from(seen)
    );
    assert!(textured > 20_000, "only {textured} textured pixels");
    assert!(share >= 0.99, "colour agrees on {share}");
}

#[test]
fn the_white_room_has_the_colours_of_the_cpu_sampler() {
    compare("white-room", DVec3::new(2.7, 1.5, -1.0));
}

#[test]
fn the_wooden_staircase_has_the_colours_of_the_cpu_sampler() {
    compare("wooden-staircase", DVec3::new(0.0, 1.6, 0.0));
}
