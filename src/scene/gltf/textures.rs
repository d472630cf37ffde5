//! From a material's texture to a decoded image: which source, which bytes.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::buffers::{Buffers, read_uri};
use super::json::{Root, TextureInfo};
use super::material::sampler;
use crate::scene::builder::SceneBuilder;
use crate::scene::config::Limits;
use crate::scene::error::SceneError;
use crate::scene::files::SceneFiles;
use crate::scene::image::{EncodedImage, decode_all};
use crate::scene::model::TextureRef;

/// Reads and decodes the images behind `wanted` (one entry a material), each image once, and sets the materials'
/// textures. An image that is missing or broken is a warning; the material then shows its factor alone.
pub(super) fn attach(
    root: &Root<'_>,
    buffers: &Buffers<'_>,
    wanted: &[Option<&TextureInfo>],
    files: &mut SceneFiles,
    limits: &Limits,
    builder: &mut SceneBuilder,
) -> Result<(), SceneError> {
    let mut sources = Vec::with_capacity(wanted.len());
    for info in wanted {
        sources.push(match info {
            Some(info) => image_of(root, info.index, builder, files)?,
            None => None,
        });
    }
    let mut encoded: BTreeMap<usize, Cow<'_, [u8]>> = BTreeMap::new();
    let mut used: Vec<usize> = sources.iter().flatten().copied().collect();
    used.sort_unstable();
    used.dedup();
    for image in used {
        match bytes_of(root, buffers, image, files)? {
            Ok(bytes) => {
                encoded.insert(image, bytes);
            }
            Err(why) => builder.warn(format!("image {image} cannot be read ({why}): drawn without it")),
        }
    }
    let images: Vec<EncodedImage<'_>> = encoded.iter().map(|(&i, bytes)| describe(root, i, bytes)).collect();
    let decoded = decode_all(&images, limits, &files.path)?;
    let mut texture_of_image = BTreeMap::new();
    for (&image, texture) in encoded.keys().zip(decoded) {
        match texture {
            Ok(texture) => {
                texture_of_image.insert(image, builder.scene.textures.len());
                builder.scene.textures.push(texture);
            }
            Err(why) => builder.warn(why),
        }
    }
    for ((material, info), source) in builder.scene.materials.iter_mut().zip(wanted).zip(sources) {
        let texture = source.and_then(|image| texture_of_image.get(&image));
        if let (Some(info), Some(&texture)) = (info, texture) {
            material.texture = Some(TextureRef {
                texture,
                sampler: sampler(root, info.index),
            });
        }
    }
    Ok(())
}

/// The image that a texture shows: Basis or WebP where it is offered, else the core one.
fn image_of(
    root: &Root<'_>,
    texture: usize,
    builder: &mut SceneBuilder,
    files: &SceneFiles,
) -> Result<Option<usize>, SceneError> {
    let json = root.textures.get(texture).ok_or_else(|| {
        SceneError::malformed(
            &files.path,
            format!("texture {texture} is named but there are {}", root.textures.len()),
        )
    })?;
    let extensions = &json.extensions;
    let offered = [&extensions.basisu, &extensions.google_basis, &extensions.webp]
        .into_iter()
        .flatten()
        .find_map(|s| s.source)
        .or(json.source);
    if offered.is_none() {
        builder.warn(format!(
            "texture {texture} names no image that is known: drawn without it"
        ));
    }
    Ok(offered)
}

/// The encoded bytes of an image; the inner error is a sentence for a warning.
#[allow(
    clippy::type_complexity,
    reason = "fatal errors outside, a sentence for a warning inside"
)]
fn bytes_of<'a>(
    root: &Root<'_>,
    buffers: &'a Buffers<'_>,
    image: usize,
    files: &mut SceneFiles,
) -> Result<Result<Cow<'a, [u8]>, String>, SceneError> {
    let Some(json) = root.images.get(image) else {
        return Err(SceneError::malformed(
            &files.path,
            format!("image {image} is named but there are {}", root.images.len()),
        ));
    };
    if let Some(view) = json.buffer_view {
        return Ok(buffers.view(root, view).map(Cow::Borrowed));
    }
    let Some(uri) = &json.uri else {
        return Ok(Err("it has neither a buffer view nor a URI".to_owned()));
    };
    match read_uri(uri, files) {
        Ok(bytes) => Ok(Ok(Cow::Owned(bytes))),
        Err(SceneError::MissingPart { reference, .. }) => Ok(Err(format!("file {reference:?} is missing"))),
        Err(SceneError::Malformed { what, .. }) => Ok(Err(what)),
        Err(other) => Err(other),
    }
}

fn describe<'a>(root: &Root<'_>, image: usize, bytes: &'a [u8]) -> EncodedImage<'a> {
    let json = root.images.get(image);
    let file = json
        .and_then(|i| i.uri.as_deref())
        .filter(|uri| !uri.starts_with("data:"));
    let name = json.and_then(|i| i.name.as_deref()).or(file);
    let mut described = EncodedImage::new(name.unwrap_or(&format!("image {image}")), bytes);
    if let Some(kind) = json.and_then(|i| i.mime_type.as_deref()) {
        described.hint = image::ImageFormat::from_mime_type(kind).or(described.hint);
    }
    described
}
