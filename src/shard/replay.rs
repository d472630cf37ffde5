//! Whether a shard's record is what its plan leads to.

use std::collections::BTreeSet;

use super::plan::{Plan, Source};
use super::walk::BlockWalk;
use crate::export::native::NativeReader;

/// The scenes, as they were asked for, that the shard tried positions of.
///
/// # Errors
///
/// A sentence where the shard has no plan, lacks a position that its plan leads to, or has others.
pub(super) fn replay(shard: &NativeReader) -> Result<BTreeSet<String>, String> {
    let run = shard.run();
    let (Some(record), Some(part)) = (&run.plan, run.shard) else {
        return Err("it has no plan".into());
    };
    let sources: Vec<Source> = record
        .sources
        .iter()
        .map(|source| Source {
            weight: source.weight,
            quota: source.quota,
        })
        .collect();
    let plan = Plan::new(&sources, part.pairs, record.block_pairs, run.seed).map_err(|error| error.to_string())?;
    let skipped: BTreeSet<&str> = shard.skipped().iter().map(|skipped| skipped.scene.as_str()).collect();
    let (mut used, mut steps) = (BTreeSet::new(), 0);
    for block in plan.shard(part.index, part.count) {
        // One scene is never left for another, so its patience does not matter.
        let mut walk = BlockWalk::new(&block, record.positions_per_pair.unwrap_or(u64::MAX));
        while let Some(step) = walk.step() {
            let scene = record.sources[step.source].scene.as_str();
            if skipped.contains(scene) {
                walk.skip_scene();
                continue;
            }
            match shard.trial_at(step.index) {
                Some(tried) => walk.record(tried.pairs.len() as u64),
                None if record.positions_per_pair.is_none() => break,
                None => return Err(format!("position {} of {scene} is missing", step.index)),
            }
            steps += 1;
            used.insert(scene.to_owned());
        }
    }
    match shard.positions() {
        count if count == steps => Ok(used),
        count => Err(format!("it has {count} positions, its plan leads to {steps}")),
    }
}
