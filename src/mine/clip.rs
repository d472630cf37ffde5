//! Frames in order, from a folder or a video file.

use std::path::{Path, PathBuf};

use image::RgbImage;
use rayon::prelude::*;

use super::error::MineError;
use super::ffmpeg::Video;
use super::frame::{Frame, Prepare};
use super::geometry::{self, Geometry};
use super::list::list_pictures;
use super::picture::{PictureError, with_picture};
use crate::overlap::HomographyOverlapConfig;
use crate::view::View;

/// Frames that are decoded and described together; each holds about 0.4 MB.
const CHUNK: usize = 32;

/// A sequence of frames.
#[derive(Debug, Clone)]
pub struct Clip {
    /// How outputs call it.
    pub name: String,
    path: PathBuf,
    source: Source,
    fps: Option<f64>,
}

#[derive(Debug, Clone)]
enum Source {
    Folder {
        frames: Vec<PathBuf>,
        geometry: Option<Geometry>,
    },
    Video(Video),
}

impl Clip {
    /// A folder of pictures, or a video file that ffmpeg reads. `fps` is the frame rate of a folder; a video knows
    /// its own.
    ///
    /// # Errors
    /// [`MineError::Read`], [`MineError::Empty`] for a folder without pictures, [`MineError::NoFfmpeg`],
    /// [`MineError::Video`], [`MineError::Cameras`].
    pub fn open(path: &Path, fps: Option<f64>) -> Result<Self, MineError> {
        let found = std::fs::metadata(path).map_err(|error| MineError::read(path, error))?;
        let full = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let name = |name: Option<&std::ffi::OsStr>| name.unwrap_or_default().to_string_lossy().into_owned();
        if found.is_dir() {
            let frames = list_pictures(path)?;
            if frames.is_empty() {
                return Err(MineError::Empty {
                    what: "the folder holds no picture (png, jpg, webp or bmp)".to_owned(),
                    path: path.to_owned(),
                });
            }
            let geometry = Geometry::beside(path)?;
            return Ok(Self {
                name: name(full.file_name()),
                path: path.to_owned(),
                fps: fps.or(geometry.as_ref().and_then(|geometry| geometry.fps)),
                source: Source::Folder { frames, geometry },
            });
        }
        let video = Video::open(path)?;
        Ok(Self {
            name: name(full.file_stem()),
            path: path.to_owned(),
            fps: Some(video.fps),
            source: Source::Video(video),
        })
    }

    /// Number of frames.
    pub fn len(&self) -> usize {
        match &self.source {
            Source::Folder { frames, .. } => frames.len(),
            Source::Video(video) => video.frames,
        }
    }

    /// True without a frame.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Frames a second, where it is known.
    pub fn fps(&self) -> Option<f64> {
        self.fps
    }

    /// The folder or file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether depth and poses lie beside the frames.
    pub fn has_geometry(&self) -> bool {
        matches!(&self.source, Source::Folder { geometry: Some(_), .. })
    }

    /// BLAKE3 (hexadecimal) of names and sizes of the files: changes with the frames, wherever the folder lies.
    ///
    /// # Errors
    /// [`MineError::Read`].
    pub fn hash_hex(&self) -> Result<String, MineError> {
        match &self.source {
            Source::Folder { frames, .. } => hash_of(frames),
            Source::Video(_) => hash_of(std::slice::from_ref(&self.path)),
        }
    }

    /// Reads the wanted frames (ascending) a few at a time and hands them to `take` in order.
    pub(super) fn visit<E: From<MineError>>(
        &self,
        wanted: &[usize],
        prepare: &Prepare,
        config: &HomographyOverlapConfig,
        mut take: impl FnMut(usize, Result<Frame, PictureError>) -> Result<(), E>,
    ) -> Result<(), E> {
        match &self.source {
            Source::Folder { frames, geometry } => {
                let geometry = geometry.as_ref().filter(|_| prepare.is_none());
                for chunk in wanted.chunks(CHUNK) {
                    let made: Vec<_> = chunk
                        .par_iter()
                        .map(|&place| read_frame(&frames[place], geometry, prepare, config))
                        .collect();
                    for (&place, frame) in chunk.iter().zip(made) {
                        take(place, frame)?;
                    }
                }
            }
            Source::Video(video) => {
                let mut stream = video.frames()?;
                let mut next = 0;
                for chunk in wanted.chunks(CHUNK) {
                    let mut pictures = Vec::with_capacity(chunk.len());
                    for &place in chunk {
                        let picture = stream.nth_picture(place - next)?;
                        next = place + 1;
                        pictures.push(picture);
                    }
                    let describe = |picture: Option<RgbImage>| {
                        let picture = picture.ok_or_else(|| PictureError::new(&self.path, "the video ends before"))?;
                        Ok(Frame::new(View::without_geometry(prepare.apply(picture)), config))
                    };
                    let made: Vec<_> = pictures.into_par_iter().map(describe).collect();
                    for (&place, frame) in chunk.iter().zip(made) {
                        take(place, frame)?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// The frame of one file.
pub(super) fn read_frame(
    path: &Path,
    geometry: Option<&Geometry>,
    prepare: &Prepare,
    config: &HomographyOverlapConfig,
) -> Result<Frame, PictureError> {
    let view = match geometry.and_then(|geometry| geometry.of(path)) {
        Some((depth, camera)) => {
            let color = with_picture(path, |picture| picture)?;
            geometry::view(color, &depth, camera)?
        }
        None => View::without_geometry(with_picture(path, |picture| prepare.apply(picture))?),
    };
    Ok(Frame::new(view, config))
}

/// BLAKE3 (hexadecimal) of names and sizes of files.
pub(super) fn hash_of(paths: &[PathBuf]) -> Result<String, MineError> {
    let mut hasher = blake3::Hasher::new();
    for path in paths {
        let size = std::fs::metadata(path)
            .map_err(|error| MineError::read(path, error))?
            .len();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        hasher.update(&(name.len() as u64).to_le_bytes());
        hasher.update(name.as_bytes());
        hasher.update(&size.to_le_bytes());
    }
    Ok(hasher.finalize().to_hex().to_string())
}
