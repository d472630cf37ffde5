//! `covista bench generate`: pairs a second from scene to folder, and the CPU time of each stage.
//!
//! Each number of threads is measured in a process of its own, held to as many cores: a software
//! adapter reads its number of threads once, when its driver is loaded.

mod measure;
mod stages;

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

use super::clock::Spent;
use super::common::{ConfigArgs, SceneArgs};
use super::exit::Failure;
use stages::Stages;

/// Arguments of `covista bench generate`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    scene: SceneArgs,
    #[command(flatten)]
    config: ConfigArgs,
    /// 24 cameras in capture order, as `covista render` takes them: every position is drawn from these, and nothing is written
    #[arg(long, value_name = "CAMS.json")]
    cameras: Option<PathBuf>,
    /// Positions to try
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u64).range(2..=1_000_000))]
    positions: u64,
    /// Numbers of threads (and cores) to measure, separated by commas, 1 to 1024
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "1,2", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Vec<u16>,
    /// Seed of every random draw
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// Use the adapter whose name contains this
    #[arg(long, value_name = "NAME", env = "COVISTA_ADAPTER")]
    adapter: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Measure in this very process, with the threads that its environment sets
    #[arg(long, hide = true)]
    inside: bool,
}

/// What is printed.
#[derive(Debug, Serialize)]
struct Report {
    /// One a number of threads.
    runs: Vec<Run>,
    /// Wall time of a position with the first number of threads over that with the last.
    scaling: Option<f64>,
    /// Processes that were ready to run on this machine meanwhile, mean over the last minute.
    load_average: Option<f64>,
}

/// One number of threads.
#[derive(Debug, Serialize, Deserialize)]
struct Run {
    threads: usize,
    /// Held to as many cores as threads.
    pinned: bool,
    scene: String,
    triangles: usize,
    adapter: String,
    /// Reading the scene.
    load: Spent,
    /// Reading or building the navmesh.
    navmesh: Spent,
    /// Opening the adapter, compiling shaders, uploading the scene.
    upload: Spent,
    /// Positions tried.
    positions: u64,
    /// Pairs kept (and written, unless cameras were given).
    pairs: u64,
    /// From the first position to the last, after a warm-up, loading not counted.
    total: Spent,
    positions_per_s: f64,
    pairs_per_s: f64,
    per_position: Spent,
    /// CPU time of a million pairs, hours; null where no pair was kept.
    core_hours_per_million_pairs: Option<f64>,
    /// Share of each stage in a position, measured one after the other; null where a sampler or measure other than
    /// the sweep and the homography decides.
    stages: Option<Stages>,
    /// Drawing the given cameras and measuring all 8 x 16 pairs, whatever the gates say, without the truth; null
    /// without cameras.
    all_pairs: Option<Spent>,
}

/// Runs `covista bench generate`.
pub fn run(args: Args) -> anyhow::Result<()> {
    if args.inside {
        println!("{}", serde_json::to_string(&measure::run(&args)?)?);
        return Ok(());
    }
    // Mistakes in the configuration are told once, by this process.
    args.config.load()?;
    let runs = args
        .threads
        .iter()
        .map(|&threads| apart(usize::from(threads)))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let scaling = match (runs.first(), runs.last()) {
        (Some(few), Some(many)) if runs.len() > 1 => Some(few.per_position.wall_s / many.per_position.wall_s),
        _ => None,
    };
    let report = Report {
        runs,
        scaling,
        load_average: load_average(),
    };
    if args.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print(&report);
    }
    Ok(())
}

/// Measures in a process of its own: the same command line, with `--inside`.
fn apart(threads: usize) -> anyhow::Result<Run> {
    let program = std::env::current_exe()?;
    let cores = cores(threads);
    let mut command = match &cores {
        Some(cores) => {
            let mut command = Command::new("taskset");
            command.args(["-c", cores]).arg(&program);
            command
        }
        None => Command::new(&program),
    };
    command
        .args(std::env::args_os().skip(1))
        .arg("--inside")
        .env("RAYON_NUM_THREADS", threads.to_string());
    let raster = crate::raster_threads(threads).map_or_else(|| threads.to_string(), str::to_owned);
    let output = command
        .env("LP_NUM_THREADS", raster)
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        let code = output.status.code().and_then(|code| u8::try_from(code).ok());
        return Err(Failure {
            code: code.unwrap_or(1),
            message: format!("the measurement with {threads} threads failed; the reason stands above"),
        }
        .into());
    }
    let mut run: Run = serde_json::from_slice(&output.stdout)?;
    run.threads = threads;
    run.pinned = cores.is_some();
    Ok(run)
}

/// The first so many cores that this process may use, as `taskset` takes them; `None` where the system does not
/// tell, has fewer, or has no `taskset`.
fn cores(count: usize) -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let list = status
        .lines()
        .find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?;
    let mut allowed = Vec::new();
    for range in list.trim().split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        allowed.extend(first.parse::<usize>().ok()?..=last.parse().ok()?);
    }
    let found = Command::new("taskset")
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if allowed.len() < count || !found.is_ok_and(|status| status.success()) {
        return None;
    }
    let names: Vec<String> = allowed.iter().take(count).map(usize::to_string).collect();
    Some(names.join(","))
}

/// The load average of the last minute, where the system tells.
fn load_average() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/loadavg").ok()?;
    text.split_whitespace().next()?.parse().ok()
}

fn print(report: &Report) {
    for run in &report.runs {
        let ms = |spent: Spent| format!("{:8.2} ms CPU {:8.2} ms wall", 1e3 * spent.cpu_s, 1e3 * spent.wall_s);
        println!(
            "{} ({} triangles) on {}, {} thread{}{}",
            run.scene,
            run.triangles,
            run.adapter,
            run.threads,
            if run.threads == 1 { "" } else { "s" },
            if run.pinned { "" } else { ", not held to cores" },
        );
        println!(
            "  {} positions, {} pairs: {:.2} positions/s, {:.2} pairs/s{}",
            run.positions,
            run.pairs,
            run.positions_per_s,
            run.pairs_per_s,
            run.core_hours_per_million_pairs.map_or(String::new(), |hours| format!(
                ", {hours:.0} core-hours a million pairs"
            )),
        );
        for (name, spent) in [("load", run.load), ("navmesh", run.navmesh), ("upload", run.upload)] {
            println!("  {name:18} {}  once", ms(spent));
        }
        for (name, spent) in run.stages.iter().flat_map(Stages::named) {
            println!("  {name:18} {}  a position", ms(spent));
        }
        println!(
            "  {:18} {}  a position, stages overlapping",
            "whole",
            ms(run.per_position)
        );
        if let Some(spent) = run.all_pairs {
            println!("  {:18} {}  24 frames, 128 pairs", "frames, selection", ms(spent));
        }
    }
    if let Some(scaling) = report.scaling {
        println!("  wall time, first over last: {scaling:.2}x");
    }
}
