//! `covista quickstart`: the whole flow on an invented flat, in a few minutes on two cores.

use std::path::PathBuf;
#[cfg(feature = "train")]
use std::{
    ops::ControlFlow,
    sync::atomic::{AtomicBool, Ordering},
};

use covista::export::native::{NativeReader, NativeWriter, RunRecord};
use covista::generate::Outcome;
use covista::report::{PageInput, write_page};
#[cfg(feature = "train")]
use covista::{
    config::Config,
    generate::GenerateError,
    report::Reconstruction,
    report::TrainingCurve,
    stream::{PairBatch, PairStream},
    train::{TrainDevice, held_out::HeldOut, train},
    view::ViewPair,
};

use super::common::{self, ConfigArgs, SceneArgs};
use super::exit::Failure;
use super::open::Walkable;
use super::{device, generate};

/// Pairs on the page.
const SHOWN_PAIRS: usize = 60;

/// Pairs of the set that the page shows completed.
#[cfg(feature = "train")]
const SHOWN_RECONSTRUCTIONS: usize = 4;

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
    #[cfg(feature = "train")]
    let (gpu, train_device) = {
        let devices = device::open(device::Choice::Auto, None)?;
        (devices.gpu, devices.train)
    };
    #[cfg(not(feature = "train"))]
    let gpu = device::open_renderer(None)?;
    println!("2. adapter   {}", gpu.adapter());

    let mut generator = walkable.generator(&gpu, &config, args.seed)?;
    let mut run = RunRecord::new(
        &profile.profile,
        config.data_json(),
        args.seed,
        vec![walkable.record()],
        &gpu.adapter().to_string(),
    );
    run.selection = generate::selection(&config);
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
    let set = NativeReader::open(&pairs_dir)?;
    let input = PageInput::read(&set, SHOWN_PAIRS)?;
    #[cfg(feature = "train")]
    let input = PageInput {
        training: match args.steps {
            0 => None,
            steps => {
                config.train.steps = steps;
                config.train.seed = args.seed;
                let tries = config.generate.max_positions_per_pair;
                let shown = PairBatch::from_views(&kept[..kept.len().min(SHOWN_RECONSTRUCTIONS)], config.stream.shrink);
                let pairs = kept.into_iter().map(Ok).chain(generator.into_pairs(tries));
                Some(train_on(pairs, shown, &config, &train_device, &stop)?)
            }
        },
        ..input
    };
    write_page(&input, &page)?;
    println!("5. page      {}", page.display());
    Ok(())
}

/// Trains on the kept pairs and on what the generator makes meanwhile; nothing passes a file.
#[cfg(feature = "train")]
fn train_on(
    pairs: impl Iterator<Item = Result<ViewPair, GenerateError>> + Send + 'static,
    shown: Option<PairBatch>,
    config: &Config,
    device: &TrainDevice,
    stop: &AtomicBool,
) -> anyhow::Result<TrainingCurve> {
    let mut stream = PairStream::spawn(move || pairs, &config.stream, config.train.seed)?;
    let bar = common::progress(config.train.steps, "steps");
    let mut losses = Vec::new();
    let (summary, trainer) = train(stream.batches(config.train.batch), &config.train, device, |report| {
        losses.push((report.step, f64::from(report.loss)));
        bar.set_position(report.step + 1);
        bar.set_message(format!("loss {:.3}", report.loss));
        if stop.load(Ordering::SeqCst) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })?;
    bar.finish_and_clear();
    common::check(stop)?;
    println!(
        "4. training  {} steps of {} pairs, loss {:.3} -> {:.3}, {:.1} pairs/s, {:.1} % waiting for data, {} different pairs",
        summary.steps,
        config.train.batch,
        summary.first_loss,
        summary.last_loss,
        summary.pairs_per_s,
        100.0 * summary.data_wait,
        stream.stats().pairs_received
    );
    let shown = HeldOut::new(shown.into_iter().collect());
    let completed = shown.pictures(&trainer.judged(), &config.train, device, SHOWN_RECONSTRUCTIONS)?;
    Ok(TrainingCurve {
        model: format!("CroCo {:?}", config.train.model).to_lowercase(),
        device: device.name().to_owned(),
        losses,
        pairs_per_s: summary.pairs_per_s,
        data_wait: summary.data_wait,
        reconstructions: completed
            .into_iter()
            .map(|picture| Reconstruction {
                masked: picture.masked,
                reference: picture.reference,
                completed: picture.completed,
                target: picture.target,
            })
            .collect(),
    })
}
