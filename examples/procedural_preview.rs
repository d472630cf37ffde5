//! Walks through procedural flats: contact sheets, single views and figures on the scene.
//!
//! `cargo run --release --example procedural_preview -- OUT FIRST_SEED SEEDS POSITIONS` writes
//! `OUT/SEED.png` (one row a position: its first eight views), `OUT/SEED.map.png` (the navmesh from above)
//! and `OUT/SEED/POSITION/VIEW.png` (24 views a position, 224 px) for statistics by any other program.

use std::path::Path;
use std::time::Instant;

use anyhow::Context;
use covista::navmesh::{NavMesh, NavMeshConfig};
use covista::render::{Gpu, GpuConfig, GpuScene, RenderConfig, Renderer};
use covista::scene::procedural;
use covista::sweep::{SweepConfig, VIEWS_PER_STOP, sample_sweep};
use image::imageops;

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |k: usize, default: u64| args.get(k).map_or(Ok(default), |a| a.parse());
    let out = args.first().map_or("procedural_preview", String::as_str);
    let (first, seeds, positions) = (number(1, 0)?, number(2, 1)?, number(3, 6)?);
    let gpu = Gpu::new(&GpuConfig::default())?;
    let config = RenderConfig::default();
    let renderer = Renderer::new(&gpu, &config)?;
    for seed in first..first + seeds {
        preview(Path::new(out), seed, positions, &gpu, &renderer)?;
    }
    Ok(())
}

fn preview(out: &Path, seed: u64, positions: u64, gpu: &Gpu, renderer: &Renderer) -> anyhow::Result<()> {
    let clock = Instant::now();
    let scene = procedural::build(seed);
    let build_s = clock.elapsed().as_secs_f64();
    let navmesh = NavMesh::build(&scene, &NavMeshConfig::default())?;
    let mut radii: Vec<f64> = navmesh.islands().iter().map(|i| i.radius_m).collect();
    radii.sort_by(|a, b| b.total_cmp(a));
    println!(
        "seed {seed}: built in {build_s:.2} s, {} triangles, {} primitives, {} textures, {:.0} m2 navigable, largest islands {:.1?} m",
        scene.triangle_count(),
        scene.primitives.len(),
        scene.textures.len(),
        navmesh.navigable_area_m2(),
        &radii[..radii.len().min(4)],
    );
    std::fs::create_dir_all(out)?;
    navmesh
        .top_down(0.05)
        .picture()
        .save(out.join(format!("{seed}.map.png")))?;

    let uploaded = GpuScene::upload(gpu, &scene)?;
    let config = renderer.config();
    let sweeps = SweepConfig::mimic_code();
    let size = 224;
    let mut sheet = image::RgbImage::new(VIEWS_PER_STOP as u32 * size, positions as u32 * size);
    let mut index = 0;
    for position in 0..positions {
        let sweep = loop {
            let drawn = sample_sweep(&navmesh, &sweeps, config.intrinsics(), 1, scene.hash_word(), index);
            index += 1;
            match drawn {
                Ok(sweep) => break sweep,
                Err(refusal) if index > 1000 => anyhow::bail!("seed {seed}: {refusal}"),
                Err(_) => {}
            }
        };
        let folder = out.join(format!("{seed}/{position}"));
        std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        for (k, view) in renderer.render(&uploaded, &sweep.cameras)?.iter().enumerate() {
            let picture = view.center_crop(size).color;
            picture.save(folder.join(format!("{k:02}.png")))?;
            if k < VIEWS_PER_STOP {
                imageops::replace(
                    &mut sheet,
                    &picture,
                    k as i64 * i64::from(size),
                    position as i64 * i64::from(size),
                );
            }
        }
    }
    sheet.save(out.join(format!("{seed}.png")))?;
    Ok(())
}
