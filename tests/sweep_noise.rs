//! Noise of the views' poses: off by default, its own draws, as strong as named.

use covista::camera::Intrinsics;
use covista::navmesh::{NavMesh, NavMeshConfig};
use covista::scene::{Scene, SceneConfig, SceneSource};
use covista::sweep::{Sweep, SweepConfig, sample_sweep};

fn flat() -> (Scene, NavMesh) {
    let scene = SceneSource::Procedural(3)
        .load(&SceneConfig::default())
        .expect("a flat");
    let navmesh = NavMesh::build(&scene, &NavMeshConfig::default()).expect("a floor");
    (scene, navmesh)
}

fn sweep((scene, navmesh): &(Scene, NavMesh), config: &SweepConfig, index: u64) -> Sweep {
    let intrinsics = Intrinsics::from_hfov(64, 64, 1.5);
    sample_sweep(navmesh, config, intrinsics, 5, scene.hash_word(), index).expect("a sweep")
}

/// Standard deviation of values about zero.
fn deviation(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), v| (sum + v * v, count + 1.0));
    f64::sqrt(sum / count)
}

#[test]
fn noise_moves_views_as_much_as_named_and_leaves_the_walk_alone() {
    let flat = flat();
    let plain = SweepConfig::default();
    let noisy = SweepConfig {
        position_noise_m: 0.05,
        heading_noise_deg: 4.0,
        pitch_noise_deg: 3.0,
        roll_noise_deg: 2.0,
        ..SweepConfig::default()
    };
    let (mut moves, mut headings, mut pitches, mut rolls) = (vec![], vec![], vec![], vec![]);
    for index in 0..20 {
        let (still, moved) = (sweep(&flat, &plain, index), sweep(&flat, &noisy, index));
        assert_eq!(still.stops, moved.stops);
        assert_eq!(still.sensor_height_m, moved.sensor_height_m);
        for (a, b) in still.cameras.iter().zip(&moved.cameras) {
            moves.extend((b.eye() - a.eye()).to_array());
            let (from, to) = (a.forward(), b.forward());
            let heading = libm::atan2(to.x, -to.z) - libm::atan2(from.x, -from.z);
            let turn = std::f64::consts::TAU;
            headings.push((heading + 1.5 * turn).rem_euclid(turn) - 0.5 * turn);
            pitches.push(libm::asin(to.y));
            rolls.push(libm::asin(b.world_from_camera.matrix3.x_axis.y));
        }
    }
    let near = |values: Vec<f64>, sigma: f64| {
        let found = deviation(values.into_iter());
        assert!((found / sigma - 1.0).abs() < 0.15, "{found} instead of {sigma}");
    };
    near(moves, 0.05);
    near(headings, 4f64.to_radians());
    near(pitches, 3f64.to_radians());
    near(rolls, 2f64.to_radians());
}

#[test]
fn each_deviation_changes_what_it_names_alone_and_zero_changes_nothing() {
    let flat = flat();
    let pitched = SweepConfig {
        pitch_noise_deg: 3.0,
        ..SweepConfig::default()
    };
    let both = SweepConfig {
        position_noise_m: 0.1,
        ..pitched.clone()
    };
    assert!(!SweepConfig::default().has_pose_noise() && pitched.has_pose_noise());
    let (pitched, both) = (sweep(&flat, &pitched, 1), sweep(&flat, &both, 1));
    for (a, b) in pitched.cameras.iter().zip(&both.cameras) {
        assert_eq!(a.world_from_camera.matrix3, b.world_from_camera.matrix3);
        assert_ne!(a.eye(), b.eye());
    }
    let level = sweep(&flat, &SweepConfig::default(), 1);
    assert!(level.cameras.iter().all(|camera| camera.forward().y == 0.0));
    let wrong = SweepConfig {
        roll_noise_deg: -1.0,
        ..SweepConfig::default()
    };
    let message = wrong.validate().expect_err("refused");
    assert!(message.contains("roll_noise_deg"), "{message}");
}
