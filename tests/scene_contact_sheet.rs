//! Every conformance model that loads, drawn on one sheet for people to look at.
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the report")]

mod common;

use std::path::{Path, PathBuf};

use covista::camera::{Camera, Intrinsics};
use covista::render::{Alpha, Culling, GpuScene, RenderConfig, Renderer};
use covista::scene::{Bounds, SceneConfig, load};
use glam::{DAffine3, DMat3, DVec3};

const TILE: u32 = 128;
const COLUMNS: u32 = 12;

fn models(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let suffix = path.extension().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if ["glb", "gltf", "obj", "ply"].contains(&suffix.as_str()) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// A camera that sees the whole box, from the front (or the back) and a little from above.
fn looking_at(bounds: Bounds, from_behind: bool) -> Camera {
    let (min, max) = (bounds.min.as_dvec3(), bounds.max.as_dvec3());
    let radius = ((max - min).length() / 2.0).max(1e-6);
    let side = DVec3::new(0.35, 0.3, if from_behind { -1.0 } else { 1.0 }).normalize();
    let forward = -side;
    let right = forward.cross(DVec3::Y).normalize();
    let rotation = DMat3::from_cols(right, forward.cross(right), forward);
    let hfov = 50f64.to_radians();
    Camera {
        intrinsics: Intrinsics::from_hfov(TILE, TILE, hfov),
        world_from_camera: DAffine3::from_mat3_translation(
            rotation,
            (min + max) / 2.0 + side * (radius / (hfov / 2.0).sin()),
        ),
    }
}

#[test]
fn a_contact_sheet_of_the_conformance_models() {
    let Some(folder) = common::shared("assets/conformance") else {
        return;
    };
    let Some(gpu) = common::gpu() else { return };
    let config = RenderConfig {
        size_px: TILE,
        crop_px: TILE,
        near_m: 1e-4,
        culling: Culling::Gltf,
        alpha: Alpha::Gltf,
        ..RenderConfig::default()
    };
    let renderer = Renderer::new(&gpu, &config).expect("a renderer");
    let (mut tiles, mut unseen) = (Vec::new(), Vec::new());
    for path in models(&folder) {
        let Ok(scene) = load(&path, &SceneConfig::default()) else {
            continue;
        };
        let bounds = scene.bounds().expect("a scene has triangles");
        let uploaded = GpuScene::upload(&gpu, &scene).expect("uploaded");
        let cameras = [looking_at(bounds, false), looking_at(bounds, true)];
        let mut views = renderer.render(&uploaded, &cameras).expect("rendered");
        let seen = views.iter().map(|v| v.depth.valid_fraction()).fold(0.0, f64::max);
        if seen < 0.005 {
            unseen.push(path.strip_prefix(&folder).unwrap_or(&path).to_owned());
        }
        // A plane that looks the other way is shown from there.
        let behind = views.pop().expect("two views");
        let front = views.pop().expect("two views");
        let shown = if front.depth.valid_fraction() > 0.005 {
            front
        } else {
            behind
        };
        println!(
            "{:3} {}",
            tiles.len(),
            path.strip_prefix(&folder).unwrap_or(&path).display()
        );
        tiles.push(shown.color);
    }
    let rows = (tiles.len() as u32).div_ceil(COLUMNS);
    let mut sheet = image::RgbImage::from_pixel(COLUMNS * TILE, rows * TILE, image::Rgb([0; 3]));
    for (at, tile) in tiles.iter().enumerate() {
        let (x, y) = (at as u32 % COLUMNS * TILE, at as u32 / COLUMNS * TILE);
        image::imageops::replace(&mut sheet, tile, x.into(), y.into());
    }
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("conformance.png");
    sheet.save(&path).expect("saved");
    println!("{}", path.display());
    assert_eq!(tiles.len(), 101);
    // Its alpha cutoff is 1.1: nothing is to be seen.
    assert_eq!(
        unseen,
        [Path::new(
            "asset-generator/Material_AlphaMask/Material_AlphaMask_03.gltf"
        )]
    );
}
