//! `covista pretrain`.

use std::io::Write;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use covista::stream::PairBatch;
use covista::train::save::save_run;
use covista::train::{DeviceChoice, ModelSize, StepReport, StopReason, TrainConfig, TrainDevice, TrainSummary, train};

use super::exit::Failure;

/// Arguments of `covista pretrain`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Scene file, or procedural[:SEED]
    #[arg(long)]
    pub scene: String,
    /// Up axis of the scene: y or z (default: found from the file)
    #[arg(long)]
    pub up: Option<String>,
    /// Profile of the generator, by name or path
    #[arg(long, default_value = "covista")]
    pub profile: String,
    /// Override a configuration key, e.g. --set train.lr=5e-4
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Model size: micro, tiny, base or base_basedec [default: tiny]
    #[arg(long)]
    pub model: Option<String>,
    /// Updates [default: 300]
    #[arg(long)]
    pub steps: Option<u64>,
    /// Pairs a batch [default: 8]
    #[arg(long)]
    pub batch: Option<usize>,
    /// Seed of scene positions, weights, masks and order [default: 0]
    #[arg(long)]
    pub seed: Option<u64>,
    /// Where to train: auto, flex (CPU) or wgpu
    #[arg(long, default_value = "auto")]
    pub device: DeviceChoice,
    /// New folder for the trained model; nothing is written without it
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// One JSON object a step on stdout
    #[arg(long)]
    pub json: bool,
}

/// What the generator hands to the trainer: batches without end, and the device to train on.
pub struct Source {
    /// Batches of the size and image side of the configuration.
    pub batches: Box<dyn Iterator<Item = anyhow::Result<PairBatch>>>,
    /// Opened together with the renderer, so that both can share one graphics device.
    pub device: TrainDevice,
}

/// Runs `covista pretrain`.
pub fn run(args: Args) -> anyhow::Result<()> {
    let config = resolve(&args)?;
    if let Some(out) = args.out.as_ref().filter(|out| out.exists()) {
        return Err(Failure::output(format!(
            "the output folder exists already, name a new one: {}",
            out.display()
        )));
    }
    let interrupted = catch_interrupt()?;
    let source = open_source(&args, &config)?;
    pretrain(source, &config, &args, &interrupted)
}

/// THE SEAM. Opens scene, generator and device and starts the stream of pairs: `config.batch` pairs of
/// `config.image` pixels a batch, positions drawn from `config.seed`.
fn open_source(_args: &Args, _config: &TrainConfig) -> anyhow::Result<Source> {
    anyhow::bail!("the generator is not wired to pretrain yet")
}

/// THE SEAM. The training settings: the `[train]` table of the profile with `--set`, then the flags.
fn resolve(args: &Args) -> anyhow::Result<TrainConfig> {
    apply_flags(TrainConfig::default(), args)
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

/// A flag that Ctrl-C (or a termination signal) raises; the second one ends the process at once.
fn catch_interrupt() -> anyhow::Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    let raised = Arc::clone(&flag);
    ctrlc::set_handler(move || {
        if raised.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
    })
    .context("cannot catch Ctrl-C")?;
    Ok(flag)
}

/// Trains, prints, and saves when asked.
fn pretrain(source: Source, config: &TrainConfig, args: &Args, interrupted: &AtomicBool) -> anyhow::Result<()> {
    let Source { batches, device } = source;
    eprintln!(
        "training {:?} on {}: {} steps of {} pairs, peak learning rate {:.2e}",
        config.model,
        device.name(),
        config.steps,
        config.effective_batch(),
        config.peak_lr()
    );
    let mut broken_pipe = None;
    let (summary, trainer) = train(batches, config, &device, |report| {
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
        let message = format!("interrupted after step {}", summary.steps.saturating_sub(1));
        return Err(Failure { code: 130, message }.into());
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
