//! The program from the outside.

use std::path::PathBuf;
use std::process::Output;
use std::time::Duration;

use assert_cmd::Command;

/// A picture or another file of `tests/fixtures/sift`.
pub fn sift_fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/sift")
        .join(name)
}

/// `covista`, given up after five minutes.
pub fn command() -> Command {
    let mut command = Command::cargo_bin("covista").unwrap();
    command.timeout(Duration::from_secs(300));
    command
}

/// Runs `covista` with these arguments; two minutes are too long.
pub fn covista(args: &[&str]) -> Output {
    let mut command = Command::cargo_bin("covista").unwrap();
    command.args(args).timeout(Duration::from_secs(120));
    command.output().unwrap()
}
