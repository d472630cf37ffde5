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
use crate::process::{Bench, Ended, beside_one, finish, program, setting, signal, wait_for};

/// Lines that tell of positions.
fn positions(journal: &Path) -> usize {
    let text = fs::read_to_string(journal).unwrap_or_default();
    text.matches("\"event\":\"position\"").count()
}

/// Runs `plan` to its end.
fn planned(bench: &Bench, out: &Path, extra: &[&str]) -> Ended {
    finish(bench.plan(out, extra).spawn().unwrap())
}

fn the_same(one: &Path, other: &Path) {
    assert!(
        fs::read(one).unwrap() == fs::read(other).unwrap(),
        "{} differs",
        one.display()
    );
}

#[test]
fn killed_at_random_moments_and_continued() {
    let Some(_gpu) = common::gpu() else { return };
    let bench = Bench::new(12);
    fs::copy(bench.path("room.glb"), bench.path("other.glb")).unwrap();
    fs::write(bench.path("broken.glb"), b"glTF").unwrap();
    let [other, broken] = ["other.glb", "broken.glb"].map(|name| bench.path(name).display().to_string());
    let many = [
        "--scene",
        &other,
        "--scene",
        &broken,
        "--scene-quota",
        "7",
        "--set",
        "generate.block_pairs=2",
    ];
    killed_and_continued(&bench, "one scene", &[], 0);
    // The quota is of the whole run: what the broken scene cannot give is missing in the end.
    killed_and_continued(&bench, "several scenes", &many, 3);
}

fn killed_and_continued(bench: &Bench, what: &str, extra: &[&str], code: i32) {
    let whole = bench.path(&format!("{what} whole.jsonl"));
    let begin = Instant::now();
    planned(bench, &whole, extra).expect(code, "");
    let whole_run = begin.elapsed();
    assert!(!PlanJournal::path_of(&whole).exists());
    let out = bench.path(&format!("{what} killed.jsonl"));
    let journal = PlanJournal::path_of(&out);
    let resume = [extra, &["--resume"]].concat();
    let mut rng = Rng::stream(setting("COVISTA_KILL_SEED", 1), "plan kills", &[]);
    let (mut kills, mut continued) = (0, 0);
    while kills < setting("COVISTA_KILLS", 6) {
        let before = positions(&journal);
        let mut child = bench.plan(&out, &resume).spawn().unwrap();
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
        if out.exists() {
            the_same(&out, &whole);
            fs::remove_file(&out).unwrap();
        } else {
            // What was there stays, and is not planned again.
            assert!(positions(&journal) >= before);
            continued += u64::from(before > 0);
        }
    }
    planned(bench, &out, &resume).expect(code, "");
    the_same(&out, &whole);
    assert!(!journal.exists());
    println!("{what}: {kills} kills, {continued} of them of runs that continued another");
}

/// A journal as a kill leaves it, with the first `count` positions of a plan.
fn left(bench: &Bench, of: &Path, at: &Path, count: usize, begun: bool) {
    let reader = PlanReader::open(of).unwrap();
    let mut journal = PlanJournal::claim(at).unwrap();
    journal.begin(reader.header()).unwrap();
    for position in reader.take(count) {
        journal.position(position.unwrap()).unwrap();
    }
    if begun {
        journal.begun().unwrap();
    }
    drop(journal);
    // Half a line, and a plan that was about to get its name.
    let path = PlanJournal::path_of(at);
    let torn = [fs::read(&path).unwrap(), b"{\"event\":\"position\",\"positi".to_vec()].concat();
    fs::write(&path, torn).unwrap();
    let name = at.file_name().unwrap().to_string_lossy();
    fs::write(bench.path(&format!(".{name}.partial-1")), b"{").unwrap();
}

#[test]
fn whatever_a_kill_leaves_is_continued() {
    let Some(_gpu) = common::gpu() else { return };
    let bench = Bench::new(6);
    let (whole, short, out) = (
        bench.path("whole.jsonl"),
        bench.path("short.jsonl"),
        bench.path("plan.jsonl"),
    );
    planned(&bench, &whole, &[]).expect(0, "");
    finish(bench.plan_of(2, &short, &[]).spawn().unwrap()).expect(0, "");
    let journal = PlanJournal::path_of(&out);
    let goes_on = || {
        planned(&bench, &out, &["--resume"]).expect(0, "");
        the_same(&out, &whole);
        let names = fs::read_dir(bench.path("")).unwrap().flatten();
        let mut names = names.map(|entry| entry.file_name().to_string_lossy().into_owned());
        assert!(!names.any(|name| name.contains(".partial")), "something is left");
    };
    // A journal alone; nothing but --resume and --overwrite touches it.
    left(&bench, &whole, &out, 3, true);
    let before = fs::read(&journal).unwrap();
    planned(&bench, &out, &[]).expect(5, "an unfinished plan is there");
    let mut render = Command::new(program());
    render
        .args(["render", "--plan"])
        .arg(&out)
        .arg("--out")
        .arg(bench.path("drawn"));
    finish(render.stderr(Stdio::piped()).spawn().unwrap()).expect(3, "covista plan --resume");
    assert!(fs::read(&journal).unwrap() == before);
    goes_on();
    fs::remove_file(&out).unwrap();
    // One that was not begun, without and with the plan that it was to continue.
    left(&bench, &whole, &out, 1, false);
    goes_on();
    fs::copy(&short, &out).unwrap();
    left(&bench, &whole, &out, 1, false);
    goes_on();
    // Of a plan and a journal the longer one counts.
    fs::copy(&short, &out).unwrap();
    left(&bench, &whole, &out, 4, true);
    goes_on();
    fs::copy(&whole, &out).unwrap();
    left(&bench, &whole, &out, 1, true);
    goes_on();
    // Killed after the plan got its name.
    left(&bench, &whole, &out, usize::MAX, true);
    goes_on();
    // What another run left is named, and stays.
    let other = bench.path("other.jsonl");
    planned(&bench, &other, &["--set", "sweep.step_max_m=0.9"]).expect(0, "");
    left(&bench, &other, &out, 2, true);
    planned(&bench, &out, &["--resume"]).expect(2, "delete it to go on from the plan beside it: ");
    assert_eq!(positions(&journal), 2);
    the_same(&out, &whole);
    // So is a journal that makes no sense.
    fs::write(&journal, b"{}\n").unwrap();
    planned(&bench, &out, &["--resume"]).expect(3, "the journal of the plan is damaged");
    the_same(&out, &whole);
    fs::remove_file(&journal).unwrap();
    fs::remove_file(bench.path(".plan.jsonl.partial-1")).unwrap();
    goes_on();
}

#[test]
fn what_is_to_be_replaced_stays_until_the_new_plan_is_whole() {
    let Some(_gpu) = common::gpu() else { return };
    let bench = Bench::new(40);
    let (old, whole, out) = (
        bench.path("old.jsonl"),
        bench.path("whole.jsonl"),
        bench.path("plan.jsonl"),
    );
    let another = ["--set", "sweep.step_max_m=0.9"];
    finish(bench.plan_of(2, &old, &another).spawn().unwrap()).expect(0, "");
    planned(&bench, &whole, &[]).expect(0, "");
    fs::copy(&old, &out).unwrap();
    let journal = PlanJournal::path_of(&out);
    let mut first = bench.plan(&out, &["--overwrite"]).spawn().unwrap();
    assert!(wait_for(&mut first, || positions(&journal) > 0));
    signal(&first, "TERM");
    let ended = finish(first);
    // It may have been faster than the signal.
    if ended.code() != Some(0) {
        ended.expect(130, "continue with: ");
        the_same(&out, &old);
        ended.run_advice().expect(0, "");
    }
    the_same(&out, &whole);
    assert!(!journal.exists());
    let folder = bench.path("a folder");
    fs::create_dir(&folder).unwrap();
    planned(&bench, &folder, &["--overwrite"]).expect(5, "a folder");
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
