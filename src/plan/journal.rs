//! The journal of a plan that grows: `PLAN.partial` beside it, one event a line.
//!
//! Lines are appended and flushed one by one, so a kill or a full disk costs the last line at most.

use std::fs::{File, OpenOptions};
use std::io::{BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::record::{FORMAT, PlanEnd, PlanHeader, PlanScene, PlannedPosition, VERSION};
use super::write::PlanWriter;
use crate::export::lines::{Line, MAX_LINE, read_line, too_long};
use crate::export::lock::{is_at, lock, unlock};
use crate::export::native::SkippedScene;
use crate::export::{ExportError, json};

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
enum Event {
    /// First line: what is being planned.
    Plan { header: Box<PlanHeader> },
    /// All of the plan that is continued is in the journal.
    Begun,
    /// A scene was opened.
    Scene { scene: PlanScene },
    /// A scene could not be used.
    Skipped { scene: SkippedScene },
    /// A position was tried.
    Position { position: Box<PlannedPosition> },
}

/// The open journal of one plan, locked against other processes while it lives.
///
/// One that is dropped before [`Self::finish`] stays for whoever takes it next.
#[derive(Debug)]
pub struct PlanJournal {
    plan: PathBuf,
    path: PathBuf,
    file: File,
    /// Bytes of its complete lines.
    length: u64,
    header: PlanHeader,
    positions: u64,
    pairs: u64,
}

impl PlanJournal {
    /// Where the journal of the plan `plan` lies.
    pub fn path_of(plan: &Path) -> PathBuf {
        let mut name = plan.as_os_str().to_owned();
        name.push(".partial");
        name.into()
    }

    /// Takes the journal of the plan `plan`, which is a new and empty one where there was none, for this process alone.
    ///
    /// # Errors
    /// [`ExportError::Busy`] where another process makes the plan, [`ExportError::Create`] where there can be no such
    /// file.
    pub fn claim(plan: &Path) -> Result<Self, ExportError> {
        if plan.is_dir() {
            return Err(ExportError::create(plan, ErrorKind::IsADirectory.into()));
        }
        let path = Self::path_of(plan);
        let mut options = OpenOptions::new();
        // Emptied once it is locked: it may be another process's.
        options.read(true).write(true).create(true).truncate(false);
        let file = options.open(&path).map_err(|error| ExportError::create(plan, error))?;
        lock(&file, plan)?;
        // Whoever held it may just have finished, and removed it.
        if !is_at(&file, &path) {
            return Err(ExportError::Busy { path: plan.to_owned() });
        }
        Ok(Self {
            plan: plan.to_owned(),
            path,
            file,
            length: 0,
            header: PlanHeader::new("", serde_json::Value::Null, String::new(), 0, Vec::new()),
            positions: 0,
            pairs: 0,
        })
    }

    /// Whether nothing was ever written to it.
    ///
    /// # Errors
    /// Read errors.
    pub fn is_new(&self) -> Result<bool, ExportError> {
        let metadata = self.file.metadata();
        Ok(metadata.map_err(|error| ExportError::read(&self.path, error))?.len() == 0)
    }

    /// Begins a journal, in place of what it holds. It counts once [`Self::begun`] is called.
    ///
    /// # Errors
    /// Write errors; [`ExportError::Create`] where the plan could not be named in the end.
    pub fn begin(&mut self, header: &PlanHeader) -> Result<(), ExportError> {
        // Where the plan could not be written in the end, nobody should plan for hours.
        PlanWriter::create(&self.plan, header)?;
        (self.length, self.positions, self.pairs) = (0, 0, 0);
        self.cut()?;
        self.header = header.clone();
        let header = Box::new(header.clone());
        self.append(&Event::Plan { header })
    }

    /// Says that all of an older plan, if one is continued, has been added.
    ///
    /// # Errors
    /// Write errors.
    pub fn begun(&mut self) -> Result<(), ExportError> {
        self.append(&Event::Begun)
    }

    /// Adds a scene that was opened.
    ///
    /// # Errors
    /// Write errors.
    pub fn scene(&mut self, scene: &PlanScene) -> Result<(), ExportError> {
        self.append(&Event::Scene { scene: scene.clone() })
    }

    /// Adds a scene that cannot be used.
    ///
    /// # Errors
    /// Write errors.
    pub fn skipped(&mut self, scene: &SkippedScene) -> Result<(), ExportError> {
        self.append(&Event::Skipped { scene: scene.clone() })
    }

    /// Adds what came of a sample.
    ///
    /// # Errors
    /// Write errors.
    pub fn position(&mut self, position: PlannedPosition) -> Result<(), ExportError> {
        let pairs = position.pairs.len() as u64;
        self.append(&Event::Position {
            position: Box::new(position),
        })?;
        self.positions += 1;
        self.pairs += pairs;
        Ok(())
    }

    /// The header, with the scenes that were added before the journal was opened.
    pub fn header(&self) -> &PlanHeader {
        &self.header
    }

    /// Positions so far.
    pub fn positions(&self) -> u64 {
        self.positions
    }

    /// Pairs so far.
    pub fn pairs(&self) -> u64 {
        self.pairs
    }

    /// Writes the plan with the header as it is known by now, in place of one of that name, and removes the journal.
    /// Where that fails the journal stays.
    ///
    /// # Errors
    /// Write errors.
    pub fn finish(self, header: &PlanHeader) -> Result<PlanEnd, ExportError> {
        self.clear_leftovers();
        let mut writer = PlanWriter::create(&self.plan, header)?;
        self.each(|_, event| match event {
            Event::Position { position } => writer.position(&position),
            _ => Ok(()),
        })?;
        let end = writer.finish()?;
        self.remove();
        Ok(end)
    }

    /// Removes the journal. One that cannot be removed costs the next run a question, no plan.
    pub fn remove(self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::warn!("cannot remove {} ({error}): delete it by hand", self.path.display());
        }
    }

    /// Reads what an earlier process left and goes on behind it, a torn last line cut off; shows its positions in order.
    /// False where nothing was begun: what it holds counts for nothing then.
    ///
    /// # Errors
    /// [`ExportError::Damaged`] where a complete line makes no sense, read errors.
    pub fn resume(&mut self, mut seen: impl FnMut(&PlannedPosition)) -> Result<bool, ExportError> {
        let (mut header, mut begun) = (None::<PlanHeader>, false);
        let (mut positions, mut pairs) = (0, 0);
        self.length = u64::MAX;
        let length = self.each(|damaged, event| {
            match (event, header.as_mut()) {
                (Event::Plan { header: found }, None) => {
                    if found.format != FORMAT || found.version != VERSION {
                        let why = format!("{:?} version {} is not read here", found.format, found.version);
                        return Err(damaged(why));
                    }
                    header = Some(*found);
                }
                (Event::Plan { .. }, Some(_)) => return Err(damaged("a second plan in one journal".into())),
                (_, None) => return Err(damaged("the journal does not start with its plan".into())),
                (Event::Begun, Some(_)) => begun = true,
                (Event::Scene { scene }, Some(header)) => header.scenes.push(scene),
                (Event::Skipped { scene }, Some(header)) => header.skipped.push(scene),
                (Event::Position { position }, Some(header)) => {
                    position.check(&header.scenes).map_err(damaged)?;
                    positions += 1;
                    pairs += position.pairs.len() as u64;
                    seen(&position);
                }
            }
            Ok(())
        })?;
        (self.length, self.positions, self.pairs) = (length, positions, pairs);
        if let Some(header) = header {
            self.header = header;
        }
        if begun {
            self.cut()?;
        }
        Ok(begun)
    }

    /// Shows each event with a way to call its line damaged; returns the bytes of the complete lines.
    fn each(
        &self,
        mut work: impl FnMut(&dyn Fn(String) -> ExportError, Event) -> Result<(), ExportError>,
    ) -> Result<u64, ExportError> {
        let failed = |error| ExportError::read(&self.path, error);
        let mut file = &self.file;
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        let mut lines = BufReader::new(file.take(self.length));
        let (mut line, mut length) = (Vec::new(), 0);
        for number in 1.. {
            let damaged = |why: String| ExportError::damaged(&self.path, format!("line {number}: {why}"));
            match read_line(&mut lines, &mut line).map_err(failed)? {
                Line::Whole => {}
                Line::TooLong => return Err(damaged(too_long())),
                // What a kill tore was not recorded.
                Line::Torn | Line::End => break,
            }
            let event = serde_json::from_slice(&line).map_err(|error| damaged(error.to_string()))?;
            work(&damaged, event)?;
            length += line.len() as u64;
        }
        Ok(length)
    }

    /// Cuts off what stands behind the complete lines.
    fn cut(&mut self) -> Result<(), ExportError> {
        let cut = self.file.set_len(self.length);
        cut.map_err(|error| ExportError::write(&self.path, error))
    }

    /// One write call a line, of which nothing stays where it fails.
    fn append(&mut self, event: &Event) -> Result<(), ExportError> {
        let mut line = json::compact(&json::to_value(event)?);
        line.push('\n');
        if line.len() > MAX_LINE {
            return Err(ExportError::Unfit {
                format: "a line of the journal of a plan",
                why: too_long(),
            });
        }
        let mut file = &self.file;
        let written = file
            .seek(SeekFrom::Start(self.length))
            .and_then(|_| file.write_all(line.as_bytes()));
        if let Err(error) = written {
            // Where this fails too the next reader finds a torn line, which counts for nothing.
            let _ = self.cut();
            return Err(ExportError::write(&self.path, error));
        }
        self.length += line.len() as u64;
        Ok(())
    }

    /// Removes what a kill left of plans that were about to be named; the lock says that nobody else is at it.
    fn clear_leftovers(&self) {
        let (Some(parent), Some(name)) = (self.plan.parent(), self.plan.file_name()) else {
            return;
        };
        let begin = format!(".{}.partial-", name.to_string_lossy());
        let parent = if parent.as_os_str().is_empty() {
            Path::new(".")
        } else {
            parent
        };
        for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let process = name.strip_prefix(&begin);
            if process.is_some_and(|id| !id.is_empty() && id.bytes().all(|digit| digit.is_ascii_digit())) {
                // Best effort: it takes room and harms nobody.
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }
}

impl Drop for PlanJournal {
    fn drop(&mut self) {
        unlock(&self.file);
    }
}
