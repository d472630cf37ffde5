//! Pairs of a box room that is ray cast here, so that depth and correspondences are known exactly.
#![allow(dead_code, reason = "each test binary uses a part of this module")]

use std::collections::BTreeMap;
use std::sync::Arc;

use covista::camera::{Camera, Intrinsics};
use covista::export::native::{RunRecord, SceneRecord, Trial};
use covista::view::{Correspondence, DepthMap, Overlap, PairOrigin, PairOverlaps, View, ViewPair};
use glam::{DVec2, DVec3};
use image::{Rgb, RgbImage};

pub const SIZE: u32 = 112;
pub const SCENE: &str = "box room";
const ROOM: (DVec3, DVec3) = (DVec3::new(-2.5, 0.0, -3.0), DVec3::new(2.5, 2.6, 3.0));

pub fn run(seed: u64) -> RunRecord {
    let config = serde_json::json!({"select": {"low": 0.5, "high": 0.75}, "sweep": {"views": 8}});
    let scene = SceneRecord {
        name: SCENE.into(),
        hash: blake3::hash(b"box room").to_hex().to_string(),
    };
    RunRecord::new("covista", config, seed, vec![scene], "ray caster of the tests")
}

/// Position `index` of the room: two stops, and a few refused candidates.
pub fn trial(index: u64) -> Trial {
    let camera = camera(index, 0);
    let second = self::camera(index, 1);
    Trial {
        scene: SCENE.into(),
        index,
        stops: [camera, second].map(|c| [c.eye().x, c.eye().z]).to_vec(),
        refused: BTreeMap::from([
            ("overlap too low".to_string(), 90 + index % 7),
            ("too few matches".to_string(), 12),
            ("texture".to_string(), index % 3),
        ]),
    }
}

/// The text of a manifest as a build wrote it that did not seal them.
pub fn unsealed(manifest: &str) -> String {
    let (before, _) = manifest.rsplit_once(",\n  \"seal\": ").unwrap();
    format!("{before}\n}}\n")
}

pub fn camera(index: u64, stop: u64) -> Camera {
    let turn = index as f64 * 0.9;
    let along = DVec3::new(1.3 * turn.sin(), 1.5, 1.6 * (turn * 1.7).cos());
    let intrinsics = Intrinsics::from_hfov(SIZE, SIZE, 1.4);
    let step = DVec3::new(0.5, 0.0, 0.2) * stop as f64;
    Camera::level(intrinsics, along + step, turn + 0.35 * stop as f64)
}

pub fn pair(index: u64) -> ViewPair {
    let first = Arc::new(view(camera(index, 0)));
    let second = Arc::new(view(camera(index, 1)));
    let truth = correspond(&first, &second);
    let share = truth.patches.len() as f64 / f64::from(truth.grid * truth.grid);
    let noise = 0.07 * (index as f64 * 2.3).sin();
    // An estimate that misses some patches and shifts others.
    let estimate = Correspondence {
        grid: truth.grid,
        patches: truth.patches.iter().copied().filter(|(a, _)| a % 5 != 3).collect(),
    };
    let both = |value: f64| {
        Some(Overlap {
            first_to_second: value.clamp(0.0, 1.0),
            second_to_first: (value + 0.03).clamp(0.0, 1.0),
        })
    };
    ViewPair {
        first,
        second,
        overlaps: PairOverlaps {
            homography: both(share + noise),
            covisibility: both(share),
            patch_truth: both(share - 0.02),
            croco: None,
        },
        correspondence: estimate,
        true_correspondence: truth,
        origin: PairOrigin {
            scene: SCENE.into(),
            scene_hash: run(0).scenes[0].hash.clone(),
            seed: 5,
            index,
            views: [(index % 8) as u32, 8 + (index % 16) as u32],
        },
    }
}

/// Where a ray leaves the room, and the colour there.
fn cast(from: DVec3, ray: DVec3) -> (f64, Rgb<u8>) {
    let (low, high) = ROOM;
    let mut nearest = (f64::INFINITY, 0);
    for axis in 0..3 {
        let wall = if ray[axis] > 0.0 { high[axis] } else { low[axis] };
        let distance = (wall - from[axis]) / ray[axis];
        if distance < nearest.0 {
            nearest = (distance, 2 * axis + usize::from(ray[axis] > 0.0));
        }
    }
    let point = from + ray * nearest.0;
    let (u, v) = match nearest.1 / 2 {
        0 => (point.z, point.y),
        1 => (point.x, point.z),
        _ => (point.x, point.y),
    };
    let base = [
        [170, 120, 90],
        [110, 140, 160],
        [150, 110, 70],
        [225, 222, 214],
        [150, 160, 120],
        [190, 180, 150],
    ];
    let row = (v * 6.0).floor();
    let brick = (u * 3.0 + 0.5 * (row as i64 % 2) as f64).floor();
    let shade = 0.75 + 0.25 * ((row * 12.9898 + brick * 78.233).sin() * 43758.5453).fract().abs();
    let mortar = (v * 6.0).fract().abs() < 0.12;
    let light = shade * if mortar { 0.7 } else { 1.0 };
    (nearest.0, Rgb(base[nearest.1].map(|c| (f64::from(c) * light) as u8)))
}

pub fn view(camera: Camera) -> View {
    let mut color = RgbImage::new(SIZE, SIZE);
    let mut metres = Vec::new();
    for y in 0..SIZE {
        for x in 0..SIZE {
            let at_one_metre = camera.unproject(DVec2::new(f64::from(x) + 0.5, f64::from(y) + 0.5), 1.0);
            let (depth, pixel) = cast(camera.eye(), at_one_metre - camera.eye());
            // A window that shows nothing, so that holes are drawn too.
            let hole = pixel.0[0] > 215 && depth > 3.0;
            metres.push(if hole { 0.0 } else { depth as f32 });
            color.put_pixel(x, y, pixel);
        }
    }
    let depth = DepthMap {
        width: SIZE,
        height: SIZE,
        metres,
    };
    View { camera, color, depth }
}

/// Patches of 16 px whose centre lands in a patch of the other view that nobody took before.
fn correspond(first: &View, second: &View) -> Correspondence {
    let grid = SIZE / 16;
    let mut taken = std::collections::BTreeSet::new();
    let mut patches = Vec::new();
    for patch in 0..grid * grid {
        let (x, y) = (patch % grid * 16 + 8, patch / grid * 16 + 8);
        let point = first
            .camera
            .unproject(DVec2::new(f64::from(x), f64::from(y)), f64::from(first.depth.at(x, y)));
        let Some(pixel) = second.camera.project(point) else {
            continue;
        };
        if first.depth.at(x, y) > 0.0 && second.camera.intrinsics.contains(pixel) {
            let other = pixel.y as u32 / 16 * grid + pixel.x as u32 / 16;
            if taken.insert(other) {
                patches.push((patch as u16, other as u16));
            }
        }
    }
    Correspondence { grid, patches }
}
