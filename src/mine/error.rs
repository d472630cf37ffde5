//! What ends a mining run.

use std::path::PathBuf;

/// Sources that cannot be read at all. Single pictures that cannot are counted, not errors.
#[derive(Debug, thiserror::Error)]
pub enum MineError {
    /// A folder or file is not there, or may not be read.
    #[error("cannot read ({reason}): {}", path.display())]
    Read {
        /// What was to be read.
        path: PathBuf,
        /// The system's reason.
        reason: std::io::Error,
    },
    /// Nothing to make pairs from.
    #[error("{what}: {}", path.display())]
    Empty {
        /// What is missing.
        what: String,
        /// Where.
        path: PathBuf,
    },
    /// A rule counts in seconds and nobody said how many frames a second has.
    #[error("the rule counts in seconds: give --fps for this folder of frames, or an interval in frames: {}", path.display())]
    NoFrameRate {
        /// The folder.
        path: PathBuf,
    },
    /// A video file, and no program to read it.
    #[error(
        "{program} is not installed, and video files are read with it: `apt-get install ffmpeg`, or extract the \
         frames into a folder and name that: {}",
        path.display()
    )]
    NoFfmpeg {
        /// `ffmpeg` or `ffprobe`.
        program: &'static str,
        /// The video.
        path: PathBuf,
    },
    /// ffmpeg refused the file.
    #[error("ffmpeg cannot read this video ({why}): {}", path.display())]
    Video {
        /// The video.
        path: PathBuf,
        /// Its last words.
        why: String,
    },
    /// `cameras.json` beside frames does not fit them.
    #[error("the cameras beside the frames cannot be used ({why}): {}", path.display())]
    Cameras {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
}

impl MineError {
    /// A failed read.
    pub(super) fn read(path: &std::path::Path, reason: std::io::Error) -> Self {
        Self::Read {
            path: path.to_owned(),
            reason,
        }
    }
}
