//! What can go wrong with shards beyond reading and writing sets.

use crate::export::ExportError;

/// A plan, a choice of shard or a merge that cannot be.
#[derive(Debug, thiserror::Error)]
pub enum ShardError {
    /// Weights or quotas that make no plan.
    #[error("{0}")]
    Plan(String),
    /// No scheduler tells which shard this is, or what it tells makes no sense.
    #[error("{0}")]
    Environment(String),
    /// Shards that do not make up a run.
    #[error("cannot merge: {0}")]
    Incomplete(String),
    /// A set could not be read or written.
    #[error(transparent)]
    Export(#[from] ExportError),
}
