//! Reading within a dataset's folder: bounded JSON, paths that stay inside, and the globs of dataset files.

use std::path::{Path, PathBuf};

use crate::scene::error::SceneError;
use crate::scene::files::is_absent;

/// Largest JSON that is read, bytes. A scene instance with ten thousand objects is a few megabytes.
const LARGEST_JSON: u64 = 64 << 20;
/// Files that one glob may give.
const MOST_MATCHES: usize = 100_000;

/// The kinds of Habitat JSON that name a scene.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HabitatKind {
    /// `*.scene_instance.json`
    SceneInstance,
    /// `*.stage_config.json`
    StageConfig,
    /// `*.scene_dataset_config.json`
    Dataset,
}

/// The kind of a path by its name.
pub(crate) fn habitat_kind(path: &Path) -> Option<HabitatKind> {
    let name = path.file_name()?.to_string_lossy().to_lowercase();
    [
        (".scene_instance.json", HabitatKind::SceneInstance),
        (".stage_config.json", HabitatKind::StageConfig),
        (".scene_dataset_config.json", HabitatKind::Dataset),
    ]
    .into_iter()
    .find_map(|(ending, kind)| name.ends_with(ending).then_some(kind))
}

/// The folder of a file.
pub(super) fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// The bytes of a JSON file of bounded size.
pub(super) fn read_json(path: &Path) -> Result<Vec<u8>, SceneError> {
    let fail = |source: std::io::Error| match source.kind() {
        std::io::ErrorKind::NotFound => SceneError::NotFound { path: path.to_owned() },
        _ => SceneError::Read {
            source,
            path: path.to_owned(),
        },
    };
    let metadata = path.metadata().map_err(fail)?;
    if !metadata.is_file() {
        return Err(SceneError::UnknownKind {
            what: "it is not a plain file".to_owned(),
            path: path.to_owned(),
        });
    }
    if metadata.len() > LARGEST_JSON {
        return Err(SceneError::malformed(
            path,
            format!("it has {} bytes, which no Habitat configuration has", metadata.len()),
        ));
    }
    std::fs::read(path).map_err(fail)
}

/// The file that a configuration in `folder` means, which must lie inside `root` when all links are followed.
pub(super) fn resolve(root: &Path, folder: &Path, reference: &str, by: &Path) -> Result<PathBuf, SceneError> {
    let joined = folder.join(reference.replace('\\', "/"));
    let outside = || SceneError::OutsideFolder {
        reference: reference.to_owned(),
        path: by.to_owned(),
    };
    let found = joined.canonicalize().map_err(|source| match is_absent(&source) {
        true => SceneError::MissingPart {
            reference: reference.to_owned(),
            path: by.to_owned(),
        },
        // It may well be there: without it the scene would be another one.
        false => SceneError::Read {
            source,
            path: joined.clone(),
        },
    })?;
    let root = root.canonicalize().map_err(|_| outside())?;
    if found.starts_with(&root) {
        Ok(joined)
    } else {
        Err(outside())
    }
}

/// The nearest `*.scene_dataset_config.json` at or above a folder, at most five levels up; the first by name of several.
pub(super) fn dataset_above(folder: &Path) -> Option<PathBuf> {
    let start = folder.canonicalize().ok()?;
    start.ancestors().take(5).find_map(|folder| {
        let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
            .ok()?
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| habitat_kind(path) == Some(HabitatKind::Dataset))
            .collect();
        found.sort();
        found.into_iter().next()
    })
}

/// The files that a glob of a dataset names, sorted; a folder stands for the files in it. Parts may hold `*` and `?`,
/// and `**` stands for any number of folders.
pub(super) fn glob(folder: &Path, pattern: &str) -> Vec<PathBuf> {
    let mut found = vec![folder.to_owned()];
    for part in pattern
        .replace('\\', "/")
        .split('/')
        .filter(|part| !part.is_empty() && *part != ".")
    {
        let mut next = Vec::new();
        for place in &found {
            match part {
                ".." => next.push(place.join("..")),
                "**" => folders_below(place, &mut next),
                _ if part.contains(['*', '?']) => next.extend(entries(place).into_iter().filter(|path| {
                    path.file_name()
                        .is_some_and(|name| matches(part, &name.to_string_lossy()))
                })),
                _ => next.extend(Some(place.join(part)).filter(|path| path.exists())),
            }
        }
        next.truncate(MOST_MATCHES);
        found = next;
    }
    let mut files = Vec::new();
    for path in found {
        if path.is_dir() {
            files.extend(entries(&path).into_iter().filter(|path| path.is_file()));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files.dedup();
    files
}

/// What lies in a folder, sorted.
pub(super) fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).take(MOST_MATCHES).collect();
    paths.sort();
    paths
}

fn folders_below(folder: &Path, found: &mut Vec<PathBuf>) {
    if found.len() >= MOST_MATCHES {
        return;
    }
    found.push(folder.to_owned());
    for path in entries(folder) {
        // Links are left out, so that a loop of them ends.
        if path.is_dir() && !path.is_symlink() {
            folders_below(&path, found);
        }
    }
}

/// Whether a name matches a pattern of `*` (any run) and `?` (any one character).
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(&c) if c == '?' || c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    p = at + 1;
                    n = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_as_a_shell_does() {
        assert!(matches("*.basis.glb", "TEEsavR23oF.basis.glb"));
        assert!(!matches("*.basis.glb", "TEEsavR23oF.glb"));
        assert!(matches("a?c*", "abcd"));
        assert!(matches("*", ""));
        assert!(!matches("a?c", "ac"));
        assert!(matches("*a*b*", "xxaxxbxx"));
        assert!(!matches("*a*b", "xxaxxbxx"));
    }

    #[test]
    fn a_glob_walks_folders() {
        let folder = tempfile::tempdir().unwrap();
        for file in ["a/x.glb", "a/y.txt", "b/c/z.glb", "top.glb"] {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let names = |pattern: &str| -> Vec<String> {
            glob(folder.path(), pattern)
                .iter()
                .map(|p| p.strip_prefix(folder.path()).unwrap().display().to_string())
                .collect()
        };
        assert_eq!(names("a/*.glb"), ["a/x.glb"]);
        assert_eq!(names("*"), ["a/x.glb", "a/y.txt", "top.glb"]);
        assert_eq!(names("**/*.glb"), ["a/x.glb", "b/c/z.glb", "top.glb"]);
        assert_eq!(names("a"), ["a/x.glb", "a/y.txt"]);
        assert!(names("nothing/*").is_empty());
    }

    #[test]
    fn references_out_of_the_root_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("inner")).unwrap();
        std::fs::write(folder.path().join("secret.glb"), "").unwrap();
        let root = folder.path().join("inner");
        let outcome = resolve(&root, &root, "../secret.glb", Path::new("x.json"));
        assert!(matches!(outcome, Err(SceneError::OutsideFolder { .. })), "{outcome:?}");
        let missing = resolve(&root, &root, "none.glb", Path::new("x.json"));
        assert!(matches!(missing, Err(SceneError::MissingPart { .. })), "{missing:?}");
    }
}
