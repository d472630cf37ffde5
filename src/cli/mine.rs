//! `covista mine`: pairs from pictures that exist.

mod groups;
mod judged;
mod set;
mod video;

use std::path::PathBuf;

use covista::config::Config;
use covista::mine::MineRule;

use super::common::{ConfigArgs, resume_command};
use super::exit::advise;
use super::formats::FormatArgs;
use super::render_plan::Pictures;

/// Arguments of `covista mine`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    source: Source,
}

#[derive(Debug, clap::Subcommand)]
enum Source {
    /// Pair the frames of videos: folders of pictures, or video files where ffmpeg is installed
    Video(video::Args),
    /// Pair pictures that share a key in their names, such as street views of one point
    Groups(groups::Args),
}

/// What both sources have in common.
#[derive(Debug, Clone, clap::Args)]
struct Common {
    /// [overlap] and [select] of the profile judge the candidates
    #[command(flatten)]
    config: ConfigArgs,
    /// Seed of every random draw
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// Folder to write: a set of pairs, as `generate` writes it
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    formats: FormatArgs,
    /// Continue the folder of an interrupted run with the same pictures, configuration and seed
    #[arg(long, conflicts_with = "overwrite")]
    resume: bool,
    /// Replace a folder that an earlier run wrote
    #[arg(long)]
    overwrite: bool,
    /// How pictures are stored, 224 x 224 pixels
    #[arg(long, value_enum, default_value_t = Pictures::Png)]
    pictures: Pictures,
    /// Apply the texture gate of the profile (select.min_laplacian_variance), which was published for 3D scenes only
    #[arg(long)]
    texture_gate: bool,
    /// Exit with code 3 if any picture cannot be read; the others are used all the same
    #[arg(long)]
    strict: bool,
    /// Hold every candidate against depth and poses beside the pictures, as `covista walk` writes them
    #[arg(long)]
    truth: bool,
    /// With --truth: measure every candidate by every definition into a new folder of `covista validate`; then
    /// `covista validate --from DIR` makes the page
    #[arg(long, value_name = "DIR", requires = "truth")]
    validate: Option<PathBuf>,
    /// Print the counters as JSON on stdout
    #[arg(long)]
    json: bool,
}

impl Common {
    /// The configuration and the rule. `range` are keys that the source's own rule sets; --set wins over them.
    fn load(&self, range: &[&str]) -> anyhow::Result<(Config, MineRule)> {
        let gate = (!self.texture_gate).then_some("select.min_laplacian_variance=0");
        let own = gate.into_iter().chain(range.iter().copied()).map(str::to_owned);
        let config = ConfigArgs {
            overrides: own.chain(self.config.overrides.iter().cloned()).collect(),
            ..self.config.clone()
        };
        let config = config.load()?;
        let rule = MineRule {
            overlap: config.overlap.clone(),
            select: config.select.clone(),
            truth: config.truth.clone(),
            seed: self.seed,
            judge_truth: self.truth,
        };
        Ok((config, rule))
    }
}

/// Runs `covista mine`.
pub fn run(args: Args) -> anyhow::Result<()> {
    let mined = match args.source {
        Source::Video(args) => video::run(&args),
        Source::Groups(args) => groups::run(&args),
    };
    mined.map_err(|error| advise(error, resume_command))
}
