//! Poses without pictures: what a run would draw, small enough to mail.
//!
//! A plan is JSON lines. The first line is a [`PlanHeader`]: configuration, scenes with their hash, seed. Each
//! further line is a [`PlannedPosition`]: a sample index with the pairs that it gave (cameras, overlaps, patch
//! partners) or why it gave none. The last line is a [`PlanEnd`], so a file that was cut off is told from a whole
//! one. Numbers keep every bit. While a plan grows, a [`PlanJournal`] beside it keeps what a kill or a full disk must
//! not cost.
//!
//! [`PairPainter`] draws planned pairs, on this machine or another, at the planned size or another: with nothing
//! changed the pictures are those of the run that was planned, byte for byte. [`import`] reads what others
//! released: camera files and `metadata.json` of CroCo and DUSt3R.

mod error;
pub mod import;
mod journal;
mod measure;
mod paint;
mod read;
mod record;
mod write;

pub use error::PlanError;
pub use journal::PlanJournal;
pub use measure::{Rule, measure_pair};
pub use paint::{Painted, PairPainter, Submitted};
pub use read::PlanReader;
pub use record::{PlanEnd, PlanHeader, PlanScene, PlannedCamera, PlannedPair, PlannedPosition};
pub use write::PlanWriter;
