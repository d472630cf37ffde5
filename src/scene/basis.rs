//! Basis Universal textures: KTX2 (KHR_texture_basisu) and `.basis` (GOOGLE_texture_basis, as in HM3D's `*.basis.glb`).
//!
//! Transcoded to RGBA8 from the largest level. Bytes are taken as they are, also where the file is tagged sRGB:
//! habitat-sim draws such files darker (`reference/habitat.md` 3.6), which is an accident of its texture formats.

use std::panic::{AssertUnwindSafe, catch_unwind};

use basisu::{DecodeFlags, TargetFormat, Transcoder};

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
        let size = open(bytes)?.base_dimensions();
        if size.0 == 0 || size.1 == 0 {
            Err("it has no pixels".to_owned())
        } else {
            Ok(size)
        }
    })
}

/// The picture as RGBA8, rows from the top; `width` and `height` are those of [`dimensions`], already held against
/// the limits.
pub(super) fn decode(bytes: &[u8], width: u32, height: u32) -> Result<Vec<u8>, String> {
    guarded(|| {
        let row = width as usize * 4;
        let mut rgba = open(bytes)?
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

fn open(bytes: &[u8]) -> Result<Transcoder<'_>, String> {
    Transcoder::new(bytes).map_err(|_| "it is not a Basis Universal texture, or a broken one".to_owned())
}

/// The transcoder is young and reads untrusted bytes: a panic in it is an image that cannot be read.
fn guarded<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err("the Basis transcoder gave up on it".to_owned()))
}
