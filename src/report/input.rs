//! What a page is made from.

use std::collections::BTreeMap;

use image::RgbImage;

use crate::export::ExportError;
use crate::export::native::{Counters, NativeReader, RunRecord, TopDown, TrialRecord};
use crate::view::{PairOverlaps, ViewPair};

/// Scenes that get a map, the first ones of the set.
pub(super) const MOST_MAPS: usize = 100;
/// Positions that are drawn, over all maps, and dots of a plot: more than can be told apart.
pub(super) const MOST_MARKS: usize = 5_000;

/// Everything a page shows, and for sets of any size no more than that: but for the overlaps, 100 bytes a pair. [`PageInput::read`] fills it from a set on disk.
#[derive(Debug, Clone)]
pub struct PageInput {
    /// Where the set lies, as a person would call it.
    pub location: String,
    /// What the set was made from.
    pub run: RunRecord,
    /// Adapters that rendered.
    pub adapters: Vec<String>,
    /// False where the run has not ended.
    pub finished: bool,
    /// What the run counted.
    pub counters: Counters,
    /// Positions to draw, of all that were tried some thousand, evenly spread.
    pub trials: Vec<TrialRecord>,
    /// Positions tried, and those that gave a pair, by scene.
    pub positions: BTreeMap<String, [u64; 2]>,
    /// Scenes seen from above, by name, as far as they get a map.
    pub topdowns: Vec<(String, TopDown)>,
    /// Overlaps of every pair, in order: the plots count all, shown or not.
    pub overlaps: Vec<PairOverlaps>,
    /// Pairs to show.
    pub pairs: Vec<ShownPair>,
    /// A training run on these pairs.
    pub training: Option<TrainingCurve>,
}

/// A pair on the page.
#[derive(Debug, Clone)]
pub struct ShownPair {
    /// Folder within the set.
    pub folder: String,
    /// The pair.
    pub pair: ViewPair,
}

impl PageInput {
    /// Reads a set, of whose pairs at most `shown` are kept for showing, evenly spread; of the others
    /// only the overlaps are read.
    ///
    /// # Errors
    ///
    /// [`ExportError::Damaged`] names the first file that is missing or changed.
    pub fn read(set: &NativeReader, shown: usize) -> Result<Self, ExportError> {
        let mut overlaps = Vec::with_capacity(set.len());
        let (mut pairs, mut trials) = (Vec::new(), Vec::new());
        let chosen = spread(set.len(), shown);
        let drawn = spread(set.positions(), MOST_MARKS);
        for (place, record) in set.trials().enumerate() {
            let record = record?;
            for entry in &record.pairs {
                if chosen.binary_search(&overlaps.len()).is_err() {
                    overlaps.push(set.overlaps(entry)?);
                    continue;
                }
                let pair = set.pair(entry)?;
                overlaps.push(pair.overlaps.clone());
                pairs.push(ShownPair {
                    folder: entry.folder.clone(),
                    pair,
                });
            }
            if drawn.binary_search(&place).is_ok() {
                trials.push(record);
            }
        }
        let mut positions: BTreeMap<String, [u64; 2]> = BTreeMap::new();
        for tried in set.tried() {
            let counts = match positions.get_mut(tried.scene) {
                Some(counts) => counts,
                None => positions.entry(tried.scene.to_owned()).or_default(),
            };
            counts[0] += 1;
            counts[1] += u64::from(!tried.pairs.is_empty());
        }
        let mapped: Vec<&str> = set
            .run()
            .scenes
            .iter()
            .take(MOST_MAPS)
            .map(|s| s.name.as_str())
            .collect();
        let topdowns = set.topdown_entries().iter();
        let topdowns = topdowns.filter(|entry| mapped.contains(&entry.scene.as_str()));
        let topdowns = topdowns.map(|entry| Ok((entry.scene.clone(), set.topdown(entry)?)));
        Ok(Self {
            location: set.dir().display().to_string(),
            run: set.run().clone(),
            adapters: set.adapters().to_vec(),
            finished: set.is_finished(),
            counters: set.counters().clone(),
            trials,
            positions,
            topdowns: topdowns.collect::<Result<_, ExportError>>()?,
            overlaps,
            pairs,
            training: None,
        })
    }
}

/// `shown` numbers below `count`, evenly spread from the first to the last, ascending.
pub(super) fn spread(count: usize, shown: usize) -> Vec<usize> {
    match shown {
        _ if count <= shown => (0..count).collect(),
        0 => Vec::new(),
        1 => vec![0],
        _ => (0..shown).map(|i| i * (count - 1) / (shown - 1)).collect(),
    }
}

/// A training run as the page shows it.
#[derive(Debug, Clone, Default)]
pub struct TrainingCurve {
    /// What was trained, e.g. "CroCo tiny".
    pub model: String,
    /// Device it ran on.
    pub device: String,
    /// (step, loss), ascending in step.
    pub losses: Vec<(u64, f64)>,
    /// Pairs consumed a second.
    pub pairs_per_s: f64,
    /// Share of the time spent waiting for data, in [0, 1].
    pub data_wait: f64,
    /// A few pairs as the model completes them.
    pub reconstructions: Vec<Reconstruction>,
}

/// One completed picture; all four of one size.
#[derive(Debug, Clone)]
pub struct Reconstruction {
    /// The first view with its masked patches blanked.
    pub masked: RgbImage,
    /// The second view.
    pub reference: RgbImage,
    /// What the model makes of the two.
    pub completed: RgbImage,
    /// The first view.
    pub target: RgbImage,
}

#[cfg(test)]
mod tests {
    use super::spread;

    #[test]
    fn shown_pairs_are_spread_evenly() {
        assert_eq!(spread(3, 5), [0, 1, 2]);
        assert_eq!(spread(9, 3), [0, 4, 8]);
        assert_eq!(spread(1000, 200).len(), 200);
        assert_eq!(spread(1000, 200).last(), Some(&999));
        assert!(spread(7, 1) == [0] && spread(7, 0).is_empty() && spread(0, 4).is_empty());
    }
}
