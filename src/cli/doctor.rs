//! `covista doctor`: what this machine offers, and whether a picture comes out right.

use covista::camera::Camera;
use covista::render::{AdapterReport, Gpu, GpuConfig, GpuScene, RenderConfig, RenderError, Renderer, adapters};
use covista::scene::{Material, Primitive, Scene};
use glam::DVec3;
use serde::Serialize;

/// Arguments of `covista doctor`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Part of the adapter's name or backend, or "software"
    #[arg(long, value_name = "NAME")]
    adapter: Option<String>,
}

/// What was found.
#[derive(Debug, Serialize)]
struct Findings {
    version: &'static str,
    cores: usize,
    memory_bytes: Option<u64>,
    available_memory_bytes: Option<u64>,
    adapters: Vec<AdapterReport>,
    used: Option<AdapterReport>,
    /// Depth of a plane at 2 m as it was drawn and read back, smallest and largest, metres.
    plane_at_2m: Option<[f32; 2]>,
    works: bool,
    advice: Option<String>,
}

/// Runs `covista doctor`.
pub fn run(args: Args) -> anyhow::Result<()> {
    let (used, drawn) = match Gpu::new(&GpuConfig { adapter: args.adapter }) {
        Ok(gpu) => (Some(gpu.adapter().clone()), draw_plane(&gpu)),
        Err(error) => (None, Err(error)),
    };
    let right = |[min, max]: &[f32; 2]| (min - 2.0).abs() < 1e-4 && (max - 2.0).abs() < 1e-4;
    let findings = Findings {
        version: env!("CARGO_PKG_VERSION"),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        memory_bytes: memory("MemTotal:"),
        available_memory_bytes: memory("MemAvailable:"),
        adapters: adapters(),
        used,
        works: drawn.as_ref().is_ok_and(right),
        advice: match &drawn {
            Err(error) => Some(error.to_string()),
            Ok(range) if !right(range) => {
                Some("a plane at 2 m was drawn elsewhere: try another adapter with --adapter".to_owned())
            }
            Ok(_) => None,
        },
        plane_at_2m: drawn.as_ref().ok().copied(),
    };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&findings)?);
    } else {
        print(&findings);
    }
    drawn?;
    Ok(())
}

/// Draws a plane at 2 m and gives the smallest and the largest depth of the picture.
fn draw_plane(gpu: &Gpu) -> Result<[f32; 2], RenderError> {
    let scene = Scene {
        primitives: vec![Primitive {
            positions: vec![
                [-9.0, -9.0, -2.0],
                [9.0, -9.0, -2.0],
                [9.0, 9.0, -2.0],
                [-9.0, 9.0, -2.0],
            ],
            indices: vec![0, 1, 2, 0, 2, 3],
            ..Primitive::default()
        }],
        materials: vec![Material::default()],
        ..Scene::default()
    };
    let config = RenderConfig {
        size_px: 64,
        crop_px: 64,
        ..RenderConfig::default()
    };
    let renderer = Renderer::new(gpu, &config)?;
    let camera = Camera::level(config.intrinsics(), DVec3::ZERO, 0.0);
    let views = renderer.render(&GpuScene::upload(gpu, &scene)?, &[camera])?;
    let metres = views.iter().flat_map(|view| view.depth.metres.iter().copied());
    Ok(metres.fold([f32::INFINITY, f32::NEG_INFINITY], |[min, max], z| {
        [min.min(z), max.max(z)]
    }))
}

/// A line of Linux's `/proc/meminfo`, bytes.
fn memory(key: &str) -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find(|line| line.starts_with(key))?;
    line.split_whitespace()
        .nth(1)?
        .parse::<u64>()
        .ok()
        .map(|kib| kib * 1024)
}

fn print(findings: &Findings) {
    println!("covista {}", findings.version);
    let gib = |bytes: Option<u64>| {
        bytes.map_or("unknown".to_owned(), |b| {
            format!("{:.1} GiB", b as f64 / (1u64 << 30) as f64)
        })
    };
    println!(
        "cores {}, memory {} ({} free)",
        findings.cores,
        gib(findings.memory_bytes),
        gib(findings.available_memory_bytes)
    );
    println!("adapters:");
    for adapter in &findings.adapters {
        let mark = if findings.used.as_ref() == Some(adapter) {
            "*"
        } else {
            " "
        };
        println!(
            "{mark} {} ({}, {}; {}); pictures and textures up to {} px, buffers up to {} MiB{}",
            adapter.name,
            adapter.backend,
            adapter.kind,
            adapter.driver,
            adapter.max_texture_px,
            adapter.max_buffer_bytes >> 20,
            if adapter.reads_depth {
                ""
            } else {
                "; cannot read depth back"
            }
        );
    }
    if findings.adapters.is_empty() {
        println!("  none");
    }
    if let Some([min, max]) = findings.plane_at_2m {
        println!("self-test: a plane at 2 m reads {min:.4} to {max:.4} m");
    }
    match &findings.advice {
        Some(advice) => println!("not usable: {advice}"),
        None => println!("ready: * is what will be used"),
    }
}
