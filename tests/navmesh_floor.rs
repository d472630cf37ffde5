//! The true floor under a navmesh that floats, and sweeps that stand on it.

#[path = "common/rooms.rs"]
mod rooms;

use covista::camera::Intrinsics;
use covista::navmesh::{NavMesh, NavMeshConfig, TrueFloor};
use covista::scene::{Material, Primitive, Scene};
use covista::sweep::{EyeAbove, SweepConfig, sample_sweep};
use glam::Vec3;
use rooms::Soup;

fn scene(soup: &Soup) -> Scene {
    Scene {
        name: "made here".into(),
        primitives: vec![Primitive {
            positions: soup.vertices.clone(),
            indices: soup.triangles.iter().flatten().copied().collect(),
            ..Default::default()
        }],
        materials: vec![Material::default()],
        ..Default::default()
    }
}

/// A room whose floor lies 0.05 m above the mesh's lowest point, so that Recast's cells miss it, with a
/// table top 0.75 m above it.
fn room() -> Scene {
    let mut soup = Soup::default();
    soup.floor([0.0, 6.0], 0.05, [0.0, 6.0])
        .solid([2.0, 3.0], [0.78, 0.8], [2.0, 3.0])
        .solid([6.0, 6.1], [0.0, 2.5], [0.0, 6.0]);
    scene(&soup)
}

#[test]
fn the_floor_under_the_navmesh_is_the_scene_s() {
    let scene = room();
    let navmesh = NavMesh::build(&scene, &NavMeshConfig::default()).expect("builds");
    let floor = TrueFloor::new(&scene);
    let standing = navmesh.snap_point(Vec3::new(1.0, 0.0, 1.0)).expect("floor");
    assert!(standing.y - 0.05 > 0.05, "the navmesh floats: {standing}");
    let under = floor.under(standing, 0.3).expect("floor below");
    assert!((under.y - 0.05).abs() < 1e-6 && (under.x, under.z) == (standing.x, standing.z));
    // Below the table the floor counts, on it the top, and beyond reach nothing.
    let at = |y: f32| floor.under(Vec3::new(2.5, y, 2.5), 0.3).map(|p| p.y);
    assert_eq!((at(0.1), at(0.9), at(2.0)), (Some(0.05), Some(0.8), None));
    assert_eq!(floor.under(Vec3::new(9.0, 0.0, 9.0), 0.3), None);
}

#[test]
fn a_sweep_measures_its_sensor_from_the_floor_when_asked() {
    let scene = room();
    let navmesh = NavMesh::build(&scene, &NavMeshConfig::default()).expect("builds");
    let intrinsics = Intrinsics::from_hfov(64, 64, 1.5);
    let config = SweepConfig {
        eye_above: EyeAbove::Floor,
        ..Default::default()
    };
    let refused = sample_sweep(&navmesh, &config, intrinsics, 1, 1, 0).expect_err("the floor is unknown");
    assert_eq!(refused.reason(), "no_floor");
    let floating = sample_sweep(&navmesh, &SweepConfig::default(), intrinsics, 1, 1, 0).expect("a sweep");
    let navmesh = navmesh.with_true_floor(TrueFloor::new(&scene));
    let sweep = sample_sweep(&navmesh, &config, intrinsics, 1, 1, 0).expect("a sweep");
    assert_eq!(sweep.stops, floating.stops);
    for (camera, above) in sweep.cameras.iter().zip(&floating.cameras) {
        assert!((camera.eye().y - 0.05 - sweep.sensor_height_m).abs() < 1e-6);
        assert!(above.eye().y > camera.eye().y + 0.05);
    }
}
