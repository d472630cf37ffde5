//! Plans: what was planned before a kill, a full disk or a second process came is not planned again.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use covista::plan::{PlanJournal, PlanReader};
use covista::rng::Rng;

use crate::common;
use crate::disk::Disk;
use crate::process::{Bench, beside_one, finish, program, setting, wait_for};

/// Lines that tell of positions.
fn positions(journal: &Path) -> usize {
    let text = fs::read_to_string(journal).unwrap_or_default();
    text.matches("\"event\":\"position\"").count()
}

#[test]
fn killed_at_random_moments_and_continued() {
    let Some(_gpu) = common::gpu() else { return };
    let bench = Bench::new(12);
    let whole = bench.path("whole.jsonl");
    let begin = Instant::now();
    finish(bench.plan(&whole, &[]).spawn().unwrap()).expect(0, "");
    let whole_run = begin.elapsed();
    assert!(!PlanJournal::path_of(&whole).exists());
    let out = bench.path("killed.jsonl");
    let journal = PlanJournal::path_of(&out);
    let mut rng = Rng::stream(setting("COVISTA_KILL_SEED", 1), "plan kills", &[]);
    let (mut kills, mut continued) = (0, false);
    while kills < setting("COVISTA_KILLS", 6) {
        let before = positions(&journal);
        let mut child = bench.plan(&out, &["--resume"]).spawn().unwrap();
        let (delay, begin) = (whole_run.mul_f64(rng.range(0.3, 1.2)), Instant::now());
        let alive = match rng.below(2) {
            0 => wait_for(&mut child, || begin.elapsed() > delay),
            _ => wait_for(&mut child, || positions(&journal) > before),
        };
        if alive {
            child.kill().unwrap();
        }
        let ended = finish(child);
        kills += u64::from(ended.status.signal() == Some(9));
        match out.exists() {
            true => {
                assert!(fs::read(&out).unwrap() == fs::read(&whole).unwrap());
                fs::remove_file(&out).unwrap();
            }
            // What was there stays, and is not planned again.
            false => {
                assert!(positions(&journal) >= before);
                continued |= before > 0;
            }
        }
    }
    // A kill between the name of the plan and the end of its journal leaves both.
    let unfinished = journal.exists();
    if unfinished {
        finish(bench.plan(&out, &[]).spawn().unwrap()).expect(5, "an unfinished plan is there");
        let mut render = Command::new(program());
        render
            .args(["render", "--plan"])
            .arg(&out)
            .arg("--out")
            .arg(bench.path("drawn"));
        finish(render.stderr(Stdio::piped()).spawn().unwrap()).expect(3, "covista plan --resume");
    }
    finish(bench.plan(&out, &["--resume"]).spawn().unwrap()).expect(0, "");
    assert!(fs::read(&out).unwrap() == fs::read(&whole).unwrap());
    assert!(!journal.exists());
    println!("{kills} kills, continued: {continued}, unfinished at last: {unfinished}");
}

#[test]
fn a_full_disk_keeps_what_is_planned() {
    let Some(_gpu) = common::gpu() else { return };
    let bench = Bench::new(12);
    let whole = bench.path("whole.jsonl");
    finish(bench.plan(&whole, &[]).spawn().unwrap()).expect(0, "");
    let bytes = fs::metadata(&whole).unwrap().len();
    let mounted = bench.path("small");
    // Half of the positions fit; then all of them, but not the plan beside them.
    for share in [0.5, 1.5] {
        let size = ((bytes as f64 * share) as u64).next_multiple_of(4096);
        let Some(disk) = Disk::new(&mounted, &size.to_string()) else {
            return;
        };
        let out = mounted.join("plan.jsonl");
        let ended = finish(bench.plan(&out, &[]).spawn().unwrap());
        ended.expect(5, "the plan so far is kept in");
        assert!(!out.exists());
        let kept = positions(&PlanJournal::path_of(&out));
        assert!(kept > 0);
        disk.again("size=100m");
        ended.run_advice().expect(0, "");
        assert!(fs::read(&out).unwrap() == fs::read(&whole).unwrap());
        assert_eq!(fs::read_dir(&mounted).unwrap().count(), 1);
    }
}

#[test]
fn a_plan_that_was_cut_off_is_continued() {
    let Some(_gpu) = common::gpu() else { return };
    let bench = Bench::new(6);
    let whole = bench.path("whole.jsonl");
    finish(bench.plan(&whole, &[]).spawn().unwrap()).expect(0, "");
    let text = fs::read(&whole).unwrap();
    let out = bench.path("cut.jsonl");
    let first_line = text.iter().position(|&byte| byte == b'\n').unwrap() + 1;
    for length in [first_line, first_line + 100, text.len() / 2, text.len() - 1] {
        fs::write(&out, &text[..length]).unwrap();
        finish(bench.plan(&out, &["--resume"]).spawn().unwrap()).expect(0, "");
        assert!(fs::read(&out).unwrap() == text, "{length}");
    }
    assert_eq!(
        PlanReader::open(&out).unwrap().count(),
        text.split(|&byte| byte == b'\n').count() - 3
    );
}

#[test]
fn of_two_on_one_plan_one_wins() {
    let Some(_gpu) = common::gpu() else { return };
    let bench = Bench::new(30);
    let whole = bench.path("whole.jsonl");
    finish(bench.plan(&whole, &[]).spawn().unwrap()).expect(0, "");
    let out = bench.path("shared.jsonl");
    let journal = PlanJournal::path_of(&out);
    let run = |answer: &&str| finish(bench.plan(&out, &[answer]).spawn().unwrap());
    let (first, others) = beside_one(
        &out,
        || bench.plan(&out, &[]).spawn().unwrap(),
        || positions(&journal) > 0,
        || ["--resume", "--overwrite"].iter().map(run).collect(),
    );
    for other in others {
        other.expect(5, "another process is writing this set or plan");
    }
    first.expect(0, "");
    assert!(fs::read(&out).unwrap() == fs::read(&whole).unwrap());
}
