//! `covista pretrain`.

use std::io::Write;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use covista::generate::GenerateError;
use covista::stream::{PairBatch, PairStream, StreamError};
use covista::train::save::save_run;
use covista::train::{DeviceChoice, ModelSize, StepReport, StopReason, TrainConfig, TrainDevice, TrainSummary, train};

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
    let interrupted = common::interrupt_flag()?;
    let walkable = Walkable::open(&args.scene, &mut config)?;
    let devices = device::open(args.device, args.adapter.clone())?;
    eprintln!("rendering {} on {}", walkable.scene.name, devices.gpu.adapter());
    let generator = walkable.generator(&devices.gpu, &config, config.train.seed)?;
    let tries = config.generate.max_positions_per_pair;
    let mut stream = PairStream::spawn(move || generator.into_pairs(tries), &config.stream, config.train.seed)?;
    let batches = stream.batches(config.train.batch);
    pretrain(batches, &config.train, &devices.train, &args, &interrupted)
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
    config: &TrainConfig,
    device: &TrainDevice,
    args: &Args,
    interrupted: &AtomicBool,
) -> anyhow::Result<()> {
    eprintln!(
        "training {:?} on {}: {} steps of {} pairs, peak learning rate {:.2e}",
        config.model,
        device.name(),
        config.steps,
        config.effective_batch(),
        config.peak_lr()
    );
    let mut broken_pipe = None;
    let (summary, trainer) = train(batches, config, device, |report| {
        if let Err(error) = print_step(report, config.steps, args.json) {
            broken_pipe = Some(error);
            return ControlFlow::Break(());
        }
        if interrupted.load(Ordering::SeqCst) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })?;
    if let Some(error) = broken_pipe {
        return Err(Failure::output(format!("cannot write to stdout: {error}")));
    }
    print_summary(&summary);
    if summary.stopped == StopReason::Interrupted {
        return Err(Failure::interrupted(format!(
            "interrupted after {} steps",
            summary.steps
        )));
    }
    if let Some(out) = &args.out {
        save_run(out, &trainer, &summary)?;
        eprintln!("wrote {}", out.display());
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
