//! Reading a set back, finished or not.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use image::ImageFormat;

use super::file::STREAMED;
use super::manifest::MANIFEST;
use super::pair_files;
use super::progress::{self, PROGRESS};
use super::read_back::Trials;
use super::record::{Counters, PairEntry, RunRecord, SkippedScene, TopDown, TopDownEntry, TrialRecord, Tried};
use super::state::{SetState, Source, folder_name};
use crate::export::ExportError;
use crate::view::{PairOverlaps, ViewPair};

/// A set on disk. Opening goes through the records alone and keeps where each lies, about 50 bytes a position; records
/// and pairs are read one by one when they are asked for. One file stays open.
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
            Some(state) => state,
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

    /// True where the set has ended and its manifest fits its seal; false for journals, which have none, and for the
    /// manifests of earlier builds, in which a changed digit may go unseen.
    pub fn is_sealed(&self) -> bool {
        matches!(self.state.source, Source::Manifest { is_sealed: true, .. })
    }

    /// What the run counted.
    pub fn counters(&self) -> &Counters {
        self.state.counters()
    }

    /// Number of positions tried.
    pub fn positions(&self) -> usize {
        self.state.positions()
    }

    /// Every position tried, in order, as far as it is known without its record.
    pub fn tried(&self) -> impl ExactSizeIterator<Item = Tried<'_>> {
        self.state.tried()
    }

    /// How the position of this index ended, whatever its scene: for runs with a plan, whose indices are unique.
    pub fn trial_at(&self, index: u64) -> Option<Tried<'_>> {
        self.state.find_index(index)
    }

    /// Every position tried, in order, its record read as it is asked for; ends after an error.
    pub fn trials(&self) -> impl Iterator<Item = Result<TrialRecord, ExportError>> {
        self.state.trials()
    }

    /// As [`Self::trials`], by the reader itself.
    pub(super) fn into_trials(self) -> Trials<SetState> {
        Trials::new(self.state)
    }

    /// Number of pairs.
    pub fn len(&self) -> usize {
        self.state.pairs()
    }

    /// True where the set has a pair folder of this name.
    pub fn has_folder(&self, name: &str) -> bool {
        let number = name.parse().ok().filter(|number| *number < self.len());
        number.is_some_and(|number| folder_name(number) == name)
    }

    /// True where there are no pairs.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Folders and file hashes of the pairs, in order, read as they are asked for; ends after an error.
    pub fn entries(&self) -> impl Iterator<Item = Result<PairEntry, ExportError>> {
        self.state.trials().flat_map(|record| {
            let (pairs, error) = match record {
                Ok(record) => (record.pairs, None),
                Err(error) => (Vec::new(), Some(error)),
            };
            pairs.into_iter().map(Ok).chain(error.map(Err))
        })
    }

    /// Folder and file hashes of the pair with this number, from 0.
    ///
    /// # Errors
    ///
    /// [`ExportError::NoSuchPair`] where there are not so many; as [`Self::trials`].
    pub fn entry(&self, number: u64) -> Result<PairEntry, ExportError> {
        let entry = match usize::try_from(number) {
            Ok(number) => self.state.pair(number)?,
            Err(_) => None,
        };
        entry.ok_or_else(|| ExportError::NoSuchPair {
            index: number,
            pairs: self.len() as u64,
            path: self.dir.clone(),
        })
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
            // The record of a large set is larger than memory may be.
            let mut source = std::fs::File::open(&from).map_err(|e| ExportError::read(&from, e))?;
            let mut copy = std::fs::File::create(&to).map_err(|e| ExportError::create(&to, e))?;
            let mut part = vec![0; STREAMED];
            loop {
                let read = source.read(&mut part).map_err(|e| ExportError::read(&from, e))?;
                if read == 0 {
                    break;
                }
                copy.write_all(&part[..read]).map_err(|e| ExportError::write(&to, e))?;
            }
        }
        Ok(())
    }

    /// All pairs in order, read as they are asked for.
    pub fn pairs(&self) -> impl Iterator<Item = Result<ViewPair, ExportError>> {
        self.entries().map(|entry| self.pair(&entry?))
    }

    /// The scenes seen from above, by name, as far as they were stored.
    ///
    /// # Errors
    ///
    /// [`ExportError::Damaged`] names a picture that is missing or changed.
    pub fn topdowns(&self) -> Result<Vec<(String, TopDown)>, ExportError> {
        let entries = self.state.topdowns.iter();
        entries
            .map(|entry| Ok((entry.scene.clone(), self.topdown(entry)?)))
            .collect()
    }

    /// One scene seen from above.
    ///
    /// # Errors
    ///
    /// As [`Self::topdowns`].
    pub fn topdown(&self, entry: &TopDownEntry) -> Result<TopDown, ExportError> {
        let path = self.dir.join(&entry.file);
        let bytes = pair_files::read_verified(&path, &entry.hash)?;
        let image = image::load_from_memory_with_format(&bytes, ImageFormat::Png)
            .map_err(|e| ExportError::damaged(&path, e.to_string()))?
            .into_rgb8();
        Ok(TopDown {
            image,
            min_x: entry.min_x,
            min_z: entry.min_z,
            metres_per_pixel: entry.metres_per_pixel,
        })
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
        let pairs = self.pairs().filter_map(Result::err);
        let topdowns = self.state.topdowns.iter();
        pairs
            .chain(topdowns.filter_map(|entry| self.topdown(entry).err()))
            .collect()
    }
}
