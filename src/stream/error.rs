//! Why a stream ended.

use crate::view::PairPlace;

/// Why a stream ended.
#[derive(Debug, thiserror::Error)]
pub enum StreamError<E> {
    /// The generator failed.
    #[error(transparent)]
    Source(E),
    /// The generator ended before the first batch could be drawn.
    #[error("the source ended after {received} pairs, before the {needed} that a first batch needs")]
    TooFewPairs {
        /// Pairs that came.
        received: u64,
        /// `warm_pairs` of the configuration.
        needed: usize,
    },
    /// Two pairs of different size met.
    #[error("a pair of {got:?} pixels came after pairs of {expected:?}: all pairs of a stream have one size")]
    SizeChanged {
        /// Width and height of the pairs before.
        expected: (u32, u32),
        /// Width and height of this one.
        got: (u32, u32),
    },
    /// A restored stream did not get the pairs that it held.
    #[error(
        "sample {} of turn {} is not the pair that the stream held when it was saved: resume with the scenes, the profile, the \
         seed and the adapter of the run",
        expected.index, expected.turn
    )]
    OtherPair {
        /// What the place of the stream names.
        expected: PairPlace,
        /// What came.
        got: Option<PairPlace>,
    },
    /// The worker thread ended by a panic.
    #[error("the thread that makes pairs ended by a panic; its message stands above")]
    WorkerPanicked,
}
