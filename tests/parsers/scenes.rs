//! Scene files: glTF and GLB, OBJ, PLY, compressed geometry, Habitat's JSON, navmeshes.

use std::path::Path;

use covista::navmesh::{NavMesh, NavMeshConfig};
use covista::rng::Rng;
use covista::scene::procedural::{ProceduralConfig, build_with};
use covista::scene::{Limits, Scene, SceneConfig, SceneError, SemanticTable, list_scenes, load, to_glb};
use serde_json::{Value, json};

use crate::common;
use crate::harness::{Outcome, run};
use crate::mutate::Mutator;
use crate::scene_support::{Glb, container, png};

/// Small limits, so that passing one shows.
pub fn config() -> SceneConfig {
    SceneConfig {
        limits: Limits {
            max_file_bytes: 1 << 20,
            max_triangles: 50_000,
            max_vertices: 100_000,
            max_nodes: 1000,
            max_texture_side: 1024,
            max_texture_pixels: 1 << 20,
        },
        ..SceneConfig::default()
    }
}

/// Bytes that [`Limits`] states for [`config`]: geometry twice (12 bytes a triangle, 48 a vertex with normal, uv and
/// colour), 4 bytes a pixel and 16 for its decoder, the files, and 24 MB for the JSON of a file of 1 MB.
pub const STATED: usize = 2 * (50_000 * 12 + 100_000 * 48) + (1 << 20) * 20 + 2 * (1 << 20) + 24_000_000;

/// What every scene that was read keeps to.
pub fn check(scene: &Scene) {
    assert!(scene.triangle_count() > 0);
    let limits = config().limits;
    let vertices: usize = scene.primitives.iter().map(|p| p.positions.len()).sum();
    assert!(vertices as u64 <= limits.max_vertices && scene.triangle_count() as u64 <= limits.max_triangles);
    for primitive in &scene.primitives {
        assert!(
            primitive
                .indices
                .iter()
                .all(|&i| (i as usize) < primitive.positions.len())
        );
        assert!(primitive.positions.iter().flatten().all(|c| c.is_finite()));
    }
    for texture in &scene.textures {
        // What could be transcoded can be unpacked; that it cannot be is told, not a panic.
        let _ = texture.rgba();
    }
}

pub fn judge(result: Result<Scene, SceneError>) -> Outcome {
    if let Ok(scene) = &result {
        check(scene);
    }
    result.into()
}

/// Two nodes, a material with a picture, all attributes, a light.
fn rich() -> Glb {
    let mut glb = Glb::triangle();
    glb.picture(json!({"index": 0}));
    let uv = glb.floats("VEC2", &[0., 0., 1., 0., 0., 1.]);
    let normals = glb.floats("VEC3", &[0., 0., 1., 0., 0., 1., 0., 0., 1.]);
    let colors = glb.floats("VEC4", &[1., 0., 0., 1., 0., 1., 0., 1., 0., 0., 1., 1.]);
    glb.attribute("TEXCOORD_0", uv);
    glb.attribute("NORMAL", normals);
    glb.attribute("COLOR_0", colors);
    let indices = glb.indices(&[0, 1, 2, 2, 1, 0]);
    glb.json["meshes"][0]["primitives"][0]["indices"] = json!(indices);
    let child = glb.push(
        "nodes",
        json!({"mesh": 0, "translation": [1, 2, 3], "rotation": [0, 0, 0, 1]}),
    );
    glb.node(json!({"children": [child], "scale": [1, 2, 1]}));
    glb.push(
        "samplers",
        json!({"wrapS": 33071, "magFilter": 9729, "minFilter": 9987}),
    );
    glb.json["textures"][0]["sampler"] = json!(0);
    glb.json["extensions"] = json!({"KHR_lights_punctual": {"lights": [{"type": "point", "intensity": 3}]}});
    glb.json["extensionsUsed"] = json!(["KHR_lights_punctual"]);
    glb.node(json!({"extensions": {"KHR_lights_punctual": {"light": 0}}}));
    // A sparse accessor without a view of its own.
    let at = glb.view(&[0, 0, 1, 0, 2, 0]);
    let values = glb.view(&[0; 36]);
    let sparse = glb.push(
        "accessors",
        json!({"componentType": 5126, "type": "VEC3", "count": 3, "sparse": {"count": 3,
               "indices": {"bufferView": at, "componentType": 5123}, "values": {"bufferView": values}}}),
    );
    glb.mesh(json!({"attributes": {"POSITION": sparse}, "mode": 4}));
    glb.node(json!({"mesh": 1, "matrix": [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 5, 0, 0, 1]}));
    glb
}

#[test]
fn glb() {
    let whole = rich().to_bytes();
    run("glb", STATED, |mutator, fold| {
        let bytes = match mutator.below(4) {
            0 => mutator.bytes(&whole),
            1 => {
                let glb = rich();
                container(glb.json.to_string().as_bytes(), &mutator.bytes(&glb.bin))
            }
            _ => {
                let mut glb = rich();
                glb.json["buffers"][0]["byteLength"] = json!(glb.bin.len());
                mutator.json(&mut glb.json);
                container(glb.json.to_string().as_bytes(), &glb.bin)
            }
        };
        judge(load(fold.file("a.glb", &bytes), &config()))
    });
}

#[test]
fn gltf_with_files() {
    let picture = png(2, 1, &[255, 0, 0, 255, 0, 0, 255, 255]);
    run("gltf", STATED, |mutator, fold| {
        let mut glb = rich();
        glb.json["buffers"][0] = json!({"uri": "data.bin", "byteLength": glb.bin.len()});
        glb.json["images"][0] = json!({"uri": "pictures/a.png"});
        let (mut bin, mut picture) = (glb.bin.clone(), picture.clone());
        match mutator.below(6) {
            0 => bin = mutator.bytes(&bin),
            1 => picture = mutator.bytes(&picture),
            _ => mutator.json(&mut glb.json),
        }
        let mut text = glb.json.to_string().into_bytes();
        if mutator.once_in(8) {
            text = mutator.text(&text);
        }
        fold.file("data.bin", &bin);
        fold.file("pictures/a.png", &picture);
        judge(load(fold.file("a.gltf", &text), &config()))
    });
}

#[test]
fn compressed_geometry() {
    let Some(folder) = common::shared("assets/conformance/gltf-transform") else {
        return;
    };
    let files: Vec<(Value, String, Vec<u8>)> = ["BoxDraco", "DracoSparseMesh", "BoxMeshopt"]
        .iter()
        .map(|name| {
            let json: Value =
                serde_json::from_slice(&std::fs::read(folder.join(format!("{name}.gltf"))).unwrap()).unwrap();
            let uri = json["buffers"][0]["uri"].as_str().unwrap().to_owned();
            let bin = std::fs::read(folder.join(&uri)).unwrap();
            (json, uri, bin)
        })
        .collect();
    run("compressed geometry", STATED, |mutator, fold| {
        let (mut json, uri, mut bin) = files[mutator.below(files.len())].clone();
        match mutator.once_in(3) {
            true => mutator.json(&mut json),
            false => bin = mutator.bytes(&bin),
        }
        fold.file(&uri, &bin);
        judge(load(fold.file("a.gltf", json.to_string().as_bytes()), &config()))
    });
}

const OBJ: &[u8] =
    b"mtllib a.mtl\no room\nv 0 0 0\nv 1 0 0 1 0.5 0.25\nv 1 1 0\nv 0 1 0\nvt 0 0\nvt 1 0\nvt 1 1\nvn 0 0 1\n\
    usemtl a\nf 1/1/1 2/2/1 3/3/1 4\nusemtl b\nf -4//1 -3//1 -1//1\ng other\ns off\nl 1 2\nf 1 2 3\n";
const MTL: &[u8] =
    b"newmtl a\nKd 1 0.5 0\nd 0.5\nmap_Kd -s 2 2 1 picture.png\nnewmtl b\nKd 0 1 0\nTr 0\nmap_d picture.png\n";

#[test]
fn obj() {
    let picture = png(2, 1, &[255, 0, 0, 255, 0, 0, 255, 255]);
    run("obj", STATED, |mutator, fold| {
        let (mut obj, mut mtl) = (OBJ.to_vec(), MTL.to_vec());
        match mutator.once_in(3) {
            true => mtl = mutator.text(&mtl),
            false => obj = mutator.text(&obj),
        }
        fold.file("picture.png", &picture);
        fold.file("a.mtl", &mtl);
        judge(load(fold.file("a.obj", &obj), &config()))
    });
}

const PLY: &str = "ply\nformat ascii 1.0\ncomment made by hand\ncomment TextureFile picture.png\nelement vertex 4\n\
    property float x\nproperty double y\nproperty float z\nproperty uchar red\nproperty uchar green\nproperty uchar blue\n\
    property float s\nproperty float t\nelement face 2\nproperty list uchar int vertex_indices\nproperty ushort object_id\n\
    end_header\n0 0 0 255 0 0 0 0\n1 0 0 0 255 0 1 0\n1 1 0 0 0 255 1 1\n0 1 0 9 9 9 0 1\n3 0 1 2 7\n4 0 1 2 3 8\n";

/// The same as [`PLY`], little or big endian.
fn binary_ply(big: bool) -> Vec<u8> {
    let (header, _) = PLY.split_once("end_header\n").unwrap();
    let endian = if big {
        "binary_big_endian"
    } else {
        "binary_little_endian"
    };
    let mut out = header.replace("ascii", endian).into_bytes();
    out.extend(b"end_header\n");
    fn put<const N: usize>(out: &mut Vec<u8>, big: bool, little: [u8; N]) {
        match big {
            true => out.extend(little.iter().rev()),
            false => out.extend(little),
        }
    }
    for (x, y) in [(0f32, 0f64), (1., 0.), (1., 1.), (0., 1.)] {
        put(&mut out, big, x.to_le_bytes());
        put(&mut out, big, y.to_le_bytes());
        put(&mut out, big, 0f32.to_le_bytes());
        out.extend([255, 9, 0]);
        put(&mut out, big, x.to_le_bytes());
        put(&mut out, big, (y as f32).to_le_bytes());
    }
    for face in [&[0i32, 1, 2][..], &[0, 1, 2, 3]] {
        out.push(face.len() as u8);
        face.iter().for_each(|i| put(&mut out, big, i.to_le_bytes()));
        put(&mut out, big, 7u16.to_le_bytes());
    }
    out
}

#[test]
fn ply() {
    let picture = png(2, 1, &[255, 0, 0, 255, 0, 0, 255, 255]);
    let (little, big) = (binary_ply(false), binary_ply(true));
    run("ply", STATED, |mutator, fold| {
        let bytes = match mutator.below(4) {
            0 => mutator.bytes(&little),
            1 => mutator.bytes(&big),
            2 => {
                // A header that says something else about a body that is whole.
                let at = little.windows(11).position(|w| w == b"end_header\n").unwrap();
                let mut bytes = mutator.text(&little[..at]);
                bytes.push(b'\n');
                bytes.extend(&little[at..]);
                bytes
            }
            _ => mutator.text(PLY.as_bytes()),
        };
        fold.file("picture.png", &picture);
        judge(load(fold.file("a.ply", &bytes), &config()))
    });
}

#[test]
fn habitat_json() {
    let stage = json!({"render_asset": "room.glb", "up": [0, 0, 1], "front": [0, 1, 0], "units_to_meters": 1.0,
        "semantic_asset": "room.glb", "nav_asset": "room.navmesh", "gravity": [0, -9.8, 0], "origin": [0, 0, 0]});
    let object = json!({"render_asset": "room.glb", "scale": [1, 1, 2], "mass": 1.0});
    let instance = json!({"stage_instance": {"template_name": "room", "translation_origin": "asset_local"},
        "object_instances": [{"template_name": "chair", "translation": [1, 0, 2], "rotation": [1, 0, 0, 0],
                              "uniform_scale": 2.0, "motion_type": "STATIC"}],
        "articulated_object_instances": [{"template_name": "door"}],
        "navmesh_instance": "room_navmesh", "default_lighting": ""});
    let dataset = json!({"stages": {"default_attributes": {"up": [0, 1, 0]}, "paths": {".json": ["stages/*"]},
            "configs": [{"original_file": "stages/room.stage_config.json", "template_handle": "again"}]},
        "objects": {"paths": {".json": ["objects"]}}, "scene_instances": {"paths": {".json": ["scenes/*"]}},
        "navmesh_instances": {"room_navmesh": "room.navmesh"}, "semantic_scene_descriptor_instances": {}});
    let room = Glb::triangle().to_bytes();
    run("habitat json", STATED, |mutator, fold| {
        let mut files = [
            ("stages/room.stage_config.json", stage.clone()),
            ("objects/chair.object_config.json", object.clone()),
            ("scenes/room.scene_instance.json", instance.clone()),
            ("all.scene_dataset_config.json", dataset.clone()),
        ];
        let place = mutator.below(files.len());
        mutator.json(&mut files[place].1);
        for (name, json) in &files {
            let mut text = json.to_string().into_bytes();
            if mutator.once_in(30) {
                text = mutator.text(&text);
            }
            fold.file(name, &text);
        }
        fold.file("stages/room.glb", &room);
        fold.file("objects/room.glb", &room);
        let _ = list_scenes(fold.path());
        let name = mutator.pick(&[
            "stages/room.stage_config.json",
            "scenes/room.scene_instance.json",
            "all.scene_dataset_config.json#room",
            "all.scene_dataset_config.json",
        ]);
        judge(load(fold.path().join(name), &config()))
    });
}

#[test]
fn semantic_text() {
    let text = "HM3D Semantic Annotations\n1,EEB0A4,\"ceiling\",0\n2,9F3C2B,\"wall, inner\",1\n3,00FF00,\"door \"\"frame\"\"\",1\n";
    run("semantic text", 8_000_000, |mutator, fold| {
        let bytes = mutator.text(text.as_bytes());
        let _ = SemanticTable::parse(&String::from_utf8_lossy(&bytes));
        SemanticTable::read(&fold.file("a.semantic.txt", &bytes)).into()
    });
}

/// Most bytes for a damaged navmesh of some kilobytes: 65,536 tile slots, and the mesh itself.
const NAVMESH_STATED: usize = 64_000_000;

#[test]
fn navmesh() {
    let flat = build_with(&ProceduralConfig::default(), 3).unwrap();
    let whole = NavMesh::build(&flat, &NavMeshConfig::default()).unwrap().to_bytes();
    let head = 200.min(whole.len());
    run("navmesh", NAVMESH_STATED, |mutator, fold| {
        let mut bytes = whole.clone();
        // The headers are a small part of the file and where most can go wrong.
        match mutator.once_in(2) {
            true => bytes = mutator.bytes(&whole),
            false => {
                let start = mutator.bytes(&whole[..head]);
                bytes.splice(..head, start);
            }
        }
        let mesh = NavMesh::load(fold.file("a.navmesh", &bytes));
        if let Ok(mesh) = &mesh {
            walk(mesh);
        }
        mesh.into()
    });
}

/// Everything that the generator asks of a navmesh.
fn walk(mesh: &NavMesh) {
    let mut rng = Rng::stream(1, "walk", &[]);
    let _ = mesh.navigable_area_m2();
    let _ = mesh.require_island_radius(1.0);
    if let Some(point) = mesh.random_navigable_point(&mut rng) {
        let end = mesh.try_step(point, point + glam::Vec3::new(0.7, 0.0, 0.3));
        let _ = mesh.snap_point(end);
        let _ = mesh.distance_to_closest_obstacle(end, 2.0);
        let _ = mesh.find_path(point, end);
    }
    let _ = mesh.to_bytes();
}

#[test]
fn our_own_glb_is_read_back() {
    // The writer's side of the property: whatever it makes of a scene, the reader takes.
    let flat = build_with(&ProceduralConfig::default(), 5).unwrap();
    let bytes = to_glb(&flat).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path: &Path = &folder.path().join("flat.glb");
    std::fs::write(path, bytes).unwrap();
    let read = load(path, &SceneConfig::default()).unwrap();
    assert_eq!(read.triangle_count(), flat.triangle_count());
}

/// A mutator that damages nothing is of no use: the same case damages twice the same, another one differently.
#[test]
fn damage_follows_its_seed() {
    let whole = rich().to_bytes();
    let of = |case| Mutator::new("seed", case).bytes(&whole);
    assert_eq!(of(1), of(1));
    assert!((0..20).any(|case| of(case) != whole));
    assert!((0..20).any(|case| of(case) != of(case + 1)));
}
