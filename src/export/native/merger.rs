//! Putting sets together: the pairs of one after those of the other, under numbers that go on.

use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::manifest::{Head, MANIFEST, write_manifest};
use super::pair_files::read_verified;
use super::reader::NativeReader;
use super::record::{Counters, PairEntry, RunRecord, SkippedScene, TopDownEntry, TrialRecord};
use super::state::folder_name;
use super::writer::write_atomically_by;
use crate::export::ExportError;

/// Pairs that are placed side by side.
const AT_A_TIME: usize = 256;

/// How files get into a merged set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placing {
    /// A second name for the same bytes where the file system can, else a copy.
    Link,
    /// A copy.
    Copy,
}

/// Builds a set from others in a folder that exists and is empty.
///
/// Of one set at a time the places of its records are in memory, and some hundred pairs.
#[derive(Debug)]
pub struct SetMerger {
    dir: PathBuf,
    placing: Placing,
    run: RunRecord,
    adapters: Vec<String>,
    skipped: Vec<SkippedScene>,
    topdowns: Vec<TopDownEntry>,
    counters: Counters,
    /// Sets, and the number of pairs before each.
    parts: Vec<(PathBuf, usize)>,
    pairs: usize,
}

impl SetMerger {
    /// Starts a set of `run`, whose list of scenes and adapter are taken from the parts.
    pub fn new(dir: &Path, run: &RunRecord, placing: Placing) -> Self {
        Self {
            dir: dir.to_path_buf(),
            placing,
            run: RunRecord {
                scenes: Vec::new(),
                shard: None,
                ..run.clone()
            },
            adapters: Vec::new(),
            skipped: Vec::new(),
            topdowns: Vec::new(),
            counters: Counters::default(),
            parts: Vec::new(),
            pairs: 0,
        }
    }

    /// Adds all of `part`, every file checked against its recorded hash.
    ///
    /// # Errors
    ///
    /// [`ExportError::Damaged`] names a file that is missing or changed; [`ExportError::Mismatch`] a scene whose hash
    /// is another one than in an earlier part; write errors.
    pub fn add(&mut self, part: &NativeReader) -> Result<(), ExportError> {
        self.add_scenes(part)?;
        let first = self.pairs;
        let mut entries = part.entries();
        loop {
            let together = entries
                .by_ref()
                .take(AT_A_TIME)
                .collect::<Result<Vec<PairEntry>, _>>()?;
            if together.is_empty() {
                break;
            }
            let next = self.pairs;
            together
                .par_iter()
                .enumerate()
                .try_for_each(|(number, entry)| self.place_pair(part.dir(), entry, &folder_name(next + number)))?;
            self.pairs += together.len();
        }
        self.parts.push((part.dir().to_path_buf(), first));
        self.counters.add(part.counters());
        Ok(())
    }

    fn add_scenes(&mut self, part: &NativeReader) -> Result<(), ExportError> {
        for scene in &part.run().scenes {
            match self.run.scenes.iter().find(|known| known.name == scene.name) {
                None => self.run.scenes.push(scene.clone()),
                Some(known) if known.hash == scene.hash => {}
                Some(known) => {
                    return Err(ExportError::Mismatch {
                        what: format!("hash of scene {}", scene.name),
                        found: scene.hash.clone(),
                        expected: known.hash.clone(),
                        path: part.dir().to_path_buf(),
                    });
                }
            }
        }
        for adapter in part.adapters() {
            if !self.adapters.contains(adapter) {
                self.adapters.push(adapter.clone());
            }
        }
        for skipped in part.skipped() {
            if !self.skipped.iter().any(|known| known.scene == skipped.scene) {
                self.skipped.push(skipped.clone());
            }
        }
        for entry in part.topdown_entries() {
            let known = self.topdowns.iter().any(|known| known.scene == entry.scene);
            let place = self.run.scenes.iter().position(|scene| scene.name == entry.scene);
            if let (false, Some(place)) = (known, place) {
                let file = format!("topdown-{place:03}.png");
                self.place(&part.dir().join(&entry.file), &entry.hash, &self.dir.join(&file))?;
                self.topdowns.push(TopDownEntry { file, ..entry.clone() });
            }
        }
        Ok(())
    }

    fn place_pair(&self, part: &Path, entry: &PairEntry, folder: &str) -> Result<(), ExportError> {
        let (from, to) = (part.join(&entry.folder), self.dir.join(folder));
        fs::create_dir(&to).map_err(|e| ExportError::create(&to, e))?;
        let mut files = entry.files.iter();
        files.try_for_each(|(name, hash)| self.place(&from.join(name), hash, &to.join(name)))
    }

    fn place(&self, from: &Path, hash: &str, to: &Path) -> Result<(), ExportError> {
        let bytes = read_verified(from, hash)?;
        if self.placing == Placing::Link && fs::hard_link(from, to).is_ok() {
            return Ok(());
        }
        fs::write(to, bytes).map_err(|e| ExportError::write(to, e))
    }

    /// Writes the manifest: the set is complete.
    ///
    /// # Errors
    ///
    /// Read errors of the parts' records, write errors.
    pub fn finish(mut self) -> Result<Counters, ExportError> {
        if let Some(first) = self.adapters.first() {
            self.run.adapter.clone_from(first);
        }
        let head = Head::new(
            self.run,
            self.adapters,
            self.counters.clone(),
            self.skipped,
            self.topdowns,
        );
        let path = self.dir.join(MANIFEST);
        let trials = || self.parts.iter().flat_map(|(part, first)| renumbered(part, *first));
        write_atomically_by(&path, |file| write_manifest(file, &path, &head, trials))?;
        Ok(self.counters)
    }
}

/// The positions of a part, its pairs under their numbers in the whole.
fn renumbered(part: &Path, first: usize) -> Box<dyn Iterator<Item = Result<TrialRecord, ExportError>>> {
    let reader = match NativeReader::open(part) {
        Ok(reader) => reader,
        Err(error) => return Box::new(std::iter::once(Err(error))),
    };
    let mut number = first;
    Box::new(reader.into_trials().map(move |record| {
        let mut record = record?;
        for pair in &mut record.pairs {
            pair.folder = folder_name(number);
            number += 1;
        }
        Ok(record)
    }))
}
