//! Only the pairs of a generator, and the end of looking for them.

use std::collections::BTreeMap;

use super::walkable::WalkableError;
use super::{Outcome, PairGenerator, Position};
use crate::render::RenderError;
use crate::view::ViewPair;

impl PairGenerator {
    /// Only the pairs, in index order.
    ///
    /// Ends with [`GenerateError::Barren`] after `max_positions` positions in a row without a pair.
    pub fn into_pairs(self, max_positions: u64) -> impl Iterator<Item = Result<ViewPair, GenerateError>> {
        Pairs {
            generator: self,
            max_positions,
            done: false,
        }
    }
}

/// Why there are no more pairs.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// The renderer failed.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// Too many positions in a row gave no pair.
    #[error(
        "{positions} positions in a row gave no pair ({reasons}); another scene, a wider range in [select] or a larger \
         generate.max_positions_per_pair may help"
    )]
    Barren {
        /// How many.
        positions: u64,
        /// Refusals by reason, most frequent first.
        reasons: String,
    },
    /// The only scene cannot be walked.
    #[error(transparent)]
    Walkable(#[from] WalkableError),
    /// No scene of a list gives pairs.
    #[error("no scene of the list gives pairs: {turns} turns in a row gave none ({reasons})")]
    NoScene {
        /// How many.
        turns: usize,
        /// The last scenes with their reasons.
        reasons: String,
    },
    /// A pair of an earlier run does not come out again.
    #[error(
        "sample {index} of turn {turn} cannot be made again: {reason}; resume with the scenes, the profile, the seed \
         and the adapter of the run"
    )]
    NotRemade {
        /// Number of the turn.
        turn: u64,
        /// Sample within its scene.
        index: u64,
        /// What came instead.
        reason: String,
    },
}

/// Refusals by reason, most frequent first, as messages state them.
pub(super) fn refusals(refused: BTreeMap<&'static str, u64>) -> String {
    let mut reasons: Vec<_> = refused.into_iter().collect();
    reasons.sort_by_key(|&(name, count)| (std::cmp::Reverse(count), name));
    let reasons: Vec<String> = reasons
        .into_iter()
        .map(|(name, count)| format!("{name} {count}"))
        .collect();
    reasons.join(", ")
}

struct Pairs {
    generator: PairGenerator,
    max_positions: u64,
    done: bool,
}

impl Iterator for Pairs {
    type Item = Result<ViewPair, GenerateError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let mut refused: BTreeMap<&'static str, u64> = BTreeMap::new();
        for _ in 0..self.max_positions {
            match self.generator.next()? {
                Ok(Position {
                    outcome: Outcome::Kept(pair),
                    ..
                }) => return Some(Ok(*pair)),
                Ok(Position {
                    outcome: Outcome::Refused(reason),
                    ..
                }) => *refused.entry(reason).or_default() += 1,
                Err(error) => {
                    self.done = true;
                    return Some(Err(error.into()));
                }
            }
        }
        self.done = true;
        Some(Err(GenerateError::Barren {
            positions: self.max_positions,
            reasons: refusals(refused),
        }))
    }
}
