//! `covista validate`: metrics of overlap held against the truth.

pub(super) mod folder;
mod measure;
mod report;

use std::path::{Path, PathBuf};

use covista::config::Config;
use covista::generate::SamplerKind;
use covista::validate::{JudgedMetric, MetricRule};

use super::common::{ConfigArgs, UpArg};
use super::exit::Failure;

/// Arguments of `covista validate`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Scene file (glTF, GLB, OBJ, PLY), or procedural[:SEED] for an invented flat; may be repeated
    #[arg(
        long = "scene",
        value_name = "FILE|procedural[:SEED]",
        required_unless_present = "from"
    )]
    scenes: Vec<String>,
    /// Up axis of the files; by default Z for Habitat stages and Y for everything else
    #[arg(long, value_name = "y|z|auto")]
    up: Option<UpArg>,
    /// Poses, pictures and the window of the truth are those of its profile
    #[command(flatten)]
    config: ConfigArgs,
    /// Profile whose published filter ([overlap] and [select]) is judged; may be repeated [default: mimic-code, covista]
    #[arg(long = "metric", value_name = "PROFILE")]
    metrics: Vec<String>,
    /// Positions of each scene; each gives 8 x 16 candidate pairs
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    positions: u64,
    /// Seed of every random draw
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// Folder to write [default with --from: that folder, whose report is replaced]
    #[arg(long, value_name = "DIR", required_unless_present = "from")]
    out: Option<PathBuf>,
    /// Write into --out even if it exists: an earlier validation there is removed first
    #[arg(long)]
    overwrite: bool,
    /// Export every view once, and the patch partners, for other metrics and for pictures in later reports
    #[arg(long, conflicts_with = "from")]
    images: bool,
    /// Make the report of a folder that an earlier run has measured; nothing is rendered
    #[arg(long, value_name = "DIR", conflicts_with_all = ["scenes", "up", "metrics", "positions", "profile", "config", "overrides"])]
    from: Option<PathBuf>,
    /// Judge this table too: the lines of plan.csv with a column `overlap` (0 to 1, empty for no answer); may be repeated
    #[arg(
        long = "external",
        value_name = "FILE.csv",
        requires = "from",
        conflicts_with = "scenes"
    )]
    external: Vec<PathBuf>,
    /// Worst pairs shown of each metric and kind
    #[arg(long, value_name = "N", default_value_t = 4)]
    worst: usize,
    /// Use the adapter whose name contains this
    #[arg(long, value_name = "NAME", env = "COVISTA_ADAPTER")]
    adapter: Option<String>,
    /// Print the main figures as JSON on standard output
    #[arg(long)]
    json: bool,
}

/// Runs `covista validate`.
pub fn run(args: Args) -> anyhow::Result<()> {
    match &args.from {
        Some(from) => report::again(&args, from),
        None => measure::run(&args),
    }
}

/// The configuration of poses and truth, and the metrics to judge.
fn load(args: &Args) -> anyhow::Result<(Config, Vec<JudgedMetric>)> {
    let config = args.config.load()?;
    if config.sampler.kind != SamplerKind::Sweep {
        return Err(Failure::arguments(
            "validate measures the pairs of a sweep: give a profile whose sampler.kind is \"sweep\"",
        ));
    }
    let default = ["mimic-code".to_owned(), "covista".to_owned()];
    let names = if args.metrics.is_empty() {
        &default[..]
    } else {
        &args.metrics[..]
    };
    let mut metrics: Vec<JudgedMetric> = Vec::new();
    for name in names {
        if metrics.iter().any(|metric| metric.rule.name == *name) {
            return Err(Failure::arguments(format!("--metric {name} is given twice")));
        }
        let profile = ConfigArgs {
            profile: name.clone(),
            ..args.config.clone()
        };
        let Config { overlap, select, .. } = profile.load()?;
        metrics.push(JudgedMetric {
            rule: MetricRule {
                name: name.clone(),
                min_overlap: select.min_overlap,
                max_overlap: select.max_overlap,
                bounds: select.bounds,
                min_laplacian_variance: select.min_laplacian_variance,
            },
            overlap,
        });
    }
    Ok((config, metrics))
}

/// An absent or replaceable output folder.
fn require_fresh(out: &Path, overwrite: bool) -> anyhow::Result<()> {
    if !out.exists() || overwrite {
        return Ok(());
    }
    Err(Failure::output(format!(
        "the output folder exists already; give another --out, or --overwrite to replace the validation in it: {}",
        out.display()
    )))
}
