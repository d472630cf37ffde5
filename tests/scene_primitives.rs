//! The small scenes that tests and examples are made of, and the names that stand for scenes.
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use covista::scene::primitives::{box_room, checkerboard, plane, textured_quad};
use covista::scene::{Scene, SceneConfig, SceneError, SceneSource};
use glam::Vec3;

/// Middle and normal (twice the area long) of each triangle.
fn triangles(scene: &Scene) -> Vec<(Vec3, Vec3)> {
    let (vertices, triangles) = scene.triangle_soup();
    triangles
        .iter()
        .map(|t| {
            let [a, b, c] = t.map(|i| Vec3::from(vertices[i as usize]));
            ((a + b + c) / 3.0, (b - a).cross(c - a))
        })
        .collect()
}

#[test]
fn the_plane_faces_up() {
    let scene = plane(4.0, 0.5);
    let found = triangles(&scene);
    assert_eq!(found.len(), 2);
    assert!(
        found
            .iter()
            .all(|(middle, normal)| middle.y == 0.5 && normal.normalize() == Vec3::Y)
    );
    assert_eq!(found.iter().map(|(_, n)| n.length() / 2.0).sum::<f32>(), 16.0);
}

#[test]
fn the_quad_shows_its_picture_upright_towards_plus_z() {
    let scene = textured_quad([1.0, 2.0, -3.0], 4.0, 2.0, checkerboard(4, 2, [255, 0, 0], [0, 0, 255]));
    assert!(
        triangles(&scene)
            .iter()
            .all(|(_, normal)| normal.normalize() == Vec3::Z)
    );
    let quad = &scene.primitives[0];
    let uv_at = |corner: [f32; 3]| quad.uvs[quad.positions.iter().position(|p| *p == corner).unwrap()];
    // Seen from +Z, the left is -X: the picture's top left is uv (0, 0).
    assert_eq!(uv_at([-1.0, 3.0, -3.0]), [0.0, 0.0]);
    assert_eq!(uv_at([3.0, 1.0, -3.0]), [1.0, 1.0]);
    assert_eq!(scene.textures[0].rgba().unwrap()[..4], [255, 0, 0, 255]);
    assert_eq!(scene.textures[0].rgba().unwrap()[2 * 4..][..4], [0, 0, 255, 255]);
}

#[test]
fn the_room_faces_inwards() {
    for texture in [None, Some(checkerboard(2, 1, [0; 3], [9; 3]))] {
        let scene = box_room([4.0, 2.5, 6.0], texture);
        let bounds = scene.bounds().unwrap();
        assert_eq!(
            (bounds.min, bounds.max),
            (Vec3::new(-2.0, 0.0, -3.0), Vec3::new(2.0, 2.5, 3.0))
        );
        let found = triangles(&scene);
        assert_eq!(found.len(), 12);
        let middle = Vec3::new(0.0, 1.25, 0.0);
        assert!(found.iter().all(|(at, normal)| normal.dot(middle - *at) > 0.0));
        let area: f32 = found.iter().map(|(_, n)| n.length() / 2.0).sum();
        assert!((area - 2.0 * (4.0 * 2.5 + 4.0 * 6.0 + 2.5 * 6.0)).abs() < 1e-3);
        assert_ne!(scene.hash, [0; 32]);
    }
}

#[test]
fn names_of_scenes() {
    let parse = |text: &str| SceneSource::parse(text);
    assert_eq!(parse("procedural").unwrap(), SceneSource::Procedural(0));
    assert_eq!(parse("procedural:17").unwrap(), SceneSource::Procedural(17));
    assert_eq!(parse("rooms/a.glb").unwrap(), SceneSource::File("rooms/a.glb".into()));
    assert_eq!(parse("procedural:17").unwrap().to_string(), "procedural:17");
    for wrong in ["", "procedural:", "procedural:-1", "procedural:x"] {
        assert!(matches!(parse(wrong), Err(SceneError::BadSource { .. })), "{wrong:?}");
    }
    let flat = parse("procedural:3").unwrap().load(&SceneConfig::default()).unwrap();
    assert!(flat.triangle_count() > 1000);
}

#[test]
fn limits_are_checked() {
    let mut config = SceneConfig::default();
    assert_eq!(config.validate(), Ok(()));
    config.limits.max_texture_side = 0;
    assert_eq!(
        config.validate().unwrap_err(),
        "limits.max_texture_side = 0: must be from 1 to 65535"
    );
    config = SceneConfig::default();
    config.limits.max_vertices = 1 << 33;
    assert!(config.validate().unwrap_err().contains("max_vertices"));
}
