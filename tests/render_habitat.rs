//! Pictures and depth of habitat-sim v0.3.4 (llvmpipe, exact level of detail) from the same cameras.

mod common;

use covista::camera::{Camera, Intrinsics};
use covista::export::npy;
use covista::render::{GpuScene, RenderConfig, Renderer};
use covista::scene::{SceneConfig, Up, load};
use covista::view::DepthMap;

/// Cameras of a fixture's `cams.json`.
fn cameras(folder: &std::path::Path) -> Vec<Camera> {
    let text = std::fs::read_to_string(folder.join("cams.json")).expect("cams.json");
    let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let number = |key: &str| json[key].as_f64().expect("a number");
    let intrinsics = Intrinsics::from_hfov(
        number("width") as u32,
        number("height") as u32,
        number("hfov_deg").to_radians(),
    );
    let frames = json["frames"].as_array().expect("frames");
    frames
        .iter()
        .map(|frame| {
            let rows: [f64; 16] = serde_json::from_value(frame["world_from_camera"].clone()).expect("16 numbers");
            Camera::from_row_major(intrinsics, &rows).expect("a rigid pose")
        })
        .collect()
}

/// Surfaces end or bend here: a neighbour's depth lies off the line through the pixel's other side.
fn is_edge(depth: &DepthMap, x: u32, y: u32) -> bool {
    if x == 0 || y == 0 || x + 1 == depth.width || y + 1 == depth.height {
        return true;
    }
    let inverse = |x, y| 1.0 / f64::from(depth.at(x, y)).max(1e-3);
    let here = inverse(x, y);
    // 1/z is linear over a plane in the image.
    let bend = |a: f64, b: f64| (a + b - 2.0 * here).abs() > 2e-3 * here;
    bend(inverse(x - 1, y), inverse(x + 1, y))
        || bend(inverse(x, y - 1), inverse(x, y + 1))
        || bend(inverse(x - 1, y - 1), inverse(x + 1, y + 1))
        || bend(inverse(x + 1, y - 1), inverse(x - 1, y + 1))
}

fn compare(name: &str) {
    let Some(gpu) = common::gpu() else { return };
    let Some(file) = common::shared(&format!("scenes/{name}/{name}.glb")) else {
        return;
    };
    let Some(folder) = common::shared(&format!("fixtures/habitat/{name}")) else {
        return;
    };
    let config = SceneConfig {
        up: Up::Y,
        ..SceneConfig::default()
    };
    let scene = load(file, &config).expect("the scene loads");
    let uploaded = GpuScene::upload(&gpu, &scene).expect("uploaded");
    let renderer = Renderer::new(&gpu, &RenderConfig::default()).expect("a renderer");
    let views = renderer.render(&uploaded, &cameras(&folder)).expect("rendered");
    let (mut pixels, mut close) = (0u64, 0u64);
    let (mut plain, mut within, mut total) = (0u64, 0u64, 0u64);
    for (index, view) in views.iter().enumerate() {
        let (shape, metres) = npy::read_f32(&folder.join(format!("{index:06}.depth.npy"))).expect("depth");
        let [height, width] = [shape[0] as u32, shape[1] as u32];
        let theirs = DepthMap { width, height, metres };
        let picture = image::open(folder.join(format!("{index:06}.color.png")))
            .expect("colour")
            .to_rgb8();
        for y in 0..height {
            for x in 0..width {
                let (a, b) = (view.depth.at(x, y), theirs.at(x, y));
                pixels += 1;
                close += u64::from((a - b).abs() <= 1e-3 + 1e-3 * b);
                if is_edge(&theirs, x, y) {
                    continue;
                }
                let (a, b) = (view.color.get_pixel(x, y).0, picture.get_pixel(x, y).0);
                let difference = [0, 1, 2].map(|c| a[c].abs_diff(b[c]));
                plain += 1;
                within += u64::from(difference.iter().all(|&d| d <= 3));
                total += difference.iter().map(|&d| u64::from(d)).sum::<u64>();
            }
        }
    }
    let depth_share = close as f64 / pixels as f64;
    let (mean, color_share) = (total as f64 / (3 * plain) as f64, within as f64 / plain as f64);
    println!(
        "{name}: depth within 1 mm + 0.1 % on {:.3} %; colour off by {mean:.3} levels, within 3 on {:.2} % of {:.0} % of the pixels",
        100.0 * depth_share,
        100.0 * color_share,
        100.0 * plain as f64 / pixels as f64
    );
    assert!(depth_share >= 0.995, "depth agrees on {depth_share}");
    assert!(mean <= 1.0, "colour differs by {mean} levels on average");
    assert!(color_share >= 0.98, "colour agrees on {color_share}");
}

#[test]
fn the_white_room_looks_as_in_habitat() {
    compare("white-room");
}

#[test]
fn the_wooden_staircase_looks_as_in_habitat() {
    compare("wooden-staircase");
}

#[test]
fn the_contemporary_bathroom_looks_as_in_habitat() {
    compare("contemporary-bathroom");
}
