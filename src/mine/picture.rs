//! Picture files that users name: read within bounds, or refused with the reason and a remedy.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, RgbImage};

use crate::overlap::working_picture;

/// Bytes of one decoded picture at most: 178 million pixels of 8-bit RGB.
const MAX_DECODED_BYTES: u64 = 512 << 20;
/// Longest side of a picture, pixels.
const MAX_SIDE: u32 = 65_535;
/// Pictures above this many decoded bytes are read one at a time, however many threads there are.
const LARGE_BYTES: u64 = 32 << 20;

/// The thread that holds it may hold a large picture.
static LARGE: Mutex<()> = Mutex::new(());

/// A picture that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {why}", path.display())]
pub struct PictureError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong and what to do, in one line.
    pub why: String,
}

impl PictureError {
    /// Some decoders put a line break into their message.
    pub(super) fn new(path: &Path, why: &str) -> Self {
        Self {
            path: path.to_owned(),
            why: why.split_whitespace().collect::<Vec<_>>().join(" "),
        }
    }
}

/// A picture as 8-bit RGB, of any size: grey is spread, CMYK converted, 16 bits are reduced, alpha is dropped, and
/// the orientation that a camera noted is applied, as `cv2.imread` does.
///
/// # Errors
/// [`PictureError`] for files that cannot be read, are cut off, or exceed 512 MiB decoded.
pub fn read_picture(path: &Path) -> Result<RgbImage, PictureError> {
    with_picture(path, |picture| picture)
}

/// A picture at the size at which views are compared. However many threads read, only one holds a large picture.
///
/// # Errors
/// As [`read_picture`].
pub fn read_working_picture(path: &Path) -> Result<RgbImage, PictureError> {
    with_picture(path, |picture| working_picture(&picture).into_owned())
}

/// Hands a picture to `make`, which must not wait for other threads: a large picture is held alone.
pub(super) fn with_picture<T>(path: &Path, make: impl FnOnce(RgbImage) -> T) -> Result<T, PictureError> {
    let unreadable = |error: std::io::Error| {
        let what = format!("cannot read the picture ({error}); check the path and its permissions");
        PictureError::new(path, &what)
    };
    if std::fs::metadata(path).map_err(unreadable)?.is_dir() {
        let what = "this is a folder, not a picture; name a PNG, JPEG, WebP or BMP file";
        return Err(PictureError::new(path, what));
    }
    let mut reader = ImageReader::open(path)
        .and_then(ImageReader::with_guessed_format)
        .map_err(unreadable)?;
    let small = |path: &Path| std::fs::metadata(path).is_ok_and(|found| found.len() <= MAX_DECODED_BYTES);
    if reader.format() == Some(ImageFormat::Jpeg)
        && small(path)
        && is_cut_off(&std::fs::read(path).map_err(unreadable)?)
    {
        return Err(PictureError::new(
            path,
            "cannot decode the picture (the JPEG ends before its last line); export or copy it again",
        ));
    }
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_DECODED_BYTES);
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|error| undecodable(path, &error))?;
    let bytes = decoder.total_bytes();
    if bytes > MAX_DECODED_BYTES {
        return Err(too_large(path, decoder.dimensions()));
    }
    let alone = (bytes > LARGE_BYTES).then(|| LARGE.lock().unwrap_or_else(PoisonError::into_inner));
    // Metadata that cannot be read is no reason to refuse the pixels.
    let orientation = decoder.orientation().ok();
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|error| undecodable(path, &error))?;
    if let Some(orientation) = orientation {
        picture.apply_orientation(orientation);
    }
    let made = make(picture.into_rgb8());
    drop(alone);
    Ok(made)
}

/// True for a JPEG without an end of image after its last scan: the decoder would fill the rest with grey. In the
/// data of a scan every 0xFF is followed by 0, so the marker cannot stand there by chance.
fn is_cut_off(jpeg: &[u8]) -> bool {
    let last = |marker: u8| jpeg.windows(2).rposition(|pair| pair == [0xFF, marker]);
    match (last(0xDA), last(0xD9)) {
        (Some(scan), Some(end)) => end < scan,
        (Some(_), None) => true,
        _ => false,
    }
}

fn too_large(path: &Path, (width, height): (u32, u32)) -> PictureError {
    let what = format!(
        "the picture of {width} x {height} pixels needs more than {} MiB; scale it down first, it is compared at \
         224 x 224",
        MAX_DECODED_BYTES >> 20
    );
    PictureError::new(path, &what)
}

fn undecodable(path: &Path, error: &image::ImageError) -> PictureError {
    let what = match error {
        image::ImageError::Limits(_) => format!(
            "the picture is larger than {MAX_SIDE} pixels a side or {} MiB; scale it down first, it is compared at \
             224 x 224",
            MAX_DECODED_BYTES >> 20
        ),
        image::ImageError::Unsupported(_) => {
            format!("not a picture that can be read ({error}); convert it to PNG, JPEG, WebP or BMP")
        }
        _ => format!("cannot decode the picture ({error}); export or copy it again"),
    };
    PictureError::new(path, &what)
}
