//! Pairs as they are made: worker threads, a bounded channel, a ring that lets each pair be drawn again.

use crate::view::PairOverlaps;

/// Host bytes of a batch of pairs, ready for any tensor library.
#[derive(Debug, Clone, PartialEq)]
pub struct PairBatch {
    /// First views, `[batch, height, width, 3]` row-major, 8-bit.
    pub first: Vec<u8>,
    /// Second views, same shape.
    pub second: Vec<u8>,
    /// `[batch, height, width, 3]`.
    pub shape: [usize; 4],
    /// Overlaps of each pair, `[batch]`.
    pub overlaps: Vec<PairOverlaps>,
    /// Sample index of each pair, `[batch]`.
    pub indices: Vec<u64>,
}
