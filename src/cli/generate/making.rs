//! Making the blocks of a run.

use std::sync::atomic::{AtomicBool, Ordering};

use covista::export::native::NativeWriter;
use covista::generate::Outcome;
use covista::shard::{Block, BlockWalk};

use super::output::Output;
use super::scenes::Scenes;
use super::write;

/// What making blocks needs.
pub struct Making<'a> {
    /// Opened when their turn comes.
    pub scenes: Scenes<'a>,
    /// `generate.max_positions_per_pair`.
    pub positions_per_pair: u64,
    /// Up when the run is to end.
    pub stop: &'a AtomicBool,
    /// Counts pairs.
    pub bar: &'a indicatif::ProgressBar,
    /// Told of what is complete.
    pub output: &'a mut Output,
}

/// How a block ended.
pub enum Made {
    /// So many pairs, fewer than the block has where its scenes gave no more.
    Pairs(u64),
    /// The process was asked to stop; what is finished is recorded.
    Interrupted,
}

impl Making<'_> {
    /// Makes what the set lacks of a block: positions that it has count as they went. The scene of the block after it
    /// is read meanwhile.
    pub fn block(&mut self, block: &Block, after: Option<&Block>, writer: &mut NativeWriter) -> anyhow::Result<Made> {
        let mut walk = BlockWalk::new(block, self.positions_per_pair);
        let mut after = after.and_then(Block::first_source);
        while let Some(step) = walk.step() {
            if self.scenes.is_skipped(step.source, writer) {
                walk.skip_scene();
                continue;
            }
            if let Some(known) = writer.trial_at(step.index)
                && !known.is_missing
            {
                let pairs = known.pairs.len() as u64;
                walk.record(pairs);
                self.bar.inc(pairs);
                continue;
            }
            if self.stop.load(Ordering::SeqCst) {
                return Ok(Made::Interrupted);
            }
            let Some(scene) = self.scenes.open(step.source, block.number, writer)? else {
                walk.skip_scene();
                continue;
            };
            let position = scene.position(step.index, block.pairs - walk.kept())?;
            let pairs = u64::from(matches!(position.outcome, Outcome::Kept(_)));
            let name = scene.name.clone();
            if let Some(pair) = write(writer, &name, position)? {
                self.output.written(&pair)?;
            }
            walk.record(pairs);
            self.bar.inc(pairs);
            if let Some((source, number)) = after.take() {
                self.scenes.prepare(source, number, writer);
            }
        }
        self.output.checkpoint()?;
        Ok(Made::Pairs(walk.kept()))
    }
}
