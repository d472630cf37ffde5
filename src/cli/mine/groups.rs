//! `covista mine groups`.

use std::path::PathBuf;

use covista::export::native::SceneRecord;
use covista::mine::{Groups, KeepOfGroup, Unreadable, mine_groups};
use regex::Regex;
use serde_json::json;

use super::super::common;
use super::super::exit::Failure;
use super::Common;
use super::set::MinedSet;

/// Arguments of `covista mine groups`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder of pictures, in it or in the folders below it
    folder: PathBuf,
    /// Regular expression on the path below the folder; pictures with the same first group (or the group "id", or the
    /// whole match) belong together, such as '_(\d+)\.jpg$' or '^(.*)/' for one group a folder
    #[arg(long, value_name = "REGEX")]
    key: Regex,
    #[command(flatten)]
    common: Common,
    /// Which pairs of a group are kept; --set select.KEY=VALUE changes the range
    #[arg(long, value_enum, default_value_t = Rule::Paper)]
    rule: Rule,
    /// Pass over groups of more pictures
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(2..=10_000))]
    max_group: u32,
}

/// The values of `--rule`.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Rule {
    /// The smallest overlap within 50-70 %
    Paper,
    /// Every pair within 50-75 %, ends included
    Released,
}

/// Runs `covista mine groups`.
pub fn run(args: &Args) -> anyhow::Result<()> {
    MinedSet::check_out(&args.common)?;
    let (keep, range) = match args.rule {
        Rule::Paper => (
            KeepOfGroup::Smallest,
            [
                "select.min_overlap=0.5",
                "select.max_overlap=0.7",
                "select.bounds=inclusive",
            ],
        ),
        Rule::Released => (
            KeepOfGroup::All,
            [
                "select.min_overlap=0.5",
                "select.max_overlap=0.75",
                "select.bounds=inclusive",
            ],
        ),
    };
    let (config, rule) = args.common.load(&range)?;
    let groups = Groups::gather(&args.folder, &args.key)?;
    if args.common.truth && !groups.has_geometry() {
        return Err(Failure::arguments(
            "--truth needs depth and poses beside the pictures, as `covista walk --orbit` writes them",
        ));
    }
    let record = SceneRecord {
        name: groups.name.clone(),
        hash: groups.hash_hex().to_owned(),
    };
    let source = json!({
        "source": "groups",
        "key": args.key.as_str(),
        "keep": keep,
        "max_group": args.max_group,
        "groups": groups.groups.len(),
    });
    let mut set = MinedSet::open(&args.common, &config, &rule, vec![record], source)?;
    let bar = common::progress(groups.groups.len() as u64, "groups");
    let mut unreadable = Unreadable::default();
    let largest = args.max_group as usize;
    let read = mine_groups(&groups, keep, largest, &rule, &mut unreadable, |_, trial| {
        bar.inc(1);
        set.take(&groups.name, trial)
    })?;
    bar.finish_and_clear();
    set.tally.sources = groups.groups.len() as u64;
    set.tally.pictures = read;
    set.tally.unreadable.merge(unreadable);
    set.finish(json!({"without_key": groups.without_key, "alone": groups.alone}))
}
