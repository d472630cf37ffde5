//! Sets in object storage for commands that read folders: fetched first.

use std::path::{Path, PathBuf};

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
    let remote = covista::store::ObjectFolder::open(url)?;
    let scratch = scratch.map_or_else(std::env::temp_dir, Path::to_owned);
    let name = format!(
        "covista-fetched-{}-{}",
        std::process::id(),
        &blake3::hash(url.as_bytes()).to_hex()[..16]
    );
    let local = Local {
        path: scratch.join(name),
        url: Some(url.trim_end_matches('/').to_owned()),
    };
    // What cannot be read is bad input; where to write is not in question.
    let failed = |error: covista::store::StoreError| match error {
        covista::store::StoreError::Request { url, why } => {
            Failure::input(format!("object storage could not be read at {url}: {why}"))
        }
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
