//! `covista navmesh`: build, inspect and draw the walkable floor.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use covista::camera::Intrinsics;
use covista::navmesh::{NavMesh, TopDownMap};
use covista::sweep::{Sweep, sample_sweep};
use glam::Vec2;
use image::{Rgb, RgbImage};
use serde_json::{Value, json};

use super::common::{ConfigArgs, SceneArgs, UpArg};
use super::exit::Failure;

/// Arguments of `covista navmesh`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Count the polygons, islands and area of a navmesh
    Info {
        #[command(flatten)]
        floor: Floor,
        /// One JSON object on stdout
        #[arg(long)]
        json: bool,
    },
    /// Build a scene's navmesh and write it as a Habitat .navmesh file (version 2)
    Build {
        #[command(flatten)]
        floor: Floor,
        /// The file to write
        #[arg(long)]
        out: PathBuf,
    },
    /// Draw the floor from above
    Map {
        #[command(flatten)]
        floor: Floor,
        /// The picture to write (.png)
        #[arg(long)]
        out: PathBuf,
        /// Side of a pixel, metres
        #[arg(long, default_value_t = 0.02)]
        cell_m: f32,
        /// Lowest floor to draw, metres
        #[arg(long, value_name = "Y", allow_negative_numbers = true, default_value_t = f32::NEG_INFINITY)]
        from_m: f32,
        /// Highest floor to draw, metres
        #[arg(long, value_name = "Y", allow_negative_numbers = true, default_value_t = f32::INFINITY)]
        to_m: f32,
        /// Sweeps to draw, by the configuration's protocol: three stops joined by their steps
        #[arg(long, value_name = "N", default_value_t = 0)]
        sweeps: u64,
        /// Seed of the sweeps
        #[arg(long, value_name = "S", default_value_t = 0)]
        seed: u64,
    },
}

/// A navmesh file, or a scene and how its navmesh is built.
#[derive(Debug, clap::Args)]
struct Floor {
    /// A .navmesh file, a scene file (glTF, GLB, OBJ, PLY), or procedural[:SEED]
    source: String,
    /// Up axis of the scene file; by default Z for Habitat stages and Y for everything else
    #[arg(long, value_name = "y|z|auto")]
    up: Option<UpArg>,
    #[command(flatten)]
    config: ConfigArgs,
}

impl Floor {
    /// Reads the file, or builds from the scene with the `[navmesh]` section of the configuration.
    fn navmesh(&self) -> anyhow::Result<NavMesh> {
        let mut config = self.config.load()?;
        let is_navmesh = |e: &std::ffi::OsStr| e.eq_ignore_ascii_case("navmesh");
        if Path::new(&self.source).extension().is_some_and(is_navmesh) {
            return Ok(NavMesh::load(&self.source)?);
        }
        let scene = SceneArgs {
            scene: self.source.clone(),
            up: self.up,
        }
        .load(&mut config)?;
        Ok(NavMesh::build(&scene, &config.navmesh)?)
    }
}

/// Runs `covista navmesh`.
pub fn run(args: Args) -> anyhow::Result<()> {
    match args.command {
        Command::Info { floor, json } => {
            let report = describe(&floor.navmesh()?);
            if json {
                println!("{report}");
            } else {
                print_table(&report);
            }
            Ok(())
        }
        Command::Build { floor, out } => {
            let navmesh = floor.navmesh()?;
            navmesh.save(&out)?;
            eprintln!(
                "{:.2} m2 in {} islands: {}",
                navmesh.navigable_area_m2(),
                navmesh.islands().len(),
                out.display()
            );
            Ok(())
        }
        Command::Map {
            floor,
            out,
            cell_m,
            from_m,
            to_m,
            sweeps,
            seed,
        } => {
            if !(0.001..=10.0).contains(&cell_m) {
                return Err(Failure::arguments(format!(
                    "--cell-m is {cell_m}, allowed is 0.001 to 10"
                )));
            }
            let config = floor.config.load()?;
            let navmesh = floor.navmesh()?;
            let map = navmesh.top_down_between(cell_m, from_m, to_m);
            let mut picture = map.picture();
            let drawn = (0..sweeps).filter_map(|index| {
                // A refused sample leaves no mark, as it leaves no pictures.
                sample_sweep(
                    &navmesh,
                    &config.sweep,
                    Intrinsics::from_hfov(2, 2, 1.0),
                    seed,
                    0,
                    index,
                )
                .ok()
            });
            for sweep in drawn.filter(|s| s.stops.iter().all(|stop| (from_m..=to_m).contains(&stop.position.y))) {
                draw_sweep(&mut picture, &map, &sweep);
            }
            picture
                .save_with_format(&out, image::ImageFormat::Png)
                .map_err(|error| Failure::output(format!("cannot write the map: {error}: {}", out.display())))
        }
    }
}

/// Draws the stops of a sweep as dots, the first one black, and its steps as lines.
fn draw_sweep(picture: &mut RgbImage, map: &TopDownMap, sweep: &Sweep) {
    let stops = sweep.stops.map(|stop| map.pixel_of(stop.position));
    for pair in stops.windows(2) {
        let steps = pair[0].distance(pair[1]).ceil().max(1.0);
        for k in 0..=steps as u32 {
            dot(picture, pair[0].lerp(pair[1], k as f32 / steps), 0, Rgb([90, 90, 90]));
        }
    }
    for (number, &stop) in stops.iter().enumerate().rev() {
        let color = if number == 0 {
            Rgb([0, 0, 0])
        } else {
            Rgb([200, 30, 30])
        };
        dot(picture, stop, 1, color);
    }
}

fn dot(picture: &mut RgbImage, center: Vec2, radius: i64, color: Rgb<u8>) {
    for dy in -radius..=radius {
        for dx in -radius..=radius {
            let (x, y) = (center.x as i64 + dx, center.y as i64 + dy);
            if x >= 0 && y >= 0 && x < i64::from(picture.width()) && y < i64::from(picture.height()) {
                picture.put_pixel(x as u32, y as u32, color);
            }
        }
    }
}

fn describe(navmesh: &NavMesh) -> Value {
    let bounds = navmesh.bounds();
    json!({
        "polygons": navmesh.polygons().len(),
        "detail_triangles": navmesh.detail_triangles().count(),
        "tiles": navmesh.tile_count(),
        "islands": navmesh.islands().len(),
        "navigable_area_m2": navmesh.navigable_area_m2(),
        "bounds": [bounds.min.to_array(), bounds.max.to_array()],
        "largest_island_radius_m": navmesh.largest_island_radius_m(),
        "island_list": navmesh.islands(),
        "settings": navmesh.config(),
    })
}

fn print_table(report: &Value) {
    for key in [
        "polygons",
        "detail_triangles",
        "tiles",
        "islands",
        "navigable_area_m2",
        "bounds",
    ] {
        println!("{key:<18} {}", report[key]);
    }
    for island in report["island_list"].as_array().into_iter().flatten() {
        println!(
            "  island: {:>9.2} m2, radius {:>6.2} m, {} polygons",
            island["area_m2"].as_f64().unwrap_or(0.0),
            island["radius_m"].as_f64().unwrap_or(0.0),
            island["polygons"]
        );
    }
}
