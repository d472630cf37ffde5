//! Writing a plan, line by line.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::record::{PlanEnd, PlanHeader, PlannedPosition};
use crate::export::{ExportError, json};

/// Writes one plan under a temporary name and names it when it is whole; a [`PlanJournal`](super::PlanJournal) keeps
/// what takes long to make.
///
/// A writer that is dropped before [`Self::finish`] leaves nothing behind.
#[derive(Debug)]
pub struct PlanWriter {
    path: PathBuf,
    temporary: PathBuf,
    out: BufWriter<File>,
    end: PlanEnd,
    done: bool,
}

impl PlanWriter {
    /// Starts a plan; the folder of the file must exist.
    ///
    /// # Errors
    /// [`ExportError::Create`] where the file cannot be made, write errors.
    pub fn create(path: &Path, header: &PlanHeader) -> Result<Self, ExportError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let temporary = path.with_file_name(format!(".{name}.partial-{}", std::process::id()));
        let file = File::create(&temporary).map_err(|error| ExportError::create(path, error))?;
        let mut writer = Self {
            path: path.to_owned(),
            temporary,
            out: BufWriter::new(file),
            end: PlanEnd {
                end: true,
                positions: 0,
                pairs: 0,
            },
            done: false,
        };
        writer.line(header)?;
        Ok(writer)
    }

    /// Appends what came of a sample.
    ///
    /// # Errors
    /// Write errors.
    pub fn position(&mut self, position: &PlannedPosition) -> Result<(), ExportError> {
        self.line(position)?;
        self.end.positions += 1;
        self.end.pairs += position.pairs.len() as u64;
        Ok(())
    }

    /// Writes the last line and gives the file its name, replacing one of that name.
    ///
    /// # Errors
    /// Write errors.
    pub fn finish(mut self) -> Result<PlanEnd, ExportError> {
        let end = self.end;
        self.line(&end)?;
        let named = self
            .out
            .flush()
            .and_then(|()| self.out.get_ref().sync_all())
            .and_then(|()| std::fs::rename(&self.temporary, &self.path));
        named.map_err(|error| ExportError::write(&self.path, error))?;
        self.done = true;
        Ok(end)
    }

    fn line(&mut self, record: &impl Serialize) -> Result<(), ExportError> {
        let mut text = json::compact(&json::to_value(record)?);
        text.push('\n');
        self.out
            .write_all(text.as_bytes())
            .map_err(|error| ExportError::write(&self.path, error))
    }
}

impl Drop for PlanWriter {
    fn drop(&mut self) {
        if !self.done {
            // Best effort on the way out of another error, which is the one to report.
            let _ = std::fs::remove_file(&self.temporary);
        }
    }
}
