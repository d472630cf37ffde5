//! Scenes made by hand, with known answers.

use covista::camera::{Camera, Intrinsics};
use covista::scene::{Material, Primitive, Scene};
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
