//! The 24 views of one sweep as pictures, the first stop's eight headings first.
//!
//! `cargo run --release --example sweep_views -- FOLDER [SCENE [SEED [INDEX [UP]]]]` writes `FOLDER/000.png`
//! to `023.png`, 224 x 224, and prints the hash of each picture's pixels. UP is `y` or `z`, for stages whose
//! file does not say which way is up.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use covista::config::Config;
use covista::generate::PairGenerator;
use covista::navmesh::NavMesh;
use covista::render::{Gpu, GpuConfig};
use covista::scene::SceneSource;

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let arg = |place: usize, default: &str| args.get(place).cloned().unwrap_or_else(|| default.to_owned());
    let folder = arg(0, "sweep_views");
    let (seed, index) = (arg(2, "1").parse()?, arg(3, "0").parse()?);
    let overrides: Vec<String> = args.get(4).iter().map(|up| format!("scene.up={up}")).collect();
    let config = Config::load("covista", None, &overrides)?;

    let scene = SceneSource::parse(&arg(1, "procedural:1"))?.load(&config.scene)?;
    let navmesh = Arc::new(NavMesh::build(&scene, &config.navmesh)?);
    let gpu = Gpu::new(&GpuConfig::default())?;
    let generator = PairGenerator::new(&gpu, &scene, navmesh, config.generator(), seed)?;
    let (_, views) = generator
        .sweep_views(index)?
        .map_err(|refusal| anyhow::anyhow!("no sweep: {}", refusal.reason()))?;

    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for (place, view) in views.iter().enumerate() {
        let path = folder.join(format!("{place:03}.png"));
        view.color.save(&path).with_context(|| path.display().to_string())?;
        println!("{}", &blake3::hash(view.color.as_raw()).to_hex()[..16]);
    }
    Ok(())
}
