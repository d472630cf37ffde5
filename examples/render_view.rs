//! Draws one view of a scene and writes its colour.
//!
//! `cargo run --release --example render_view -- OUT [SCENE]` writes `OUT.png`.

use covista::camera::Camera;
use covista::render::{Gpu, GpuConfig, GpuScene, RenderConfig, Renderer};
use covista::scene::{SceneConfig, SceneSource};
use glam::DVec3;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let out = format!("{}.png", arguments.next().unwrap_or_else(|| "render_view".to_owned()));
    let source = arguments.next().unwrap_or_else(|| "procedural:1".to_owned());
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
