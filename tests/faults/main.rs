//! What a run survives: kills at any moment, full and vanishing disks, damage, signals, two at once, odd clocks, an
//! adapter that is lost or too small. `scripts/soak` runs the same for longer.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]
#![cfg(target_os = "linux")]

mod adapter;
#[path = "../common/mod.rs"]
mod common;
mod disk;
mod figures;
mod kill;
mod plans;
mod process;
mod steady;
mod train;
