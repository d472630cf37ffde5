//! Basis textures drawn from blocks against the same ones drawn from pixels, and scenes of many textures.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod common;
mod scene_support;

use common::made::{cameras, one_quad, scene_of};
use covista::camera::{Camera, Intrinsics};
use covista::render::{CompressedTextures, Gpu, GpuScene, RenderConfig, Renderer, Sensors};
use covista::scene::{
    Material, Primitive, Sampler, Scene, SceneConfig, Texels, Texture, TextureRef, Up, Wrap, load, to_glb,
};
use covista::view::View;
use glam::DVec3;
use scene_support::{Glb, load_files};
use serde_json::json;

fn draw(gpu: &Gpu, scene: &Scene, cameras: &[Camera], compressed_textures: CompressedTextures) -> (Vec<View>, u64) {
    let config = RenderConfig {
        compressed_textures,
        ..RenderConfig::default()
    };
    let uploaded = GpuScene::upload_for(gpu, scene, &config, Sensors::default()).unwrap();
    let views = Renderer::new(gpu, &config).unwrap().render(&uploaded, cameras).unwrap();
    (views, uploaded.device_bytes())
}

/// Mean difference of two sets of pictures, levels.
fn difference(a: &[View], b: &[View]) -> f64 {
    let (mut sum, mut count) = (0u64, 0u64);
    for (a, b) in a.iter().zip(b) {
        for (p, q) in a.color.as_raw().iter().zip(b.color.as_raw()) {
            sum += u64::from(p.abs_diff(*q));
            count += 1;
        }
    }
    sum as f64 / count as f64
}

/// True where the adapter samples BC7; a printed "skipped" else.
fn samples_blocks(gpu: &Gpu) -> bool {
    let yes = gpu.device().features().contains(wgpu::Features::TEXTURE_COMPRESSION_BC);
    if !yes {
        println!("skipped: {} has no BC textures", gpu.adapter());
    }
    yes
}

#[test]
fn the_basis_copy_of_the_white_room_looks_like_the_jpeg_one_from_blocks_and_from_pixels() {
    let Some(gpu) = common::gpu() else { return };
    let (Some(plain), Some(basis)) = (
        common::shared("scenes/white-room/white-room.glb"),
        common::shared("scenes/white-room-hm3d/white-room.basis.glb"),
    ) else {
        return;
    };
    let config = SceneConfig {
        up: Up::Y,
        ..SceneConfig::default()
    };
    let (plain, basis) = (load(plain, &config).unwrap(), load(basis, &config).unwrap());
    let sizes: Vec<_> = basis.textures.iter().map(|t| (t.width % 4, t.height % 4)).collect();
    for (texture, rest) in basis.textures.iter().zip(&sizes) {
        let in_blocks = matches!(texture.texels, Texels::Basis(_));
        assert_eq!(in_blocks, *rest == (0, 0), "{}", texture.name);
    }
    assert!(sizes.contains(&(0, 0)), "no texture may be compressed: {sizes:?}");
    let held: u64 = basis.textures.iter().map(Texture::bytes).sum();
    let pixels: u64 = plain.textures.iter().map(Texture::bytes).sum();
    println!("{held} bytes of textures, {pixels} as pixels");
    assert!(held < pixels);

    let intrinsics = Intrinsics::from_hfov(128, 128, std::f64::consts::FRAC_PI_2);
    let cameras = cameras(&plain, intrinsics, 20);
    let (jpeg, jpeg_bytes) = draw(&gpu, &plain, &cameras, CompressedTextures::Always);
    let (pixels, pixel_bytes) = draw(&gpu, &basis, &cameras, CompressedTextures::Never);
    let from_pixels = difference(&jpeg, &pixels);
    println!("from pixels {from_pixels:.3} levels from the JPEG one");
    assert!(from_pixels < 0.3, "{from_pixels}");
    assert_eq!(jpeg_bytes, pixel_bytes);
    if !samples_blocks(&gpu) {
        return;
    }
    let (blocks, block_bytes) = draw(&gpu, &basis, &cameras, CompressedTextures::Always);
    let (from_blocks, apart) = (difference(&jpeg, &blocks), difference(&pixels, &blocks));
    println!("from blocks {from_blocks:.3}, {apart:.3} from that of pixels");
    println!("{pixel_bytes} bytes on the device as pixels, {block_bytes} as blocks");
    assert!(from_blocks < 0.3, "{from_blocks}");
    assert!(apart < 0.3 && apart > 0.0, "{apart}");
    assert!(block_bytes < pixel_bytes);
}

/// Textures of both codecs and both containers that may be drawn from blocks.
fn block_textures() -> Vec<Texture> {
    let mut textures = Vec::new();
    if let Some(folder) = common::shared("assets/conformance") {
        for name in [
            "gltf-transform/2d_etc1s.ktx2",
            "gltf-transform/2d_uastc.ktx2",
            "ktx2-misc/kodim23.ktx2",
        ] {
            let mut glb = Glb::triangle();
            glb.picture(json!({"index": 0}));
            let view = glb.view(&std::fs::read(folder.join(name)).unwrap());
            glb.json["images"][0] = json!({"bufferView": view, "name": name});
            glb.json["textures"][0] = json!({"extensions": {"KHR_texture_basisu": {"source": 0}}});
            textures.extend(glb.load().unwrap().textures);
        }
    }
    if let Some(path) = common::shared("scenes/white-room-hm3d/white-room.basis.glb") {
        textures.extend(load(path, &SceneConfig::default()).unwrap().textures);
    }
    textures.retain(|t| matches!(t.texels, Texels::Basis(_)));
    textures
}

/// A square before the camera that shows `from..to` of a texture in both directions.
fn poster(texture: &Texture, wrap: Wrap, from: f32, to: f32) -> Scene {
    let (mut quad, mut material) = one_quad(-1.0, 1.0, [1.0; 4]);
    quad.uvs = vec![[from, to], [to, to], [to, from], [from, from]];
    material.texture = Some(TextureRef {
        texture: 0,
        sampler: Sampler {
            wrap: [wrap; 2],
            ..Sampler::default()
        },
    });
    let mut scene = scene_of(vec![(quad, material)]);
    scene.textures.push(texture.clone());
    scene
}

#[test]
fn blocks_show_what_pixels_show_in_every_codec_at_every_size_and_wrap() {
    let Some(gpu) = common::gpu() else { return };
    if !samples_blocks(&gpu) {
        return;
    }
    for texture in block_textures() {
        // From several texels a pixel to the smallest levels, and over the edges of the image.
        for (size, wrap, from, to) in [
            (128, Wrap::Clamp, 0.0, 1.0),
            (32, Wrap::Clamp, 0.0, 1.0),
            (16, Wrap::Repeat, 0.0, 1.0),
            (128, Wrap::Repeat, -0.4, 1.3),
            (128, Wrap::Mirror, -0.4, 1.3),
            (128, Wrap::Clamp, -0.4, 1.3),
        ] {
            let scene = poster(&texture, wrap, from, to);
            let intrinsics = Intrinsics::from_hfov(size, size, std::f64::consts::FRAC_PI_2);
            let camera = [Camera::level(intrinsics, DVec3::ZERO, 0.0)];
            let (pixels, _) = draw(&gpu, &scene, &camera, CompressedTextures::Never);
            let (blocks, _) = draw(&gpu, &scene, &camera, CompressedTextures::Always);
            let apart = difference(&pixels, &blocks);
            let mut turned = pixels.clone();
            image::imageops::flip_vertical_in_place(&mut turned[0].color);
            let turned = difference(&turned, &blocks);
            println!(
                "{} at {size}, {wrap:?} {from}..{to}: {apart:.2} levels apart, upside down {turned:.2}",
                texture.name
            );
            // Lower levels are the file's own, compressed each by itself, and ours the box of the largest.
            let largest_only = texture.width <= size;
            let bound = if largest_only { 1.0 } else { 8.0 };
            assert!(apart < bound, "{}: {apart} levels apart", texture.name);
            assert!(turned > 2.0 * apart, "{}: {turned} upside down", texture.name);
        }
    }
}

#[test]
fn six_hundred_materials_each_with_a_texture_of_its_own() {
    let Some(gpu) = common::gpu() else { return };
    let (columns, rows) = (30u32, 20u32);
    let color = |i: u32| [(i * 7 % 256) as u8, (i / 3) as u8, (i * 91 % 256) as u8, 255];
    let mut scene = Scene::default();
    for i in 0..columns * rows {
        let (x, y) = ((i % columns) as f32, (i / columns) as f32);
        scene.primitives.push(Primitive {
            positions: vec![
                [x, y, -10.0],
                [x + 1.0, y, -10.0],
                [x + 1.0, y + 1.0, -10.0],
                [x, y + 1.0, -10.0],
            ],
            uvs: vec![[0.0, 1.0], [1.0, 1.0], [1.0, 0.0], [0.0, 0.0]],
            indices: vec![0, 1, 2, 0, 2, 3],
            material: i as usize,
            instance: i + 1,
            ..Primitive::default()
        });
        // Neighbours differ in their samplers too.
        let wrap = [Wrap::Repeat, Wrap::Clamp, Wrap::Mirror][i as usize % 3];
        scene.materials.push(Material {
            name: format!("material {i}"),
            texture: Some(TextureRef {
                texture: i as usize,
                sampler: Sampler {
                    wrap: [wrap; 2],
                    ..Sampler::default()
                },
            }),
            ..Material::default()
        });
        let side = 1 + i % 9;
        let pixels = color(i).repeat((side * side) as usize);
        scene
            .textures
            .push(Texture::from_rgba(format!("texture {i}"), side, side, pixels));
    }
    // Through a file, so that the reader decodes all of them too.
    let file = to_glb(&scene).unwrap();
    let scene = load_files(&[("many.glb", &file)], &SceneConfig::default()).unwrap();
    assert_eq!((scene.materials.len(), scene.textures.len()), (600, 600));
    assert_eq!(scene.warnings, Vec::<String>::new());

    let intrinsics = Intrinsics::from_hfov(600, 600, std::f64::consts::FRAC_PI_2);
    // Straight before the middle: 30 units over 600 pixels where the depth is 15.
    let eye = DVec3::new(15.0, 10.0, 5.0);
    let (views, _) = draw(
        &gpu,
        &scene,
        &[Camera::level(intrinsics, eye, 0.0)],
        CompressedTextures::Auto,
    );
    for i in 0..columns * rows {
        let (x, y) = (f64::from(i % columns) + 0.5, f64::from(i / columns) + 0.5);
        let pixel = ((300.0 + (x - 15.0) * 20.0) as u32, (300.0 - (y - 10.0) * 20.0) as u32);
        let drawn = views[0].color.get_pixel(pixel.0, pixel.1).0;
        assert_eq!(drawn[..], color(i)[..3], "square {i} at {pixel:?}");
    }
}
