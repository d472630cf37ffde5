//! Picture files that users name: read within bounds, or refused with the reason and a remedy.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use covista::overlap::working_picture;
use image::{DynamicImage, ImageDecoder, ImageReader, Limits, RgbImage};

use super::common::ConfigArgs;
use super::exit::Failure;

/// Bytes of one decoded picture at most: 178 million pixels of 8-bit RGB.
const MAX_DECODED_BYTES: u64 = 512 << 20;
/// Longest side of a picture, pixels.
const MAX_SIDE: u32 = 65_535;
/// Pictures above this many decoded bytes are read one at a time, however many threads there are.
const LARGE_BYTES: u64 = 32 << 20;

/// The thread that holds it may hold a large picture.
static LARGE: Mutex<()> = Mutex::new(());

/// What the subcommands that measure pictures have in common.
#[derive(Debug, Clone, clap::Args)]
pub struct MetricArgs {
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Seed of RANSAC's and the votes' draws
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// A picture as 8-bit RGB, of any size: grey is spread, 16 bits are reduced, alpha is dropped, and the
/// orientation that a camera noted is applied, as `cv2.imread` does.
pub fn read_picture(path: &Path) -> anyhow::Result<RgbImage> {
    with_picture(path, |picture| picture)
}

/// A picture at the size at which views are compared. However many threads read, only one holds a large picture.
pub fn read_working_picture(path: &Path) -> anyhow::Result<RgbImage> {
    with_picture(path, |picture| working_picture(&picture).into_owned())
}

/// Hands a picture to `make`, which must not wait for other threads: a large picture is held alone.
fn with_picture<T>(path: &Path, make: impl FnOnce(RgbImage) -> T) -> anyhow::Result<T> {
    let unreadable = |error: std::io::Error| {
        let what = format!("cannot read the picture ({error}); check the path and its permissions");
        refusal(path, &what)
    };
    if std::fs::metadata(path).map_err(unreadable)?.is_dir() {
        let what = "this is a folder, not a picture; name a PNG, JPEG, WebP or BMP file";
        return Err(refusal(path, what));
    }
    let mut reader = ImageReader::open(path)
        .and_then(ImageReader::with_guessed_format)
        .map_err(unreadable)?;
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

fn too_large(path: &Path, (width, height): (u32, u32)) -> anyhow::Error {
    let what = format!(
        "the picture of {width} x {height} pixels needs more than {} MiB; scale it down first, it is compared at \
         224 x 224",
        MAX_DECODED_BYTES >> 20
    );
    refusal(path, &what)
}

fn undecodable(path: &Path, error: &image::ImageError) -> anyhow::Error {
    match error {
        image::ImageError::Limits(_) => refusal(
            path,
            &format!(
                "the picture is larger than {MAX_SIDE} pixels a side or {} MiB; scale it down first, it is compared \
                 at 224 x 224",
                MAX_DECODED_BYTES >> 20
            ),
        ),
        image::ImageError::Unsupported(_) => refusal(
            path,
            &format!("not a picture that can be read ({error}); convert it to PNG, JPEG, WebP or BMP"),
        ),
        _ => refusal(
            path,
            &format!("cannot decode the picture ({error}); export or copy it again"),
        ),
    }
}

/// Some decoders put a line break into their message.
fn refusal(path: &Path, what: &str) -> anyhow::Error {
    let what = what.split_whitespace().collect::<Vec<_>>().join(" ");
    Failure::input(format!("{}: {what}", path.display()))
}

/// Views of the first list.
pub const FIRST: usize = 8;
/// Views of both lists.
pub const VIEWS: usize = 24;

/// The first 24 pictures of a folder in name order.
pub fn sweep_pictures(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    const ENDINGS: [&str; 5] = ["png", "jpg", "jpeg", "webp", "bmp"];
    let refuse = |error| Failure::input(format!("{}: cannot list the folder ({error})", folder.display()));
    let mut pictures = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(refuse)? {
        let path = entry.map_err(refuse)?.path();
        let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase());
        if ending.is_some_and(|e| ENDINGS.contains(&e.as_str())) {
            pictures.push(path);
        }
    }
    pictures.sort();
    if pictures.len() < VIEWS {
        return Err(Failure::input(format!(
            "{}: a selection needs {VIEWS} pictures (png, jpg, webp or bmp), there are {}",
            folder.display(),
            pictures.len()
        )));
    }
    pictures.truncate(VIEWS);
    Ok(pictures)
}
