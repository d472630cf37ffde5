//! Writing a set: pair folders as they are made, a journal beside them, the manifest last.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::manifest::MANIFEST;
use super::pair_files;
use super::progress::{Journal, PROGRESS, lock_manifest};
use super::record::{
    Counters, PairEntry, RunRecord, SceneRecord, SkippedScene, TopDown, TopDownEntry, Trial, TrialRecord, Tried,
};
use super::state::{SetState, Source, folder_name};
use crate::export::{ExportError, PictureFormat, encode_picture};
use crate::view::ViewPair;

/// Names under which unfinished things are written.
const TEMPORARY: &str = ".tmp-";

/// Writes one set. Positions must come in the order of the run, whatever thread made them: the order
/// is the numbering.
///
/// The records of positions stay on disk: 43 bytes of each are in memory (see `index.rs`), and some hundreds of each scene.
///
/// Dropping the writer without [`Self::finish`] leaves a set that [`Self::resume`] continues.
#[derive(Debug)]
pub struct NativeWriter {
    dir: PathBuf,
    state: SetState,
    /// `None` while a finished set has been opened and nothing written to it.
    journal: Option<Journal>,
}

impl NativeWriter {
    /// Starts a set in a folder that must not exist yet; its parents are made.
    ///
    /// # Errors
    ///
    /// [`ExportError::Exists`] for a folder that is there, [`ExportError::Create`] where it cannot be made.
    pub fn create(dir: &Path, run: &RunRecord) -> Result<Self, ExportError> {
        if let Some(parent) = dir.parent().filter(|p| !p.as_os_str().is_empty()) {
            fs::create_dir_all(parent).map_err(|e| ExportError::create(parent, e))?;
        }
        match fs::create_dir(dir) {
            Ok(()) => Self::start(dir, run),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Err(ExportError::Exists {
                path: dir.to_path_buf(),
            }),
            Err(error) => Err(ExportError::create(dir, error)),
        }
    }

    /// Continues the set of `dir`, finished or not; starts it where there is none.
    ///
    /// Every recorded file is checked against its hash. Pairs that are missing or changed are cleared
    /// away and listed by [`Self::missing`], to be made again; leftovers of a kill are removed.
    ///
    /// # Errors
    ///
    /// [`ExportError::Mismatch`] where the folder belongs to another configuration, seed, build or
    /// scene; [`ExportError::Busy`] where another process writes it; [`ExportError::Damaged`] where the
    /// folder holds something else, or a journal that makes no sense.
    pub fn resume(dir: &Path, run: &RunRecord) -> Result<Self, ExportError> {
        let mut entries = match fs::read_dir(dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Self::create(dir, run).map_err(|error| match error {
                    // Another process has just made it.
                    ExportError::Exists { path } => ExportError::Busy { path },
                    error => error,
                });
            }
            Err(error) => return Err(ExportError::read(dir, error)),
        };
        let mut manifest = None;
        let mut opened = Journal::open(dir)?;
        if opened.is_none() {
            manifest = lock_manifest(dir)?;
            // Whoever held the manifest may have gone on with the set: its journal was there before the lock was given back.
            opened = Journal::open(dir)?;
        }
        let (journal, mut state) = match (opened, manifest) {
            (Some((journal, state)), _) => (Some(journal), state),
            // The state keeps the file open, and with it the lock, until there is a journal.
            (None, Some(manifest)) => (None, SetState::from_manifest_file(manifest)?),
            (None, None) if entries.all(|e| e.is_ok_and(|e| is_leftover(&e.file_name().to_string_lossy()))) => {
                return Self::start(dir, run);
            }
            (None, None) => {
                return Err(ExportError::damaged(
                    dir,
                    format!("the folder holds files but neither {MANIFEST} nor {PROGRESS}"),
                ));
            }
        };
        if let Some((what, found, expected)) = state.run.difference(run) {
            return Err(ExportError::Mismatch {
                what,
                found,
                expected,
                path: dir.to_path_buf(),
            });
        }
        // Numbers read from text may be off in their last digit; those of the caller are not.
        let first_adapter = std::mem::take(&mut state.run.adapter);
        let scenes = match run.plan {
            Some(_) => std::mem::take(&mut state.run.scenes),
            None => run.scenes.clone(),
        };
        state.run = RunRecord {
            adapter: first_adapter,
            scenes,
            ..run.clone()
        };
        let mut writer = Self {
            dir: dir.to_path_buf(),
            state,
            journal,
        };
        writer.clear_leftovers()?;
        writer.find_missing()?;
        if writer.state.record_adapter(&run.adapter) {
            writer.journal()?.adapter(&run.adapter)?;
        }
        Ok(writer)
    }

    fn start(dir: &Path, run: &RunRecord) -> Result<Self, ExportError> {
        let mut state = SetState::new(run.clone(), Source::Nowhere);
        Ok(Self {
            dir: dir.to_path_buf(),
            journal: Some(Journal::create(dir, &mut state)?),
            state,
        })
    }

    /// True where this position was tried before and nothing of it is missing.
    pub fn is_done(&self, scene: &str, index: u64) -> bool {
        self.state.find(scene, index).is_some_and(|known| !known.is_missing)
    }

    /// Positions `(scene, index)` whose pairs were damaged and must be made again, in the order in which they were tried.
    pub fn missing(&self) -> impl Iterator<Item = (&str, u64)> {
        let missing = self.state.tried().filter(|tried| tried.is_missing);
        missing.map(|tried| (tried.scene, tried.index))
    }

    /// Pairs of the set so far, those listed by [`Self::missing`] included.
    pub fn pairs(&self) -> usize {
        self.state.pairs()
    }

    /// Positions recorded so far, in order: what a continued run need not try again.
    pub fn tried(&self) -> impl ExactSizeIterator<Item = Tried<'_>> {
        self.state.tried()
    }

    /// What has been counted so far, earlier parts of the run included.
    pub fn counters(&self) -> &Counters {
        self.state.counters()
    }

    /// How the position of this index ended, whatever its scene: for runs with a plan, whose indices are unique.
    pub fn trial_at(&self, index: u64) -> Option<Tried<'_>> {
        self.state.find_index(index)
    }

    /// Scenes that were found of no use.
    pub fn skipped(&self) -> &[SkippedScene] {
        &self.state.skipped
    }

    /// Records that a scene is used from here on.
    ///
    /// # Errors
    ///
    /// [`ExportError::Mismatch`] where the set knows a scene of that name with another hash; write errors.
    pub fn add_scene(&mut self, scene: &SceneRecord) -> Result<(), ExportError> {
        if let Some(known) = self.state.run.scenes.iter().find(|known| known.name == scene.name) {
            if known.hash == scene.hash {
                return Ok(());
            }
            return Err(ExportError::Mismatch {
                what: format!("hash of scene {}", scene.name),
                found: known.hash.clone(),
                expected: scene.hash.clone(),
                path: self.dir.clone(),
            });
        }
        self.journal()?.scene(scene)?;
        self.state.run.scenes.push(scene.clone());
        Ok(())
    }

    /// Records that a scene cannot be used, and why.
    ///
    /// # Errors
    ///
    /// Write errors of the journal.
    pub fn skip_scene(&mut self, scene: &str, reason: &str) -> Result<(), ExportError> {
        let skipped = SkippedScene {
            scene: scene.into(),
            reason: reason.into(),
        };
        self.journal()?.skipped(&skipped)?;
        self.state.skipped.push(skipped);
        Ok(())
    }

    /// The folder of the set.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Stores a scene seen from above.
    ///
    /// # Errors
    ///
    /// [`ExportError::Unfit`] where the run has no scene of that name; write errors.
    pub fn set_topdown(&mut self, scene: &str, topdown: &TopDown) -> Result<(), ExportError> {
        let place = self.state.run.scenes.iter().position(|s| s.name == scene);
        let place = place.ok_or_else(|| ExportError::Unfit {
            format: "a top-down picture",
            why: format!("the run has no scene {scene}"),
        })?;
        let bytes = encode_picture(&topdown.image, PictureFormat::Png)?;
        let entry = TopDownEntry {
            scene: scene.into(),
            file: format!("topdown-{place:03}.png"),
            hash: blake3::hash(&bytes).to_hex().to_string(),
            min_x: micro(topdown.min_x),
            min_z: micro(topdown.min_z),
            metres_per_pixel: micro(topdown.metres_per_pixel),
        };
        let path = self.dir.join(&entry.file);
        if self.state.topdowns.contains(&entry) && pair_files::read_verified(&path, &entry.hash).is_ok() {
            return Ok(());
        }
        write_atomically(&path, &bytes)?;
        self.journal()?.topdown(&entry)?;
        self.record(|state| state.record_topdown(entry))
    }

    /// Stores the pair that a position gave; returns its folder.
    ///
    /// # Errors
    ///
    /// As [`Self::write_pairs`].
    pub fn write_pair(&mut self, trial: &Trial, pair: &ViewPair) -> Result<PathBuf, ExportError> {
        let mut folders = self.write_pairs(trial, std::slice::from_ref(pair))?;
        Ok(folders.swap_remove(0))
    }

    /// Stores all pairs that a position gave, at least one; returns their folders.
    ///
    /// # Errors
    ///
    /// [`ExportError::Unfit`] for a position that is done already, for no pairs, or for views that
    /// contradict themselves; [`ExportError::DiskFull`] and other write errors. After a write error drop
    /// the writer and [`Self::resume`].
    pub fn write_pairs(&mut self, trial: &Trial, pairs: &[ViewPair]) -> Result<Vec<PathBuf>, ExportError> {
        self.write_pairs_with(trial, pairs, Vec::new())
    }

    /// As [`Self::write_pairs`], with further files for the folder of each pair, by name; an empty list for none.
    ///
    /// # Errors
    ///
    /// As [`Self::write_pairs`].
    pub fn write_pairs_with(
        &mut self,
        trial: &Trial,
        pairs: &[ViewPair],
        further: Vec<BTreeMap<String, Vec<u8>>>,
    ) -> Result<Vec<PathBuf>, ExportError> {
        let numbers = self.folders_for(trial, pairs.len())?;
        let mut entries = Vec::with_capacity(pairs.len());
        let further = further.into_iter().chain(std::iter::repeat_with(BTreeMap::new));
        for ((folder, pair), further) in numbers.into_iter().zip(pairs).zip(further) {
            let mut files = pair_files::encode(pair, &self.state.run)?;
            files.extend(further);
            let temporary = self.dir.join(format!("{TEMPORARY}{folder}"));
            fs::create_dir(&temporary).map_err(|e| ExportError::create(&temporary, e))?;
            let written = files.iter().try_for_each(|(name, bytes)| {
                let path = temporary.join(name);
                fs::write(&path, bytes).map_err(|e| ExportError::write(&path, e))
            });
            let finished = self.dir.join(&folder);
            let moved =
                written.and_then(|()| fs::rename(&temporary, &finished).map_err(|e| ExportError::write(&finished, e)));
            if let Err(error) = moved {
                // The space is wanted back; that the clean-up may fail too changes nothing.
                let _ = fs::remove_dir_all(&temporary);
                return Err(error);
            }
            entries.push(PairEntry {
                folder,
                files: pair_files::hashes(&files),
            });
        }
        let folders = entries.iter().map(|e| self.dir.join(&e.folder)).collect();
        self.append(TrialRecord {
            trial: trial.clone(),
            pairs: entries,
            reason: None,
        })?;
        Ok(folders)
    }

    /// Records a position that gave no pair, with the reason.
    ///
    /// # Errors
    ///
    /// [`ExportError::Unfit`] for a position that is done already; write errors of the journal.
    pub fn write_refusal(&mut self, trial: &Trial, reason: &str) -> Result<(), ExportError> {
        if self.is_done(&trial.scene, trial.index) {
            return Err(tried_twice(trial));
        }
        self.append(TrialRecord {
            trial: trial.clone(),
            pairs: Vec::new(),
            reason: Some(reason.to_string()),
        })
    }

    /// Writes the manifest and removes the journal: the set is complete.
    ///
    /// # Errors
    ///
    /// [`ExportError::Damaged`] while pairs are missing; write errors.
    pub fn finish(self) -> Result<Counters, ExportError> {
        if let Some((scene, index)) = self.missing().next() {
            let count = self.missing().count();
            return Err(ExportError::damaged(
                &self.dir,
                format!("{count} positions must be made again, first {index} of {scene}"),
            ));
        }
        let Some(journal) = self.journal else {
            return Ok(self.state.counters().clone());
        };
        let path = self.dir.join(MANIFEST);
        let counters = write_atomically_by(&path, |file| self.state.write_manifest(file, &path))?;
        journal.remove()?;
        Ok(counters)
    }

    /// The folders that `count` pairs of this position go to, which do not exist yet.
    fn folders_for(&self, trial: &Trial, count: usize) -> Result<Vec<String>, ExportError> {
        let unfit = |why: String| ExportError::Unfit { format: "a pair", why };
        if count == 0 {
            return Err(unfit("a position without pairs needs a reason".into()));
        }
        let Some(known) = self.state.find(&trial.scene, trial.index) else {
            let next = self.state.pairs();
            return Ok((next..next + count).map(folder_name).collect());
        };
        if !known.is_missing {
            return Err(tried_twice(trial));
        }
        if known.pairs.len() != count {
            return Err(unfit(format!(
                "position {} of {} gave {} pairs before and {count} now",
                trial.index,
                trial.scene,
                known.pairs.len()
            )));
        }
        Ok(known.pairs.map(folder_name).collect())
    }

    fn append(&mut self, mut record: TrialRecord) -> Result<(), ExportError> {
        for stop in &mut record.trial.stops {
            *stop = stop.map(micro);
        }
        self.record(|state| state.check(&record))?;
        let offset = self.journal()?.trial(record.clone())?;
        self.record(|state| state.record(&record, offset))
    }

    fn record(&mut self, change: impl FnOnce(&mut SetState) -> Result<(), String>) -> Result<(), ExportError> {
        change(&mut self.state).map_err(|why| ExportError::damaged(&self.dir, why))
    }

    /// The journal; a finished set that is written to again gets one, and loses its manifest.
    fn journal(&mut self) -> Result<&mut Journal, ExportError> {
        let journal = match self.journal.take() {
            Some(journal) => journal,
            None => {
                let journal = Journal::create(&self.dir, &mut self.state)?;
                let manifest = self.dir.join(MANIFEST);
                fs::remove_file(&manifest).map_err(|e| ExportError::write(&manifest, e))?;
                journal
            }
        };
        Ok(self.journal.insert(journal))
    }

    /// Removes temporaries, and pair folders that the journal does not know (killed between the two).
    fn clear_leftovers(&self) -> Result<(), ExportError> {
        for entry in fs::read_dir(&self.dir).map_err(|e| ExportError::read(&self.dir, e))? {
            let entry = entry.map_err(|e| ExportError::read(&self.dir, e))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let number = name.parse::<usize>().ok().filter(|n| folder_name(*n) == name);
            let unknown = number.is_some_and(|n| n >= self.state.pairs());
            if unknown || name.starts_with(TEMPORARY) {
                remove(&entry.path())?;
            }
        }
        Ok(())
    }

    fn find_missing(&mut self) -> Result<(), ExportError> {
        let mut lost = BTreeSet::new();
        for topdown in &self.state.topdowns {
            let path = self.dir.join(&topdown.file);
            if pair_files::read_verified(&path, &topdown.hash).is_err() {
                tracing::warn!("damaged, to be made again: {}", path.display());
                lost.insert(topdown.scene.clone());
            }
        }
        let mut damaged = Vec::new();
        // It is drawn when its scene is opened, which takes a position to be made.
        let mut openers: BTreeMap<String, (bool, usize)> = BTreeMap::new();
        for (place, record) in self.state.trials().enumerate() {
            let record = record?;
            let whole = |pair: &PairEntry| pair_files::read_files(&self.dir.join(&pair.folder), pair).is_ok();
            let scene = record.trial.scene;
            if !record.pairs.iter().all(whole) {
                lost.remove(&scene);
                openers.remove(&scene);
                damaged.push(place);
            } else if lost.contains(&scene) {
                // One that gave no pair costs none.
                let opener = (!record.pairs.is_empty(), place);
                openers
                    .entry(scene)
                    .and_modify(|known| *known = opener.min(*known))
                    .or_insert(opener);
            }
        }
        damaged.extend(openers.into_values().map(|(_, place)| place));
        let missing = damaged;
        for &place in &missing {
            let pairs = self.state.tried_at(place).pairs;
            for folder in pairs.map(folder_name) {
                let folder = self.dir.join(folder);
                tracing::warn!("damaged, to be made again: {}", folder.display());
                remove(&folder)?;
            }
            self.state.set_missing(place);
        }
        // From here on the set is no longer complete, whatever its manifest says.
        if !missing.is_empty() {
            self.journal()?;
        }
        Ok(())
    }
}

/// Rounded to a millionth: so few digits survive any JSON reader exactly, and a continued run writes
/// the same bytes.
fn micro(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

fn tried_twice(trial: &Trial) -> ExportError {
    ExportError::Unfit {
        format: "a position",
        why: format!("position {} of {} is done already", trial.index, trial.scene),
    }
}

/// What a run that was killed before its first line leaves behind.
fn is_leftover(name: &str) -> bool {
    name.starts_with(TEMPORARY) || name == PROGRESS
}

/// Removes a file or folder; that it is gone already is no error.
fn remove(path: &Path) -> Result<(), ExportError> {
    let removed = match path.is_dir() {
        true => fs::remove_dir_all(path),
        false => fs::remove_file(path),
    };
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(ExportError::write(path, error)),
        _ => Ok(()),
    }
}

/// The file appears whole or not at all, also through a power cut.
fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), ExportError> {
    write_atomically_by(path, |file| {
        file.write_all(bytes).map_err(|e| ExportError::write(path, e))
    })
}

/// As [`write_atomically`], the bytes coming from `write`.
pub(super) fn write_atomically_by<T>(
    path: &Path,
    write: impl FnOnce(&mut fs::File) -> Result<T, ExportError>,
) -> Result<T, ExportError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!("{TEMPORARY}{name}"));
    let failed = |error| ExportError::write(path, error);
    let mut file = fs::File::create(&temporary).map_err(failed)?;
    let written = write(&mut file)?;
    file.sync_all()
        .and_then(|()| fs::rename(&temporary, path))
        .map_err(failed)?;
    Ok(written)
}
