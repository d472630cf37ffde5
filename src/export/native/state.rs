//! What is known of a set, whether it comes from the manifest or from the journal.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::record::{Counters, FORMAT_VERSION, PairEntry, RunRecord, TopDownEntry, Trial, TrialRecord};
use crate::export::{ExportError, json};

/// Name of the manifest, whose presence says that the set is complete.
pub const MANIFEST: &str = "manifest.json";
/// What the manifest's `format` says.
const FORMAT: &str = "covista-native";

/// Everything recorded about a set.
#[derive(Debug, Clone)]
pub struct SetState {
    /// The run as first started.
    pub run: RunRecord,
    /// Adapters that rendered, in the order in which they joined.
    pub adapters: Vec<String>,
    /// Top-down pictures.
    pub topdowns: Vec<TopDownEntry>,
    /// Positions in the order in which they were tried.
    trials: Vec<TrialRecord>,
    by_key: BTreeMap<(String, u64), usize>,
    pairs: usize,
}

impl SetState {
    /// Nothing tried yet.
    pub fn new(run: RunRecord) -> Self {
        Self {
            adapters: vec![run.adapter.clone()],
            run,
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
        let place = self.by_key.get(&(scene.to_string(), index))?;
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
        let key = (record.trial.scene.clone(), record.trial.index);
        let place = self.by_key.get(&key).copied();
        let known: Vec<_> = match place {
            Some(place) => self.trials[place].pairs.iter().map(|p| p.folder.clone()).collect(),
            None => (self.pairs..self.pairs + record.pairs.len()).map(folder_name).collect(),
        };
        if record.pairs.iter().map(|p| &p.folder).ne(known.iter()) {
            return Err(format!("position {} of {} has pair folders out of turn", key.1, key.0));
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

    /// The text of `manifest.json`.
    pub fn manifest(&self) -> Result<String, ExportError> {
        let pairs = self.trials.iter().flat_map(|record| {
            record.pairs.iter().map(|pair| ManifestPair {
                folder: pair.folder.clone(),
                scene: record.trial.scene.clone(),
                index: record.trial.index,
                files: pair.files.clone(),
            })
        });
        let positions = self.trials.iter().map(|record| ManifestPosition {
            trial: record.trial.clone(),
            pairs: record.pairs.iter().map(|p| p.folder.clone()).collect(),
            reason: record.reason.clone(),
        });
        let manifest = Manifest {
            format: FORMAT.into(),
            format_version: FORMAT_VERSION,
            run: self.run.clone(),
            adapters: self.adapters.clone(),
            counters: Counters::of(&self.trials),
            pairs: pairs.collect(),
            positions: positions.collect(),
            topdowns: self.topdowns.clone(),
        };
        Ok(json::pretty(&json::to_value(&manifest)?))
    }

    /// Reads a manifest back.
    ///
    /// # Errors
    ///
    /// Where it cannot be read, parsed, or contradicts itself; the error names it.
    pub fn from_manifest(path: &Path) -> Result<Self, ExportError> {
        let text = std::fs::read(path).map_err(|e| ExportError::read(path, e))?;
        let head: Head = serde_json::from_slice(&text).map_err(|e| ExportError::damaged(path, e.to_string()))?;
        head.check().map_err(|why| ExportError::damaged(path, why))?;
        let manifest: Manifest =
            serde_json::from_slice(&text).map_err(|e| ExportError::damaged(path, e.to_string()))?;
        manifest.into_state().map_err(|why| ExportError::damaged(path, why))
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

/// Read before the rest, so that another format or a later version is told as such.
#[derive(Debug, Deserialize)]
pub struct Head {
    format: String,
    format_version: u32,
}

impl Head {
    /// The head that this build writes.
    pub fn check(&self) -> Result<(), String> {
        if self.format != FORMAT {
            return Err(format!("its format is {:?}, not {FORMAT:?}", self.format));
        }
        if self.format_version != FORMAT_VERSION {
            return Err(format!(
                "its format version is {}, this build reads {FORMAT_VERSION}",
                self.format_version
            ));
        }
        Ok(())
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    format: String,
    format_version: u32,
    #[serde(flatten)]
    run: RunRecord,
    adapters: Vec<String>,
    counters: Counters,
    pairs: Vec<ManifestPair>,
    positions: Vec<ManifestPosition>,
    topdowns: Vec<TopDownEntry>,
}

#[derive(Debug, Serialize, Deserialize)]
struct ManifestPair {
    folder: String,
    scene: String,
    index: u64,
    files: BTreeMap<String, String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct ManifestPosition {
    #[serde(flatten)]
    trial: Trial,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pairs: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl Manifest {
    fn into_state(self) -> Result<SetState, String> {
        let mut files: BTreeMap<String, _> = self.pairs.into_iter().map(|p| (p.folder, p.files)).collect();
        let mut state = SetState::new(self.run);
        state.adapters = self.adapters;
        for position in self.positions {
            let entry = |folder: String| match files.remove(&folder) {
                Some(files) => Ok(PairEntry { folder, files }),
                None => Err(format!("the list of pairs lacks {folder}")),
            };
            state.record(TrialRecord {
                pairs: position.pairs.into_iter().map(entry).collect::<Result<_, _>>()?,
                trial: position.trial,
                reason: position.reason,
            })?;
        }
        if let Some(folder) = files.keys().next() {
            return Err(format!("no position names pair {folder}"));
        }
        for entry in self.topdowns {
            state.record_topdown(entry)?;
        }
        if Counters::of(state.trials()) != self.counters {
            return Err("the counters do not add up".into());
        }
        Ok(state)
    }
}
