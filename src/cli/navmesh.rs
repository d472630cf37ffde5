//! `covista navmesh`: build, inspect and draw the walkable floor.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Subcommand;
use covista::navmesh::{NavMesh, NavMeshConfig};
use covista::scene::{SceneConfig, SceneSource, Up};
use serde_json::{Value, json};

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
    /// A .navmesh file, a scene file, `procedural` or `procedural:SEED`
    source: String,
    /// Which axis of the scene file points up: auto, y or z
    #[arg(long, default_value = "auto")]
    up: Up,
    /// Side of a cell, metres (scenes)
    #[arg(long, default_value_t = NavMeshConfig::default().cell_size_m)]
    cell_size_m: f64,
    /// Height of a cell, metres (scenes)
    #[arg(long, default_value_t = NavMeshConfig::default().cell_height_m)]
    cell_height_m: f64,
    /// Head room of the agent, metres (scenes)
    #[arg(long, default_value_t = NavMeshConfig::default().agent_height_m)]
    agent_height_m: f64,
    /// Distance of the agent from walls, metres (scenes)
    #[arg(long, default_value_t = NavMeshConfig::default().agent_radius_m)]
    agent_radius_m: f64,
    /// Highest step of the agent, metres (scenes)
    #[arg(long, default_value_t = NavMeshConfig::default().agent_max_climb_m)]
    agent_max_climb_m: f64,
    /// Steepest slope, degrees (scenes)
    #[arg(long, default_value_t = NavMeshConfig::default().agent_max_slope_deg)]
    agent_max_slope_deg: f64,
}

impl Floor {
    fn navmesh(&self) -> anyhow::Result<NavMesh> {
        if Path::new(&self.source)
            .extension()
            .is_some_and(|e| e.eq_ignore_ascii_case("navmesh"))
        {
            return Ok(NavMesh::load(&self.source)?);
        }
        let config = NavMeshConfig {
            cell_size_m: self.cell_size_m,
            cell_height_m: self.cell_height_m,
            agent_height_m: self.agent_height_m,
            agent_radius_m: self.agent_radius_m,
            agent_max_climb_m: self.agent_max_climb_m,
            agent_max_slope_deg: self.agent_max_slope_deg,
            ..Default::default()
        };
        config.validate().map_err(Failure::arguments)?;
        let scene = SceneSource::from_str(&self.source)?.load(&SceneConfig {
            up: self.up,
            ..Default::default()
        })?;
        Ok(NavMesh::build(&scene, &config)?)
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
