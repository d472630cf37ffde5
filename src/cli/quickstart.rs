//! `covista quickstart`: the whole flow on an invented flat, in a few minutes on two cores.

use std::path::PathBuf;

use covista::export::native::{NativeWriter, RunRecord, Selection};
use covista::generate::Outcome;

use super::common::{self, ConfigArgs, SceneArgs};
use super::exit::Failure;
use super::open::Walkable;
use super::{device, generate};

/// Arguments of `covista quickstart`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder to write: pairs/ and report.html; must not exist
    #[arg(long, value_name = "DIR", default_value = "out/quickstart")]
    out: PathBuf,
    /// Scene; the default invents a flat
    #[arg(long, value_name = "FILE|procedural[:SEED]", default_value = "procedural:1")]
    scene: String,
    /// Up axis of a scene file
    #[arg(long, value_name = "y|z|auto")]
    up: Option<common::UpArg>,
    /// Pairs to keep
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u64).range(1..))]
    pairs: u64,
    /// Training steps; 0 leaves training out
    #[arg(long, value_name = "N", default_value_t = 200)]
    steps: u64,
    /// Seed of every random draw
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// One configuration key, as section.key=value; may be repeated
    #[arg(long = "set", value_name = "SECTION.KEY=VALUE")]
    overrides: Vec<String>,
}

/// Runs `covista quickstart`.
pub fn run(args: Args) -> anyhow::Result<()> {
    let profile = ConfigArgs {
        profile: "quickstart".to_owned(),
        config: None,
        overrides: args.overrides.clone(),
    };
    let mut config = profile.load()?;
    let stop = common::interrupt_flag()?;
    if args.out.exists() {
        return Err(Failure::output(format!(
            "the output folder exists already; give another --out: {}",
            args.out.display()
        )));
    }
    let scene = SceneArgs {
        scene: args.scene.clone(),
        up: args.up,
    };
    let walkable = Walkable::open(&scene, &mut config)?;
    println!(
        "1. scene     {}: {} triangles, {:.1} m2 to walk on",
        walkable.scene.name,
        walkable.scene.triangle_count(),
        walkable.navmesh.navigable_area_m2()
    );
    let device = device::open(device::Choice::Auto, None)?;
    println!("2. adapter   {}", device.gpu.adapter());

    let mut generator = walkable.generator(&device.gpu, &config, args.seed)?;
    let mut run = RunRecord::new(
        &profile.profile,
        config.data_json(),
        args.seed,
        vec![walkable.record()],
        &device.gpu.adapter().to_string(),
    );
    run.selection = Selection {
        low: config.select.min_overlap,
        high: config.select.max_overlap,
        ..Selection::default()
    };
    let pairs_dir = args.out.join("pairs");
    let mut writer = NativeWriter::create(&pairs_dir, &run)?;
    writer.set_topdown(&walkable.scene.name, &walkable.top_down())?;
    let bar = common::progress(args.pairs, "pairs");
    let limit = args.pairs.saturating_mul(config.generate.max_positions_per_pair);
    let mut kept = Vec::new();
    for position in generator.by_ref().take(usize::try_from(limit).unwrap_or(usize::MAX)) {
        let position = position?;
        if let Outcome::Kept(pair) = &position.outcome {
            kept.push((**pair).clone());
        }
        generate::write(&mut writer, &walkable.scene.name, position)?;
        bar.set_position(kept.len() as u64);
        if kept.len() as u64 == args.pairs {
            break;
        }
        common::check(&stop)?;
    }
    bar.finish_and_clear();
    let counters = writer.finish()?;
    println!(
        "3. pairs     {} kept at {} positions",
        counters.pairs, counters.positions
    );
    if kept.is_empty() {
        return Err(Failure::input("no position gave a pair; try another --seed or scene"));
    }

    let page = args.out.join("report.html");
    train_and_report(&args, &config, &device, generator, kept, &stop, &pairs_dir, &page)?;
    println!("5. page      {}", page.display());
    Ok(())
}
