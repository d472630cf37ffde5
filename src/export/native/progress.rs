//! The journal of an unfinished set: `progress.jsonl`, one event a line.
//!
//! Lines are appended and flushed one by one, so a kill can tear the last line at most.

use std::fs::{File, OpenOptions};
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::file::{Cursor, RecordFile, STREAMED};
use super::manifest::MANIFEST;
use super::record::{FORMAT_VERSION, RunRecord, SceneRecord, SkippedScene, TopDownEntry, TrialRecord};
use super::state::{SetState, Source};
use crate::export::lines::{Line, MAX_LINE, read_line, too_long};
use crate::export::lock::{is_at, lock};
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

/// The open journal, locked against other processes while it or the state that reads from it lives.
#[derive(Debug)]
pub struct Journal {
    file: Arc<RecordFile>,
    /// Bytes of its complete lines.
    length: u64,
}

impl Journal {
    /// Writes a journal that says all of `state`, under a temporary name first; `state` reads from it afterwards.
    pub fn create(dir: &Path, state: &mut SetState) -> Result<Self, ExportError> {
        let path = dir.join(PROGRESS);
        let temporary = dir.join(".tmp-progress");
        let mut options = OpenOptions::new();
        // Emptied once it is locked: it may be another process's.
        options.read(true).write(true).create(true).truncate(false);
        let file = options
            .open(&temporary)
            .map_err(|e| ExportError::create(&temporary, e))?;
        lock(&file, dir)?;
        let busy = || ExportError::Busy {
            path: dir.to_path_buf(),
        };
        if !is_at(&file, &temporary) {
            return Err(busy());
        }
        // One that was made since this process looked belongs to another.
        let other = Self::open(dir).and_then(|found| found.map_or(Ok(()), |_| Err(busy())));
        if let Err(error) = other {
            // Locked and at its name, so it is this process's own, and of no use.
            let _ = std::fs::remove_file(&temporary);
            return Err(error);
        }
        file.set_len(0).map_err(|e| ExportError::write(&temporary, e))?;
        let mut journal = Self {
            file: RecordFile::new(file, &path),
            length: 0,
        };
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
        let offsets = state.trials().map(|record| journal.trial(record?));
        let offsets = offsets.collect::<Result<Vec<u64>, ExportError>>()?;
        std::fs::rename(&temporary, &path).map_err(|e| ExportError::write(&path, e))?;
        state.move_to(Arc::clone(&journal.file), offsets);
        Ok(journal)
    }

    /// Opens the journal of `dir` for appending, a torn last line cut off. `None` where nothing has
    /// been recorded yet.
    pub fn open(dir: &Path) -> Result<Option<(Self, SetState)>, ExportError> {
        let path = dir.join(PROGRESS);
        let file = match OpenOptions::new().read(true).write(true).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(ExportError::write(&path, error)),
        };
        // Locked before it is read: whoever held it may have been about to finish, and to remove it.
        lock(&file, dir)?;
        if !is_at(&file, &path) {
            return Ok(None);
        }
        let file = RecordFile::new(file, &path);
        let Some((state, length)) = state_of(&file)? else {
            return Ok(None);
        };
        file.set_len(length).map_err(|e| ExportError::write(&path, e))?;
        Ok(Some((Self { file, length }, state)))
    }

    /// Records a position; returns where its line begins.
    pub fn trial(&mut self, record: TrialRecord) -> Result<u64, ExportError> {
        self.append(&Event::Trial { record })
    }

    /// Records that a scene was opened.
    pub fn scene(&mut self, scene: &SceneRecord) -> Result<(), ExportError> {
        self.append(&Event::Scene { scene: scene.clone() }).map(drop)
    }

    /// Records that a scene could not be used.
    pub fn skipped(&mut self, scene: &SkippedScene) -> Result<(), ExportError> {
        self.append(&Event::Skipped { scene: scene.clone() }).map(drop)
    }

    /// Records a top-down picture.
    pub fn topdown(&mut self, entry: &TopDownEntry) -> Result<(), ExportError> {
        self.append(&Event::TopDown { entry: entry.clone() }).map(drop)
    }

    /// Records that another adapter took over.
    pub fn adapter(&mut self, adapter: &str) -> Result<(), ExportError> {
        self.append(&Event::Adapter {
            adapter: adapter.to_string(),
        })
        .map(drop)
    }

    /// Removes the journal: the manifest has taken over.
    pub fn remove(self) -> Result<(), ExportError> {
        let path = self.file.path();
        std::fs::remove_file(path).map_err(|e| ExportError::write(path, e))
    }

    /// One write call a line, so that a line is torn by a kill only if the system tears it. Returns where it begins.
    fn append(&mut self, event: &Event) -> Result<u64, ExportError> {
        let mut line = json::compact(&json::to_value(event)?);
        line.push('\n');
        if line.len() > MAX_LINE {
            return Err(ExportError::Unfit {
                format: "a line of the journal",
                why: too_long(),
            });
        }
        let offset = self.length;
        self.file
            .write_at(offset, line.as_bytes())
            .map_err(|e| ExportError::write(self.file.path(), e))?;
        self.length += line.len() as u64;
        Ok(offset)
    }
}

/// Opens the manifest of `dir`, locked against other processes that would write the set again while what is returned
/// lives; `None` where there is none.
///
/// # Errors
///
/// [`ExportError::Busy`] where another process holds it; read errors.
pub fn lock_manifest(dir: &Path) -> Result<Option<Arc<RecordFile>>, ExportError> {
    let path = dir.join(MANIFEST);
    // Some network file systems lock only what may be written; what may not is on none that is written to.
    let writable = OpenOptions::new().read(true).write(true).open(&path);
    let file = match writable.or_else(|_| File::open(&path)) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(ExportError::read(&path, error)),
    };
    lock(&file, dir)?;
    match is_at(&file, &path) {
        true => Ok(Some(RecordFile::new(file, &path))),
        // It was written again meanwhile, by a process that still works or has just ended.
        false => Err(ExportError::Busy {
            path: dir.to_path_buf(),
        }),
    }
}

/// The state that a journal tells; `None` where there is no journal or not one complete line.
///
/// # Errors
///
/// Where it cannot be read, or a complete line makes no sense; the error names the file and the line.
pub fn read(path: &Path) -> Result<Option<SetState>, ExportError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(ExportError::read(path, error)),
    };
    let told = state_of(&RecordFile::new(file, path))?;
    Ok(told.map(|(state, _)| state))
}

/// As [`read`], with the length of the complete lines in bytes.
fn state_of(file: &Arc<RecordFile>) -> Result<Option<(SetState, u64)>, ExportError> {
    let mut cursor = Cursor::new(file, STREAMED);
    let mut state: Option<SetState> = None;
    let (mut line, mut length) = (Vec::new(), 0);
    for number in 1.. {
        let damaged = |why: String| ExportError::damaged(file.path(), format!("line {number}: {why}"));
        match read_line(&mut cursor, &mut line).map_err(|e| ExportError::read(file.path(), e))? {
            Line::Whole => {}
            Line::TooLong => return Err(damaged(too_long())),
            // What a kill tore was not recorded.
            Line::Torn | Line::End => break,
        }
        let event = serde_json::from_slice(&line).map_err(|e| damaged(e.to_string()))?;
        match (event, state.as_mut()) {
            (Event::Run { format_version, .. }, None) if format_version != FORMAT_VERSION => {
                return Err(damaged(format!(
                    "format version {format_version}, this build reads {FORMAT_VERSION}"
                )));
            }
            (Event::Run { run, .. }, None) => {
                state = Some(SetState::new(*run, Source::Journal(Arc::clone(file))));
            }
            (Event::Adapter { adapter }, Some(state)) => {
                state.record_adapter(&adapter);
            }
            (Event::Scene { scene }, Some(state)) => state.run.scenes.push(scene),
            (Event::Skipped { scene }, Some(state)) => state.skipped.push(scene),
            (Event::TopDown { entry }, Some(state)) => state.record_topdown(entry).map_err(damaged)?,
            (Event::Trial { record }, Some(state)) => state.record(&record, length).map_err(damaged)?,
            (Event::Run { .. }, Some(_)) => return Err(damaged("a second run in one journal".into())),
            (_, None) => return Err(damaged("the journal does not start with its run".into())),
        }
        length += line.len() as u64;
    }
    Ok(state.map(|state| (state, length)))
}

/// The record that a line tells.
pub fn trial_of(line: &[u8]) -> Result<TrialRecord, String> {
    match serde_json::from_slice(line) {
        Ok(Event::Trial { record }) => Ok(record),
        Ok(_) => Err("the line tells of no position".into()),
        Err(error) => Err(error.to_string()),
    }
}
