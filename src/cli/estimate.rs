//! `covista estimate`: what a set of a given size will take, from a short measured sample of each scene.

mod sample;

use std::collections::BTreeMap;

use covista::render::{Gpu, GpuConfig};
use serde::Serialize;

use super::clock::Spent;
use super::common::{self, ConfigArgs, SceneArgs, UpArg};
use super::exit::Failure;
use super::generate::Pictures;
use sample::Sample;

/// Arguments of `covista estimate`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Scene file or procedural[:SEED], as `covista generate` takes it; may be repeated, each scene gives an equal share
    #[arg(long = "scene", value_name = "FILE|procedural[:SEED]", required = true)]
    scenes: Vec<String>,
    /// Up axis of the files; by default Z for Habitat stages and Y for everything else
    #[arg(long, value_name = "y|z|auto")]
    up: Option<UpArg>,
    #[command(flatten)]
    config: ConfigArgs,
    /// Pairs that the set shall hold
    #[arg(long, value_name = "T", value_parser = clap::value_parser!(u64).range(1..))]
    pairs: u64,
    /// Hours until the set shall be there: how many machines like this one that takes
    #[arg(long, value_name = "H")]
    deadline_hours: Option<f64>,
    /// Pairs to make of each scene for the sample
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    sample_pairs: u64,
    /// Longest time that the sample of one scene may take, seconds
    #[arg(long, value_name = "S", default_value_t = 120.0)]
    sample_seconds: f64,
    /// Seed of every random draw; the sample is the begin of the run with that seed
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// How pictures would be stored
    #[arg(long, value_enum, default_value_t = Pictures::Png)]
    pictures: Pictures,
    /// Use the adapter whose name contains this
    #[arg(long, value_name = "NAME", env = "COVISTA_ADAPTER")]
    adapter: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What is printed.
#[derive(Debug, Serialize)]
struct Report {
    /// Pairs asked for.
    pairs: u64,
    adapter: String,
    /// Threads that the sample ran on.
    threads: usize,
    scenes: Vec<SceneShare>,
    /// Scenes that cannot be used or gave no pair, and why: the others have to give their share.
    barren: BTreeMap<String, String>,
    /// Positions that will be tried.
    positions: u64,
    /// CPU time, hours.
    core_hours: f64,
    /// Wall time on one machine like this one, as busy as it was during the sample, hours.
    hours: f64,
    /// Size of the set, 10^9 bytes.
    gigabytes: f64,
    /// Standard error of positions and hours that the size of the sample leaves, relative.
    relative_error: f64,
    deadline_hours: Option<f64>,
    /// Machines like this one that meet the deadline.
    machines: Option<u64>,
}

/// What one scene was measured to give, and its share of the set.
#[derive(Debug, Serialize)]
struct SceneShare {
    scene: String,
    /// Reading, navmesh and upload, each time that the scene is opened.
    open: Spent,
    sampled_positions: u64,
    sampled_pairs: u64,
    /// Pairs a position.
    pairs_per_position: f64,
    /// Its standard error.
    pairs_per_position_error: f64,
    per_position: Spent,
    bytes_per_pair: f64,
    /// Refused positions of the sample, by reason.
    refused: BTreeMap<String, u64>,
    /// Pairs that the scene has to give.
    pairs: u64,
    positions: u64,
    core_hours: f64,
    hours: f64,
    gigabytes: f64,
}

impl SceneShare {
    fn new(scene: String, sample: Sample, pairs: u64) -> Self {
        let rate = sample.pairs as f64 / sample.positions as f64;
        let positions = (pairs as f64 / rate).ceil();
        let bytes = pairs as f64 * sample.bytes_per_pair + positions * sample.bytes_per_position;
        Self {
            scene,
            open: sample.open,
            sampled_positions: sample.positions,
            sampled_pairs: sample.pairs,
            pairs_per_position: rate,
            pairs_per_position_error: (rate * (1.0 - rate).max(0.0) / sample.positions as f64).sqrt(),
            per_position: sample.per_position,
            bytes_per_pair: sample.bytes_per_pair,
            refused: sample.refused,
            pairs,
            positions: positions as u64,
            core_hours: (sample.open.cpu_s + positions * sample.per_position.cpu_s) / 3600.0,
            hours: (sample.open.wall_s + positions * sample.per_position.wall_s) / 3600.0,
            gigabytes: bytes / 1e9,
        }
    }

    /// Standard error of the positions that the share takes.
    fn positions_error(&self) -> f64 {
        self.positions as f64 * self.pairs_per_position_error / self.pairs_per_position
    }
}

/// Runs `covista estimate`.
pub fn run(args: Args) -> anyhow::Result<()> {
    let positive = |value: f64| value.is_finite() && value > 0.0;
    if !positive(args.sample_seconds) || !args.deadline_hours.is_none_or(positive) {
        return Err(Failure::arguments(
            "--sample-seconds and --deadline-hours must be numbers above 0",
        ));
    }
    args.config.load()?;
    let stop = common::interrupt_flag()?;
    let gpu = Gpu::new(&GpuConfig {
        adapter: args.adapter.clone(),
    })?;
    let (mut samples, mut barren) = (Vec::new(), BTreeMap::new());
    for name in &args.scenes {
        let scene = SceneArgs {
            scene: name.clone(),
            up: args.up,
        };
        common::check(&stop)?;
        match sample::take(&args, &scene, &gpu, &stop) {
            Ok(sample) if sample.pairs > 0 => samples.push((name.clone(), sample)),
            Ok(sample) => {
                let reasons: Vec<String> = sample.refused.iter().map(|(r, n)| format!("{r} {n}")).collect();
                let why = format!("no pair in {} positions ({})", sample.positions, reasons.join(", "));
                barren.insert(name.clone(), why);
            }
            // One scene that cannot be used does not end a run of many.
            Err(error) if args.scenes.len() > 1 && super::exit::is_input(&error) => {
                barren.insert(name.clone(), format!("{error:#}"));
            }
            Err(error) => return Err(error),
        }
    }
    if samples.is_empty() {
        let reasons: Vec<String> = barren.iter().map(|(name, why)| format!("{name}: {why}")).collect();
        return Err(Failure::input(format!(
            "no scene gave a pair within --sample-seconds: {}",
            reasons.join("; ")
        )));
    }
    let report = report(&args, gpu.adapter().to_string(), samples, barren);
    if args.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print(&report);
    }
    Ok(())
}

fn report(args: &Args, adapter: String, samples: Vec<(String, Sample)>, barren: BTreeMap<String, String>) -> Report {
    let count = samples.len() as u64;
    let share = |place: u64| args.pairs / count + u64::from(place < args.pairs % count);
    let scenes: Vec<SceneShare> = samples
        .into_iter()
        .zip(0..)
        .map(|((name, sample), place)| SceneShare::new(name, sample, share(place)))
        .collect();
    let positions: u64 = scenes.iter().map(|scene| scene.positions).sum();
    let variance: f64 = scenes.iter().map(|scene| scene.positions_error().powi(2)).sum();
    let hours = scenes.iter().map(|scene| scene.hours).sum();
    Report {
        pairs: args.pairs,
        adapter,
        threads: rayon::current_num_threads(),
        barren,
        positions,
        core_hours: scenes.iter().map(|scene| scene.core_hours).sum(),
        hours,
        gigabytes: scenes.iter().map(|scene| scene.gigabytes).sum(),
        relative_error: variance.sqrt() / positions.max(1) as f64,
        deadline_hours: args.deadline_hours,
        machines: args
            .deadline_hours
            .map(|deadline| (hours / deadline).ceil().max(1.0) as u64),
        scenes,
    }
}

fn print(report: &Report) {
    for scene in &report.scenes {
        println!(
            "{}: {:.1} +- {:.1} % of positions give a pair ({} of {}), {:.3} CPU s a position, {:.0} kB a pair",
            scene.scene,
            100.0 * scene.pairs_per_position,
            100.0 * scene.pairs_per_position_error,
            scene.sampled_pairs,
            scene.sampled_positions,
            scene.per_position.cpu_s,
            scene.bytes_per_pair / 1e3,
        );
        println!(
            "  {} pairs take {} positions, {:.2} core-hours, {:.2} hours, {:.2} GB",
            scene.pairs, scene.positions, scene.core_hours, scene.hours, scene.gigabytes
        );
    }
    for (scene, why) in &report.barren {
        println!("{scene}: gives nothing: {why}");
    }
    println!(
        "{} pairs on {} with {} threads: {} positions +- {:.0} %, {:.2} core-hours, {:.2} hours on one machine like this, {:.2} GB",
        report.pairs,
        report.adapter,
        report.threads,
        report.positions,
        100.0 * report.relative_error,
        report.core_hours,
        report.hours,
        report.gigabytes
    );
    if let (Some(machines), Some(deadline)) = (report.machines, report.deadline_hours) {
        println!("{machines} machines like this one finish it within {deadline} hours");
    }
}
