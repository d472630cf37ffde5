//! CroCo's two-phase sampler.

#[path = "common/rooms.rs"]
mod rooms;

use covista::camera::Intrinsics;
use covista::navmesh::{NavMesh, NavMeshConfig};
use covista::sweep::croco::{CrocoConfig, CrocoView, first_view, second_view};
use glam::DVec3;
use rooms::two_rooms;

fn navmesh() -> NavMesh {
    let soup = two_rooms();
    NavMesh::build_from_triangles(&soup.vertices, &soup.triangles, &NavMeshConfig::default()).expect("builds")
}

fn first(navmesh: &NavMesh, config: &CrocoConfig, index: u64) -> CrocoView {
    let intrinsics = Intrinsics::from_hfov(256, 256, 60f64.to_radians());
    first_view(navmesh, config, intrinsics, 1, 2, index, 0).expect("a floor")
}

fn still() -> CrocoConfig {
    CrocoConfig {
        pan_noise_deg: 0.0,
        tilt_noise_deg: 0.0,
        roll_noise_deg: 0.0,
        ..Default::default()
    }
}

#[test]
fn the_first_view_is_level_but_for_its_noise() {
    let navmesh = navmesh();
    let config = CrocoConfig::default();
    let (mut tilted, mut rolled) = (0f64, 0f64);
    for index in 0..500 {
        let view = first(&navmesh, &config, index);
        let matrix = view.camera.world_from_camera.matrix3;
        assert!((matrix.determinant() - 1.0).abs() < 1e-12);
        let tilt = view.camera.forward().y.asin().to_degrees();
        let roll = (-matrix.x_axis.y).atan2(-matrix.y_axis.y).to_degrees();
        assert!(tilt.abs() <= 10.0 && roll.abs() <= 5.1, "tilt {tilt}, roll {roll}");
        tilted = tilted.max(tilt.abs());
        rolled = rolled.max(roll.abs());
        let height = view.camera.eye().y - f64::from(view.position.y);
        assert!((1.2..1.8).contains(&height) && navmesh.is_navigable(view.position, 0.5));
    }
    assert!(
        tilted > 9.5 && rolled > 4.7,
        "the noise fills its range: {tilted}, {rolled}"
    );
    assert_eq!(first(&navmesh, &config, 3), first(&navmesh, &config, 3));
    assert_ne!(first(&navmesh, &config, 3), first(&navmesh, &config, 4));
}

#[test]
fn the_second_view_walks_away_and_looks_at_the_given_point() {
    let navmesh = navmesh();
    let config = still();
    let mut walked = 0.0;
    for index in 0..200 {
        let a = first(&navmesh, &config, index);
        let look_at = a.camera.eye() + 2.0 * a.camera.forward() - DVec3::Y * 0.4;
        let b = second_view(&navmesh, &config, a.camera.intrinsics, &a, look_at, 1, 2, index, 0);
        let pixel = b.camera.project(look_at).expect("in front");
        assert!(
            (pixel.x - 128.0).abs() < 1e-6 && (pixel.y - 128.0).abs() < 1e-6,
            "{pixel}"
        );
        assert!(b.camera.world_from_camera.matrix3.x_axis.y.abs() < 1e-12, "no roll");
        assert!(navmesh.is_navigable(b.position, 0.5));
        walked += f64::from(a.position.distance(b.position)) / 200.0;
        let again = second_view(&navmesh, &config, a.camera.intrinsics, &a, look_at, 1, 2, index, 1);
        assert_ne!(again, b, "another attempt is another walk");
    }
    assert!(walked > 1.0, "mean distance {walked} m");
    let nowhere = CrocoConfig {
        walk_steps: 0,
        ..still()
    };
    let a = first(&navmesh, &nowhere, 0);
    let b = second_view(&navmesh, &nowhere, a.camera.intrinsics, &a, DVec3::ZERO, 1, 2, 0, 0);
    assert_eq!(a.position, b.position);
}

#[test]
fn croco_settings_are_checked() {
    assert_eq!(CrocoConfig::default().validate(), Ok(()));
    let bad = CrocoConfig {
        tilt_noise_deg: 100.0,
        ..Default::default()
    };
    assert!(bad.validate().is_err_and(|m| m.contains("tilt_noise_deg is 100")));
}
