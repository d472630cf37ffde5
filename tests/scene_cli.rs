//! `covista scene info`.
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the report")]

mod scene_support;

use assert_cmd::Command;
use scene_support::Glb;

fn covista() -> Command {
    Command::new(env!("CARGO_BIN_EXE_covista"))
}

#[test]
fn info_reports_what_the_file_holds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.glb");
    std::fs::write(&path, Glb::triangle().to_bytes()).unwrap();
    let report = |arguments: &[&str]| {
        let run = covista()
            .args(["scene", "info", "--json"])
            .arg(&path)
            .args(arguments)
            .assert()
            .success();
        serde_json::from_slice::<serde_json::Value>(&run.get_output().stdout).unwrap()
    };
    let plain = report(&[]);
    assert_eq!(plain["triangles"], 1);
    assert_eq!(plain["materials"], 1);
    assert_eq!(plain["textures"], 0);
    assert_eq!(plain["texture_bytes"], 0);
    // The program alone takes more than a megabyte; other systems do not tell.
    let peak = plain["peak_memory_bytes"].as_u64();
    if cfg!(target_os = "linux") {
        assert!(peak.is_some_and(|bytes| bytes > 1 << 20), "{peak:?}");
    } else {
        assert_eq!(peak, None);
    }
    assert_eq!(plain["bounds"]["min"], serde_json::json!([0.0, 0.0, 0.0]));
    assert_eq!(plain["bounds"]["max"], serde_json::json!([1.0, 1.0, 0.0]));
    assert_eq!(plain["up"], "y");
    let turned = report(&["--up", "z"]);
    assert_eq!(turned["bounds"]["min"], serde_json::json!([0.0, 0.0, -1.0]));
    assert_eq!(turned["up"], "z");
    let text = covista().args(["scene", "info"]).arg(&path).assert().success();
    assert!(String::from_utf8_lossy(&text.get_output().stdout).contains("triangles          1\n"));
}

#[test]
fn what_cannot_be_read_is_one_line_and_exit_code_3() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = Glb::triangle().to_bytes();
    std::fs::write(folder.path().join("cut.glb"), &bytes[..bytes.len() - 4]).unwrap();
    std::fs::write(folder.path().join("empty.glb"), Glb::new().to_bytes()).unwrap();
    for (name, expected) in [
        ("gone.glb", "no such scene file"),
        ("cut.glb", "ends early"),
        ("empty.glb", "no triangles"),
    ] {
        let run = covista()
            .args(["scene", "info"])
            .arg(folder.path().join(name))
            .assert()
            .code(3);
        let message = String::from_utf8_lossy(&run.get_output().stderr).into_owned();
        assert!(message.contains(expected) && message.contains(name), "{message}");
        assert_eq!(message.trim_end().lines().count(), 1, "{message}");
    }
    covista().args(["scene", "info", "a.glb", "--up", "x"]).assert().code(2);
}
