//! Where a shard lies, and whose it is.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::export::ExportError;
use crate::export::lock::{lock, unlock};
use crate::export::native::{Counters, NativeWriter, RunRecord, ShardRecord};

/// Folder of a shard below the output folder of its run.
pub fn shard_name(index: u64, count: u64) -> String {
    format!("shard-{index:05}-of-{count:05}")
}

/// An output folder that this process alone works on. It has its name once it is complete; until then
/// its files lie in `.tmp-NAME` beside it.
///
/// The claim is a lock on `.lock-NAME`, which ends with the process, however that ends.
#[derive(Debug)]
pub struct ClaimedFolder {
    finished: PathBuf,
    temporary: PathBuf,
    lock: PathBuf,
    locked: File,
}

impl Drop for ClaimedFolder {
    fn drop(&mut self) {
        unlock(&self.locked);
    }
}

impl ClaimedFolder {
    /// Claims `path`; its parents are made.
    ///
    /// # Errors
    ///
    /// [`ExportError::Busy`] where another process has it; [`ExportError::Create`] where nothing can be written there.
    pub fn claim(path: &Path) -> Result<Self, ExportError> {
        let parent = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        fs::create_dir_all(parent).map_err(|e| ExportError::create(parent, e))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let named = parent.join(format!(".lock-{name}"));
        let file = File::create(&named).map_err(|e| ExportError::create(&named, e))?;
        lock(&file, path)?;
        Ok(Self {
            finished: path.to_path_buf(),
            temporary: parent.join(format!(".tmp-{name}")),
            lock: named,
            locked: file,
        })
    }

    /// The folder under its own name.
    pub fn finished(&self) -> &Path {
        &self.finished
    }

    /// Where its files lie until it is complete.
    pub fn temporary(&self) -> &Path {
        &self.temporary
    }

    /// Where its files lie now.
    pub fn current(&self) -> &Path {
        if self.finished.exists() {
            &self.finished
        } else {
            &self.temporary
        }
    }

    /// The writer of its set: continued, or started where there is none.
    ///
    /// # Errors
    ///
    /// As [`NativeWriter::resume`].
    pub fn writer(&self, run: &RunRecord) -> Result<NativeWriter, ExportError> {
        NativeWriter::resume(self.current(), run)
    }

    /// Writes the manifest and gives the folder its name.
    ///
    /// # Errors
    ///
    /// As [`NativeWriter::finish`].
    pub fn finish(self, writer: NativeWriter) -> Result<Counters, ExportError> {
        let counters = writer.finish()?;
        self.name()?;
        Ok(counters)
    }

    /// Removes what was made, which is kept elsewhere, and ends the claim.
    pub fn discard(self) {
        // That something stays where it cannot be removed does no harm.
        let _ = fs::remove_dir_all(&self.temporary);
        let _ = fs::remove_file(&self.lock);
    }

    /// Gives the folder its name and ends the claim.
    ///
    /// # Errors
    ///
    /// [`ExportError::Write`] where it cannot be renamed.
    pub fn name(self) -> Result<(), ExportError> {
        if !self.finished.exists() {
            fs::rename(&self.temporary, &self.finished).map_err(|e| ExportError::write(&self.finished, e))?;
        }
        // Another process may hold a lock on the removed file and find a complete folder: it does no harm then.
        let _ = fs::remove_file(&self.lock);
        Ok(())
    }
}

/// The complete shards below `root`, by name.
///
/// # Errors
///
/// [`ExportError::Read`] where the folder cannot be read.
pub fn find_shards(root: &Path) -> Result<Vec<(ShardRecord, PathBuf)>, ExportError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root).map_err(|e| ExportError::read(root, e))? {
        let entry = entry.map_err(|e| ExportError::read(root, e))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if let Some((index, count)) = parse_name(&name) {
            found.push((ShardRecord { index, count, pairs: 0 }, entry.path()));
        }
    }
    found.sort_by_key(|(shard, _)| (shard.count, shard.index));
    Ok(found)
}

fn parse_name(name: &str) -> Option<(u64, u64)> {
    let (index, count) = name.strip_prefix("shard-")?.split_once("-of-")?;
    let (index, count) = (index.parse().ok()?, count.parse().ok()?);
    (shard_name(index, count) == name).then_some((index, count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        assert_eq!(shard_name(3, 8), "shard-00003-of-00008");
        assert_eq!(parse_name("shard-00003-of-00008"), Some((3, 8)));
        assert_eq!(parse_name("shard-123456-of-200000"), Some((123_456, 200_000)));
        for other in [
            "shard-3-of-8",
            ".tmp-shard-00003-of-00008",
            "shard-x-of-00008",
            "000003",
        ] {
            assert_eq!(parse_name(other), None, "{other}");
        }
    }

    #[test]
    fn one_claim_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep/shard");
        let first = ClaimedFolder::claim(&path).unwrap();
        assert!(matches!(ClaimedFolder::claim(&path), Err(ExportError::Busy { .. })));
        fs::create_dir(first.temporary()).unwrap();
        assert_eq!(first.current(), first.temporary());
        first.name().unwrap();
        let second = ClaimedFolder::claim(&path).unwrap();
        assert_eq!(second.current(), path);
    }
}
