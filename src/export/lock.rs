//! Files that one process at a time may write.

use std::fs::{File, TryLockError};
use std::path::Path;

use super::ExportError;

/// True where `path` still names this open file, as far as the system tells.
pub(crate) fn is_at(file: &File, path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        match (file.metadata(), std::fs::metadata(path)) {
            (Ok(open), Ok(named)) => (open.dev(), open.ino()) == (named.dev(), named.ino()),
            _ => false,
        }
    }
    #[cfg(not(unix))]
    {
        let _ = file;
        path.exists()
    }
}

/// Locks the file against other processes while it is open; `output` is the set or plan that it belongs to.
///
/// # Errors
/// [`ExportError::Busy`] where another process holds it.
pub(crate) fn lock(file: &File, output: &Path) -> Result<(), ExportError> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(ExportError::Busy {
            path: output.to_path_buf(),
        }),
        // Some network file systems know no locks; the output is then as safe as its user makes it.
        Err(TryLockError::Error(error)) => {
            tracing::warn!(
                "{} cannot be locked ({error}): see that no other process writes it",
                output.display()
            );
            Ok(())
        }
    }
}

/// Ends a lock, as closing the file does not at once where a child process that is just being started holds a copy of it.
pub(crate) fn unlock(file: &File) {
    // Where there is no lock there is nothing to end.
    let _ = file.unlock();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_told_from_another_that_took_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let file = File::create(&path).unwrap();
        assert!(is_at(&file, &path));
        lock(&file, &path).unwrap();
        let second = File::open(&path).unwrap();
        assert!(matches!(lock(&second, &path), Err(ExportError::Busy { .. })));
        std::fs::remove_file(&path).unwrap();
        assert!(!is_at(&file, &path));
        let other = File::create(&path).unwrap();
        assert!(!is_at(&file, &path) && is_at(&other, &path));
        lock(&other, &path).unwrap();
    }
}
