//! The estimator `opencv` against `cv2.findHomography`.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

use covista::features::Level;
use covista::features::homography::{PointPair, project};
use covista::features::ransac::{Draws, RansacConfig, RansacMethod, estimate};

#[derive(serde::Deserialize)]
struct Case {
    set: String,
    i: usize,
    j: usize,
    first: Vec<f32>,
    second: Vec<f32>,
    h: Option<[f64; 9]>,
    inliers: Option<String>,
}

#[test]
fn probe() {
    let cases: Vec<Case> = serde_json::from_slice(&std::fs::read(std::env::var("HOMS").unwrap()).unwrap()).unwrap();
    let config = RansacConfig {
        method: RansacMethod::Opencv,
        draws: Draws::Opencv,
        ..RansacConfig::default()
    };
    let (mut same, mut mask) = (0, 0);
    for case in &cases {
        let pairs: Vec<PointPair> = (case.first.chunks(2).zip(case.second.chunks(2)))
            .map(|(a, b)| PointPair {
                first: [a[0].into(), a[1].into()],
                second: [b[0].into(), b[1].into()],
            })
            .collect();
        let ours = estimate(Level::new(), &pairs, &config, 0);
        let text = |b: &[bool]| b.iter().map(|&b| if b { '1' } else { '0' }).collect::<String>();
        match (&ours, &case.h) {
            (None, None) => {
                same += 1;
                mask += 1;
            }
            (Some(a), Some(b)) => {
                let off = [(0.0, 0.0), (223.0, 0.0), (0.0, 223.0), (223.0, 223.0)]
                    .iter()
                    .map(|&(x, y)| {
                        let (p, q) = (project(&a.homography, x, y), project(b, x, y));
                        (p.0 - q.0).hypot(p.1 - q.1)
                    })
                    .fold(0.0, f64::max);
                let m = text(&a.inliers);
                if off < 0.01 {
                    same += 1
                } else {
                    println!(
                        "{} {} {}: {} pairs, off {off:.4} inliers {} {}",
                        case.set,
                        case.i,
                        case.j,
                        pairs.len(),
                        a.inlier_count(),
                        case.inliers.as_ref().unwrap().matches('1').count()
                    );
                }
                if Some(&m) == case.inliers.as_ref() {
                    mask += 1
                }
            }
            _ => println!(
                "{} {} {}: ours {:?} theirs {:?}",
                case.set,
                case.i,
                case.j,
                ours.is_some(),
                case.h
            ),
        }
    }
    println!("{same} of {} same, masks {mask}", cases.len());
}

#[test]
fn probe_distribution() {
    use covista::features::homography::inverse;
    use covista::overlap::{HomographyOverlapConfig, VoteRule, vote};
    use rayon::prelude::*;
    let cases: Vec<Case> = serde_json::from_slice(&std::fs::read("/tmp/fidelity/homographies.json").unwrap()).unwrap();
    let theirs: Vec<Vec<(f64, f64)>> =
        serde_json::from_slice(&std::fs::read(std::env::var("DIST").unwrap()).unwrap()).unwrap();
    let config = HomographyOverlapConfig {
        ransac: RansacConfig {
            method: RansacMethod::Opencv,
            ..RansacConfig::default()
        },
        votes: VoteRule::Exact,
        ..HomographyOverlapConfig::default()
    };
    let cases: Vec<&Case> = cases.iter().step_by(2).collect();
    let (mut near, mut near2, mut n, mut bias) = (0, 0, 0, 0.0);
    for (case, theirs) in cases.iter().zip(&theirs) {
        if theirs.is_empty() {
            continue;
        }
        let pairs: Vec<PointPair> = (case.first.chunks(2).zip(case.second.chunks(2)))
            .map(|(a, b)| PointPair {
                first: [a[0].into(), a[1].into()],
                second: [b[0].into(), b[1].into()],
            })
            .collect();
        let ours: Vec<(f64, f64)> = (0..100u64)
            .into_par_iter()
            .filter_map(|seed| {
                let e = estimate(
                    Level::new(),
                    &pairs,
                    &config.ransac,
                    seed.wrapping_mul(0x9e37_79b9_7f4a_7c15),
                )?;
                let back = inverse(&e.homography)?;
                Some((
                    vote(Level::new(), &e.homography, &back, &config, seed).0.min(),
                    e.inlier_count() as f64,
                ))
            })
            .collect();
        let m =
            |v: &[(f64, f64)], k: usize| v.iter().map(|t| if k == 0 { t.0 } else { t.1 }).sum::<f64>() / v.len() as f64;
        let d = m(&ours, 0) - m(theirs, 0);
        n += 1;
        near += usize::from(d.abs() <= 0.03);
        near2 += usize::from(d.abs() <= 0.02);
        bias += d;
        if d.abs() > 0.02 {
            println!(
                "{} {} {}: {} pairs; ours {:.3} ({:.1} in, {} runs) theirs {:.3} ({:.1} in, {} runs)",
                case.set,
                case.i,
                case.j,
                pairs.len(),
                m(&ours, 0),
                m(&ours, 1),
                ours.len(),
                m(theirs, 0),
                m(theirs, 1),
                theirs.len()
            );
        }
    }
    println!("{near} {near2} of {n}, bias {}", bias / n as f64);
}

#[test]
fn probe_time() {
    let cases: Vec<Case> = serde_json::from_slice(&std::fs::read("/tmp/fidelity/homographies.json").unwrap()).unwrap();
    let cases: Vec<Vec<PointPair>> = cases
        .iter()
        .filter(|c| c.h.is_some())
        .map(|case| {
            (case.first.chunks(2).zip(case.second.chunks(2)))
                .map(|(a, b)| PointPair {
                    first: [a[0].into(), a[1].into()],
                    second: [b[0].into(), b[1].into()],
                })
                .collect()
        })
        .collect();
    for method in [RansacMethod::Opencv, RansacMethod::Robust] {
        let config = RansacConfig {
            method,
            ..RansacConfig::default()
        };
        let mut best = f64::MAX;
        for r in 0..7 {
            let started = std::time::Instant::now();
            for (i, pairs) in cases.iter().enumerate() {
                std::hint::black_box(estimate(Level::new(), pairs, &config, i as u64 + r * 1000));
            }
            best = best.min(started.elapsed().as_secs_f64());
        }
        println!(
            "{method:?} {:.4} ms a pair of {}",
            1e3 * best / cases.len() as f64,
            cases.len()
        );
    }
}
