//! A scene written as GLB is read back as it was.

use covista::scene::procedural::{ProceduralConfig, build_with};
use covista::scene::{GlbError, Scene, SceneConfig, Texture, Up, load, to_glb, write_glb};

fn flat() -> Scene {
    let config = ProceduralConfig {
        texture_px: 256,
        ambient_rays: 8,
        ..ProceduralConfig::default()
    };
    build_with(&config, 4).expect("the config is valid")
}

#[test]
fn a_flat_survives_the_way_through_a_file() {
    let scene = flat();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("flat.glb");
    write_glb(&scene, &path).expect("writable");
    let config = SceneConfig {
        up: Up::Y,
        ..SceneConfig::default()
    };
    let back = load(&path, &config).expect("readable");
    assert_eq!(back.warnings, Vec::<String>::new());
    assert_eq!(back.triangle_count(), scene.triangle_count());
    assert_eq!(back.materials.len(), scene.materials.len());
    assert_eq!(back.bounds(), scene.bounds());

    // Objects become nodes and materials are numbered anew: primitives are found by their positions.
    let by_place = |s: &Scene| {
        let mut parts = s.primitives.clone();
        parts.sort_by(|a, b| bytemuck::cast_slice::<_, u8>(&a.positions).cmp(bytemuck::cast_slice(&b.positions)));
        parts
    };
    for (a, b) in by_place(&scene).iter().zip(&by_place(&back)) {
        assert_eq!((&a.positions, &a.uvs, &a.indices), (&b.positions, &b.uvs, &b.indices));
        assert!(a.colors == b.colors, "vertex colours");
        let (a, b) = (&scene.materials[a.material], &back.materials[b.material]);
        assert_eq!(
            (&a.name, a.base_color, a.double_sided, a.alpha),
            (&b.name, b.base_color, b.double_sided, b.alpha)
        );
        let (a, b) = (a.texture.expect("textured"), b.texture.expect("textured"));
        assert_eq!(a.sampler, b.sampler);
        assert!(
            scene.textures[a.texture].rgba() == back.textures[b.texture].rgba(),
            "texture bytes"
        );
    }
    assert_eq!(
        std::fs::read_dir(folder.path()).expect("a folder").count(),
        1,
        "no partial file is left"
    );
}

#[test]
fn the_container_has_the_layout_of_the_specification() {
    let bytes = to_glb(&flat()).expect("fits");
    let word = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]) as usize;
    assert_eq!((&bytes[..4], word(4), word(8)), (&b"glTF"[..], 2, bytes.len()));
    let json = word(12);
    assert_eq!((&bytes[16..20], json % 4), (&b"JSON"[..], 0));
    assert_eq!(&bytes[24 + json..28 + json], b"BIN\0");
    assert_eq!(28 + json + word(20 + json), bytes.len());
}

#[test]
fn an_empty_scene_is_a_valid_file_and_a_broken_texture_an_error() {
    assert!(to_glb(&Scene::default()).is_ok());
    let broken = Scene {
        textures: vec![Texture::from_rgba("short", 4, 4, vec![0; 4])],
        ..Scene::default()
    };
    let error = to_glb(&broken).expect_err("four bytes are no 4 x 4 picture");
    assert!(matches!(error, GlbError::TextureSize { .. }) && error.to_string().contains("short"));
}
