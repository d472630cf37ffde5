//! Checkpoints: whole or not at all, the newest whole one counts, and a resumed run is the same run.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]
#![cfg(feature = "train")]

use std::convert::Infallible;
use std::ops::ControlFlow;
use std::path::Path;

use covista::stream::PairBatch;
use covista::train::checkpoint::Checkpoints;
use covista::train::params::{NamedTensor, parameters};
use covista::train::run::drive;
use covista::train::step::Trainer;
use covista::train::{ModelSize, TrainConfig, TrainDevice};

fn config() -> TrainConfig {
    TrainConfig {
        model: ModelSize::Micro,
        image: 48,
        batch: 2,
        accumulate: 2,
        steps: 6,
        clip_norm: 1.0,
        ..Default::default()
    }
}

/// Batch `i` of an endless stream.
fn batch(i: u64) -> PairBatch {
    let mut rng = covista::rng::Rng::stream(5, "test", &[i]);
    let mut view = || (0..2 * 48 * 48 * 3).map(|_| rng.next_u64() as u8).collect();
    PairBatch {
        first: view(),
        second: view(),
        shape: [2, 48, 48, 3],
        overlaps: vec![Default::default(); 2],
        indices: vec![2 * i, 2 * i + 1],
    }
}

/// Runs to the end, leaving a checkpoint after every update; returns losses and parameters.
fn go_on(trainer: &mut Trainer, checkpoints: Option<&Checkpoints>) -> (Vec<f32>, Vec<NamedTensor>) {
    let start = trainer.updates() * trainer.config().accumulate as u64;
    let batches = (start..).map(|i| Ok::<_, Infallible>(batch(i)));
    let mut losses = Vec::new();
    drive(trainer, batches, |report, trainer| {
        losses.push(report.loss);
        if let Some(checkpoints) = checkpoints {
            checkpoints.write(trainer).unwrap();
        }
        ControlFlow::Continue(())
    })
    .unwrap();
    (losses, parameters(trainer.model()).unwrap())
}

fn resume(run: &Path) -> (Trainer, usize) {
    let mut damaged = 0;
    let found = Checkpoints::new(run, 9).resume(&TrainDevice::flex(), |_, _| damaged += 1);
    (found.unwrap().unwrap(), damaged)
}

#[test]
fn a_resumed_run_is_the_same_run_bit_for_bit() {
    let folder = tempfile::tempdir().unwrap();
    let device = TrainDevice::flex();
    let checkpoints = Checkpoints::new(folder.path(), 9);
    let (losses, whole) = go_on(&mut Trainer::new(&config(), &device).unwrap(), Some(&checkpoints));
    assert_eq!(checkpoints.list().unwrap().len(), 6);
    for late in &checkpoints.list().unwrap()[3..] {
        std::fs::remove_dir_all(late).unwrap();
    }
    let (mut trainer, damaged) = resume(folder.path());
    assert_eq!((trainer.updates(), damaged), (3, 0));
    let (rest, resumed) = go_on(&mut trainer, None);
    assert_eq!(rest, losses[3..]);
    assert_eq!(resumed, whole);
}

#[test]
fn only_the_newest_are_kept_and_a_damaged_one_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = Checkpoints::new(folder.path(), 2);
    go_on(
        &mut Trainer::new(&config(), &TrainDevice::flex()).unwrap(),
        Some(&checkpoints),
    );
    let kept = checkpoints.list().unwrap();
    assert_eq!(kept.len(), 2);
    let file = kept[1].join("optimizer.safetensors");
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let (trainer, damaged) = resume(folder.path());
    assert_eq!((trainer.updates(), damaged), (5, 1));
}

#[test]
fn averaged_batches_report_the_mean_of_their_losses() {
    let device = TrainDevice::flex();
    let mut trainer = Trainer::new(&config(), &device).unwrap();
    let pair = [batch(0), batch(1)];
    let one = |i: usize| trainer.gradients(&pair[i], i as u64).unwrap().0;
    let mean = (one(0) + one(1)) / 2.0;
    assert_eq!(trainer.update(&pair).unwrap().loss, mean);
}
