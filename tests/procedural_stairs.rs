//! Flats of two storeys: Habitat's agent walks up, under Habitat's own navmesh settings.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

use covista::config::Config;
use covista::navmesh::{NavMesh, NavMeshConfig};
use covista::scene::Scene;
use covista::scene::SceneSource;
use covista::scene::procedural::{ProceduralConfig, build_with};
use glam::{Vec3, vec3};

fn with_stairs() -> ProceduralConfig {
    ProceduralConfig {
        stairs: 1.0,
        texture_px: 256,
        ambient_rays: 8,
        mesh_cell_m: 0.6,
        ..ProceduralConfig::default()
    }
}

/// Height of the highest floor, metres.
fn top_floor(scene: &Scene) -> f32 {
    let floors = scene
        .primitives
        .iter()
        .filter(|p| scene.materials[p.material].name == "floor");
    floors.flat_map(|p| &p.positions).map(|p| p[1]).fold(0.0, f32::max)
}

/// Walkable area in m^2 around the height `y`, of the island that holds most of it and of all islands.
fn area_at(navmesh: &NavMesh, y: f32) -> (Option<usize>, f64, f64) {
    let mut by_island = vec![0.0; navmesh.islands().len()];
    for polygon in navmesh.polygons() {
        let middle = polygon.vertices.iter().map(|v| v.y).sum::<f32>() / polygon.vertices.len() as f32;
        if (middle - y).abs() < 0.3 {
            by_island[polygon.island] += polygon.area_m2();
        }
    }
    let most = (0..by_island.len()).max_by(|&a, &b| by_island[a].total_cmp(&by_island[b]));
    (most, most.map_or(0.0, |k| by_island[k]), by_island.iter().sum())
}

#[test]
fn the_upper_storey_is_on_the_island_of_the_lower_one() {
    let seeds = 10;
    let mut climbed = 0;
    for seed in 0..seeds {
        let scene = build_with(&with_stairs(), seed).unwrap();
        let top = top_floor(&scene);
        assert!(
            (2.7..3.2).contains(&top),
            "seed {seed}: the upper floor lies at {top} m"
        );
        let navmesh = NavMesh::build(&scene, &NavMeshConfig::default()).unwrap();
        let (low, low_m2, _) = area_at(&navmesh, 0.1);
        let (high, high_m2, high_all_m2) = area_at(&navmesh, top + 0.1);
        let joined = low == high;
        println!(
            "seed {seed}: top {top:.2} m, {low_m2:.1} m2 below, {high_m2:.1} of {high_all_m2:.1} m2 above, joined {joined}"
        );
        assert!(
            low_m2 > 25.0 && high_m2 > 25.0,
            "seed {seed}: {low_m2} and {high_m2} m2"
        );
        climbed += u32::from(joined);
    }
    assert!(
        climbed == seeds as u32,
        "{climbed} of {seeds} flats of two storeys can be climbed"
    );
}

#[test]
fn every_upper_room_can_be_walked_to_from_below() {
    for seed in 0..6 {
        let scene = build_with(&with_stairs(), seed).unwrap();
        let navmesh = NavMesh::build(&scene, &NavMeshConfig::default()).unwrap();
        let (island, ..) = area_at(&navmesh, 0.1);
        let floors = scene
            .primitives
            .iter()
            .filter(|p| scene.materials[p.material].name == "floor");
        for floor in floors {
            let (mut low, mut high) = ([f32::INFINITY; 3], [f32::NEG_INFINITY; 3]);
            for p in &floor.positions {
                for k in 0..3 {
                    (low[k], high[k]) = (low[k].min(p[k]), high[k].max(p[k]));
                }
            }
            let inside = navmesh
                .detail_triangles()
                .zip(
                    navmesh
                        .polygons()
                        .iter()
                        .flat_map(|p| p.detail.iter().map(|_| p.island)),
                )
                .filter(|(t, of)| {
                    let c = (t[0] + t[1] + t[2]) / 3.0;
                    Some(*of) == island
                        && (c.y - low[1]).abs() < 0.35
                        && (low[0]..high[0]).contains(&c.x)
                        && (low[2]..high[2]).contains(&c.z)
                })
                .map(|(t, _)| 0.5 * (t[1] - t[0]).cross(t[2] - t[0]).length())
                .sum::<f32>();
            assert!(
                inside > 1.0,
                "seed {seed}: {inside} m2 of the room from {low:?} to {high:?} are reached"
            );
        }
    }
}

/// Whether the nearest triangle along a ray shows its front; `None` where the ray meets nothing.
fn sees_a_front(scene: &Scene, origin: Vec3, direction: Vec3) -> Option<bool> {
    let mut best: Option<(f32, bool)> = None;
    for p in &scene.primitives {
        let double_sided = scene.materials[p.material].double_sided;
        for t in p.indices.chunks_exact(3) {
            let [a, b, c] = [t[0], t[1], t[2]].map(|i| Vec3::from(p.positions[i as usize]));
            let (e1, e2) = (b - a, c - a);
            let h = direction.cross(e2);
            let det = e1.dot(h);
            if det.abs() < 1e-9 {
                continue;
            }
            let s = origin - a;
            let q = s.cross(e1);
            let (u, v, t) = (s.dot(h) / det, direction.dot(q) / det, e2.dot(q) / det);
            if u >= 0.0 && v >= 0.0 && u + v <= 1.0 && t > 1e-4 && best.is_none_or(|b| t < b.0) {
                best = Some((t, det > 0.0 || double_sided));
            }
        }
    }
    best.map(|b| b.1)
}

#[test]
fn from_both_storeys_and_the_stairs_every_ray_meets_the_front_of_something() {
    for seed in [0, 1] {
        let scene = build_with(&with_stairs(), seed).unwrap();
        let navmesh = NavMesh::build(&scene, &NavMeshConfig::default()).unwrap();
        let (island, ..) = area_at(&navmesh, 0.1);
        // The hall spans the middle of both storeys; steps lie between the floors.
        let mut places: Vec<Vec3> = navmesh
            .polygons()
            .iter()
            .filter(|p| Some(p.island) == island)
            .flat_map(|p| p.detail.iter().map(|t| (t[0] + t[1] + t[2]) / 3.0))
            .collect();
        places.sort_by(|a, b| a.y.total_cmp(&b.y));
        let n = places.len();
        for k in 0..12 {
            let place = places[k * (n - 1) / 11];
            for j in 0..24 {
                let angle = 0.1 + j as f32 * 2.4 + k as f32;
                let rise = -0.9 + 1.7 * (j as f32 + 0.5) / 24.0;
                let direction = vec3(angle.cos(), rise, angle.sin()).normalize();
                let front = sees_a_front(&scene, place + Vec3::Y * 1.3, direction);
                assert_eq!(front, Some(true), "seed {seed}: towards {direction} from {place}");
            }
        }
    }
}

#[test]
fn the_configuration_decides_what_a_flat_is_like_and_its_hash_says_so() {
    let load = |items: &[&str]| {
        let items: Vec<String> = items.iter().map(|s| (*s).to_owned()).collect();
        Config::load("covista", None, &items)
    };
    let cheap = ["procedural.texture_px=256", "procedural.stairs=0.0"];
    let flat = |item: &str| {
        let config = load(&[cheap[0], cheap[1], item]).unwrap();
        let source = SceneSource::parse("procedural:2").unwrap();
        source.load_with(&config.scene, &config.procedural).unwrap()
    };
    let floors = |scene: &Scene| {
        let is_floor = |p: &&covista::scene::Primitive| scene.materials[p.material].name == "floor";
        scene.primitives.iter().filter(is_floor).count()
    };
    let (small, large) = (flat("procedural.rooms=[3, 3]"), flat("procedural.rooms=[6, 6]"));
    assert_eq!((floors(&small), floors(&large)), (3, 6));
    assert_ne!(small.hash, large.hash);
    let (full, bare) = (flat("procedural.furniture=1.0"), flat("procedural.furniture=0.0"));
    assert!(bare.triangle_count() < full.triangle_count());
    assert_ne!(bare.hash, full.hash);
    let wrong = load(&["procedural.stairs=2.0"]).unwrap_err().to_string();
    assert!(wrong.contains("stairs") && wrong.contains("0 to 1"), "{wrong}");
    let wrong = load(&["procedural.evning=0.1"]).unwrap_err().to_string();
    assert!(wrong.contains("procedural.evening"), "{wrong}");
}
