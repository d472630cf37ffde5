//! What every format's writer does.

use super::ExportError;
use crate::view::ViewPair;

/// Writes pairs into one folder, which is complete after [`PairWriter::finish`].
pub trait PairWriter {
    /// Stores one pair.
    ///
    /// # Errors
    ///
    /// [`ExportError::Unfit`] for what the format cannot hold; write errors.
    fn write_pair(&mut self, pair: &ViewPair) -> Result<(), ExportError>;

    /// Writes what comes last: lists, headers, metadata.
    ///
    /// # Errors
    ///
    /// Write errors.
    fn finish(self: Box<Self>) -> Result<(), ExportError>;
}
