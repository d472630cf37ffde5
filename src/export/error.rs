//! What can go wrong on the way to and from an output folder.

use std::io;
use std::path::{Path, PathBuf};

/// A set that could not be written or read back.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A folder or file could not be created.
    #[error("cannot create the output ({source}): check that its parent exists and may be written: {}", path.display())]
    Create {
        /// What was to be created.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The output folder is there already and nobody asked to continue it.
    #[error(
        "the output folder exists: continue it with --resume, replace it with --overwrite, or choose another: {}",
        path.display()
    )]
    Exists {
        /// The folder.
        path: PathBuf,
    },
    /// The output folder is to be replaced but was not written by this program.
    #[error(
        "the output folder holds files that Covista did not write, so it is not replaced: choose another: {}",
        path.display()
    )]
    Foreign {
        /// The folder.
        path: PathBuf,
    },
    /// The caller asked to stop; nothing was put in its place.
    #[error("interrupted before the output was complete; nothing was written to {}", path.display())]
    Stopped {
        /// The output that was being made.
        path: PathBuf,
    },
    /// The device or the quota is full.
    #[error(
        "the disk is full; what is complete stays valid: free some space and go on: {}",
        path.display()
    )]
    DiskFull {
        /// The file that did not fit.
        path: PathBuf,
    },
    /// A file could not be written for another reason.
    #[error("cannot write ({source}): {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A file could not be read.
    #[error("cannot read ({source}): {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Another process is writing this very set or plan.
    #[error("another process is writing this set or plan: wait for it, or choose another output: {}", path.display())]
    Busy {
        /// The folder or file.
        path: PathBuf,
    },
    /// The folder belongs to another run, so continuing it would mix two sets.
    #[error(
        "the folder was written by another run: {what} is {found} there and {expected} here; \
         use the same one, or another folder: {}",
        path.display()
    )]
    Mismatch {
        /// What differs: "config hash", "seed", "scene white-room", ...
        what: String,
        /// Its value in the folder.
        found: String,
        /// Its value in this run.
        expected: String,
        /// The folder.
        path: PathBuf,
    },
    /// A file of the set is missing, cut off or changed.
    #[error("the set is damaged: {why}: {}", path.display())]
    Damaged {
        /// What is wrong with the file.
        why: String,
        /// The file.
        path: PathBuf,
    },
    /// The set has fewer pairs than that.
    #[error("{}: {}", match pairs { 0 => "there are no pairs".to_string(), _ => format!("there is no pair {index}; the pairs are 0 to {}", pairs - 1) }, path.display())]
    NoSuchPair {
        /// The pair that was asked for, from 0.
        index: u64,
        /// How many there are.
        pairs: u64,
        /// The set.
        path: PathBuf,
    },
    /// A file or folder is of none of the formats.
    #[error(
        "this is none of the formats {formats}: name the file or folder that `covista generate` or `covista export` \
         wrote: {}",
        path.display()
    )]
    Unrecognised {
        /// All formats.
        formats: String,
        /// The file or folder.
        path: PathBuf,
    },
    /// What was handed in cannot be stored, e.g. a picture and a depth map of two sizes.
    #[error("cannot store this as {format}: {why}")]
    Unfit {
        /// The format or file kind.
        format: &'static str,
        /// What does not fit.
        why: String,
    },
}

impl ExportError {
    /// The error of a failed write to `path`: a full disk is told from the rest.
    pub fn write(path: &Path, source: io::Error) -> Self {
        let path = path.to_path_buf();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path },
            _ => Self::Write { path, source },
        }
    }

    /// The error of a failed creation of `path`: a full disk is told from the rest.
    pub fn create(path: &Path, source: io::Error) -> Self {
        let path = path.to_path_buf();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path },
            _ => Self::Create { path, source },
        }
    }

    /// The error of a failed read of `path`.
    pub fn read(path: &Path, source: io::Error) -> Self {
        Self::Read {
            path: path.to_path_buf(),
            source,
        }
    }

    /// A damaged file of a set.
    pub fn damaged(path: &Path, why: impl Into<String>) -> Self {
        Self::Damaged {
            why: why.into(),
            path: path.to_path_buf(),
        }
    }
}
