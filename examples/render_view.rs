//! Draws one view of a scene and writes its colour and its depth as grey pictures.
//!
//! `cargo run --release --example render_view -- SCENE.glb out.png` (or `procedural:7`)

use covista::camera::Camera;
use covista::render::{Gpu, GpuConfig, GpuScene, RenderConfig, Renderer};
use covista::scene::{SceneConfig, SceneSource};
use glam::DVec3;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let source = arguments.next().unwrap_or_else(|| "procedural".to_owned());
    let out = arguments.next().unwrap_or_else(|| "view.png".to_owned());
    let scene = SceneSource::parse(&source)?.load(&SceneConfig::default())?;
    let bounds = scene
        .bounds()
        .ok_or_else(|| anyhow::anyhow!("{source} has no triangles"))?;

    let gpu = Gpu::new(&GpuConfig::default())?;
    let config = RenderConfig::default();
    let renderer = Renderer::new(&gpu, &config)?;
    let uploaded = GpuScene::upload(&gpu, &scene)?;

    // The middle of the scene at eye height, looking along -Z.
    let middle = (0.5 * (bounds.min + bounds.max)).as_dvec3();
    let eye = DVec3::new(middle.x, f64::from(bounds.min.y) + 1.5, middle.z);
    let camera = Camera::level(config.intrinsics(), eye, 0.0);
    for view in renderer.render(&uploaded, &[camera])? {
        view.color.save(&out)?;
        println!(
            "{}: {} triangles on {}, {:.0} % of the pixels hit, wrote {out}",
            scene.name,
            uploaded.triangle_count(),
            gpu.adapter().name,
            100.0 * view.depth.valid_fraction()
        );
    }
    Ok(())
}
