//! The direction rules of DESIGN.md and ARCHITECTURE.md, read off the sources.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Module (file or folder of `src/`) and the modules of this crate that it may use.
///
/// `cli` is part of the binary and joins everything, so it has no row.
const ALLOWED: &[(&str, &[&str])] = &[
    ("camera", &[]),
    ("rng", &[]),
    ("contain", &[]),
    ("features", &["features"]),
    ("view", &["camera"]),
    ("scene", &["scene", "rng", "contain"]),
    ("navmesh", &["navmesh", "scene", "rng"]),
    ("agent", &["camera", "navmesh"]),
    ("sweep", &["agent", "camera", "navmesh", "rng", "view", "sweep"]),
    ("render", &["render", "scene", "camera", "view", "contain"]),
    ("overlap", &["overlap", "features", "view", "camera", "rng"]),
    ("flow", &["overlap", "view", "camera"]),
    ("select", &["select", "overlap", "features", "view", "camera", "rng"]),
    (
        "generate",
        &[
            "generate", "scene", "navmesh", "sweep", "render", "overlap", "select", "view", "camera", "rng", "contain",
        ],
    ),
    ("stream", &["view", "rng"]),
    ("export", &["export", "view", "camera"]),
    ("store", &["store"]),
    ("shard", &["shard", "export", "rng"]),
    (
        "validate",
        &["validate", "overlap", "select", "features", "view", "camera", "rng"],
    ),
    ("walk", &["walk", "agent", "camera", "navmesh", "rng", "view"]),
    (
        "mine",
        &[
            "mine", "export", "select", "overlap", "features", "view", "camera", "rng",
        ],
    ),
    (
        "plan",
        &[
            "plan", "generate", "export", "scene", "render", "overlap", "select", "sweep", "view", "camera",
        ],
    ),
    ("feed", &["generate", "render", "stream", "train", "view"]),
    ("evaluate", &["evaluate", "validate"]),
    (
        "report",
        &["report", "evaluate", "validate", "export", "view", "camera"],
    ),
    ("train", &["train", "evaluate", "stream", "rng"]),
    (
        "config",
        &[
            "scene", "navmesh", "sweep", "render", "overlap", "select", "generate", "stream", "train",
        ],
    ),
];

struct Source {
    /// Path below `src/`.
    path: PathBuf,
    module: String,
    /// Lines without comments and without the in-file tests.
    code: String,
    lines: usize,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    collect(&root, &mut found);
    found.sort();
    assert!(found.len() > 30, "the sources were not found below {}", root.display());
    found
        .into_iter()
        .map(|file| {
            let text = std::fs::read_to_string(&file).unwrap();
            let path = file.strip_prefix(&root).unwrap().to_owned();
            let first = path
                .components()
                .next()
                .unwrap()
                .as_os_str()
                .to_string_lossy()
                .into_owned();
            let code = text
                .split("#[cfg(test)]\nmod ")
                .next()
                .unwrap()
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"))
                .collect::<Vec<_>>()
                .join("\n");
            Source {
                module: first.trim_end_matches(".rs").to_owned(),
                path,
                code,
                lines: text.lines().count(),
            }
        })
        .collect()
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// Names that follow `crate::`, also inside a braced list at the crate's root.
fn uses(code: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        let list = match rest.strip_prefix('{') {
            Some(inner) => inner.split('}').next().unwrap_or_default().split(',').collect(),
            None => vec![rest],
        };
        for item in list {
            let name: String = item
                .trim()
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            if !name.is_empty() {
                names.insert(name);
            }
        }
    }
    names
}

/// True where the code has `word` as a path's root or in a `use`.
fn names_crate(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = &code[at + word.len()..];
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':' || c == '.' || c == '"')
            && after.starts_with("::")
    })
}

/// True where `word` stands by itself, not as a part of a longer name.
fn has_word(code: &str, word: &str) -> bool {
    let part_of_name = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| {
        !code[..at].chars().next_back().is_some_and(part_of_name)
            && !code[at + word.len()..].chars().next().is_some_and(part_of_name)
    })
}

fn fail_on(found: Vec<String>) {
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn modules_use_only_what_lies_before_them() {
    let mut wrong = Vec::new();
    for source in sources() {
        if ["cli", "main", "lib"].contains(&source.module.as_str()) {
            continue;
        }
        let Some((_, allowed)) = ALLOWED.iter().find(|(module, _)| *module == source.module) else {
            wrong.push(format!(
                "src/{}: the module has no row in the table of allowed arrows",
                source.path.display()
            ));
            continue;
        };
        for name in uses(&source.code) {
            if name != source.module && !allowed.contains(&name.as_str()) {
                wrong.push(format!("src/{} uses crate::{name}", source.path.display()));
            }
        }
    }
    fail_on(wrong);
}

#[test]
fn only_render_names_wgpu_and_only_train_names_burn() {
    let mut wrong = Vec::new();
    for source in sources() {
        for (word, home) in [
            ("wgpu", "render"),
            ("naga", "render"),
            ("burn", "train"),
            ("burn_wgpu", "train"),
            ("cubecl", "train"),
            ("object_store", "store"),
            ("tokio", "store"),
        ] {
            if source.module != home && names_crate(&source.code, word) {
                wrong.push(format!("src/{} names {word}", source.path.display()));
            }
        }
    }
    fail_on(wrong);
}

#[test]
fn the_image_only_metric_cannot_peek_at_geometry() {
    for source in sources() {
        if source.path == Path::new("overlap/homography_overlap.rs") || source.module == "features" {
            for word in ["DepthMap", "Camera", "View", "world_from_camera"] {
                assert!(
                    !has_word(&source.code, word),
                    "src/{} mentions {word}",
                    source.path.display()
                );
            }
        }
    }
}

#[test]
fn random_numbers_come_from_our_streams_and_clocks_stay_out() {
    let mut wrong = Vec::new();
    for source in sources() {
        if source.module == "cli" {
            continue;
        }
        for word in ["SystemTime", "rand::", "thread_rng", "from_os_rng", "getrandom"] {
            if source.module != "rng" && source.code.contains(word) {
                wrong.push(format!("src/{} mentions {word}", source.path.display()));
            }
        }
        // Waiting times and speeds are measured where they are reported.
        if !["stream", "train", "render", "store"].contains(&source.module.as_str())
            && source.code.contains("Instant::now")
        {
            wrong.push(format!("src/{} reads a clock", source.path.display()));
        }
    }
    fail_on(wrong);
}

/// File of `src/` and how often it says `unsafe`; ARCHITECTURE.md gives the reason of each.
const UNSAFE: &[(&str, usize)] = &[("main.rs", 1), ("train/ops/gemm.rs", 1)];

#[test]
fn unsafe_stands_where_it_is_listed() {
    let mut wrong = Vec::new();
    for source in sources() {
        let found = source.code.split(|c: char| !c.is_alphanumeric() && c != '_');
        let count = found.filter(|word| *word == "unsafe").count();
        let path = source.path.display().to_string();
        let listed = UNSAFE
            .iter()
            .find(|(file, _)| *file == path)
            .map_or(0, |(_, count)| *count);
        if count != listed {
            wrong.push(format!("src/{path} says unsafe {count} times, {listed} are listed"));
        }
    }
    fail_on(wrong);
}

#[test]
fn anyhow_stays_in_the_binary() {
    let wrong = sources()
        .into_iter()
        .filter(|source| !["cli", "main"].contains(&source.module.as_str()) && names_crate(&source.code, "anyhow"))
        .map(|source| format!("src/{} names anyhow", source.path.display()))
        .collect();
    fail_on(wrong);
}

#[test]
fn files_hold_one_concept() {
    let wrong = sources()
        .into_iter()
        .filter(|source| source.lines > 600)
        .map(|source| format!("src/{} has {} lines", source.path.display(), source.lines))
        .collect();
    fail_on(wrong);
}

#[test]
fn a_folder_has_a_face() {
    let wrong = sources()
        .into_iter()
        .filter(|source| source.path.ends_with("mod.rs") && source.module != "cli")
        .filter(|source| source.code.matches("\npub fn ").count() > 2 || source.lines > 200)
        .map(|source| format!("src/{} is more than a face", source.path.display()))
        .collect();
    fail_on(wrong);
}

#[test]
fn there_is_exactly_one_wgpu() {
    let lock = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock")).unwrap();
    for name in ["wgpu", "naga", "wgpu-core"] {
        let count = lock.matches(&format!("name = \"{name}\"\n")).count();
        assert_eq!(
            count, 1,
            "{name} is {count} times in Cargo.lock: renderer and trainer could not share a device"
        );
    }
}
