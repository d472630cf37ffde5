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
    /// True where the manifest carries its own BLAKE3 and fits it; those of earlier builds carry none, so that a
    /// changed digit in them may go unseen.
    pub sealed: bool,
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
/// [`ExportError`] where `dir` holds neither, or its manifest makes no sense. A shard whose manifest makes none is
/// reported as damaged.
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
            sealed: false,
            pairs: 0,
            files: 0,
            shard: None,
            damaged: vec![error.into()],
            unlisted: Vec::new(),
        },
    }
}

/// Pairs that are checked side by side.
const AT_A_TIME: usize = 256;

/// Checks an opened set; some hundred of its pairs are in memory at a time.
pub(super) fn verify_one(reader: &NativeReader) -> SetReport {
    let mut report = SetReport {
        path: reader.dir().to_path_buf(),
        finished: reader.is_finished(),
        sealed: reader.is_sealed(),
        pairs: reader.len() as u64,
        files: reader.topdown_entries().len() as u64,
        shard: reader.run().shard.map(|shard| (shard.index, shard.count)),
        damaged: reader.damaged_topdowns().into_iter().map(Damage::from).collect(),
        unlisted: unlisted(reader),
    };
    let mut entries = reader.entries();
    loop {
        let (together, failed): (Vec<PairEntry>, Vec<ExportError>) =
            entries
                .by_ref()
                .take(AT_A_TIME)
                .fold(Default::default(), |(mut read, mut failed), entry| {
                    match entry {
                        Ok(entry) => read.push(entry),
                        Err(error) => failed.push(error),
                    }
                    (read, failed)
                });
        report.damaged.extend(failed.into_iter().map(Damage::from));
        if together.is_empty() {
            break;
        }
        report.files += together.iter().map(|entry| entry.files.len() as u64).sum::<u64>();
        let damaged = together.par_iter().flat_map_iter(|entry| reader.damaged_files(entry));
        report.damaged.par_extend(damaged.map(Damage::from));
        let unlisted = together.par_iter().flat_map_iter(|entry| {
            let folder = reader.dir().join(&entry.folder);
            foreign(&folder, |name| entry.files.contains_key(name)).collect::<Vec<_>>()
        });
        report.unlisted.par_extend(unlisted);
    }
    report.damaged.sort_by(|a, b| a.file.cmp(&b.file));
    report.unlisted.sort();
    report
}

/// What stands beside the pairs and is not listed.
fn unlisted(reader: &NativeReader) -> Vec<PathBuf> {
    let mut known: BTreeSet<&str> = BTreeSet::from(["manifest.json", "progress.jsonl"]);
    known.extend(reader.topdown_entries().iter().map(|entry| entry.file.as_str()));
    foreign(reader.dir(), |name| known.contains(name) || reader.has_folder(name)).collect()
}

/// Files and folders of `dir` that are not known by their names.
fn foreign(dir: &Path, known: impl Fn(&str) -> bool) -> impl Iterator<Item = PathBuf> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let foreign = entries.filter(move |entry| !entry.file_name().to_str().is_some_and(&known));
    foreign.map(|entry| entry.path())
}
