//! `covista merge`: shards to one set.

use std::path::PathBuf;

use covista::export::native::Placing;
use covista::shard::merge;

use super::exit::Failure;
use super::remote::Local;

/// Arguments of `covista merge`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Finished shards of one run, or a folder or s3:// or gs:// prefix of them
    #[arg(value_name = "SHARD", required = true)]
    shards: Vec<PathBuf>,
    /// Folder to write; must not exist
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Folder into which shards in object storage are fetched; by default the system's temporary one
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
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
    let local = args
        .shards
        .iter()
        .map(|shard| Local::of(shard, args.scratch.as_deref()));
    let local = local.collect::<anyhow::Result<Vec<Local>>>()?;
    let shards: Vec<PathBuf> = local.iter().map(|local| local.path.clone()).collect();
    let report = merge(&shards, &args.out, placing)?;
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
