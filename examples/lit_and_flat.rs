//! The same views under flat shading, with all filters, and lit; and how many pass the texture gate.
//!
//! `cargo run --release --example lit_and_flat -- OUT [SCENE [UP]]` writes `OUT.png`, flat above lit.

use std::time::Instant;

use anyhow::Context;
use covista::config::Config;
use covista::features::gray::gray;
use covista::features::laplacian::laplacian_variance;
use covista::navmesh::NavMesh;
use covista::overlap::working_picture;
use covista::render::{Filter, Gpu, GpuConfig, GpuScene, RenderConfig, Renderer, Sensors, Shading};
use covista::scene::SceneSource;
use covista::sweep::sample_sweep;
use image::imageops;

/// Sweeps that are counted.
const SWEEPS: u64 = 10;

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let out = args.next().unwrap_or_else(|| "lit_and_flat".to_owned());
    let source = args.next().unwrap_or_else(|| "procedural:1".to_owned());
    let mut config = Config::default();
    if let Some(up) = args.next() {
        config.scene.up = up.parse().map_err(|e| anyhow::anyhow!("{e}"))?;
    }
    let scene = SceneSource::parse(&source)?.load(&config.scene)?;
    let navmesh = NavMesh::build(&scene, &config.navmesh)?;
    let gpu = Gpu::new(&GpuConfig::default())?;
    let intrinsics = config.render.intrinsics();
    let mut cameras = Vec::new();
    for index in 0..SWEEPS {
        let sweep = sample_sweep(&navmesh, &config.sweep, intrinsics, 1, scene.hash_word(), index);
        cameras.extend(
            sweep
                .map_err(|refusal| anyhow::anyhow!("no sweep: {}", refusal.reason()))?
                .cameras,
        );
    }

    let size = config.render.size_px;
    let mut sheet = image::RgbImage::new(8 * size, 4 * size);
    let mut shown = 0;
    for shading in [Shading::Flat, Shading::Lit] {
        let render = RenderConfig {
            shading,
            ..config.render.clone()
        };
        let start = Instant::now();
        let uploaded = GpuScene::upload_for(&gpu, &scene, &render, Sensors::default())?;
        println!(
            "{} {shading:?}: {} triangles, uploaded in {:.2} s",
            scene.name,
            uploaded.triangle_count(),
            start.elapsed().as_secs_f64()
        );
        for filter in Filter::ALL {
            let render = RenderConfig {
                filter,
                ..render.clone()
            };
            let views = Renderer::new(&gpu, &render)?.render(&uploaded, &cameras)?;
            let sharp: Vec<f64> = views
                .iter()
                .map(|view| laplacian_variance(&gray(&working_picture(&view.center_crop(render.crop_px).color))))
                .collect();
            let passing = sharp
                .iter()
                .filter(|&&v| v >= config.select.min_laplacian_variance)
                .count();
            let mut sorted = sharp.clone();
            sorted.sort_by(f64::total_cmp);
            println!(
                "  {filter:?}: {:.1} % of {} views pass the gate of {}, median variance {:.0}",
                100.0 * passing as f64 / sharp.len() as f64,
                sharp.len(),
                config.select.min_laplacian_variance,
                sorted[sorted.len() / 2]
            );
            if filter == Filter::Mip {
                // Every fifth view, so that stops and headings vary.
                for (place, view) in views.iter().step_by(5).take(16).enumerate() {
                    let (column, row) = (place as u32 % 8, shown + place as u32 / 8);
                    imageops::replace(&mut sheet, &view.color, i64::from(column * size), i64::from(row * size));
                }
                shown += 2;
            }
        }
    }
    let path = format!("{out}.png");
    sheet.save(&path).with_context(|| path.clone())?;
    println!("wrote {path}");
    Ok(())
}
