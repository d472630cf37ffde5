//! Writing a plan, line by line.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::record::{PlanEnd, PlanHeader, PlannedPosition};
use crate::export::{ExportError, json};

/// Writes one plan under a temporary name and names it when it is whole.
///
/// A writer that is dropped before [`Self::finish`] leaves nothing behind.
#[derive(Debug)]
pub struct PlanWriter {
    path: PathBuf,
    temporary: PathBuf,
    out: BufWriter<File>,
    header: PlanHeader,
    end: PlanEnd,
    done: bool,
    /// A line may stand there in part only.
    torn: bool,
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
            header: header.clone(),
            end: PlanEnd {
                end: true,
                positions: 0,
                pairs: 0,
            },
            done: false,
            torn: false,
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

    /// Positions so far.
    pub fn positions(&self) -> u64 {
        self.end.positions
    }

    /// Pairs so far.
    pub fn pairs(&self) -> u64 {
        self.end.pairs
    }

    /// As [`Self::finish`], with the header as it is known by now: scenes are opened while positions are written.
    ///
    /// # Errors
    /// Write errors.
    pub fn finish_with(mut self, header: &PlanHeader) -> Result<PlanEnd, ExportError> {
        if *header != self.header {
            let behind = self.temporary.with_extension(format!("header-{}", std::process::id()));
            let rewritten = self.rewrite(header, &behind);
            // The copy, or what there is of it.
            let _ = std::fs::remove_file(&behind);
            rewritten?;
        }
        self.finish()
    }

    /// Copies the positions behind another header, by way of the file `behind`.
    fn rewrite(&mut self, header: &PlanHeader, behind: &Path) -> Result<(), ExportError> {
        let failed = |error| ExportError::write(&self.path, error);
        self.out.flush().map_err(failed)?;
        let mut lines = BufReader::new(File::open(&self.temporary).map_err(failed)?);
        lines.skip_until(b'\n').map_err(failed)?;
        let file = File::create(behind).map_err(failed)?;
        self.out = BufWriter::new(file);
        self.line(header)?;
        let failed = |error| ExportError::write(&self.path, error);
        std::io::copy(&mut lines, &mut self.out)
            .and_then(|_| std::fs::rename(behind, &self.temporary))
            .map_err(failed)
    }

    /// Writes the last line and gives the file its name, replacing one of that name.
    ///
    /// # Errors
    /// Write errors.
    pub fn finish(mut self) -> Result<PlanEnd, ExportError> {
        if self.torn {
            let why = std::io::Error::other("a line of it was written in part");
            return Err(ExportError::write(&self.path, why));
        }
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
        let written = self.out.write_all(text.as_bytes());
        // What is in the buffer goes on where it stopped; a line that is too long for it may be torn.
        self.torn |= written.is_err() && text.len() >= self.out.capacity();
        written.map_err(|error| ExportError::write(&self.path, error))
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
