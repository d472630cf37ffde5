//! `covista scene`: what is in a scene.

use clap::Subcommand;
use covista::scene::{AlphaMode, Scene, SceneConfig, SceneSource, Up, load_with_up};
use serde_json::{Value, json};

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
}

#[derive(Debug, clap::Args)]
struct Info {
    /// Scene file (.glb, .gltf, .obj, .ply), `procedural` or `procedural:SEED`
    scene: SceneSource,
    /// Which axis of the file points up: auto, y or z
    #[arg(long, default_value = "auto")]
    up: Up,
    /// One JSON object on stdout
    #[arg(long)]
    json: bool,
}

/// Runs `covista scene`.
pub fn run(args: Args) -> anyhow::Result<()> {
    match args.command {
        Command::Info(args) => info(&args),
    }
}

fn info(args: &Info) -> anyhow::Result<()> {
    let config = SceneConfig {
        up: args.up,
        ..SceneConfig::default()
    };
    let started = std::time::Instant::now();
    let (scene, up) = match &args.scene {
        SceneSource::File(path) => load_with_up(path, &config)?,
        recipe => (recipe.load(&config)?, Up::Y),
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
        "textures": scene.textures.len(),
        "texture_pixels": pixels,
        "bounds": bounds.map(|b| json!({"min": b.min.to_array(), "max": b.max.to_array()})),
        "warnings": scene.warnings,
        "load_seconds": seconds,
    })
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
