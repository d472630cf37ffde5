//! Basis Universal textures: KTX2 (KHR_texture_basisu) and `.basis` (GOOGLE_texture_basis, as in HM3D's `*.basis.glb`).
//!
//! Transcoded to RGBA8 from the largest level. Bytes are taken as they are, also where the file is tagged sRGB:
//! habitat-sim draws such files darker (`reference/habitat.md` 3.6), which is an accident of its texture formats.

use std::panic::{AssertUnwindSafe, catch_unwind};

use basisu::{DecodeFlags, ImageLevelInfo, TargetFormat, Transcoder};

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
        let is_flipped = bytes.starts_with(BASIS) && bytes.get(FLAGS_AT).is_some_and(|f| f & FLAG_Y_FLIPPED != 0);
        if is_flipped {
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

/// Opens a texture whose header is plausible: the transcoder takes memory as the header says.
fn open(bytes: &[u8]) -> Result<(Transcoder<'_>, ImageLevelInfo), String> {
    let broken = || "it is not a Basis Universal texture, or a broken one".to_owned();
    let transcoder = Transcoder::new(bytes).map_err(|_| broken())?;
    let info = transcoder.image_level_info(0).map_err(|_| broken())?;
    // Blocks are 4 pixels wide or more, and 16 bytes or less.
    let (across, down) = (info.width.div_ceil(4), info.height.div_ceil(4));
    let plausible = info.width > 0 && info.height > 0 && info.num_blocks_x <= across && info.num_blocks_y <= down;
    let unpacked = ktx2_unpacked_size(bytes).unwrap_or(0);
    if !plausible || unpacked > u64::from(across) * u64::from(down) * 16 {
        return Err(broken());
    }
    Ok((transcoder, info))
}

/// How large the largest level of a KTX2 file is after Zstandard, as the file says.
fn ktx2_unpacked_size(bytes: &[u8]) -> Option<u64> {
    const LEVEL_0_UNPACKED_AT: usize = 80 + 16;
    let size = bytes.get(LEVEL_0_UNPACKED_AT..LEVEL_0_UNPACKED_AT + 8)?;
    bytes
        .starts_with(KTX2)
        .then_some(u64::from_le_bytes(*size.first_chunk()?))
}

/// The transcoder is young and reads untrusted bytes: a panic in it is an image that cannot be read.
fn guarded<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err("the Basis transcoder gave up on it".to_owned()))
}
