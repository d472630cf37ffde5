//! Files up and down, several at a time, with bounded memory.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use futures_util::{StreamExt, stream};
use object_store::{Error, ObjectStoreExt, PutPayload, WriteMultipart};

use super::{ObjectFolder, StoreError};

/// Files from this size on go up in parts of it, one file at a time.
pub(super) const PART_BYTES: u64 = 8 << 20;
/// Parts of one file in flight.
const PARTS_IN_FLIGHT: usize = 4;
/// Smaller files, and files of any size on their way down, in flight.
const FILES_IN_FLIGHT: usize = 8;

/// A file of this machine and the name that it has, or is to have, in the store.
#[derive(Debug)]
pub(super) struct Upload {
    pub name: String,
    pub path: PathBuf,
    /// Bytes from its begin that go up; it may be growing.
    pub length: u64,
    /// The file opened beforehand, where it may be removed before its turn comes.
    pub open: Option<fs::File>,
}

impl Upload {
    /// The whole file.
    pub fn whole(name: String, path: PathBuf) -> Result<Self, StoreError> {
        let length = fs::metadata(&path).map_err(|source| file_error(&path, source))?.len();
        Ok(Self {
            name,
            path,
            length,
            open: None,
        })
    }

    /// As [`Self::whole`] for a file that may grow or be removed before its turn comes: what it holds now goes up.
    pub fn as_it_is(name: String, path: PathBuf) -> Result<Self, StoreError> {
        let open = fs::File::open(&path).map_err(|source| file_error(&path, source))?;
        Ok(Self {
            open: Some(open),
            ..Self::whole(name, path)?
        })
    }

    fn reader(&self) -> Result<Box<dyn Read + '_>, StoreError> {
        Ok(match &self.open {
            Some(open) => Box::new(open),
            None => Box::new(fs::File::open(&self.path).map_err(|source| file_error(&self.path, source))?),
        })
    }
}

impl ObjectFolder {
    /// Uploads files, whatever was there.
    ///
    /// # Errors
    ///
    /// [`StoreError::File`] where one cannot be read, [`StoreError::Request`].
    pub(super) fn upload(&self, files: &[Upload]) -> Result<(), StoreError> {
        let (large, small): (Vec<_>, Vec<_>) = files.iter().partition(|file| file.length >= PART_BYTES);
        self.runtime.block_on(async {
            let mut sent = stream::iter(small)
                .map(|file| self.upload_small(file))
                .buffer_unordered(FILES_IN_FLIGHT);
            while let Some(sent) = sent.next().await {
                sent?;
            }
            for file in large {
                self.upload_large(file).await?;
            }
            Ok(())
        })
    }

    async fn upload_small(&self, file: &Upload) -> Result<(), StoreError> {
        let mut bytes = Vec::new();
        file.reader()?
            .take(file.length)
            .read_to_end(&mut bytes)
            .map_err(|source| file_error(&file.path, source))?;
        let sent = self.store.put(&self.path(&file.name), PutPayload::from(bytes)).await;
        sent.map(drop).map_err(|error| self.failed(&file.name, &error))
    }

    async fn upload_large(&self, file: &Upload) -> Result<(), StoreError> {
        let failed = |error: Error| self.failed(&file.name, &error);
        let upload = self.store.put_multipart(&self.path(&file.name)).await;
        let mut parts = WriteMultipart::new_with_chunk_size(upload.map_err(failed)?, PART_BYTES as usize);
        let mut rest = file.reader()?.take(file.length);
        loop {
            let mut part = Vec::new();
            let read = rest.by_ref().take(PART_BYTES).read_to_end(&mut part);
            let written = match read {
                Ok(0) => break,
                Ok(_) => parts.wait_for_capacity(PARTS_IN_FLIGHT).await.map_err(failed),
                Err(source) => Err(file_error(&file.path, source)),
            };
            if let Err(error) = written {
                // Parts that stay are paid for; the first failure is what the user wants to know.
                let _ = parts.abort().await;
                return Err(error);
            }
            parts.put(part.into());
        }
        match parts.finish().await {
            Ok(_) => Ok(()),
            Err(error @ Error::NotFound { .. }) => match self.store.head(&self.path(&file.name)).await {
                // The upload is gone because it was completed by an attempt whose answer was lost.
                Ok(there) if there.size == file.length => Ok(()),
                _ => Err(failed(error)),
            },
            Err(error) => Err(failed(error)),
        }
    }

    /// Downloads one object to `path` by way of a hidden file beside it; false where there is no such object.
    ///
    /// # Errors
    ///
    /// As [`Self::download`].
    pub fn download_one(&self, name: &str, path: &Path) -> Result<bool, StoreError> {
        let folder = path.parent().unwrap_or(Path::new("."));
        // What an earlier process left is no answer.
        match fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(file_error(path, error)),
            _ => {}
        }
        self.fetch(folder, &[(name.to_owned(), path.to_owned())])?;
        Ok(path.exists())
    }

    /// Downloads objects to the paths given with them, through hidden files in `folder`, so that each file is whole.
    ///
    /// # Errors
    ///
    /// [`StoreError::Request`], [`StoreError::File`].
    pub(super) fn fetch(&self, folder: &Path, wanted: &[(String, PathBuf)]) -> Result<(), StoreError> {
        fs::create_dir_all(folder).map_err(|source| file_error(folder, source))?;
        self.runtime.block_on(async {
            let mut got = stream::iter(wanted.iter().enumerate())
                .map(|(place, (name, path))| async move {
                    let temporary = folder.join(format!(".tmp-fetch-{place}"));
                    self.fetch_one(name, &temporary, path).await
                })
                .buffer_unordered(FILES_IN_FLIGHT);
            while let Some(got) = got.next().await {
                got?;
            }
            Ok(())
        })
    }

    async fn fetch_one(&self, name: &str, temporary: &Path, path: &Path) -> Result<(), StoreError> {
        let result = match self.store.get(&self.path(name)).await {
            Ok(result) => result,
            // Removed since it was listed.
            Err(Error::NotFound { .. }) => return Ok(()),
            Err(error) => return Err(self.failed(name, &error)),
        };
        let failed = |source| file_error(path, source);
        let mut file = fs::File::create(temporary).map_err(failed)?;
        let mut body = result.into_stream();
        while let Some(bytes) = body.next().await {
            let bytes = bytes.map_err(|error| self.failed(name, &error))?;
            file.write_all(&bytes).map_err(failed)?;
        }
        drop(file);
        path.parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::rename(temporary, path))
            .map_err(failed)
    }
}

/// A [`StoreError::File`].
pub(super) fn file_error(path: &Path, source: std::io::Error) -> StoreError {
    StoreError::File {
        path: path.display().to_string(),
        source,
    }
}
