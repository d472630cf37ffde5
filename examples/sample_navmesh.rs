//! Builds the navmesh of a room made here, samples positions on it and walks one sweep.
//!
//! `cargo run --release --example sample_navmesh -- OUT` also draws it as `OUT.png`.

use covista::camera::Intrinsics;
use covista::navmesh::{NavMesh, NavMeshConfig};
use covista::rng::Rng;
use covista::sweep::{SweepConfig, sample_sweep};
use image::Rgb;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // An L-shaped floor of two quads, metres, Y up.
    let vertices = [
        [0.0, 0.0, 0.0],
        [0.0, 0.0, 4.0],
        [8.0, 0.0, 4.0],
        [8.0, 0.0, 0.0],
        [5.0, 0.0, 4.0],
        [5.0, 0.0, 9.0],
        [8.0, 0.0, 9.0],
    ];
    let triangles = [[0, 1, 2], [0, 2, 3], [4, 5, 6], [4, 6, 2]];
    let navmesh = NavMesh::build_from_triangles(&vertices, &triangles, &NavMeshConfig::default())?;
    for island in navmesh.islands() {
        println!("island of {:.2} m2, radius {:.2} m", island.area_m2, island.radius_m);
    }

    let mut map = navmesh.top_down(0.02).picture();
    let frame = navmesh.top_down(0.02);
    let mut rng = Rng::stream(1, "example", &[]);
    for _ in 0..500 {
        let Some(point) = navmesh.random_navigable_point(&mut rng) else {
            break;
        };
        let pixel = frame.pixel_of(point);
        map.put_pixel(pixel.x as u32, pixel.y as u32, Rgb([20, 20, 20]));
    }

    let intrinsics = Intrinsics::from_hfov(256, 256, 90f64.to_radians());
    let sweep = sample_sweep(&navmesh, &SweepConfig::default(), intrinsics, 1, 0, 0)?;
    for stop in &sweep.stops {
        println!(
            "stop at {:.2} heading {:.1} degrees after a step of {:.2} m (asked {:.2})",
            stop.position, stop.heading_deg, stop.step_realised_m, stop.step_asked_m
        );
    }
    println!("{} cameras at {:.2} m", sweep.cameras.len(), sweep.sensor_height_m);
    if let Some(out) = std::env::args().nth(1) {
        map.save(format!("{out}.png"))?;
    }
    Ok(())
}
