//! Kills and signals: nothing lost, nothing double, the same bytes as a run that nobody disturbed.

use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, Instant};

use covista::rng::Rng;

use crate::common;
use crate::process::{Bench, assert_same, beside_one, finish, installed, interrupted, setting, tree, wait_for};

/// `COVISTA_KILLS` kills at random moments, by the clock and by what has just appeared on disk.
#[test]
fn killed_at_random_moments_and_continued() {
    let Some(_gpu) = common::gpu() else { return };
    let bench = Bench::new(setting("COVISTA_KILL_PAIRS", 12));
    let begin = Instant::now();
    let whole = bench.whole();
    let whole_run = begin.elapsed();
    let mut rng = Rng::stream(setting("COVISTA_KILL_SEED", 1), "kills", &[]);
    let wanted = setting("COVISTA_KILLS", 6);
    let (mut kills, mut lives) = (0, 0);
    while kills < wanted {
        lives += 1;
        let out = bench.path(&format!("killed-{lives}"));
        // One life: killed again and again, until the kills are used up or it ends by itself.
        loop {
            let mut child = bench.command(&out, &["--resume"]).spawn().unwrap();
            let done = match kills < wanted {
                false => true,
                true if rng.below(2) == 0 => {
                    let delay = whole_run.mul_f64(rng.range(0.0, 1.0));
                    let begin = Instant::now();
                    !wait_for(&mut child, || begin.elapsed() > delay)
                }
                true => {
                    // While a pair folder stands under its temporary name.
                    let some_time = Instant::now() + whole_run.mul_f64(rng.range(0.2, 1.0));
                    !wait_for(&mut child, || {
                        let unfinished = |name: String| name.starts_with(".tmp-");
                        let mut names = std::fs::read_dir(&out).into_iter().flatten().flatten();
                        Instant::now() > some_time
                            && names.any(|entry| unfinished(entry.file_name().to_string_lossy().into_owned()))
                    })
                }
            };
            if done {
                finish(child).expect(0, "");
                break;
            }
            child.kill().unwrap();
            let ended = finish(child);
            if ended.status.signal() == Some(9) {
                kills += 1;
            }
            assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
        }
        assert_same(&whole, &tree(&out));
        std::fs::remove_dir_all(&out).unwrap();
    }
    println!(
        "{kills} kills in {lives} runs of {} files, all equal to the undisturbed one",
        whole.len()
    );
}

#[test]
fn a_signal_ends_it_after_the_work_in_hand() {
    let Some(_gpu) = common::gpu() else { return };
    let bench = Bench::new(12);
    let whole = bench.whole();
    for name in ["INT", "TERM"] {
        let out = bench.path(name);
        let start = || bench.command(&out, &[]).spawn().unwrap();
        let ended = interrupted(&out, name, start, || out.join("000001").exists());
        ended.expect(130, "which are kept; continue with: ");
        // Nothing half-written is left.
        assert!(tree(&out).keys().all(|file| !file.starts_with(".tmp-")), "{name}");
        ended.run_advice().expect(0, "");
        assert_same(&whole, &tree(&out));
    }
    // A single other format is made when its pairs are complete; the way there is told, not where they wait.
    let export = bench.path("exported");
    bench.run(&export, &["--format", "mimic"]).expect(0, "");
    let out = bench.path("it's mimic");
    let start = || bench.command(&out, &["--format", "mimic"]).spawn().unwrap();
    let work = bench.path(".covista-work-it's mimic");
    let ended = interrupted(&out, "TERM", start, || work.join("000001").exists());
    ended.expect(130, "continue with: ");
    assert!(!ended.stderr.contains(".covista-work"), "{}", ended.stderr);
    ended.run_advice().expect(0, "");
    assert_same(&tree(&export), &tree(&out));
    assert!(!work.exists());
}

#[test]
fn of_two_on_one_folder_one_wins() {
    let Some(_gpu) = common::gpu() else { return };
    let bench = Bench::new(30);
    let whole = bench.whole();
    let out = bench.path("shared");
    let (first, second) = beside_one(
        &out,
        || bench.command(&out, &["--resume"]).spawn().unwrap(),
        || out.join("000000").exists(),
        || vec![bench.run(&out, &["--resume"])],
    );
    second[0].expect(5, "another process is writing this set");
    first.expect(0, "");
    assert_same(&whole, &tree(&out));

    // Both from the very begin: whoever comes second leaves or finds the set finished.
    let out = bench.path("raced");
    let both = [(); 2].map(|()| bench.command(&out, &["--resume"]).spawn().unwrap());
    let ended = both.map(finish);
    assert!(
        ended.iter().any(|e| e.code() == Some(0)),
        "{} {}",
        ended[0].stderr,
        ended[1].stderr
    );
    for loser in ended.iter().filter(|e| e.code() != Some(0)) {
        assert_eq!(loser.code(), Some(5), "{}", loser.stderr);
    }
    assert_same(&whole, &tree(&out));
}

#[test]
fn the_clock_does_not_matter() {
    let Some(_gpu) = common::gpu() else { return };
    if !installed("faketime") {
        return;
    }
    let bench = Bench::new(4);
    let whole = bench.whole();
    // Ten years back; and a clock that goes a thousand times too fast, from the last second of an hour.
    for (place, clock) in ["-10y", "@2031-12-31 23:59:59 x1000"].iter().enumerate() {
        let out = bench.path(&format!("clock-{place}"));
        let mut command = std::process::Command::new("faketime");
        command
            .args(["-f", clock])
            .arg(crate::process::program())
            .args(bench.arguments(&out, &[]));
        command
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::piped());
        finish(command.spawn().unwrap()).expect(0, "");
        assert_same(&whole, &tree(&out));
    }
    // A clock that is set back by a month and then ahead by a year while the run lasts.
    let (out, clock) = (bench.path("jumps"), bench.path("clock"));
    std::fs::write(&clock, "+0").unwrap();
    let mut command = std::process::Command::new("faketime");
    command.args(["-f", "+0", "env", "-u", "FAKETIME", "FAKETIME_NO_CACHE=1"]);
    command.env("FAKETIME_TIMESTAMP_FILE", &clock);
    // The kernel's monotonic clock does not jump with it.
    command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    command.arg(crate::process::program()).args(bench.arguments(&out, &[]));
    command
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    for (pair, jump) in [("000000", "-30d"), ("000002", "+1y")] {
        assert!(wait_for(&mut child, || out.join(pair).exists()));
        std::fs::write(&clock, jump).unwrap();
    }
    finish(child).expect(0, "");
    assert_same(&whole, &tree(&out));
    // Files from the future are continued like any others.
    let out = bench.path("clock-0");
    let future = std::time::SystemTime::now() + Duration::from_secs(1_000_000);
    std::fs::File::open(out.join("manifest.json"))
        .unwrap()
        .set_modified(future)
        .unwrap();
    bench.run(&out, &["--resume"]).expect(0, "");
    assert_same(&whole, &tree(&out));
}
