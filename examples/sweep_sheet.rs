//! A contact sheet of one sweep: three rows, one a stop, eight headings each.
//!
//! `cargo run --release --example sweep_sheet -- OUT [SCENE]` writes `OUT.png`.

use anyhow::Context;
use covista::config::Config;
use covista::navmesh::NavMesh;
use covista::render::{Gpu, GpuConfig, GpuScene, Renderer};
use covista::scene::SceneSource;
use covista::sweep::sample_sweep;
use image::imageops;

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let out = args.next().unwrap_or_else(|| "sweep_sheet".to_owned());
    let source = args.next().unwrap_or_else(|| "procedural:1".to_owned());
    let config = Config::default();

    let scene = SceneSource::parse(&source)?.load(&config.scene)?;
    let navmesh = NavMesh::build(&scene, &config.navmesh)?;
    let gpu = Gpu::new(&GpuConfig::default())?;
    let renderer = Renderer::new(&gpu, &config.render)?;
    let uploaded = GpuScene::upload(&gpu, &scene)?;

    let sweep = sample_sweep(
        &navmesh,
        &config.sweep,
        config.render.intrinsics(),
        0,
        scene.hash_word(),
        0,
    )
    .map_err(|refusal| anyhow::anyhow!("no sweep: {}", refusal.reason()))?;
    let views = renderer.render(&uploaded, &sweep.cameras)?;

    let size = config.render.size_px;
    let mut sheet = image::RgbImage::new(8 * size, 3 * size);
    for (place, view) in views.iter().enumerate() {
        let (column, row) = (place as u32 % 8, place as u32 / 8);
        imageops::replace(&mut sheet, &view.color, i64::from(column * size), i64::from(row * size));
    }
    let path = format!("{out}.png");
    sheet.save(&path).with_context(|| path.clone())?;
    println!("{} views of {} on {} -> {path}", views.len(), scene.name, gpu.adapter());
    Ok(())
}
