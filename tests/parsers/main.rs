//! Property tests of every parser: a seeded thousand damaged files each, a hundred thousand and more in
//! `scripts/soak`. No panic, no more memory than stated, nothing touched outside the folder named.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod allocation;
#[path = "../common/mod.rs"]
mod common;
mod harness;
mod mutate;
mod others;
mod records;
#[path = "../scene_support/mod.rs"]
mod scene_support;
mod scenes;
#[path = "../synthetic/mod.rs"]
mod synthetic;
mod textures;

#[global_allocator]
static ALLOCATOR: allocation::Counting = allocation::Counting::new();
