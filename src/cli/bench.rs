//! `covista bench`: seconds of each step on this machine.

use std::path::PathBuf;
use std::time::Instant;

use covista::features::Level;
use covista::features::homography::{Homography, inverse};
use covista::features::matching::Match;
use covista::features::ransac::Estimate;
use covista::overlap::{ViewFeatures, homography_of, match_views, view_features, vote};
use covista::select::{pair_seed, select_measuring_all};
use image::RgbImage;
use rayon::prelude::*;
use serde::Serialize;

use super::common::ConfigArgs;
use super::exit::Failure;
use super::picture::{FIRST, read_picture, sweep_pictures};

/// Arguments of `covista bench`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// The overlap metric, step by step, over 8 x 16 pairs of views
    Overlap(OverlapArgs),
    /// Pairs from scene to folder: pairs a second and the CPU time of each stage
    Generate(super::bench_generate::Args),
    /// Colour and depth of a scene, with the split into culling, drawing and readback
    Render(super::bench_render::Args),
    /// One training update on random pictures
    #[cfg(feature = "train")]
    Train(super::bench_train::Args),
}

/// Arguments of `covista bench overlap`.
#[derive(Debug, clap::Args)]
pub struct OverlapArgs {
    /// Folder of 24 pictures in name order
    #[arg(long, value_name = "DIR")]
    views: PathBuf,
    #[command(flatten)]
    config: ConfigArgs,
    /// Threads; results are the same for any number
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Repetitions of each step; the median counts
    #[arg(long, default_value_t = 9)]
    repeats: usize,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Seconds of one pass over all views or pairs, median over the repetitions.
#[derive(Debug, Default, Serialize)]
struct Report {
    threads: usize,
    views: usize,
    keypoints_median: usize,
    /// Pairs that were matched.
    pairs: usize,
    /// Pairs with enough matches, for which a homography was sought.
    homographies_tried: usize,
    /// Homographies whose patches were voted for, both ways.
    homographies: usize,
    sift_cpu_s: f64,
    sift_wall_s: f64,
    match_cpu_s: f64,
    match_wall_s: f64,
    homography_cpu_s: f64,
    homography_wall_s: f64,
    patches_cpu_s: f64,
    patches_wall_s: f64,
    /// All of the above in one go, as `select` does it: every pair is measured, whatever the gates say.
    selection_cpu_s: f64,
    selection_wall_s: f64,
    sift_cpu_s_per_view: f64,
    match_cpu_s_per_pair: f64,
    homography_cpu_s_per_pair: f64,
    patches_cpu_s_per_pair: f64,
}

/// Runs `covista bench`.
pub fn run(args: Args) -> anyhow::Result<()> {
    match args.what {
        What::Overlap(args) => overlap(args),
        What::Generate(args) => super::bench_generate::run(args),
        What::Render(args) => super::bench_render::run(args),
        #[cfg(feature = "train")]
        What::Train(args) => super::bench_train::run(args),
    }
}

fn overlap(args: OverlapArgs) -> anyhow::Result<()> {
    if args.threads == 0 || args.repeats == 0 {
        return Err(Failure::arguments("--threads and --repeats must be at least 1"));
    }
    let config = args.config.load()?;
    let pictures = sweep_pictures(&args.views)?
        .iter()
        .map(|p| read_picture(p))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(args.threads).build()?;
    let report = pool.install(|| steps(&pictures, &config, args.repeats, args.threads));
    if args.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print_human(&report);
    }
    Ok(())
}

fn steps(pictures: &[RgbImage], config: &covista::config::Config, repeats: usize, threads: usize) -> Report {
    let (metric, level) = (&config.overlap, Level::new());
    let features_of = || -> Vec<ViewFeatures> { pictures.par_iter().map(|p| view_features(p, metric)).collect() };
    let features = features_of();
    let (first, second) = features.split_at(FIRST);
    let pairs: Vec<(usize, usize)> = (0..first.len() * second.len())
        .map(|pair| (pair / second.len(), pair % second.len()))
        .collect();
    let match_all = || -> Vec<Vec<Match>> {
        pairs
            .par_iter()
            .map(|&(i, j)| match_views(level, &first[i], &second[j], metric))
            .collect()
    };
    let matches = match_all();
    let enough: Vec<usize> = (0..pairs.len())
        .filter(|&k| matches[k].len() >= metric.min_matches)
        .collect();
    let estimate_all = || -> Vec<Option<Estimate>> {
        enough
            .par_iter()
            .map(|&k| {
                let (i, j) = pairs[k];
                homography_of(level, &first[i], &second[j], &matches[k], metric, pair_seed(0, i, j))
            })
            .collect()
    };
    let homographies: Vec<(Homography, Homography)> = estimate_all()
        .into_iter()
        .flatten()
        .filter_map(|e| Some((e.homography, inverse(&e.homography)?)))
        .collect();
    let vote_all = || {
        homographies
            .par_iter()
            .map(|(h, back)| vote(level, h, back, metric, 0))
            .count()
    };
    let select_all = || {
        let features = features_of();
        let (first, second) = features.split_at(FIRST);
        select_measuring_all(first, second, metric, &config.select, 0)
            .in_range
            .len()
    };
    let mut keypoints: Vec<usize> = features.iter().map(|f| f.keypoints.len()).collect();
    keypoints.sort_unstable();
    let sift = timed(repeats, features_of);
    let matching = timed(repeats, match_all);
    let homography = timed(repeats, estimate_all);
    let patches = timed(repeats, vote_all);
    let selection = timed(repeats, select_all);
    let per = |seconds: f64, n: usize| seconds / n.max(1) as f64;
    Report {
        threads,
        views: pictures.len(),
        keypoints_median: keypoints[keypoints.len() / 2],
        pairs: pairs.len(),
        homographies_tried: enough.len(),
        homographies: homographies.len(),
        sift_cpu_s: sift.cpu,
        sift_wall_s: sift.wall,
        match_cpu_s: matching.cpu,
        match_wall_s: matching.wall,
        homography_cpu_s: homography.cpu,
        homography_wall_s: homography.wall,
        patches_cpu_s: patches.cpu,
        patches_wall_s: patches.wall,
        selection_cpu_s: selection.cpu,
        selection_wall_s: selection.wall,
        sift_cpu_s_per_view: per(sift.cpu, pictures.len()),
        match_cpu_s_per_pair: per(matching.cpu, pairs.len()),
        homography_cpu_s_per_pair: per(homography.cpu, enough.len()),
        patches_cpu_s_per_pair: per(patches.cpu, homographies.len()),
    }
}

struct Seconds {
    cpu: f64,
    wall: f64,
}

/// Shortest stretch that is timed: the step is run as often as it takes, so that the clock's grain does not matter.
const STRETCH_S: f64 = 0.05;

/// Median seconds of a step.
fn timed<T>(repeats: usize, mut step: impl FnMut() -> T) -> Seconds {
    let start = Instant::now();
    std::hint::black_box(step());
    let runs = (STRETCH_S / start.elapsed().as_secs_f64().max(1e-9))
        .ceil()
        .clamp(1.0, 1e6) as usize;
    let (mut cpu, mut wall) = (Vec::new(), Vec::new());
    for _ in 0..repeats {
        let (start, busy, mut done) = (Instant::now(), cpu_seconds(), 0);
        // Again where the first run of all was a slow one, and so many are less than a stretch.
        while done == 0 || start.elapsed().as_secs_f64() < STRETCH_S {
            for _ in 0..runs {
                std::hint::black_box(step());
            }
            done += runs;
        }
        let elapsed = start.elapsed().as_secs_f64();
        wall.push(elapsed / done as f64);
        // Where the system does not tell CPU time, wall time stands in.
        cpu.push(busy.zip(cpu_seconds()).map_or(elapsed, |(a, b)| b - a) / done as f64);
    }
    let median = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    Seconds {
        cpu: median(cpu),
        wall: median(wall),
    }
}

/// CPU seconds of all threads of this process so far, from Linux's scheduler statistics.
fn cpu_seconds() -> Option<f64> {
    let mut nanoseconds = 0u64;
    for task in std::fs::read_dir("/proc/self/task").ok()? {
        let text = std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        nanoseconds += text.split_whitespace().next()?.parse::<u64>().ok()?;
    }
    Some(nanoseconds as f64 * 1e-9)
}

fn print_human(report: &Report) {
    println!(
        "{} views, {} keypoints at the median, {} pairs, {} homographies, {} threads",
        report.views, report.keypoints_median, report.pairs, report.homographies, report.threads
    );
    for (name, cpu, wall) in [
        ("sift", report.sift_cpu_s, report.sift_wall_s),
        ("match", report.match_cpu_s, report.match_wall_s),
        ("homography", report.homography_cpu_s, report.homography_wall_s),
        ("patches", report.patches_cpu_s, report.patches_wall_s),
        ("selection", report.selection_cpu_s, report.selection_wall_s),
    ] {
        println!("{name:12} {:9.3} ms CPU {:9.3} ms wall", 1e3 * cpu, 1e3 * wall);
    }
}
