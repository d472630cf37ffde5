//! `covista bench train`: seconds of one update on random pictures, as `torch_croco.py bench` measures it.

use std::time::Instant;

use covista::stream::PairBatch;
use covista::train::step::Trainer;
use covista::train::{TrainConfig, TrainDevice};
use serde::de::DeserializeOwned;

use super::exit::Failure;

/// Arguments of `covista bench train`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Kind of model: croco, mimic or mae
    #[arg(long, default_value = "croco")]
    pub architecture: String,
    /// Model size: micro, tiny, base, base_basedec or large
    #[arg(long, default_value = "tiny")]
    pub model: String,
    /// Decoder: auto, micro, tiny, small or base
    #[arg(long, default_value = "auto")]
    pub decoder: String,
    /// Position code: cosine or rope
    #[arg(long, default_value = "cosine")]
    pub pos: String,
    /// Pairs a batch
    #[arg(long, default_value_t = 4)]
    pub batch: usize,
    /// Timed updates, after one that is not
    #[arg(long, default_value_t = 5)]
    pub steps: usize,
    /// One JSON object on stdout
    #[arg(long)]
    pub json: bool,
}

/// Runs `covista bench train` on the CPU. `RAYON_NUM_THREADS` sets the threads.
pub fn run(args: Args) -> anyhow::Result<()> {
    let config = TrainConfig {
        architecture: named("--architecture", &args.architecture)?,
        model: named("--model", &args.model)?,
        decoder: named("--decoder", &args.decoder)?,
        pos: named("--pos", &args.pos)?,
        batch: args.batch,
        ..TrainConfig::default()
    };
    config.validate().map_err(Failure::arguments)?;
    let mut trainer = Trainer::new(&config, &TrainDevice::flex())?;
    let batch = [noise(args.batch, config.image)];
    let steps = args.steps.max(1);
    trainer.update(&batch)?;
    let mut wall = Vec::with_capacity(steps);
    let cpu_at = cpu_seconds();
    for _ in 0..steps {
        let at = Instant::now();
        trainer.update(&batch)?;
        wall.push(at.elapsed().as_secs_f64());
    }
    // The system counts in ticks of 10 ms: only the sum over the steps is fine enough.
    let (wall, cpu) = (median(wall), (cpu_seconds() - cpu_at) / steps as f64);
    let pairs_per_s = args.batch as f64 / wall;
    let peak_mb = peak_memory_mb();
    if args.json {
        println!(
            "{}",
            serde_json::json!({"architecture": args.architecture, "model": args.model, "decoder": args.decoder, "pos": args.pos, "batch": args.batch, "threads": rayon::current_num_threads(),
                "cpu_s_per_step": cpu, "wall_s_per_step": wall, "pairs_per_s": pairs_per_s, "peak_mb": peak_mb})
        );
    } else {
        println!(
            "{} {}, batch {}, {} threads: {wall:.3} s a step ({cpu:.3} CPU s), {pairs_per_s:.2} pairs/s, peak {peak_mb:.0} MB",
            args.model,
            args.pos,
            args.batch,
            rayon::current_num_threads()
        );
    }
    Ok(())
}

/// The value that the configuration knows by this name.
fn named<T: DeserializeOwned>(flag: &str, name: &str) -> anyhow::Result<T> {
    let value = serde_json::Value::String(name.to_owned());
    serde_json::from_value(value).map_err(|error| Failure::arguments(format!("{flag}: {error}")))
}

fn noise(count: usize, side: usize) -> PairBatch {
    let mut rng = covista::rng::Rng::stream(0, "bench", &[]);
    let mut view = || (0..count * side * side * 3).map(|_| rng.next_u64() as u8).collect();
    PairBatch {
        first: view(),
        second: view(),
        shape: [count, side, side, 3],
        overlaps: vec![Default::default(); count],
        indices: (0..count as u64).collect(),
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// User and system time of this process, s; 0 where the system does not tell.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name in parentheses may hold blanks; fields 14 and 15 are clock ticks of 10 ms.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |i: usize| fields.get(i).and_then(|f| f.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}

/// Largest resident size of this process so far, MB; 0 where the system does not tell.
fn peak_memory_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kb = line.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
    kb.unwrap_or(0.0) / 1024.0
}
