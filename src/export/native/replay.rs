//! Sets as a source of pairs: what was made once can be trained on many times.

use super::reader::NativeReader;
use crate::export::ExportError;
use crate::view::ViewPair;

/// The pairs of one or more sets, again and again: the first of each set, the second of each, and so on.
///
/// Every file is checked against its recorded hash; a damaged one is an error, after which the pairs go on.
/// Ends at once where no set holds a pair.
#[derive(Debug)]
pub struct Replay {
    sets: Vec<NativeReader>,
    /// The pair that comes next, if the set has so many, and the set that it is taken from.
    next: (u64, usize),
}

impl Replay {
    /// Goes through `sets`, which may be unfinished.
    pub fn new(sets: Vec<NativeReader>) -> Self {
        Self { sets, next: (0, 0) }
    }

    /// Different pairs.
    pub fn len(&self) -> usize {
        self.sets.iter().map(NativeReader::len).sum()
    }

    /// True where there are none.
    pub fn is_empty(&self) -> bool {
        self.sets.iter().all(NativeReader::is_empty)
    }
}

impl Iterator for Replay {
    type Item = Result<ViewPair, ExportError>;

    fn next(&mut self) -> Option<Self::Item> {
        let longest = self.sets.iter().map(NativeReader::len).max().unwrap_or(0) as u64;
        if longest == 0 {
            return None;
        }
        loop {
            let (number, place) = self.next;
            let Some(set) = self.sets.get(place) else {
                self.next = ((number + 1) % longest, 0);
                continue;
            };
            self.next.1 += 1;
            if number < set.len() as u64 {
                return Some(set.entry(number).and_then(|entry| set.pair(&entry)));
            }
        }
    }
}
