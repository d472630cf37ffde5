//! Every feature of the glTF reader, on files built here whose outcome is known.
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the report")]

mod scene_support;

use covista::scene::{AlphaMode, MipMode, SceneConfig, SceneError, Up, Wrap};
use scene_support::{FLOAT, Glb, container, load_bytes, load_files, png};
use serde_json::json;

const TRIANGLE: [[f32; 3]; 3] = [[0., 0., 0.], [1., 0., 0.], [0., 1., 0.]];

fn assert_near<const N: usize>(actual: &[[f32; N]], expected: &[[f32; N]]) {
    assert_eq!(actual.len(), expected.len());
    for (a, e) in actual.iter().flatten().zip(expected.iter().flatten()) {
        assert!((a - e).abs() < 1e-5, "{actual:?} is not {expected:?}");
    }
}

#[test]
fn a_triangle_without_indices_or_material() {
    let scene = Glb::triangle().load().unwrap();
    assert_eq!(scene.name, "model");
    assert_eq!(scene.primitives.len(), 1);
    let primitive = &scene.primitives[0];
    assert_eq!(primitive.positions, TRIANGLE);
    assert_eq!(primitive.indices, [0, 1, 2]);
    assert!(primitive.uvs.is_empty() && primitive.colors.is_empty());
    assert_eq!((primitive.material, primitive.instance), (0, 1));
    assert_eq!(scene.materials[0].base_color, [1.0; 4]);
    assert_eq!(scene.warnings, Vec::<String>::new());
}

#[test]
fn the_hash_is_blake3_of_the_file() {
    let glb = Glb::triangle();
    assert_eq!(glb.load().unwrap().hash, *blake3::hash(&glb.to_bytes()).as_bytes());
}

#[test]
fn indices_of_every_width() {
    for (component, bytes) in [
        (5121, vec![2u8, 0, 1]),
        (5123, vec![2, 0, 0, 0, 1, 0]),
        (5125, vec![2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]),
    ] {
        let mut glb = Glb::triangle();
        let indices = glb.accessor(component, "SCALAR", false, 3, &bytes);
        glb.json["meshes"][0]["primitives"][0]["indices"] = json!(indices);
        assert_eq!(glb.load().unwrap().primitives[0].indices, [2, 0, 1]);
    }
}

#[test]
fn nested_nodes_multiply() {
    let mut glb = Glb::triangle();
    // Parent: move by (10, 0, 0); child: turn by 90 degrees about Z, scale by 2.
    let half = std::f32::consts::FRAC_1_SQRT_2;
    glb.json["nodes"][0] = json!({"mesh": 0, "rotation": [0, 0, half, half], "scale": [2, 2, 2]});
    glb.json["scenes"][0]["nodes"] = json!([1]);
    glb.push("nodes", json!({"children": [0], "translation": [10, 0, 0]}));
    let scene = glb.load().unwrap();
    assert_near(
        &scene.primitives[0].positions,
        &[[10., 0., 0.], [10., 2., 0.], [8., 0., 0.]],
    );
    // The same as a matrix, column by column.
    glb.json["nodes"][0] = json!({"mesh": 0, "matrix": [0, 2, 0, 0, -2, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1]});
    assert_near(
        &glb.load().unwrap().primitives[0].positions,
        &[[10., 0., 0.], [10., 2., 0.], [8., 0., 0.]],
    );
}

#[test]
fn a_mirrored_node_keeps_its_front() {
    let mut glb = Glb::triangle();
    glb.json["nodes"][0]["scale"] = json!([-1, 1, 1]);
    let scene = glb.load().unwrap();
    let p = &scene.primitives[0];
    assert_near(&p.positions, &[[0., 0., 0.], [-1., 0., 0.], [0., 1., 0.]]);
    assert_eq!(p.indices, [0, 2, 1]);
    // Two mirrors are a turn.
    glb.json["nodes"][0]["scale"] = json!([-1, -1, 1]);
    assert_eq!(glb.load().unwrap().primitives[0].indices, [0, 1, 2]);
}

#[test]
fn a_mesh_placed_twice_is_two_instances() {
    let mut glb = Glb::triangle();
    glb.node(json!({"mesh": 0, "translation": [0, 0, 5]}));
    let scene = glb.load().unwrap();
    let instances: Vec<u32> = scene.primitives.iter().map(|p| p.instance).collect();
    assert_eq!(instances, [1, 2]);
    assert_eq!(scene.primitives[1].positions[0], [0., 0., 5.]);
    assert_eq!(scene.materials.len(), 1);
}

#[test]
fn z_up_turns_the_file_upright() {
    let config = |up| SceneConfig {
        up,
        ..SceneConfig::default()
    };
    let bytes = Glb::triangle().to_bytes();
    let turned = [[0., 0., 0.], [1., 0., 0.], [0., 0., -1.]];
    let scene = load_bytes("model.glb", &bytes, &config(Up::Z)).unwrap();
    assert_eq!(scene.primitives[0].positions, turned);
    assert_eq!(scene.primitives[0].indices, [0, 1, 2]);
    let first = |files: &[(&str, &[u8])], up| load_files(files, &config(up)).unwrap().primitives[0].positions.clone();
    // Habitat's signs, one by one.
    assert_eq!(first(&[("a.basis.glb", &bytes)], Up::Auto), turned);
    assert_eq!(first(&[("a.glb", &bytes), ("a.navmesh", b"")], Up::Auto), turned);
    assert_eq!(
        first(&[("a.glb", &bytes), ("a.stage_config.json", b"{}")], Up::Auto),
        turned
    );
    let upright = br#"{"up": [0, 1, 0], "front": [0, 0, -1]}"#;
    assert_eq!(
        first(
            &[("a.glb", &bytes), ("a.stage_config.json", upright), ("a.navmesh", b"")],
            Up::Auto
        ),
        TRIANGLE
    );
    assert_eq!(first(&[("a.glb", &bytes), ("b.navmesh", b"")], Up::Auto), TRIANGLE);
    assert_eq!(first(&[("a.basis.glb", &bytes)], Up::Y), TRIANGLE);
}

#[test]
fn strips_and_fans_become_lists() {
    let square = [0., 0., 0., 1., 0., 0., 1., 1., 0., 0., 1., 0.];
    let mut glb = Glb::new();
    let positions = glb.floats("VEC3", &square);
    let strip = glb.indices(&[0, 1, 3, 2]);
    glb.mesh(json!({"attributes": {"POSITION": positions}, "indices": strip, "mode": 5}));
    glb.mesh(json!({"attributes": {"POSITION": positions}, "mode": 6}));
    glb.mesh(json!({"attributes": {"POSITION": positions}, "mode": 3}));
    for mesh in 0..3 {
        glb.node(json!({"mesh": mesh}));
    }
    let scene = glb.load().unwrap();
    assert_eq!(scene.primitives.len(), 2);
    for primitive in &scene.primitives {
        assert_eq!(primitive.indices.len(), 6);
        let mut area = 0.0;
        for t in primitive.indices.chunks_exact(3) {
            let [a, b, c] = [0, 1, 2].map(|k| glam::Vec3::from(primitive.positions[t[k] as usize]));
            let normal = (b - a).cross(c - a);
            assert!(normal.z > 0.0, "a triangle looks backwards");
            area += normal.length() / 2.0;
        }
        assert_eq!(area, 1.0);
    }
    assert_eq!(scene.warnings.len(), 1, "{:?}", scene.warnings);
}

#[test]
fn interleaved_attributes() {
    let mut glb = Glb::triangle();
    let mut bytes = Vec::new();
    for (position, uv) in TRIANGLE.iter().zip([[0.5f32, 0.25], [1.0, 2.0], [-1.0, 0.0]]) {
        for value in position.iter().chain(&uv) {
            bytes.extend((value + 0.0).to_le_bytes());
        }
    }
    let view = glb.view(&bytes);
    glb.json["bufferViews"][view]["byteStride"] = json!(20);
    glb.json["accessors"][0] = json!({"bufferView": view, "componentType": FLOAT, "type": "VEC3", "count": 3});
    let uvs = glb.push(
        "accessors",
        json!({"bufferView": view, "byteOffset": 12, "componentType": FLOAT, "type": "VEC2", "count": 3}),
    );
    glb.attribute("TEXCOORD_0", uvs);
    glb.picture(json!({"index": 0}));
    let scene = glb.load().unwrap();
    assert_eq!(scene.primitives[0].positions, TRIANGLE);
    assert_eq!(scene.primitives[0].uvs, [[0.5, 0.25], [1.0, 2.0], [-1.0, 0.0]]);
}

#[test]
fn sparse_accessors_with_and_without_a_base() {
    let mut glb = Glb::triangle();
    let places = glb.view(&[1, 2]);
    let values: Vec<u8> = [5f32, 6., 7., 0., 9., 0.]
        .iter()
        .flat_map(|v| v.to_le_bytes())
        .collect();
    let values = glb.view(&values);
    let sparse = json!({"count": 2, "indices": {"bufferView": places, "componentType": 5121},
                        "values": {"bufferView": values}});
    glb.json["accessors"][0]["sparse"] = sparse;
    let expected = [[0., 0., 0.], [5., 6., 7.], [0., 9., 0.]];
    assert_eq!(glb.load().unwrap().primitives[0].positions, expected);
    glb.json["accessors"][0].as_object_mut().unwrap().remove("bufferView");
    assert_eq!(glb.load().unwrap().primitives[0].positions, expected);
}

#[test]
fn quantised_positions_and_coordinates() {
    let mut glb = Glb::triangle();
    glb.json["extensionsRequired"] = json!(["KHR_mesh_quantization"]);
    // u16 without normalisation, padded to 8 bytes, undone by the node's scale.
    let mut bytes = Vec::new();
    for p in [[0u16, 0, 0, 0], [1000, 0, 0, 0], [0, 1000, 0, 0]] {
        bytes.extend(p.iter().flat_map(|v| v.to_le_bytes()));
    }
    let positions = glb.accessor(5123, "VEC3", false, 3, &bytes);
    let view = glb.json["accessors"][positions]["bufferView"].as_u64().unwrap() as usize;
    glb.json["bufferViews"][view]["byteStride"] = json!(8);
    glb.attribute("POSITION", positions);
    glb.json["nodes"][0]["scale"] = json!([0.001, 0.001, 0.001]);
    let uvs = glb.accessor(
        5122,
        "VEC2",
        true,
        3,
        &[0, 0, 0, 0, 0xff, 0x7f, 0, 0, 0, 0x80, 0xff, 0x7f],
    );
    glb.attribute("TEXCOORD_0", uvs);
    glb.picture(json!({"index": 0}));
    let scene = glb.load().unwrap();
    assert_near(&scene.primitives[0].positions, &TRIANGLE);
    assert_near(&scene.primitives[0].uvs, &[[0., 0.], [1., 0.], [-1., 1.]]);
    // i8, normalised.
    let positions = glb.accessor(5120, "VEC3", true, 3, &[0, 0, 0, 127, 0, 0, 0, 127, 128]);
    glb.attribute("POSITION", positions);
    glb.json["nodes"][0]["scale"] = json!([1, 1, 1]);
    let scene = glb.load().unwrap();
    assert_near(
        &scene.primitives[0].positions,
        &[[0., 0., 0.], [1., 0., 0.], [0., 1., -1.]],
    );
}

#[test]
fn vertex_colours_of_every_type() {
    let floats: Vec<u8> = [1f32, 0., 0., 0., 1., 0., 0., 0., 0.2]
        .iter()
        .flat_map(|v| v.to_le_bytes())
        .collect();
    let cases: [(u32, &str, bool, &[u8]); 3] = [
        (FLOAT, "VEC3", false, &floats),
        (5121, "VEC4", true, &[255, 0, 0, 255, 0, 255, 0, 255, 0, 0, 51, 255]),
        (
            5123,
            "VEC3",
            true,
            &[255, 255, 0, 0, 0, 0, 0, 0, 255, 255, 0, 0, 0, 0, 0, 0, 0x33, 0x33],
        ),
    ];
    for (component, kind, normalized, bytes) in cases {
        let mut glb = Glb::triangle();
        let colors = glb.accessor(component, kind, normalized, 3, bytes);
        glb.attribute("COLOR_0", colors);
        let scene = glb.load().unwrap();
        assert_near(
            &scene.primitives[0].colors,
            &[[1., 0., 0., 1.], [0., 1., 0., 1.], [0., 0., 0.2, 1.]],
        );
    }
}

#[test]
fn materials_and_samplers() {
    let mut glb = Glb::triangle();
    let uvs = glb.floats("VEC2", &[0., 0., 1., 0., 0., 1.]);
    glb.attribute("TEXCOORD_0", uvs);
    glb.picture(json!({"index": 0}));
    glb.json["materials"][0]["name"] = json!("wall");
    glb.json["materials"][0]["alphaMode"] = json!("MASK");
    glb.json["materials"][0]["alphaCutoff"] = json!(0.25);
    glb.json["materials"][0]["doubleSided"] = json!(true);
    glb.json["materials"][0]["extensions"] = json!({"KHR_materials_unlit": {}});
    glb.json["materials"][0]["pbrMetallicRoughness"]["baseColorFactor"] = json!([0.5, 0.25, 1, 1]);
    glb.json["textures"][0]["sampler"] = json!(0);
    glb.json["samplers"] = json!([{"magFilter": 9728, "minFilter": 9985, "wrapS": 33071, "wrapT": 33648}]);
    let scene = glb.load().unwrap();
    let material = &scene.materials[0];
    assert_eq!(material.name, "wall");
    assert_eq!(material.alpha, AlphaMode::Mask(0.25));
    assert!(material.double_sided && material.unlit);
    assert_eq!(material.base_color, [0.5, 0.25, 1.0, 1.0]);
    let texture = material.texture.unwrap();
    assert!(!texture.sampler.mag_linear && texture.sampler.min_linear);
    assert_eq!(texture.sampler.mip, MipMode::Nearest);
    assert_eq!(texture.sampler.wrap, [Wrap::Clamp, Wrap::Mirror]);
    let image = &scene.textures[texture.texture];
    assert_eq!((image.width, image.height), (2, 1));
    assert_eq!(*image.rgba().unwrap(), [255, 0, 0, 255, 0, 0, 255, 255]);

    glb.json["materials"][0]["alphaMode"] = json!("BLEND");
    glb.json["textures"][0].as_object_mut().unwrap().remove("sampler");
    let scene = glb.load().unwrap();
    assert_eq!(scene.materials[0].alpha, AlphaMode::Blend);
    assert_eq!(scene.materials[0].texture.unwrap().sampler, Default::default());
}

#[test]
fn texture_transforms_are_applied_to_the_coordinates() {
    let mut glb = Glb::triangle();
    let uvs = glb.floats("VEC2", &[0., 0., 1., 0., 0., 1.]);
    let second = glb.floats("VEC2", &[3., 3., 3., 3., 3., 3.]);
    glb.attribute("TEXCOORD_0", uvs);
    glb.attribute("TEXCOORD_1", second);
    // The matrices of the extension's text: translation * rotation * scale, with rotation [cos sin; -sin cos].
    glb.picture(json!({"index": 0, "extensions": {"KHR_texture_transform":
        {"offset": [0.5, 0.25], "rotation": std::f32::consts::FRAC_PI_2, "scale": [2, 3]}}}));
    let scene = glb.load().unwrap();
    assert_near(&scene.primitives[0].uvs, &[[0.5, 0.25], [0.5, -1.75], [3.5, 0.25]]);
    // The extension's own choice of set wins over the outer one.
    let info = json!({"index": 0, "texCoord": 0, "extensions": {"KHR_texture_transform": {"texCoord": 1}}});
    glb.json["materials"][0]["pbrMetallicRoughness"]["baseColorTexture"] = info;
    assert_near(&glb.load().unwrap().primitives[0].uvs, &[[3.; 2]; 3]);
    let info = json!({"index": 0, "texCoord": 1});
    glb.json["materials"][0]["pbrMetallicRoughness"]["baseColorTexture"] = info;
    assert_near(&glb.load().unwrap().primitives[0].uvs, &[[3.; 2]; 3]);
}

#[test]
fn specular_glossiness_gives_its_diffuse_colour() {
    let mut glb = Glb::triangle();
    glb.json["extensionsRequired"] = json!(["KHR_materials_pbrSpecularGlossiness"]);
    glb.picture(json!({"index": 0}));
    glb.json["materials"][0] = json!({
        "pbrMetallicRoughness": {"baseColorFactor": [0, 0, 0, 1]},
        "extensions": {"KHR_materials_pbrSpecularGlossiness":
            {"diffuseFactor": [0.2, 0.4, 0.6, 0.8], "diffuseTexture": {"index": 0}}}});
    let scene = glb.load().unwrap();
    assert_eq!(scene.materials[0].base_color, [0.2, 0.4, 0.6, 0.8]);
    assert!(scene.materials[0].texture.is_some());
}

#[test]
fn pictures_of_every_depth_become_rgba8() {
    use image::{DynamicImage, ImageFormat};
    let encode = |picture: DynamicImage| {
        let mut out = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut out, ImageFormat::Png).unwrap();
        out.into_inner()
    };
    let grey = encode(DynamicImage::ImageLuma8(
        image::GrayImage::from_raw(1, 1, vec![77]).unwrap(),
    ));
    let deep = encode(DynamicImage::ImageRgb16(
        image::ImageBuffer::from_raw(1, 1, vec![0xffff, 0x8080, 0]).unwrap(),
    ));
    for (bytes, expected) in [(grey, [77, 77, 77, 255]), (deep, [255, 128, 0, 255])] {
        let mut glb = Glb::triangle();
        glb.picture(json!({"index": 0}));
        let view = glb.view(&bytes);
        glb.json["images"][0]["bufferView"] = json!(view);
        assert_eq!(*glb.load().unwrap().textures[0].rgba().unwrap(), expected);
    }
}

#[test]
fn only_pictures_that_are_used_are_decoded_and_each_once() {
    let mut glb = Glb::triangle();
    glb.picture(json!({"index": 0}));
    let broken = glb.view(b"not a picture");
    glb.push("images", json!({"bufferView": broken}));
    glb.push("textures", json!({"source": 1}));
    glb.push("textures", json!({"source": 0}));
    glb.push(
        "materials",
        json!({"pbrMetallicRoughness": {"baseColorTexture": {"index": 1}}}),
    );
    glb.push(
        "materials",
        json!({"pbrMetallicRoughness": {"baseColorTexture": {"index": 2}}}),
    );
    glb.mesh(json!({"attributes": {"POSITION": 0}, "material": 2}));
    glb.node(json!({"mesh": 1}));
    let scene = glb.load().unwrap();
    assert_eq!((scene.materials.len(), scene.textures.len()), (2, 1));
    assert_eq!(scene.warnings, Vec::<String>::new());
    // A broken one that is used is a warning, and the factor is left.
    glb.json["meshes"][1]["primitives"][0]["material"] = json!(1);
    let scene = glb.load().unwrap();
    assert_eq!(scene.textures.len(), 1);
    assert!(scene.materials[1].texture.is_none());
    assert_eq!(scene.warnings.len(), 1);
}

#[test]
fn files_beside_the_scene_and_data_uris() {
    let mut glb = Glb::triangle();
    glb.picture(json!({"index": 0}));
    let picture = png(1, 1, &[1, 2, 3, 4]);
    glb.json["images"][0] = json!({"uri": "my%20wall%23%E2%9D%A4.png"});
    glb.json["buffers"][0] = json!({"uri": "bin/data.bin", "byteLength": glb.bin.len()});
    let text = glb.json.to_string();
    let files: [(&str, &[u8]); 3] = [
        ("model.gltf", text.as_bytes()),
        ("bin/data.bin", &glb.bin),
        ("my wall#\u{2764}.png", &picture),
    ];
    let scene = load_files(&files, &SceneConfig::default()).unwrap();
    assert_eq!(*scene.textures[0].rgba().unwrap(), [1, 2, 3, 4]);
    let mut hasher = blake3::Hasher::new();
    for (_, bytes) in files {
        hasher.update(bytes);
    }
    assert_eq!(scene.hash, *hasher.finalize().as_bytes());

    use base64::Engine as _;
    let base64 = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
    glb.json["images"][0] = json!({"uri": format!("data:image/png;base64,{}", base64(&picture))});
    glb.json["buffers"][0]["uri"] = json!(format!("data:application/octet-stream;base64,{}", base64(&glb.bin)));
    let text = glb.json.to_string();
    let scene = load_bytes("model.gltf", text.as_bytes(), &SceneConfig::default()).unwrap();
    assert_eq!(*scene.textures[0].rgba().unwrap(), [1, 2, 3, 4]);
    assert_eq!(scene.primitives[0].positions, TRIANGLE);
}

#[test]
fn the_default_scene_is_read_and_the_others_are_named() {
    let mut glb = Glb::triangle();
    glb.push("nodes", json!({"mesh": 0, "translation": [0, 0, 7]}));
    glb.push("scenes", json!({"nodes": [1]}));
    glb.json["scene"] = json!(1);
    let scene = glb.load().unwrap();
    assert_eq!(scene.primitives[0].positions[0], [0., 0., 7.]);
    assert_eq!(scene.warnings.len(), 1);
    // Without scenes every root is placed.
    glb.json.as_object_mut().unwrap().remove("scenes");
    glb.json.as_object_mut().unwrap().remove("scene");
    assert_eq!(glb.load().unwrap().triangle_count(), 2);
}

#[test]
fn required_extensions_are_refused_by_name() {
    for name in ["EXT_mesh_gpu_instancing", "VENDOR_unheard_of"] {
        let mut glb = Glb::triangle();
        glb.json["extensionsRequired"] = json!([name]);
        let error = glb.load().unwrap_err();
        assert!(matches!(error, SceneError::Unsupported { .. }));
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[test]
fn containers_that_end_early_are_refused() {
    let bytes = Glb::triangle().to_bytes();
    for length in 0..bytes.len() {
        let error = load_bytes("model.glb", &bytes[..length], &SceneConfig::default()).unwrap_err();
        assert!(matches!(error, SceneError::Malformed { .. }), "{length} bytes: {error}");
    }
    let error = load_bytes("model.glb", &container(b"{}", b""), &SceneConfig::default()).unwrap_err();
    assert!(error.to_string().contains("asset"), "{error}");
}
