//! `covista render`: given cameras in, colour, metric depth and other channels out.

use std::path::{Path, PathBuf};

use covista::config::Config;
use covista::export::Format;
use covista::render::{
    Alpha, CompressedTextures, Culling, Filter, Gpu, GpuConfig, GpuScene, RenderConfig, RenderError, Renderer, Shading,
};
use covista::scene::{SceneSource, Up, load_with_up};

use super::cameras::{self, Lens, Projection};
use super::capture_files::{self, CaptureWriter, Channel, Channels};
use super::common::ConfigArgs;
use super::exit::Failure;
use super::render_plan::{self, PlanArgs};
use super::semantic::SemanticScene;

/// Pictures of one submission, as a sweep has.
const BATCH: usize = 24;

/// Arguments of `covista render`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Scene file (glTF, GLB, OBJ, PLY), or procedural[:SEED] for an invented flat
    #[arg(long, value_name = "FILE|procedural[:SEED]", required_unless_present = "plan")]
    pub(super) scene: Option<String>,
    /// Up axis of the file: auto (Z for Habitat stages, else Y), y or z [default: the profile's, auto]
    #[arg(long, value_name = "auto|y|z")]
    pub(super) up: Option<Up>,
    /// JSON: {"width":W,"height":H,"hfov_deg":F,"world_from_camera":[[16 numbers, row-major],...]}, camera axes RDF
    #[arg(
        long,
        value_name = "CAMS.json",
        required_unless_present = "plan",
        conflicts_with = "plan"
    )]
    cameras: Option<PathBuf>,
    #[command(flatten)]
    pub(super) plan: PlanArgs,
    /// Folder to make: 000000.color.png, 000000.depth.npy and so on, and cameras.json; with --plan a set of pairs
    #[arg(long, value_name = "DIR")]
    pub(super) out: PathBuf,
    /// Channels to write, separated by commas; a set of pairs holds color and depth whatever is named here
    #[arg(
        long,
        value_enum,
        value_name = "LIST",
        value_delimiter = ',',
        default_value = "color,depth"
    )]
    pub(super) sensors: Vec<Channel>,
    #[command(flatten)]
    pub(super) lens: Lens,
    #[command(flatten)]
    pub(super) config: RenderConfigArgs,
    /// Shading: flat (stored colours, as Habitat shows stages) or lit (for textures without baked light) [default: the profile's, flat]
    #[arg(long, value_name = "RULE", value_parser = from_name::<Shading>)]
    shading: Option<Shading>,
    /// Back faces left out: habitat (all), gltf (of single-sided materials), none [default: the profile's, habitat]
    #[arg(long, value_name = "RULE", value_parser = from_name::<Culling>)]
    culling: Option<Culling>,
    /// Alpha: habitat (ignored) or gltf (mask and blend) [default: the profile's, habitat]
    #[arg(long, value_name = "RULE", value_parser = from_name::<Alpha>)]
    alpha: Option<Alpha>,
    /// Texture filter: mip, mip-nearest, bilinear or nearest [default: the profile's, mip]
    #[arg(long, value_name = "RULE", value_parser = from_name::<Filter>)]
    filter: Option<Filter>,
    /// Basis textures as BC7 blocks: auto (not on software adapters), always or never [default: the profile's, auto]
    #[arg(long, value_name = "RULE", value_parser = from_name::<CompressedTextures>)]
    compressed_textures: Option<CompressedTextures>,
    /// Part of the adapter's name or backend, or "software"
    #[arg(long, value_name = "NAME")]
    pub(super) adapter: Option<String>,
}

/// As [`ConfigArgs`], but tells whether a profile was asked for: a plan brings its own configuration.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct RenderConfigArgs {
    /// Profile to start from: covista, mimic-code, mimic-paper, croco, quickstart, smoke [default: covista, or the
    /// plan's; with --plan its [render] section counts]
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// TOML file whose keys override the profile's
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// One key that overrides all others, as section.key=value; may be repeated
    #[arg(long = "set", value_name = "SECTION.KEY=VALUE")]
    pub overrides: Vec<String>,
}

impl RenderConfigArgs {
    /// The profile, asked for or not.
    pub fn profile(&self) -> &str {
        self.profile.as_deref().unwrap_or("covista")
    }

    /// The resolved, validated configuration.
    pub fn load(&self) -> anyhow::Result<Config> {
        let args = ConfigArgs {
            profile: self.profile().to_owned(),
            config: self.config.clone(),
            overrides: self.overrides.clone(),
        };
        args.load()
    }
}

impl Args {
    /// The drawing rules of the command line's own switches over given ones.
    pub(super) fn render_config(&self, given: RenderConfig) -> RenderConfig {
        RenderConfig {
            culling: self.culling.unwrap_or(given.culling),
            alpha: self.alpha.unwrap_or(given.alpha),
            filter: self.filter.unwrap_or(given.filter),
            compressed_textures: self.compressed_textures.unwrap_or(given.compressed_textures),
            shading: self.shading.unwrap_or(given.shading),
            ..given
        }
    }
}

/// A switch by the name that it has in configuration files.
pub(super) fn from_name<T: serde::de::DeserializeOwned>(name: &str) -> Result<T, String> {
    serde_json::from_value(name.into()).map_err(|error| error.to_string())
}

/// Runs `covista render`.
pub fn run(args: Args) -> anyhow::Result<()> {
    let cameras = match (&args.plan.plan, &args.cameras) {
        (Some(plan), _) => return render_plan::run(&args, plan),
        (None, Some(_)) if args.plan.formats.layout(&args.out)?.formats() != [Format::Native] => {
            return Err(Failure::arguments("--format is for the pairs of a --plan"));
        }
        (None, Some(cameras)) => cameras,
        (None, None) => return Err(Failure::arguments("give --cameras or --plan")),
    };
    let scene = args.scene.as_deref().unwrap_or_default();
    if args.out.exists() {
        return Err(Failure::output(format!(
            "the output folder exists: choose another: {}",
            args.out.display()
        )));
    }
    let channels = Channels::new(&args.sensors);
    if channels.has(Channel::Flow) && args.lens.projection != Projection::Pinhole {
        return Err(Failure::arguments("flow needs --projection pinhole"));
    }
    let cameras = cameras::read_with(cameras, &args.lens)?;
    let mut config = args.config.load()?;
    config.scene.up = args.up.unwrap_or(config.scene.up);
    let source = SceneSource::parse(scene)?;
    let (scene, up) = match &source {
        SceneSource::File(path) => load_with_up(path, &config.scene)?,
        SceneSource::Procedural(_) => (source.load_with(&config.scene, &config.procedural)?, Up::Y),
    };
    for warning in &scene.warnings {
        tracing::warn!("{}: {warning}", scene.name);
    }
    let gpu = Gpu::new(&GpuConfig {
        adapter: args.adapter.clone(),
    })?;
    let config = args.render_config(config.render);
    let sensors = channels.sensors();
    let channels_semantic = channels.has(Channel::Semantic);
    let mut semantic = None;
    if channels_semantic && !scene.has_semantics() {
        semantic = SemanticScene::beside(&gpu, &source, up, &config)?;
        if semantic.is_none() {
            tracing::warn!("{}: the scene has no semantic ids: all are 0", scene.name);
        }
    }
    let names = match &semantic {
        Some(semantic) => semantic.names(),
        None => scene.semantic_names.clone(),
    };
    let uploaded = GpuScene::upload_for(&gpu, &scene, &config, sensors)?;
    drop(scene);
    let renderer = Renderer::new(&gpu, &config)?;

    let folder = Folder::new(&args.out)?;
    let mut writer = CaptureWriter::new(&folder.partial, channels);
    // A sphere is made of six pictures.
    let mut batches = cameras.chunks(match args.lens.projection {
        Projection::Pinhole | Projection::Orthographic => BATCH,
        Projection::Equirectangular => BATCH / 6,
    });
    let mut submit = || {
        let submitted = batches.next().map(|batch| {
            let pending = renderer.submit_captures(&uploaded, batch, sensors)?;
            Ok::<_, RenderError>((batch, pending))
        });
        submitted.transpose()
    };
    let mut next = submit()?;
    while let Some((batch, pending)) = next {
        // The device draws the next batch while this one is written.
        next = submit()?;
        let mut captures = pending.wait()?;
        if let Some(semantic) = &semantic {
            for (capture, ids) in captures.iter_mut().zip(semantic.ids(batch)?) {
                capture.semantics = Some(ids);
            }
        }
        for capture in captures {
            writer.write(capture)?;
        }
    }
    capture_files::write_cameras(&folder.partial, &cameras)?;
    if channels_semantic && !names.is_empty() {
        capture_files::write_semantic_names(&folder.partial, &names)?;
    }
    folder.finish()
}

/// An output folder that appears under its name only when it is complete.
pub(super) struct Folder {
    partial: PathBuf,
    out: PathBuf,
    done: bool,
}

impl Folder {
    pub fn new(out: &Path) -> anyhow::Result<Self> {
        let name = out
            .file_name()
            .ok_or_else(|| Failure::output(format!("not the name of a folder: {}", out.display())))?;
        let mut partial = std::ffi::OsString::from(".");
        partial.push(name);
        partial.push(format!(".partial-{}", std::process::id()));
        let partial = out.with_file_name(partial);
        std::fs::create_dir_all(&partial)
            .map_err(|error| Failure::output(format!("cannot make a folder ({error}): {}", partial.display())))?;
        Ok(Self {
            partial,
            out: out.to_owned(),
            done: false,
        })
    }

    /// Where its files are written until then.
    pub fn partial(&self) -> &Path {
        &self.partial
    }

    /// Gives it its name.
    pub fn finish(mut self) -> anyhow::Result<()> {
        std::fs::rename(&self.partial, &self.out)
            .map_err(|error| Failure::output(format!("cannot name the folder ({error}): {}", self.out.display())))?;
        self.done = true;
        Ok(())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.done {
            // Best effort on the way out of another error, which is the one to report.
            let _ = std::fs::remove_dir_all(&self.partial);
        }
    }
}
