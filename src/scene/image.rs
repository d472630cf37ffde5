//! Decoding of texture images: PNG, JPEG, WebP, BMP, TGA and Basis Universal, in parallel, within the limits.

use std::io::Cursor;
use std::path::Path;

use image::{ImageFormat, ImageReader};
use rayon::prelude::*;

use super::basis;
use super::config::Limits;
use super::error::SceneError;
use super::texture::{Texels, Texture};
use crate::contain::or_error;

/// Pixels of the images that are decoded at the same time, on all threads together. A decoder takes at most 16 bytes a
/// pixel beside its result, so this is 2 GiB; eight 4096 x 4096 images or one of the largest allowed are within it.
const PIXELS_AT_ONCE: u64 = 1 << 27;

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
    let sizes: Vec<Result<(u32, u32), String>> =
        images.par_iter().map(|image| or_error(|| dimensions(image))).collect();
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
    let mut decoded = Vec::with_capacity(images.len());
    let (mut images, mut sizes) = (images, sizes.as_slice());
    while !images.is_empty() {
        let count = at_once(sizes, PIXELS_AT_ONCE);
        let (now, later) = (images.split_at(count), sizes.split_at(count));
        decoded.par_extend(now.0.par_iter().zip(later.0).map(|(image, size)| {
            let (width, height) = size.clone().map_err(|why| unreadable(image, &why))?;
            or_error(|| decode(image, width, height)).map_err(|why| unreadable(image, &why))
        }));
        (images, sizes) = (now.1, later.1);
    }
    Ok(decoded)
}

fn unreadable(image: &EncodedImage<'_>, why: &str) -> String {
    format!("image {:?} cannot be read ({why}): drawn without it", image.name)
}

/// How many of the first images may be decoded together: those that have `pixels` together, and one at least.
fn at_once(sizes: &[Result<(u32, u32), String>], pixels: u64) -> usize {
    let mut total = 0u64;
    let fitting = sizes.iter().take_while(|size| {
        let (width, height) = size.as_ref().copied().unwrap_or_default();
        total = total.saturating_add(u64::from(width) * u64::from(height));
        total <= pixels
    });
    fitting.count().max(1)
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
            texels: match basis::transcode(image.bytes, width, height) {
                Some(texels) => Texels::Basis(texels),
                None => Texels::Rgba8(basis::decode(image.bytes, width, height)?),
            },
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
    let (width, height) = rgba.dimensions();
    Ok(Texture::from_rgba(image.name.as_str(), width, height, rgba.into_raw()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_decoded_together_up_to_the_bound_and_never_none() {
        let sizes = [Ok((10, 10)), Err("broken".to_owned()), Ok((5, 10)), Ok((1, 1))];
        assert_eq!(at_once(&sizes, 151), 4);
        assert_eq!(at_once(&sizes, 150), 3);
        assert_eq!(at_once(&sizes, 149), 2);
        assert_eq!(at_once(&sizes, 3), 1);
        assert_eq!(at_once(&sizes[3..], 1), 1);
    }
}
