//! Parts of a run, put together, are the run: by hand-made pairs, and by the program itself.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod common;
mod synthetic;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use assert_cmd::Command;
use common::tree::{assert_same_folders as assert_same, tree};
use covista::export::ExportError;
use covista::export::native::{
    NativeReader, NativeWriter, Placing, PlanRecord, RunRecord, SceneRecord, ShardRecord, SourceRecord, TopDown, Trial,
};
use covista::shard::{Block, BlockWalk, ClaimedFolder, Plan, ShardError, Source, merge, shard_name, verify_set};
use image::{Rgb, RgbImage};

const PAIRS: u64 = 23;
const BLOCK: u64 = 3;
const TRIES: u64 = 4;
/// The second scene of three cannot be used.
const SCENES: [&str; 3] = ["kitchen", "ruin", "attic"];

fn run(shard: Option<(u64, u64)>) -> RunRecord {
    let mut run = synthetic::run(5);
    run.scenes.clear();
    run.plan = Some(PlanRecord {
        block_pairs: BLOCK,
        positions_per_pair: Some(TRIES),
        pairs: None,
        sources: SCENES
            .map(|scene| SourceRecord {
                scene: scene.into(),
                weight: 1.0,
                quota: None,
            })
            .to_vec(),
    });
    run.shard = shard.map(|(index, count)| ShardRecord {
        index,
        count,
        pairs: PAIRS,
    });
    run
}

fn plan() -> Plan {
    let source = Source {
        weight: 1.0,
        quota: None,
    };
    Plan::new(&[source; 3], PAIRS, BLOCK, 5).unwrap()
}

/// Makes what `writer` lacks of a block as `covista generate` does; stops after `most` positions.
fn make(block: &Block, writer: &mut NativeWriter, most: &mut u64) -> bool {
    let mut walk = BlockWalk::new(block, TRIES);
    while let Some(step) = walk.step() {
        let name = SCENES[step.source];
        let known = writer.skipped().iter().any(|skipped| skipped.scene == name);
        if known || name == "ruin" {
            if !known {
                writer.skip_scene(name, "no floor to walk on").unwrap();
            }
            walk.skip_scene();
            continue;
        }
        let pairs = u64::from(step.index % 5 != 1 && step.index % 5 != 2);
        if let Some(known) = writer.trial_at(step.index) {
            assert_eq!(known.scene, name);
            if writer.is_done(name, step.index) {
                walk.record(pairs);
                continue;
            }
        }
        if *most == 0 {
            return false;
        }
        *most -= 1;
        let hash = blake3::hash(name.as_bytes()).to_hex().to_string();
        writer
            .add_scene(&SceneRecord {
                name: name.into(),
                hash,
            })
            .unwrap();
        let topdown = TopDown {
            image: RgbImage::from_pixel(8, 8, Rgb([name.len() as u8; 3])),
            min_x: 0.25,
            min_z: -1.0,
            metres_per_pixel: 0.1,
        };
        writer.set_topdown(name, &topdown).unwrap();
        let trial = Trial {
            scene: name.into(),
            index: step.index,
            ..synthetic::trial(step.index % 97)
        };
        match pairs {
            0 => writer.write_refusal(&trial, "nothing in range").unwrap(),
            _ => drop(writer.write_pair(&trial, &synthetic::pair(step.index % 7)).unwrap()),
        }
        walk.record(pairs);
    }
    assert_eq!(walk.kept(), block.pairs);
    true
}

fn whole(path: &Path) {
    let mut writer = NativeWriter::create(path, &run(None)).unwrap();
    for block in plan().all() {
        assert!(make(&block, &mut writer, &mut { u64::MAX }));
    }
    assert_eq!(writer.finish().unwrap().pairs, PAIRS);
}

/// One attempt at a shard; false where it stopped after `most` positions.
fn attempt(root: &Path, index: u64, count: u64, mut most: u64) -> bool {
    let folder = ClaimedFolder::claim(&root.join(shard_name(index, count))).unwrap();
    let mut writer = folder.writer(&run(Some((index, count)))).unwrap();
    let done = plan()
        .shard(index, count)
        .all(|block| make(&block, &mut writer, &mut most));
    if done {
        folder.finish(writer).unwrap();
    }
    done
}

fn shards(root: &Path, count: u64) -> Vec<PathBuf> {
    for index in 0..count {
        assert!(attempt(root, index, count, u64::MAX));
    }
    (0..count).map(|index| root.join(shard_name(index, count))).collect()
}

#[test]
fn any_number_of_shards_merged_is_the_run() {
    let dir = tempfile::tempdir().unwrap();
    let single = dir.path().join("single");
    whole(&single);
    for (count, placing) in [
        (1, Placing::Link),
        (2, Placing::Copy),
        (5, Placing::Link),
        (40, Placing::Copy),
    ] {
        let root = dir.path().join(format!("parts{count}"));
        let mut parts = shards(&root, count);
        parts.reverse();
        let merged = dir.path().join(format!("merged{count}"));
        let report = merge(&parts, &merged, placing).unwrap();
        assert_eq!(
            (report.shards, report.counters.pairs, report.pairs_wanted),
            (count, PAIRS, PAIRS)
        );
        assert_same(&single, &merged);
        // A folder of shards will do.
        merge(
            std::slice::from_ref(&root),
            &dir.path().join(format!("again{count}")),
            placing,
        )
        .unwrap();
        assert_same(&single, &dir.path().join(format!("again{count}")));
        assert!(verify_set(&merged).unwrap()[0].is_whole());
    }
    let reader = NativeReader::open(&single).unwrap();
    assert_eq!(reader.skipped().len(), 1);
    assert_eq!(reader.run().scenes.len(), 2);
    assert!(reader.run().shard.is_none());
    let indices: std::collections::BTreeSet<u64> = reader.tried().map(|tried| tried.index).collect();
    assert_eq!(indices.len(), reader.positions(), "no position twice");
}

#[test]
fn a_shard_stopped_anywhere_is_continued_and_a_finished_one_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let reference = shards(&dir.path().join("reference"), 3).swap_remove(1);
    let root = dir.path().join("stopped");
    let path = root.join(shard_name(1, 3));
    let mut attempts = 0;
    while !attempt(&root, 1, 3, 2) {
        attempts += 1;
        assert!(!path.exists(), "it has its name when it is complete");
    }
    assert!(attempts > 2);
    assert_same(&reference, &path);
    assert!(attempt(&root, 1, 3, 0), "there is nothing left to do");
    assert_same(&reference, &path);
    // After damage exactly what is missing is made again.
    fs::remove_dir_all(path.join("000002")).unwrap();
    fs::write(path.join("000004/pair.json"), b"{}").unwrap();
    assert!(!attempt(&root, 1, 3, 1));
    assert!(attempt(&root, 1, 3, 1), "one position was left");
    assert_same(&reference, &path);
}

#[test]
fn verify_names_what_is_damaged_and_merge_refuses_it() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("parts");
    let parts = shards(&root, 2);
    assert!(
        verify_set(&root)
            .unwrap()
            .iter()
            .all(|report| report.is_whole() && report.unlisted.is_empty())
    );
    let cut = parts[1].join("000001/second.png");
    let bytes = fs::read(&cut).unwrap();
    fs::write(&cut, &bytes[..100]).unwrap();
    fs::remove_file(parts[1].join("000000/first.depth.npy")).unwrap();
    fs::write(parts[0].join("notes.txt"), b"mine").unwrap();
    let reports = verify_set(&root).unwrap();
    assert!(reports[0].is_whole());
    assert_eq!(reports[0].unlisted, [parts[0].join("notes.txt")]);
    let named: Vec<_> = reports[1].damaged.iter().map(|d| d.file.clone()).collect();
    assert_eq!(named, [parts[1].join("000000/first.depth.npy"), cut.clone()]);
    let out = dir.path().join("out");
    let error = merge(&parts, &out, Placing::Link).unwrap_err();
    assert!(
        matches!(error, ShardError::Export(ExportError::Damaged { .. })),
        "{error}"
    );
    assert_eq!(
        fs::read_dir(dir.path())
            .unwrap()
            .filter(|e| e.as_ref().unwrap().path() != root)
            .count(),
        1,
        "nothing but the lock is left of a refused merge"
    );
    fs::write(parts[1].join("manifest.json"), b"{").unwrap();
    assert!(verify_set(&root).unwrap()[1].damaged[0].file.ends_with("manifest.json"));
}

#[test]
fn a_merge_needs_every_shard_once_and_of_one_run() {
    let dir = tempfile::tempdir().unwrap();
    let parts = shards(&dir.path().join("parts"), 3);
    let out = dir.path().join("out");
    let refused = |paths: &[PathBuf]| merge(paths, &out, Placing::Link).unwrap_err().to_string();
    assert!(refused(&parts[..2]).contains("shards 2 of 3 are missing"));
    assert!(refused(&[parts[0].clone(), parts[2].clone()]).contains("shards 1 of 3 are missing"));
    assert!(refused(&[&parts[..], &parts[1..2]].concat()).contains("given twice"));
    // A shard in which a scene was skipped that others used.
    let odd = dir.path().join("odd");
    let mut writer = NativeWriter::create(&odd, &run(Some((1, 3)))).unwrap();
    writer.skip_scene("kitchen", "the network was down").unwrap();
    for block in plan().shard(1, 3) {
        assert!(make(&block, &mut writer, &mut { u64::MAX }));
    }
    writer.finish().unwrap();
    let error = refused(&[parts[0].clone(), odd, parts[2].clone()]);
    assert!(error.contains("scene kitchen could not be used"), "{error}");
    let short = dir.path().join("short");
    NativeWriter::create(&short, &run(Some((1, 3))))
        .unwrap()
        .finish()
        .unwrap();
    assert!(refused(&[parts[0].clone(), short, parts[2].clone()]).contains("does not follow the plan"));
    whole(&dir.path().join("single"));
    assert!(refused(&[dir.path().join("single")]).contains("not a shard"));
    let others = shards(&dir.path().join("others"), 2);
    assert!(refused(&[parts[0].clone(), others[1].clone()]).contains("is shard 1 of 2"));
    let foreign = dir.path().join("foreign");
    let other = RunRecord {
        seed: 6,
        ..run(Some((1, 3)))
    };
    NativeWriter::create(&foreign, &other).unwrap().finish().unwrap();
    assert!(refused(&[parts[0].clone(), foreign, parts[2].clone()]).contains("seed is 6 there and 5 here"));
    let unfinished = dir.path().join("unfinished");
    drop(NativeWriter::create(&unfinished, &run(Some((1, 3)))).unwrap());
    assert!(refused(&[parts[0].clone(), unfinished, parts[2].clone()]).contains("not finished"));
    assert!(refused(&[dir.path().join("nowhere")]).contains("no set is here"));
    fs::create_dir(&out).unwrap();
    assert!(refused(&parts).contains("exists"));
}

fn covista(args: &[&str], envs: &[(&str, &str)]) -> Output {
    let mut command = Command::cargo_bin("covista").unwrap();
    command.args(args).timeout(std::time::Duration::from_secs(300));
    for (key, value) in envs {
        command.env(key, value);
    }
    command.output().unwrap()
}

const RUN: [&str; 11] = [
    "generate",
    "--scene",
    "procedural:3",
    "--profile",
    "smoke",
    "--seed",
    "11",
    "--pairs",
    "5",
    "--set",
    "generate.block_pairs=2",
];

#[test]
fn the_program_makes_merges_and_checks_shards() {
    let Some(_gpu) = common::gpu() else { return };
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    // One flat, fresh flats with twice its weight, and an upright wall that nobody can walk on, first in most blocks.
    fs::write(path("wall.obj"), "v 0 0 0\nv 3 0 0\nv 3 3 0\nv 0 3 0\nf 1 2 3 4\n").unwrap();
    let wall = path("wall.obj");
    let heavy = format!("9:{wall}");
    let scenes = ["--scene", "2:procedural:*", "--scene", &heavy];
    let done = |args: &[&str], envs: &[(&str, &str)]| {
        let output = covista(args, envs);
        assert!(
            output.status.success(),
            "{args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    };
    let generate = |out: &str, extra: &[&str], envs: &[(&str, &str)]| {
        done(&[&RUN[..], &scenes, &["--out", &path(out)], extra].concat(), envs)
    };
    generate("single", &[], &[]);
    let single = NativeReader::open(&dir.path().join("single")).unwrap();
    assert_eq!(single.skipped()[0].scene, wall);
    assert!(single.run().scenes.len() > 1, "more than one scene gives pairs");
    generate("two", &["--shards", "2", "--shard", "1"], &[]);
    generate(
        "two",
        &["--shard-from-env"],
        &[
            ("SLURM_ARRAY_TASK_ID", "4"),
            ("SLURM_ARRAY_TASK_MIN", "4"),
            ("SLURM_ARRAY_TASK_COUNT", "2"),
        ],
    );
    for index in ["0", "1", "2"] {
        generate(
            "three",
            &["--shard-from-env"],
            &[("JOB_COMPLETION_INDEX", index), ("COVISTA_SHARDS", "3")],
        );
    }
    for parts in ["two", "three"] {
        let merged = format!("merged {parts}");
        let report = done(&["merge", &path(parts), "--out", &path(&merged), "--json"], &[]);
        let report: serde_json::Value = serde_json::from_str(&report).unwrap();
        assert_eq!(report["counters"]["pairs"], 5);
        assert_same(&dir.path().join("single"), &dir.path().join(merged));
    }
    // Again: nothing to do, nothing changed.
    let before = tree(&dir.path().join("two"));
    generate("two", &["--shards", "2", "--shard", "1"], &[]);
    assert!(before == tree(&dir.path().join("two")));

    done(&["verify", &path("two"), &path("single")], &[]);
    let file = dir.path().join("single/000003/first.png");
    fs::write(&file, b"cut").unwrap();
    let output = covista(&["verify", &path("single"), "--json"], &[]);
    assert_eq!(output.status.code(), Some(3));
    let reports: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(reports[0]["damaged"][0]["file"], file.display().to_string());
}

#[test]
fn a_shard_that_is_taken_or_makes_no_sense_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out").display().to_string();
    let refused = |extra: &[&str], envs: &[(&str, &str)], code: i32, named: &str| {
        let output = covista(&[&RUN[..], &["--out", &out], extra].concat(), envs);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{stderr}");
        assert!(stderr.contains(named), "{named:?} is missing in: {stderr}");
    };
    refused(&["--shards", "2"], &[], 2, "--shard");
    refused(&["--shard", "0"], &[], 2, "--shards");
    refused(&["--shards", "2", "--shard", "2"], &[], 2, "0 to 1 of 2");
    refused(&["--shard-from-env"], &[("HQ_TASK_ID", "0")], 2, "COVISTA_SHARDS");
    let held = ClaimedFolder::claim(&Path::new(&out).join(shard_name(0, 2))).unwrap();
    refused(&["--shards", "2", "--shard", "0"], &[], 5, "another process");
    assert!(!held.temporary().exists(), "who comes second touches nothing");
}
