//! Reading a plan, line by line.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use super::error::PlanError;
use super::record::{FORMAT, PlanEnd, PlanHeader, PlannedPosition, VERSION};
use crate::export::lines::{Line, read_line, too_long};

/// Reads the positions of a plan in order; one line, of 64 MiB at most, is in memory at a time.
#[derive(Debug)]
pub struct PlanReader {
    path: PathBuf,
    header: PlanHeader,
    file: BufReader<File>,
    /// The line that was read last.
    text: Vec<u8>,
    /// Its number, from 1.
    line: usize,
    positions: u64,
    pairs: u64,
    ended: bool,
}

impl PlanReader {
    /// Opens a plan and reads its header.
    ///
    /// # Errors
    /// [`PlanError::Read`], [`PlanError::Unfinished`] where only its journal is there, [`PlanError::Malformed`] where the first line is no header of this version.
    pub fn open(path: &Path) -> Result<Self, PlanError> {
        let file = File::open(path).map_err(|error| PlanError::read(path, error))?;
        let (mut file, mut text) = (BufReader::new(file), Vec::new());
        match read_line(&mut file, &mut text).map_err(|error| PlanError::read(path, error))? {
            Line::Whole | Line::Torn => {}
            Line::TooLong => return Err(PlanError::malformed(path, Some(1), too_long())),
            Line::End => return Err(PlanError::malformed(path, None, "the file is empty")),
        }
        let header: PlanHeader = serde_json::from_slice(&text)
            .map_err(|error| PlanError::malformed(path, Some(1), format!("not the header of a plan ({error})")))?;
        if header.format != FORMAT || header.version != VERSION {
            let why = format!(
                "this is {:?} version {}; this program reads {FORMAT:?} version {VERSION}",
                header.format, header.version
            );
            return Err(PlanError::malformed(path, Some(1), why));
        }
        Ok(Self {
            path: path.to_owned(),
            header,
            file,
            text,
            line: 1,
            positions: 0,
            pairs: 0,
            ended: false,
        })
    }

    /// True where a file begins as a plan does, whatever follows.
    pub fn recognises(path: &Path) -> bool {
        let first = File::open(path).ok().and_then(|file| {
            let mut line = Vec::new();
            read_line(&mut BufReader::new(file), &mut line).ok()?;
            Some(String::from_utf8_lossy(&line).into_owned())
        });
        first.is_some_and(|line| line.contains(&format!("\"format\":\"{FORMAT}\"")))
    }

    /// The first line.
    pub fn header(&self) -> &PlanHeader {
        &self.header
    }

    fn read_line(&mut self) -> Result<Option<PlannedPosition>, PlanError> {
        let cut = PlanError::CutOff {
            path: self.path.clone(),
            positions: self.positions,
        };
        let read = read_line(&mut self.file, &mut self.text).map_err(|error| PlanError::read(&self.path, error))?;
        self.line += 1;
        match read {
            // Without its end, so that what a kill left of a line reads as cut off.
            Line::Whole => drop(self.text.pop()),
            Line::Torn => {}
            Line::TooLong => return Err(PlanError::malformed(&self.path, Some(self.line), too_long())),
            Line::End => return Err(cut),
        }
        let malformed = |why: String| PlanError::malformed(&self.path, Some(self.line), why);
        let end = serde_json::from_slice::<PlanEnd>(&self.text);
        // What a kill or a full disk left of the last line.
        if end.as_ref().is_err_and(serde_json::Error::is_eof) {
            return Err(cut);
        }
        if let Ok(end) = end {
            if (end.positions, end.pairs) != (self.positions, self.pairs) {
                return Err(malformed(format!(
                    "the plan says {} positions with {} pairs, and {} with {} came before: lines are missing",
                    end.positions, end.pairs, self.positions, self.pairs
                )));
            }
            return Ok(None);
        }
        match serde_json::from_slice::<PlannedPosition>(&self.text) {
            Ok(position) => {
                position.check(&self.header.scenes).map_err(malformed)?;
                self.positions += 1;
                self.pairs += position.pairs.len() as u64;
                Ok(Some(position))
            }
            // And of a position, which is no last line from its first key on.
            Err(error) if error.is_eof() => Err(cut),
            Err(error) => Err(malformed(format!("not a position of a plan ({error})"))),
        }
    }
}

/// After an error or the last line nothing more comes.
impl Iterator for PlanReader {
    type Item = Result<PlannedPosition, PlanError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.read_line().transpose();
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_line_without_end_is_given_up() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.jsonl");
        let header = PlanHeader::new("smoke", serde_json::json!({}), "ab".into(), 3, Vec::new());
        for (before, line) in [(String::new(), 1), (serde_json::to_string(&header).unwrap() + "\n", 2)] {
            let mut file = File::create(&path).unwrap();
            file.write_all(before.as_bytes()).unwrap();
            // A hole reads as zeros and takes no room on disk.
            file.set_len(1 << 30).unwrap();
            assert_eq!(PlanReader::recognises(&path), line == 2);
            let error = match PlanReader::open(&path) {
                Ok(mut reader) => {
                    let error = reader.next().unwrap().unwrap_err();
                    assert!(reader.next().is_none(), "an error ends the plan");
                    error
                }
                Err(error) => error,
            };
            let told = error.to_string();
            assert!(
                told.contains(&format!("line {line}: it is longer than the 64 MiB")),
                "{told}"
            );
            assert!(told.contains("a.jsonl"), "{told}");
        }
    }
}
