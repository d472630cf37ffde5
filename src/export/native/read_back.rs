//! Records of positions, read back from the journal or the manifest when they are needed.

use std::borrow::Borrow;
use std::io::BufRead;

use super::file::{Cursor, SINGLE, STREAMED};
use super::index::Entry;
use super::manifest::{ManifestPair, ManifestPosition};
use super::progress;
use super::record::{Counters, PairEntry, TrialRecord};
use super::scan::{ScanError, Scanner};
use super::state::{SetState, Source, check_names};
use crate::export::ExportError;
use crate::export::lines::{Line, read_line};

/// The records of a set, in order; ends after an error.
#[derive(Debug)]
pub struct Trials<S> {
    state: S,
    /// None where there are no records.
    cursors: Option<Cursors>,
    next: usize,
}

/// Where reading goes on.
#[derive(Debug)]
struct Cursors {
    records: Cursor,
    /// The list of pairs, which a journal does not have.
    pairs: Option<Cursor>,
    bytes: Vec<u8>,
}

impl<S: Borrow<SetState>> Trials<S> {
    /// From the first record on.
    pub fn new(state: S) -> Self {
        Self {
            cursors: state.borrow().cursors(STREAMED),
            state,
            next: 0,
        }
    }
}

impl<S: Borrow<SetState>> Iterator for Trials<S> {
    type Item = Result<TrialRecord, ExportError>;

    fn next(&mut self) -> Option<Self::Item> {
        let state = self.state.borrow();
        let entry = state.index.get(self.next)?;
        let read = state.read(entry, self.cursors.as_mut()?);
        self.next = match read {
            Ok(_) => self.next + 1,
            Err(_) => usize::MAX,
        };
        Some(read)
    }
}

impl SetState {
    /// Every record in order, read as it is asked for.
    pub fn trials(&self) -> Trials<&Self> {
        Trials::new(self)
    }

    /// The record of the position at `place`, which must be there.
    ///
    /// # Errors
    ///
    /// [`ExportError::Damaged`] where the file was changed since it was opened; read errors.
    pub fn trial(&self, place: usize) -> Result<TrialRecord, ExportError> {
        let entry = self.index.get(place);
        match entry.zip(self.cursors(SINGLE)) {
            Some((entry, mut cursors)) => self.read(entry, &mut cursors),
            None => Err(ExportError::Unfit {
                format: "a position",
                why: format!("there is no position {place}"),
            }),
        }
    }

    /// Folder and file hashes of a pair by its number; `None` where there are not so many.
    ///
    /// # Errors
    ///
    /// As [`Self::trial`].
    pub fn pair(&self, number: usize) -> Result<Option<PairEntry>, ExportError> {
        let Some(place) = self.index.place_of_pair(number) else {
            return Ok(None);
        };
        let first = self.index.entries()[place].pairs().start;
        Ok(self.trial(place)?.pairs.into_iter().nth(number - first))
    }

    /// What all records sum up to, counted anew where a replaced record may have left a reason that nobody gives.
    ///
    /// # Errors
    ///
    /// As [`Self::trial`].
    pub fn recounted(&self) -> Result<Counters, ExportError> {
        if !self.has_replaced {
            return Ok(self.counters.clone());
        }
        let mut counters = Counters::default();
        for record in self.trials() {
            counters.count(&record?);
        }
        Ok(counters)
    }

    fn cursors(&self, buffer: usize) -> Option<Cursors> {
        let (records, pairs) = match &self.source {
            Source::Nowhere => return None,
            Source::Journal(file) => (Cursor::new(file, buffer), None),
            Source::Manifest { file, .. } => (Cursor::new(file, buffer), Some(Cursor::new(file, buffer))),
        };
        Some(Cursors {
            records,
            pairs,
            bytes: Vec::new(),
        })
    }

    fn read(&self, entry: &Entry, cursors: &mut Cursors) -> Result<TrialRecord, ExportError> {
        let file = match &self.source {
            Source::Journal(file) | Source::Manifest { file, .. } => file,
            Source::Nowhere => {
                return Err(ExportError::Unfit {
                    format: "a position",
                    why: "nothing is recorded yet".into(),
                });
            }
        };
        let changed = |why: &str| {
            let why = format!("it was changed while it was read, at byte {}: {why}", entry.offset);
            ExportError::damaged(file.path(), why)
        };
        let failed = |error| ExportError::read(file.path(), error);
        let Cursors { records, pairs, bytes } = cursors;
        records.seek(entry.offset).map_err(failed)?;
        let record = match (&self.source, pairs) {
            (Source::Manifest { pairs: places, .. }, Some(pairs)) => {
                let told = |error| match error {
                    ScanError::Io(error) => failed(error),
                    error @ ScanError::Syntax { .. } => changed(&error.to_string()),
                };
                value(records, entry.offset, bytes).map_err(told)?;
                let position: ManifestPosition =
                    serde_json::from_slice(bytes).map_err(|error| changed(&error.to_string()))?;
                let mut entries = Vec::with_capacity(entry.pairs().len());
                for place in places.get(entry.pairs()).unwrap_or_default() {
                    pairs.seek(*place).map_err(failed)?;
                    value(pairs, *place, bytes).map_err(told)?;
                    let pair: ManifestPair =
                        serde_json::from_slice(bytes).map_err(|error| changed(&error.to_string()))?;
                    entries.push(pair.entry());
                }
                position.record(entries)
            }
            _ => match read_line(records, bytes).map_err(failed)? {
                Line::Whole => progress::trial_of(bytes).map_err(|why| changed(&why))?,
                _ => return Err(changed("there is no whole line")),
            },
        };
        let trial = &record.trial;
        let is_it = (trial.scene.as_str(), trial.index) == (self.index.scene(entry), entry.index)
            && record.pairs.len() == entry.pairs().len();
        if !is_it {
            return Err(changed("another position stands there"));
        }
        check_names(&record, entry.pairs().start).map_err(|why| changed(&why))?;
        Ok(record)
    }
}

/// Reads the value at `place`, where `cursor` is.
fn value(cursor: &mut impl BufRead, place: u64, bytes: &mut Vec<u8>) -> Result<u64, ScanError> {
    Scanner::new(cursor, place).value(bytes)
}
