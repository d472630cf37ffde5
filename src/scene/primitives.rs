//! Small scenes for tests and examples: a plane, a textured quad, a box room.

use glam::Vec3;

use super::model::{Material, Primitive, Sampler, Scene, TextureRef};
use super::texture::{Texels, Texture};

/// A horizontal square at height `y`, `side` metres long, centred on the origin, facing up, of one grey.
pub fn plane(side: f32, y: f32) -> Scene {
    let half = side / 2.0;
    let corner = Vec3::new(-half, y, half);
    let mut scene = Scene {
        name: "plane".to_owned(),
        materials: vec![Material {
            name: "grey".to_owned(),
            base_color: [0.5, 0.5, 0.5, 1.0],
            ..Material::default()
        }],
        primitives: vec![quad(corner, Vec3::X * side, Vec3::NEG_Z * side, [1.0, 1.0])],
        ..Scene::default()
    };
    seal(&mut scene);
    scene
}

/// An upright rectangle of `width` by `height` metres with a texture, centred at `center` and facing +Z: a camera on
/// its +Z side that looks along -Z sees the texture upright and unmirrored.
pub fn textured_quad(center: [f32; 3], width: f32, height: f32, texture: Texture) -> Scene {
    let corner = Vec3::from(center) - Vec3::new(width / 2.0, height / 2.0, 0.0);
    let mut scene = Scene {
        name: "textured quad".to_owned(),
        materials: vec![textured("picture", 0)],
        textures: vec![texture],
        primitives: vec![quad(corner, Vec3::X * width, Vec3::Y * height, [1.0, 1.0])],
        ..Scene::default()
    };
    seal(&mut scene);
    scene
}

/// The inside of a box of `size` metres (x, y, z): floor at y = 0, centred on the origin in x and z, six faces that
/// look inwards, each with its own material (instances 1 to 6: floor, ceiling, -X, +X, -Z, +Z wall).
///
/// With a texture, it repeats once a metre on every face; without one, each face has its own plain colour.
pub fn box_room(size: [f32; 3], texture: Option<Texture>) -> Scene {
    let [w, h, d] = size;
    let (x, z) = (w / 2.0, d / 2.0);
    let faces = [
        ("floor", Vec3::new(-x, 0.0, z), Vec3::X * w, Vec3::NEG_Z * d),
        ("ceiling", Vec3::new(-x, h, -z), Vec3::X * w, Vec3::Z * d),
        ("wall -X", Vec3::new(-x, 0.0, z), Vec3::NEG_Z * d, Vec3::Y * h),
        ("wall +X", Vec3::new(x, 0.0, -z), Vec3::Z * d, Vec3::Y * h),
        ("wall -Z", Vec3::new(-x, 0.0, -z), Vec3::X * w, Vec3::Y * h),
        ("wall +Z", Vec3::new(x, 0.0, z), Vec3::NEG_X * w, Vec3::Y * h),
    ];
    let plain = [
        [0.55, 0.40, 0.25, 1.0],
        [0.90, 0.90, 0.88, 1.0],
        [0.75, 0.45, 0.40, 1.0],
        [0.40, 0.65, 0.45, 1.0],
        [0.40, 0.50, 0.75, 1.0],
        [0.80, 0.75, 0.45, 1.0],
    ];
    let mut scene = Scene {
        name: "box room".to_owned(),
        ..Scene::default()
    };
    for (index, (name, corner, along, up)) in faces.into_iter().enumerate() {
        let repeats = if texture.is_some() {
            [along.length(), up.length()]
        } else {
            [1.0, 1.0]
        };
        let mut face = quad(corner, along, up, repeats);
        face.material = index;
        face.instance = index as u32 + 1;
        scene.primitives.push(face);
        scene.materials.push(match texture {
            Some(_) => textured(name, 0),
            None => Material {
                name: name.to_owned(),
                base_color: plain[index],
                ..Material::default()
            },
        });
    }
    scene.textures.extend(texture);
    seal(&mut scene);
    scene
}

/// A texture of `cells` by `cells` squares of `cell` pixels in two RGB colours; the top left square has the first.
pub fn checkerboard(cells: u32, cell: u32, first: [u8; 3], second: [u8; 3]) -> Texture {
    let side = cells * cell;
    let mut rgba = Vec::with_capacity(side as usize * side as usize * 4);
    for y in 0..side {
        for x in 0..side {
            let [r, g, b] = if (x / cell + y / cell).is_multiple_of(2) {
                first
            } else {
                second
            };
            rgba.extend([r, g, b, 255]);
        }
    }
    Texture::from_rgba("checkerboard", side, side, rgba)
}

/// A parallelogram from `corner` along `along` and `up`, counter-clockwise seen against their cross product; the
/// texture's lower left corner lies at `corner` and it repeats `repeats` times.
fn quad(corner: Vec3, along: Vec3, up: Vec3, repeats: [f32; 2]) -> Primitive {
    let [u, v] = repeats;
    Primitive {
        positions: [corner, corner + along, corner + along + up, corner + up]
            .map(Into::into)
            .to_vec(),
        uvs: vec![[0.0, v], [u, v], [u, 0.0], [0.0, 0.0]],
        indices: vec![0, 1, 2, 0, 2, 3],
        instance: 1,
        ..Primitive::default()
    }
}

fn textured(name: &str, texture: usize) -> Material {
    Material {
        name: name.to_owned(),
        texture: Some(TextureRef {
            texture,
            sampler: Sampler::default(),
        }),
        ..Material::default()
    }
}

/// Sets the hash from the content, as a file's is set from its bytes.
fn seal(scene: &mut Scene) {
    let mut hasher = blake3::Hasher::new();
    for primitive in &scene.primitives {
        hasher.update(bytemuck::cast_slice(&primitive.positions));
        hasher.update(bytemuck::cast_slice(&primitive.uvs));
        hasher.update(bytemuck::cast_slice(&primitive.indices));
    }
    for texture in &scene.textures {
        if let Texels::Rgba8(rgba) = &texture.texels {
            hasher.update(rgba);
        }
    }
    scene.hash = *hasher.finalize().as_bytes();
}
