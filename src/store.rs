//! Object storage: a folder of objects under `s3://bucket/prefix` or `gs://bucket/prefix`, the only place that names
//! `object_store`.
//!
//! Requests are tried again with growing pauses (up to ten times in three minutes). Credentials and end points come from the
//! variables that the clouds' own tools use: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_REGION`,
//! `AWS_ENDPOINT` (with `AWS_ALLOW_HTTP=true` for one without TLS), `GOOGLE_SERVICE_ACCOUNT` and so on.

mod claim;
mod mirror;

use std::collections::BTreeMap;
use std::path::Path as FilePath;

use futures_util::StreamExt;
use object_store::aws::AmazonS3Builder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::path::Path;
use object_store::{
    Error, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload, UpdateVersion, WriteMultipart,
};

pub use claim::{Claim, LEASE};
pub use mirror::Mirror;

/// Files from this size on go up in parts.
const MULTIPART_BYTES: usize = 8 << 20;
/// Parts of one file in flight.
const PARTS_IN_FLIGHT: usize = 4;

/// An object store that could not be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// An address that means nothing here.
    #[error("{url} is no place to write to: {why}")]
    Address {
        /// As given.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// A request failed for good.
    #[error("object storage failed at {url} ({source}); what is uploaded stays valid, run the command again to go on")]
    Request {
        /// The object.
        url: String,
        /// What the store said.
        source: Box<Error>,
    },
    /// A file on this machine could not be read or written.
    #[error("cannot read or write ({source}): {path}")]
    File {
        /// The file.
        path: String,
        /// The system's reason.
        source: std::io::Error,
    },
    /// Another process works on this output.
    #[error("another process is writing this output ({owner}): wait for it, or choose another place: {url}")]
    Busy {
        /// Who holds the claim.
        owner: String,
        /// The output.
        url: String,
    },
    /// The store holds another set under this name.
    #[error("{url} exists already and is another set; choose another place")]
    Other {
        /// The object that differs.
        url: String,
    },
}

/// What a conditional write found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Put {
    /// Written; this is the version that it has now.
    Done(Version),
    /// Somebody else was first.
    Refused,
}

/// A version of an object, for conditional writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version(UpdateVersion);

/// The objects under a prefix.
#[derive(Debug)]
pub struct ObjectFolder {
    runtime: tokio::runtime::Runtime,
    store: Box<dyn ObjectStore>,
    prefix: Path,
    url: String,
}

/// True where `text` is an address that this module understands.
pub fn is_object_url(text: &str) -> bool {
    ["s3://", "gs://"].iter().any(|scheme| text.starts_with(scheme))
}

impl ObjectFolder {
    /// Opens the prefix that `url` names; nothing is sent yet.
    ///
    /// # Errors
    ///
    /// [`StoreError::Address`] for another scheme, a missing bucket or contradicting settings.
    pub fn open(url: &str) -> Result<Self, StoreError> {
        let bad = |why: String| StoreError::Address { url: url.into(), why };
        let (scheme, rest) = url.split_once("://").ok_or_else(|| bad("it has no scheme".into()))?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(bad("it names no bucket".into()));
        }
        let built: Result<Box<dyn ObjectStore>, Error> = match scheme {
            "s3" => AmazonS3Builder::from_env()
                .with_bucket_name(bucket)
                .build()
                .map(|s| Box::new(s) as _),
            "gs" => GoogleCloudStorageBuilder::from_env()
                .with_bucket_name(bucket)
                .build()
                .map(|s| Box::new(s) as _),
            _ => return Err(bad("the schemes are s3:// and gs://".into())),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        Ok(Self {
            store: built.map_err(|error| bad(error.to_string()))?,
            runtime: runtime.map_err(|error| bad(error.to_string()))?,
            prefix: Path::parse(prefix.trim_matches('/')).map_err(|error| bad(error.to_string()))?,
            url: url.trim_end_matches('/').into(),
        })
    }

    /// The same store below `name`.
    ///
    /// # Errors
    ///
    /// As [`Self::open`].
    pub fn below(&self, name: &str) -> Result<Self, StoreError> {
        Self::open(&format!("{}/{name}", self.url))
    }

    /// The address.
    pub fn url(&self) -> &str {
        &self.url
    }

    fn path(&self, name: &str) -> Path {
        name.split('/')
            .filter(|part| !part.is_empty())
            .fold(self.prefix.clone(), |path, part| path.join(part))
    }

    fn failed(&self, name: &str, error: Error) -> StoreError {
        StoreError::Request {
            url: format!("{}/{name}", self.url),
            source: Box::new(error),
        }
    }

    /// Names below the prefix, relative to it, and their sizes in bytes.
    ///
    /// # Errors
    ///
    /// [`StoreError::Request`].
    pub fn list(&self) -> Result<BTreeMap<String, u64>, StoreError> {
        self.runtime.block_on(async {
            let mut found = BTreeMap::new();
            let mut listed = self.store.list(Some(&self.prefix));
            while let Some(object) = listed.next().await {
                let object = object.map_err(|error| self.failed("", error))?;
                let parts: Vec<_> = object
                    .location
                    .prefix_match(&self.prefix)
                    .into_iter()
                    .flatten()
                    .collect();
                let name: Vec<&str> = parts.iter().map(AsRef::as_ref).collect();
                found.insert(name.join("/"), object.size);
            }
            Ok(found)
        })
    }

    /// The bytes of an object and its version; `None` where there is none.
    ///
    /// # Errors
    ///
    /// [`StoreError::Request`].
    pub fn get(&self, name: &str) -> Result<Option<(Vec<u8>, Version)>, StoreError> {
        let path = self.path(name);
        let got = self.runtime.block_on(async {
            let result = self.store.get(&path).await?;
            let version = UpdateVersion {
                e_tag: result.meta.e_tag.clone(),
                version: result.meta.version.clone(),
            };
            Ok((result.bytes().await?.to_vec(), Version(version)))
        });
        match got {
            Ok(got) => Ok(Some(got)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.failed(name, error)),
        }
    }

    /// Writes an object whatever was there; large ones in parts.
    ///
    /// # Errors
    ///
    /// [`StoreError::Request`].
    pub fn put(&self, name: &str, bytes: Vec<u8>) -> Result<(), StoreError> {
        let path = self.path(name);
        let written = self.runtime.block_on(async {
            if bytes.len() < MULTIPART_BYTES {
                return self.store.put(&path, PutPayload::from(bytes)).await.map(drop);
            }
            let upload = self.store.put_multipart(&path).await?;
            let mut parts = WriteMultipart::new_with_chunk_size(upload, MULTIPART_BYTES);
            for part in bytes.chunks(MULTIPART_BYTES) {
                parts.wait_for_capacity(PARTS_IN_FLIGHT).await?;
                parts.write(part);
            }
            parts.finish().await.map(drop)
        });
        written.map_err(|error| self.failed(name, error))
    }

    /// Writes an object where there is none.
    ///
    /// # Errors
    ///
    /// [`StoreError::Request`]; that there is one is [`Put::Refused`].
    pub fn put_new(&self, name: &str, bytes: Vec<u8>) -> Result<Put, StoreError> {
        self.put_if(name, bytes, PutMode::Create)
    }

    /// Writes an object where it still has this version.
    ///
    /// # Errors
    ///
    /// [`StoreError::Request`]; that it has another one is [`Put::Refused`].
    pub fn put_over(&self, name: &str, bytes: Vec<u8>, version: &Version) -> Result<Put, StoreError> {
        self.put_if(name, bytes, PutMode::Update(version.0.clone()))
    }

    fn put_if(&self, name: &str, bytes: Vec<u8>, mode: PutMode) -> Result<Put, StoreError> {
        let path = self.path(name);
        let options = PutOptions {
            mode,
            ..PutOptions::default()
        };
        match self
            .runtime
            .block_on(self.store.put_opts(&path, PutPayload::from(bytes), options))
        {
            Ok(result) => Ok(Put::Done(Version(result.into()))),
            Err(Error::AlreadyExists { .. } | Error::Precondition { .. } | Error::NotFound { .. }) => Ok(Put::Refused),
            Err(error) => Err(self.failed(name, error)),
        }
    }

    /// Uploads a file.
    ///
    /// # Errors
    ///
    /// [`StoreError::File`] where it cannot be read, [`StoreError::Request`].
    pub fn put_file(&self, name: &str, file: &FilePath) -> Result<(), StoreError> {
        let bytes = std::fs::read(file).map_err(|source| StoreError::File {
            path: file.display().to_string(),
            source,
        })?;
        self.put(name, bytes)
    }

    /// Removes an object; that there is none is no error.
    ///
    /// # Errors
    ///
    /// [`StoreError::Request`].
    pub fn delete(&self, name: &str) -> Result<(), StoreError> {
        match self.runtime.block_on(self.store.delete(&self.path(name))) {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.failed(name, error)),
        }
    }
}
