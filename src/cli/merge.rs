//! `covista merge`: shards to one set.

use std::path::PathBuf;

use covista::export::native::Placing;
use covista::shard::merge;

use super::exit::Failure;

/// Arguments of `covista merge`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Finished shards of one run, or a folder of them
    #[arg(value_name = "SHARD", required = true)]
    shards: Vec<PathBuf>,
    /// Folder to write; must not exist
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Copy files; by default they get a second name in the set where the file system can, so that nothing is stored twice
    #[arg(long)]
    copy: bool,
    /// Print what was put together as JSON on stdout
    #[arg(long)]
    json: bool,
}

/// Runs `covista merge`.
pub fn run(args: Args) -> anyhow::Result<()> {
    let placing = if args.copy { Placing::Copy } else { Placing::Link };
    let report = merge(&args.shards, &args.out, placing)?;
    if args.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        println!(
            "{} pairs from {} positions of {} shards in {}",
            report.counters.pairs,
            report.counters.positions,
            report.shards,
            args.out.display()
        );
    }
    if report.counters.pairs < report.pairs_wanted {
        return Err(Failure::input(format!(
            "the shards hold {} of {} pairs: their scenes gave no more; more scenes or a larger generate.max_positions_per_pair \
             may give the rest",
            report.counters.pairs, report.pairs_wanted
        )));
    }
    Ok(())
}
