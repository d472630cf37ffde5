//! Scenes made by hand, with known answers.

use covista::camera::{Camera, Intrinsics};
use covista::scene::{Material, Primitive, Scene, SceneConfig, Up, load};
use glam::DVec3;

/// A level camera.
pub fn look(intrinsics: Intrinsics, eye: DVec3, heading_rad: f64) -> Camera {
    Camera::level(intrinsics, eye, heading_rad)
}

/// A square in the plane `z`, `half` metres to each side of the z axis, facing +Z, in one colour.
pub fn one_quad(z: f32, half: f32, base_color: [f32; 4]) -> (Primitive, Material) {
    let primitive = Primitive {
        positions: vec![[-half, -half, z], [half, -half, z], [half, half, z], [-half, half, z]],
        uvs: vec![[0.0, 1.0], [1.0, 1.0], [1.0, 0.0], [0.0, 0.0]],
        indices: vec![0, 1, 2, 0, 2, 3],
        ..Primitive::default()
    };
    let material = Material {
        base_color,
        ..Material::default()
    };
    (primitive, material)
}

/// A scene of the given parts, each with its own material.
pub fn scene_of(parts: Vec<(Primitive, Material)>) -> Scene {
    let mut scene = Scene::default();
    for (mut primitive, material) in parts {
        primitive.material = scene.materials.len();
        scene.materials.push(material);
        scene.primitives.push(primitive);
    }
    scene
}

/// A room of the shared scenes by name, if they are here.
pub fn room(name: &str) -> Option<Scene> {
    let path = super::shared(&format!("scenes/{name}/{name}.glb"))?;
    let config = SceneConfig {
        up: Up::Y,
        ..SceneConfig::default()
    };
    Some(load(path, &config).expect("the scene loads"))
}

/// Cameras here and there in the room, some of them tilted.
pub fn cameras(scene: &Scene, intrinsics: Intrinsics, count: usize) -> Vec<Camera> {
    let bounds = scene.bounds().expect("a room has walls");
    let (min, max) = (bounds.min.as_dvec3(), bounds.max.as_dvec3());
    let mut rng = covista::rng::Rng::stream(7, "render-test", &[]);
    (0..count)
        .map(|_| {
            let share = DVec3::new(rng.range(0.3, 0.7), rng.range(0.2, 0.6), rng.range(0.3, 0.7));
            let mut camera = Camera::level(
                intrinsics,
                min + share * (max - min),
                rng.range(0.0, std::f64::consts::TAU),
            );
            camera.world_from_camera.matrix3 *= glam::DMat3::from_rotation_x(rng.range(-0.4, 0.4));
            camera
        })
        .collect()
}
