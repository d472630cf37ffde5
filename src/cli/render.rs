//! `covista render`: given cameras in, colour and metric depth out.

use std::path::{Path, PathBuf};

use anyhow::Context;
use covista::export::npy;
use covista::render::{Alpha, Culling, Filter, Gpu, GpuConfig, GpuScene, RenderConfig, Renderer};
use covista::scene::{SceneConfig, SceneSource, Up};
use covista::view::View;

use super::cameras;
use super::exit::Failure;

/// Pictures of one submission, as a sweep has.
const BATCH: usize = 24;

/// Arguments of `covista render`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Scene file (glTF, GLB, OBJ, PLY), or procedural[:SEED] for an invented flat
    #[arg(long, value_name = "FILE|procedural[:SEED]")]
    scene: String,
    /// Up axis of the file: auto (Z for Habitat stages, else Y), y or z
    #[arg(long, value_name = "auto|y|z", default_value = "auto")]
    up: Up,
    /// JSON: {"width":W,"height":H,"hfov_deg":F,"world_from_camera":[[16 numbers, row-major],...]}, camera axes RDF
    #[arg(long, value_name = "CAMS.json")]
    cameras: PathBuf,
    /// Folder to make: 000000.color.png, 000000.depth.npy (float32 [H,W] metres, 0 where nothing is) and so on
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Back faces left out: habitat (all), gltf (of single-sided materials), none
    #[arg(long, value_name = "RULE", default_value = "habitat", value_parser = from_name::<Culling>)]
    culling: Culling,
    /// Alpha: habitat (ignored) or gltf (mask and blend)
    #[arg(long, value_name = "RULE", default_value = "habitat", value_parser = from_name::<Alpha>)]
    alpha: Alpha,
    /// Texture filter: mip or bilinear
    #[arg(long, value_name = "RULE", default_value = "mip", value_parser = from_name::<Filter>)]
    filter: Filter,
    /// Part of the adapter's name or backend, or "software"
    #[arg(long, value_name = "NAME")]
    adapter: Option<String>,
}

/// A switch by the name that it has in configuration files.
fn from_name<T: serde::de::DeserializeOwned>(name: &str) -> Result<T, String> {
    serde_json::from_value(name.into()).map_err(|error| error.to_string())
}

/// Runs `covista render`.
pub fn run(args: Args) -> anyhow::Result<()> {
    if args.out.exists() {
        return Err(Failure::output(format!(
            "the output folder exists: choose another: {}",
            args.out.display()
        )));
    }
    let cameras = cameras::read(&args.cameras)?;
    let config = SceneConfig {
        up: args.up,
        ..SceneConfig::default()
    };
    let scene = SceneSource::parse(&args.scene)?.load(&config)?;
    for warning in &scene.warnings {
        tracing::warn!("{}: {warning}", scene.name);
    }
    let gpu = Gpu::new(&GpuConfig { adapter: args.adapter })?;
    let uploaded = GpuScene::upload(&gpu, &scene)?;
    drop(scene);
    let renderer = Renderer::new(
        &gpu,
        &RenderConfig {
            culling: args.culling,
            alpha: args.alpha,
            filter: args.filter,
            ..RenderConfig::default()
        },
    )?;

    let folder = Folder::new(&args.out)?;
    let mut batches = cameras.chunks(BATCH);
    let mut next = batches.next().map(|b| renderer.submit(&uploaded, b)).transpose()?;
    let mut written = 0;
    while let Some(pending) = next {
        // The device draws the next batch while this one is written.
        next = batches.next().map(|b| renderer.submit(&uploaded, b)).transpose()?;
        for view in pending.wait()? {
            write(&folder.partial, written, &view)?;
            written += 1;
        }
    }
    folder.finish()
}

fn write(folder: &Path, index: usize, view: &View) -> anyhow::Result<()> {
    let color = folder.join(format!("{index:06}.color.png"));
    view.color
        .save(&color)
        .map_err(|error| Failure::output(format!("cannot write ({error}): {}", color.display())))?;
    let depth = folder.join(format!("{index:06}.depth.npy"));
    let shape = [view.depth.height as usize, view.depth.width as usize];
    npy::write_f32(&depth, &shape, &view.depth.metres)
        .map_err(|error| Failure::output(error.to_string()))
        .context("the depth was not written")
}

/// An output folder that appears under its name only when it is complete.
struct Folder {
    partial: PathBuf,
    out: PathBuf,
    done: bool,
}

impl Folder {
    fn new(out: &Path) -> anyhow::Result<Self> {
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

    fn finish(mut self) -> anyhow::Result<()> {
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
