//! The journal of an unfinished set: `progress.jsonl`, one event a line.
//!
//! Lines are appended and flushed one by one, so a kill can tear the last line at most.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::record::{FORMAT_VERSION, RunRecord, SceneRecord, SkippedScene, TopDownEntry, TrialRecord};
use super::state::SetState;
use crate::export::{ExportError, json};

/// Name of the journal.
pub const PROGRESS: &str = "progress.jsonl";

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
enum Event {
    /// First line: what is being made.
    Run { format_version: u32, run: Box<RunRecord> },
    /// The run was continued on another adapter.
    Adapter { adapter: String },
    /// A scene was opened.
    Scene { scene: SceneRecord },
    /// A scene could not be used.
    Skipped { scene: SkippedScene },
    /// A top-down picture was stored.
    TopDown { entry: TopDownEntry },
    /// A position was tried.
    Trial { record: TrialRecord },
}

/// The open journal, locked against other processes while it lives.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
}

impl Journal {
    /// Writes a journal that says all of `state`, under a temporary name first.
    pub fn create(dir: &Path, state: &SetState) -> Result<Self, ExportError> {
        let path = dir.join(PROGRESS);
        let temporary = dir.join(".tmp-progress");
        let file = File::create(&temporary).map_err(|e| ExportError::create(&temporary, e))?;
        let mut journal = Self { file, path };
        journal.lock()?;
        journal.append(&Event::Run {
            format_version: FORMAT_VERSION,
            run: Box::new(state.run.clone()),
        })?;
        for adapter in state.adapters.iter().skip(1) {
            journal.adapter(adapter)?;
        }
        for scene in &state.skipped {
            journal.skipped(scene)?;
        }
        for entry in &state.topdowns {
            journal.topdown(entry)?;
        }
        for record in state.trials() {
            journal.trial(record)?;
        }
        std::fs::rename(&temporary, &journal.path).map_err(|e| ExportError::write(&journal.path, e))?;
        Ok(journal)
    }

    /// Opens the journal of `dir` for appending, a torn last line cut off. `None` where nothing has
    /// been recorded yet.
    pub fn open(dir: &Path) -> Result<Option<(Self, SetState)>, ExportError> {
        let path = dir.join(PROGRESS);
        let file = match OpenOptions::new().write(true).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(ExportError::write(&path, error)),
        };
        let mut journal = Self { file, path };
        // Locked before it is read: whoever held it may have been about to finish.
        journal.lock()?;
        let Some((state, complete)) = read(&journal.path)? else {
            return Ok(None);
        };
        journal
            .file
            .set_len(complete)
            .and_then(|()| journal.file.seek(SeekFrom::End(0)))
            .map_err(|e| ExportError::write(&journal.path, e))?;
        Ok(Some((journal, state)))
    }

    /// Records a position.
    pub fn trial(&mut self, record: &TrialRecord) -> Result<(), ExportError> {
        self.append(&Event::Trial { record: record.clone() })
    }

    /// Records that a scene was opened.
    pub fn scene(&mut self, scene: &SceneRecord) -> Result<(), ExportError> {
        self.append(&Event::Scene { scene: scene.clone() })
    }

    /// Records that a scene could not be used.
    pub fn skipped(&mut self, scene: &SkippedScene) -> Result<(), ExportError> {
        self.append(&Event::Skipped { scene: scene.clone() })
    }

    /// Records a top-down picture.
    pub fn topdown(&mut self, entry: &TopDownEntry) -> Result<(), ExportError> {
        self.append(&Event::TopDown { entry: entry.clone() })
    }

    /// Records that another adapter took over.
    pub fn adapter(&mut self, adapter: &str) -> Result<(), ExportError> {
        self.append(&Event::Adapter {
            adapter: adapter.to_string(),
        })
    }

    /// Removes the journal: the manifest has taken over.
    pub fn remove(self) -> Result<(), ExportError> {
        std::fs::remove_file(&self.path).map_err(|e| ExportError::write(&self.path, e))
    }

    fn lock(&self) -> Result<(), ExportError> {
        match self.file.try_lock() {
            Ok(()) => Ok(()),
            Err(TryLockError::WouldBlock) => Err(ExportError::Busy {
                path: self.path.parent().unwrap_or(&self.path).to_path_buf(),
            }),
            // Some network file systems know no locks; the set is then as safe as its user makes it.
            Err(TryLockError::Error(error)) => {
                tracing::debug!("no lock on {}: {error}", self.path.display());
                Ok(())
            }
        }
    }

    /// One write call a line, so that a line is torn by a kill only if the system tears it.
    fn append(&mut self, event: &Event) -> Result<(), ExportError> {
        let mut line = json::compact(&json::to_value(event)?);
        line.push('\n');
        self.file
            .write_all(line.as_bytes())
            .and_then(|()| self.file.flush())
            .map_err(|e| ExportError::write(&self.path, e))
    }
}

/// The state that a journal tells and the length of its complete lines in bytes; `None` where there
/// is no journal or not one complete line.
///
/// # Errors
///
/// Where it cannot be read, or a complete line makes no sense; the error names the file and the line.
pub fn read(path: &Path) -> Result<Option<(SetState, u64)>, ExportError> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(ExportError::read(path, error)),
    };
    let complete = bytes.iter().rposition(|&b| b == b'\n').map_or(0, |last| last + 1);
    let mut state: Option<SetState> = None;
    for (number, line) in bytes[..complete].split_inclusive(|&b| b == b'\n').enumerate() {
        let damaged = |why: String| ExportError::damaged(path, format!("line {}: {why}", number + 1));
        let event = serde_json::from_slice(line).map_err(|e| damaged(e.to_string()))?;
        match (event, state.as_mut()) {
            (Event::Run { format_version, .. }, None) if format_version != FORMAT_VERSION => {
                return Err(damaged(format!(
                    "format version {format_version}, this build reads {FORMAT_VERSION}"
                )));
            }
            (Event::Run { run, .. }, None) => state = Some(SetState::new(*run)),
            (Event::Adapter { adapter }, Some(state)) => {
                state.record_adapter(&adapter);
            }
            (Event::Scene { scene }, Some(state)) => state.run.scenes.push(scene),
            (Event::Skipped { scene }, Some(state)) => state.skipped.push(scene),
            (Event::TopDown { entry }, Some(state)) => state.record_topdown(entry).map_err(damaged)?,
            (Event::Trial { record }, Some(state)) => state.record(record).map_err(damaged)?,
            (Event::Run { .. }, Some(_)) => return Err(damaged("a second run in one journal".into())),
            (_, None) => return Err(damaged("the journal does not start with its run".into())),
        }
    }
    Ok(state.map(|state| (state, complete as u64)))
}
