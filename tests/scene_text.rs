//! OBJ with MTL, and PLY, on files written here.
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the report")]

mod scene_support;

use covista::scene::{AlphaMode, Scene, SceneConfig, SceneError, Wrap};
use scene_support::{load_bytes, load_files, png};

fn config() -> SceneConfig {
    SceneConfig::default()
}

fn obj(text: &str) -> Result<Scene, SceneError> {
    load_bytes("model.obj", text.as_bytes(), &config())
}

#[test]
fn an_obj_square_with_material_and_picture() {
    let text = "mtllib room.mtl\nv 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nvt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\nvn 0 0 1\n\
                usemtl my wall\nf 1/1/1 2/2/1 3/3/1 4/4/1\n";
    let library =
        "# a comment\nnewmtl my wall\nKd 0.5 0.25 1\nmap_Kd -clamp on wall paper.png\nnewmtl other\nKd 1 0 0\n";
    let picture = png(1, 2, &[10, 20, 30, 255, 40, 50, 60, 255]);
    let files: [(&str, &[u8]); 3] = [
        ("model.obj", text.as_bytes()),
        ("room.mtl", library.as_bytes()),
        ("wall paper.png", &picture),
    ];
    let scene = load_files(&files, &config()).unwrap();
    assert_eq!(scene.triangle_count(), 2);
    let primitive = &scene.primitives[0];
    assert_eq!(primitive.positions.len(), 4);
    assert_eq!(primitive.indices, [0, 1, 2, 0, 2, 3]);
    // The first corner is at the picture's lower left.
    assert_eq!(primitive.uvs, [[0., 1.], [1., 1.], [1., 0.], [0., 0.]]);
    assert_eq!(scene.materials.len(), 1);
    assert_eq!(scene.materials[0].name, "my wall");
    assert_eq!(scene.materials[0].base_color, [0.5, 0.25, 1.0, 1.0]);
    assert_eq!(scene.materials[0].texture.unwrap().sampler.wrap, [Wrap::Clamp; 2]);
    assert_eq!(scene.textures[0].rgba().unwrap()[..3], [10, 20, 30]);
    let mut hasher = blake3::Hasher::new();
    for (_, bytes) in files {
        hasher.update(bytes);
    }
    assert_eq!(scene.hash, *hasher.finalize().as_bytes());
}

#[test]
fn obj_objects_materials_and_relative_indices() {
    let scene = obj(
        "o a\nv 0 0 0\nv 1 0 0\nv 0 1 0\nf -3 -2 -1\no b\nusemtl red\nf 1 2 3\nusemtl blue\nf 1 2 3\n\
                     usemtl red\nf 3 2 1\n",
    )
    .unwrap();
    let seen: Vec<(u32, usize, usize)> = scene
        .primitives
        .iter()
        .map(|p| (p.instance, p.material, p.indices.len() / 3))
        .collect();
    // Materials in the order of their use; what has none comes last.
    assert_eq!(seen, [(1, 2, 1), (2, 0, 2), (2, 1, 1)]);
    assert_eq!(scene.primitives[0].indices, [0, 1, 2]);
}

#[test]
fn obj_colours_and_transparency() {
    let text = "mtllib a.mtl\nusemtl glass\nv 0 0 0 1 0 0\nv 1 0 0 0 1 0\nv 0 1 0 0 0 1\nf 1 2 3\n";
    let files: [(&str, &[u8]); 2] = [("a.obj", text.as_bytes()), ("a.mtl", b"newmtl glass\nd 0.25\n")];
    let scene = load_files(&files, &config()).unwrap();
    assert_eq!(scene.materials[0].alpha, AlphaMode::Blend);
    assert_eq!(scene.materials[0].base_color[3], 0.25);
    let expected = [[1., 0., 0., 1.], [0., 1., 0., 1.], [0., 0., 1., 1.]];
    assert_eq!(scene.primitives[0].colors, expected);
}

#[test]
fn what_an_obj_lacks_is_a_warning_and_what_is_wrong_an_error() {
    let triangle = "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n";
    let scene = obj(&format!("mtllib gone.mtl\nusemtl a\n{triangle}")).unwrap();
    assert_eq!(scene.warnings.len(), 2, "{:?}", scene.warnings);
    for (text, expected) in [
        ("v 0 0\n", "line 1: a vertex has fewer than 3 coordinates"),
        ("v 0 0 zero\n", "line 1: \"zero\" is not a number"),
        (
            "v 0 0 0\nf 1 1 2\n",
            "line 2: the face corner \"2\" is out of range: there are 1",
        ),
        ("v 0 0 0\nf 0 1 1\n", "line 2: the face corner \"0\" is out of range"),
        (
            "v 0 0 0\nf 1/1 1/1 1/1\n",
            "line 2: the face corner \"1/1\" is out of range: there are 0",
        ),
    ] {
        let error = obj(text).unwrap_err();
        assert!(matches!(error, SceneError::Malformed { .. }));
        assert!(error.to_string().contains(expected), "{error}");
    }
    assert!(matches!(obj("v 0 0 0\n"), Err(SceneError::Empty { .. })));
    let error = obj(&format!("mtllib ../secret.mtl\n{triangle}")).unwrap_err();
    assert!(matches!(error, SceneError::OutsideFolder { .. }), "{error}");
}

const PLY_HEADER: &str = "element vertex 4\nproperty float x\nproperty float y\nproperty double z\n\
    property uchar red\nproperty uchar green\nproperty uchar blue\nproperty short extra\n\
    element face 2\nproperty int flag\nproperty list uchar uint vertex_indices\nend_header\n";

#[test]
fn ply_in_three_encodings() {
    let vertices: [([f32; 2], f64, [u8; 3]); 4] = [
        ([0., 0.], 0., [255, 0, 0]),
        ([1., 0.], 0., [0, 255, 0]),
        ([1., 1.], 0., [0, 0, 255]),
        ([0., 1.], 0.5, [51, 51, 51]),
    ];
    let faces: [&[u32]; 2] = [&[0, 1, 2, 3], &[0, 2]];
    let mut ascii = String::new();
    for (xy, z, [r, g, b]) in &vertices {
        ascii += &format!("{} {} {z} {r} {g} {b} -7\n", xy[0], xy[1]);
    }
    ascii += "9 4 0 1 2 3\n9 2 0 2\n";
    let binary = |big: bool| {
        let put = |out: &mut Vec<u8>, mut bytes: Vec<u8>| {
            if big {
                bytes.reverse();
            }
            out.extend(bytes);
        };
        let mut out = Vec::new();
        for (xy, z, rgb) in &vertices {
            xy.iter().for_each(|v| put(&mut out, v.to_le_bytes().to_vec()));
            put(&mut out, z.to_le_bytes().to_vec());
            out.extend(rgb);
            put(&mut out, (-7i16).to_le_bytes().to_vec());
        }
        for face in faces {
            put(&mut out, 9i32.to_le_bytes().to_vec());
            out.push(face.len() as u8);
            face.iter().for_each(|v| put(&mut out, v.to_le_bytes().to_vec()));
        }
        out
    };
    for (format, body) in [
        ("ascii", ascii.into_bytes()),
        ("binary_little_endian", binary(false)),
        ("binary_big_endian", binary(true)),
    ] {
        let mut file = format!("ply\nformat {format} 1.0\ncomment hello\n{PLY_HEADER}").into_bytes();
        file.extend(&body);
        let scene = load_bytes("mesh.ply", &file, &config()).unwrap();
        let p = &scene.primitives[0];
        assert_eq!(
            p.positions,
            [[0., 0., 0.], [1., 0., 0.], [1., 1., 0.], [0., 1., 0.5]],
            "{format}"
        );
        assert_eq!(p.indices, [0, 1, 2, 0, 2, 3]);
        assert_eq!(p.colors[1], [0., 1., 0., 1.]);
        assert!((p.colors[3][0] - 0.2).abs() < 1e-6);
        // Every shorter file is refused, and none is a panic.
        for length in 0..file.len() - 1 {
            assert!(
                load_bytes("mesh.ply", &file[..length], &config()).is_err(),
                "{format} {length}"
            );
        }
    }
}

#[test]
fn ply_texture_coordinates_by_vertex_and_by_corner() {
    let picture = png(1, 1, &[1, 2, 3, 255]);
    let by_vertex = "ply\nformat ascii 1.0\ncomment TextureFile my wall.png\nelement vertex 3\nproperty float x\n\
        property float y\nproperty float z\nproperty float s\nproperty float t\nelement face 1\n\
        property list uchar int vertex_index\nend_header\n0 0 0 0 0\n1 0 0 1 0\n0 1 0 0 1\n3 0 1 2\n";
    let by_corner = "ply\nformat ascii 1.0\ncomment TextureFile my wall.png\nelement vertex 3\nproperty float x\n\
        property float y\nproperty float z\nelement face 2\nproperty list uchar int vertex_indices\n\
        property list uchar float texcoord\nend_header\n0 0 0\n1 0 0\n0 1 0\n\
        3 0 1 2 6 0 0 1 0 0 1\n3 0 1 2 6 0.5 0.5 1 0 0 1\n";
    for (text, vertices) in [(by_vertex, 3), (by_corner, 6)] {
        let files: [(&str, &[u8]); 2] = [("mesh.ply", text.as_bytes()), ("my wall.png", &picture)];
        let scene = load_files(&files, &config()).unwrap();
        let p = &scene.primitives[0];
        assert_eq!(p.positions.len(), vertices);
        assert_eq!(p.uvs[..3], [[0., 1.], [1., 1.], [0., 0.]]);
        assert_eq!(scene.materials[0].texture.unwrap().texture, 0);
        assert_eq!(*scene.textures[0].rgba().unwrap(), [1, 2, 3, 255]);
    }
}

#[test]
fn scans_that_are_known_to_be_z_up_are_turned() {
    let ply = b"ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\nproperty float z\n\
        element face 1\nproperty list uchar int vertex_indices\nend_header\n0 0 1\n1 0 1\n0 1 1\n3 0 1 2\n";
    let height = |files: &[(&str, &[u8])]| load_files(files, &config()).unwrap().primitives[0].positions[0][1];
    assert_eq!(height(&[("room.ply", ply)]), 0.0);
    assert_eq!(height(&[("scene0000_00_vh_clean_2.ply", ply)]), 1.0);
    assert_eq!(
        height(&[("mesh.ply", ply), ("habitat/mesh_semantic.navmesh", b"")]),
        1.0
    );
}
