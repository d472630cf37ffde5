//! What a run is made with: the arguments, or, where a run goes on, what it remembers of itself.

use std::path::{Path, PathBuf};

use covista::config::Config;
use covista::generate::Rank;
use covista::scene::SceneList;
use covista::train::DataRecord;
use covista::train::checkpoint::{Checkpoints, read_state};

use super::Args;
use crate::cli::common::{ConfigArgs, ScenesArgs};
use crate::cli::exit::Failure;

/// Configuration, scenes and share of a run.
pub struct Setup {
    /// Everything but what the training flags change.
    pub config: Config,
    /// Name of the profile.
    pub profile: String,
    /// The scenes as the user named them.
    pub sources: Vec<String>,
    /// The scenes.
    pub list: SceneList,
    /// Which share of their turns is made here.
    pub rank: Rank,
}

impl Setup {
    /// From the arguments; with `--resume`, what they do not say comes from the run's newest checkpoint.
    pub fn of(args: &Args) -> anyhow::Result<Self> {
        let record = args.resume.as_deref().map(remembered).transpose()?;
        let (mut config, profile) = match record.as_ref().and_then(recorded_config) {
            Some(config) if says_nothing(&args.config) => {
                (config, record.as_ref().map(|r| r.profile.clone()).unwrap_or_default())
            }
            _ => (args.config.load()?, args.config.profile.clone()),
        };
        let mut scenes = args.scenes.clone();
        if let Some(record) = &record {
            if scenes.scene.is_empty() && scenes.scenes.is_empty() {
                scenes = recorded_scenes(record, scenes);
            } else if !record.sources.is_empty() && scenes.sources() != record.sources {
                eprintln!(
                    "the run was started with {}: with other scenes it is not the same run",
                    record.sources.join(", ")
                );
            }
        }
        let asked = args.rank.rank()?;
        let rank = match &record {
            Some(record) if record.world_size > 1 && asked.world() == 1 => {
                Rank::new(record.rank, record.world_size).map_err(Failure::input)?
            }
            Some(record) if [asked.rank(), asked.world()] != [record.rank, record.world_size.max(1)] => {
                return Err(Failure::arguments(format!(
                    "the run is rank {} of {}: it cannot go on as rank {} of {}",
                    record.rank,
                    record.world_size.max(1),
                    asked.rank(),
                    asked.world()
                )));
            }
            _ => asked,
        };
        Ok(Self {
            list: scenes.list(&mut config)?,
            sources: scenes.sources(),
            config,
            profile,
            rank,
        })
    }
}

/// What the newest whole checkpoint of `run` says of its data.
fn remembered(run: &Path) -> anyhow::Result<DataRecord> {
    let newest_first = Checkpoints::new(run, 1).list()?.into_iter().rev();
    let whole = newest_first.filter_map(|path| read_state(&path).ok()).next();
    let missing = || Failure::input(format!("no whole checkpoint to resume from: {}", run.display()));
    Ok(whole.ok_or_else(missing)?.run.data)
}

fn recorded_config(record: &DataRecord) -> Option<Config> {
    serde_json::from_value(record.config.clone()).ok()
}

/// Whether the arguments leave the configuration as it is by default.
fn says_nothing(args: &ConfigArgs) -> bool {
    args.profile == "covista" && args.config.is_none() && args.overrides.is_empty()
}

fn recorded_scenes(record: &DataRecord, given: ScenesArgs) -> ScenesArgs {
    let file = |source: &&String| source.starts_with(ScenesArgs::FILE_MARK);
    let (files, specs): (Vec<_>, Vec<_>) = record.sources.iter().partition(file);
    ScenesArgs {
        scene: specs.into_iter().cloned().collect(),
        scenes: files
            .into_iter()
            .map(|source| PathBuf::from(&source[ScenesArgs::FILE_MARK.len()..]))
            .collect(),
        ..given
    }
}
