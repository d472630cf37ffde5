//! `covista scene`: what is in a scene, which scenes there are, and scenes from nothing.

use std::path::PathBuf;

use clap::Subcommand;
use covista::navmesh::NavMesh;
use covista::scene::{AlphaMode, Scene, SceneSource, Up, list_scenes, load_with_up, write_glb};
use serde_json::{Value, json};

use super::common::ConfigArgs;
use super::exit::Failure;

/// Arguments of `covista scene`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Count what a scene file or a recipe holds
    Info(Info),
    /// Find the scenes of a dataset: HM3D, Gibson, Matterport, Replica, ScanNet, a Habitat dataset or any folder
    List(List),
    /// Write an invented flat as a GLB that any viewer opens, and its navmesh
    Make(Make),
    /// Write a page of invented flats, with figures beside those of real scenes
    Gallery(super::scene_gallery::Args),
}

#[derive(Debug, clap::Args)]
struct List {
    /// Folder, or `*.scene_dataset_config.json`
    dataset: PathBuf,
    /// One JSON array on stdout
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Make {
    /// Seed of the flat
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// File to write, ending in .glb; the navmesh goes beside it
    #[arg(long, value_name = "FILE.glb")]
    out: PathBuf,
    /// Replace files that exist
    #[arg(long)]
    overwrite: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

#[derive(Debug, clap::Args)]
struct Info {
    /// Scene file (.glb, .gltf, .obj, .ply), `procedural` or `procedural:SEED`
    scene: SceneSource,
    /// Which axis of the file points up: auto, y or z [default: the profile's, auto]
    #[arg(long)]
    up: Option<Up>,
    #[command(flatten)]
    config: ConfigArgs,
    /// One JSON object on stdout
    #[arg(long)]
    json: bool,
}

/// Runs `covista scene`.
pub fn run(args: Args) -> anyhow::Result<()> {
    match args.command {
        Command::Info(args) => info(&args),
        Command::List(args) => list(&args),
        Command::Make(args) => make(&args),
        Command::Gallery(args) => super::scene_gallery::run(&args),
    }
}

fn list(args: &List) -> anyhow::Result<()> {
    let scenes = list_scenes(&args.dataset)?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&scenes)?);
        return Ok(());
    }
    if scenes.is_empty() {
        return Err(Failure::input(format!(
            "no scene file (.glb, .gltf, .obj, .ply) or dataset configuration below the folder: {}",
            args.dataset.display()
        )));
    }
    let mark = |there: bool, name: &'static str| if there { name } else { "" };
    for scene in &scenes {
        println!(
            "{:<32} {:>9.1} MB  {:<8} {:<10} {}",
            scene.name,
            scene.bytes as f64 / 1e6,
            mark(scene.navmesh.is_some(), "navmesh"),
            mark(scene.semantics.is_some(), "semantics"),
            scene.path.display()
        );
    }
    Ok(())
}

fn make(args: &Make) -> anyhow::Result<()> {
    if args.out.extension().is_none_or(|ending| ending != "glb") {
        return Err(Failure::arguments(format!(
            "--out must end in .glb: {}",
            args.out.display()
        )));
    }
    let navmesh_path = args.out.with_extension("navmesh");
    for path in [&args.out, &navmesh_path] {
        if path.exists() && !args.overwrite {
            return Err(Failure::output(format!(
                "the file exists already; give another --out, or --overwrite: {}",
                path.display()
            )));
        }
    }
    let config = args.config.load()?;
    let scene = SceneSource::Procedural(args.seed).load_with(&config.scene, &config.procedural)?;
    let navmesh = NavMesh::build(&scene, &config.navmesh)?;
    write_glb(&scene, &args.out)?;
    navmesh.save(&navmesh_path)?;
    println!(
        "{} triangles in {}, {:.1} m2 to walk on in {}",
        scene.triangle_count(),
        args.out.display(),
        navmesh.navigable_area_m2(),
        navmesh_path.display()
    );
    Ok(())
}

fn info(args: &Info) -> anyhow::Result<()> {
    let mut config = args.config.load()?;
    config.scene.up = args.up.unwrap_or(config.scene.up);
    let started = std::time::Instant::now();
    let (scene, up) = match &args.scene {
        SceneSource::File(path) => load_with_up(path, &config.scene)?,
        recipe => (recipe.load_with(&config.scene, &config.procedural)?, Up::Y),
    };
    let seconds = started.elapsed().as_secs_f64();
    let report = describe(&scene, up, seconds);
    if args.json {
        println!("{report}");
    } else {
        print_table(&report);
    }
    Ok(())
}

fn describe(scene: &Scene, up: Up, seconds: f64) -> Value {
    let bounds = scene.bounds();
    let pixels: u64 = scene
        .textures
        .iter()
        .map(|t| u64::from(t.width) * u64::from(t.height))
        .sum();
    let materials = |wanted: fn(&AlphaMode) -> bool| scene.materials.iter().filter(|m| wanted(&m.alpha)).count();
    json!({
        "name": scene.name,
        "hash": scene.hash_hex(),
        "up": up,
        "triangles": scene.triangle_count(),
        "vertices": scene.primitives.iter().map(|p| p.positions.len()).sum::<usize>(),
        "primitives": scene.primitives.len(),
        "instances": scene.primitives.iter().map(|p| p.instance).collect::<std::collections::BTreeSet<_>>().len(),
        "materials": scene.materials.len(),
        "materials_masked": materials(|a| matches!(a, AlphaMode::Mask(_))),
        "materials_blended": materials(|a| matches!(a, AlphaMode::Blend)),
        "semantic_classes": scene.semantic_names.len(),
        "textures": scene.textures.len(),
        "texture_pixels": pixels,
        "texture_bytes": scene.textures.iter().map(covista::scene::Texture::bytes).sum::<u64>(),
        "bounds": bounds.map(|b| json!({"min": b.min.to_array(), "max": b.max.to_array()})),
        "warnings": scene.warnings,
        "load_seconds": seconds,
        "peak_memory_bytes": peak_memory_bytes(),
    })
}

/// The most memory that this process held at once; `None` where the system does not tell (only Linux does).
fn peak_memory_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim_end().parse().ok()?;
    Some(kib * 1024)
}

fn print_table(report: &Value) {
    let Some(fields) = report.as_object() else { return };
    for (name, value) in fields {
        match value {
            Value::Array(lines) if name == "warnings" => {
                for line in lines {
                    println!("{:<18} {}", "warning", line.as_str().unwrap_or_default());
                }
            }
            Value::String(text) => println!("{name:<18} {text}"),
            other => println!("{name:<18} {other}"),
        }
    }
}
