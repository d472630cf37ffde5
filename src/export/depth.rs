//! Depth maps as files of other programs: OpenEXR, NumPy, 16-bit PNG.

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};
use serde::{Deserialize, Serialize};

use super::{ExportError, exr, npy};
use crate::view::DepthMap;

/// How a tree holds depth: z along the optical axis in metres, 0 where nothing was hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DepthFormat {
    /// OpenEXR with one channel `Y` of 16-bit floats, as the released sets have it: 11 bits of precision.
    #[default]
    Exr,
    /// OpenEXR with one channel `Y` of 32-bit floats: nothing is lost.
    Exr32,
    /// NumPy float32 `[height, width]`: nothing is lost.
    Npy,
    /// No depth.
    None,
}

impl DepthFormat {
    /// Extension of the files without the dot; `None` where there are none.
    pub fn extension(self) -> Option<&'static str> {
        match self {
            Self::Exr | Self::Exr32 => Some("exr"),
            Self::Npy => Some("npy"),
            Self::None => None,
        }
    }

    /// Extension and bytes of a depth map; `None` for [`Self::None`].
    ///
    /// # Errors
    ///
    /// [`ExportError::Unfit`] where the map contradicts its own size.
    pub fn encode(self, depth: &DepthMap) -> Result<Option<(&'static str, Vec<u8>)>, ExportError> {
        let bytes = match self {
            Self::Exr => encode_exr(depth, true)?,
            Self::Exr32 => encode_exr(depth, false)?,
            Self::Npy => npy::encode_f32(&[depth.height as usize, depth.width as usize], &depth.metres)?,
            Self::None => return Ok(None),
        };
        Ok(self.extension().map(|extension| (extension, bytes)))
    }
}

fn encode_exr(depth: &DepthMap, half: bool) -> Result<Vec<u8>, ExportError> {
    if depth.metres.len() != depth.width as usize * depth.height as usize {
        return Err(unfit("OpenEXR", "the depth map has another size than it says".into()));
    }
    exr::encode(depth, half).map_err(|e| unfit("OpenEXR", e.to_string()))
}

/// 16-bit PNG in millimetres, rounded; 0 where nothing was hit or beyond 65.535 m.
///
/// # Errors
///
/// [`ExportError::Unfit`] where the encoder refuses the map.
pub fn encode_png_mm(depth: &DepthMap) -> Result<Vec<u8>, ExportError> {
    // The encoder takes samples of the machine's byte order.
    let samples: Vec<u8> = depth
        .metres
        .iter()
        .flat_map(|&z| millimetres(z).to_ne_bytes())
        .collect();
    let mut bytes = Vec::new();
    PngEncoder::new_with_quality(&mut bytes, CompressionType::Default, FilterType::Adaptive)
        .write_image(&samples, depth.width, depth.height, ExtendedColorType::L16)
        .map_err(|e| unfit("a 16-bit PNG", e.to_string()))?;
    Ok(bytes)
}

fn millimetres(metres: f32) -> u16 {
    let rounded = (f64::from(metres) * 1000.0).round();
    if (0.0..=65_535.0).contains(&rounded) {
        rounded as u16
    } else {
        0
    }
}

/// The depth map of a 16-bit PNG in millimetres.
///
/// # Errors
///
/// The decoder's sentence.
pub fn decode_png_mm(bytes: &[u8]) -> Result<DepthMap, String> {
    let picture = image::load_from_memory_with_format(bytes, image::ImageFormat::Png)
        .map_err(|e| e.to_string())?
        .into_luma16();
    Ok(DepthMap {
        width: picture.width(),
        height: picture.height(),
        metres: picture.pixels().map(|p| f32::from(p.0[0]) / 1000.0).collect(),
    })
}

fn unfit(format: &'static str, why: String) -> ExportError {
    ExportError::Unfit { format, why }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map() -> DepthMap {
        DepthMap {
            width: 37,
            height: 21,
            metres: (0..37 * 21)
                .map(|i| if i % 5 == 0 { 0.0 } else { 0.3 + 0.01 * i as f32 })
                .collect(),
        }
    }

    #[test]
    fn exr_keeps_what_its_bits_hold() {
        let (_, exact) = DepthFormat::Exr32.encode(&map()).unwrap().unwrap();
        assert_eq!(exr::decode(&exact).unwrap(), map());
        let (extension, half) = DepthFormat::Exr.encode(&map()).unwrap().unwrap();
        assert_eq!(extension, "exr");
        let read = exr::decode(&half).unwrap();
        assert_eq!((read.width, read.height), (37, 21));
        let close = |(a, b): (&f32, &f32)| (a - b).abs() <= b * 0.0005;
        assert!(read.metres.iter().zip(&map().metres).all(close));
        assert!(half == DepthFormat::Exr.encode(&map()).unwrap().unwrap().1);
        for cut in 0..half.len() {
            assert!(exr::decode(&half[..cut]).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn millimetres_are_rounded_and_far_things_are_nothing() {
        let read = decode_png_mm(&encode_png_mm(&map()).unwrap()).unwrap();
        let close = |(a, b): (&f32, &f32)| (a - b).abs() <= 0.000_51;
        assert!(read.metres.iter().zip(&map().metres).all(close));
        assert_eq!(
            [0.0, 1.2344, 65.535, 65.6, f32::NAN].map(millimetres),
            [0, 1234, 65535, 0, 0]
        );
    }
}
