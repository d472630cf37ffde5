//! A PLY file becomes a scene.

use glam::{Affine3A, Vec3};

use super::body::Body;
use super::header::{self, Element, Property};
use crate::scene::builder::SceneBuilder;
use crate::scene::config::Limits;
use crate::scene::error::SceneError;
use crate::scene::files::{SceneFiles, shorten};
use crate::scene::image::{EncodedImage, decode_all};
use crate::scene::model::{Material, Primitive, Sampler, TextureRef};

/// Where a vertex property goes.
#[derive(Clone, Copy)]
enum Slot {
    Position(usize),
    Color(usize),
    Uv(usize),
    Nowhere,
}

/// Faces with texture coordinates of their own: the corners' coordinates, in the order of the indices.
#[derive(Default)]
struct Faces {
    indices: Vec<u32>,
    corner_uvs: Vec<[f32; 2]>,
}

/// Reads a PLY file into `builder`. The first `comment TextureFile` is the texture of everything.
pub(in crate::scene) fn read(
    bytes: &[u8],
    world_from_file: Affine3A,
    limits: &Limits,
    files: &mut SceneFiles,
    builder: &mut SceneBuilder,
) -> Result<(), SceneError> {
    let path = files.path.clone();
    let malformed = |what: String| SceneError::malformed(&path, what);
    let header = header::parse(bytes).map_err(malformed)?;
    let mut body = Body::new(&bytes[header.body..], header.encoding);
    let mut primitive = Primitive {
        instance: 1,
        ..Primitive::default()
    };
    let mut faces = Faces::default();
    for element in &header.elements {
        match element.name.as_str() {
            "vertex" => {
                builder.reserve(element.count, 0)?;
                vertices(element, &mut body, &mut primitive).map_err(malformed)?;
            }
            "face" => read_faces(element, &mut body, &mut faces, builder, &path)?,
            name => {
                if name == "tristrips" {
                    builder.warn("PLY triangle strips are not read");
                }
                skip(element, &mut body).map_err(malformed)?;
            }
        }
    }
    for position in &mut primitive.positions {
        *position = world_from_file.transform_point3(Vec3::from(*position)).into();
    }
    if header.textures.len() > 1 {
        builder.warn("the PLY names several textures: the first is used");
    }
    if faces.corner_uvs.len() == faces.indices.len() && !faces.indices.is_empty() && !header.textures.is_empty() {
        builder.reserve(faces.indices.len(), 0)?;
        split_corners(&mut primitive, faces).map_err(malformed)?;
    } else {
        primitive.indices = faces.indices;
    }
    builder.add(primitive)?;
    let texture = read_texture(header.textures.first(), limits, files, builder)?;
    builder.scene.materials.push(Material {
        name: "ply".to_owned(),
        texture,
        ..Material::default()
    });
    Ok(())
}

fn vertices(element: &Element, body: &mut Body<'_>, primitive: &mut Primitive) -> Result<(), String> {
    let slots: Vec<Slot> = element.properties.iter().map(slot).collect();
    let has = |wanted: fn(&Slot) -> bool| slots.iter().any(wanted);
    let (has_color, has_uv) = (has(|s| matches!(s, Slot::Color(_))), has(|s| matches!(s, Slot::Uv(_))));
    let mut numbers = Vec::new();
    for _ in 0..element.count {
        let (mut position, mut color, mut uv) = ([0.0f32; 3], [1.0f32; 4], [0.0f32; 2]);
        for (property, slot) in element.properties.iter().zip(&slots) {
            body.property(property, &mut numbers)?;
            let value = numbers.first().copied().unwrap_or(0.0);
            match *slot {
                Slot::Position(axis) => position[axis] = value as f32,
                Slot::Color(channel) => color[channel] = (value / property.kind.unit()) as f32,
                // PLY counts from the bottom of the picture.
                Slot::Uv(0) => uv[0] = value as f32,
                Slot::Uv(_) => uv[1] = 1.0 - value as f32,
                Slot::Nowhere => {}
            }
        }
        if element.properties.is_empty() {
            return Err("its vertices have no properties".to_owned());
        }
        primitive.positions.push(position);
        if has_color {
            primitive.colors.push(color);
        }
        if has_uv {
            primitive.uvs.push(uv);
        }
    }
    Ok(())
}

fn slot(property: &Property) -> Slot {
    if property.list.is_some() {
        return Slot::Nowhere;
    }
    match property.name.as_str() {
        "x" => Slot::Position(0),
        "y" => Slot::Position(1),
        "z" => Slot::Position(2),
        "red" | "r" | "diffuse_red" => Slot::Color(0),
        "green" | "g" | "diffuse_green" => Slot::Color(1),
        "blue" | "b" | "diffuse_blue" => Slot::Color(2),
        "alpha" | "a" | "diffuse_alpha" => Slot::Color(3),
        "s" | "u" | "texture_u" | "texture_s" => Slot::Uv(0),
        "t" | "v" | "texture_v" | "texture_t" => Slot::Uv(1),
        _ => Slot::Nowhere,
    }
}

fn read_faces(
    element: &Element,
    body: &mut Body<'_>,
    faces: &mut Faces,
    builder: &mut SceneBuilder,
    path: &std::path::Path,
) -> Result<(), SceneError> {
    let malformed = |what: String| SceneError::malformed(path, what);
    let (mut polygon, mut uvs, mut other) = (Vec::new(), Vec::new(), Vec::new());
    if element.properties.is_empty() {
        return Ok(());
    }
    for _ in 0..element.count {
        polygon.clear();
        uvs.clear();
        for property in &element.properties {
            let target = match property.name.as_str() {
                "vertex_indices" | "vertex_index" if property.list.is_some() => &mut polygon,
                "texcoord" if property.list.is_some() => &mut uvs,
                _ => &mut other,
            };
            body.property(property, target).map_err(malformed)?;
        }
        if polygon.len() < 3 {
            continue;
        }
        let triangles = polygon.len() - 2;
        builder.reserve(0, triangles)?;
        let has_uvs = uvs.len() >= polygon.len() * 2;
        for k in 0..triangles {
            for corner in [0, k + 1, k + 2] {
                let index = polygon[corner];
                if !(0.0..f64::from(u32::MAX)).contains(&index) {
                    return Err(malformed(format!("a PLY face uses vertex {index}")));
                }
                faces.indices.push(index as u32);
                if has_uvs {
                    let (u, v) = (uvs[corner * 2] as f32, uvs[corner * 2 + 1] as f32);
                    faces.corner_uvs.push([u, 1.0 - v]);
                }
            }
        }
    }
    Ok(())
}

fn skip(element: &Element, body: &mut Body<'_>) -> Result<(), String> {
    let mut numbers = Vec::new();
    // An element without properties takes no bytes, and its count may be anything.
    if element.properties.is_empty() {
        return Ok(());
    }
    for _ in 0..element.count {
        for property in &element.properties {
            body.property(property, &mut numbers)?;
        }
    }
    Ok(())
}

/// Gives each corner a vertex of its own, because the texture coordinates belong to corners.
fn split_corners(primitive: &mut Primitive, faces: Faces) -> Result<(), String> {
    let count = primitive.positions.len();
    if let Some(bad) = faces.indices.iter().find(|&&i| i as usize >= count) {
        return Err(format!("a PLY face uses vertex {bad} of {count}"));
    }
    let corners = faces.indices.iter().map(|&i| i as usize);
    primitive.positions = corners.clone().map(|i| primitive.positions[i]).collect();
    if primitive.colors.len() == count {
        primitive.colors = corners.map(|i| primitive.colors[i]).collect();
    }
    primitive.indices = (0..faces.indices.len() as u32).collect();
    primitive.uvs = faces.corner_uvs;
    Ok(())
}

fn read_texture(
    name: Option<&String>,
    limits: &Limits,
    files: &mut SceneFiles,
    builder: &mut SceneBuilder,
) -> Result<Option<TextureRef>, SceneError> {
    let Some(name) = name else { return Ok(None) };
    let bytes = match files.read(name) {
        Ok(bytes) => bytes,
        Err(SceneError::MissingPart { .. }) => {
            builder.warn(format!("texture {:?} is missing: drawn without it", shorten(name)));
            return Ok(None);
        }
        Err(other) => return Err(other),
    };
    files.hash(&bytes);
    for decoded in decode_all(&[EncodedImage::new(name, &bytes)], limits, &files.path)? {
        match decoded {
            Ok(texture) => {
                builder.scene.textures.push(texture);
                return Ok(Some(TextureRef {
                    texture: 0,
                    sampler: Sampler::default(),
                }));
            }
            Err(why) => builder.warn(why),
        }
    }
    Ok(None)
}
