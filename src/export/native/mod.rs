//! The native format: one folder a pair, a manifest last.
//!
//! ```text
//! set/
//!   manifest.json         what, from what, with which config; every file's BLAKE3; every position tried; its own
//!                         BLAKE3 last (`seal.rs`)
//!   topdown-000.png       the first scene seen from above, where one was handed in
//!   000000/               pairs in the order in which they were kept
//!     first.png  second.png               (or .jpg)
//!     first.depth.npy  second.depth.npy   float32 [height, width], metres, 0 where nothing was hit
//!     pair.json           cameras, overlap by every measure, patch correspondences, seed and index
//! ```
//!
//! While a run is under way `progress.jsonl` stands in for the manifest: a line for each position
//! tried, appended and flushed, so that a run that was killed can be continued and then equals one
//! that was not, byte for byte. The records of positions are never in memory as a whole: they are read back
//! from the one or the other when they are needed. Nothing in a pair folder names its own number, so sets can be merged.

mod file;
mod index;
mod manifest;
mod merger;
mod pair_files;
mod progress;
mod read_back;
mod reader;
mod record;
mod replay;
mod scan;
mod seal;
mod state;
mod writer;

pub use merger::{Placing, SetMerger};
pub use pair_files::{decode as decode_pair, encode as encode_pair};
pub use reader::NativeReader;
pub use record::{
    Counters, PairEntry, PlanRecord, RunRecord, SceneRecord, Selection, ShardRecord, SkippedScene, SourceRecord,
    TopDown, TopDownEntry, Trial, TrialRecord, Tried,
};
pub use replay::Replay;
pub use writer::NativeWriter;
