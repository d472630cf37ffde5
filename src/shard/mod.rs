//! A run cut into parts that machines make on their own and that put together equal the whole.
//!
//! A run of T pairs is cut into blocks ([`Plan`]) that do not depend on the number of parts. Which positions a block
//! tries is a pure function of (configuration, scenes, seed, block): its scenes come in an order of its own, its sample
//! indices from a range of its own, so that no position is ever tried twice. Shard i of N ([`ShardRecord`]) makes
//! the blocks that start within its N-th of the pairs; [`merge`] puts finished shards one after the other, and
//! the result is the set that one machine would have made, byte for byte.
//!
//! [`ShardRecord`]: crate::export::native::ShardRecord

mod cuts;
mod env;
mod error;
mod folder;
mod merge;
mod plan;
mod replay;
mod verify;
mod walk;

pub use env::{EnvShard, shard_from_env};
pub use error::ShardError;
pub use folder::{ClaimedFolder, find_shards, shard_name};
pub use merge::{MergeReport, merge};
pub use plan::{Block, Plan, Share, Source};
pub use verify::{Damage, SetReport, verify_set};
pub use walk::{BlockWalk, Step};
