//! What is known of a set, whether it comes from the manifest or from the journal.

use std::sync::Arc;

use super::file::RecordFile;
use super::index::Index;
use super::record::{Counters, RunRecord, SkippedScene, TopDownEntry, TrialRecord, Tried};

/// What is held of a set in memory: the run, its scenes, and of each position where its record lies.
#[derive(Debug)]
pub struct SetState {
    /// The run as first started.
    pub run: RunRecord,
    /// Adapters that rendered, in the order in which they joined.
    pub adapters: Vec<String>,
    /// Scenes that could not be used.
    pub skipped: Vec<SkippedScene>,
    /// Top-down pictures.
    pub topdowns: Vec<TopDownEntry>,
    /// Positions in the order in which they were tried.
    pub(super) index: Index,
    pub(super) counters: Counters,
    /// True where a record was replaced, so that the counters may have a reason that counts 0.
    pub(super) has_replaced: bool,
    pub(super) source: Source,
}

/// Where the records of the positions lie.
#[derive(Debug)]
pub enum Source {
    /// Nothing is written yet.
    Nowhere,
    /// A line each.
    Journal(Arc<RecordFile>),
    /// An item of the list of positions each, and one of the list of pairs for every pair.
    Manifest {
        file: Arc<RecordFile>,
        /// Where the pairs lie, by number.
        pairs: Vec<u64>,
        /// False where an earlier build wrote it, without a seal.
        is_sealed: bool,
    },
}

impl SetState {
    /// Nothing tried yet.
    pub fn new(run: RunRecord, source: Source) -> Self {
        Self {
            adapters: vec![run.adapter.clone()],
            run,
            skipped: Vec::new(),
            topdowns: Vec::new(),
            index: Index::default(),
            counters: Counters::default(),
            has_replaced: false,
            source,
        }
    }

    /// What all positions sum up to.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Number of positions tried.
    pub fn positions(&self) -> usize {
        self.index.len()
    }

    /// Number of pair folders given out.
    pub fn pairs(&self) -> usize {
        self.index.pairs()
    }

    /// Every position in the order in which they were tried.
    pub fn tried(&self) -> impl ExactSizeIterator<Item = Tried<'_>> {
        (0..self.index.len()).map(|place| self.tried_at(place))
    }

    /// How a position ended, where it was tried.
    pub fn find(&self, scene: &str, index: u64) -> Option<Tried<'_>> {
        Some(self.tried_at(self.index.find(scene, index)?))
    }

    /// How the position of this index ended, in the first scene by name where it was tried.
    pub fn find_index(&self, index: u64) -> Option<Tried<'_>> {
        Some(self.tried_at(self.index.find_index(index)?))
    }

    /// How the position at `place` of those tried ended.
    pub fn tried_at(&self, place: usize) -> Tried<'_> {
        let entry = &self.index.entries()[place];
        Tried {
            scene: self.index.scene(entry),
            index: entry.index,
            pairs: entry.pairs(),
            is_missing: entry.is_missing,
        }
    }

    /// Says that the pairs of the position at `place` are damaged.
    pub fn set_missing(&mut self, place: usize) {
        self.index.set_missing(place, true);
    }

    /// Whether [`Self::record`] will take a record.
    ///
    /// # Errors
    ///
    /// A sentence where the record names folders or files that a set cannot have, so that nothing
    /// outside the set is ever touched.
    pub fn check(&self, record: &TrialRecord) -> Result<(), String> {
        let (scene, index) = (&record.trial.scene, record.trial.index);
        let first = match self.find(scene, index) {
            Some(known) if known.pairs.len() == record.pairs.len() => known.pairs.start,
            Some(_) => return Err(out_of_turn(scene, index)),
            None => self.pairs(),
        };
        check_names(record, first)
    }

    /// Adds a position whose record lies at `offset`, or replaces its record where it was tried before (a pair made
    /// again).
    ///
    /// # Errors
    ///
    /// As [`Self::check`], and where a replaced record cannot be read.
    pub fn record(&mut self, record: &TrialRecord, offset: u64) -> Result<(), String> {
        self.check(record)?;
        match self.index.find(&record.trial.scene, record.trial.index) {
            Some(place) => {
                let replaced = self.trial(place).map_err(|error| error.to_string())?;
                self.counters.take(&replaced);
                self.has_replaced = true;
                self.index.move_to(place, offset);
                self.index.set_missing(place, false);
            }
            None => {
                let pairs = record.pairs.len();
                self.index
                    .push(&record.trial.scene, record.trial.index, pairs, offset)?;
            }
        }
        self.counters.count(record);
        Ok(())
    }

    /// Says that the records lie in the journal `file` from now on, in order at `offsets`.
    pub fn move_to(&mut self, file: Arc<RecordFile>, offsets: Vec<u64>) {
        for (place, offset) in offsets.into_iter().enumerate() {
            self.index.move_to(place, offset);
        }
        self.source = Source::Journal(file);
    }

    /// Adds or replaces the top-down picture of a scene; refuses odd file names as [`Self::record`] does.
    pub fn record_topdown(&mut self, entry: TopDownEntry) -> Result<(), String> {
        if !plain_name(&entry.file) {
            return Err(format!("{:?} is no name for a top-down picture", entry.file));
        }
        match self.topdowns.iter_mut().find(|known| known.scene == entry.scene) {
            Some(known) => *known = entry,
            None => self.topdowns.push(entry),
        }
        Ok(())
    }

    /// Adds an adapter that has not rendered here before; true where it was new.
    pub fn record_adapter(&mut self, adapter: &str) -> bool {
        let new = !self.adapters.iter().any(|known| known == adapter);
        if new {
            self.adapters.push(adapter.to_string());
        }
        new
    }
}

/// The name of the pair folder with this number.
pub fn folder_name(number: usize) -> String {
    format!("{number:06}")
}

/// A sentence where the pairs of a record are not those from number `first` on, or have files with odd names.
pub(super) fn check_names(record: &TrialRecord, first: usize) -> Result<(), String> {
    let folders = (first..).map(folder_name).take(record.pairs.len());
    if record
        .pairs
        .iter()
        .map(|pair| &pair.folder)
        .ne(folders.collect::<Vec<_>>().iter())
    {
        return Err(out_of_turn(&record.trial.scene, record.trial.index));
    }
    record.pairs.iter().try_for_each(|pair| check_files(pair.files.keys()))
}

/// A sentence that names the first of the files of a pair that is no plain name.
pub(super) fn check_files<'a>(mut files: impl Iterator<Item = &'a String>) -> Result<(), String> {
    match files.find(|name| !plain_name(name)) {
        Some(name) => Err(format!("{name:?} is no name for a file of a pair")),
        None => Ok(()),
    }
}

/// The sentence for pair folders that are not the next ones.
pub(super) fn out_of_turn(scene: &str, index: u64) -> String {
    format!("position {index} of {scene} has pair folders out of turn")
}

/// Names that stay inside their folder: letters, digits, `-`, `.`, and no leading dot.
fn plain_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    !name.is_empty() && !name.starts_with('.') && name.chars().all(plain)
}
