//! `manifest.json`: the record of a finished set, written and read without the whole of it as one value.

use std::collections::BTreeMap;
use std::io::{BufWriter, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::record::{Counters, FORMAT_VERSION, PairEntry, RunRecord, SkippedScene, TopDownEntry, Trial, TrialRecord};
use super::state::SetState;
use crate::export::{ExportError, json};

/// Name of the manifest, whose presence says that the set is complete.
pub const MANIFEST: &str = "manifest.json";
/// What the manifest's `format` says.
const FORMAT: &str = "covista-native";

/// Everything but the positions.
#[derive(Debug, Serialize, Deserialize)]
pub struct Head {
    format: String,
    format_version: u32,
    #[serde(flatten)]
    pub run: RunRecord,
    pub adapters: Vec<String>,
    pub counters: Counters,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<SkippedScene>,
    pub topdowns: Vec<TopDownEntry>,
}

impl Head {
    /// The head of a manifest that this build writes.
    pub fn new(
        run: RunRecord,
        adapters: Vec<String>,
        counters: Counters,
        skipped: Vec<SkippedScene>,
        topdowns: Vec<TopDownEntry>,
    ) -> Self {
        Self {
            format: FORMAT.into(),
            format_version: FORMAT_VERSION,
            run,
            adapters,
            counters,
            skipped,
            topdowns,
        }
    }
}

#[derive(Debug, Deserialize)]
struct Manifest {
    #[serde(flatten)]
    head: Head,
    pairs: Vec<ManifestPair>,
    positions: Vec<ManifestPosition>,
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

/// Writes the manifest of a set whose positions `trials` gives, in order, each time it is called.
///
/// # Errors
///
/// Those of `trials`, and write errors that name `path`.
pub fn write_manifest<I>(out: impl Write, path: &Path, head: &Head, trials: impl Fn() -> I) -> Result<(), ExportError>
where
    I: Iterator<Item = Result<TrialRecord, ExportError>>,
{
    let Value::Object(entries) = json::to_value(head)? else {
        return Err(ExportError::Unfit {
            format: "a manifest",
            why: "its head is no object".into(),
        });
    };
    // The lists of pairs and positions take their places among the sorted keys.
    let mut entries: BTreeMap<String, Option<Value>> = entries.into_iter().map(|(k, v)| (k, Some(v))).collect();
    entries.extend([(PAIRS.to_owned(), None), (POSITIONS.to_owned(), None)]);
    let told = |error: Failed| match error {
        Failed::Io(error) => ExportError::write(path, error),
        Failed::Export(error) => error,
    };
    let write = || -> Result<(), Failed> {
        let mut writer = json::ObjectWriter::new(BufWriter::new(out))?;
        for (key, value) in &entries {
            match value {
                Some(value) => writer.entry(key, value)?,
                None if key == PAIRS => writer.list(key, trials().flat_map(pairs_of))?,
                None => writer.list(
                    key,
                    trials().map(|trial| trial.and_then(position_of).map_err(Failed::Export)),
                )?,
            }
        }
        Ok(writer.finish()?.flush()?)
    };
    write().map_err(told)
}

const PAIRS: &str = "pairs";
const POSITIONS: &str = "positions";

enum Failed {
    Io(std::io::Error),
    Export(ExportError),
}

impl From<std::io::Error> for Failed {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<ExportError> for Failed {
    fn from(error: ExportError) -> Self {
        Self::Export(error)
    }
}

fn pairs_of(trial: Result<TrialRecord, ExportError>) -> Vec<Result<Value, Failed>> {
    let record = match trial {
        Ok(record) => record,
        Err(error) => return vec![Err(error.into())],
    };
    let pair = |pair: PairEntry| {
        Ok(json::to_value(&ManifestPair {
            folder: pair.folder,
            scene: record.trial.scene.clone(),
            index: record.trial.index,
            files: pair.files,
        })?)
    };
    record.pairs.into_iter().map(pair).collect()
}

fn position_of(record: TrialRecord) -> Result<Value, ExportError> {
    json::to_value(&ManifestPosition {
        trial: record.trial,
        pairs: record.pairs.into_iter().map(|p| p.folder).collect(),
        reason: record.reason,
    })
}

impl SetState {
    /// Writes `manifest.json`; `path` is named in errors.
    pub fn write_manifest(&self, out: impl Write, path: &Path) -> Result<(), ExportError> {
        let head = Head::new(
            self.run.clone(),
            self.adapters.clone(),
            Counters::of(self.trials()),
            self.skipped.clone(),
            self.topdowns.clone(),
        );
        write_manifest(out, path, &head, || self.trials().iter().cloned().map(Ok))
    }

    /// Reads a manifest back.
    ///
    /// # Errors
    ///
    /// Where it cannot be read, parsed, or contradicts itself; the error names it.
    pub fn from_manifest(path: &Path) -> Result<Self, ExportError> {
        let text = std::fs::read(path).map_err(|e| ExportError::read(path, e))?;
        let version: Version = serde_json::from_slice(&text).map_err(|e| ExportError::damaged(path, e.to_string()))?;
        version.check().map_err(|why| ExportError::damaged(path, why))?;
        let manifest: Manifest =
            serde_json::from_slice(&text).map_err(|e| ExportError::damaged(path, e.to_string()))?;
        manifest.into_state().map_err(|why| ExportError::damaged(path, why))
    }
}

impl Manifest {
    fn into_state(self) -> Result<SetState, String> {
        let mut files: BTreeMap<String, _> = self.pairs.into_iter().map(|p| (p.folder, p.files)).collect();
        let mut state = SetState::new(self.head.run);
        state.adapters = self.head.adapters;
        state.skipped = self.head.skipped;
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
        for entry in self.head.topdowns {
            state.record_topdown(entry)?;
        }
        if Counters::of(state.trials()) != self.head.counters {
            return Err("the counters do not add up".into());
        }
        Ok(state)
    }
}

/// Read before the rest, so that another format or a later version is told as such.
#[derive(Debug, Deserialize)]
struct Version {
    format: String,
    format_version: u32,
}

impl Version {
    fn check(&self) -> Result<(), String> {
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
