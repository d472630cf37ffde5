//! Arguments and steps that several subcommands share.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use covista::config::Config;
#[cfg(feature = "train")]
use covista::generate::Rank;
use covista::scene::{Scene, SceneList, SceneSource, Up};

use super::exit::Failure;

/// Which configuration: `--profile`, `--config`, `--set`.
#[derive(Debug, Clone, clap::Args)]
pub struct ConfigArgs {
    /// Profile to start from: covista, mimic-code, mimic-paper, croco, quickstart, smoke; to train as published: croco-v1,
    /// croco-v2, mimic; for two cores: tiny
    #[arg(long, value_name = "NAME", default_value = "covista")]
    pub profile: String,
    /// TOML file whose keys override the profile's
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// One key that overrides all others, as section.key=value; may be repeated
    #[arg(long = "set", value_name = "SECTION.KEY=VALUE")]
    pub overrides: Vec<String>,
}

impl ConfigArgs {
    /// The resolved, validated configuration.
    pub fn load(&self) -> anyhow::Result<Config> {
        Ok(Config::load(&self.profile, self.config.as_deref(), &self.overrides)?)
    }
}

/// Which scene: `--scene`, `--up`.
#[derive(Debug, Clone, clap::Args)]
pub struct SceneArgs {
    /// Scene file (glTF, GLB, OBJ, PLY), or procedural[:SEED] for an invented flat
    #[arg(long, value_name = "FILE|procedural[:SEED]")]
    pub scene: String,
    /// Up axis of the file; by default Z for Habitat stages and Y for everything else
    #[arg(long, value_name = "y|z|auto")]
    pub up: Option<UpArg>,
}

/// Which share of the turns of the scenes is made here: `--rank`, `--world-size`.
#[cfg(feature = "train")]
#[derive(Debug, Clone, clap::Args)]
pub struct RankArgs {
    /// Place of this process among those that share the scenes, from 0; no sample is made by two of them
    #[arg(long, value_name = "R", env = "RANK", default_value_t = 0)]
    pub rank: u64,
    /// How many processes share the scenes
    #[arg(long, value_name = "W", env = "WORLD_SIZE", default_value_t = 1)]
    pub world_size: u64,
}

#[cfg(feature = "train")]
impl RankArgs {
    /// The library's value, checked.
    pub fn rank(&self) -> anyhow::Result<Rank> {
        Rank::new(self.rank, self.world_size).map_err(Failure::arguments)
    }
}

/// Which scenes, for commands that take many: `--scene`, repeated, `--scenes`, `--up`.
#[derive(Debug, Clone, clap::Args)]
pub struct ScenesArgs {
    /// Scene file, folder of scenes, procedural:SEED, procedural:A-B, or procedural:* for fresh flats without end; may
    /// be repeated. WEIGHT:SPEC gives each scene of a spec more or fewer turns than 1
    #[arg(long = "scene", value_name = "[WEIGHT:]SPEC")]
    pub scene: Vec<String>,
    /// File with one [WEIGHT:]SPEC a line, paths relative to its folder; may be repeated
    #[arg(long = "scenes", value_name = "FILE")]
    pub scenes: Vec<PathBuf>,
    /// Up axis of the files; by default Z for Habitat stages and Y for everything else
    #[arg(long, value_name = "y|z|auto")]
    pub up: Option<UpArg>,
}

impl ScenesArgs {
    /// What stands before the list files in [`Self::sources`].
    #[cfg(feature = "train")]
    pub const FILE_MARK: &str = "--scenes ";

    /// The specs and list files as they were given, for records.
    #[cfg(feature = "train")]
    pub fn sources(&self) -> Vec<String> {
        let files = self
            .scenes
            .iter()
            .map(|file| format!("{}{}", Self::FILE_MARK, file.display()));
        self.scene.iter().cloned().chain(files).collect()
    }

    /// Puts `--up` into the configuration, so that the record is true, and expands the list.
    pub fn list(&self, config: &mut Config) -> anyhow::Result<SceneList> {
        if let Some(up) = self.up {
            config.scene.up = up.up();
        }
        Ok(SceneList::parse(&self.scene, &self.scenes)?)
    }
}

/// The values of `--up`.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum UpArg {
    /// Y is up
    Y,
    /// Z is up
    Z,
    /// By the kind of file
    Auto,
}

impl UpArg {
    /// The library's value.
    pub fn up(self) -> Up {
        match self {
            Self::Y => Up::Y,
            Self::Z => Up::Z,
            Self::Auto => Up::Auto,
        }
    }
}

impl SceneArgs {
    /// Puts `--up` into the configuration, so that the record is true, and names the scene.
    pub fn source(&self, config: &mut Config) -> anyhow::Result<SceneSource> {
        if let Some(up) = self.up {
            config.scene.up = up.up();
        }
        Ok(SceneSource::parse(&self.scene)?)
    }

    /// As [`Self::source`], and reads the scene.
    pub fn load(&self, config: &mut Config) -> anyhow::Result<Scene> {
        Ok(self.source(config)?.load_with(&config.scene, &config.procedural)?)
    }
}

/// A flag that Ctrl-C, SIGTERM and (on Unix) SIGUSR1 raise, the last for schedulers that announce the end of a time
/// limit; a second Ctrl-C or SIGTERM ends the process at once.
pub fn interrupt_flag() -> anyhow::Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    let raised = Arc::clone(&flag);
    ctrlc::set_handler(move || {
        if raised.swap(true, Ordering::SeqCst) {
            std::process::exit(i32::from(super::exit::INTERRUPTED));
        }
        eprintln!("covista: stopping after the work in hand (again to stop at once)");
    })
    .map_err(|error| anyhow::anyhow!("cannot listen for Ctrl-C: {error}"))?;
    #[cfg(unix)]
    signal_hook::flag::register(signal_hook::consts::SIGUSR1, Arc::clone(&flag))
        .map_err(|error| anyhow::anyhow!("cannot listen for SIGUSR1: {error}"))?;
    Ok(flag)
}

/// The command that goes on where this one ended: this command line with `--resume`.
pub fn resume_command() -> String {
    again(arguments(), "--resume")
}

/// The command that starts over: this command line with `--overwrite`.
pub fn overwrite_command() -> String {
    again(arguments(), "--overwrite")
}

/// The command line of this process; what is no Unicode in it is replaced.
fn arguments() -> impl Iterator<Item = String> {
    std::env::args_os().map(|argument| argument.to_string_lossy().into_owned())
}

/// A command line with another answer to what is there already, as a shell reads it.
fn again(arguments: impl Iterator<Item = String>, answer: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+@%".contains(c);
    let quoted = |argument: String| match !argument.is_empty() && argument.chars().all(plain) {
        true => argument,
        false => format!("'{}'", argument.replace('\'', r"'\''")),
    };
    let kept = arguments.filter(|argument| !["--resume", "--overwrite"].contains(&argument.as_str()));
    let words: Vec<String> = kept.map(quoted).chain([answer.to_owned()]).collect();
    words.join(" ")
}

/// Ends the run where the flag is up.
pub fn check(stop: &AtomicBool) -> anyhow::Result<()> {
    if stop.load(Ordering::SeqCst) {
        return Err(Failure::interrupted("interrupted"));
    }
    Ok(())
}

/// A progress bar with rate and ETA on a terminal, nothing elsewhere.
pub fn progress(length: u64, unit: &str) -> indicatif::ProgressBar {
    use std::io::IsTerminal;
    if !std::io::stderr().is_terminal() {
        return indicatif::ProgressBar::hidden();
    }
    let template = format!("{{bar:32}} {{pos}}/{{len}} {unit}  {{per_sec}}  ETA {{eta}}  {{msg}}");
    let style =
        indicatif::ProgressStyle::with_template(&template).unwrap_or_else(|_| indicatif::ProgressStyle::default_bar());
    indicatif::ProgressBar::new(length).with_style(style)
}

#[cfg(test)]
mod tests {
    use super::again;

    #[test]
    fn commands_are_told_as_a_shell_takes_them() {
        let given = [
            "covista",
            "generate",
            "--overwrite",
            "--scene",
            "my room.glb",
            "--out",
            "it's",
            "--set",
            "a.b=1",
        ];
        let told = again(given.map(str::to_owned).into_iter(), "--resume");
        let expected = r"covista generate --scene 'my room.glb' --out 'it'\''s' --set a.b=1 --resume";
        assert_eq!(told, expected);
    }
}
