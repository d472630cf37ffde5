//! From arguments to the part of a run that this process makes.

use covista::config::Config;
use covista::export::native::{PlanRecord, ShardRecord, SourceRecord};
use covista::scene::SceneList;
use covista::shard::{Plan, Source, shard_from_env};

use super::Args;
use crate::cli::exit::Failure;

/// The part of the run that this process makes; none for all of it.
pub fn shard(args: &Args) -> anyhow::Result<Option<ShardRecord>> {
    let (index, count) = match (args.shard_from_env, args.shard, args.shards) {
        (true, ..) => {
            let told = shard_from_env(|name| std::env::var(name).ok(), args.shards)?;
            (told.index, told.count)
        }
        (false, Some(index), Some(count)) if index < count => (index, count),
        (false, Some(index), Some(count)) => {
            let last = count - 1;
            return Err(Failure::arguments(format!(
                "--shard {index} names no shard: they are 0 to {last} of {count}"
            )));
        }
        (false, Some(_), None) => {
            return Err(Failure::arguments("--shard needs --shards, the number of parts"));
        }
        (false, None, Some(_)) => {
            return Err(Failure::arguments(
                "--shards (or COVISTA_SHARDS) needs --shard I or --shard-from-env, the part to make",
            ));
        }
        (false, None, None) => return Ok(None),
    };
    Ok(Some(ShardRecord {
        index,
        count,
        pairs: args.pairs,
    }))
}

/// The scenes that were asked for.
pub fn sources(list: &SceneList, quota: Option<u64>) -> Vec<SourceRecord> {
    let entries = list.entries().iter();
    entries
        .map(|entry| SourceRecord {
            scene: entry.scene.to_string(),
            weight: entry.weight,
            quota,
        })
        .collect()
}

/// The scenes with what their blocks depend on.
pub fn weighted(sources: &[SourceRecord]) -> Vec<Source> {
    let each = sources.iter().map(|source| Source {
        weight: source.weight,
        quota: source.quota,
    });
    each.collect()
}

/// How the run is cut into blocks.
pub fn plan(args: &Args, config: &Config, sources: &[SourceRecord]) -> anyhow::Result<Plan> {
    let plan = Plan::new(&weighted(sources), args.pairs, config.generate.block_pairs, args.seed)?;
    if let Some(count) = args.shards.filter(|&count| count > plan.len() as u64) {
        tracing::warn!(
            "the run has {} parts of up to {} pairs for {count} shards, so some have nothing to do; a smaller generate.block_pairs \
             divides it further",
            plan.len(),
            config.generate.block_pairs
        );
    }
    Ok(plan)
}

/// What manifests say of the plan of a run of so many pairs.
pub fn record(pairs: u64, config: &Config, sources: Vec<SourceRecord>) -> PlanRecord {
    PlanRecord {
        block_pairs: config.generate.block_pairs,
        positions_per_pair: (sources.len() > 1).then_some(config.generate.max_positions_per_pair),
        pairs: sources.iter().any(|source| source.quota.is_some()).then_some(pairs),
        sources,
    }
}
