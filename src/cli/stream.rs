//! `covista stream`: pairs as they are made, as a WebDataset tar on standard output.

use std::io::IsTerminal;
use std::str::FromStr;
use std::sync::atomic::Ordering;

use covista::export::native::RunRecord;
use covista::export::webdataset::WebDatasetWriter;
use covista::export::{ExportError, PictureFormat};
use covista::generate::Outcome;
use covista::render::{Gpu, GpuConfig};

use super::common::{self, ConfigArgs, SceneArgs};
use super::exit::Failure;
use super::generate::selection;
use super::open::Walkable;
use super::render_plan::Pictures;

/// Arguments of `covista stream`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    scene: SceneArgs,
    #[command(flatten)]
    config: ConfigArgs,
    /// Pairs to write before the end [default: without end, until the reader closes the pipe]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pairs: Option<u64>,
    /// Seed of every random draw
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// Part I of N (from 0): every N-th sample index from I on, so that parts share no sample. In WebDataset write
    /// --shard {0..3}/4 and have four streams for the workers
    #[arg(long, value_name = "I/N", default_value = "0/1")]
    shard: Shard,
    /// How pictures are stored
    #[arg(long, value_enum, default_value_t = Pictures::Png)]
    pictures: Pictures,
    /// Use the adapter whose name contains this
    #[arg(long, value_name = "NAME", env = "COVISTA_ADAPTER")]
    adapter: Option<String>,
}

/// One part of the sample indices.
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
    let walkable = Walkable::open(&args.scene, &mut config)?;
    let gpu = Gpu::new(&GpuConfig {
        adapter: args.adapter.clone(),
    })?;
    let mut generator = walkable.generator(&gpu, &config, args.seed)?;
    generator.seek(args.shard.part);
    generator.step_by_indices(args.shard.parts);
    let mut run = RunRecord::new(
        &args.config.profile,
        config.data_json(),
        args.seed,
        vec![walkable.record()],
        &gpu.adapter().to_string(),
    );
    run.selection = selection(&config);
    run.pictures = match args.pictures {
        Pictures::Png => PictureFormat::Png,
        Pictures::Jpg => PictureFormat::Jpeg,
    };
    let mut writer = WebDatasetWriter::new(std::io::stdout().lock(), "standard output");
    let bar = common::progress(args.pairs.unwrap_or(0), "pairs");
    let (mut written, mut barren) = (0u64, 0u64);
    while args.pairs.is_none_or(|pairs| written < pairs) {
        if stop.load(Ordering::SeqCst) {
            bar.abandon();
            drop(writer.finish()?);
            return Err(Failure::interrupted(format!("interrupted after {written} pairs")));
        }
        if barren == config.generate.max_positions_per_pair {
            drop(writer.finish()?);
            return Err(Failure::input(format!(
                "{barren} positions in a row gave no pair, after {written} pairs; another scene, a wider range in \
                 [select] or a larger generate.max_positions_per_pair may help"
            )));
        }
        let Some(position) = generator.next() else { break };
        match position?.outcome {
            Outcome::Kept(pair) => {
                writer.write_pair(&pair, &run)?;
                written += 1;
                barren = 0;
                bar.set_position(written);
            }
            Outcome::Refused(_) => barren += 1,
        }
    }
    bar.finish_and_clear();
    drop(writer.finish()?);
    Ok(())
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
        for text in ["4/4", "0/0", "1", "a/b", "-1/2"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }
}
