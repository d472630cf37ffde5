//! The overlap of two views by the published image-only metric, beside the truth from geometry.
//!
//! `cargo run --release --example overlap_pair -- OUT [SCENE]` writes `OUT.png`: both views, and for
//! each patch of the first one with a true partner a mark of the same colour in both.

use anyhow::Context;
use covista::config::Config;
use covista::generate::Outcome;
use covista::navmesh::NavMesh;
use covista::render::{Gpu, GpuConfig};
use covista::scene::SceneSource;
use image::{Rgb, RgbImage, imageops};
use std::sync::Arc;

const PATCH: u32 = 16;

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let out = args.next().unwrap_or_else(|| "overlap_pair".to_owned());
    let source = args.next().unwrap_or_else(|| "procedural:1".to_owned());
    let config = Config::default();

    let scene = SceneSource::parse(&source)?.load(&config.scene)?;
    let navmesh = Arc::new(NavMesh::build(&scene, &config.navmesh)?);
    let gpu = Gpu::new(&GpuConfig::default())?;
    let mut generator = covista::generate::PairGenerator::new(&gpu, &scene, navmesh, config.generator(), 0)?;

    let pair = generator
        .by_ref()
        .take(50)
        .find_map(|position| match position.map(|p| p.outcome) {
            Ok(Outcome::Kept(pair)) => Some(Ok(pair)),
            Ok(Outcome::Refused(_)) => None,
            Err(error) => Some(Err(error)),
        })
        .context("50 positions gave no pair")??;

    let percent = |overlap: Option<covista::view::Overlap>| overlap.map_or(f64::NAN, |o| 100.0 * o.min());
    println!("position {} of {}:", pair.origin.index, pair.origin.scene);
    println!(
        "  published metric (homography)   {:5.1} %",
        percent(pair.overlaps.homography)
    );
    println!(
        "  truth, published patch rule     {:5.1} %",
        percent(pair.overlaps.patch_truth)
    );
    println!(
        "  truth, covisible pixels         {:5.1} %",
        percent(pair.overlaps.covisibility)
    );

    let (width, height) = pair.first.color.dimensions();
    let mut sheet = RgbImage::new(2 * width, height);
    imageops::replace(&mut sheet, &pair.first.color, 0, 0);
    imageops::replace(&mut sheet, &pair.second.color, i64::from(width), 0);
    let grid = pair.true_correspondence.grid;
    for &(first, second) in &pair.true_correspondence.patches {
        let color = Rgb([
            (u32::from(first) % grid * 255 / grid) as u8,
            (u32::from(first) / grid * 255 / grid) as u8,
            160,
        ]);
        mark(&mut sheet, 0, grid, first, color);
        mark(&mut sheet, width, grid, second, color);
    }
    let path = format!("{out}.png");
    sheet.save(&path).with_context(|| path.clone())?;
    println!("{path}");
    Ok(())
}

/// A small square in the middle of a patch.
fn mark(sheet: &mut RgbImage, left: u32, grid: u32, patch: u16, color: Rgb<u8>) {
    let (column, row) = (u32::from(patch) % grid, u32::from(patch) / grid);
    for y in 5..11 {
        for x in 5..11 {
            sheet.put_pixel(left + column * PATCH + x, row * PATCH + y, color);
        }
    }
}
