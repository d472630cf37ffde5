//! What is known of a set, whether it comes from the manifest or from the journal.

use std::collections::BTreeMap;

use super::record::{RunRecord, SkippedScene, TopDownEntry, TrialRecord};

/// Everything recorded about a set.
#[derive(Debug, Clone)]
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
    trials: Vec<TrialRecord>,
    /// By index first: the indices of planned runs are unique.
    by_key: BTreeMap<(u64, String), usize>,
    pairs: usize,
}

impl SetState {
    /// Nothing tried yet.
    pub fn new(run: RunRecord) -> Self {
        Self {
            adapters: vec![run.adapter.clone()],
            run,
            skipped: Vec::new(),
            topdowns: Vec::new(),
            trials: Vec::new(),
            by_key: BTreeMap::new(),
            pairs: 0,
        }
    }

    /// Positions in the order in which they were tried.
    pub fn trials(&self) -> &[TrialRecord] {
        &self.trials
    }

    /// How a position ended, where it was tried.
    pub fn find(&self, scene: &str, index: u64) -> Option<&TrialRecord> {
        let place = self.by_key.get(&(index, scene.to_string()))?;
        Some(&self.trials[*place])
    }

    /// How the position of this index ended, in the first scene by name where it was tried.
    pub fn find_index(&self, index: u64) -> Option<&TrialRecord> {
        let (_, place) = self
            .by_key
            .range((index, String::new())..)
            .next()
            .filter(|(key, _)| key.0 == index)?;
        Some(&self.trials[*place])
    }

    /// Number of pair folders given out.
    pub fn pairs(&self) -> usize {
        self.pairs
    }

    /// Adds a position, or replaces its record where it was tried before (a pair made again).
    ///
    /// # Errors
    ///
    /// A sentence where the record names folders or files that a set cannot have, so that nothing
    /// outside the set is ever touched.
    pub fn record(&mut self, record: TrialRecord) -> Result<(), String> {
        let key = (record.trial.index, record.trial.scene.clone());
        let place = self.by_key.get(&key).copied();
        let known: Vec<_> = match place {
            Some(place) => self.trials[place].pairs.iter().map(|p| p.folder.clone()).collect(),
            None => (self.pairs..self.pairs + record.pairs.len()).map(folder_name).collect(),
        };
        if record.pairs.iter().map(|p| &p.folder).ne(known.iter()) {
            return Err(format!("position {} of {} has pair folders out of turn", key.0, key.1));
        }
        if let Some(name) = record
            .pairs
            .iter()
            .flat_map(|p| p.files.keys())
            .find(|n| !plain_name(n))
        {
            return Err(format!("{name:?} is no name for a file of a pair"));
        }
        match place {
            Some(place) => self.trials[place] = record,
            None => {
                self.pairs += record.pairs.len();
                self.by_key.insert(key, self.trials.len());
                self.trials.push(record);
            }
        }
        Ok(())
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

/// Names that stay inside their folder: letters, digits, `-`, `.`, and no leading dot.
fn plain_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    !name.is_empty() && !name.starts_with('.') && name.chars().all(plain)
}
