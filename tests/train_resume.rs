//! Checkpoints: whole or not at all, the newest whole one counts, and a resumed run is the same run.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]
#![cfg(feature = "train")]

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::ops::ControlFlow;
use std::path::Path;

use covista::stream::{PairBatch, SceneSeen};
use covista::train::checkpoint::Checkpoints;
use covista::train::params::{NamedTensor, parameters};
use covista::train::run::drive;
use covista::train::save::finish_run;
use covista::train::step::Trainer;
use covista::train::{Best, DataRecord, ModelSize, Precision, RunState, SavedRun, TrainConfig, TrainDevice};

fn config() -> TrainConfig {
    TrainConfig {
        model: ModelSize::Micro,
        image: 48,
        batch: 2,
        accumulate: 2,
        steps: 6,
        clip_norm: 1.0,
        ema_decay: 0.9,
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

/// What the run is said to be trained on.
fn state() -> RunState {
    RunState {
        data: DataRecord {
            profile: "test".into(),
            seed: 5,
            scenes: vec![SceneSeen {
                name: "noise".into(),
                hash: "ab".into(),
            }],
            ..Default::default()
        },
        ..Default::default()
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
            checkpoints.write(trainer, &state()).unwrap();
        }
        ControlFlow::Continue(())
    })
    .unwrap();
    (losses, parameters(trainer.model()).unwrap())
}

fn resume(run: &Path) -> (Trainer, usize) {
    let mut damaged = 0;
    let found = Checkpoints::new(run, 9).resume(&TrainDevice::flex(), |_, _| damaged += 1);
    let (trainer, state) = found.unwrap().unwrap();
    assert_eq!(state.run, crate::state());
    (trainer, damaged)
}

/// Every file of a folder.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read(path).unwrap())
        })
        .collect()
}

#[test]
fn a_resumed_run_is_the_same_run_bit_for_bit() {
    resumes_bit_for_bit(&config());
    resumes_bit_for_bit(&TrainConfig {
        precision: Precision::F16,
        ..config()
    });
}

fn resumes_bit_for_bit(config: &TrainConfig) {
    let folder = tempfile::tempdir().unwrap();
    let device = TrainDevice::flex();
    let checkpoints = Checkpoints::new(folder.path(), 9);
    let (losses, whole) = go_on(&mut Trainer::new(config, &device).unwrap(), Some(&checkpoints));
    assert_eq!(checkpoints.list().unwrap().len(), 6);
    let last = files(&checkpoints.path_of(6));
    assert_eq!(
        last.keys().collect::<Vec<_>>(),
        [
            "ema.safetensors",
            "model.safetensors",
            "optimizer.safetensors",
            "state.json"
        ]
    );
    for late in &checkpoints.list().unwrap()[3..] {
        std::fs::remove_dir_all(late).unwrap();
    }
    let (mut trainer, damaged) = resume(folder.path());
    assert_eq!((trainer.updates(), damaged), (3, 0));
    let (rest, resumed) = go_on(&mut trainer, Some(&checkpoints));
    assert_eq!(rest, losses[3..]);
    assert_eq!(resumed, whole);
    assert!(files(&checkpoints.path_of(6)) == last, "the checkpoints differ");
}

#[test]
fn the_newest_and_the_best_are_kept_and_a_damaged_one_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = Checkpoints::new(folder.path(), 2);
    let mut trainer = Trainer::new(&config(), &TrainDevice::flex()).unwrap();
    let best = Some(Best { updates: 2, loss: 0.5 });
    let batches = (0..).map(|i| Ok::<_, Infallible>(batch(i)));
    drive(&mut trainer, batches, |_, trainer| {
        checkpoints.write(trainer, &RunState { best, ..state() }).unwrap();
        ControlFlow::Continue(())
    })
    .unwrap();
    let paths = [2, 5, 6].map(|updates| checkpoints.path_of(updates));
    assert_eq!(checkpoints.list().unwrap(), paths);
    // What a kill before the end of the last write would have left.
    for late in [3, 4] {
        let path = checkpoints.path_of(late);
        std::fs::create_dir(&path).unwrap();
        std::fs::copy(paths[1].join("state.json"), path.join("state.json")).unwrap();
    }
    assert_eq!(checkpoints.list().unwrap().len(), 5);
    checkpoints.prune(&RunState { best, ..state() }).unwrap();
    assert_eq!(checkpoints.list().unwrap(), paths);

    let found = |folder: &Path| {
        let mut passed = Vec::new();
        let found = Checkpoints::new(folder, 2).resume(&TrainDevice::flex(), |path, error| {
            passed.push(format!("{} {error}", path.display()));
        });
        (found.unwrap().unwrap().0.updates(), passed)
    };
    let whole = files(&paths[2]);
    // Cut to nothing, in the head, in the middle, before the end (the last byte may be a line's); one bit turned; gone.
    for (name, bytes) in &whole {
        let cuts = [0, 7, bytes.len() / 2, bytes.len() - 2].map(|length| Some(bytes[..length].to_vec()));
        let mut turned = bytes.clone();
        turned[bytes.len() / 2] ^= 1;
        for damage in cuts.into_iter().chain([Some(turned), None]) {
            let path = paths[2].join(name);
            match &damage {
                Some(bytes) => std::fs::write(&path, bytes).unwrap(),
                None => std::fs::remove_file(&path).unwrap(),
            }
            let (updates, passed) = found(folder.path());
            assert_eq!(updates, 5, "{name} cut to {:?}", damage.map(|bytes| bytes.len()));
            assert!(passed.len() == 1 && passed[0].contains("00000006"), "{passed:?}");
            // The wreck was set aside; the whole one comes back for the next damage.
            std::fs::rename(paths[2].with_file_name("damaged-00000006"), &paths[2]).unwrap();
            std::fs::write(&path, bytes).unwrap();
        }
    }
    assert_eq!(found(folder.path()), (6, Vec::new()));
}

#[test]
fn a_run_is_read_back_finished_or_not() {
    let folder = tempfile::tempdir().unwrap();
    let device = TrainDevice::flex();
    let checkpoints = Checkpoints::new(folder.path(), 9);
    assert!(SavedRun::open(folder.path()).is_err());
    let mut trainer = Trainer::new(&config(), &device).unwrap();
    let (_, whole) = go_on(&mut trainer, Some(&checkpoints));
    let mean = parameters(trainer.ema().unwrap()).unwrap();
    assert_ne!(mean, whole);
    let same = |run: &SavedRun| {
        assert_eq!(
            (run.updates, &run.record.data, &run.record.config),
            (6, &state().data, &config())
        );
        assert_eq!(parameters(&run.model(&device).unwrap()).unwrap(), mean);
    };
    same(&SavedRun::open(folder.path()).unwrap());
    same(&SavedRun::open(&checkpoints.list().unwrap()[5]).unwrap());
    let none = std::iter::empty::<Result<PairBatch, Infallible>>();
    let summary = drive(&mut trainer, none, |_, _| ControlFlow::Continue(())).unwrap();
    finish_run(folder.path(), &trainer, &state(), &summary).unwrap();
    std::fs::remove_dir_all(folder.path().join("checkpoints")).unwrap();
    let run = SavedRun::open(folder.path()).unwrap();
    same(&run);
    assert_eq!(run.record.summary, Some(summary));
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

#[test]
fn the_number_of_devices_changes_nothing_but_the_time() {
    let config = TrainConfig {
        accumulate: 5,
        steps: 2,
        ..config()
    };
    let device = TrainDevice::flex();
    let train = |devices: usize| {
        let trainer = Trainer::new(&config, &device).unwrap();
        let mut trainer = trainer.with_devices(device.open_others(devices).unwrap());
        go_on(&mut trainer, None)
    };
    let one = train(1);
    assert_eq!(train(2), one);
    assert_eq!(train(3), one);
}
