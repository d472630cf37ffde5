//! Sets in object storage for commands that read folders: fetched first.

use std::path::{Path, PathBuf};

#[cfg(feature = "object-store")]
use covista::export::ExportError;
#[cfg(feature = "object-store")]
use covista::export::native::NativeReader;
#[cfg(feature = "object-store")]
use covista::store::{ObjectFolder, StoreError};

use super::exit::Failure;

/// A set as a folder of this machine; what was fetched for it is removed in the end.
pub struct Local {
    /// The folder.
    pub path: PathBuf,
    /// Where it was fetched from.
    url: Option<String>,
}

impl Local {
    /// The folder that `place` is, or what the prefix of a bucket holds, fetched below `scratch`.
    pub fn of(place: &Path, scratch: Option<&Path>) -> anyhow::Result<Self> {
        let text = place.to_string_lossy();
        if !text.contains("://") {
            return Ok(Self {
                path: place.to_owned(),
                url: None,
            });
        }
        if let Some(path) = text.strip_prefix("file://") {
            return Ok(Self {
                path: path.into(),
                url: None,
            });
        }
        fetch(&text, scratch)
    }

    /// A place for what is fetched from `url`, which no other process takes.
    #[cfg(feature = "object-store")]
    fn copy_of(url: &str, scratch: Option<&Path>) -> Self {
        let scratch = scratch.map_or_else(std::env::temp_dir, Path::to_owned);
        let hash = &blake3::hash(url.as_bytes()).to_hex()[..16];
        Self {
            path: scratch.join(format!("covista-fetched-{}-{hash}", std::process::id())),
            url: Some(url.trim_end_matches('/').to_owned()),
        }
    }

    /// How a file of the folder is named to the user.
    pub fn named(&self, file: &Path) -> PathBuf {
        match (&self.url, file.strip_prefix(&self.path)) {
            (Some(url), Ok(inside)) => PathBuf::from(format!("{url}/{}", inside.display())),
            _ => file.to_owned(),
        }
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        if self.url.is_some() {
            // Only a copy: that it stays where it cannot be removed does no harm.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

#[cfg(feature = "object-store")]
fn fetch(url: &str, scratch: Option<&Path>) -> anyhow::Result<Local> {
    let remote = ObjectFolder::open(url)?;
    let local = Local::copy_of(url, scratch);
    // What cannot be read is bad input; where to write is not in question.
    let failed = |error: StoreError| match error {
        StoreError::Request { url, why } => Failure::input(format!("object storage could not be read at {url}: {why}")),
        other => other.into(),
    };
    match remote.download(&local.path).map_err(failed)? {
        0 => Err(Failure::input(format!("nothing is there: {url}"))),
        _ => Ok(local),
    }
}

#[cfg(not(feature = "object-store"))]
fn fetch(url: &str, _: Option<&Path>) -> anyhow::Result<Local> {
    Err(Failure::arguments(format!(
        "this build reads folders only; build it with --features object-store for {url}"
    )))
}

/// What is known of a set in object storage that has ended and of which every file is there; else `None`. Only its
/// manifest is fetched, below `scratch`.
#[cfg(feature = "object-store")]
pub fn finished<T>(
    remote: &ObjectFolder,
    scratch: Option<&Path>,
    look: impl FnOnce(&NativeReader) -> anyhow::Result<T>,
) -> anyhow::Result<Option<T>> {
    let local = Local::copy_of(remote.url(), scratch);
    let manifest = local.path.join("manifest.json");
    if !remote.download_manifest(&manifest)? {
        return Ok(None);
    }
    let damaged = |error: ExportError| match error {
        ExportError::Damaged { why, .. } => ExportError::Damaged {
            why: format!("{why}; remove this object and make the set again"),
            path: local.named(&manifest),
        },
        other => other,
    };
    let set = NativeReader::open(&local.path).map_err(damaged)?;
    let names = remote.names()?;
    if !set.topdown_entries().iter().all(|entry| names.contains(&entry.file)) {
        return Ok(None);
    }
    for entry in set.entries() {
        let entry = entry.map_err(damaged)?;
        if !entry
            .files
            .keys()
            .all(|file| names.contains(&format!("{}/{file}", entry.folder)))
        {
            return Ok(None);
        }
    }
    look(&set).map(Some)
}
