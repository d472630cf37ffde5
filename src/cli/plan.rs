//! `covista plan`: what `generate` would keep, as poses without pictures.

mod continued;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use covista::config::Config;
use covista::export::ExportError;
use covista::plan::{PlanEnd, PlanHeader, PlanJournal, PlannedPosition};
use covista::render::{Gpu, GpuConfig};
use covista::shard::{Block, BlockWalk, Plan};

use super::common::{self, ConfigArgs, ScenesArgs};
use super::exit::{self, Failure};
use super::generate::planning;
use super::generate::scenes::Scenes;
use super::open::Walkable;
use continued::{PlanLog, refusal};

/// Arguments of `covista plan`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    scenes: ScenesArgs,
    #[command(flatten)]
    config: ConfigArgs,
    /// Pairs to keep
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..))]
    pairs: u64,
    /// Seed of every random draw
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// File to write: JSON lines, poses and overlaps of every pair; `covista render --plan` makes the pictures
    #[arg(long, value_name = "PLAN.jsonl")]
    out: PathBuf,
    /// Continue a plan that was cut short, or one with the same scenes, configuration and seed to more pairs
    #[arg(long, conflicts_with = "overwrite")]
    resume: bool,
    /// Replace the file if it exists, and what is left of an unfinished one
    #[arg(long)]
    overwrite: bool,
    /// Most pairs of any one scene in the whole run
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    scene_quota: Option<u64>,
    /// Use the adapter whose name contains this
    #[arg(long, value_name = "NAME", env = "COVISTA_ADAPTER")]
    adapter: Option<String>,
    /// Print the counters as JSON on stdout
    #[arg(long)]
    json: bool,
}

/// Runs `covista plan`.
pub fn run(args: Args) -> anyhow::Result<()> {
    let mut config = args.config.load()?;
    let stop = common::interrupt_flag()?;
    let is_there = args.out.exists() || PlanJournal::path_of(&args.out).exists();
    if is_there && !args.resume && !args.overwrite {
        return Err(refusal(&args.out));
    }
    let list = args.scenes.list(&mut config)?;
    let sources = planning::sources(&list, args.scene_quota);
    let weighted = planning::weighted(&sources);
    let blocks = Plan::new(&weighted, args.pairs, config.generate.block_pairs, args.seed)?;
    let record = planning::record(args.pairs, &config, sources.clone());
    let mut header = PlanHeader::new(
        &args.config.profile,
        config.data_json(),
        config.data_hash(),
        args.seed,
        Vec::new(),
    );
    header.blocks = Some(record);
    let mut log = PlanLog::new(header, &args.out);
    // One scene is read before anything is written: a wrong name leaves nothing behind.
    let mut ready = BTreeMap::new();
    if let Some(scene) = list.single() {
        let walkable = Walkable::load(scene, &config)?;
        log.add(scene, &walkable)?;
        ready.insert(0, walkable);
    }
    let gpu = Gpu::new(&GpuConfig {
        adapter: args.adapter.clone(),
    })?;
    let known = match args.resume {
        true => log.resume()?,
        false => log.start(args.overwrite).map(|()| BTreeMap::new())?,
    };
    let work = Work {
        args: &args,
        config: &config,
        known,
        stop,
    };
    if let Err(error) = work.positions(
        &blocks,
        Scenes::new(&list, &sources, &config, args.seed, gpu, ready),
        &mut log,
    ) {
        return Err(kept(error, log, args.overwrite && args.out.exists()));
    }
    let journal = log.journal_path();
    let end = log
        .finish()
        .map_err(|error| exit::with_advice(error.into(), &kept_beside(&journal)))?;
    tell(&args, end)?;
    if end.pairs < args.pairs {
        return Err(Failure::input(format!(
            "the {} gave {} of {} pairs in {} positions; another scene or seed, a wider range in [select] or a \
             larger generate.max_positions_per_pair may give more",
            if sources.len() == 1 { "scene" } else { "scenes" },
            end.pairs,
            args.pairs,
            end.positions
        )));
    }
    Ok(())
}

/// What positions are made from.
struct Work<'a> {
    args: &'a Args,
    config: &'a Config,
    /// Pairs of the samples that an earlier run made.
    known: BTreeMap<u64, u64>,
    stop: Arc<AtomicBool>,
}

impl Work<'_> {
    /// Makes what the plan lacks.
    fn positions(&self, blocks: &Plan, mut scenes: Scenes<'_>, log: &mut PlanLog) -> anyhow::Result<()> {
        let args = self.args;
        let bar = common::progress(args.pairs, "pairs");
        let mut blocks = blocks.all().peekable();
        while let Some(block) = blocks.next() {
            let mut after = blocks.peek().and_then(Block::first_source);
            let mut walk = BlockWalk::new(&block, self.config.generate.max_positions_per_pair);
            while let Some(step) = walk.step() {
                if scenes.is_skipped(step.source, log) {
                    walk.skip_scene();
                    continue;
                }
                if let Some(&pairs) = self.known.get(&step.index) {
                    walk.record(pairs);
                    continue;
                }
                if self.stop.load(Ordering::SeqCst) {
                    bar.abandon();
                    return Err(Failure::interrupted(format!(
                        "interrupted with {} of {} pairs",
                        log.pairs(),
                        args.pairs,
                    )));
                }
                let Some(scene) = scenes.open(step.source, block.number, log)? else {
                    walk.skip_scene();
                    continue;
                };
                let position = scene.position(step.index, block.pairs - walk.kept())?;
                let position = PlannedPosition::new(&scene.name, &position);
                walk.record(position.pairs.len() as u64);
                log.position(position)?;
                bar.set_position(log.pairs());
                if let Some((source, number)) = after.take() {
                    scenes.prepare(source, number, log);
                }
            }
        }
        bar.finish_and_clear();
        Ok(())
    }
}

/// Keeps the positions of a run that ended early, as a plan unless there is one to be `replaced`; the error says how to go on.
fn kept(error: anyhow::Error, log: PlanLog, replaces: bool) -> anyhow::Error {
    if log.positions() == 0 && (replaces || !exit::is_interrupted(&error)) {
        log.abandon();
        return error;
    }
    let journal = log.journal_path();
    if replaces {
        return exit::with_advice(error, &kept_beside(&journal));
    }
    let advice = match log.finish() {
        Ok(_) => format!("the plan so far is kept; continue with: {}", common::resume_command()),
        // A full disk, which has no room for both, has been told by now.
        Err(ExportError::DiskFull { .. }) => kept_beside(&journal),
        Err(unnamed) => format!("the plan cannot be ended either ({unnamed}); {}", kept_beside(&journal)),
    };
    exit::with_advice(error, &advice)
}

fn kept_beside(journal: &Path) -> String {
    format!(
        "the plan so far is kept in {}; continue with: {}",
        journal.display(),
        common::resume_command()
    )
}

fn tell(args: &Args, end: PlanEnd) -> anyhow::Result<()> {
    let bytes = std::fs::metadata(&args.out).map_or(0, |found| found.len());
    if args.json {
        let told = serde_json::json!({
            "plan": args.out.display().to_string(),
            "positions": end.positions,
            "pairs": end.pairs,
            "bytes": bytes,
        });
        println!("{}", serde_json::to_string(&told)?);
    } else {
        println!(
            "{} pairs from {} positions in {} ({} kB)",
            end.pairs,
            end.positions,
            args.out.display(),
            bytes.div_ceil(1000)
        );
    }
    Ok(())
}
