//! An OBJ file and its libraries become a scene.

use std::collections::{HashMap, HashSet};

use glam::{Affine3A, Vec3};

use super::material::{self, MtlMaterial};
use super::parse::{Group, Parsed, parse};
use crate::scene::builder::{SceneBuilder, fraction};
use crate::scene::config::Limits;
use crate::scene::error::SceneError;
use crate::scene::files::{SceneFiles, shorten};
use crate::scene::image::{EncodedImage, decode_all};
use crate::scene::model::{AlphaMode, Material, Primitive, Sampler, TextureRef};

/// Reads an OBJ file into `builder`. A material library or texture that is missing is a warning.
pub(in crate::scene) fn read(
    bytes: &[u8],
    world_from_file: Affine3A,
    limits: &Limits,
    files: &mut SceneFiles,
    builder: &mut SceneBuilder,
) -> Result<(), SceneError> {
    let path = files.path.clone();
    let parsed = parse(
        bytes,
        |what| SceneError::malformed(&path, what),
        |vertices, triangles| builder.reserve(vertices, triangles),
    )?;
    let library = read_libraries(&parsed, files, builder)?;
    let known: Vec<Option<&MtlMaterial>> = parsed.materials.iter().map(|name| library.get(name)).collect();
    for (name, found) in parsed.materials.iter().zip(&known) {
        if found.is_none() && !parsed.libraries.is_empty() {
            builder.warn(format!("material {:?} is in no library: drawn white", shorten(name)));
        }
        let converted = convert(name, *found, builder);
        builder.scene.materials.push(converted);
    }
    builder.scene.materials.push(Material::default());

    for group in &parsed.groups {
        builder.add(place(group, &parsed, world_from_file))?;
    }
    let kept = builder.keep_used_materials();
    let wanted: Vec<Option<&MtlMaterial>> = kept.iter().map(|&old| known.get(old).copied().flatten()).collect();
    attach_textures(&wanted, files, limits, builder)
}

fn read_libraries(
    parsed: &Parsed,
    files: &mut SceneFiles,
    builder: &mut SceneBuilder,
) -> Result<HashMap<String, MtlMaterial>, SceneError> {
    let mut library = HashMap::new();
    let mut seen: HashSet<&str> = HashSet::new();
    for name in &parsed.libraries {
        if !seen.insert(name) {
            continue;
        }
        // A library is one file whose name may hold blanks; old files list several.
        let mut found = read_or_warn(name, files)?;
        if found.is_none() && name.contains(' ') {
            for part in name.split_whitespace() {
                if let Some(bytes) = read_or_warn(part, files)? {
                    found.get_or_insert_default().extend(bytes);
                }
            }
        }
        let Some(bytes) = found else {
            builder.warn(format!(
                "material library {:?} is missing: drawn without it",
                shorten(name)
            ));
            continue;
        };
        let mut warnings = Vec::new();
        material::parse(&bytes, &mut library, &mut warnings);
        for warning in warnings {
            builder.warn(warning);
        }
    }
    Ok(library)
}

/// Reads and hashes a file beside the scene; `None` when it is not there.
fn read_or_warn(name: &str, files: &mut SceneFiles) -> Result<Option<Vec<u8>>, SceneError> {
    match files.read(name) {
        Ok(bytes) => {
            files.hash(&bytes);
            Ok(Some(bytes))
        }
        Err(SceneError::MissingPart { .. }) => Ok(None),
        Err(other) => Err(other),
    }
}

fn convert(name: &str, found: Option<&MtlMaterial>, builder: &mut SceneBuilder) -> Material {
    let mut converted = Material {
        name: shorten(name),
        ..Material::default()
    };
    let Some(mtl) = found else { return converted };
    let [r, g, b] = mtl.diffuse;
    let mut opacity = mtl.opacity;
    if opacity <= 0.0 {
        // Some programs write `Tr 1` for what is opaque, and nobody models what cannot be seen.
        builder.warn(format!("material {:?} would be invisible: drawn opaque", shorten(name)));
        opacity = 1.0;
    }
    converted.base_color = [r, g, b, opacity].map(fraction);
    if opacity < 1.0 {
        converted.alpha = AlphaMode::Blend;
    } else if mtl.opacity_map.is_some() {
        if mtl.opacity_map == mtl.texture {
            converted.alpha = AlphaMode::Mask(0.5);
        } else {
            builder.warn("map_d with a picture of its own is ignored: drawn opaque");
        }
    }
    converted
}

fn place(group: &Group, parsed: &Parsed, world_from_file: Affine3A) -> Primitive {
    let position = |&(at, _): &(u32, Option<u32>)| {
        world_from_file
            .transform_point3(Vec3::from(parsed.positions[at as usize]))
            .into()
    };
    let has_uvs = group.vertices.iter().any(|(_, uv)| uv.is_some());
    let uv = |&(_, at): &(u32, Option<u32>)| match at {
        // OBJ counts from the bottom of the picture.
        Some(at) => [parsed.uvs[at as usize][0], 1.0 - parsed.uvs[at as usize][1]],
        None => [0.0; 2],
    };
    let color = |&(at, _): &(u32, Option<u32>)| {
        let [r, g, b] = parsed.colors[at as usize];
        [r, g, b, 1.0]
    };
    let vertices = group.vertices.iter();
    Primitive {
        positions: vertices.clone().map(position).collect(),
        uvs: if has_uvs {
            vertices.clone().map(uv).collect()
        } else {
            Vec::new()
        },
        colors: if parsed.colors.is_empty() {
            Vec::new()
        } else {
            vertices.map(color).collect()
        },
        indices: group.indices.clone(),
        material: group.material.unwrap_or(parsed.materials.len()),
        instance: group.instance,
        ..Primitive::default()
    }
}

/// Reads each texture file once, in the order of first use, and sets the materials' textures.
fn attach_textures(
    wanted: &[Option<&MtlMaterial>],
    files: &mut SceneFiles,
    limits: &Limits,
    builder: &mut SceneBuilder,
) -> Result<(), SceneError> {
    let mut seen: HashSet<&str> = HashSet::new();
    let mut encoded: Vec<(&str, Vec<u8>)> = Vec::new();
    for name in wanted.iter().flatten().filter_map(|m| m.texture.as_deref()) {
        if !seen.insert(name) {
            continue;
        }
        match read_or_warn(name, files)? {
            Some(bytes) => encoded.push((name, bytes)),
            None => builder.warn(format!("texture {:?} is missing: drawn without it", shorten(name))),
        }
    }
    let images: Vec<EncodedImage<'_>> = encoded
        .iter()
        .map(|(name, bytes)| EncodedImage::new(name, bytes))
        .collect();
    let mut texture_of: HashMap<&str, usize> = HashMap::new();
    for ((name, _), decoded) in encoded.iter().zip(decode_all(&images, limits, &files.path)?) {
        match decoded {
            Ok(texture) => {
                texture_of.insert(name, builder.scene.textures.len());
                builder.scene.textures.push(texture);
            }
            Err(why) => builder.warn(why),
        }
    }
    for (material, mtl) in builder.scene.materials.iter_mut().zip(wanted) {
        let Some(mtl) = mtl else { continue };
        let texture = mtl.texture.as_deref().and_then(|name| texture_of.get(name));
        material.texture = texture.map(|&texture| TextureRef {
            texture,
            sampler: Sampler {
                wrap: [mtl.wrap; 2],
                ..Sampler::default()
            },
        });
    }
    Ok(())
}
