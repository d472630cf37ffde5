//! `covista pretrain`.

mod dashboard;
mod held_out;
mod screen;
mod session;
mod setup;
mod watch;

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use covista::config::Config;
use covista::feed::{DeviceStream, Feed};
use covista::generate::{DevicePair, GenerateError, Harvest, Rank, SamplerKind, ScenePairs, ScenesReport};
use covista::render::Gpu;
use covista::scene::SceneList;
use covista::stream::{PairStream, Placed, StreamPlace};
use covista::train::augment::Augment;
use covista::train::checkpoint::Checkpoints;
use covista::train::save::begin_run;
use covista::train::step::Trainer;
use covista::train::weights::{Hints, ModelFile};
use covista::train::{Cadence, DataRecord, DeviceChoice, ModelSize, RunState, TrainConfig, TrainDevice};
use covista::view::ViewPair;

use self::session::Session;
use self::setup::Setup;
use super::common::{self, ConfigArgs, RankArgs, ScenesArgs};
use super::device;
use super::exit::Failure;
use super::open;

/// Arguments of `covista pretrain`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    #[command(flatten)]
    scenes: ScenesArgs,
    #[command(flatten)]
    rank: RankArgs,
    #[command(flatten)]
    config: ConfigArgs,
    /// Model size: micro, tiny, base, base_basedec or large [default: the profile's, tiny]
    #[arg(long)]
    model: Option<String>,
    /// Updates [default: the profile's, 300]
    #[arg(long, value_name = "N")]
    steps: Option<u64>,
    /// Pairs a batch [default: the profile's, 8]
    #[arg(long, value_name = "B")]
    batch: Option<usize>,
    /// Seed of scene positions, weights, masks and order [default: the profile's, 0]
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Where to train: auto, flex (CPU) or wgpu
    #[arg(long, default_value = "auto")]
    device: DeviceChoice,
    /// Devices of this machine that share the batches of each update (train.accumulate); their gradients are summed
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    devices: u16,
    /// Use the adapter whose name contains this
    #[arg(long, value_name = "NAME", env = "COVISTA_ADAPTER")]
    adapter: Option<String>,
    /// New folder for the run: its record, metrics, checkpoints and trained model; nothing is written without it
    #[arg(long, value_name = "RUN")]
    out: Option<PathBuf>,
    /// Go on with RUN from its newest whole checkpoint, with the scenes and settings that it remembers; --steps, --device and
    /// the flags that follow may be given anew
    #[arg(long, value_name = "RUN", conflicts_with_all = ["out", "model", "batch", "seed"])]
    resume: Option<PathBuf>,
    /// Write a checkpoint into RUN every N updates, and one when interrupted; 0 only then [default: 500]
    #[arg(long, value_name = "N")]
    save_every: Option<u64>,
    /// How many of the newest checkpoints stay, at least 1; the best by validation stays besides [default: 3]
    #[arg(long, value_name = "K")]
    keep: Option<usize>,
    /// Take the loss on held-out pairs every N updates; 0 never [default: 0]
    #[arg(long, value_name = "N")]
    validate_every: Option<u64>,
    /// Scene of the held-out pairs [default: other positions of the first scene, or a flat of its own where that is procedural:*]
    #[arg(long, value_name = "FILE|procedural[:SEED]")]
    validation_scene: Option<String>,
    /// Held-out pairs, 1 to 100000 [default: 32]
    #[arg(long, value_name = "P", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    validation_pairs: Option<u32>,
    /// Save a picture of masked view, reference, reconstruction and target of held-out pairs every N updates; 0 never [default: 0]
    #[arg(long, value_name = "N")]
    pictures_every: Option<u64>,
    /// Write an event file for TensorBoard beside metrics.jsonl and metrics.csv
    #[arg(long)]
    tensorboard: bool,
    /// Lines instead of the dashboard, also on a terminal
    #[arg(long)]
    plain: bool,
    /// Start from the weights of a file (.pth or safetensors, see `covista weights import`) or of another run
    #[arg(long, value_name = "FILE|RUN", conflicts_with = "resume")]
    init: Option<PathBuf>,
    /// One JSON object a step on stdout
    #[arg(long)]
    json: bool,
}

/// Runs `covista pretrain`.
pub fn run(args: Args) -> anyhow::Result<()> {
    if let Some(out) = args.out.as_ref().filter(|out| out.exists()) {
        return Err(Failure::output(format!(
            "the output folder exists already, name a new one: {}",
            out.display()
        )));
    }
    require_a_run(&args)?;
    let Setup {
        mut config,
        profile,
        sources,
        list,
        rank,
    } = Setup::of(&args)?;
    let list = Arc::new(list);
    config.train = apply_flags(config.train, &args)?;
    let interrupted = common::interrupt_flag()?;
    let devices = device::open(args.device, args.adapter.clone())?;
    let (mut trainer, before) = match &args.resume {
        Some(run) => resumed(run, &args, &devices.train)?,
        None => (Trainer::new(&config.train, &devices.train)?, RunState::default()),
    };
    if let Some(init) = &args.init {
        let weights = ModelFile::read(init, &Hints::default())?.parameters_for(&trainer.model().config())?;
        let mean = trainer.ema().map(|_| weights.clone());
        trainer.restore(weights, Vec::new(), mean, None, 0)?;
    }
    config.train = trainer.config().clone();
    let data = DataRecord {
        profile,
        sources,
        rank: rank.rank(),
        world_size: rank.world(),
        seed: config.train.seed,
        adapter: devices.gpu.adapter().to_string(),
        config_hash: config.data_hash(),
        config: config.to_json(),
        scenes: before.data.scenes,
    };
    let started_with = &before.data.config_hash;
    if args.resume.is_some() && !started_with.is_empty() && *started_with != data.config_hash {
        return Err(Failure::arguments(
            "--resume needs the profile and settings that the run was started with: the sections that decide which \
             pairs are made differ from those in its checkpoint",
        ));
    }
    let state = RunState {
        data,
        best: before.best,
        cadence: cadence(before.cadence, &args),
        stream: before.stream,
    };
    let trainer = trainer.with_devices(other_devices(&args, &devices.train, config.train.accumulate)?);
    eprintln!("rendering {} on {}", open::list_title(&list), devices.gpu.adapter());
    if rank.world() > 1 {
        eprintln!(
            "rank {} of {}: the scenes are shared, the model is not; --devices sums gradients inside one process, \
             nothing does between processes",
            rank.rank(),
            rank.world()
        );
    }
    let held_out = held_out::make(&state.cadence, &list, &devices.gpu, &config, &interrupted)?;
    let session = Session {
        run: args.resume.clone().or(args.out.clone()),
        fresh: args.resume.is_none(),
        plain: args.plain,
        json: args.json,
        adapter: devices.gpu.adapter().to_string(),
        interrupted,
        held_out,
    };
    let source = Source {
        gpu: &devices.gpu,
        list,
        config: &config,
        rank,
        place: state.stream.clone(),
    };
    // CroCo's second views depend on what the host sees in the first, and only the host changes colours and sizes.
    let stays = devices.shared
        && config.sampler.kind == SamplerKind::Sweep
        && config.train.augment == Augment::None
        && config.stream.shrink == 1;
    if stays {
        let (pairs, scenes) = source.pairs::<DevicePair>()?;
        let placed = pairs.map(|pair| pair.map(Placed::from));
        let stream = PairStream::spawn_placed(move || placed, &config.stream, source.draw_seed())?;
        let feed = DeviceStream::new(source.restored(stream), &devices.gpu)?;
        train(&session, feed, &scenes, state, trainer, args.out.as_deref())
    } else {
        let (pairs, scenes) = source.pairs::<ViewPair>()?;
        let stream = PairStream::spawn(move || pairs, &config.stream, source.draw_seed())?;
        train(
            &session,
            source.restored(stream),
            &scenes,
            state,
            trainer,
            args.out.as_deref(),
        )
    }
}

/// Where pairs come from.
struct Source<'a> {
    gpu: &'a Gpu,
    list: Arc<SceneList>,
    config: &'a Config,
    rank: Rank,
    /// Where the stream of the run stood, if it is resumed.
    place: Option<StreamPlace>,
}

impl Source<'_> {
    /// The scenes in turn, and what becomes of them.
    fn pairs<P: Harvest>(&self) -> anyhow::Result<(ScenePairs<P>, Arc<Mutex<ScenesReport>>)> {
        let config = open::scenes_config(self.config);
        let pairs = ScenePairs::new(
            self.gpu,
            Arc::clone(&self.list),
            config,
            self.config.train.seed,
            self.rank,
        )?;
        let report = pairs.report();
        let pairs = match &self.place {
            Some(place) => pairs.resumed(&place.ring),
            None => pairs,
        };
        Ok((pairs, report))
    }

    fn draw_seed(&self) -> u64 {
        self.rank.seed(self.config.train.seed)
    }

    fn restored<P: covista::stream::PairImages>(
        &self,
        stream: PairStream<GenerateError, P>,
    ) -> PairStream<GenerateError, P> {
        match &self.place {
            Some(place) => stream.restored(place),
            None => stream,
        }
    }
}

/// Trains on what `feed` gives, and tells what became of the scenes.
fn train<F: Feed<Error = GenerateError>>(
    session: &Session,
    mut feed: F,
    scenes: &Mutex<ScenesReport>,
    state: RunState,
    trainer: Trainer,
    out: Option<&Path>,
) -> anyhow::Result<()> {
    if state.stream.is_none() {
        // A checkpoint that did not keep the place: passing over what was seen gives the batches that follow.
        for _ in 0..trainer.updates() * trainer.config().accumulate as u64 {
            feed.next(trainer.config().batch)?;
            common::check(&session.interrupted)?;
        }
    }
    if let Some(out) = out {
        begin_run(out, &trainer, &state)?;
    }
    let outcome = session.train(&RefCell::new(feed), state, trainer);
    print_scenes(&scenes.lock().unwrap_or_else(PoisonError::into_inner));
    outcome
}

fn print_scenes(report: &ScenesReport) {
    eprintln!(
        "{} pairs of {} positions in {} turns; {} scenes read, at most {} held at a time",
        report.pairs, report.positions, report.turns, report.loads, report.most_in_memory
    );
    for skipped in &report.skipped {
        eprintln!(
            "passed over {} ({} turns): {}",
            skipped.scene, skipped.turns, skipped.reason
        );
    }
}

/// The devices beside the first.
fn other_devices(args: &Args, first: &TrainDevice, accumulate: usize) -> anyhow::Result<Vec<TrainDevice>> {
    let count = usize::from(args.devices);
    if count > accumulate {
        return Err(Failure::arguments(format!(
            "--devices {count} has no work for all of them: each update is {accumulate} batches; raise train.accumulate"
        )));
    }
    Ok(first.open_others(count)?)
}

/// Refuses what needs a folder to write to where none was named.
fn require_a_run(args: &Args) -> anyhow::Result<()> {
    let wanted = [
        ("--save-every", args.save_every.is_some_and(|every| every > 0)),
        ("--pictures-every", args.pictures_every.is_some_and(|every| every > 0)),
        ("--tensorboard", args.tensorboard),
    ];
    match wanted.iter().find(|(_, asked)| *asked) {
        Some((flag, _)) if args.out.is_none() && args.resume.is_none() => Err(Failure::arguments(format!(
            "{flag} needs --out RUN, the folder to write to"
        ))),
        _ => Ok(()),
    }
}

/// The flags over what the run was started with.
fn cadence(before: Cadence, args: &Args) -> Cadence {
    Cadence {
        save_every: args.save_every.unwrap_or(before.save_every),
        keep: args.keep.unwrap_or(before.keep).max(1),
        validate_every: args.validate_every.unwrap_or(before.validate_every),
        validation_pairs: args
            .validation_pairs
            .map_or(before.validation_pairs, |pairs| pairs as usize),
        validation_scene: args.validation_scene.clone().or(before.validation_scene),
        pictures_every: args.pictures_every.unwrap_or(before.pictures_every),
        tensorboard: args.tensorboard || before.tensorboard,
    }
}

/// The trainer that the newest whole checkpoint of `run` describes, and what the run carries besides.
fn resumed(run: &Path, args: &Args, device: &TrainDevice) -> anyhow::Result<(Trainer, RunState)> {
    let found = Checkpoints::new(run, 1).resume(device, |path, error| {
        eprintln!("passing over a damaged checkpoint: {error} ({})", path.display());
    })?;
    let (mut trainer, state) =
        found.ok_or_else(|| Failure::input(format!("no whole checkpoint to resume from: {}", run.display())))?;
    if let Some(steps) = args.steps {
        trainer.set_steps(steps);
    }
    eprintln!("resuming after {} updates", trainer.updates());
    Ok((trainer, state.run))
}

/// The flags over what the profile says, checked.
fn apply_flags(mut config: TrainConfig, args: &Args) -> anyhow::Result<TrainConfig> {
    if let Some(model) = &args.model {
        let name = serde_json::Value::String(model.clone());
        config.model = serde_json::from_value::<ModelSize>(name).map_err(|_| {
            Failure::arguments(format!(
                "unknown model `{model}`: use micro, tiny, base, base_basedec or large"
            ))
        })?;
    }
    config.steps = args.steps.unwrap_or(config.steps);
    config.batch = args.batch.unwrap_or(config.batch);
    config.seed = args.seed.unwrap_or(config.seed);
    config.validate().map_err(Failure::arguments)?;
    Ok(config)
}
