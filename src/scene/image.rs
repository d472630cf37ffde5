//! Decoding of texture images: PNG, JPEG, WebP, BMP, TGA and Basis Universal, in parallel, within the limits.

use std::io::Cursor;
use std::path::Path;

use image::{ImageFormat, ImageReader};
use rayon::prelude::*;

use super::basis;
use super::config::Limits;
use super::error::SceneError;
use super::model::Texture;

/// An encoded image that is to become a texture.
pub(crate) struct EncodedImage<'a> {
    /// Name for messages.
    pub(crate) name: String,
    /// The bytes of the file.
    pub(crate) bytes: &'a [u8],
    /// The format when the bytes do not tell (TGA has no signature).
    pub(crate) hint: Option<ImageFormat>,
}

impl<'a> EncodedImage<'a> {
    /// An image whose name may tell its format.
    pub(crate) fn new(name: &str, bytes: &'a [u8]) -> Self {
        Self {
            name: super::files::shorten(name),
            bytes,
            hint: ImageFormat::from_path(name).ok(),
        }
    }

    fn reader(&self) -> Result<ImageReader<Cursor<&'a [u8]>>, String> {
        let mut reader = ImageReader::new(Cursor::new(self.bytes));
        // The bytes win over the name: pictures with a wrong suffix are common.
        match image::guess_format(self.bytes).ok().or(self.hint) {
            Some(format) => reader.set_format(format),
            None => return Err("it is of no known kind".to_owned()),
        }
        Ok(reader)
    }
}

/// Decodes images, each at most `max_texture_side` across and down and all within `max_texture_pixels`.
///
/// The outer error is for images over a limit; the inner one, a sentence, for an image that cannot be decoded.
pub(crate) fn decode_all(
    images: &[EncodedImage<'_>],
    limits: &Limits,
    path: &Path,
) -> Result<Vec<Result<Texture, String>>, SceneError> {
    let sizes: Vec<Result<(u32, u32), String>> = images.par_iter().map(dimensions).collect();
    let mut pixels = 0u64;
    for (image, size) in images.iter().zip(&sizes) {
        let Ok((width, height)) = *size else { continue };
        if width.max(height) > limits.max_texture_side {
            return Err(SceneError::TooLarge {
                what: format!("image {:?} of {width} x {height} pixels", image.name),
                limit: "limits.max_texture_side",
                allowed: limits.max_texture_side.into(),
                path: path.to_owned(),
            });
        }
        pixels = pixels.saturating_add(u64::from(width) * u64::from(height));
        if pixels > limits.max_texture_pixels {
            return Err(SceneError::TooLarge {
                what: format!("{pixels} texture pixels or more"),
                limit: "limits.max_texture_pixels",
                allowed: limits.max_texture_pixels,
                path: path.to_owned(),
            });
        }
    }
    Ok(images
        .par_iter()
        .zip(sizes)
        .map(|(image, size)| {
            size.and_then(|(width, height)| decode(image, width, height))
                .map_err(|why| format!("image {:?} cannot be read ({why}): drawn without it", image.name))
        })
        .collect())
}

fn dimensions(image: &EncodedImage<'_>) -> Result<(u32, u32), String> {
    if basis::is_basis(image.bytes) {
        return basis::dimensions(image.bytes);
    }
    image.reader()?.into_dimensions().map_err(|e| e.to_string())
}

fn decode(image: &EncodedImage<'_>, width: u32, height: u32) -> Result<Texture, String> {
    if basis::is_basis(image.bytes) {
        return Ok(Texture {
            name: image.name.clone(),
            width,
            height,
            rgba: basis::decode(image.bytes, width, height)?,
        });
    }
    let mut reader = image.reader()?;
    let mut allowed = image::Limits::default();
    allowed.max_image_width = Some(width);
    allowed.max_image_height = Some(height);
    // 16-bit RGBA, and as much again for the decoder's own buffers.
    allowed.max_alloc = Some(u64::from(width) * u64::from(height) * 16 + (16 << 20));
    reader.limits(allowed);
    let rgba = reader.decode().map_err(|e| e.to_string())?.into_rgba8();
    if rgba.width() == 0 || rgba.height() == 0 {
        return Err("it has no pixels".to_owned());
    }
    Ok(Texture {
        name: image.name.clone(),
        width: rgba.width(),
        height: rgba.height(),
        rgba: rgba.into_raw(),
    })
}
