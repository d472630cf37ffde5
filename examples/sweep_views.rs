//! The 24 views of one sweep as pictures, the first stop's eight headings first.
//!
//! `cargo run --release --example sweep_views -- SCENE SEED INDEX FOLDER [UP]` writes `FOLDER/000.png` to
//! `023.png`, 224 x 224. UP is `y` or `z`, for stages whose file does not say which way is up.

use std::path::Path;

use anyhow::Context;
use covista::config::Config;
use covista::navmesh::NavMesh;
use covista::render::{Gpu, GpuConfig, GpuScene, Renderer};
use covista::scene::SceneSource;
use covista::sweep::sample_sweep;

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [source, seed, index, folder, up @ ..] = args.as_slice() else {
        anyhow::bail!("usage: sweep_views SCENE SEED INDEX FOLDER [UP]");
    };
    let (seed, index) = (seed.parse::<u64>()?, index.parse::<u64>()?);
    let overrides: Vec<String> = up.iter().map(|up| format!("scene.up={up}")).collect();
    let config = Config::load("covista", None, &overrides)?;

    let scene = SceneSource::parse(source)?.load(&config.scene)?;
    let navmesh = NavMesh::build(&scene, &config.navmesh)?;
    let gpu = Gpu::new(&GpuConfig::default())?;
    let renderer = Renderer::new(&gpu, &config.render)?;
    let uploaded = GpuScene::upload(&gpu, &scene)?;

    let intrinsics = config.render.intrinsics();
    let sweep = sample_sweep(&navmesh, &config.sweep, intrinsics, seed, scene.hash_word(), index)
        .map_err(|refusal| anyhow::anyhow!("no sweep: {}", refusal.reason()))?;
    let folder = Path::new(folder);
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for (place, view) in renderer.render(&uploaded, &sweep.cameras)?.iter().enumerate() {
        let path = folder.join(format!("{place:03}.png"));
        let picture = view.center_crop(config.render.crop_px).color;
        picture.save(&path).with_context(|| path.display().to_string())?;
    }
    println!("{} views of {} -> {}", sweep.cameras.len(), scene.name, folder.display());
    Ok(())
}
