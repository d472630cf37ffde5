//! `covista generate`: a set of pairs in a folder.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use covista::config::Config;
use covista::export::PictureFormat;
use covista::export::native::{Counters, NativeWriter, RunRecord, Selection, Trial};
use covista::generate::{Outcome, Position, SamplerKind};
use covista::render::{Gpu, GpuConfig};
use covista::view::Measure;

use super::common::{self, ConfigArgs, SceneArgs};
use super::exit::Failure;
use super::formats::{FormatArgs, Layout};
use super::open::Walkable;

/// Arguments of `covista generate`.
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
    /// Folder to write; must not exist unless --resume or --overwrite is given
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    formats: FormatArgs,
    /// Replace a folder that an earlier run wrote
    #[arg(long, conflicts_with = "resume")]
    overwrite: bool,
    /// Continue the folder of an interrupted run with the same scene, configuration and seed
    #[arg(long)]
    resume: bool,
    /// Make the pair of this sample index alone (`index` in pair.json)
    #[arg(long, value_name = "I", conflicts_with_all = ["pairs", "resume"])]
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
enum Pictures {
    /// Lossless
    Png,
    /// JPEG of quality 95
    Jpg,
}

/// Runs `covista generate`.
pub fn run(args: Args) -> anyhow::Result<()> {
    let mut config = args.config.load()?;
    let stop = common::interrupt_flag()?;
    let layout = args.formats.layout(&args.out)?;
    if !args.resume {
        layout.check(args.overwrite)?;
    }
    let walkable = Walkable::open(&args.scene, &mut config)?;
    let gpu = Gpu::new(&GpuConfig {
        adapter: args.adapter.clone(),
    })?;
    let mut generator = walkable.generator(&gpu, &config, args.seed)?;
    let run = record(&args, &config, &walkable, &gpu);
    let native = layout.native_dir();
    if args.overwrite {
        layout.clear()?;
    }
    let mut writer = if args.resume && native.exists() {
        NativeWriter::resume(&native, &run)?
    } else if args.resume && layout.is_complete(&run)? {
        println!("complete already: {}", args.out.display());
        return Ok(());
    } else {
        NativeWriter::create(&native, &run)?
    };
    writer.set_topdown(&walkable.scene.name, &walkable.top_down())?;

    if let Some(index) = args.index {
        let position = generator.position(index)?;
        return alone(&args, &walkable.scene.name, position, writer, &layout);
    }
    let scene = walkable.scene.name.as_str();
    let repairs: Vec<u64> = writer.missing().map(|(_, index)| index).collect();
    for index in repairs {
        write(&mut writer, scene, generator.position(index)?)?;
    }
    let bar = common::progress(args.pairs, "pairs");
    bar.set_position(writer.pairs() as u64);
    let limit = args.pairs.saturating_mul(config.generate.max_positions_per_pair);
    let mut index = 0;
    while writer.is_done(scene, index) {
        index += 1;
    }
    generator.seek(index);
    while (writer.pairs() as u64) < args.pairs && index < limit {
        if stop.load(Ordering::SeqCst) {
            bar.abandon();
            return Err(Failure::interrupted(format!(
                "interrupted with {} of {} pairs; continue with --resume: {}",
                writer.pairs(),
                args.pairs,
                args.out.display()
            )));
        }
        let Some(position) = generator.next() else { break };
        write(&mut writer, scene, position?)?;
        index += 1;
        bar.set_position(writer.pairs() as u64);
    }
    bar.finish_and_clear();
    let kept = writer.pairs() as u64;
    let counters = writer.finish()?;
    layout.export(&stop)?;
    tell(&args, &counters)?;
    if kept < args.pairs {
        return Err(Failure::input(format!(
            "the scene gave {kept} of {} pairs in {} positions ({}); another scene or seed, a wider range in [select] or a larger \
             generate.max_positions_per_pair may give more",
            args.pairs,
            counters.positions,
            most_common(&counters)
        )));
    }
    Ok(())
}

/// What makes this run.
fn record(args: &Args, config: &Config, walkable: &Walkable, gpu: &Gpu) -> RunRecord {
    let mut run = RunRecord::new(
        &args.config.profile,
        config.data_json(),
        args.seed,
        vec![walkable.record()],
        &gpu.adapter().to_string(),
    );
    run.pictures = match args.pictures {
        Pictures::Png => PictureFormat::Png,
        Pictures::Jpg => PictureFormat::Jpeg,
    };
    run.selection = selection(config);
    run
}

/// The rule that keeps a pair, for readers of the set.
pub fn selection(config: &Config) -> Selection {
    match config.sampler.kind {
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

/// Writes what one position gave.
pub fn write(writer: &mut NativeWriter, scene: &str, position: Position) -> anyhow::Result<()> {
    let trial = Trial {
        scene: scene.to_owned(),
        index: position.index,
        stops: position.stops.iter().map(|&[x, _, z]| [x, z]).collect(),
        refused: position.refused,
    };
    match position.outcome {
        Outcome::Kept(pair) => {
            writer.write_pair(&trial, &pair)?;
        }
        Outcome::Refused(reason) => writer.write_refusal(&trial, reason)?,
    }
    Ok(())
}

/// `--index`: one position, by itself.
fn alone(
    args: &Args,
    scene: &str,
    position: Position,
    mut writer: NativeWriter,
    layout: &Layout<'_>,
) -> anyhow::Result<()> {
    let refused = match &position.outcome {
        Outcome::Kept(_) => None,
        Outcome::Refused(reason) => Some(*reason),
    };
    write(&mut writer, scene, position)?;
    let counters = writer.finish()?;
    layout.export(&AtomicBool::new(false))?;
    tell(args, &counters)?;
    match refused {
        None => Ok(()),
        Some(reason) => Err(Failure::input(format!(
            "the position of that index gives no pair: {reason}"
        ))),
    }
}

fn tell(args: &Args, counters: &Counters) -> anyhow::Result<()> {
    if args.json {
        println!("{}", serde_json::to_string(counters)?);
    } else {
        println!(
            "{} pairs from {} positions in {}{}",
            counters.pairs,
            counters.positions,
            args.out.display(),
            match most_common(counters) {
                reason if reason.is_empty() => String::new(),
                reason => format!("; refused: {reason}"),
            }
        );
    }
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
