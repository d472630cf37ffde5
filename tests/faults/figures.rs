//! What a set will take, held against what it took.

use std::process::Command;

use serde_json::Value;

use crate::common;
use crate::process::{Bench, program, tree};

fn json(bench: &Bench, given: &[&str], extra: &[&str]) -> Value {
    let mut command = Command::new(program());
    command.args(given).arg("--scene").arg(bench.path("room.glb"));
    let output = command
        .args(bench.settings())
        .args(extra)
        .arg("--json")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn an_estimate_agrees_with_the_run() {
    let Some(_gpu) = common::gpu() else { return };
    let bench = Bench::new(150);
    // Another seed than the run's, so that the sample is not a part of it.
    let given = [
        "--seed",
        "8",
        "--pairs",
        "150",
        "--sample-pairs",
        "60",
        "--deadline-hours",
        "2",
    ];
    let said = json(&bench, &["estimate"], &given);
    let whole = bench.whole();
    let manifest: Value = serde_json::from_slice(&whole["manifest.json"]).unwrap();
    let near = |name: &str, said: f64, is: f64| assert!((said / is - 1.0).abs() < 0.2, "{name}: {said} said, {is} is");
    let positions = manifest["counters"]["positions"].as_f64().unwrap();
    near("positions", said["positions"].as_f64().unwrap(), positions);
    let bytes: usize = whole.values().map(Vec::len).sum();
    near("gigabytes", said["gigabytes"].as_f64().unwrap(), bytes as f64 / 1e9);
    assert_eq!(said["machines"], 1);
    assert!(said["core_hours"].as_f64().unwrap() > 0.0);
    assert_eq!(tree(&bench.path("whole")).len(), whole.len());
}

#[test]
fn the_stages_keep_the_pairs_of_the_whole() {
    let Some(_gpu) = common::gpu() else { return };
    let bench = Bench::new(1);
    // The homography decides, which is what the stages are timed for.
    let given = [
        "--positions",
        "4",
        "--threads",
        "1",
        "--set",
        "select.select_by=homography",
    ];
    let said = json(&bench, &["bench", "generate"], &given);
    let run = &said["runs"][0];
    assert_eq!((&run["threads"], &run["positions"]), (&1.into(), &4.into()));
    let stages = run["stages"].as_object().unwrap();
    assert_eq!(stages.len(), 10);
    for stage in ["render", "readback", "features"] {
        assert!(stages[stage]["cpu_s"].as_f64().unwrap() > 0.0, "{stage}");
    }
    // By another measure there is a whole, and no such stages.
    let said = json(&bench, &["bench", "generate"], &["--positions", "4", "--threads", "1"]);
    let run = &said["runs"][0];
    assert!(run["stages"].is_null() && run["pairs"].as_u64().unwrap() > 0, "{run}");
}
