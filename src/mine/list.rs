//! Picture files of a folder, in the order that people count in.

use std::cmp::Ordering;
use std::path::{Path, PathBuf};

use super::error::MineError;

/// Endings of pictures that can be read.
const ENDINGS: [&str; 5] = ["png", "jpg", "jpeg", "webp", "bmp"];

/// Compares names so that runs of digits count as numbers: `f2` before `f10`. Names that are equal so are
/// compared letter by letter, so the order is total.
pub fn natural_order(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a, b);
    while let (Some(x), Some(y)) = (left.chars().next(), right.chars().next()) {
        let order = if x.is_ascii_digit() && y.is_ascii_digit() {
            let ((m, after_m), (n, after_n)) = (number(left), number(right));
            (left, right) = (after_m, after_n);
            // Of numbers without leading zeros the longer one is larger.
            m.len().cmp(&n.len()).then_with(|| m.cmp(n))
        } else {
            (left, right) = (&left[x.len_utf8()..], &right[y.len_utf8()..]);
            x.cmp(&y)
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    left.len().cmp(&right.len()).then_with(|| a.cmp(b))
}

/// The number that a text begins with, without leading zeros, and what follows it.
fn number(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    (digits.trim_start_matches('0'), rest)
}

fn is_picture(path: &Path) -> bool {
    let hidden = path
        .file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with('.'));
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    !hidden && ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
}

/// The pictures of a folder by [`natural_order`] of their names, never in the order of the directory.
///
/// # Errors
/// [`MineError::Read`] where the folder cannot be listed.
pub fn list_pictures(folder: &Path) -> Result<Vec<PathBuf>, MineError> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|error| MineError::read(folder, error))? {
        let path = entry.map_err(|error| MineError::read(folder, error))?.path();
        if is_picture(&path) && !path.is_dir() {
            found.push(path);
        }
    }
    sort(folder, &mut found);
    Ok(found)
}

/// The pictures of a folder and the folders in it, by [`natural_order`] of their paths below it. Links to folders
/// are not followed.
///
/// # Errors
/// [`MineError::Read`] where a folder cannot be listed.
pub fn walk_pictures(folder: &Path) -> Result<Vec<PathBuf>, MineError> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).map_err(|error| MineError::read(&next, error))? {
            let entry = entry.map_err(|error| MineError::read(&next, error))?;
            let path = entry.path();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(path);
            } else if is_picture(&path) && !path.is_dir() {
                found.push(path);
            }
        }
    }
    sort(folder, &mut found);
    Ok(found)
}

fn sort(folder: &Path, found: &mut [PathBuf]) {
    found.sort_by_cached_key(|path| Natural(below(folder, path)));
}

/// A path below a folder, with `/` between its parts.
pub(super) fn below(folder: &Path, path: &Path) -> String {
    let relative = path.strip_prefix(folder).unwrap_or(path);
    let parts = relative.components().map(|part| part.as_os_str().to_string_lossy());
    parts.collect::<Vec<_>>().join("/")
}

/// A name that sorts by [`natural_order`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Natural(pub String);

impl PartialOrd for Natural {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Natural {
    fn cmp(&self, other: &Self) -> Ordering {
        natural_order(&self.0, &other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_count_and_the_order_is_total() {
        let mut names = [
            "f10",
            "f9",
            "f09",
            "f1a",
            "f1",
            "é2",
            "é10",
            "f",
            "g 1",
            "f100000000000000000000",
            "f1b2",
        ];
        names.sort_by(|a, b| natural_order(a, b));
        assert_eq!(
            names,
            [
                "f",
                "f1",
                "f1a",
                "f1b2",
                "f09",
                "f9",
                "f10",
                "f100000000000000000000",
                "g 1",
                "é2",
                "é10"
            ]
        );
    }
}
