//! Colour against a sampler written on the CPU from the recipe of Habitat's pictures.

mod common;

use common::made::{cameras, room};
use common::raycast::{Hit, RayCaster};
use common::sampler::CpuTexture;
use covista::camera::{Camera, Intrinsics};
use covista::render::{Filter, Gpu, GpuScene, RenderConfig, Renderer};
use covista::scene::{MipMode, Primitive, Sampler, Scene, SceneConfig, SceneSource};
use covista::view::View;
use glam::{DVec2, DVec3, DVec4};

/// What a triangle looks like, in the order of `Scene::triangle_soup`.
struct Surface {
    material: usize,
    corners: [DVec3; 3],
    uvs: [DVec2; 3],
    colors: [DVec4; 3],
}

fn surfaces(scene: &Scene) -> Vec<Surface> {
    let uv = |uvs: &[[f32; 2]], i: u32| {
        let uv = uvs.get(i as usize).copied().unwrap_or_default();
        DVec2::new(uv[0].into(), uv[1].into())
    };
    let color = |colors: &[[f32; 4]], i: u32| {
        let color = colors.get(i as usize).copied().unwrap_or([1.0; 4]);
        DVec4::from(color.map(f64::from))
    };
    let of_primitive = |p: &Primitive| {
        let of_triangle = |t: &[u32]| Surface {
            material: p.material,
            corners: [0, 1, 2].map(|k| DVec3::from(p.positions[t[k] as usize].map(f64::from))),
            uvs: [0, 1, 2].map(|k| uv(&p.uvs, t[k])),
            colors: [0, 1, 2].map(|k| color(&p.colors, t[k])),
        };
        p.indices.chunks_exact(3).map(of_triangle).collect::<Vec<_>>()
    };
    scene.primitives.iter().flat_map(of_primitive).collect()
}

/// Texture coordinates where the ray of `pixel` meets the triangle's plane, inside or not.
fn uv_at(camera: &Camera, Surface { corners, uvs, .. }: &Surface, pixel: DVec2) -> DVec2 {
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

/// The sampler that a filter makes of a material's.
fn filtered(sampler: Sampler, filter: Filter) -> Sampler {
    let with = |linear, mip| Sampler {
        mag_linear: linear,
        min_linear: linear,
        mip,
        ..sampler
    };
    match filter {
        Filter::Mip => sampler,
        Filter::MipNearest => with(true, MipMode::Nearest),
        Filter::Bilinear => with(true, MipMode::None),
        Filter::Nearest => with(false, MipMode::None),
    }
}

struct Twin<'a> {
    scene: &'a Scene,
    caster: RayCaster,
    surfaces: Vec<Surface>,
    textures: Vec<CpuTexture>,
}

impl Twin<'_> {
    /// The colour in levels at a pixel that a ray meets, and whether a texture has a part in it.
    fn color(&self, camera: &Camera, x: u32, y: u32, hit: &Hit, filter: Filter) -> (DVec3, bool) {
        let surface = &self.surfaces[hit.triangle];
        let material = &self.scene.materials[surface.material];
        let [u, v] = hit.barycentric;
        let [a, b, c] = surface.colors;
        let tint = a * (1.0 - u - v) + b * u + c * v;
        let factor = tint * DVec4::from(material.base_color.map(f64::from));
        let Some(reference) = material.texture else {
            return ((255.0 * factor).truncate(), false);
        };
        let at = |x: u32, y: u32| uv_at(camera, surface, centre(x, y));
        // Adapters take the steps of a 2x2 block.
        let (left, top) = (x & !1, y & !1);
        let base = at(left, top);
        let texel = self.textures[reference.texture].sample(
            at(x, y),
            at(left + 1, top) - base,
            at(left, top + 1) - base,
            &filtered(reference.sampler, filter),
        );
        ((texel * factor).truncate(), true)
    }
}

fn centre(x: u32, y: u32) -> DVec2 {
    DVec2::new(f64::from(x) + 0.5, f64::from(y) + 0.5)
}

fn draw(gpu: &Gpu, scene: &Scene, cameras: &[Camera], filter: Filter) -> Vec<View> {
    let config = RenderConfig {
        filter,
        ..RenderConfig::default()
    };
    let uploaded = GpuScene::upload(gpu, scene).expect("uploaded");
    let views = Renderer::new(gpu, &config).and_then(|r| r.render(&uploaded, cameras));
    views.expect("rendered")
}

/// Holds the colours of a scene from 50 cameras against the twin, for each filter of a list.
fn compare(scene: &Scene, filters: &[Filter]) {
    let Some(gpu) = common::gpu() else { return };
    let near = RenderConfig::default().near_m;
    let twin = Twin {
        scene,
        caster: RayCaster::new(scene),
        surfaces: surfaces(scene),
        textures: scene.textures.iter().map(CpuTexture::new).collect(),
    };
    let (width, height) = (80, 64);
    let intrinsics = Intrinsics::from_hfov(width, height, std::f64::consts::FRAC_PI_2);
    let cameras = cameras(scene, intrinsics, 50);
    let pixels: Vec<(u32, u32)> = (0..width * height).map(|i| (i % width, i / width)).collect();
    let hits: Vec<Vec<Option<Hit>>> = cameras
        .iter()
        .map(|camera| {
            let cast = |&(x, y): &(u32, u32)| twin.caster.cast(camera, centre(x, y), near);
            pixels.iter().map(cast).collect()
        })
        .collect();
    for &filter in filters {
        let (mut seen, mut textured, mut close, mut total) = (0u32, 0u32, 0u32, 0.0);
        for (view, hits) in draw(&gpu, scene, &cameras, filter).iter().zip(&hits) {
            for (&(x, y), hit) in pixels.iter().zip(hits) {
                // Where another surface is drawn there is an edge.
                let drawn_depth = f64::from(view.depth.at(x, y));
                let Some(hit) = hit.filter(|hit| (hit.depth - drawn_depth).abs() <= 1e-3) else {
                    continue;
                };
                let (expected, by_texture) = twin.color(&view.camera, x, y, &hit, filter);
                let drawn = DVec3::from(view.color.get_pixel(x, y).0.map(f64::from));
                let difference = (drawn - expected).abs().max_element();
                textured += u32::from(by_texture);
                seen += 1;
                total += difference;
                close += u32::from(difference <= 2.5);
            }
        }
        let share = f64::from(close) / f64::from(seen);
        println!(
            "{} {filter:?}: {:.3} % of {seen} pixels ({textured} textured) within 2 levels, off by {:.3} on average",
            scene.name,
            100.0 * share,
            total / f64::from(seen)
        );
        assert!(textured > 10_000, "only {textured} textured pixels");
        assert!(share >= 0.99, "{filter:?}: colour agrees on {share}");
    }
}

#[test]
fn the_white_room_has_the_colours_of_the_cpu_sampler_under_every_filter() {
    if let Some(scene) = room("white-room") {
        compare(&scene, &Filter::ALL);
    }
}

#[test]
fn the_wooden_staircase_has_the_colours_of_the_cpu_sampler() {
    if let Some(scene) = room("wooden-staircase") {
        compare(&scene, &[Filter::Mip]);
    }
}

#[test]
fn the_contemporary_bathroom_has_the_colours_of_the_cpu_sampler() {
    if let Some(scene) = room("contemporary-bathroom") {
        compare(&scene, &[Filter::Mip]);
    }
}

#[test]
fn an_invented_flat_has_the_colours_of_the_cpu_sampler_under_every_filter() {
    let scene = SceneSource::Procedural(3)
        .load(&SceneConfig::default())
        .expect("a flat");
    compare(&scene, &Filter::ALL);
}
