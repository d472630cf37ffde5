//! The default estimator: steadier than OpenCV's and nearer to the geometric truth.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod common;

use common::sweeps::{Table, deviation, mean, sets};
use covista::config::Config;
use covista::overlap::HomographyOverlapConfig;

const SEEDS: u64 = 20;

fn config(profile: &str, options: &[&str]) -> HomographyOverlapConfig {
    let options: Vec<String> = options.iter().map(|&o| o.to_owned()).collect();
    Config::load(profile, None, &options).unwrap().overlap
}

#[test]
fn probe() {
    let variants: Vec<(&str, HomographyOverlapConfig)> = std::env::var("V")
        .unwrap_or("ors".into())
        .chars()
        .map(|c| match c {
            'o' => ("opencv", config("mimic-code", &[])),
            'O' => ("opencv exact", config("mimic-code", &["overlap.votes=exact"])),
            'r' => ("robust", config("covista", &[])),
            's' => ("robust exact", config("covista", &["overlap.votes=exact"])),
            'm' => (
                "robust mutual exact",
                config("covista", &["overlap.votes=exact", "overlap.mutual=true"]),
            ),
            'n' => (
                "robust exact not refused",
                config("covista", &["overlap.votes=exact", "overlap.refuse_distorted=false"]),
            ),
            '1' => ("threshold 2", config("covista", &["overlap.ransac.threshold_px=2"])),
            '2' => ("threshold 3", config("covista", &["overlap.ransac.threshold_px=3"])),
            '3' => ("threshold 8", config("covista", &["overlap.ransac.threshold_px=8"])),
            '4' => ("threshold 12", config("covista", &["overlap.ransac.threshold_px=12"])),
            '5' => ("threshold 20", config("covista", &["overlap.ransac.threshold_px=20"])),
            '6' => ("threshold 40", config("covista", &["overlap.ransac.threshold_px=40"])),
            '7' => ("ratio 0.8", config("covista", &["overlap.ratio=0.8"])),
            '8' => (
                "ratio 0.8 mutual",
                config("covista", &["overlap.ratio=0.8", "overlap.mutual=true"]),
            ),
            '9' => ("ratio 0.6", config("covista", &["overlap.ratio=0.6"])),
            _ => panic!(),
        })
        .collect();
    let truths: Vec<Option<Table>> = sets().iter().map(|s| s.truth()).collect();
    let mut runs = Vec::new();
    for (name, config) in &variants {
        let started = std::time::Instant::now();
        let tables: Vec<Vec<Table>> = sets().iter().map(|set| set.tables(config, SEEDS)).collect();
        runs.push((name, tables, started.elapsed()));
    }
    let everywhere = |s: usize, i: usize, j: usize| runs.iter().all(|(_, t, _)| t[s].iter().all(|t| t[i][j].is_some()));
    for (name, tables, time) in &runs {
        let (mut sd, mut n, mut sdc, mut nc) = (0.0, 0, 0.0, 0);
        let (mut mae, mut m, mut biasc, mut zero, mut z, mut far) = (0.0, 0, 0.0, 0.0, 0, 0);
        let mut points: Vec<(f64, f64)> = Vec::new();
        let mut med: Vec<f64> = Vec::new();
        let mut win = [0; 4];
        for (s, set) in sets().iter().enumerate() {
            let (means, deviations) = (mean(&tables[s]), deviation(&tables[s]));
            for i in 0..8 {
                for j in 0..16 {
                    if set.peer.mean[i][j].is_none() {
                        continue;
                    }
                    if let Some(d) = deviations[i][j] {
                        sd += d;
                        n += 1;
                        if everywhere(s, i, j) {
                            sdc += d;
                            nc += 1;
                        }
                    }
                    let Some(t) = truths[s].as_ref().map(|t| t[i][j].unwrap()) else {
                        continue;
                    };
                    if let Some(v) = means[i][j] {
                        med.push((v - t).abs());
                    }
                    for x in &tables[s] {
                        if let Some(v) = x[i][j] {
                            let k = |v: f64| v > 0.5 && v < 0.75;
                            win[usize::from(k(v)) * 2 + usize::from(k(t))] += 1;
                        }
                    }
                    zero += tables[s]
                        .iter()
                        .map(|x| (x[i][j].unwrap_or(0.0) - t).abs())
                        .sum::<f64>()
                        / SEEDS as f64;
                    z += 1;
                    if everywhere(s, i, j) {
                        let v = means[i][j].unwrap();
                        mae += tables[s]
                            .iter()
                            .map(|x| (x[i][j].unwrap_or(0.0) - t).abs())
                            .sum::<f64>()
                            / SEEDS as f64;
                        biasc += v - t;
                        m += 1;
                        for x in &tables[s] {
                            points.push((x[i][j].unwrap(), t));
                        }
                        far += usize::from((v - t).abs() > 0.1);
                    }
                }
            }
        }
        let n_ = points.len() as f64;
        let (mx, my) = (
            points.iter().map(|p| p.0).sum::<f64>() / n_,
            points.iter().map(|p| p.1).sum::<f64>() / n_,
        );
        let (sxy, sxx, syy) = points.iter().fold((0.0, 0.0, 0.0), |a, p| {
            (
                a.0 + (p.0 - mx) * (p.1 - my),
                a.1 + (p.0 - mx).powi(2),
                a.2 + (p.1 - my).powi(2),
            )
        });
        med.sort_by(f64::total_cmp);
        let centred = points.iter().map(|p| (p.0 - p.1 - (mx - my)).abs()).sum::<f64>() / n_;
        let rms = (points.iter().map(|p| (p.0 - p.1).powi(2)).sum::<f64>() / n_).sqrt();
        println!(
            "   pearson {:.4} centred MAE {centred:.4} rms {rms:.4} own median {:.4} of {}; window precision {:.3} recall {:.3}",
            sxy / (sxx * syy).sqrt(),
            med[med.len() / 2],
            med.len(),
            win[3] as f64 / (win[3] + win[2]) as f64,
            win[3] as f64 / (win[3] + win[1]) as f64
        );
        println!(
            "{name:26} sd {:.4} of {n}, common {:.4} of {nc}; common cells MAE {:.4} bias {:.4} far {far} of {m}; all cells, refused = 0: {:.4} of {z}; {time:.1?}",
            sd / n as f64,
            sdc / nc as f64,
            mae / m as f64,
            biasc / m as f64,
            zero / z as f64
        );
    }
}
