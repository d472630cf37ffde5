//! `covista walk`: frames of a strolling agent, or groups of views of one point, with depth and poses.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use covista::camera::{Camera, PosedCamera};
use covista::config::Config;
use covista::export::{ExportError, PictureFormat, encode_picture, npy};
use covista::render::{Gpu, GpuConfig, GpuScene, RenderError, Renderer, Sensors};
use covista::view::View;
use covista::walk::{OrbitConfig, WalkConfig, orbit_group, walk};
use serde_json::json;

use super::capture_files;
use super::common::{self, ConfigArgs, SceneArgs};
use super::exit::Failure;
use super::open::Walkable;
use super::render::Folder;

/// Pictures of one submission, as a sweep has.
const BATCH: usize = 24;
/// Groups tried for each one asked for.
const TRIES_PER_GROUP: u64 = 20;

/// Arguments of `covista walk`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    scene: SceneArgs,
    /// [render] of the profile draws the frames
    #[command(flatten)]
    config: ConfigArgs,
    /// Frames of the walk
    #[arg(long, value_name = "N", required_unless_present = "orbit", value_parser = clap::value_parser!(u32).range(1..))]
    frames: Option<u32>,
    /// Groups of views of one point each, instead of a walk: N.target-GROUP.color.png, for `mine groups`
    #[arg(long, value_name = "GROUPS", conflicts_with = "frames", value_parser = clap::value_parser!(u32).range(1..))]
    orbit: Option<u32>,
    /// Views of a group
    #[arg(long, value_name = "N", default_value_t = 6, requires = "orbit")]
    views: usize,
    /// How far from the first view's place the others of a group stand, metres
    #[arg(long, value_name = "M", default_value_t = 2.5, requires = "orbit")]
    radius_m: f64,
    /// Seed of every random draw
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// Frames a second
    #[arg(long, value_name = "N", default_value_t = 30.0)]
    fps: f64,
    /// Walking speed, metres a second
    #[arg(long, value_name = "M/S", default_value_t = 0.6)]
    speed: f64,
    /// Fastest turn, degrees a second
    #[arg(long, value_name = "DEG/S", default_value_t = 60.0)]
    turn: f64,
    /// Folder to make: 000000.color.png, 000000.depth.npy and so on, and cameras.json
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Use the adapter whose name contains this
    #[arg(long, value_name = "NAME", env = "COVISTA_ADAPTER")]
    adapter: Option<String>,
    /// Print the counters as JSON on stdout
    #[arg(long)]
    json: bool,
}

/// Runs `covista walk`.
pub fn run(args: Args) -> anyhow::Result<()> {
    let mut config = args.config.load()?;
    let stop = common::interrupt_flag()?;
    if args.out.exists() {
        return Err(Failure::output(format!(
            "the output folder exists: choose another: {}",
            args.out.display()
        )));
    }
    let walking = WalkConfig {
        fps: args.fps,
        speed_m_per_s: args.speed,
        turn_deg_per_s: args.turn,
        sensor_height_min_m: config.sweep.sensor_height_min_m,
        sensor_height_max_m: config.sweep.sensor_height_max_m,
        min_island_radius_m: config.sweep.min_island_radius_m,
        ..WalkConfig::default()
    };
    let orbiting = OrbitConfig {
        views: args.views,
        radius_m: args.radius_m,
        ..OrbitConfig::default()
    };
    walking.validate().map_err(Failure::arguments)?;
    orbiting.validate().map_err(Failure::arguments)?;
    let walkable = Walkable::open(&args.scene, &mut config)?;
    let gpu = Gpu::new(&GpuConfig {
        adapter: args.adapter.clone(),
    })?;
    let studio = Studio {
        renderer: Renderer::new(&gpu, &config.render)?,
        scene: GpuScene::upload_for(&gpu, &walkable.scene, &config.render, Sensors::default())?,
        crop: config.render.crop_px,
    };
    let folder = Folder::new(&args.out)?;
    let mut writer = FrameWriter {
        folder: folder.partial().to_owned(),
        cameras: Vec::new(),
    };
    let halted = || match stop.load(Ordering::SeqCst) {
        true => Err(Failure::interrupted("interrupted; nothing was written")),
        false => Ok(()),
    };
    let (intrinsics, word) = (config.render.intrinsics(), walkable.scene.hash_word());
    let mut groups = 0;
    if let Some(wanted) = args.orbit {
        let bar = common::progress(u64::from(wanted), "groups");
        for index in 0..u64::from(wanted) * TRIES_PER_GROUP {
            halted()?;
            let draw = |camera| studio.draw(camera);
            let found = orbit_group(
                &walkable.navmesh,
                &walking,
                &orbiting,
                intrinsics,
                args.seed,
                word,
                index,
                draw,
            )?;
            let Some(group) = found else { continue };
            for view in &group.views {
                writer.write(view, &format!("target-{groups:03}.color.png"))?;
            }
            groups += 1;
            bar.set_position(u64::from(groups));
            if groups == wanted {
                break;
            }
        }
        bar.finish_and_clear();
        if groups < wanted {
            return Err(Failure::input(format!(
                "the scene gave {groups} of {wanted} groups in {} tries; another scene or seed, or a larger --radius-m \
                 may give more",
                u64::from(wanted) * TRIES_PER_GROUP
            )));
        }
    } else {
        let frames = args.frames.unwrap_or(1) as usize;
        let cameras = walk(&walkable.navmesh, &walking, intrinsics, args.seed, word, frames)
            .map_err(|error| Failure::input(error.to_string()))?;
        let bar = common::progress(frames as u64, "frames");
        let mut batches = cameras.chunks(BATCH);
        let mut submit = || {
            batches
                .next()
                .map(|batch| studio.renderer.submit(&studio.scene, batch))
                .transpose()
        };
        let mut next = submit()?;
        while let Some(pending) = next {
            halted()?;
            // The device draws the next batch while this one is written.
            next = submit()?;
            for view in pending.wait()? {
                writer.write(&view.center_crop(studio.crop), "color.png")?;
                bar.inc(1);
            }
        }
        bar.finish_and_clear();
    }
    write_cameras(&writer, &args, &config, &walkable, &walking)?;
    let written = writer.cameras.len();
    folder.finish()?;
    match args.json {
        true => println!(
            "{}",
            json!({"frames": written, "groups": groups, "out": args.out.display().to_string()})
        ),
        false => println!("{written} frames in {}", args.out.display()),
    }
    Ok(())
}

/// What draws.
struct Studio {
    renderer: Renderer,
    scene: GpuScene,
    crop: u32,
}

impl Studio {
    fn draw(&self, camera: Camera) -> Result<View, RenderError> {
        let views = self.renderer.render(&self.scene, &[camera])?;
        let view = views.into_iter().next().ok_or(RenderError::Device {
            action: "drawing one view",
            reason: "no picture came back".to_owned(),
        })?;
        Ok(view.center_crop(self.crop))
    }
}

/// Numbers frames and remembers their cameras.
struct FrameWriter {
    folder: PathBuf,
    cameras: Vec<PosedCamera>,
}

impl FrameWriter {
    /// Writes the next frame: the picture under its number and `ending`, its depth beside it.
    fn write(&mut self, view: &View, ending: &str) -> anyhow::Result<()> {
        let number = self.cameras.len();
        let shape = [view.depth.height as usize, view.depth.width as usize];
        let picture = encode_picture(&view.color, PictureFormat::Png)?;
        write(&self.folder.join(format!("{number:06}.{ending}")), &picture)?;
        let depth = npy::encode_f32(&shape, &view.depth.metres)?;
        write(&self.folder.join(format!("{number:06}.depth.npy")), &depth)?;
        self.cameras.push(view.camera.into());
        Ok(())
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), ExportError> {
    std::fs::write(path, bytes).map_err(|error| ExportError::write(path, error))
}

fn write_cameras(
    writer: &FrameWriter,
    args: &Args,
    config: &Config,
    walkable: &Walkable,
    walking: &WalkConfig,
) -> anyhow::Result<()> {
    let Some(mut record) = capture_files::cameras_record(&writer.cameras) else {
        return Ok(());
    };
    record["fps"] = args.fps.into();
    record["scene"] = json!(walkable.record());
    record["seed"] = args.seed.into();
    record["walk"] = json!(walking);
    record["config_hash"] = config.data_hash().into();
    let text = serde_json::to_string_pretty(&record)? + "\n";
    write(&writer.folder.join("cameras.json"), text.as_bytes())?;
    Ok(())
}
