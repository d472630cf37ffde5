//! `covista validate` from scene to report: the same bytes for any thread count, measures that agree with the library,
//! outside metrics, and errors that say what to do.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod common;

use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::OnceLock;

use assert_cmd::Command;

const FILES: [&str; 6] = [
    "pairs.csv",
    "plan.csv",
    "plan.json",
    "partners.csv",
    "report.html",
    "report.json",
];

fn covista(args: &[&str], threads: Option<&str>) -> Output {
    let mut command = Command::cargo_bin("covista").unwrap();
    command
        .arg("validate")
        .args(args)
        .timeout(std::time::Duration::from_secs(300));
    if let Some(threads) = threads {
        command.env("RAYON_NUM_THREADS", threads);
    }
    command.output().unwrap()
}

fn measure(out: &Path, threads: Option<&str>) {
    let scene = [
        "--scene",
        "procedural:3",
        "--profile",
        "smoke",
        "--metric",
        "mimic-code",
        "--metric",
        "covista",
    ];
    let rest = [
        "--positions",
        "1",
        "--seed",
        "4",
        "--images",
        "--out",
        out.to_str().unwrap(),
    ];
    let output = covista(&[&scene[..], &rest[..]].concat(), threads);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A measured folder that all tests share, or `None` without an adapter.
fn folder() -> Option<PathBuf> {
    static MADE: OnceLock<Option<PathBuf>> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        common::gpu()?;
        // Nothing drops a static, so it is cleared by the next process.
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let process = name.strip_prefix("validate_cli-");
            if process.is_some_and(|process| !Path::new("/proc").join(process).exists()) {
                let _ = std::fs::remove_dir_all(entry.path());
            }
        }
        let out = folder.join(format!("validate_cli-{}", std::process::id()));
        measure(&out, None);
        Some(out)
    });
    made.clone()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

/// The page without the name of its folder, which stands in title and headline.
fn page(folder: &Path) -> String {
    let text = read(&folder.join("report.html"));
    text.replace(&folder.to_str().unwrap().replace('/', "&#x2f;"), "HERE")
}

/// Lines of `plan.csv` with an overlap each, made from the key's line.
fn external(folder: &Path, overlap: impl Fn(usize) -> String) -> Vec<String> {
    let plan = read(&folder.join("plan.csv"));
    plan.lines()
        .enumerate()
        .map(|(number, line)| match number {
            0 => format!("{line},overlap"),
            n => format!("{line},{}", overlap(n)),
        })
        .collect()
}

fn judge(folder: &Path, lines: &[String]) -> (Output, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let table = dir.path().join("mine.csv");
    std::fs::write(&table, lines.join("\n")).unwrap();
    let out = dir.path().join("out");
    let args = [
        "--from",
        folder.to_str().unwrap(),
        "--external",
        table.to_str().unwrap(),
    ];
    let output = covista(&[&args[..], &["--out", out.to_str().unwrap(), "--json"]].concat(), None);
    (output, dir)
}

#[test]
fn one_thread_and_many_write_the_same_bytes() {
    let Some(many) = folder() else { return };
    let dir = tempfile::tempdir().unwrap();
    let one = dir.path().join("set");
    measure(&one, Some("1"));
    for name in FILES.iter().filter(|name| **name != "report.html") {
        assert!(read(&one.join(name)) == read(&many.join(name)), "{name} differs");
    }
    assert!(page(&one) == page(&many));
    let picture = "views/procedural-3/000000/23.png";
    assert!(std::fs::read(one.join(picture)).unwrap() == std::fs::read(many.join(picture)).unwrap());
}

#[test]
fn every_candidate_has_a_line_and_the_page_is_whole() {
    let Some(folder) = folder() else { return };
    let pairs = read(&folder.join("pairs.csv"));
    assert_eq!(pairs.lines().count(), 1 + 8 * 16);
    let columns = pairs.lines().next().unwrap().split(',').count();
    assert!(pairs.lines().all(|line| line.split(',').count() == columns));
    assert!(!pairs.contains("NaN") && !pairs.contains("inf"));
    let page = read(&folder.join("report.html"));
    assert!(page.starts_with("<!doctype html>") && page.trim_end().ends_with("</html>"));
    for address in ["src=\"", "href=\"", "url("].iter().flat_map(|a| page.split(a).skip(1)) {
        assert!(address.starts_with("data:image/"), "{}", &address[..40]);
    }
    let words: String = page
        .split("data:image/")
        .map(|part| part.split_once(['"', ')']).map_or(part, |(_, rest)| rest))
        .collect();
    assert!(!words.contains("NaN") && !words.contains("inf %") && !words.contains("http"));
    let report: serde_json::Value = serde_json::from_str(&read(&folder.join("report.json"))).unwrap();
    assert_eq!(report["pairs"], 128);
    assert_eq!(report["metrics"].as_array().unwrap().len(), 2);
    let figures = &report["metrics"][0]["truths"][0]["figures"];
    assert_eq!(figures["answered"]["resamples"], 100);
    let plan: serde_json::Value = serde_json::from_str(&read(&folder.join("plan.json"))).unwrap();
    let position = &plan["scenes"][0]["positions"][0];
    assert_eq!(position["world_from_camera"].as_array().unwrap().len(), 24);
    assert!(folder.join(position["images"][23].as_str().unwrap()).is_file());
}

#[test]
fn a_report_made_again_is_the_same() {
    let Some(folder) = folder() else { return };
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("again");
    let args = ["--from", folder.to_str().unwrap(), "--out", out.to_str().unwrap()];
    assert!(covista(&args, None).status.success());
    assert!(read(&out.join("report.json")) == read(&folder.join("report.json")));
    assert!(
        page(&out) == page(&folder),
        "pictures and tables are those of the first report"
    );
}

#[test]
fn an_outside_metric_that_knows_the_truth_is_perfect() {
    let Some(folder) = folder() else { return };
    let pairs = read(&folder.join("pairs.csv"));
    let column = pairs
        .lines()
        .next()
        .unwrap()
        .split(',')
        .position(|c| c == "covisibility")
        .unwrap();
    let truth: Vec<&str> = pairs.lines().map(|line| line.split(',').nth(column).unwrap()).collect();
    let (output, _dir) = judge(&folder, &external(&folder, |n| truth[n].to_owned()));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let mine: Vec<_> = told["metrics"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|m| m["metric"] == "mine")
        .collect();
    assert_eq!(mine.len(), 4, "one a truth");
    let figures = &mine.iter().find(|m| m["truth"] == "covisibility").unwrap()["figures"];
    assert_eq!(
        (figures["answered"].as_f64(), figures["mae"].as_f64()),
        (Some(1.0), Some(0.0))
    );
    for key in ["pearson", "spearman"] {
        assert!((figures[key].as_f64().unwrap() - 1.0).abs() < 1e-12, "{key}");
    }
    assert!(figures["patch_right"].is_null(), "an outside metric tells no patches");
}

/// What the command says of a changed external table.
fn refusal(change: impl Fn(&mut Vec<String>)) -> Option<String> {
    let folder = folder()?;
    let mut lines = external(&folder, |n| if n % 3 == 0 { String::new() } else { "0.5".into() });
    change(&mut lines);
    let (output, dir) = judge(&folder, &lines);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.contains("mine.csv"), "{error}");
    assert!(!dir.path().join("out").exists(), "a refused table leaves no folder");
    Some(error)
}

#[test]
fn what_is_wrong_with_an_outside_table_is_named() {
    let says = |words: &[&str], change: &dyn Fn(&mut Vec<String>)| {
        let Some(error) = refusal(change) else { return };
        for word in words {
            assert!(error.contains(word), "{word:?} is missing in: {error}");
        }
    };
    says(&["1 of 128 pairs", "missing", "first 0, second 9"], &|lines| {
        lines.remove(2);
    });
    says(&["line 130", "second time"], &|lines| lines.push(lines[5].clone()));
    says(&["line 4", "not in the plan", "index 77"], &|lines| {
        lines[3] = "procedural-3,4,77,0,10,,,0.5".into()
    });
    says(&["line 2", "overlap", "NaN", "not finite"], &|lines| {
        lines[1] = lines[1].replace("0.5", "NaN")
    });
    says(&["line 2", "62", "outside [0, 1]", "per cent"], &|lines| {
        lines[1] = lines[1].replace("0.5", "62")
    });
    says(&["line 2", "no number"], &|lines| {
        lines[1] = lines[1].replace("0.5", "much")
    });
    says(&["\"overlap\" is missing"], &|lines| {
        lines[0] = lines[0].replace("overlap", "iou")
    });
    says(&["no pair"], &|lines| lines.truncate(1));
    says(&["line 3", "quote"], &|lines| lines[2].insert(4, '"'));
}

#[test]
fn folders_and_arguments_that_do_not_fit_are_refused() {
    let refused = |args: &[&str], code: i32, word: &str| {
        let output = covista(args, None);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {error}");
        assert!(error.contains(word), "{args:?}: {error}");
    };
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path().to_str().unwrap();
    refused(&["--scene", "procedural:3", "--out", here], 5, "--overwrite");
    refused(&["--from", here], 3, "plan.json");
    refused(
        &["--scene", "procedural:3", "--out", "x", "--profile", "croco"],
        2,
        "sampler.kind",
    );
    refused(
        &["--scene", "procedural:3", "--out", "x", "--metric", "magic"],
        2,
        "magic",
    );
    let twice = ["--metric", "covista", "--metric", "covista"];
    refused(
        &[&["--scene", "procedural:3", "--out", "x"][..], &twice[..]].concat(),
        2,
        "twice",
    );
    refused(
        &["--scene", "procedural:3", "--out", "x", "--external", "a.csv"],
        2,
        "--external <FILE.csv>",
    );
    let gone = dir.path().join("out");
    refused(
        &["--scene", "/no/such.glb", "--out", gone.to_str().unwrap()],
        3,
        "/no/such.glb",
    );
    assert!(!gone.exists());
}
