//! `covista pretrain`.

use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use covista::generate::GenerateError;
use covista::stream::{PairBatch, PairStream, StreamError};
use covista::train::checkpoint::Checkpoints;
use covista::train::run::drive;
use covista::train::save::{finish_run, save_run};
use covista::train::step::Trainer;
use covista::train::{DeviceChoice, ModelSize, StepReport, StopReason, TrainConfig, TrainDevice, TrainSummary};

use super::common::{self, ConfigArgs, SceneArgs};
use super::device;
use super::exit::Failure;
use super::open::Walkable;

/// Arguments of `covista pretrain`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    #[command(flatten)]
    scene: SceneArgs,
    #[command(flatten)]
    config: ConfigArgs,
    /// Model size: micro, tiny, base or base_basedec [default: the profile's, tiny]
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
    /// Use the adapter whose name contains this
    #[arg(long, value_name = "NAME", env = "COVISTA_ADAPTER")]
    adapter: Option<String>,
    /// New folder for the trained model; nothing is written without it
    #[arg(long, value_name = "RUN")]
    out: Option<PathBuf>,
    /// Write a checkpoint into RUN every N updates, and one when interrupted; 0 writes none
    #[arg(long, value_name = "N", default_value_t = 0)]
    save_every: u64,
    /// How many of the newest checkpoints stay
    #[arg(long, value_name = "K", default_value_t = 3)]
    keep: usize,
    /// Go on with RUN from its newest whole checkpoint: its training settings, with the same scene and profile given again
    #[arg(long, value_name = "RUN", conflicts_with_all = ["out", "model", "batch", "seed"])]
    resume: Option<PathBuf>,
    /// One JSON object a step on stdout
    #[arg(long)]
    json: bool,
}

/// Runs `covista pretrain`.
pub fn run(args: Args) -> anyhow::Result<()> {
    let mut config = args.config.load()?;
    config.train = apply_flags(config.train, &args)?;
    if let Some(out) = args.out.as_ref().filter(|out| out.exists()) {
        return Err(Failure::output(format!(
            "the output folder exists already, name a new one: {}",
            out.display()
        )));
    }
    if args.save_every > 0 && args.out.is_none() && args.resume.is_none() {
        return Err(Failure::arguments(
            "--save-every needs --out RUN, the folder for the checkpoints",
        ));
    }
    let interrupted = common::interrupt_flag()?;
    let walkable = Walkable::open(&args.scene, &mut config)?;
    let devices = device::open(args.device, args.adapter.clone())?;
    let trainer = match &args.resume {
        Some(run) => resumed(run, &args, &devices.train)?,
        None => Trainer::new(&config.train, &devices.train)?,
    };
    config.train = trainer.config().clone();
    eprintln!("rendering {} on {}", walkable.scene.name, devices.gpu.adapter());
    let generator = walkable.generator(&devices.gpu, &config, config.train.seed)?;
    let tries = config.generate.max_positions_per_pair;
    let mut stream = PairStream::spawn(move || generator.into_pairs(tries), &config.stream, config.train.seed)?;
    // The stream is a function of its seed: passing over what was seen gives the batches that follow.
    let seen = trainer.updates() as usize * config.train.accumulate;
    let batches = stream.batches(config.train.batch).skip(seen);
    pretrain(batches, trainer, &devices.train, &args, &interrupted)
}

/// The trainer that the newest whole checkpoint of `run` describes.
fn resumed(run: &Path, args: &Args, device: &TrainDevice) -> anyhow::Result<Trainer> {
    let found = Checkpoints::new(run, args.keep).resume(device, |path, error| {
        eprintln!("passing over a damaged checkpoint: {error} ({})", path.display());
    })?;
    let mut trainer =
        found.ok_or_else(|| Failure::input(format!("no whole checkpoint to resume from: {}", run.display())))?;
    if let Some(steps) = args.steps {
        trainer.set_steps(steps);
    }
    eprintln!("resuming after {} updates", trainer.updates());
    Ok(trainer)
}

/// The flags over what the profile says, checked.
fn apply_flags(mut config: TrainConfig, args: &Args) -> anyhow::Result<TrainConfig> {
    if let Some(model) = &args.model {
        let name = serde_json::Value::String(model.clone());
        config.model = serde_json::from_value::<ModelSize>(name).map_err(|_| {
            Failure::arguments(format!(
                "unknown model `{model}`: use micro, tiny, base or base_basedec"
            ))
        })?;
    }
    config.steps = args.steps.unwrap_or(config.steps);
    config.batch = args.batch.unwrap_or(config.batch);
    config.seed = args.seed.unwrap_or(config.seed);
    config.validate().map_err(Failure::arguments)?;
    Ok(config)
}

/// Trains, prints, and saves when asked.
fn pretrain(
    batches: impl Iterator<Item = Result<PairBatch, StreamError<GenerateError>>>,
    mut trainer: Trainer,
    device: &TrainDevice,
    args: &Args,
    interrupted: &AtomicBool,
) -> anyhow::Result<()> {
    let config = trainer.config().clone();
    eprintln!(
        "training {:?} on {}: {} steps of {} pairs, peak learning rate {:.2e}",
        config.model,
        device.name(),
        config.steps,
        config.effective_batch(),
        config.peak_lr()
    );
    let run = args.resume.as_ref().or(args.out.as_ref());
    let checkpoints = run
        .filter(|_| args.save_every > 0)
        .map(|run| Checkpoints::new(run, args.keep));
    let mut failure: Option<anyhow::Error> = None;
    let summary = drive(&mut trainer, batches, |report, trainer| {
        let stop = interrupted.load(Ordering::SeqCst);
        let after = || -> anyhow::Result<()> {
            print_step(report, config.steps, args.json)
                .map_err(|error| Failure::output(format!("cannot write to stdout: {error}")))?;
            if let Some(checkpoints) = &checkpoints
                && (stop || trainer.updates().is_multiple_of(args.save_every))
            {
                checkpoints.write(trainer)?;
            }
            Ok(())
        };
        failure = after().err();
        if stop || failure.is_some() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })?;
    if let Some(error) = failure {
        return Err(error);
    }
    print_summary(&summary);
    if summary.stopped == StopReason::Interrupted {
        return Err(Failure::interrupted(format!(
            "interrupted after {} steps",
            summary.steps
        )));
    }
    if let Some(run) = run {
        if run.exists() {
            finish_run(run, &trainer, &summary)?;
        } else {
            save_run(run, &trainer, &summary)?;
        }
        eprintln!("wrote {}", run.display());
    }
    Ok(())
}

fn print_step(report: &StepReport, steps: u64, json: bool) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    if json {
        serde_json::to_writer(&mut out, report)?;
        writeln!(out)?;
    } else {
        writeln!(
            out,
            "step {:>5}/{steps}  loss {:.4}  lr {:.2e}  grad {:.3}  {:.1} pairs/s  waiting {:.1} %",
            report.step + 1,
            report.loss,
            report.lr,
            report.grad_norm,
            report.pairs_per_s,
            100.0 * report.data_wait
        )?;
    }
    out.flush()
}

fn print_summary(summary: &TrainSummary) {
    eprintln!(
        "{} steps, {} pairs in {:.1} s: {:.1} pairs/s, {:.1} % of it waiting for data; loss {:.3} -> {:.3}",
        summary.steps,
        summary.pairs,
        summary.seconds,
        summary.pairs_per_s,
        100.0 * summary.data_wait,
        summary.first_loss,
        summary.last_loss
    );
}
