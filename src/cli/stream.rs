//! `covista stream`: pairs as they are made, as a WebDataset tar on standard output.

use std::collections::BTreeMap;
use std::io::{IsTerminal, StdoutLock};
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};

use covista::config::Config;
use covista::export::native::{RunRecord, SkippedScene};
use covista::export::webdataset::WebDatasetWriter;
use covista::export::{ExportError, PictureFormat};
use covista::generate::Outcome;
use covista::render::{Gpu, GpuConfig};
use covista::scene::SceneSource;
use covista::shard::{Block, BlockWalk, Plan};

use super::common::{self, ConfigArgs, ScenesArgs};
use super::exit::Failure;
use super::generate::scenes::{SceneLog, Scenes};
use super::generate::{planning, selection};
use super::open::Walkable;
use super::render_plan::Pictures;

/// Arguments of `covista stream`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    scenes: ScenesArgs,
    #[command(flatten)]
    config: ConfigArgs,
    /// Pairs to write before the end [default: without end, until the reader closes the pipe]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pairs: Option<u64>,
    /// Seed of every random draw
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// Part I of N (from 0): of every N blocks of generate.block_pairs pairs it has one, so that parts share no
    /// sample. In WebDataset write --shard {0..3}/4 and have four streams for the workers
    #[arg(long, value_name = "I/N", default_value = "0/1")]
    shard: Shard,
    /// How pictures are stored
    #[arg(long, value_enum, default_value_t = Pictures::Png)]
    pictures: Pictures,
    /// Use the adapter whose name contains this
    #[arg(long, value_name = "NAME", env = "COVISTA_ADAPTER")]
    adapter: Option<String>,
}

/// Scenes in a row that may give nothing before a stream ends.
const MOST_BARREN: u64 = 20;
/// Parts of one stream at most.
const MOST_PARTS: u64 = 65_536;

/// One part of the blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shard {
    part: u64,
    parts: u64,
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('/').and_then(|(part, parts)| {
            let part = part.trim().parse().ok()?;
            Some((part, parts.trim().parse().ok()?))
        });
        match numbers {
            Some((_, parts)) if parts > MOST_PARTS => Err(format!("there are {MOST_PARTS} parts at most")),
            Some((part, parts)) if part < parts => Ok(Self { part, parts }),
            Some((_, parts)) => Err(format!(
                "parts count from 0: the last of {parts} is {}/{parts}",
                parts.saturating_sub(1)
            )),
            None => Err("give it as I/N, such as 0/4".to_owned()),
        }
    }
}

/// Runs `covista stream`.
pub fn run(args: Args) -> anyhow::Result<()> {
    if std::io::stdout().is_terminal() {
        return Err(Failure::arguments(
            "the stream is a tar archive: pipe it into a reader, such as webdataset.WebDataset(\"pipe:covista stream ...\")",
        ));
    }
    match stream(&args) {
        // The reader has what it wanted.
        Err(error) if is_closed_pipe(&error) => Ok(()),
        outcome => outcome,
    }
}

fn stream(args: &Args) -> anyhow::Result<()> {
    let mut config = args.config.load()?;
    let stop = common::interrupt_flag()?;
    let list = args.scenes.list(&mut config)?;
    let sources = planning::sources(&list, None);
    let Shard { part, parts } = args.shard;
    let weighted = planning::weighted(&sources);
    let blocks = Plan::endless(&weighted, config.generate.block_pairs, args.seed, (part, parts))?;
    // One scene is read before there is a device: a wrong name is told at once.
    let mut ready = BTreeMap::new();
    if let Some(scene) = list.single() {
        ready.insert(0, Walkable::load(scene, &config)?);
    }
    let gpu = Gpu::new(&GpuConfig {
        adapter: args.adapter.clone(),
    })?;
    let mut run = RunRecord::new(
        &args.config.profile,
        config.data_json(),
        args.seed,
        Vec::new(),
        &gpu.adapter().to_string(),
    );
    run.selection = selection(&config);
    run.pictures = match args.pictures {
        Pictures::Png => PictureFormat::Png,
        Pictures::Jpg => PictureFormat::Jpeg,
    };
    let mut streaming = Streaming {
        scenes: Scenes::new(&list, &sources, &config, args.seed, gpu, ready),
        config: &config,
        run,
        log: StreamLog::default(),
        writer: WebDatasetWriter::new(std::io::stdout().lock(), "standard output"),
        stop: &stop,
        bar: common::progress(args.pairs.unwrap_or(0), "pairs"),
        written: 0,
        barren: 0,
        most_barren: config
            .generate
            .max_positions_per_pair
            .saturating_mul(MOST_BARREN.min(sources.len() as u64)),
    };
    let mut blocks = blocks.peekable();
    let made = std::iter::from_fn(|| Some((blocks.next()?, blocks.peek().and_then(Block::first_source))))
        .map(|(block, after)| streaming.block(block, after, args.pairs))
        .find_map(Result::transpose);
    streaming.bar.finish_and_clear();
    let ended = streaming.writer.finish();
    made.unwrap_or(Ok(()))?;
    drop(ended?);
    Ok(())
}

/// A stream under way.
struct Streaming<'a> {
    scenes: Scenes<'a>,
    config: &'a Config,
    run: RunRecord,
    log: StreamLog,
    writer: WebDatasetWriter<StdoutLock<'static>>,
    stop: &'a AtomicBool,
    bar: indicatif::ProgressBar,
    written: u64,
    /// Positions in a row without a pair.
    barren: u64,
    most_barren: u64,
}

impl Streaming<'_> {
    /// Writes the pairs of a block while the scene of the one `after` it is read; `Some` where the stream has `most`
    /// pairs.
    fn block(
        &mut self,
        mut block: Block,
        after: Option<(usize, u64)>,
        most: Option<u64>,
    ) -> anyhow::Result<Option<()>> {
        // The last block of a run is as long as the run, which its walk depends on.
        let left = most.unwrap_or(u64::MAX) - self.written;
        block.pairs = block.pairs.min(left);
        let mut after = after.filter(|_| left > block.pairs);
        let mut walk = BlockWalk::new(&block, self.config.generate.max_positions_per_pair);
        while let Some(step) = walk.step() {
            if self.stop.load(Ordering::SeqCst) {
                return Err(Failure::interrupted(format!(
                    "interrupted after {} pairs",
                    self.written
                )));
            }
            if self.barren == self.most_barren {
                return Err(Failure::input(format!(
                    "{} positions in a row gave no pair, after {} pairs; another scene, a wider range in [select] or a \
                     larger generate.max_positions_per_pair may help",
                    self.barren, self.written
                )));
            }
            let Some(scene) = self.scenes.open(step.source, block.number, &mut self.log)? else {
                walk.skip_scene();
                continue;
            };
            match scene.position(step.index, block.pairs - walk.kept())?.outcome {
                Outcome::Kept(pair) => {
                    self.writer.write_pair(&pair, &self.run)?;
                    walk.record(1);
                    self.written += 1;
                    self.barren = 0;
                    self.bar.set_position(self.written);
                }
                Outcome::Refused(_) => {
                    walk.record(0);
                    self.barren += 1;
                }
            }
            if let Some((source, number)) = after.take() {
                self.scenes.prepare(source, number, &self.log);
            }
        }
        Ok((most == Some(self.written)).then_some(()))
    }
}

/// The scenes that were passed over; a sample itself says which scene it shows.
#[derive(Default)]
struct StreamLog {
    skipped: Vec<SkippedScene>,
}

impl SceneLog for StreamLog {
    fn skipped(&self) -> &[SkippedScene] {
        &self.skipped
    }

    fn opened(&mut self, _: &SceneSource, _: &Walkable) -> anyhow::Result<()> {
        Ok(())
    }

    fn skip(&mut self, scene: &str, reason: &str) -> anyhow::Result<()> {
        self.skipped.push(SkippedScene {
            scene: scene.into(),
            reason: reason.into(),
        });
        Ok(())
    }
}

/// True where the reader of standard output has gone.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let closed = |cause: &(dyn std::error::Error + 'static)| match cause.downcast_ref::<ExportError>() {
        Some(ExportError::Write { source, .. }) => source.kind() == std::io::ErrorKind::BrokenPipe,
        _ => false,
    };
    error.chain().any(closed)
}

#[cfg(test)]
mod tests {
    use super::Shard;

    #[test]
    fn shards_are_read_or_refused() {
        assert_eq!("2/4".parse(), Ok(Shard { part: 2, parts: 4 }));
        for text in ["4/4", "0/0", "1", "a/b", "-1/2", "0/65537"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }
}
