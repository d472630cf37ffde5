//! `covista verify`: whether a set is whole.

use std::path::PathBuf;

use covista::shard::{SetReport, verify_set};

use super::exit::Failure;
use super::remote::Local;

/// Damaged files that are named on the terminal.
const SHOWN: usize = 20;

/// Arguments of `covista verify`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Set, shard, or folder of shards; or an s3:// or gs:// prefix of such, which is fetched first
    #[arg(value_name = "DIR", required = true)]
    sets: Vec<PathBuf>,
    /// Folder into which sets in object storage are fetched; by default the system's temporary one
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
    /// Print what was found as JSON on stdout
    #[arg(long)]
    json: bool,
}

/// Runs `covista verify`.
pub fn run(args: Args) -> anyhow::Result<()> {
    let mut reports = Vec::new();
    for set in &args.sets {
        let local = Local::of(set, args.scratch.as_deref())?;
        let found = verify_set(&local.path)?;
        reports.extend(found.into_iter().map(|report| named(report, &local)));
    }
    if args.json {
        println!("{}", serde_json::to_string(&reports)?);
    } else {
        reports.iter().for_each(tell);
    }
    let broken: Vec<&SetReport> = reports.iter().filter(|report| !report.is_whole()).collect();
    let Some(first) = broken.first() else { return Ok(()) };
    let files: usize = broken.iter().map(|report| report.damaged.len()).sum();
    let unfinished = broken.iter().filter(|report| !report.finished).count();
    Err(Failure::input(format!(
        "{} of {} sets are not whole ({files} files damaged, {unfinished} sets unfinished); to remake what is missing run the command \
         that made it again, with --resume where it is no shard; first: {}",
        broken.len(),
        reports.len(),
        first.path.display()
    )))
}

/// The report with names that the user knows.
fn named(mut report: SetReport, local: &Local) -> SetReport {
    report.path = local.named(&report.path);
    report
        .damaged
        .iter_mut()
        .for_each(|damage| damage.file = local.named(&damage.file));
    report.unlisted.iter_mut().for_each(|path| *path = local.named(path));
    report
}

fn tell(report: &SetReport) {
    let state = match (report.finished, report.damaged.len()) {
        (true, 0) => "whole".to_owned(),
        (false, 0) => "unfinished, every file as recorded".to_owned(),
        (_, count) => format!("{count} files damaged"),
    };
    let seal = match report.finished && !report.sealed {
        true => "; the manifest carries no seal (an earlier build wrote it), so a changed digit in it may go unseen",
        false => "",
    };
    println!(
        "{}: {} pairs, {} files, {state}{seal}",
        report.path.display(),
        report.pairs,
        report.files
    );
    for damage in report.damaged.iter().take(SHOWN) {
        println!("  {}: {}", damage.file.display(), damage.why);
    }
    if report.damaged.len() > SHOWN {
        println!("  and {} more (--json names all)", report.damaged.len() - SHOWN);
    }
    if !report.unlisted.is_empty() {
        println!("  {} files or folders are not part of the set", report.unlisted.len());
    }
}
