//! `covista navmesh` on a floor made here.

use std::path::Path;
use std::process::Output;

use assert_cmd::Command;
use serde_json::Value;

/// A floor of 6 x 5 m at y = 0, as OBJ.
const FLOOR: &str = "v 0 0 0\nv 0 0 5\nv 6 0 5\nv 6 0 0\nf 1 2 3 4\n";

fn covista(args: &[&str]) -> Output {
    Command::cargo_bin("covista")
        .expect("the binary")
        .args(args)
        .timeout(std::time::Duration::from_secs(120))
        .output()
        .expect("runs")
}

fn json(args: &[&str]) -> Value {
    let output = covista(args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a plain name")
}

#[test]
fn info_build_and_map_agree() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("floor.obj"), FLOOR).expect("written");
    let scene = json(&["navmesh", "info", text(&at("floor.obj")), "--up", "y", "--json"]);
    assert_eq!(
        (scene["islands"].as_u64(), scene["polygons"].as_u64()),
        (Some(1), Some(1))
    );
    let area = scene["navigable_area_m2"].as_f64().expect("area");
    assert!((area / (5.7 * 4.7) - 1.0).abs() < 0.02, "{area}");
    assert_eq!(scene["bounds"][1][0].as_f64(), Some(6.0));

    assert!(
        covista(&[
            "navmesh",
            "build",
            text(&at("floor.obj")),
            "--out",
            text(&at("floor.navmesh"))
        ])
        .status
        .success()
    );
    let file = json(&["navmesh", "info", text(&at("floor.navmesh")), "--json"]);
    for key in ["islands", "polygons", "navigable_area_m2", "island_list", "settings"] {
        assert_eq!(file[key], scene[key], "{key}");
    }
    let map = at("map.png");
    assert!(
        covista(&["navmesh", "map", text(&at("floor.navmesh")), "--out", text(&map)])
            .status
            .success()
    );
    let picture = image::open(&map).expect("a picture");
    assert!(
        picture.width() > 280 && picture.height() > 230,
        "{} x {}",
        picture.width(),
        picture.height()
    );

    let wide = [
        "navmesh",
        "info",
        text(&at("floor.obj")),
        "--set",
        "navmesh.agent_radius_m=0.5",
        "--json",
    ]
    .map(String::from);
    let wide = json(&wide.each_ref().map(String::as_str));
    assert!(
        wide["navigable_area_m2"].as_f64().expect("area") < 0.8 * area,
        "every setting can be set"
    );
}

#[test]
fn failures_have_their_exit_codes() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let floor = folder.path().join("floor.obj");
    std::fs::write(&floor, FLOOR).expect("written");
    let broken = folder.path().join("broken.navmesh");
    std::fs::write(&broken, b"TESM and nothing more").expect("written");
    let nowhere = folder.path().join("missing/out");
    for (args, code, mention) in [
        (vec!["navmesh", "info", text(&broken)], 3, "not a Habitat navmesh"),
        (
            vec!["navmesh", "info", text(&floor), "--set", "navmesh.cell_size_m=0"],
            2,
            "cell_size_m",
        ),
        (
            vec!["navmesh", "build", text(&floor), "--out", text(&nowhere)],
            5,
            "cannot write",
        ),
        (
            vec!["navmesh", "map", text(&floor), "--out", text(&nowhere)],
            5,
            "cannot write",
        ),
        (
            vec!["navmesh", "map", text(&floor), "--out", text(&nowhere), "--cell-m", "0"],
            2,
            "--cell-m",
        ),
    ] {
        let output = covista(&args);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {stderr}");
        assert!(
            stderr.contains(mention) && stderr.lines().count() == 1,
            "{args:?}: {stderr}"
        );
    }
}
