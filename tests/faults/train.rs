//! Pretraining that is killed at random moments ends like one that was not.

#![cfg(feature = "train")]

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use covista::rng::Rng;

use crate::common;
use crate::process::{Bench, assert_same, finish, program, setting, tree, wait_for};

/// A few seconds of training on the CPU with a checkpoint at every other update.
fn command(bench: &Bench, place: [&str; 2]) -> Command {
    let mut command = Command::new(program());
    let sets = [
        "render.size_px=96",
        "render.crop_px=64",
        "select.select_by=geometry",
        "select.min_laplacian_variance=0",
        "train.image=64",
        "train.ema_decay=0.9",
        "stream.reuse=4",
        "stream.ring_pairs=6",
    ];
    command.args([
        "pretrain",
        "--profile",
        "smoke",
        "--device",
        "flex",
        "--plain",
        "--json",
        "--scene",
    ]);
    command
        .arg(bench.path("room.glb"))
        .args(sets.iter().flat_map(|set| ["--set", set]));
    let once = [
        "--model",
        "micro",
        "--steps",
        "30",
        "--batch",
        "2",
        "--seed",
        "1",
        "--save-every",
        "2",
    ];
    command.args(once.iter().filter(|_| place[0] == "--out")).args(place);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// Every file of a run that must not depend on when it was made.
fn timeless(run: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = tree(run);
    files.retain(|name, _| !name.starts_with("run.json") && !name.starts_with("metrics."));
    files
}

/// `COVISTA_TRAIN_KILLS` kills at random moments.
#[test]
fn training_killed_at_random_moments_and_continued() {
    let Some(_gpu) = common::gpu() else { return };
    let bench = Bench::new(1);
    let whole = bench.path("trained");
    let begin = Instant::now();
    finish(command(&bench, ["--out", &whole.to_string_lossy()]).spawn().unwrap()).expect(0, "");
    let whole_run = begin.elapsed();
    let whole = timeless(&whole);
    assert!(
        whole.keys().any(|name| name.ends_with("optimizer.safetensors")),
        "{:?}",
        whole.keys()
    );
    let mut rng = Rng::stream(setting("COVISTA_KILL_SEED", 1), "train kills", &[]);
    let wanted = setting("COVISTA_TRAIN_KILLS", 2);
    let (mut kills, mut lives) = (0, 0);
    while kills < wanted {
        lives += 1;
        let run = bench.path(&format!("trained-{lives}"));
        let named = run.to_string_lossy().into_owned();
        loop {
            let checkpoints = std::fs::read_dir(run.join("checkpoints"))
                .into_iter()
                .flatten()
                .flatten();
            let begun = checkpoints
                .map(|entry| entry.file_name().to_string_lossy().into_owned())
                .any(|name| !name.starts_with('.'));
            if !begun && run.exists() {
                // Killed before its first checkpoint: there is nothing to go on from.
                std::fs::remove_dir_all(&run).unwrap();
            }
            let mut child = command(&bench, [if begun { "--resume" } else { "--out" }, &named])
                .spawn()
                .unwrap();
            let (begin, delay) = (Instant::now(), whole_run.mul_f64(rng.range(0.2, 1.0)));
            if kills >= wanted || !wait_for(&mut child, || begin.elapsed() > delay) {
                finish(child).expect(0, "");
                break;
            }
            child.kill().unwrap();
            let ended = finish(child);
            kills += u64::from(ended.status.signal() == Some(9));
            assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
        }
        assert_same(&whole, &timeless(&run));
        std::fs::remove_dir_all(&run).unwrap();
    }
    println!(
        "{kills} kills of training in {lives} runs, weights, moments and checkpoints equal to the undisturbed one"
    );
}
