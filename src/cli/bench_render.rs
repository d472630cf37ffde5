//! `covista bench render`: frames a second, CPU time a frame, and where it goes.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use covista::camera::{Camera, Intrinsics, PosedCamera};
use covista::navmesh::{NavMesh, NavMeshConfig};
use covista::render::{
    CompressedTextures, Gpu, GpuConfig, GpuScene, Pending, PendingCaptures, RenderConfig, RenderError, Renderer,
    Sensors, Shading, Timings,
};
use covista::rng::Rng;
use covista::scene::{Scene, SceneSource, Up};
use serde::Serialize;

use super::cameras;
use super::capture_files::{Channel, Channels};
use super::common::ConfigArgs;
use super::exit::Failure;
use super::render::from_name;

/// Arguments of `covista bench render`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Scene file, or procedural[:SEED]
    #[arg(long, value_name = "FILE|procedural[:SEED]")]
    scene: String,
    /// Up axis of the file: auto, y or z [default: the profile's, auto]
    #[arg(long, value_name = "auto|y|z")]
    up: Option<Up>,
    #[command(flatten)]
    config: ConfigArgs,
    /// Cameras as `covista render` takes them; by default three random places, eight headings each
    #[arg(long, value_name = "CAMS.json")]
    cameras: Option<PathBuf>,
    /// Width and height of a picture, pixels
    #[arg(long, value_name = "PX", default_value_t = 256, value_parser = clap::value_parser!(u32).range(16..=4096))]
    size: u32,
    /// How long to draw, seconds
    #[arg(long, value_name = "S", default_value_t = 3.0)]
    seconds: f64,
    /// Channels beside colour and depth, separated by commas: normal, instance, semantic, validity
    #[arg(long, value_enum, value_name = "LIST", value_delimiter = ',')]
    sensors: Vec<Channel>,
    /// Shading: flat or lit [default: the profile's, flat]
    #[arg(long, value_name = "RULE", value_parser = from_name::<Shading>)]
    shading: Option<Shading>,
    /// Basis textures as BC7 blocks: auto (not on software adapters), always or never [default: the profile's, auto]
    #[arg(long, value_name = "RULE", value_parser = from_name::<CompressedTextures>)]
    compressed_textures: Option<CompressedTextures>,
    /// Part of the adapter's name or backend, or "software"
    #[arg(long, value_name = "NAME")]
    adapter: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What was measured. Times are a frame's share: one picture, its channels in host memory.
#[derive(Debug, Serialize)]
struct Measured {
    scene: String,
    triangles: usize,
    adapter: String,
    size_px: u32,
    sensors: Sensors,
    cameras: usize,
    frames: usize,
    frames_per_s: f64,
    /// User and system time of all threads, milliseconds; null where the system does not tell.
    cpu_ms: Option<f64>,
    /// Picking clusters and triangles.
    cull_ms: f64,
    /// Recording and submitting; a software adapter does a part of its drawing in here.
    record_ms: f64,
    /// Waiting for the adapter.
    wait_ms: f64,
    /// From mapped memory to views.
    readback_ms: f64,
    load_s: f64,
    upload_s: f64,
    /// Geometry and textures with their mip levels.
    device_bytes: u64,
}

/// Runs `covista bench render`.
pub fn run(args: Args) -> anyhow::Result<()> {
    let start = Instant::now();
    let mut config = args.config.load()?;
    config.scene.up = args.up.unwrap_or(config.scene.up);
    let scene = SceneSource::parse(&args.scene)?.load_with(&config.scene, &config.procedural)?;
    let load_s = start.elapsed().as_secs_f64();
    let cameras = match &args.cameras {
        Some(path) => {
            let mut cameras = cameras::read(path)?;
            for camera in &mut cameras {
                let hfov_rad = camera.intrinsics.hfov_rad();
                camera.intrinsics = Intrinsics::from_hfov(args.size, args.size, hfov_rad);
            }
            cameras
        }
        None => places(&scene, args.size)?,
    };
    let gpu = Gpu::new(&GpuConfig { adapter: args.adapter })?;
    let start = Instant::now();
    let given = config.render;
    let config = RenderConfig {
        shading: args.shading.unwrap_or(given.shading),
        compressed_textures: args.compressed_textures.unwrap_or(given.compressed_textures),
        ..given
    };
    let sensors = Channels::new(&args.sensors).sensors();
    let uploaded = GpuScene::upload_for(&gpu, &scene, &config, sensors)?;
    let upload_s = start.elapsed().as_secs_f64();
    let renderer = Renderer::new(&gpu, &config)?;
    let posed: Vec<PosedCamera> = cameras.iter().map(|&camera| camera.into()).collect();
    let submit = || -> Result<InFlight, RenderError> {
        Ok(if args.sensors.is_empty() {
            InFlight::Views(renderer.submit(&uploaded, &cameras)?)
        } else {
            InFlight::Captures(renderer.submit_captures(&uploaded, &posed, sensors)?)
        })
    };

    // The first rounds compile shaders and make the targets of two batches.
    let warm = [submit()?, submit()?];
    for pending in warm {
        pending.wait()?;
    }
    let (timings, cpu, start) = (renderer.timings(), cpu_time(), Instant::now());
    let limit = Duration::from_secs_f64(args.seconds.clamp(0.1, 3600.0));
    let mut frames = 0;
    let mut next = submit()?;
    while start.elapsed() < limit {
        let now = next;
        next = submit()?;
        frames += now.wait()?;
    }
    frames += next.wait()?;
    let wall = start.elapsed().as_secs_f64();
    let spent = cpu_time().zip(cpu).map(|(after, before)| after - before);

    let frame_ms =
        |of: fn(&Timings) -> Duration| (of(&renderer.timings()) - of(&timings)).as_secs_f64() * 1e3 / frames as f64;
    let measured = Measured {
        scene: scene.name.clone(),
        triangles: uploaded.triangle_count(),
        adapter: gpu.adapter().to_string(),
        size_px: args.size,
        sensors,
        cameras: cameras.len(),
        frames,
        frames_per_s: frames as f64 / wall,
        cpu_ms: spent.map(|s| s * 1e3 / frames as f64),
        cull_ms: frame_ms(|t| t.cull),
        record_ms: frame_ms(|t| t.record),
        wait_ms: frame_ms(|t| t.draw),
        readback_ms: frame_ms(|t| t.readback),
        load_s,
        upload_s,
        device_bytes: uploaded.device_bytes(),
    };
    if args.json {
        println!("{}", serde_json::to_string(&measured)?);
    } else {
        print(&measured);
    }
    Ok(())
}

/// A batch under way, with or without more channels.
enum InFlight {
    Views(Pending),
    Captures(PendingCaptures),
}

impl InFlight {
    /// Number of pictures, once they are there.
    fn wait(self) -> Result<usize, RenderError> {
        Ok(match self {
            Self::Views(pending) => pending.wait()?.len(),
            Self::Captures(pending) => pending.wait()?.len(),
        })
    }
}

/// Three random places of the floor, eight headings each, eyes 1.5 m up: the same every time.
fn places(scene: &Scene, size: u32) -> anyhow::Result<Vec<Camera>> {
    let navmesh = NavMesh::build(scene, &NavMeshConfig::default())?;
    let intrinsics = Intrinsics::from_hfov(size, size, std::f64::consts::FRAC_PI_2);
    let mut rng = Rng::stream(0, "bench-render", &[scene.hash_word()]);
    let mut cameras = Vec::with_capacity(24);
    for _ in 0..3 {
        let floor = navmesh
            .random_navigable_point(&mut rng)
            .ok_or_else(|| Failure::input("no floor to stand on: give --cameras"))?;
        let eye = floor.as_dvec3() + glam::DVec3::Y * 1.5;
        for heading in 0..8 {
            let heading_rad = f64::from(heading) * std::f64::consts::FRAC_PI_4;
            cameras.push(Camera::level(intrinsics, eye, heading_rad));
        }
    }
    Ok(cameras)
}

/// User and system time of this process, seconds, in steps of a hundredth; Linux only.
pub(super) fn cpu_time() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name in parentheses may hold spaces; what follows it does not.
    let mut fields = stat.rsplit(')').next()?.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / 100.0)
}

fn print(m: &Measured) {
    println!("{} ({} triangles) on {}", m.scene, m.triangles, m.adapter);
    println!(
        "{} frames of {} x {} from {} cameras: {:.0} frames/s{}",
        m.frames,
        m.size_px,
        m.size_px,
        m.cameras,
        m.frames_per_s,
        m.cpu_ms
            .map_or(String::new(), |ms| format!(", {ms:.2} ms of CPU a frame")),
    );
    println!(
        "a frame: cull {:.3} ms, record {:.3} ms, wait {:.3} ms, readback {:.3} ms; load {:.2} s, upload {:.2} s, {:.0} MB",
        m.cull_ms,
        m.record_ms,
        m.wait_ms,
        m.readback_ms,
        m.load_s,
        m.upload_s,
        m.device_bytes as f64 / 1e6
    );
}
