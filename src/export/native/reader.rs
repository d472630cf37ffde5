//! Reading a set back, finished or not.

use std::path::{Path, PathBuf};

use image::ImageFormat;

use super::manifest::MANIFEST;
use super::pair_files;
use super::progress::{self, PROGRESS};
use super::record::{Counters, PairEntry, RunRecord, SkippedScene, TopDown, TopDownEntry, TrialRecord};
use super::state::SetState;
use crate::export::ExportError;
use crate::view::{PairOverlaps, ViewPair};

/// A set on disk. Opening reads the records alone; pairs are read one by one.
#[derive(Debug)]
pub struct NativeReader {
    dir: PathBuf,
    state: SetState,
    finished: bool,
}

impl NativeReader {
    /// Opens the set of `dir` by its manifest, or by its journal where the run has not ended.
    ///
    /// # Errors
    ///
    /// [`ExportError::Damaged`] where neither is there or one makes no sense; read errors.
    pub fn open(dir: &Path) -> Result<Self, ExportError> {
        let journal = progress::read(&dir.join(PROGRESS))?;
        let finished = journal.is_none();
        let state = match journal {
            Some((state, _)) => state,
            None => {
                let manifest = dir.join(MANIFEST);
                if !manifest.exists() {
                    let why = format!("no set is here, neither {MANIFEST} nor {PROGRESS}");
                    return Err(ExportError::damaged(dir, why));
                }
                SetState::from_manifest(&manifest)?
            }
        };
        Ok(Self {
            dir: dir.to_path_buf(),
            state,
            finished,
        })
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// False where the run that writes the set has not ended.
    pub fn is_finished(&self) -> bool {
        self.finished
    }

    /// What the set was made from.
    pub fn run(&self) -> &RunRecord {
        &self.state.run
    }

    /// Adapters that rendered, in the order in which they joined.
    pub fn adapters(&self) -> &[String] {
        &self.state.adapters
    }

    /// What the run counted.
    pub fn counters(&self) -> Counters {
        Counters::of(self.state.trials())
    }

    /// Every position tried, in order.
    pub fn trials(&self) -> &[TrialRecord] {
        self.state.trials()
    }

    /// Number of pairs.
    pub fn len(&self) -> usize {
        self.state.pairs()
    }

    /// True where there are no pairs.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Folders and file hashes of the pairs, in order.
    pub fn entries(&self) -> impl Iterator<Item = &PairEntry> {
        self.state.trials().iter().flat_map(|record| &record.pairs)
    }

    /// Reads one pair, every file checked against its recorded hash.
    ///
    /// # Errors
    ///
    /// [`ExportError::Damaged`] names the file that is missing, changed or makes no sense.
    pub fn pair(&self, entry: &PairEntry) -> Result<ViewPair, ExportError> {
        let folder = self.dir.join(&entry.folder);
        let files = pair_files::read_files(&folder, entry)?;
        pair_files::decode(&folder, &files)
    }

    /// The overlaps of one pair by every measure; its pictures and depth are not read.
    ///
    /// # Errors
    ///
    /// [`ExportError::Damaged`] names the file that is missing, changed or makes no sense.
    pub fn overlaps(&self, entry: &PairEntry) -> Result<PairOverlaps, ExportError> {
        pair_files::read_overlaps(&self.dir.join(&entry.folder), entry)
    }

    /// Copies the folder of one pair into `dir`, every file checked on the way.
    pub(in crate::export) fn copy_pair(&self, entry: &PairEntry, dir: &Path) -> Result<(), ExportError> {
        let files = pair_files::read_files(&self.dir.join(&entry.folder), entry)?;
        let folder = dir.join(&entry.folder);
        std::fs::create_dir(&folder).map_err(|e| ExportError::create(&folder, e))?;
        for (name, bytes) in files {
            let path = folder.join(name);
            std::fs::write(&path, bytes).map_err(|e| ExportError::write(&path, e))?;
        }
        Ok(())
    }

    /// Copies what stands beside the pairs into `dir`: top-down pictures, and the manifest or the journal last.
    pub(in crate::export) fn copy_records(&self, dir: &Path) -> Result<(), ExportError> {
        let last = if self.finished { MANIFEST } else { PROGRESS };
        let topdowns = self.state.topdowns.iter().map(|entry| entry.file.as_str());
        for name in topdowns.chain([last]) {
            let (from, to) = (self.dir.join(name), dir.join(name));
            let bytes = std::fs::read(&from).map_err(|e| ExportError::read(&from, e))?;
            std::fs::write(&to, bytes).map_err(|e| ExportError::write(&to, e))?;
        }
        Ok(())
    }

    /// All pairs in order, read as they are asked for.
    pub fn pairs(&self) -> impl Iterator<Item = Result<ViewPair, ExportError>> {
        self.entries().map(|entry| self.pair(entry))
    }

    /// The scenes seen from above, by name, as far as they were stored.
    ///
    /// # Errors
    ///
    /// [`ExportError::Damaged`] names a picture that is missing or changed.
    pub fn topdowns(&self) -> Result<Vec<(String, TopDown)>, ExportError> {
        let read = |entry: &TopDownEntry| {
            let path = self.dir.join(&entry.file);
            let bytes = pair_files::read_verified(&path, &entry.hash)?;
            let image = image::load_from_memory_with_format(&bytes, ImageFormat::Png)
                .map_err(|e| ExportError::damaged(&path, e.to_string()))?
                .into_rgb8();
            let topdown = TopDown {
                image,
                min_x: entry.min_x,
                min_z: entry.min_z,
                metres_per_pixel: entry.metres_per_pixel,
            };
            Ok((entry.scene.clone(), topdown))
        };
        self.state.topdowns.iter().map(read).collect()
    }

    /// Scenes that were found of no use.
    pub fn skipped(&self) -> &[SkippedScene] {
        &self.state.skipped
    }

    /// The records of the scenes seen from above.
    pub fn topdown_entries(&self) -> &[TopDownEntry] {
        &self.state.topdowns
    }

    /// The files of a pair that are missing, unreadable or changed; pictures are not decoded.
    pub fn damaged_files(&self, entry: &PairEntry) -> Vec<ExportError> {
        let folder = self.dir.join(&entry.folder);
        let checked = entry
            .files
            .iter()
            .map(|(name, hash)| pair_files::read_verified(&folder.join(name), hash));
        checked.filter_map(Result::err).collect()
    }

    /// The top-down pictures that are missing, unreadable or changed.
    pub fn damaged_topdowns(&self) -> Vec<ExportError> {
        let entries = self.topdown_entries().iter();
        let checked = entries.map(|entry| pair_files::read_verified(&self.dir.join(&entry.file), &entry.hash));
        checked.filter_map(Result::err).collect()
    }

    /// What is wrong with the files of the set; empty where every hash agrees and every picture can be read.
    pub fn verify(&self) -> Vec<ExportError> {
        let pairs = self.entries().filter_map(|entry| self.pair(entry).err());
        pairs.chain(self.topdowns().err()).collect()
    }
}
