//! Sets as a source of pairs: what was made once can be trained on many times.

use super::reader::NativeReader;
use super::record::PairEntry;
use crate::export::ExportError;
use crate::view::ViewPair;

/// The pairs of one or more sets, again and again: the first of each set, the second of each, and so on.
///
/// Every file is checked against its recorded hash; a damaged one is an error, after which the pairs go on.
/// Ends at once where no set holds a pair.
#[derive(Debug)]
pub struct Replay {
    sets: Vec<NativeReader>,
    /// Set and entry, in order.
    order: Vec<(usize, PairEntry)>,
    next: usize,
}

impl Replay {
    /// Goes through `sets`, which may be unfinished.
    pub fn new(sets: Vec<NativeReader>) -> Self {
        let longest = sets.iter().map(NativeReader::len).max().unwrap_or(0);
        let mut entries: Vec<_> = sets.iter().map(NativeReader::entries).collect();
        let mut order = Vec::new();
        for _ in 0..longest {
            for (set, entries) in entries.iter_mut().enumerate() {
                order.extend(entries.next().map(|entry| (set, entry.clone())));
            }
        }
        drop(entries);
        Self { sets, order, next: 0 }
    }

    /// Different pairs.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// True where there are none.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }
}

impl Iterator for Replay {
    type Item = Result<ViewPair, ExportError>;

    fn next(&mut self) -> Option<Self::Item> {
        let (set, entry) = self.order.get(self.next)?;
        self.next = (self.next + 1) % self.order.len();
        Some(self.sets[*set].pair(entry))
    }
}
