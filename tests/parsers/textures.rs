//! Pictures inside scenes: KTX2, `.basis`, PNG, JPEG, WebP, BMP, TGA.

use std::io::Cursor;

use covista::scene::load;
use image::{ImageFormat, RgbImage};
use serde_json::json;

use crate::common;
use crate::harness::run;
use crate::scene_support::{Glb, png};
use crate::scenes::{STATED, config, judge};

/// A triangle with this picture; `extension` names the kind of a Basis texture.
fn with_picture(bytes: &[u8], extension: Option<&str>) -> Vec<u8> {
    let mut glb = Glb::triangle();
    glb.picture(json!({"index": 0}));
    let view = glb.view(bytes);
    glb.json["images"][0] = json!({"bufferView": view, "name": "picture"});
    if let Some(extension) = extension {
        glb.json["textures"][0] = json!({"extensions": {extension: {"source": 0}}});
        glb.json["extensionsRequired"] = json!([extension]);
    }
    glb.to_bytes()
}

#[test]
fn ktx2() {
    let Some(folder) = common::shared("assets/conformance/gltf-transform") else {
        return;
    };
    let seeds = ["2d_etc1s.ktx2", "2d_uastc.ktx2", "2d_bc7.ktx2", "2d_rgba8.ktx2"];
    let seeds = seeds.map(|name| std::fs::read(folder.join(name)).unwrap());
    run("ktx2", STATED, |mutator, fold| {
        // The two that are Basis Universal are damaged more often.
        let seed = &seeds[[0, 0, 0, 1, 1, 1, 2, 3][mutator.below(8)]];
        let picture = match mutator.once_in(2) {
            true => mutator.bytes(seed),
            false => {
                let head = 160.min(seed.len());
                let mut bytes = mutator.bytes(&seed[..head]);
                bytes.extend(&seed[head..]);
                bytes
            }
        };
        let scene = load(
            fold.file("a.glb", &with_picture(&picture, Some("KHR_texture_basisu"))),
            &config(),
        );
        if let Ok(scene) = &scene {
            assert_eq!(scene.textures.len() + scene.warnings.len(), 1);
        }
        // A picture that cannot be read leaves a scene without it: that is the refusal.
        match scene.as_ref().is_ok_and(|scene| scene.textures.is_empty()) {
            true => crate::harness::Outcome::Refused,
            false => judge(scene),
        }
    });
}

#[test]
fn basis() {
    let Some(path) = common::shared("scenes/white-room-hm3d/white-room.basis.glb") else {
        return;
    };
    // The smallest picture that the file holds: `leaf`, 29 kB.
    let file = std::fs::read(path).unwrap();
    let length = u32::from_le_bytes(*file[12..].first_chunk().unwrap()) as usize;
    let json: serde_json::Value = serde_json::from_slice(&file[20..20 + length]).unwrap();
    let view = &json["bufferViews"][json["images"][0]["bufferView"].as_u64().unwrap() as usize];
    let number = |key: &str| view[key].as_u64().unwrap() as usize;
    let seed = file[28 + length + number("byteOffset")..][..number("byteLength")].to_vec();
    assert!(seed.starts_with(b"sB"));
    run("basis", STATED + 20 * seed.len(), |mutator, fold| {
        let picture = match mutator.once_in(2) {
            true => mutator.bytes(&seed),
            false => {
                let head = 256.min(seed.len());
                let mut bytes = mutator.bytes(&seed[..head]);
                bytes.extend(&seed[head..]);
                bytes
            }
        };
        let scene = load(
            fold.file("a.glb", &with_picture(&picture, Some("GOOGLE_texture_basis"))),
            &config(),
        );
        match scene.as_ref().is_ok_and(|scene| scene.textures.is_empty()) {
            true => crate::harness::Outcome::Refused,
            false => judge(scene),
        }
    });
}

#[test]
fn pictures() {
    let picture = RgbImage::from_fn(9, 7, |x, y| image::Rgb([x as u8 * 20, y as u8 * 30, (x * y) as u8]));
    let encoded = |format| {
        let mut out = Cursor::new(Vec::new());
        picture.write_to(&mut out, format).unwrap();
        out.into_inner()
    };
    let seeds = [
        png(2, 1, &[255, 0, 0, 255, 0, 0, 255, 255]),
        encoded(ImageFormat::Png),
        encoded(ImageFormat::Jpeg),
        encoded(ImageFormat::WebP),
        encoded(ImageFormat::Bmp),
        encoded(ImageFormat::Tga),
    ];
    run("pictures", STATED, |mutator, fold| {
        let seed = &seeds[mutator.below(seeds.len())];
        let bytes = with_picture(&mutator.bytes(seed), None);
        let scene = load(fold.file("a.glb", &bytes), &config());
        match scene.as_ref().is_ok_and(|scene| scene.textures.is_empty()) {
            true => crate::harness::Outcome::Refused,
            false => judge(scene),
        }
    });
}
