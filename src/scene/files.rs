//! Reading files that a scene refers to: only from its own folder, only up to the limit, every byte hashed.

use std::fs::File;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use super::config::Limits;
use super::error::SceneError;

/// The folder of a scene, the bytes that may still be read, and the hash of those that were.
pub(crate) struct SceneFiles {
    /// The scene file, for messages.
    pub(crate) path: PathBuf,
    folder: PathBuf,
    limits: Limits,
    bytes_left: u64,
    hasher: blake3::Hasher,
}

impl SceneFiles {
    /// Reads the scene file itself.
    pub(crate) fn open(path: &Path, limits: &Limits) -> Result<(Self, Vec<u8>), SceneError> {
        let parent = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let read_error = |source| read_failure(path, source);
        let mut files = Self {
            path: path.to_owned(),
            folder: parent.canonicalize().map_err(read_error)?,
            limits: limits.clone(),
            bytes_left: limits.max_file_bytes,
            hasher: blake3::Hasher::new(),
        };
        let bytes = files.read_file(path)?;
        files.hasher.update(&bytes);
        Ok((files, bytes))
    }

    /// Reads a file that the scene names, relative to its folder. Percent escapes are undone; a name that exists as
    /// written is taken as well. The bytes are not hashed yet: see [`Self::hash`].
    pub(crate) fn read(&mut self, reference: &str) -> Result<Vec<u8>, SceneError> {
        let path = self.resolve(reference)?;
        self.read_file(&path)
    }

    /// Adds bytes to the scene's hash. Callers keep a fixed order.
    pub(crate) fn hash(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
    }

    /// The hash of everything that was added.
    pub(crate) fn digest(&self) -> [u8; 32] {
        *self.hasher.finalize().as_bytes()
    }

    /// Bytes that may still be read.
    pub(crate) fn bytes_left(&self) -> u64 {
        self.bytes_left
    }

    /// Takes from what may still be read, for bytes that come from elsewhere than a file (data URIs).
    pub(crate) fn spend(&mut self, bytes: u64) -> Result<(), SceneError> {
        match self.bytes_left.checked_sub(bytes) {
            Some(left) => self.bytes_left = left,
            None => {
                return Err(SceneError::TooLarge {
                    what: "the scene with the files that it refers to".to_owned(),
                    limit: "limits.max_file_bytes",
                    allowed: self.limits.max_file_bytes,
                    path: self.path.clone(),
                });
            }
        }
        Ok(())
    }

    fn resolve(&self, reference: &str) -> Result<PathBuf, SceneError> {
        let decoded = percent_decode(reference);
        let mut outside = false;
        for name in [decoded.as_deref(), Some(reference)].into_iter().flatten() {
            let Some(relative) = inside(Path::new(&name.replace('\\', "/"))) else {
                outside = true;
                continue;
            };
            // Symbolic links are followed, and the place where they end is what counts.
            let named = self.folder.join(relative);
            let found = match named.canonicalize() {
                Ok(found) => found,
                Err(error) if is_absent(&error) => continue,
                // It may well be there: without it the scene would be another one.
                Err(error) => return Err(read_failure(&named, error)),
            };
            if !found.starts_with(&self.folder) {
                outside = true;
            } else if found.is_file() {
                return Ok(found);
            }
        }
        let (reference, path) = (shorten(reference), self.path.clone());
        Err(if outside {
            SceneError::OutsideFolder { reference, path }
        } else {
            SceneError::MissingPart { reference, path }
        })
    }

    fn read_file(&mut self, path: &Path) -> Result<Vec<u8>, SceneError> {
        let metadata = path.metadata().map_err(|source| read_failure(path, source))?;
        // A folder, a pipe or a device: reading could fail late or never end.
        if !metadata.is_file() {
            return Err(SceneError::UnknownKind {
                what: "it is not a plain file".to_owned(),
                path: path.to_owned(),
            });
        }
        self.spend(metadata.len())?;
        let mut bytes = Vec::with_capacity(metadata.len() as usize);
        let file = File::open(path).map_err(|source| read_failure(path, source))?;
        // No more than announced, even when the file grows meanwhile.
        file.take(metadata.len())
            .read_to_end(&mut bytes)
            .map_err(|source| read_failure(path, source))?;
        Ok(bytes)
    }
}

/// Whether an error says that a file is not there, and not that nobody can tell just now. Names that no file can have count.
pub(super) fn is_absent(error: &std::io::Error) -> bool {
    use std::io::ErrorKind;
    matches!(
        error.kind(),
        ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::InvalidInput | ErrorKind::InvalidFilename
    )
}

fn read_failure(path: &Path, source: std::io::Error) -> SceneError {
    let path = path.to_owned();
    match source.kind() {
        std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => SceneError::NotFound { path },
        _ => SceneError::Read { source, path },
    }
}

/// The path with `.` and `..` resolved, or `None` when it is absolute or climbs out.
fn inside(path: &Path) -> Option<PathBuf> {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => clean.push(name),
            Component::CurDir => {}
            Component::ParentDir => {
                if !clean.pop() {
                    return None;
                }
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(clean)
}

/// Undoes percent escapes; `None` when there are none, or the result is not text.
fn percent_decode(text: &str) -> Option<String> {
    if !text.contains('%') {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let digit = |at: usize| after.get(at).and_then(|&b| (b as char).to_digit(16));
        if let (b'%', Some(high), Some(low)) = (first, digit(0), digit(1)) {
            bytes.push((high * 16 + low) as u8);
            rest = &after[2..];
        } else {
            bytes.push(first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

/// The start of a name that may be megabytes long.
pub(crate) fn shorten(text: &str) -> String {
    match text.char_indices().nth(120) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_climb_are_refused() {
        assert_eq!(inside(Path::new("a/./b.png")), Some(PathBuf::from("a/b.png")));
        assert_eq!(inside(Path::new("a/../b.png")), Some(PathBuf::from("b.png")));
        assert_eq!(inside(Path::new("../b.png")), None);
        assert_eq!(inside(Path::new("a/../../b.png")), None);
        assert_eq!(inside(Path::new("/etc/passwd")), None);
    }

    #[test]
    fn escapes_are_undone() {
        assert_eq!(percent_decode("a%20b%2Fc").as_deref(), Some("a b/c"));
        assert_eq!(percent_decode("%E2%9D%A4").as_deref(), Some("\u{2764}"));
        assert_eq!(percent_decode("50%").as_deref(), Some("50%"));
        assert_eq!(percent_decode("plain"), None);
        assert_eq!(percent_decode("%FF"), None);
    }
}
