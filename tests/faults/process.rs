//! The program as a process that bad things happen to, on a scene that costs little.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

pub use crate::common::tree::{assert_same, tree};
use covista::scene::primitives::box_room;
use covista::scene::{Texture, write_glb};

/// How often a process is started that may be faster than the test.
const ATTEMPTS: usize = 5;
/// What no step of a test takes.
const PATIENCE: Duration = Duration::from_secs(600);

/// A folder with a scene in it, and the pairs that are asked for.
pub struct Bench {
    folder: tempfile::TempDir,
    pairs: u64,
}

/// How a process ended.
pub struct Ended {
    pub status: ExitStatus,
    pub stderr: String,
}

impl Ended {
    /// The exit code; that of a signal is `None`.
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Ended with this code and one clear line, without a panic.
    #[track_caller]
    pub fn expect(&self, code: i32, said: &str) {
        assert_eq!(self.code(), Some(code), "{}", self.stderr);
        assert!(self.stderr.contains(said), "{said:?} is not in {:?}", self.stderr);
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
    }
}

impl Ended {
    /// Runs the command that the message tells, in a shell.
    pub fn run_advice(&self) -> Self {
        let told = self.stderr.trim_end().rsplit_once("continue with: ");
        let (_, command) = told.unwrap_or_else(|| panic!("no command in {:?}", self.stderr));
        let mut shell = Command::new("bash");
        shell.args(["-c", command]).stdout(Stdio::null()).stderr(Stdio::piped());
        finish(shell.spawn().unwrap())
    }
}

impl Bench {
    /// A textured box room of 5 x 4 m.
    pub fn new(pairs: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut rng = covista::rng::Rng::stream(1, "faults", &[]);
        let rgba = (0..64 * 64)
            .flat_map(|_| [rng.next_u64() as u8, rng.next_u64() as u8, 90, 255])
            .collect();
        let scene = box_room([5.0, 2.6, 4.0], Some(Texture::from_rgba("noise", 64, 64, rgba)));
        write_glb(&scene, &folder.path().join("room.glb")).unwrap();
        Self { folder, pairs }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Pictures are small and chosen by geometry, so that a position takes milliseconds.
    pub fn settings(&self) -> Vec<String> {
        let sets = [
            "render.size_px=96",
            "render.crop_px=64",
            "select.select_by=geometry",
            "select.min_laplacian_variance=0",
        ];
        let sets = sets.iter().flat_map(|set| ["--set", set]);
        ["--profile", "smoke"]
            .into_iter()
            .chain(sets)
            .map(str::to_owned)
            .collect()
    }

    /// The command line of a run.
    pub fn arguments(&self, out: &Path, extra: &[&str]) -> Vec<String> {
        self.arguments_of(self.pairs, out, extra)
    }

    fn arguments_of(&self, pairs: u64, out: &Path, extra: &[&str]) -> Vec<String> {
        let scene = self.path("room.glb").display().to_string();
        let (out, pairs) = (out.display().to_string(), pairs.to_string());
        let given = [
            "generate", "--scene", &scene, "--seed", "3", "--pairs", &pairs, "--out", &out,
        ];
        let all = given.into_iter().map(str::to_owned).chain(self.settings());
        all.chain(extra.iter().map(|&extra| extra.to_owned())).collect()
    }

    pub fn command(&self, out: &Path, extra: &[&str]) -> Command {
        let mut command = Command::new(program());
        command
            .args(self.arguments(out, extra))
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command
    }

    /// As [`Self::command`], but the poses alone.
    pub fn plan(&self, out: &Path, extra: &[&str]) -> Command {
        self.plan_of(self.pairs, out, extra)
    }

    /// As [`Self::plan`] of so many pairs.
    pub fn plan_of(&self, pairs: u64, out: &Path, extra: &[&str]) -> Command {
        let mut arguments = self.arguments_of(pairs, out, extra);
        arguments[0] = "plan".to_owned();
        let mut command = Command::new(program());
        command.args(arguments).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }

    /// Runs to its end.
    pub fn run(&self, out: &Path, extra: &[&str]) -> Ended {
        finish(self.command(out, extra).spawn().unwrap())
    }

    /// What an undisturbed run gives.
    pub fn whole(&self) -> BTreeMap<String, Vec<u8>> {
        let out = self.path("whole");
        if !out.exists() {
            self.run(&out, &[]).expect(0, "");
        }
        tree(&out)
    }
}

pub fn program() -> PathBuf {
    assert_cmd::cargo::cargo_bin("covista")
}

pub fn finish(child: Child) -> Ended {
    let output = child.wait_with_output().unwrap();
    Ended {
        status: output.status,
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Sends a signal by its name.
pub fn signal(child: &Child, name: &str) {
    // The shell's own: there need be no program of that name.
    let kill = format!("kill -s {name} {}", child.id());
    let sent = Command::new("sh").args(["-c", &kill]).status().unwrap();
    assert!(sent.success(), "{kill}");
}

/// Starts a process and sends it a signal once it is `ready`. One that came to its end before that is begun again,
/// without what it left at `out`.
pub fn interrupted(out: &Path, name: &str, start: impl Fn() -> Child, ready: impl Fn() -> bool) -> Ended {
    for _ in 0..ATTEMPTS {
        let mut child = start();
        if wait_for(&mut child, &ready) {
            signal(&child, name);
        }
        let ended = finish(child);
        if ended.code() != Some(0) {
            return ended;
        }
        std::fs::remove_dir_all(out).unwrap();
    }
    panic!("the process ended before it was ready, {ATTEMPTS} times")
}

/// Waits until a process that was told to stop does; false where it has ended.
fn stands_still(process: u32) -> bool {
    loop {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        // The name before it may hold anything.
        let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
        match state {
            Some('T') => return true,
            None | Some('Z' | 'X') => return false,
            Some(_) => std::thread::sleep(Duration::from_millis(1)),
        }
    }
}

/// Lets a process go on that was stopped.
struct Wake<'a>(&'a Child);

impl Drop for Wake<'_> {
    fn drop(&mut self) {
        signal(self.0, "CONT");
    }
}

/// Runs `second` while a process stands still that was `ready` before; how both ended. One that came to its end before
/// that is begun again, without what it left at `out`.
pub fn beside_one(
    out: &Path,
    start: impl Fn() -> Child,
    ready: impl Fn() -> bool,
    second: impl Fn() -> Vec<Ended>,
) -> (Ended, Vec<Ended>) {
    for _ in 0..ATTEMPTS {
        let mut first = start();
        let mut others = None;
        if wait_for(&mut first, &ready) {
            signal(&first, "STOP");
            // Whatever comes of the others: nobody else would wake it.
            let _wake = Wake(&first);
            if stands_still(first.id()) {
                others = Some(second());
            }
        }
        let ended = finish(first);
        assert_eq!(ended.code(), Some(0), "{}", ended.stderr);
        match others {
            // It had just written its last line when it was stopped.
            Some(others) if others.iter().all(|other| other.code() != Some(0)) => return (ended, others),
            _ if out.is_dir() => std::fs::remove_dir_all(out).unwrap(),
            _ => std::fs::remove_file(out).unwrap(),
        }
    }
    panic!("the process ended before it was ready, {ATTEMPTS} times")
}

/// Waits until `happened`, or the process has ended; false where it ended first.
pub fn wait_for(child: &mut Child, mut happened: impl FnMut() -> bool) -> bool {
    let begun = Instant::now();
    loop {
        if begun.elapsed() > PATIENCE {
            let _ = child.kill();
            panic!("nothing happened in {PATIENCE:?}");
        }
        if happened() {
            return true;
        }
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Whether a program is installed; a printed "skipped" else.
pub fn installed(name: &str) -> bool {
    let found = Command::new("sh")
        .args(["-c", &format!("command -v {name}")])
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|s| s.success());
    if !found {
        println!("skipped: {name} is not installed");
    }
    found
}

/// A number from the environment, for longer runs than CI's.
pub fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}
