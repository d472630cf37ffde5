//! `manifest.json`: the record of a finished set, written and read without the whole of it in memory.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::file::{Cursor, RecordFile, STREAMED};
use super::index::Index;
use super::record::{Counters, FORMAT_VERSION, PairEntry, RunRecord, SkippedScene, TopDownEntry, Trial, TrialRecord};
use super::scan::{ScanError, Scanner};
use super::seal::{self, SEAL, Sealing};
use super::state::{SetState, Source, check_files, folder_name, out_of_turn};
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

/// An item of the list of pairs.
#[derive(Debug, Serialize, Deserialize)]
pub struct ManifestPair {
    folder: String,
    scene: String,
    index: u64,
    files: BTreeMap<String, String>,
}

impl ManifestPair {
    /// The pair as it is recorded.
    pub fn entry(self) -> PairEntry {
        PairEntry {
            folder: self.folder,
            files: self.files,
        }
    }
}

/// An item of the list of positions.
#[derive(Debug, Serialize, Deserialize)]
pub struct ManifestPosition {
    #[serde(flatten)]
    trial: Trial,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pairs: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl ManifestPosition {
    /// The position as it is recorded.
    pub fn record(self, pairs: Vec<PairEntry>) -> TrialRecord {
        TrialRecord {
            trial: self.trial,
            pairs,
            reason: self.reason,
        }
    }
}

/// Writes the manifest of a set whose positions `trials` gives, in order, each time it is called; its seal last.
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
        let mut writer = json::ObjectWriter::new(Sealing::new(BufWriter::new(out)))?;
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
        Ok(writer.into_open().seal()?.flush()?)
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
    /// Writes `manifest.json`; `path` is named in errors. Returns the counters that it tells.
    pub fn write_manifest(&self, out: impl Write, path: &Path) -> Result<Counters, ExportError> {
        let counters = self.recounted()?;
        let head = Head::new(
            self.run.clone(),
            self.adapters.clone(),
            counters.clone(),
            self.skipped.clone(),
            self.topdowns.clone(),
        );
        write_manifest(out, path, &head, || self.trials())?;
        Ok(counters)
    }

    /// Reads a manifest back: its seal is checked, and where every record lies is kept.
    ///
    /// # Errors
    ///
    /// Where it cannot be read, parsed, does not fit its seal or contradicts itself; the error names it.
    pub fn from_manifest(path: &Path) -> Result<Self, ExportError> {
        let file = File::open(path).map_err(|e| ExportError::read(path, e))?;
        Self::from_manifest_file(RecordFile::new(file, path))
    }

    /// As [`Self::from_manifest`] of a manifest that is open.
    pub fn from_manifest_file(file: Arc<RecordFile>) -> Result<Self, ExportError> {
        let is_sealed = seal::check(&file)?;
        let mut parts = Parts {
            is_sealed,
            ..Parts::default()
        };
        let mut scanner = Scanner::new(Cursor::new(&file, STREAMED), 0);
        let scanned = scanner.object(|scanner, key| parts.take(scanner, key));
        let damaged = |why: String| ExportError::damaged(file.path(), why);
        scanned.map_err(|error| match error {
            Unread::Scan(ScanError::Io(error)) => ExportError::read(file.path(), error),
            Unread::Scan(error) => damaged(error.to_string()),
            Unread::Wrong(why) => damaged(why),
        })?;
        // Its place is the end: elsewhere it is one that was itself changed.
        if parts.has_seal && !is_sealed {
            return Err(seal::broken(&file));
        }
        let (mut state, pairs) = parts.into_state().map_err(damaged)?;
        state.source = Source::Manifest { file, pairs, is_sealed };
        Ok(state)
    }
}

/// Why a manifest cannot be read.
enum Unread {
    Scan(ScanError),
    /// A sentence.
    Wrong(String),
}

impl From<ScanError> for Unread {
    fn from(error: ScanError) -> Self {
        Self::Scan(error)
    }
}

/// Keys of the manifests of builds that did not seal them. A sealed one may have more: what a later build adds.
const UNSEALED_KEYS: [&str; 17] = [
    "adapter",
    "adapters",
    "config",
    "config_hash",
    "counters",
    "covista_version",
    "format",
    "format_version",
    "pictures",
    "plan",
    "profile",
    "scenes",
    "seed",
    "selection",
    "shard",
    "skipped",
    "topdowns",
];

/// What was read of a manifest so far.
#[derive(Default)]
struct Parts {
    is_sealed: bool,
    head: serde_json::Map<String, Value>,
    /// Where the items of the list of pairs lie.
    pairs: Vec<u64>,
    index: Index,
    counters: Counters,
    has_pairs: bool,
    has_positions: bool,
    has_seal: bool,
}

impl Parts {
    /// Reads the value of `key`.
    fn take(&mut self, scanner: &mut Scanner<Cursor>, key: String) -> Result<(), Unread> {
        let wrong = |why: String| Err(Unread::Wrong(why));
        match key.as_str() {
            PAIRS if !std::mem::replace(&mut self.has_pairs, true) => {
                return scanner.list(|place, item| self.pair(place, &parsed(PAIRS, place, item)?));
            }
            POSITIONS if !std::mem::replace(&mut self.has_positions, true) => {
                return scanner.list(|place, item| self.position(place, &parsed(POSITIONS, place, item)?));
            }
            SEAL if !std::mem::replace(&mut self.has_seal, true) => {
                scanner.value(&mut Vec::new())?;
                return Ok(());
            }
            // One whose key was changed is no seal any more, but it is not nothing.
            _ if !self.is_sealed && !UNSEALED_KEYS.contains(&key.as_str()) => {
                return wrong(format!("it has an entry {key:?} that no build without a seal wrote"));
            }
            _ => {}
        }
        let mut bytes = Vec::new();
        let place = scanner.value(&mut bytes)?;
        let value: Value = parsed(&key, place, &bytes)?;
        // Told before anything else is read, so that another format or a later version is told as such.
        match key.as_str() {
            "format" if value != FORMAT => return wrong(format!("its format is {value}, not {FORMAT:?}")),
            "format_version" if value != FORMAT_VERSION => {
                return wrong(format!(
                    "its format version is {value}, this build reads {FORMAT_VERSION}"
                ));
            }
            _ => {}
        }
        match self.head.insert(key, value) {
            None => Ok(()),
            Some(_) => wrong("an entry is there twice".into()),
        }
    }

    fn pair(&mut self, place: u64, pair: &ManifestPair) -> Result<(), Unread> {
        if pair.folder != folder_name(self.pairs.len()) {
            return Err(Unread::Wrong(out_of_turn(&pair.scene, pair.index)));
        }
        check_files(pair.files.keys()).map_err(Unread::Wrong)?;
        self.pairs.push(place);
        Ok(())
    }

    fn position(&mut self, place: u64, position: &ManifestPosition) -> Result<(), Unread> {
        let trial = &position.trial;
        let folders = (self.index.pairs()..).map(folder_name).take(position.pairs.len());
        if position.pairs.iter().ne(folders.collect::<Vec<_>>().iter()) {
            return Err(Unread::Wrong(out_of_turn(&trial.scene, trial.index)));
        }
        let pairs = position.pairs.len();
        let pushed = self.index.push(&trial.scene, trial.index, pairs, place);
        pushed.map_err(Unread::Wrong)?;
        self.counters.count_parts(trial, pairs, position.reason.as_ref());
        Ok(())
    }

    /// The state, whose source is to be set, and where the pairs lie.
    fn into_state(self) -> Result<(SetState, Vec<u64>), String> {
        for (has, list) in [(self.has_pairs, PAIRS), (self.has_positions, POSITIONS)] {
            if !has {
                return Err(format!("it lacks the list of {list}"));
            }
        }
        let head: Head = serde_json::from_value(Value::Object(self.head)).map_err(|error| error.to_string())?;
        let (listed, named) = (self.pairs.len(), self.index.pairs());
        if listed < named {
            return Err(format!("the list of pairs lacks {}", folder_name(listed)));
        }
        if named < listed {
            return Err(format!("no position names pair {}", folder_name(named)));
        }
        if self.counters != head.counters {
            return Err("the counters do not add up".into());
        }
        let mut state = SetState::new(head.run, Source::Nowhere);
        state.adapters = head.adapters;
        state.skipped = head.skipped;
        state.index = self.index;
        state.counters = self.counters;
        for entry in head.topdowns {
            state.record_topdown(entry)?;
        }
        Ok((state, self.pairs))
    }
}

/// The value of `bytes`, which are of `key` and lie at `place` in the file.
fn parsed<T: DeserializeOwned>(key: &str, place: u64, bytes: &[u8]) -> Result<T, Unread> {
    serde_json::from_slice(bytes).map_err(|error| Unread::Wrong(format!("{key} at byte {place}: {error}")))
}
