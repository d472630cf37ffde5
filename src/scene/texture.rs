//! A texture as the scene holds it: plain RGBA8, or Basis Universal data transcoded to blocks that adapters sample.

use std::borrow::Cow;
use std::sync::Arc;

use super::basis;

/// An image of a material, bytes as stored (no gamma change).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Texture {
    /// Name in the file, for messages.
    pub name: String,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// The pixels.
    pub texels: Texels,
}

/// The pixels of a texture in one of two forms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Texels {
    /// `height * width * 4` bytes RGBA, rows from the top.
    Rgba8(Vec<u8>),
    /// A Basis Universal image that holds all its mip levels and whose sides are multiples of four.
    Basis(BasisTexels),
}

/// A Basis Universal image, transcoded once to BC7; [`Texture::rgba`] unpacks the source where pixels are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BasisTexels {
    /// BC7 blocks of every level, largest first: `ceil(width / 4) * ceil(height / 4) * 16` bytes each, where sizes
    /// halve with floor down to one pixel.
    pub levels: Vec<Vec<u8>>,
    /// True where the first row of the blocks is the lowest of the image (`.basis` files of Habitat's converter).
    pub rows_from_bottom: bool,
    /// The file that was transcoded.
    pub source: Arc<[u8]>,
}

/// Pixels that cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("texture {name:?} cannot be unpacked ({why}): make the Basis file again")]
pub struct TextureError {
    /// Name of the texture.
    pub name: String,
    /// What the transcoder said.
    pub why: String,
}

impl Texture {
    /// A texture of `height * width * 4` bytes RGBA, rows from the top.
    pub fn from_rgba(name: impl Into<String>, width: u32, height: u32, rgba: Vec<u8>) -> Self {
        Self {
            name: name.into(),
            width,
            height,
            texels: Texels::Rgba8(rgba),
        }
    }

    /// `height * width * 4` bytes RGBA, rows from the top: borrowed where the texture holds them, else unpacked from
    /// the Basis data at each call.
    ///
    /// # Errors
    /// [`TextureError`] where Basis data that could be transcoded to blocks cannot be unpacked to pixels.
    pub fn rgba(&self) -> Result<Cow<'_, [u8]>, TextureError> {
        match &self.texels {
            Texels::Rgba8(rgba) => Ok(Cow::Borrowed(rgba)),
            Texels::Basis(texels) => basis::decode(&texels.source, self.width, self.height)
                .map(Cow::Owned)
                .map_err(|why| TextureError {
                    name: self.name.clone(),
                    why,
                }),
        }
    }

    /// Bytes that the pixels take in memory.
    pub fn bytes(&self) -> u64 {
        match &self.texels {
            Texels::Rgba8(rgba) => rgba.len() as u64,
            Texels::Basis(texels) => (texels.levels.iter().map(Vec::len).sum::<usize>() + texels.source.len()) as u64,
        }
    }
}
