//! `covista plan`: what `generate` would keep, as poses without pictures.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use covista::export::native::{PlanRecord, SourceRecord};
use covista::plan::{PlanEnd, PlanHeader, PlanReader, PlanScene, PlanWriter, PlannedPosition};
use covista::render::{Gpu, GpuConfig};
use covista::shard::{BlockWalk, Plan, Source};

use super::common::{self, ConfigArgs, SceneArgs};
use super::exit::Failure;
use super::open::Walkable;

/// Arguments of `covista plan`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    scene: SceneArgs,
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
    /// Continue a plan with the same scene, configuration and seed to more pairs
    #[arg(long, conflicts_with = "overwrite")]
    resume: bool,
    /// Replace the file if it exists
    #[arg(long)]
    overwrite: bool,
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
    if args.out.exists() && !args.resume && !args.overwrite {
        return Err(Failure::output(format!(
            "the plan exists already; give another --out, --resume to continue it or --overwrite to replace it: {}",
            args.out.display()
        )));
    }
    let walkable = Walkable::open(&args.scene, &mut config)?;
    let gpu = Gpu::new(&GpuConfig {
        adapter: args.adapter.clone(),
    })?;
    let mut generator = walkable.generator(&gpu, &config, args.seed)?;
    let scene = walkable.scene.name.as_str();
    let mut header = PlanHeader::new(
        &args.config.profile,
        config.data_json(),
        config.data_hash(),
        args.seed,
        vec![PlanScene {
            name: scene.to_owned(),
            spec: args.scene.scene.clone(),
            hash: walkable.scene.hash_hex(),
        }],
    );
    let source = Source {
        weight: 1.0,
        quota: None,
    };
    let blocks = Plan::new(&[source], args.pairs, config.generate.block_pairs, args.seed)?;
    header.blocks = Some(PlanRecord {
        block_pairs: config.generate.block_pairs,
        positions_per_pair: None,
        pairs: None,
        sources: vec![SourceRecord {
            scene: args.scene.source(&mut config)?.to_string(),
            weight: source.weight,
            quota: source.quota,
        }],
    });
    let mut writer = PlanWriter::create(&args.out, &header)?;
    let mut known = BTreeMap::new();
    if args.resume && args.out.exists() {
        for position in continued(&args.out, &header)? {
            let position = position?;
            known.insert(position.index, position.pairs.len() as u64);
            writer.position(&position)?;
        }
    }
    let bar = common::progress(args.pairs, "pairs");
    let mut next = None;
    for block in blocks.all() {
        let mut walk = BlockWalk::new(&block, config.generate.max_positions_per_pair);
        while let Some(step) = walk.step() {
            if let Some(&pairs) = known.get(&step.index) {
                walk.record(pairs);
                continue;
            }
            if stop.load(Ordering::SeqCst) {
                bar.abandon();
                let end = writer.finish()?;
                return Err(Failure::interrupted(format!(
                    "interrupted with {} of {} pairs; continue with --resume: {}",
                    end.pairs,
                    args.pairs,
                    args.out.display()
                )));
            }
            if next != Some(step.index) {
                generator.seek(step.index);
            }
            next = Some(step.index + 1);
            let Some(position) = generator.next() else { break };
            let position = PlannedPosition::new(scene, &position?);
            walk.record(position.pairs.len() as u64);
            writer.position(&position)?;
            bar.set_position(writer.pairs());
        }
    }
    bar.finish_and_clear();
    let end = writer.finish()?;
    tell(&args, end)?;
    if end.pairs < args.pairs {
        return Err(Failure::input(format!(
            "the scene gave {} of {} pairs in {} positions; another scene or seed, a wider range in [select] or a \
             larger generate.max_positions_per_pair may give more",
            end.pairs, args.pairs, end.positions
        )));
    }
    Ok(())
}

/// The positions of a plan that this run may continue.
fn continued(path: &Path, header: &PlanHeader) -> anyhow::Result<PlanReader> {
    let reader = PlanReader::open(path)?;
    let old = reader.header();
    let scenes = |header: &PlanHeader| {
        let hashes = header
            .scenes
            .iter()
            .map(|scene| format!("{} {}", scene.name, scene.hash));
        hashes.collect::<Vec<_>>().join(", ")
    };
    let block_pairs = |header: &PlanHeader| {
        let size = header.blocks.as_ref().map(|blocks| blocks.block_pairs.to_string());
        size.unwrap_or_else(|| "not said".to_owned())
    };
    let checks = [
        (
            "covista version",
            old.covista_version.clone(),
            header.covista_version.clone(),
        ),
        ("config hash", old.config_hash.clone(), header.config_hash.clone()),
        ("seed", old.seed.to_string(), header.seed.to_string()),
        ("scene", scenes(old), scenes(header)),
        ("block size", block_pairs(old), block_pairs(header)),
    ];
    match checks.into_iter().find(|(_, there, here)| there != here) {
        None => Ok(reader),
        Some((what, there, here)) => Err(Failure::arguments(format!(
            "the plan was made by another run: its {what} is {there}, and {here} here; use the same one, or \
             --overwrite to replace the plan: {}",
            path.display()
        ))),
    }
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
