//! A folder that appears whole or not at all: written under a temporary name beside its place, then
//! renamed.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::{ExportError, Format};

/// Names that say that a folder was written by this program, so that it may be replaced.
const OURS: [&str; 7] = [
    super::convert::RECORD,
    "manifest.json",
    "progress.jsonl",
    "native/manifest.json",
    "native/progress.jsonl",
    ".native/manifest.json",
    ".native/progress.jsonl",
];
/// What temporary names begin with.
const HIDDEN: &str = ".covista-";
/// Held while the folder is written.
const LOCK: &str = ".lock";

/// An output folder under its temporary name. Dropped unfinished, it is removed; what a kill leaves is
/// cleared by the next run.
#[derive(Debug)]
pub struct StagedFolder {
    place: PathBuf,
    temporary: PathBuf,
    overwrite: bool,
    /// Held against other processes as long as this lives.
    _lock: File,
    finished: bool,
}

impl StagedFolder {
    /// Starts a folder that will stand at `place`; parents are made, leftovers of a kill are cleared away.
    ///
    /// # Errors
    ///
    /// [`ExportError::Exists`] where `place` is there and not to be overwritten, or holds what this
    /// program did not write; [`ExportError::Busy`] where another process writes it; write errors.
    pub fn start(place: &Path, overwrite: bool) -> Result<Self, ExportError> {
        may_write(place, overwrite)?;
        let temporary = beside(place, "part");
        fs::create_dir_all(&temporary).map_err(|e| ExportError::create(&temporary, e))?;
        let lock_path = temporary.join(LOCK);
        let lock = File::create(&lock_path).map_err(|e| ExportError::create(&lock_path, e))?;
        if let Err(TryLockError::WouldBlock) = lock.try_lock() {
            return Err(ExportError::Busy { path: place.into() });
        }
        for entry in fs::read_dir(&temporary).map_err(|e| ExportError::read(&temporary, e))? {
            let path = entry.map_err(|e| ExportError::read(&temporary, e))?.path();
            if path != lock_path {
                remove(&path)?;
            }
        }
        Ok(Self {
            place: place.into(),
            temporary,
            overwrite,
            _lock: lock,
            finished: false,
        })
    }

    /// Where to write until [`Self::finish`].
    pub fn path(&self) -> &Path {
        &self.temporary
    }

    /// Puts the folder in its place.
    ///
    /// # Errors
    ///
    /// As [`Self::start`].
    pub fn finish(mut self) -> Result<(), ExportError> {
        may_write(&self.place, self.overwrite)?;
        remove(&self.temporary.join(LOCK))?;
        let old = beside(&self.place, "old");
        remove(&old)?;
        let renamed = match self.place.exists() {
            true => fs::rename(&self.place, &old).and_then(|()| fs::rename(&self.temporary, &self.place)),
            false => fs::rename(&self.temporary, &self.place),
        };
        renamed.map_err(|e| ExportError::write(&self.place, e))?;
        self.finished = true;
        remove(&old)
    }
}

impl Drop for StagedFolder {
    fn drop(&mut self) {
        if !self.finished {
            // The space is wanted back; that the clean-up may fail too changes nothing.
            let _ = fs::remove_dir_all(&self.temporary);
        }
    }
}

/// Refuses a place that must not be written to.
///
/// # Errors
///
/// [`ExportError::Exists`] where it is there and not to be overwritten, or is not an output of this program.
pub fn may_write(place: &Path, overwrite: bool) -> Result<(), ExportError> {
    let exists = || ExportError::Exists { path: place.into() };
    if fs::symlink_metadata(place).is_err() {
        return Ok(());
    }
    if !overwrite {
        return Err(exists());
    }
    let mut entries = fs::read_dir(place).map_err(|_| exists())?;
    // What is left of a folder of several formats that was not finished: some of them, and temporaries. A folder in which
    // somebody gathers outputs is none.
    let is_part = |entry: fs::DirEntry| {
        let name = entry.file_name();
        let is_format = Format::ALL.iter().any(|format| name == format.name());
        is_format && entry.path().join(super::convert::RECORD).exists() || name.to_string_lossy().starts_with(HIDDEN)
    };
    match OURS.iter().any(|name| place.join(name).exists()) || entries.all(|entry| entry.is_ok_and(is_part)) {
        true => Ok(()),
        false => Err(ExportError::Foreign { path: place.into() }),
    }
}

/// A hidden name in the same folder, so that renaming stays within one file system.
pub fn beside(place: &Path, what: &str) -> PathBuf {
    let name = place.file_name().unwrap_or_default().to_string_lossy();
    place.with_file_name(format!("{HIDDEN}{what}-{name}"))
}

/// Removes a file or folder; that it is gone already is no error.
pub fn remove(path: &Path) -> Result<(), ExportError> {
    let removed = match fs::symlink_metadata(path) {
        Ok(data) if data.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(ExportError::write(path, error)),
        _ => Ok(()),
    }
}

/// Writes a file inside a staged folder, parents made.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), ExportError> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(|e| ExportError::create(parent, e))?;
    }
    fs::write(path, bytes).map_err(|e| ExportError::write(path, e))
}

/// A text file that grows line by line.
#[derive(Debug)]
pub(super) struct Lines {
    file: io::BufWriter<File>,
    path: PathBuf,
}

impl Lines {
    pub(super) fn create(path: PathBuf) -> Result<Self, ExportError> {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|e| ExportError::create(parent, e))?;
        }
        let file = File::create(&path).map_err(|e| ExportError::create(&path, e))?;
        let file = io::BufWriter::new(file);
        Ok(Self { file, path })
    }

    pub(super) fn line(&mut self, line: &str) -> Result<(), ExportError> {
        writeln!(self.file, "{line}").map_err(|e| ExportError::write(&self.path, e))
    }

    pub(super) fn finish(mut self) -> Result<(), ExportError> {
        self.file.flush().map_err(|e| ExportError::write(&self.path, e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_appears_whole_and_strangers_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("a").join("set");
        let staged = StagedFolder::start(&place, false).unwrap();
        write(&staged.path().join("x/y.txt"), b"1").unwrap();
        assert!(!place.exists());
        assert!(matches!(
            StagedFolder::start(&place, false),
            Err(ExportError::Busy { .. })
        ));
        staged.finish().unwrap();
        assert_eq!(fs::read(place.join("x/y.txt")).unwrap(), b"1");
        assert!(matches!(
            StagedFolder::start(&place, false),
            Err(ExportError::Exists { .. })
        ));
        assert!(matches!(
            StagedFolder::start(&place, true),
            Err(ExportError::Foreign { .. })
        ));
        fs::write(place.join(OURS[0]), b"{}").unwrap();
        let staged = StagedFolder::start(&place, true).unwrap();
        write(&staged.path().join("z"), b"2").unwrap();
        assert!(place.join("x/y.txt").exists());
        staged.finish().unwrap();
        drop(StagedFolder::start(&place, true));
        let names: Vec<_> = fs::read_dir(&place).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(names, ["z"]);
        // Several formats, of which one is complete and one was being written.
        fs::create_dir_all(place.join("croco")).unwrap();
        fs::create_dir_all(place.join(".covista-part-npy")).unwrap();
        fs::remove_file(place.join("z")).unwrap();
        assert!(matches!(may_write(&place, true), Err(ExportError::Foreign { .. })));
        fs::write(place.join("croco").join(OURS[0]), b"{}").unwrap();
        assert!(may_write(&place, true).is_ok());
        assert_eq!(
            fs::read_dir(dir.path().join("a")).unwrap().count(),
            1,
            "nothing is left beside it"
        );
    }
}
