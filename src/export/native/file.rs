//! One open file, read at any place and appended to, for the records that are not held in memory.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::export::ExportError;
use crate::export::lock::unlock;

/// Buffer for going through all records.
pub const STREAMED: usize = 64 << 10;
/// Buffer for one record.
pub const SINGLE: usize = 4 << 10;

/// The journal or the manifest of a set. It stays readable while it is open, whatever becomes of its name.
#[derive(Debug)]
pub struct RecordFile {
    file: Mutex<File>,
    path: PathBuf,
}

impl RecordFile {
    /// An open file; `path` is named in errors.
    pub fn new(file: File, path: &Path) -> Arc<Self> {
        Arc::new(Self {
            file: Mutex::new(file),
            path: path.to_path_buf(),
        })
    }

    /// The name that errors tell.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes of the file.
    pub fn len(&self) -> Result<u64, ExportError> {
        let metadata = self.locked().metadata();
        Ok(metadata.map_err(|e| ExportError::read(&self.path, e))?.len())
    }

    /// Writes at `offset`, where the file ends.
    pub fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut file = self.locked();
        file.seek(SeekFrom::Start(offset))?;
        file.write_all(bytes)?;
        file.flush()
    }

    /// Cuts the file off.
    pub fn set_len(&self, bytes: u64) -> io::Result<()> {
        self.locked().set_len(bytes)
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<usize> {
        let mut file = self.locked();
        file.seek(SeekFrom::Start(offset))?;
        file.read(bytes)
    }

    fn locked(&self) -> MutexGuard<'_, File> {
        // Every use begins with a seek, so a panic elsewhere leaves nothing half done.
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for RecordFile {
    fn drop(&mut self) {
        unlock(&self.locked());
    }
}

/// Goes through a [`RecordFile`]; several may do so at a time.
#[derive(Debug)]
pub struct Cursor(BufReader<At>);

#[derive(Debug)]
struct At {
    file: Arc<RecordFile>,
    offset: u64,
}

impl Cursor {
    /// At the beginning of `file`, reading `buffer` bytes at a time.
    pub fn new(file: &Arc<RecordFile>, buffer: usize) -> Self {
        let file = Arc::clone(file);
        Self(BufReader::with_capacity(buffer, At { file, offset: 0 }))
    }

    /// Goes to a place; what was read ahead is used where it lies there.
    pub fn seek(&mut self, offset: u64) -> io::Result<()> {
        let at = self.0.get_ref().offset - self.0.buffer().len() as u64;
        match i64::try_from(i128::from(offset) - i128::from(at)) {
            Ok(step) => self.0.seek_relative(step),
            Err(error) => Err(io::Error::new(io::ErrorKind::InvalidInput, error)),
        }
    }
}

impl Read for Cursor {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.0.read(bytes)
    }
}

impl BufRead for Cursor {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.0.fill_buf()
    }

    fn consume(&mut self, bytes: usize) {
        self.0.consume(bytes);
    }
}

impl Read for At {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(self.offset, bytes)?;
        self.offset += read as u64;
        Ok(read)
    }
}

impl Seek for At {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::Current(step) => self.offset.checked_add_signed(step),
            SeekFrom::End(step) => self.file.locked().metadata()?.len().checked_add_signed(step),
        };
        self.offset = place.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_place_is_reached_from_any_other() {
        let mut file = tempfile::tempfile().unwrap();
        let bytes: Vec<u8> = (0..=255).cycle().take(5000).collect();
        file.write_all(&bytes).unwrap();
        let file = RecordFile::new(file, Path::new("records"));
        assert_eq!(file.len().unwrap(), 5000);
        let mut cursor = Cursor::new(&file, 16);
        for (place, length) in [(0, 3), (2, 9), (4000, 40), (4001, 1), (17, 300), (4999, 1)] {
            cursor.seek(place).unwrap();
            let mut read = vec![0; length];
            cursor.read_exact(&mut read).unwrap();
            assert_eq!(read, bytes[place as usize..place as usize + length]);
        }
        file.write_at(5000, b"more").unwrap();
        cursor.seek(4998).unwrap();
        let mut rest = Vec::new();
        cursor.read_to_end(&mut rest).unwrap();
        assert_eq!(rest, [&bytes[4998..], b"more"].concat());
    }
}
