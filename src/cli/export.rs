//! `covista export`: a generated set in the formats of other programs.

use std::path::PathBuf;

use covista::export::native::NativeReader;
use covista::export::{Format, may_write};

use super::common;
use super::exit::{Failure, advise};
use super::formats::FormatArgs;

/// Arguments of `covista export`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder of a generated set (native format)
    set: PathBuf,
    #[command(flatten)]
    formats: FormatArgs,
    /// Folder to write; must not exist unless --overwrite is given
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Replace a folder that an earlier run wrote
    #[arg(long)]
    overwrite: bool,
    /// Say what was written as JSON on standard output
    #[arg(long)]
    json: bool,
}

/// Runs `covista export`.
pub fn run(args: Args) -> anyhow::Result<()> {
    export(args).map_err(|error| advise(error, common::overwrite_command))
}

fn export(args: Args) -> anyhow::Result<()> {
    let stop = common::interrupt_flag()?;
    let layout = args.formats.layout(&args.out)?;
    if !args.overwrite && args.out.exists() {
        return Err(Failure::output(format!(
            "the output folder exists already; give another --out, or --overwrite to replace it: {}",
            args.out.display()
        )));
    }
    may_write(&args.out, args.overwrite)?;
    // A folder of several formats holds its native set one level down.
    let inner = args.set.join(Format::Native.name());
    let set = NativeReader::open(if inner.is_dir() { &inner } else { &args.set })?;
    if !set.is_finished() {
        eprintln!(
            "covista: the run that writes this set has not ended; exporting the {} pairs so far: {}",
            set.len(),
            args.set.display()
        );
    }
    let pairs = layout.convert(&set, args.overwrite, &stop)?;
    let names: Vec<&str> = layout.formats().iter().map(|format| format.name()).collect();
    if args.json {
        let summary = serde_json::json!({
            "out": args.out.display().to_string(),
            "formats": names,
            "pairs": pairs,
            "finished": set.is_finished(),
        });
        println!("{summary}");
    } else {
        println!("{pairs} pairs as {} in {}", names.join(", "), args.out.display());
    }
    Ok(())
}
