//! The loop learns: one batch by heart, from a loss of about 1, writing nothing.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]
#![cfg(feature = "train")]

use std::convert::Infallible;
use std::ops::ControlFlow;

use covista::stream::PairBatch;
use covista::train::{ModelSize, Precision, StopReason, TrainConfig, TrainDevice, train};

/// Pictures of a few soft waves, the second view shifted against the first.
fn waves(count: usize, side: usize) -> PairBatch {
    let image = |pair: usize, shift: f32| -> Vec<u8> {
        let mut bytes = Vec::with_capacity(side * side * 3);
        for y in 0..side {
            for x in 0..side {
                for channel in 0..3 {
                    let (u, v) = (x as f32 + shift, y as f32);
                    let phase = (pair * 5 + channel) as f32;
                    let value = (u * 0.21 + phase).sin() + (v * 0.17 - phase).cos() + ((u + v) * 0.08).sin();
                    bytes.push((127.5 + 42.0 * value) as u8);
                }
            }
        }
        bytes
    };
    let views = |shift| (0..count).flat_map(|pair| image(pair, shift)).collect();
    PairBatch {
        first: views(0.0),
        second: views(9.0),
        shape: [count, side, side, 3],
        overlaps: vec![Default::default(); count],
        indices: (0..count as u64).collect(),
    }
}

fn config(steps: u64) -> TrainConfig {
    TrainConfig {
        model: ModelSize::Micro,
        image: 64,
        batch: 2,
        steps,
        lr: 3e-3,
        swap: 0.0,
        ..Default::default()
    }
}

fn losses(config: &TrainConfig) -> Vec<f32> {
    let batch = waves(config.batch, config.image);
    let endless = std::iter::repeat_with(|| Ok::<_, Infallible>(batch.clone()));
    let mut losses = Vec::new();
    train(endless, config, &TrainDevice::flex(), |report| {
        losses.push(report.loss);
        ControlFlow::Continue(())
    })
    .unwrap();
    losses
}

#[test]
fn one_batch_is_learnt_by_heart() {
    let losses = losses(&config(500));
    let last = losses[490..].iter().sum::<f32>() / 10.0;
    println!("loss {} -> {last}", losses[0]);
    assert!((0.9..1.6).contains(&losses[0]), "first loss {}", losses[0]);
    assert!(last < 0.3, "last loss {last}");
}

#[test]
fn the_same_seed_gives_the_same_losses_on_any_number_of_threads() {
    let config = TrainConfig {
        image: 224,
        ..config(3)
    };
    let here = losses(&config);
    assert_eq!(here, losses(&config));
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    assert_eq!(here, one.install(|| losses(&config)), "one thread");
    let three = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    assert_eq!(here, three.install(|| losses(&config)), "three threads");
    assert_ne!(here, losses(&TrainConfig { seed: 1, ..config }));
}

#[test]
fn a_stream_that_ends_or_a_caller_that_stops_ends_the_run_cleanly() {
    let config = config(5);
    let two = (0..2).map(|_| Ok::<_, Infallible>(waves(2, 64)));
    let (summary, _) = train(two, &config, &TrainDevice::flex(), |_| ControlFlow::Continue(())).unwrap();
    assert_eq!((summary.steps, summary.stopped), (2, StopReason::StreamEnded));
    let endless = std::iter::repeat_with(|| Ok::<_, Infallible>(waves(2, 64)));
    let (summary, _) = train(endless, &config, &TrainDevice::flex(), |_| ControlFlow::Break(())).unwrap();
    assert_eq!((summary.steps, summary.stopped), (1, StopReason::Interrupted));
}

#[test]
fn a_stream_that_fails_or_has_the_wrong_size_is_an_error_that_says_so() {
    let broken = [Err::<PairBatch, _>("the scene went away")];
    let error = train(broken, &config(5), &TrainDevice::flex(), |_| ControlFlow::Continue(())).unwrap_err();
    assert!(error.to_string().contains("the scene went away"), "{error}");
    let small = [Ok::<_, Infallible>(waves(2, 32))];
    let error = train(small, &config(5), &TrainDevice::flex(), |_| ControlFlow::Continue(())).unwrap_err();
    assert!(error.to_string().contains("32x32"), "{error}");
}

#[test]
fn half_precision_learns_and_is_not_float32() {
    let with = |precision| {
        losses(&TrainConfig {
            precision,
            ..config(80)
        })
    };
    let full = with(Precision::F32);
    for precision in [Precision::Bf16, Precision::F16] {
        let half = with(precision);
        assert_eq!(
            half,
            with(precision),
            "{precision:?}: the same seed gives the same losses"
        );
        assert_ne!(half, full, "{precision:?}");
        assert!(
            (half[0] - full[0]).abs() < 0.02,
            "{precision:?}: {} and {}",
            half[0],
            full[0]
        );
        let last = |losses: &[f32]| losses[70..].iter().sum::<f32>() / 10.0;
        let (half, full) = (last(&half), last(&full));
        println!("{precision:?}: last loss {half}, in float32 {full}");
        assert!(half < full + 0.05, "{precision:?}: last loss {half}, in float32 {full}");
    }
}

/// Largest resident size so far, kB.
fn peak_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

#[test]
fn memory_does_not_grow_with_the_batches_of_an_update() {
    let peak = |accumulate: &str| -> u64 {
        let child = std::process::Command::new(std::env::current_exe().unwrap())
            .args([
                "one_update_in_a_process_of_its_own",
                "--exact",
                "--ignored",
                "--nocapture",
            ])
            .env("COVISTA_TEST_ACCUMULATE", accumulate)
            // Every thread has buffers of its own.
            .env("RAYON_NUM_THREADS", "2")
            .env("MALLOC_ARENA_MAX", "2")
            .output()
            .unwrap();
        let text = String::from_utf8(child.stdout).unwrap();
        let line = text.lines().find_map(|line| line.split("peak_kb ").nth(1));
        line.unwrap_or_else(|| panic!("{text}")).trim().parse().unwrap()
    };
    let (few, many) = (peak("2"), peak("48"));
    println!("2 batches: {few} kB, 48 batches: {many} kB");
    // A batch of 8 pairs of 224 px is 2.4 MB: 46 more would be 110 MB.
    assert!(many < few + 40_000, "2 batches: {few} kB, 48 batches: {many} kB");
}

#[test]
#[ignore = "the test above runs it"]
fn one_update_in_a_process_of_its_own() {
    let accumulate = std::env::var("COVISTA_TEST_ACCUMULATE").map_or(1, |text| text.parse().unwrap());
    let config = TrainConfig {
        image: 224,
        patch: 32,
        batch: 8,
        accumulate,
        ..config(1)
    };
    let batches = std::iter::repeat_with(|| Ok::<_, Infallible>(waves(8, 224)));
    let (summary, _) = train(batches, &config, &TrainDevice::flex(), |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(summary.pairs, 8 * accumulate as u64);
    println!("peak_kb {}", peak_kb());
}
