//! The program as a process that bad things happen to, on a scene that costs little.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

pub use crate::common::tree::{assert_same, tree};
use covista::scene::primitives::box_room;
use covista::scene::{Texture, write_glb};

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
        let scene = self.path("room.glb").display().to_string();
        let (out, pairs) = (out.display().to_string(), self.pairs.to_string());
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
    let sent = Command::new("kill")
        .args([format!("-{name}"), child.id().to_string()])
        .status()
        .unwrap();
    assert!(sent.success(), "kill -{name}");
}

/// Waits until `happened`, or the process has ended; false where it ended first.
pub fn wait_for(child: &mut Child, mut happened: impl FnMut() -> bool) -> bool {
    loop {
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
    let found = Command::new("which")
        .arg(name)
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
