//! `covista navmesh`: build, inspect and draw the walkable floor.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use covista::navmesh::NavMesh;
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
        Command::Map { floor, out, cell_m } => {
            if !(0.001..=10.0).contains(&cell_m) {
                return Err(Failure::arguments(format!(
                    "--cell-m is {cell_m}, allowed is 0.001 to 10"
                )));
            }
            let map = floor.navmesh()?.top_down(cell_m);
            map.picture()
                .save_with_format(&out, image::ImageFormat::Png)
                .map_err(|error| Failure::output(format!("cannot write the map: {error}: {}", out.display())))
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
