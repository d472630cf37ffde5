//! Which positions a set has and where their records lie: all that is held of them in memory.
//!
//! A position takes [`Entry`] (32 bytes), its share of a table to find it by (at most 11 bytes), and spare room
//! for an eighth more; a set of 3 million positions takes about 130 MB, its records on disk about 5 GB.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

/// A position that was tried.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Sample index.
    pub index: u64,
    /// Where its record begins in the journal, or its entry in the manifest's list of positions.
    pub offset: u64,
    /// Number of its scene.
    scene: u32,
    /// Number of its first pair; of the next one's, where it has none.
    first_pair: u32,
    pairs: u32,
    /// True where files of its pairs are damaged, so that they are to be made again.
    pub is_missing: bool,
}

impl Entry {
    /// Numbers of its pairs.
    pub fn pairs(&self) -> std::ops::Range<usize> {
        let first = self.first_pair as usize;
        first..first + self.pairs as usize
    }
}

/// Positions in the order in which they were tried, found by scene and index.
#[derive(Debug)]
pub struct Index {
    entries: Vec<Entry>,
    /// Open addressing: place of an entry plus 1, 0 where the slot is free. Its length is a power of two.
    slots: Vec<u32>,
    hasher: RandomState,
    scenes: Vec<Arc<str>>,
    numbers: BTreeMap<Arc<str>, u32>,
    pairs: u32,
    /// True while indices have come in ascending order, each once, as those of planned runs do.
    is_ascending: bool,
}

/// What a set cannot have more of.
const MOST: &str = "a set cannot have more than 4 billion positions or pairs";

impl Default for Index {
    /// No positions.
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            slots: Vec::new(),
            hasher: RandomState::default(),
            scenes: Vec::new(),
            numbers: BTreeMap::new(),
            pairs: 0,
            is_ascending: true,
        }
    }
}

impl Index {
    /// Positions.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Pairs of all positions.
    pub fn pairs(&self) -> usize {
        self.pairs as usize
    }

    /// The position at `place`.
    pub fn get(&self, place: usize) -> Option<&Entry> {
        self.entries.get(place)
    }

    /// Every position, in the order in which they were tried.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The name of the scene of a position.
    pub fn scene(&self, entry: &Entry) -> &str {
        &self.scenes[entry.scene as usize]
    }

    /// The place of a position.
    pub fn find(&self, scene: &str, index: u64) -> Option<usize> {
        let number = *self.numbers.get(scene)?;
        self.find_numbered(number, index)
    }

    /// The place of the position of this index, in the first scene by name where it was tried.
    pub fn find_index(&self, index: u64) -> Option<usize> {
        match self.is_ascending {
            true => self.entries.binary_search_by_key(&index, |entry| entry.index).ok(),
            false => self
                .numbers
                .values()
                .find_map(|&number| self.find_numbered(number, index)),
        }
    }

    /// The place of the position that gave this pair.
    pub fn place_of_pair(&self, pair: usize) -> Option<usize> {
        let place = self.entries.partition_point(|entry| entry.pairs().end <= pair);
        (place < self.entries.len()).then_some(place)
    }

    /// Adds a position, whose pairs get the next numbers.
    ///
    /// # Errors
    ///
    /// A sentence where it is there already, or there are too many.
    pub fn push(&mut self, scene: &str, index: u64, pairs: usize, offset: u64) -> Result<(), String> {
        if self.find(scene, index).is_some() {
            return Err(format!("position {index} of {scene} is there twice"));
        }
        let pairs = u32::try_from(pairs).map_err(|_| MOST)?;
        let after = self.pairs.checked_add(pairs).ok_or(MOST)?;
        // The table marks free slots by 0, so places begin at 1 there.
        let place = u32::try_from(self.entries.len() + 1).map_err(|_| MOST)?;
        let scene = self.number(scene)?;
        self.is_ascending &= self.entries.last().is_none_or(|last| last.index < index);
        if self.entries.len() == self.entries.capacity() {
            // An eighth at a time instead of doubling: what is reserved shall stay near what is used.
            self.entries.reserve_exact((self.entries.len() / 8).max(64));
        }
        self.entries.push(Entry {
            index,
            offset,
            scene,
            first_pair: self.pairs,
            pairs,
            is_missing: false,
        });
        self.pairs = after;
        // At most three quarters full, so that a free slot is always near.
        if 4 * self.entries.len() > 3 * self.slots.len() {
            self.slots = vec![0; (2 * self.slots.len()).max(64)];
            for place in 1..=place {
                self.put(place);
            }
        } else {
            self.put(place);
        }
        Ok(())
    }

    /// Says where the record of a position lies from now on.
    pub fn move_to(&mut self, place: usize, offset: u64) {
        if let Some(entry) = self.entries.get_mut(place) {
            entry.offset = offset;
        }
    }

    /// Says whether the pairs of a position are damaged.
    pub fn set_missing(&mut self, place: usize, is_missing: bool) {
        if let Some(entry) = self.entries.get_mut(place) {
            entry.is_missing = is_missing;
        }
    }

    fn number(&mut self, scene: &str) -> Result<u32, String> {
        if let Some(&number) = self.numbers.get(scene) {
            return Ok(number);
        }
        let number = u32::try_from(self.scenes.len()).map_err(|_| MOST)?;
        let name: Arc<str> = scene.into();
        self.scenes.push(Arc::clone(&name));
        self.numbers.insert(name, number);
        Ok(number)
    }

    fn find_numbered(&self, scene: u32, index: u64) -> Option<usize> {
        let mut slot = self.first_slot(scene, index)?;
        loop {
            let place = self.slots[slot].checked_sub(1)? as usize;
            let entry = &self.entries[place];
            if (entry.scene, entry.index) == (scene, index) {
                return Some(place);
            }
            slot = (slot + 1) & (self.slots.len() - 1);
        }
    }

    /// Puts an entry, by its place plus 1, into the first free slot of its own or after it.
    fn put(&mut self, place: u32) {
        let entry = self.entries[place as usize - 1];
        let Some(mut slot) = self.first_slot(entry.scene, entry.index) else {
            return;
        };
        while self.slots[slot] != 0 {
            slot = (slot + 1) & (self.slots.len() - 1);
        }
        self.slots[slot] = place;
    }

    /// Where the search for a position begins; `None` while there is no table.
    fn first_slot(&self, scene: u32, index: u64) -> Option<usize> {
        let mask = self.slots.len().checked_sub(1)?;
        Some(self.hasher.hash_one((scene, index)) as usize & mask)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Index {
        /// Bytes on the heap, the names of scenes left out.
        fn heap(&self) -> usize {
            self.entries.capacity() * size_of::<Entry>() + self.slots.capacity() * size_of::<u32>()
        }
    }

    #[test]
    fn positions_are_found_whatever_their_order() {
        let mut index = Index::default();
        assert_eq!((index.find("a", 0), index.find_index(0)), (None, None));
        // Ascending over all scenes, as in planned runs.
        let scene = |i: u64| ["kitchen", "attic", "hall"][(i / 10 % 3) as usize];
        for i in 0..5000 {
            index.push(scene(i), 3 * i, (i % 3) as usize, 100 * i).unwrap();
        }
        assert!(index.is_ascending);
        // And again from below, each in another scene.
        for i in (0..5000).rev() {
            assert!(index.push(scene(i), 3 * i, 1, 7).unwrap_err().contains("twice"));
            index.push("cellar", 3 * i, 1, i).unwrap();
        }
        assert!(!index.is_ascending);
        assert_eq!((index.len(), index.pairs()), (10_000, 4999 + 5000));
        for i in 0..5000 {
            let place = index.find(scene(i), 3 * i).unwrap();
            assert_eq!((place, index.get(place).unwrap().offset), (i as usize, 100 * i));
            let place = index.find("cellar", 3 * i).unwrap();
            assert_eq!(index.get(place).unwrap().offset, i);
            // attic < cellar < hall < kitchen
            let first = index.get(index.find_index(3 * i).unwrap()).unwrap();
            assert_eq!(index.scene(first), if scene(i) == "attic" { "attic" } else { "cellar" });
            assert_eq!(
                (index.find("hall", 3 * i + 1), index.find_index(3 * i + 1)),
                (None, None)
            );
        }
        for pair in 0..index.pairs() {
            let place = index.place_of_pair(pair).unwrap();
            assert!(index.get(place).unwrap().pairs().contains(&pair));
        }
        assert_eq!(index.place_of_pair(index.pairs()), None);
    }

    #[test]
    fn a_position_takes_few_bytes() {
        assert_eq!(size_of::<Entry>(), 32);
        let mut index = Index::default();
        for i in 0..300_000 {
            index.push("flat", i, 1, i).unwrap();
            // Small sets have their first reserve.
            if i > 2000 {
                let each = index.heap() as f64 / (i + 1) as f64;
                assert!(each <= 47.0, "{each:.1} bytes each of {} positions", i + 1);
            }
        }
    }
}
