//! Basis Universal textures: KTX2 (KHR_texture_basisu) and `.basis` (GOOGLE_texture_basis, as in HM3D's `*.basis.glb`).
//!
//! Transcoded to BC7, all levels, where the file has every level and BC7 textures may have its size; unpacked to RGBA8
//! from the largest level otherwise and where pixels are asked for. Bytes are taken as they are, also where the file is tagged sRGB:
//! habitat-sim draws such files darker (`reference/habitat.md` 3.6), which is an accident of its texture formats.

use std::sync::Arc;

use basisu::{DecodeFlags, ImageLevelInfo, TargetFormat, Transcoder};

use super::texture::BasisTexels;
use crate::contain::contained;

const KTX2: &[u8] = b"\xABKTX 20\xBB\r\n\x1A\n";
const BASIS: &[u8] = b"sB";
/// Where the flags of a `.basis` header lie, and the one that says that rows start at the bottom.
const FLAGS_AT: usize = 21;
const FLAG_Y_FLIPPED: u8 = 2;

/// True for bytes that begin like KTX2 or `.basis`.
pub(super) fn is_basis(bytes: &[u8]) -> bool {
    bytes.starts_with(KTX2) || bytes.starts_with(BASIS)
}

/// Width and height. Errors are sentences.
pub(super) fn dimensions(bytes: &[u8]) -> Result<(u32, u32), String> {
    guarded(|| {
        let (transcoder, info) = open(bytes)?;
        let is_stack = bytes.starts_with(KTX2) && (transcoder.layer_count() > 1 || transcoder.face_count() > 1);
        if transcoder.is_video() || is_stack {
            return Err("it is a video, an array or a cube, not a picture".to_owned());
        }
        Ok((info.width, info.height))
    })
}

/// The picture as RGBA8, rows from the top; `width` and `height` are those of [`dimensions`], already held against
/// the limits.
pub(super) fn decode(bytes: &[u8], width: u32, height: u32) -> Result<Vec<u8>, String> {
    guarded(|| {
        let row = width as usize * 4;
        let (transcoder, _) = open(bytes)?;
        let mut rgba = transcoder
            .transcode(0, TargetFormat::Rgba32, DecodeFlags::NONE)
            .map_err(|e| format!("{e:?}"))?;
        if rgba.len() != row * height as usize {
            return Err(format!("it unpacks to {} bytes", rgba.len()));
        }
        if rows_from_bottom(bytes) {
            let (mut top, mut bottom) = (0, height as usize - 1);
            while top < bottom {
                let (above, below) = rgba.split_at_mut(bottom * row);
                above[top * row..][..row].swap_with_slice(&mut below[..row]);
                (top, bottom) = (top + 1, bottom - 1);
            }
        }
        Ok(rgba)
    })
}

/// The picture as BC7 blocks, or `None` where it cannot be drawn from them: where levels are missing, odd or broken,
/// where a side is no multiple of four, which WebGPU asks of block-compressed textures, or where the file is so large
/// that file and blocks would take more than the pixels.
pub(super) fn transcode(bytes: &[u8], width: u32, height: u32) -> Option<BasisTexels> {
    let is_small = bytes.len() as u64 <= u64::from(width) * u64::from(height) * 2;
    if !width.is_multiple_of(4) || !height.is_multiple_of(4) || !is_small {
        return None;
    }
    let levels = guarded(|| {
        let (transcoder, _) = open(bytes)?;
        let count = width.max(height).ilog2() + 1;
        if transcoder.level_count() != count {
            return Err("it lacks levels".to_owned());
        }
        (0..count)
            .map(|level| level_blocks(bytes, &transcoder, level))
            .collect()
    });
    Some(BasisTexels {
        levels: levels.ok()?,
        rows_from_bottom: rows_from_bottom(bytes),
        source: Arc::from(bytes),
    })
}

/// The BC7 blocks of one level. Colours are those of the RGBA8 path: no filter over block edges.
fn level_blocks(bytes: &[u8], transcoder: &Transcoder<'_>, level: u32) -> Result<Vec<u8>, String> {
    let (base_width, base_height) = transcoder.base_dimensions();
    let (width, height) = ((base_width >> level).max(1), (base_height >> level).max(1));
    let info = transcoder.image_level_info(level).map_err(|e| format!("{e:?}"))?;
    let (across, down) = (width.div_ceil(4), height.div_ceil(4));
    let size = across as usize * down as usize * 16;
    let plausible = (info.width, info.height) == (width, height)
        && (info.num_blocks_x, info.num_blocks_y) == (across, down)
        && ktx2_unpacked_size(bytes, level).unwrap_or(0) <= size as u64;
    if !plausible {
        return Err(format!("level {level} is of another size"));
    }
    let blocks = transcoder
        .transcode(level, TargetFormat::Bc7Rgba, DecodeFlags::NO_ETC1S_CHROMA_FILTERING)
        .map_err(|e| format!("{e:?}"))?;
    if blocks.len() != size {
        return Err(format!("level {level} transcodes to {} bytes", blocks.len()));
    }
    Ok(blocks)
}

fn rows_from_bottom(bytes: &[u8]) -> bool {
    bytes.starts_with(BASIS) && bytes.get(FLAGS_AT).is_some_and(|f| f & FLAG_Y_FLIPPED != 0)
}

/// Opens a texture whose header is plausible: the transcoder takes memory as the header says.
fn open(bytes: &[u8]) -> Result<(Transcoder<'_>, ImageLevelInfo), String> {
    let broken = || "it is not a Basis Universal texture, or a broken one".to_owned();
    let transcoder = Transcoder::new(bytes).map_err(|_| broken())?;
    let info = transcoder.image_level_info(0).map_err(|_| broken())?;
    // Blocks are 4 pixels wide or more, and 16 bytes or less.
    let (across, down) = (info.width.div_ceil(4), info.height.div_ceil(4));
    let plausible = info.width > 0 && info.height > 0 && info.num_blocks_x <= across && info.num_blocks_y <= down;
    let unpacked = ktx2_unpacked_size(bytes, 0).unwrap_or(0);
    if !plausible || unpacked > u64::from(across) * u64::from(down) * 16 {
        return Err(broken());
    }
    Ok((transcoder, info))
}

/// How large a level of a KTX2 file is after Zstandard, as the file says.
fn ktx2_unpacked_size(bytes: &[u8], level: u32) -> Option<u64> {
    const LEVELS_AT: usize = 80;
    const LEVEL_BYTES: usize = 24;
    let at = LEVELS_AT + LEVEL_BYTES * level as usize + 16;
    let size = bytes.get(at..at + 8)?;
    bytes
        .starts_with(KTX2)
        .then_some(u64::from_le_bytes(*size.first_chunk()?))
}

/// The transcoder is young and reads untrusted bytes: a panic in it is an image that cannot be read.
fn guarded<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    contained(work).unwrap_or_else(|_| Err("the Basis transcoder gave up on it".to_owned()))
}
