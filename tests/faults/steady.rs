//! A long run takes no more memory and no more open files than a short one.

use std::time::Duration;

use crate::common;
use crate::process::{Bench, finish, setting};

/// Samples of `/proc/PID` while a run lasts: pairs, resident kB, open files.
#[test]
fn memory_and_open_files_stay_flat() {
    let Some(_gpu) = common::gpu() else { return };
    let pairs = setting("COVISTA_STEADY_PAIRS", 120);
    let bench = Bench::new(pairs);
    let out = bench.path("long");
    let mut child = bench.command(&out, &[]).spawn().unwrap();
    let process = format!("/proc/{}", child.id());
    let mut samples: Vec<(f64, f64, usize)> = Vec::new();
    while child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(if pairs > 1000 { 1000 } else { 5 }));
        // Folders are made in order, so the highest number is found by halving.
        let (mut low, mut high) = (0, pairs + 1);
        while high - low > 1 {
            let middle = (low + high) / 2;
            match out.join(format!("{:06}", middle - 1)).exists() {
                true => low = middle,
                false => high = middle,
            }
        }
        let Ok(status) = std::fs::read_to_string(format!("{process}/status")) else {
            break;
        };
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let resident = resident.and_then(|text| text.trim().trim_end_matches(" kB").parse().ok());
        let (Some(resident), Ok(files)) = (resident, std::fs::read_dir(format!("{process}/fd"))) else {
            continue;
        };
        samples.push((low as f64, resident, files.count()));
    }
    finish(child).expect(0, "");
    // The first quarter is the warm-up; after the last pair the devices are let go.
    samples.retain(|(done, ..)| *done > pairs as f64 / 4.0 && *done < pairs as f64);
    assert!(samples.len() > 5, "{} samples", samples.len());
    let count = samples.len() as f64;
    let mean = |of: fn(&(f64, f64, usize)) -> f64| samples.iter().map(of).sum::<f64>() / count;
    let (pairs_mean, memory_mean) = (mean(|s| s.0), mean(|s| s.1));
    let covariance: f64 = samples.iter().map(|s| (s.0 - pairs_mean) * (s.1 - memory_mean)).sum();
    let variance: f64 = samples.iter().map(|s| (s.0 - pairs_mean).powi(2)).sum();
    let slope = 1000.0 * covariance / variance;
    let files = samples.iter().map(|s| s.2);
    let (fewest, most) = (files.clone().min().unwrap(), files.max().unwrap());
    println!(
        "{pairs} pairs: {memory_mean:.0} kB resident, {slope:.0} kB more each 1,000 pairs, {fewest} to {most} open files"
    );
    // A pair that is being written is one file more than between pairs.
    assert!(most - fewest <= 2, "{fewest} to {most} open files");
    // The record of a pair takes 0.1 kB, the rest is noise; short runs have too much of that to tell.
    if pairs >= 5000 {
        assert!(slope < 1000.0, "{slope} kB each 1,000 pairs");
    }
}
