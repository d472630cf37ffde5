//! `covista generate`: a set of pairs in a folder, or one shard of it.

mod making;
mod output;
pub mod planning;
pub mod scenes;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use covista::config::Config;
use covista::export::PictureFormat;
use covista::export::native::{Counters, NativeWriter, RunRecord, Selection, Trial};
use covista::generate::{Outcome, Position, SamplerKind};
use covista::render::{Gpu, GpuConfig};
use covista::select::Choose;
use covista::view::Measure;

use self::making::{Made, Making};
use self::output::{Output, Place};
use self::scenes::Scenes;
use super::common::{self, ConfigArgs, ScenesArgs};
use super::exit::{Failure, advise};
use super::formats::{FormatArgs, Layout};
use super::open::Walkable;

/// Arguments of `covista generate`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    scenes: ScenesArgs,
    #[command(flatten)]
    config: ConfigArgs,
    /// Pairs to keep; with shards, of the whole run
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..))]
    pairs: u64,
    /// Seed of every random draw
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// Folder to write, or s3://BUCKET/PREFIX or gs://BUCKET/PREFIX; must not exist unless --resume, --overwrite or a
    /// shard is given
    #[arg(long, value_name = "DIR|URL")]
    out: PathBuf,
    #[command(flatten)]
    formats: FormatArgs,
    /// Replace a folder that an earlier run wrote
    #[arg(long, conflicts_with_all = ["resume", "shard", "shard_from_env"])]
    overwrite: bool,
    /// Folder for the working copy of a set that goes to object storage; by default the system's temporary one
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
    /// Continue the folder of an interrupted run with the same scene, configuration and seed; shards always do
    #[arg(long)]
    resume: bool,
    /// Parts that the run is divided into, each made by a process of its own in DIR/shard-I-of-N
    #[arg(long, value_name = "N", env = "COVISTA_SHARDS", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    shards: Option<u64>,
    /// The part to make, 0 to N - 1
    #[arg(long, value_name = "I", conflicts_with = "shard_from_env")]
    shard: Option<u64>,
    /// Take the part from the scheduler: SLURM_ARRAY_TASK_ID, JOB_COMPLETION_INDEX, HQ_TASK_ID, or RANK of WORLD_SIZE
    #[arg(long)]
    shard_from_env: bool,
    /// Most pairs of any one scene in the whole run
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    scene_quota: Option<u64>,
    /// Make the pair of this sample index alone (`index` in pair.json)
    #[arg(long, value_name = "I", conflicts_with_all = ["pairs", "resume", "shard", "shard_from_env"])]
    index: Option<u64>,
    /// How pictures are stored
    #[arg(long, value_enum, default_value_t = Pictures::Png)]
    pictures: Pictures,
    /// Use the adapter whose name contains this
    #[arg(long, value_name = "NAME", env = "COVISTA_ADAPTER")]
    adapter: Option<String>,
    /// Print the counters as JSON on stdout
    #[arg(long)]
    json: bool,
}

/// The values of `--pictures`.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum Pictures {
    /// Lossless
    Png,
    /// JPEG of quality 95
    Jpg,
}

impl Pictures {
    /// The library's value.
    pub fn format(self) -> PictureFormat {
        match self {
            Self::Png => PictureFormat::Png,
            Self::Jpg => PictureFormat::Jpeg,
        }
    }
}

/// Runs `covista generate`.
pub fn run(args: Args) -> anyhow::Result<()> {
    // A shard is continued by the command that made it.
    let is_shard = args.shard.is_some() || args.shard_from_env;
    let is_alone = args.index.is_some();
    make(args).map_err(|error| match (is_shard, is_alone) {
        (true, _) => error,
        (_, true) => advise(error, common::overwrite_command),
        _ => advise(error, common::resume_command),
    })
}

fn make(args: Args) -> anyhow::Result<()> {
    let mut config = args.config.load()?;
    let stop = common::interrupt_flag()?;
    let shard = planning::shard(&args)?;
    let out = output::folder_of(&args.out);
    let layout = args.formats.layout(&out)?;
    let place = Place::of(&args, shard, &layout)?;
    if let (Place::Folder(_), None, false) = (&place, shard, args.resume) {
        layout.check(args.overwrite)?;
    }
    let list = args.scenes.list(&mut config)?;
    let sources = planning::sources(&list, args.scene_quota);
    let plan = planning::plan(&args, &config, &sources)?;
    // One scene is read before anything is written: a wrong name leaves nothing behind.
    let mut ready = BTreeMap::new();
    if let Some(scene) = list.single() {
        ready.insert(0, Walkable::load(scene, &config)?);
    }
    let mut run = record(&args, &config);
    run.plan = args
        .index
        .is_none()
        .then(|| planning::record(args.pairs, &config, sources));
    run.shard = shard;
    let output = match args.index {
        Some(_) => None,
        None => match Output::claim(&place, &args, &run)? {
            Ok(output) => Some(output),
            Err(counters) => return tell(&args, &place, &counters),
        },
    };
    let gpu = Gpu::new(&GpuConfig {
        adapter: args.adapter.clone(),
    })?;
    run.adapter = gpu.adapter().to_string();
    if args.overwrite {
        layout.clear()?;
    }
    let Some(mut output) = output else {
        return alone(&args, &config, run, &gpu, ready, &layout);
    };
    if let (Place::Folder(native), None, true) = (&place, shard, args.resume)
        && !native.exists()
        && layout.is_complete(&run, args.pairs)?
    {
        println!("complete already: {}", args.out.display());
        return Ok(());
    }
    let mut writer = output.writer(&place, args.resume, &run)?;
    let sources = run.plan.as_ref().map_or(&[][..], |plan| &plan.sources);
    let (part, parts) = shard.map_or((0, 1), |shard| (shard.index, shard.count));
    let wanted: u64 = plan.shard(part, parts).map(|block| block.pairs).sum();
    let bar = common::progress(wanted, "pairs");
    let mut making = Making {
        scenes: Scenes::new(&list, sources, &config, args.seed, gpu, ready),
        positions_per_pair: config.generate.max_positions_per_pair,
        stop: &stop,
        bar: &bar,
        output: &mut output,
    };
    let mut short = 0;
    let mut blocks = plan.shard(part, parts).peekable();
    while let Some(block) = blocks.next() {
        match making.block(&block, blocks.peek(), &mut writer)? {
            Made::Pairs(kept) => short += block.pairs.saturating_sub(kept),
            Made::Interrupted => {
                bar.abandon();
                let kept = writer.pairs();
                drop((writer, making));
                output.pause()?;
                return Err(Failure::interrupted(match shard {
                    Some(_) => {
                        format!("interrupted with {kept} of {wanted} pairs; the same command continues: {place}")
                    }
                    None => format!(
                        "interrupted with {kept} of {wanted} pairs, which are kept; continue with: {}",
                        common::resume_command()
                    ),
                }));
            }
        }
    }
    bar.finish_and_clear();
    drop(making);
    let counters = output.finish(writer)?;
    if shard.is_none() {
        layout.export(&stop)?;
    }
    tell(&args, &place, &counters)?;
    if short > 0 {
        return Err(Failure::input(format!(
            "the {} gave {} of {wanted} pairs in {} positions ({}); another scene or seed, a wider range in [select] or a larger \
             generate.max_positions_per_pair may give more",
            if sources.len() == 1 { "scene" } else { "scenes" },
            counters.pairs,
            counters.positions,
            most_common(&counters)
        )));
    }
    Ok(())
}

/// What makes this run, without its plan and its adapter.
fn record(args: &Args, config: &Config) -> RunRecord {
    let mut run = RunRecord::new(&args.config.profile, config.data_json(), args.seed, Vec::new(), "");
    run.pictures = args.pictures.format();
    run.selection = selection(config);
    run
}

/// The rule that keeps a pair, for readers of the set.
pub fn selection(config: &Config) -> Selection {
    match config.sampler.kind {
        SamplerKind::Sweep if config.select.choose == Choose::Random => Selection {
            measure: config.select.select_by.first().measure(),
            low: 0.0,
            high: 1.0,
        },
        SamplerKind::Sweep => Selection {
            measure: config.select.select_by.first().measure(),
            low: config.select.min_overlap,
            high: config.select.max_overlap,
        },
        SamplerKind::Croco => Selection {
            measure: Measure::Croco,
            low: config.sampler.croco_min_covisibility,
            high: 1.0,
        },
    }
}

/// Writes what one position gave; the folder of the pair, where it gave one.
pub fn write(writer: &mut NativeWriter, scene: &str, position: Position) -> anyhow::Result<Option<PathBuf>> {
    let trial = Trial {
        scene: scene.to_owned(),
        index: position.index,
        stops: position.stops.iter().map(|&[x, _, z]| [x, z]).collect(),
        refused: position.refused,
    };
    match position.outcome {
        Outcome::Kept(pair) => Ok(Some(writer.write_pair(&trial, &pair)?)),
        Outcome::Refused(reason) => {
            writer.write_refusal(&trial, reason)?;
            Ok(None)
        }
    }
}

/// `--index`: one position, by itself.
fn alone(
    args: &Args,
    config: &Config,
    mut run: RunRecord,
    gpu: &Gpu,
    mut ready: BTreeMap<usize, Walkable>,
    layout: &Layout<'_>,
) -> anyhow::Result<()> {
    let (Some(walkable), Some(index)) = (ready.remove(&0), args.index) else {
        return Err(Failure::arguments(
            "--index makes a pair of one scene: give --scene once, without a list",
        ));
    };
    run.scenes.push(walkable.record());
    let generator = walkable.lone_generator(gpu, config, args.seed)?;
    let mut writer = NativeWriter::create(&layout.native_dir(), &run)?;
    writer.set_topdown(&walkable.scene.name, &walkable.top_down())?;
    let position = generator.position(index)?;
    let refused = match &position.outcome {
        Outcome::Kept(_) => None,
        Outcome::Refused(reason) => Some(*reason),
    };
    write(&mut writer, &walkable.scene.name, position)?;
    let counters = writer.finish()?;
    layout.export(&AtomicBool::new(false))?;
    tell(args, &Place::Folder(args.out.clone()), &counters)?;
    match refused {
        None => Ok(()),
        Some(reason) => Err(Failure::input(format!(
            "the position of that index gives no pair: {reason}"
        ))),
    }
}

fn tell(args: &Args, place: &Place, counters: &Counters) -> anyhow::Result<()> {
    if args.json {
        println!("{}", serde_json::to_string(counters)?);
        return Ok(());
    }
    let refused = match most_common(counters) {
        reason if reason.is_empty() => String::new(),
        reason => format!("; refused: {reason}"),
    };
    let place = match (place, args.shards.is_some() || args.shard_from_env) {
        (Place::Folder(_), false) => args.out.display().to_string(),
        _ => place.to_string(),
    };
    println!(
        "{} pairs from {} positions in {place}{refused}",
        counters.pairs, counters.positions
    );
    Ok(())
}

/// The reasons for refused positions, most frequent first.
fn most_common(counters: &Counters) -> String {
    let mut reasons: Vec<_> = counters.refused_positions.iter().collect();
    reasons.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    reasons
        .iter()
        .map(|(reason, count)| format!("{reason} {count}"))
        .collect::<Vec<_>>()
        .join(", ")
}
