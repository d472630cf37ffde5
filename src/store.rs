//! Object storage: a folder of objects under `s3://bucket/prefix` or `gs://bucket/prefix`, the only place that names
//! `object_store`.
//!
//! Requests that fail for a passing reason (no connection, a broken one, 5xx, 429) are tried again with pauses that grow
//! to 10 s, for two minutes or as many seconds as `COVISTA_STORE_PATIENCE` says. Credentials and end points come from
//! the variables that the clouds' own tools use: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_REGION`,
//! `AWS_ENDPOINT` (with `AWS_ALLOW_HTTP=true` for one without TLS), `GOOGLE_SERVICE_ACCOUNT` and so on, or from the
//! machine's role.

mod claim;
mod connect;
mod listing;
mod mirror;
mod transfer;

use std::error::Error as _;
use std::time::Duration;

use object_store::client::{HttpError, HttpErrorKind};
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload, UpdateVersion};

pub use claim::{Claim, LEASE};
pub use listing::ObjectNames;
pub use mirror::Mirror;

/// Attempts of a conditional write whose answer was lost, for which the client alone makes no second one.
const CONDITIONAL_ATTEMPTS: u32 = 4;
/// Said of a request that met no bucket.
const NO_BUCKET: &str = "there is no such bucket";
/// Characters of what a store said that are shown.
const SHOWN: usize = 400;

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
    /// Nothing gives the right to use it.
    #[error(
        "no credentials for {url}: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or GOOGLE_SERVICE_ACCOUNT for gs://, or give the \
         machine a role ({why})"
    )]
    Credentials {
        /// As given.
        url: String,
        /// What was tried.
        why: String,
    },
    /// A request failed for good.
    #[error(
        "object storage failed at {url}: {why}; what is uploaded stays valid, the same command goes on where it was (with --resume where it makes no shard)"
    )]
    Request {
        /// The object.
        url: String,
        /// What the store said.
        why: String,
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
    /// Opens the prefix that `url` names, once there are credentials for it; nothing is sent to the store yet.
    ///
    /// # Errors
    ///
    /// [`StoreError::Address`] for another scheme, a missing bucket or contradicting settings;
    /// [`StoreError::Credentials`].
    pub fn open(url: &str) -> Result<Self, StoreError> {
        let bad = |why: String| StoreError::Address { url: url.into(), why };
        let (scheme, rest) = url.split_once("://").ok_or_else(|| bad("it has no scheme".into()))?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(bad("it names no bucket".into()));
        }
        let prefix = Path::parse(prefix.trim_matches('/')).map_err(|error| bad(error.to_string()))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| bad(error.to_string()))?;
        let store = match scheme {
            "s3" => connect::s3(&runtime, url, bucket)?,
            "gs" => connect::gs(&runtime, url, bucket)?,
            _ => return Err(bad("the schemes are s3:// and gs://".into())),
        };
        Ok(Self {
            runtime,
            store,
            prefix,
            url: url.trim_end_matches('/').into(),
        })
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

    fn failed(&self, name: &str, error: &Error) -> StoreError {
        StoreError::Request {
            url: format!("{}/{name}", self.url).trim_end_matches('/').to_owned(),
            why: reason(error),
        }
    }

    /// The bytes of an object and its version; `None` where there is none, be it for want of the bucket.
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
            Err(error) => Err(self.failed(name, &error)),
        }
    }

    /// Writes an object where there is none.
    ///
    /// # Errors
    ///
    /// [`StoreError::Request`]; that there is one is [`Put::Refused`], also where it comes of an attempt of this call
    /// whose answer was lost.
    pub fn put_new(&self, name: &str, bytes: Vec<u8>) -> Result<Put, StoreError> {
        self.put_if(name, bytes, &PutMode::Create)
    }

    /// Writes an object where it still has this version.
    ///
    /// # Errors
    ///
    /// [`StoreError::Request`]; that it has another one is [`Put::Refused`], also where that comes of an attempt of
    /// this call whose answer was lost.
    pub fn put_over(&self, name: &str, bytes: Vec<u8>, version: &Version) -> Result<Put, StoreError> {
        self.put_if(name, bytes, &PutMode::Update(version.0.clone()))
    }

    fn put_if(&self, name: &str, bytes: Vec<u8>, mode: &PutMode) -> Result<Put, StoreError> {
        let path = self.path(name);
        let payload = PutPayload::from(bytes);
        self.runtime.block_on(async {
            let mut attempt = 1;
            loop {
                let options = PutOptions {
                    mode: mode.clone(),
                    ..PutOptions::default()
                };
                match self.store.put_opts(&path, payload.clone(), options).await {
                    Ok(result) => return Ok(Put::Done(Version(result.into()))),
                    Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => return Ok(Put::Refused),
                    Err(error) if attempt < CONDITIONAL_ATTEMPTS && is_answer_lost(&error) => {
                        tokio::time::sleep(Duration::from_secs(1 << attempt)).await;
                        attempt += 1;
                    }
                    Err(error) => return Err(self.failed(name, &error)),
                }
            }
        })
    }

    /// Removes an object; that there is none is no error.
    ///
    /// # Errors
    ///
    /// [`StoreError::Request`].
    pub fn delete(&self, name: &str) -> Result<(), StoreError> {
        match self.runtime.block_on(self.store.delete(&self.path(name))) {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.failed(name, &error)),
        }
    }
}

/// What is behind an error, the nearest first.
fn causes(error: &Error) -> Vec<&(dyn std::error::Error + 'static)> {
    let mut found = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        found.push(cause);
        next = cause.source();
    }
    found
}

/// True where the store may have done what was asked.
fn is_answer_lost(error: &Error) -> bool {
    let kinds = causes(error).into_iter();
    kinds
        .filter_map(|cause| cause.downcast_ref::<HttpError>())
        .any(|cause| matches!(cause.kind(), HttpErrorKind::Timeout | HttpErrorKind::Interrupted))
}

/// One line for the user.
fn reason(error: &Error) -> String {
    let said = |error: &Error| {
        let mut text = error.to_string();
        // The last cause is the one that tells: no connection, no such host.
        let last = causes(error).last().map(ToString::to_string);
        if let Some(last) = last.filter(|last| !text.contains(last)) {
            text = format!("{text}: {last}");
        }
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        match line.char_indices().nth(SHOWN) {
            Some((end, _)) => format!("{}...", &line[..end]),
            None => line,
        }
    };
    match error {
        // An absent object is an answer, not an error, wherever one may be absent.
        Error::NotFound { source, .. } if !source.to_string().contains("NoSuchUpload") => NO_BUCKET.into(),
        Error::Generic { source, .. } if source.to_string().contains("NoSuchBucket") => NO_BUCKET.into(),
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => {
            format!("the credentials do not allow it ({})", said(error))
        }
        _ => said(error),
    }
}
