//! Whether every file of a set is what its manifest says.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::Serialize;

use super::folder::find_shards;
use crate::export::ExportError;
use crate::export::native::{NativeReader, PairEntry};

/// What a check of a set found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SetReport {
    /// The folder.
    pub path: PathBuf,
    /// False where the run that writes it has not ended.
    pub finished: bool,
    /// Pairs that it lists.
    pub pairs: u64,
    /// Files that were checked.
    pub files: u64,
    /// Part of a run and number of parts, where it is a shard.
    pub shard: Option<(u64, u64)>,
    /// What is missing, changed or makes no sense.
    pub damaged: Vec<Damage>,
    /// Files and folders that the set does not list.
    pub unlisted: Vec<PathBuf>,
}

/// A file that is not as recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Damage {
    /// The file.
    pub file: PathBuf,
    /// What is wrong with it.
    pub why: String,
}

impl From<ExportError> for Damage {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Damaged { why, path } => Self { file: path, why },
            ExportError::Read { path, source } => Self {
                file: path,
                why: format!("cannot be read: {source}"),
            },
            other => Self {
                file: PathBuf::new(),
                why: other.to_string(),
            },
        }
    }
}

impl SetReport {
    /// True where the set is complete and every file is as recorded.
    pub fn is_whole(&self) -> bool {
        self.finished && self.damaged.is_empty()
    }
}

/// Checks the set of `dir`, or every shard below it; each file is read and its BLAKE3 compared.
///
/// # Errors
///
/// [`ExportError`] where `dir` holds neither. A set whose manifest makes no sense is reported as damaged.
pub fn verify_set(dir: &Path) -> Result<Vec<SetReport>, ExportError> {
    let shards = match dir.is_dir() {
        true => find_shards(dir)?,
        false => Vec::new(),
    };
    match shards.is_empty() {
        true => Ok(vec![verify_one(&NativeReader::open(dir)?)]),
        false => Ok(shards.iter().map(|(_, path)| verify_shard(path)).collect()),
    }
}

fn verify_shard(path: &Path) -> SetReport {
    match NativeReader::open(path) {
        Ok(reader) => verify_one(&reader),
        Err(error) => SetReport {
            path: path.to_path_buf(),
            finished: false,
            pairs: 0,
            files: 0,
            shard: None,
            damaged: vec![error.into()],
            unlisted: Vec::new(),
        },
    }
}

/// Checks an opened set.
pub(super) fn verify_one(reader: &NativeReader) -> SetReport {
    let entries: Vec<&PairEntry> = reader.entries().collect();
    let damaged = entries.par_iter().flat_map_iter(|entry| reader.damaged_files(entry));
    let mut damaged: Vec<Damage> = damaged.map(Damage::from).collect();
    damaged.extend(reader.damaged_topdowns().into_iter().map(Damage::from));
    damaged.sort_by(|a, b| a.file.cmp(&b.file));
    let files = entries.iter().map(|e| e.files.len()).sum::<usize>() + reader.topdown_entries().len();
    SetReport {
        path: reader.dir().to_path_buf(),
        finished: reader.is_finished(),
        pairs: reader.len() as u64,
        files: files as u64,
        shard: reader.run().shard.map(|shard| (shard.index, shard.count)),
        damaged,
        unlisted: unlisted(reader),
    }
}

fn unlisted(reader: &NativeReader) -> Vec<PathBuf> {
    let mut known: BTreeSet<&str> = BTreeSet::from(["manifest.json", "progress.jsonl"]);
    known.extend(reader.entries().map(|entry| entry.folder.as_str()));
    known.extend(reader.topdown_entries().iter().map(|entry| entry.file.as_str()));
    let names = |dir: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect()
    };
    let is_known = |path: &PathBuf, known: &dyn Fn(&str) -> bool| {
        path.file_name().and_then(|name| name.to_str()).is_some_and(known)
    };
    let mut found: Vec<PathBuf> = names(reader.dir());
    found.retain(|path| !is_known(path, &|name| known.contains(name)));
    for entry in reader.entries() {
        let inside = names(&reader.dir().join(&entry.folder));
        found.extend(
            inside
                .into_iter()
                .filter(|path| !is_known(path, &|name| entry.files.contains_key(name))),
        );
    }
    found.sort();
    found
}
