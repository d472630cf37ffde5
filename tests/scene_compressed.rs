//! Compressed geometry and textures: Draco, meshopt, Basis Universal.
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the report")]

mod common;
mod scene_support;

use covista::scene::{Scene, SceneConfig, SceneError, Up, load};
use scene_support::{Glb, load_files};
use serde_json::json;

/// All triangles in order, each turned so that its smallest corner is first: the coder may turn them.
fn triangles(scene: &Scene) -> Vec<[[u32; 3]; 3]> {
    let bits = |p: [f32; 3]| p.map(f32::to_bits);
    let all = scene.primitives.iter().flat_map(|p| {
        let triangles = p.indices.chunks_exact(3);
        triangles.map(|t| {
            let mut corners = [0, 1, 2].map(|k| bits(p.positions[t[k] as usize]));
            let smallest = (0..3).min_by_key(|&k| corners[k]).unwrap();
            corners.rotate_left(smallest);
            corners
        })
    });
    all.collect()
}

#[test]
fn meshopt_views_unpack_to_what_their_fallback_holds() {
    let Some(folder) = common::shared("assets/conformance") else {
        return;
    };
    let read = |name: &str| load(folder.join(name), &SceneConfig::default()).unwrap();
    for extension in ["EXT_meshopt_compression", "KHR_meshopt_compression"] {
        let model = |kind: &str| read(&format!("gltf-pipeline/extensions/{extension}/{kind}/{kind}.gltf"));
        assert_eq!(
            triangles(&model("meshopt-no-fallback")),
            triangles(&model("meshopt-fallback"))
        );
    }
    // The same box, quantised on the way: within its 1/65535 of the size.
    let plain = read("gltf-transform-core/Box_glTF-Binary/Box.glb");
    for name in ["gltf-transform/BoxMeshopt.glb", "gltf-transform/BoxMeshopt.gltf"] {
        let packed = read(name);
        assert_eq!(packed.triangle_count(), plain.triangle_count());
        let (a, b) = (packed.bounds().unwrap(), plain.bounds().unwrap());
        assert!(
            (a.min - b.min).length() < 1e-3 && (a.max - b.max).length() < 1e-3,
            "{a:?} {b:?}"
        );
    }
    let (packed, plain) = (read("meshoptimizer/pirate.glb"), read("loaders.gl/meshopt/pirate.obj"));
    let (a, b) = (packed.bounds().unwrap(), plain.bounds().unwrap());
    let size = (b.max - b.min).length();
    assert!(
        (a.min - b.min).length() < size * 1e-3 && (a.max - b.max).length() < size * 1e-3,
        "{a:?} {b:?}"
    );
}

#[test]
fn basis_pictures_are_the_jpeg_ones_the_same_way_up() {
    let (Some(plain), Some(basis)) = (
        common::shared("scenes/white-room/white-room.glb"),
        common::shared("scenes/white-room-hm3d/white-room.basis.glb"),
    ) else {
        return;
    };
    let plain = load(plain, &SceneConfig::default()).unwrap();
    let basis = load(
        basis,
        &SceneConfig {
            up: Up::Y,
            ..SceneConfig::default()
        },
    )
    .unwrap();
    assert_eq!(basis.triangle_count(), plain.triangle_count());
    assert_eq!(basis.warnings, Vec::<String>::new());
    assert_eq!(basis.textures.len(), plain.textures.len());
    for (a, b) in basis.textures.iter().zip(&plain.textures) {
        assert_eq!((&a.name, a.width, a.height), (&b.name, b.width, b.height));
        let (a_rgba, b_rgba) = (a.rgba().unwrap(), b.rgba().unwrap());
        let row = a.width as usize * 4;
        let difference = |flip: bool| {
            let rows = a.height as usize;
            let sum: u64 = (0..rows)
                .map(|y| {
                    let (top, other) = (y * row, if flip { rows - 1 - y } else { y } * row);
                    let pairs = a_rgba[top..][..row].iter().zip(&b_rgba[other..][..row]);
                    pairs.map(|(p, q)| u64::from(p.abs_diff(*q))).sum::<u64>()
                })
                .sum();
            sum as f64 / (rows * row) as f64
        };
        let (upright, upside_down) = (difference(false), difference(true));
        println!("{}: {upright:.2} levels, upside down {upside_down:.2}", a.name);
        assert!(
            upright < 6.0 && upright < upside_down / 2.0,
            "{}: {upright} {upside_down}",
            a.name
        );
    }
}

#[test]
fn draco_streams_unpack_to_what_their_accessors_announce() {
    let Some(folder) = common::shared("assets/conformance/gltf-transform") else {
        return;
    };
    let read = |name: &str| load(folder.join(name), &SceneConfig::default()).unwrap();
    let cube = read("BoxDraco.gltf");
    assert_eq!(cube.triangle_count(), 12);
    let bounds = cube.bounds().unwrap();
    assert!(
        (bounds.min + 0.5).length() < 1e-3 && (bounds.max - 0.5).length() < 1e-3,
        "{bounds:?}"
    );
    // Seen from outside, all faces of a cube look outwards.
    for triangle in cube.primitives[0].indices.chunks_exact(3) {
        let [a, b, c] = [0, 1, 2].map(|k| glam::Vec3::from(cube.primitives[0].positions[triangle[k] as usize]));
        assert!((b - a).cross(c - a).dot(a + b + c) > 0.0);
    }
    let part = read("DracoSparseMesh.gltf");
    assert_eq!(part.triangle_count(), 102);
    // As its accessor says, but for the last bit.
    let bounds = part.bounds().unwrap();
    let expected = [
        [-0.039651595, 0.04958648, 0.028698957],
        [-0.013482682, 0.08912585, 0.03165059],
    ];
    for (actual, expected) in [bounds.min, bounds.max].into_iter().zip(expected) {
        assert!((actual - glam::Vec3::from(expected)).length() < 1e-7, "{bounds:?}");
    }
}

#[test]
fn the_cubes_of_the_meshopt_test_are_all_the_same() {
    let Some(path) =
        common::shared("assets/conformance/loaders.gl/meshopt/MeshoptCubeTest/glTF-Meshopt/MeshoptCubeTest.gltf")
    else {
        return;
    };
    let scene = load(path, &SceneConfig::default()).unwrap();
    // A cube's corners around its middle, with their colours: rows differ in how they are packed, not in what.
    let cubes: Vec<Vec<[i64; 7]>> = scene
        .primitives
        .iter()
        .filter(|p| p.indices.len() == 36)
        .map(|p| {
            let all = p.indices.iter().map(|&i| glam::Vec3::from(p.positions[i as usize]));
            let (min, max) = all.fold((glam::Vec3::MAX, glam::Vec3::MIN), |(a, b), v| (a.min(v), b.max(v)));
            let mut corners: Vec<[i64; 7]> = p
                .indices
                .iter()
                .map(|&i| {
                    let at = (glam::Vec3::from(p.positions[i as usize]) - (min + max) / 2.0) * 100.0;
                    let color = p
                        .colors
                        .get(i as usize)
                        .copied()
                        .unwrap_or([0.0; 4])
                        .map(|c| (c * 32.0).round());
                    let [x, y, z] = at.round().to_array();
                    let [r, g, b, a] = color;
                    [x, y, z, r, g, b, a].map(|v| v as i64)
                })
                .collect();
            corners.sort_unstable();
            corners
        })
        .collect();
    assert_eq!(cubes.len(), 25);
    // Five columns; the first row is not compressed.
    for (at, cube) in cubes.iter().enumerate() {
        assert_eq!(cube, &cubes[at % 5], "cube {at}");
    }
    assert!(
        cubes[0].iter().any(|c| c[3..] != cubes[0][0][3..]),
        "the colours are all the same"
    );
}

/// A triangle with a picture in it, under an extension that names Basis textures.
fn with_picture(extension: &str, picture: &[u8]) -> Glb {
    let mut glb = Glb::triangle();
    glb.picture(json!({"index": 0}));
    let view = glb.view(picture);
    glb.json["images"][0] = json!({"bufferView": view, "name": "picture"});
    glb.json["textures"][0] = json!({"extensions": {extension: {"source": 0}}});
    glb.json["extensionsRequired"] = json!([extension]);
    glb
}

#[test]
fn ktx2_pictures_of_both_codecs() {
    let Some(folder) = common::shared("assets/conformance") else {
        return;
    };
    for (name, width, height) in [
        ("gltf-transform/2d_etc1s.ktx2", 40, 40),
        ("gltf-transform/2d_uastc.ktx2", 40, 40),
        ("ktx2-misc/kodim23.ktx2", 768, 512),
    ] {
        let picture = std::fs::read(folder.join(name)).unwrap();
        let scene = with_picture("KHR_texture_basisu", &picture).load().unwrap();
        assert_eq!(scene.warnings, Vec::<String>::new(), "{name}");
        let texture = &scene.textures[0];
        assert_eq!((texture.width, texture.height), (width, height), "{name}");
        let rgba = texture.rgba().unwrap();
        let mean = rgba.iter().map(|&v| f64::from(v)).sum::<f64>() / rgba.len() as f64;
        assert!((20.0..235.0).contains(&mean), "{name}: {mean}");
    }
    // The same picture in both codecs.
    let read = |name: &str| {
        let picture = std::fs::read(folder.join(name)).unwrap();
        with_picture("KHR_texture_basisu", &picture)
            .load()
            .unwrap()
            .textures
            .remove(0)
            .rgba()
            .unwrap()
            .into_owned()
    };
    let (a, b) = (
        read("gltf-transform/2d_etc1s.ktx2"),
        read("gltf-transform/2d_uastc.ktx2"),
    );
    let sum: u64 = a.iter().zip(&b).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    println!("the codecs differ by {:.2} levels", sum as f64 / a.len() as f64);
    assert!(sum < 12 * a.len() as u64);
    // A claim of petabytes after Zstandard takes no memory.
    let mut bomb = std::fs::read(folder.join("ktx2-misc/kodim23.ktx2")).unwrap();
    bomb[96..104].copy_from_slice(&(1u64 << 50).to_le_bytes());
    let scene = with_picture("KHR_texture_basisu", &bomb).load().unwrap();
    assert_eq!((scene.textures.len(), scene.warnings.len()), (0, 1));
    // What is not Basis is a warning.
    let picture = std::fs::read(folder.join("gltf-transform/2d_bc7.ktx2")).unwrap();
    let scene = with_picture("KHR_texture_basisu", &picture).load().unwrap();
    assert_eq!((scene.textures.len(), scene.warnings.len()), (0, 1));
}

/// Cuts a file short and flips bytes in it, at places that cover it evenly and the same ones each time.
fn damaged(bytes: &[u8], tries: usize) -> impl Iterator<Item = Vec<u8>> {
    let mut state = 1u64;
    let mut draw = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize
    };
    (0..tries).map(move |k| {
        let mut copy = bytes.to_vec();
        if k % 4 == 0 {
            copy.truncate(copy.len() * k / tries);
        }
        for _ in 0..(k % 5).min(copy.len()) {
            let at = draw() % copy.len();
            copy[at] = draw() as u8;
        }
        copy
    })
}

#[test]
fn damaged_compressed_data_is_an_error_or_a_scene() {
    let Some(folder) = common::shared("assets/conformance") else {
        return;
    };
    let config = SceneConfig::default();
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let mut outcomes = [0; 2];
    for name in [
        "gltf-transform/BoxMeshopt",
        "gltf-transform/BoxDraco",
        "gltf-transform/DracoSparseMesh",
    ] {
        let text = read(&format!("{name}.gltf"));
        let json: serde_json::Value = serde_json::from_slice(&text).unwrap();
        let buffer = json["buffers"][0]["uri"].as_str().unwrap();
        for bytes in damaged(&read(&format!("gltf-transform/{buffer}")), 300) {
            let result = load_files(&[("a.gltf", &text), (buffer, &bytes)], &config);
            outcomes[usize::from(result.is_ok())] += 1;
        }
    }
    println!("{} errors, {} scenes", outcomes[0], outcomes[1]);
    assert!(outcomes[0] > 100);
    for (extension, name) in [
        ("KHR_texture_basisu", "gltf-transform/2d_etc1s.ktx2"),
        ("KHR_texture_basisu", "gltf-transform/2d_uastc.ktx2"),
    ] {
        for bytes in damaged(&read(name), 200) {
            // A broken picture is a warning, unless it claims to be too large.
            match with_picture(extension, &bytes).load() {
                Ok(scene) => {
                    assert_eq!(scene.textures.len() + scene.warnings.len(), 1);
                    // What could be transcoded can be unpacked.
                    assert!(scene.textures.iter().all(|t| t.rgba().is_ok()));
                }
                Err(error) => assert!(matches!(error, SceneError::TooLarge { .. }), "{error}"),
            }
        }
    }
}
