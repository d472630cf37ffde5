//! Pictures to bytes, the same bytes every time.

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder, RgbImage};
use serde::{Deserialize, Serialize};

use super::ExportError;

/// How pictures of a set are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PictureFormat {
    /// Lossless.
    #[default]
    Png,
    /// Quality 95, as the released set (OpenCV's default).
    Jpeg,
}

impl PictureFormat {
    /// Extension of the files, without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpg",
        }
    }
}

/// The file bytes of a picture.
///
/// # Errors
///
/// [`ExportError::Unfit`] where the encoder refuses the picture (no pixels, or too many).
pub fn encode_picture(picture: &RgbImage, format: PictureFormat) -> Result<Vec<u8>, ExportError> {
    let mut bytes = Vec::new();
    let (width, height) = picture.dimensions();
    match format {
        PictureFormat::Png => PngEncoder::new_with_quality(&mut bytes, CompressionType::Default, FilterType::Adaptive)
            .write_image(picture.as_raw(), width, height, ExtendedColorType::Rgb8),
        PictureFormat::Jpeg => JpegEncoder::new_with_quality(&mut bytes, 95).write_image(
            picture.as_raw(),
            width,
            height,
            ExtendedColorType::Rgb8,
        ),
    }
    .map_err(|e| ExportError::Unfit {
        format: "a picture",
        why: e.to_string(),
    })?;
    Ok(bytes)
}
