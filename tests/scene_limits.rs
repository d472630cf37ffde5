//! Files that want too much, lead elsewhere or are damaged: an error or a sane scene, never a panic.
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the report")]

mod scene_support;

use covista::scene::{Limits, SceneConfig, SceneError, load};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use scene_support::{Glb, load_bytes, load_files, png};
use serde_json::json;

fn limited(change: impl FnOnce(&mut Limits)) -> SceneConfig {
    let mut config = SceneConfig::default();
    change(&mut config.limits);
    config
}

#[track_caller]
fn assert_too_large(result: Result<covista::scene::Scene, SceneError>, expected: &str) {
    match result {
        Err(SceneError::TooLarge { limit, .. }) => assert_eq!(limit, expected),
        other => panic!("{expected}: {:?}", other.map(|s| s.triangle_count())),
    }
}

#[test]
fn each_limit_is_held() {
    let bytes = Glb::triangle().to_bytes();
    let under = |change: fn(&mut Limits)| load_bytes("a.glb", &bytes, &limited(change));
    assert_too_large(under(|l| l.max_file_bytes = 100), "limits.max_file_bytes");
    assert_too_large(under(|l| l.max_vertices = 2), "limits.max_vertices");
    assert!(under(|l| l.max_vertices = 3).is_ok());
    assert_too_large(under(|l| l.max_triangles = 0), "limits.max_triangles");
    assert!(under(|l| l.max_triangles = 1).is_ok());
    assert_too_large(under(|l| l.max_nodes = 0), "limits.max_nodes");

    let mut glb = Glb::triangle();
    glb.picture(json!({"index": 0}));
    let bytes = glb.to_bytes();
    let under = |change: fn(&mut Limits)| load_bytes("a.glb", &bytes, &limited(change));
    assert_too_large(under(|l| l.max_texture_side = 1), "limits.max_texture_side");
    assert_too_large(under(|l| l.max_texture_pixels = 1), "limits.max_texture_pixels");
    assert!(under(|l| l.max_texture_pixels = 2).is_ok());

    let obj = b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\nf 1 2 3\n";
    assert_too_large(
        load_bytes("a.obj", obj, &limited(|l| l.max_triangles = 1)),
        "limits.max_triangles",
    );
    assert_too_large(
        load_bytes("a.obj", obj, &limited(|l| l.max_vertices = 2)),
        "limits.max_vertices",
    );
}

#[test]
fn counts_that_overflow_take_no_memory() {
    for count in [u64::MAX, u64::MAX / 12 + 1, 1 << 40, 1 << 31] {
        // With a view that is far too short, and with none: all zeros.
        for view in [json!(0), json!(null)] {
            let mut glb = Glb::triangle();
            glb.json["accessors"][0]["count"] = json!(count);
            glb.json["accessors"][0]["bufferView"] = view;
            assert!(glb.load().is_err(), "{count}");
        }
    }
    for (key, value) in [
        ("byteOffset", u64::MAX),
        ("byteLength", u64::MAX),
        ("byteStride", u64::MAX / 2),
    ] {
        let mut glb = Glb::triangle();
        glb.json["bufferViews"][0][key] = json!(value);
        let error = glb.load().unwrap_err();
        assert!(matches!(error, SceneError::Malformed { .. }), "{key}: {error}");
    }
    let ply = "ply\nformat binary_little_endian 1.0\nelement nothing 18446744073709551615\n\
               element vertex 18446744073709551615\nproperty uchar x\nend_header\n";
    assert_too_large(
        load_bytes("a.ply", ply.as_bytes(), &limited(|_| {})),
        "limits.max_vertices",
    );
    let ply = "ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\nelement face 1\n\
               property list uint int vertex_indices\nend_header\n0\n4294967295 0 0 0\n";
    assert!(matches!(
        load_bytes("a.ply", ply.as_bytes(), &limited(|_| {})),
        Err(SceneError::Malformed { .. })
    ));
}

#[test]
fn an_image_bomb_is_refused_before_it_is_unpacked() {
    // A picture of one pixel whose header claims 60,000 x 60,000, checksum and all.
    let mut bomb = png(1, 1, &[0; 4]);
    bomb[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
    let mut crc = u32::MAX;
    for byte in &bomb[12..29] {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 * (crc & 1));
        }
    }
    bomb[29..33].copy_from_slice(&(!crc).to_be_bytes());
    let mut glb = Glb::triangle();
    glb.picture(json!({"index": 0}));
    let view = glb.view(&bomb);
    glb.json["images"][0]["bufferView"] = json!(view);
    assert_too_large(glb.load(), "limits.max_texture_side");
}

#[test]
fn nothing_outside_the_folder_is_read() {
    let outer = tempfile::tempdir().unwrap();
    let inner = outer.path().join("scene");
    std::fs::create_dir(&inner).unwrap();
    let glb = Glb::triangle();
    std::fs::write(outer.path().join("secret.bin"), &glb.bin).unwrap();
    std::fs::write(inner.join("data.bin"), &glb.bin).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("../secret.bin", inner.join("link.bin")).unwrap();
    let load_with = |uri: &str| {
        let mut json = glb.json.clone();
        json["buffers"][0] = json!({"uri": uri, "byteLength": glb.bin.len()});
        std::fs::write(inner.join("a.gltf"), json.to_string()).unwrap();
        load(inner.join("a.gltf"), &SceneConfig::default())
    };
    assert!(load_with("data.bin").is_ok());
    assert!(load_with("./x/../data.bin").is_ok());
    let absolute = outer.path().join("secret.bin");
    let mut outside = vec![
        "../secret.bin".to_owned(),
        "%2e%2e/secret.bin".to_owned(),
        "x/../../secret.bin".to_owned(),
        "..\\secret.bin".to_owned(),
        absolute.display().to_string(),
        format!("file://{}", absolute.display()),
        "https://example.com/secret.bin".to_owned(),
    ];
    if cfg!(unix) {
        outside.push("link.bin".to_owned());
    }
    for uri in outside {
        let error = load_with(&uri).unwrap_err();
        assert!(matches!(error, SceneError::OutsideFolder { .. }), "{uri}: {error}");
    }
    // The folder itself, or nothing, is no file.
    for uri in ["", ".", "x"] {
        assert!(load_with(uri).is_err(), "{uri:?}");
    }
}

#[test]
fn wrong_paths_and_kinds() {
    let config = SceneConfig::default();
    let folder = tempfile::tempdir().unwrap();
    let error = load(folder.path().join("none.glb"), &config).unwrap_err();
    assert!(matches!(error, SceneError::NotFound { .. }), "{error}");
    let error = load(folder.path(), &config).unwrap_err();
    assert!(matches!(error, SceneError::UnknownKind { .. }), "{error}");
    for name in ["a.fbx", "a"] {
        let error = load_bytes(name, b"hello", &config).unwrap_err();
        assert!(matches!(error, SceneError::UnknownKind { .. }), "{error}");
    }
    assert!(matches!(Glb::new().load(), Err(SceneError::Empty { .. })));
}

#[test]
fn positions_that_are_no_numbers_lose_their_triangles() {
    for bad in [f32::NAN, f32::INFINITY, -1e30] {
        let mut glb = Glb::triangle();
        let positions = glb.floats(
            "VEC3",
            &[0., 0., 0., 1., 0., 0., 0., 1., 0., bad, 0., 0., 0., 0., 0., 1., 0., 0.],
        );
        glb.attribute("POSITION", positions);
        let scene = glb.load().unwrap();
        assert_eq!(scene.triangle_count(), 1);
        assert_eq!(scene.warnings.len(), 1);
        assert!(scene.bounds().unwrap().max.is_finite());
        // Nothing else is left: an empty scene.
        glb.json["accessors"][positions]["byteOffset"] = json!(36);
        glb.json["accessors"][positions]["count"] = json!(3);
        assert!(matches!(glb.load(), Err(SceneError::Empty { .. })));
    }
}

#[test]
fn cycles_and_deep_chains_end() {
    let mut glb = Glb::triangle();
    glb.json["nodes"][0]["children"] = json!([1, 0]);
    glb.push("nodes", json!({"mesh": 0, "children": [0]}));
    let scene = glb.load().unwrap();
    assert_eq!(scene.triangle_count(), 2);
    assert_eq!(scene.warnings.len(), 1);

    let mut glb = Glb::triangle();
    let depth = 100_000;
    for node in 1..depth {
        glb.push("nodes", json!({"children": [node - 1]}));
    }
    glb.json["scenes"][0]["nodes"] = json!([depth - 1]);
    assert_eq!(glb.load().unwrap().triangle_count(), 1);

    let text = format!("{{\"asset\": {}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(load_bytes("a.gltf", text.as_bytes(), &SceneConfig::default()).is_err());
}

/// A file with most of what the reader knows.
fn rich() -> Vec<u8> {
    let mut glb = Glb::triangle();
    let uvs = glb.floats("VEC2", &[0., 0., 1., 0., 0., 1.]);
    let colors = glb.accessor(5121, "VEC4", true, 3, &[255; 12]);
    let indices = glb.indices(&[0, 1, 2]);
    glb.attribute("TEXCOORD_0", uvs);
    glb.attribute("COLOR_0", colors);
    glb.json["meshes"][0]["primitives"][0]["indices"] = json!(indices);
    glb.picture(json!({"index": 0, "extensions": {"KHR_texture_transform": {"scale": [2, 2]}}}));
    let places = glb.view(&[1]);
    let values = glb.view(&[0; 12]);
    glb.json["accessors"][0]["sparse"] = json!({"count": 1,
        "indices": {"bufferView": places, "componentType": 5121}, "values": {"bufferView": values}});
    glb.node(json!({"children": [0], "scale": [1, -1, 1]}));
    glb.json["scenes"][0]["nodes"] = json!([1]);
    glb.to_bytes()
}

const OBJ: &[u8] = b"mtllib a.mtl\no a\nv 0 0 0\nv 1 0 0\nv 0 1 0 1 0 0\nvt 0 0\nvt 1 0\nusemtl a\nf 1/1 2/2 3/-1\n";
const PLY: &[u8] = b"ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\nproperty float z\n\
    property uchar red\nelement face 1\nproperty list uchar int vertex_indices\nend_header\n\
    0 0 0 9\n1 0 0 9\n0 1 0 9\n3 0 1 2\n";

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::with_cases(400) })]

    #[test]
    fn damaged_files_never_panic(
        kind in 0usize..3,
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..4), 1..6),
    ) {
        let mut bytes = [rich(), OBJ.to_vec(), PLY.to_vec()][kind].clone();
        for (at, value, how) in edits {
            let at = at.index(bytes.len());
            match how {
                // Digits make other valid numbers, which is where counts and indices go wrong.
                0 => bytes[at] = b'0' + value % 10,
                1 => bytes[at] = value,
                2 => { bytes.insert(at, b"0123456789,-.eE[]{}\"\n"[value as usize % 21]); }
                _ => { bytes.remove(at); }
            }
        }
        let name = ["a.glb", "a.obj", "a.ply"][kind];
        let mtl = b"newmtl a\nKd 1 0 0\nmap_Kd gone.png\n";
        if let Ok(scene) = load_files(&[(name, &bytes), ("a.mtl", mtl)], &SceneConfig::default()) {
            prop_assert!(scene.triangle_count() > 0);
            for primitive in &scene.primitives {
                prop_assert!(primitive.indices.iter().all(|&i| (i as usize) < primitive.positions.len()));
                prop_assert!(primitive.positions.iter().flatten().all(|c| c.is_finite()));
            }
        }
    }

    #[test]
    fn damaged_json_never_panics(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..3), 1..4),
    ) {
        let good = rich();
        let length = u32::from_le_bytes([good[12], good[13], good[14], good[15]]) as usize;
        let (mut json, bin) = (good[20..20 + length].to_vec(), &good[20 + length + 8..]);
        for (at, value, how) in edits {
            let at = at.index(json.len());
            match how {
                0 => json[at] = b'0' + value % 10,
                1 => { json.insert(at, b'0' + value % 10); }
                _ => { json.remove(at); }
            }
        }
        let bytes = scene_support::container(&json, bin);
        if let Ok(scene) = load_bytes("a.glb", &bytes, &SceneConfig::default()) {
            prop_assert!(scene.triangle_count() > 0);
        }
    }
}
