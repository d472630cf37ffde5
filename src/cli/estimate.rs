//! `covista estimate`: what a set of a given size will take, from a short measured sample of each scene.

mod sample;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use covista::config::Config;
use covista::render::{Gpu, GpuConfig};
use covista::scene::SceneList;
use covista::shard::{Plan, Source};
use serde::Serialize;

use super::clock::Spent;
use super::common::{self, ConfigArgs, ScenesArgs};
use super::exit::Failure;
use super::generate::Pictures;
use sample::Sample;

/// Arguments of `covista estimate`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    scenes: ScenesArgs,
    #[command(flatten)]
    config: ConfigArgs,
    /// Pairs that the set shall hold
    #[arg(long, value_name = "T", value_parser = clap::value_parser!(u64).range(1..))]
    pairs: u64,
    /// Hours until the set shall be there: how many machines like this one that takes
    #[arg(long, value_name = "H")]
    deadline_hours: Option<f64>,
    /// Scenes to sample, evenly spread over the list; the others count as their mean
    #[arg(long, value_name = "K", default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    sample_scenes: u64,
    /// Pairs to make of each of them
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
    /// Scenes of the list; endless invented flats count as one.
    scenes_listed: usize,
    /// Those that were sampled, each with its own share and that of scenes that were not.
    scenes: Vec<SceneShare>,
    /// Sampled scenes that cannot be used or gave no pair, and why: the others have to give their share.
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
    /// Times that it is opened for them.
    opened: u64,
    positions: u64,
    core_hours: f64,
    hours: f64,
    gigabytes: f64,
}

impl SceneShare {
    fn new(scene: String, sample: Sample, part: Part) -> Self {
        let rate = sample.pairs as f64 / sample.positions as f64;
        let positions = (part.pairs / rate).ceil();
        let bytes = part.pairs * sample.bytes_per_pair + positions * sample.bytes_per_position;
        let opened = part.blocks.max(1.0);
        let hours = |open: f64, position: f64| (opened * open + positions * position) / 3600.0;
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
            pairs: part.pairs.round() as u64,
            opened: opened.round() as u64,
            positions: positions as u64,
            core_hours: hours(sample.open.cpu_s, sample.per_position.cpu_s),
            hours: hours(sample.open.wall_s, sample.per_position.wall_s),
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
    let mut config = args.config.load()?;
    let list = args.scenes.list(&mut config)?;
    let parts = parts(&args, &config, &list)?;
    let stop = common::interrupt_flag()?;
    let gpu = Gpu::new(&GpuConfig {
        adapter: args.adapter.clone(),
    })?;
    let (samples, barren) = samples(&args, &config, &list, &gpu, &stop)?;
    let report = report(
        &args,
        list.entries().len(),
        gpu.adapter().to_string(),
        &parts,
        samples,
        barren,
    );
    if args.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print(&report);
    }
    Ok(())
}

/// What a run takes from one scene, before those are known that give nothing.
#[derive(Debug, Clone, Copy, Default)]
struct Part {
    pairs: f64,
    /// Turns of the scene.
    blocks: f64,
}

/// The part of each scene of the list, as `covista generate` cuts the run.
fn parts(args: &Args, config: &Config, list: &SceneList) -> anyhow::Result<Vec<Part>> {
    let source = |weight| Source { weight, quota: None };
    let sources: Vec<Source> = list.entries().iter().map(|entry| source(entry.weight)).collect();
    let mut parts = vec![Part::default(); sources.len()];
    for block in Plan::new(&sources, args.pairs, config.generate.block_pairs, args.seed)?.all() {
        if let Some(first) = block.shares.first() {
            parts[first.source].pairs += block.pairs as f64;
            parts[first.source].blocks += 1.0;
        }
    }
    // Few scenes stay open from turn to turn.
    if list.entries().len() <= config.generate.scenes_in_memory && list.finite().is_ok() {
        parts.iter_mut().for_each(|part| part.blocks = part.blocks.min(1.0));
    }
    Ok(parts)
}

/// A sample of each scene that is looked at, by its place in the list; and those that give nothing, by name.
type Samples = (Vec<(usize, String, Sample)>, BTreeMap<String, String>);

fn samples(args: &Args, config: &Config, list: &SceneList, gpu: &Gpu, stop: &AtomicBool) -> anyhow::Result<Samples> {
    let entries = list.entries();
    let looked_at = entries.len().min(args.sample_scenes as usize);
    let (mut samples, mut barren) = (Vec::new(), BTreeMap::new());
    for place in (0..looked_at).map(|number| number * entries.len() / looked_at) {
        common::check(stop)?;
        let (scene, name) = (&entries[place].scene, entries[place].scene.to_string());
        match sample::take(args, scene, config, gpu, stop) {
            Ok(sample) if sample.pairs > 0 => samples.push((place, name, sample)),
            Ok(sample) => {
                let reasons: Vec<String> = sample.refused.iter().map(|(r, n)| format!("{r} {n}")).collect();
                let why = format!("no pair in {} positions ({})", sample.positions, reasons.join(", "));
                barren.insert(name, why);
            }
            // One scene that cannot be used does not end a run of many.
            Err(error) if entries.len() > 1 && super::exit::is_input(&error) => {
                barren.insert(name, format!("{error:#}"));
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
    Ok((samples, barren))
}

fn report(
    args: &Args,
    scenes_listed: usize,
    adapter: String,
    parts: &[Part],
    samples: Vec<(usize, String, Sample)>,
    barren: BTreeMap<String, String>,
) -> Report {
    // Scenes that were not sampled, and those that give nothing, are made up for by the sampled ones.
    let sum = |of: fn(&Part) -> f64| samples.iter().map(|(place, ..)| of(&parts[*place])).sum::<f64>();
    let all = |of: fn(&Part) -> f64| parts.iter().map(of).sum::<f64>();
    let (pairs, blocks) = (sum(|part| part.pairs), sum(|part| part.blocks));
    let even = 1.0 / samples.len() as f64;
    let share = |own: f64, sum: f64| if sum > 0.0 { own / sum } else { even };
    let scenes: Vec<SceneShare> = samples
        .into_iter()
        .map(|(place, name, sample)| {
            let part = Part {
                pairs: all(|part| part.pairs) * share(parts[place].pairs, pairs),
                blocks: all(|part| part.blocks) * share(parts[place].blocks, blocks),
            };
            SceneShare::new(name, sample, part)
        })
        .collect();
    let positions: u64 = scenes.iter().map(|scene| scene.positions).sum();
    let variance: f64 = scenes.iter().map(|scene| scene.positions_error().powi(2)).sum();
    let hours = scenes.iter().map(|scene| scene.hours).sum();
    Report {
        pairs: args.pairs,
        adapter,
        threads: rayon::current_num_threads(),
        scenes_listed,
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
            "  {} pairs take {} positions, {:.2} core-hours, {:.2} hours, {:.2} GB; opened {} times",
            scene.pairs, scene.positions, scene.core_hours, scene.hours, scene.gigabytes, scene.opened
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
