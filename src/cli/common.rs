//! Arguments and steps that several subcommands share.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use covista::config::Config;
use covista::scene::{Scene, SceneSource, Up};

use super::exit::Failure;

/// Which configuration: `--profile`, `--config`, `--set`.
#[derive(Debug, Clone, clap::Args)]
pub struct ConfigArgs {
    /// Profile to start from: covista, mimic-code, mimic-paper, croco, quickstart, smoke
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
    /// Puts `--up` into the configuration, so that the record is true, and reads the scene.
    pub fn load(&self, config: &mut Config) -> anyhow::Result<Scene> {
        if let Some(up) = self.up {
            config.scene.up = up.up();
        }
        Ok(SceneSource::parse(&self.scene)?.load_with(&config.scene, &config.procedural)?)
    }
}

/// A flag that Ctrl-C and SIGTERM raise; a second signal ends the process at once.
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
    Ok(flag)
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
