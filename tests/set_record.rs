//! The record of a set: in memory it takes some bytes a position, on disk a changed digit is found, and a pair that
//! is made again replaces its own record and no other.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[path = "parsers/allocation.rs"]
mod allocation;
mod synthetic;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use assert_cmd::Command;
use covista::export::ExportError;
use covista::export::native::{NativeReader, NativeWriter, Replay, Trial};
use covista::shard::verify_set;
use serde_json::{Value, json};
use synthetic::{SCENE, pair, run, trial, unsealed};

#[global_allocator]
static ALLOCATOR: allocation::Counting = allocation::Counting::new();
/// The allocator counts for the whole process, so one test at a time.
static TURN: Mutex<()> = Mutex::new(());

/// Bytes that what `make` returned takes, and the most beyond it that making it took.
fn taken<T>(make: impl FnOnce() -> T) -> (T, usize, usize) {
    let before = ALLOCATOR.restart();
    let made = make();
    let peak = ALLOCATOR.peak();
    let after = ALLOCATOR.restart();
    (made, after.saturating_sub(before), peak - after.min(peak))
}

/// A finished set of three pairs and two refusals.
fn whole(dir: &Path) -> String {
    let mut writer = NativeWriter::create(dir, &run(5)).unwrap();
    for index in 0..5 {
        match index % 2 {
            0 => drop(writer.write_pair(&trial(index), &pair(index)).unwrap()),
            _ => writer.write_refusal(&trial(index), "overlap_low").unwrap(),
        }
    }
    writer.finish().unwrap();
    fs::read_to_string(dir.join("manifest.json")).unwrap()
}

fn position(index: u64) -> Trial {
    Trial {
        scene: SCENE.into(),
        index,
        stops: vec![[0.125 * index as f64, -1.5], [2.0, 0.25 * index as f64]],
        refused: BTreeMap::from([
            ("overlap too low".to_owned(), 90 + index % 7),
            ("texture".to_owned(), 3),
        ]),
    }
}

/// Names of a pair's files with made-up hashes.
fn files(number: u64) -> BTreeMap<String, String> {
    let names = [
        "first.depth.npy",
        "first.png",
        "pair.json",
        "second.depth.npy",
        "second.png",
    ];
    let hash = |name: &str| blake3::hash(format!("{number} {name}").as_bytes()).to_hex().to_string();
    names.map(|name| (name.to_owned(), hash(name))).into()
}

#[test]
fn memory_grows_by_some_bytes_a_position() {
    const POSITIONS: u64 = 30_000;
    /// What a position may take, in bytes: its entry, its share of the table, spare room.
    const EACH: usize = 56;
    /// What does not grow: buffers, the run, one record.
    const FIXED: usize = 1 << 20;
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let dir = tempfile::tempdir().unwrap();
    let most = POSITIONS as usize * EACH + FIXED;

    // Written: every position with its record, as a run does it.
    let set = dir.path().join("written");
    let (writer, held, beyond) = taken(|| {
        let mut writer = NativeWriter::create(&set, &run(5)).unwrap();
        for index in 0..POSITIONS {
            writer.write_refusal(&position(index), "nothing in range").unwrap();
        }
        writer
    });
    assert!(held < most && beyond < most, "{held} held, {beyond} beyond");
    let (counters, _, beyond) = taken(|| writer.finish().unwrap());
    assert_eq!(
        (counters.positions, counters.refused_candidates["texture"]),
        (POSITIONS, 3 * POSITIONS)
    );
    // The writer, which is gone afterwards, counts in.
    assert!(beyond < most, "{beyond} bytes to finish");
    let (mut writer, held, beyond) = taken(|| NativeWriter::resume(&set, &run(5)).unwrap());
    assert!(held < most && beyond < most, "{held} held, {beyond} beyond");
    // Going on with a finished set writes its journal anew.
    let (_, held, beyond) = taken(|| writer.write_refusal(&position(POSITIONS), "one more").unwrap());
    assert!(held < FIXED && beyond < most, "{held} held, {beyond} beyond");
    drop(writer);
    assert_eq!(NativeReader::open(&set).unwrap().positions() as u64, POSITIONS + 1);

    // Read: a journal whose positions gave a pair each, and the manifest that says the same.
    let set = dir.path().join("read");
    drop(NativeWriter::create(&set, &run(5)).unwrap());
    let mut journal = fs::OpenOptions::new()
        .append(true)
        .open(set.join("progress.jsonl"))
        .unwrap();
    let (mut pairs, mut positions) = (Vec::new(), Vec::new());
    let manifest = {
        let empty = dir.path().join("empty");
        NativeWriter::create(&empty, &run(5)).unwrap().finish().unwrap();
        unsealed(&fs::read_to_string(empty.join("manifest.json")).unwrap())
    };
    let mut lines = Vec::new();
    for index in 0..POSITIONS {
        let (folder, at) = (format!("{index:06}"), position(index));
        let record = json!({"scene": SCENE, "index": index, "stops": at.stops, "refused": at.refused,
            "pairs": [{"folder": folder, "files": files(index)}]});
        writeln!(lines, "{}", json!({"event": "trial", "record": record})).unwrap();
        pairs.push(json!({"folder": folder, "scene": SCENE, "index": index, "files": files(index)}));
        positions.push(
            json!({"scene": SCENE, "index": index, "stops": at.stops, "refused": at.refused,
            "pairs": [folder]}),
        );
    }
    journal.write_all(&lines).unwrap();
    let mut manifest: Value = serde_json::from_str(&manifest).unwrap();
    manifest["pairs"] = pairs.into();
    manifest["positions"] = positions.into();
    manifest["counters"] = json!({"positions": POSITIONS, "positions_kept": POSITIONS, "pairs": POSITIONS,
        "refused_positions": {}, "refused_candidates": {"overlap too low": (0..POSITIONS).map(|i| 90 + i % 7).sum::<u64>(),
        "texture": 3 * POSITIONS}});
    let second = dir.path().join("manifest");
    fs::create_dir(&second).unwrap();
    fs::write(second.join("manifest.json"), manifest.to_string()).unwrap();
    drop((manifest, lines));
    // A manifest has a place for every pair beside that for every position, in a list that doubles.
    for (set, most) in [(set, most), (second, most + 16 * POSITIONS as usize)] {
        let (reader, held, beyond) = taken(|| NativeReader::open(&set).unwrap());
        assert!(
            held < most && beyond < most,
            "{}: {held} held, {beyond} beyond",
            set.display()
        );
        let (read, held, beyond) = taken(|| {
            let mut index = 0;
            for record in reader.trials() {
                let record = record.unwrap();
                assert_eq!(
                    (&record.trial, &record.pairs[0].files),
                    (&position(index), &files(index))
                );
                index += 1;
            }
            index
        });
        assert_eq!(read, POSITIONS);
        assert!(held < FIXED && beyond < FIXED, "{held} held, {beyond} beyond");
        for index in [0, 1, 777, POSITIONS - 1] {
            assert_eq!(reader.entry(index).unwrap().files, files(index));
        }
        assert!(matches!(
            reader.entry(POSITIONS),
            Err(ExportError::NoSuchPair { pairs: POSITIONS, .. })
        ));
        assert_eq!(Replay::new(vec![reader]).len() as u64, POSITIONS);
        // Every pair of them is missing, which is said without the record in memory.
        let (reports, _, _) = taken(|| verify_set(&set).unwrap());
        assert_eq!(reports[0].damaged.len() as u64, 5 * POSITIONS);
    }
}

#[test]
fn a_changed_byte_of_the_manifest_is_found() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let dir = tempfile::tempdir().unwrap();
    let set = dir.path().join("set");
    let text = whole(&set);
    let path = set.join("manifest.json");
    let report = &verify_set(&set).unwrap()[0];
    assert!(report.is_whole() && report.sealed);
    let refused = |bytes: &[u8], what: &str| {
        fs::write(&path, bytes).unwrap();
        let error = verify_set(&set).unwrap_err().to_string();
        assert!(error.contains("manifest.json"), "{what}: {error}");
        assert!(NativeWriter::resume(&set, &run(5)).is_err(), "{what}");
        error
    };
    // Every third byte in one bit, and the seal with what is around it in every bit.
    let (length, seal) = (text.len(), text.len() - 90);
    let inside = (0..seal).step_by(3).map(|at| (at, (at % 8) as u32));
    let around = (seal..length).flat_map(|at| (0..8).map(move |bit| (at, bit)));
    let mut tried = 0;
    for (at, bit) in inside.chain(around) {
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 1 << bit;
        refused(&bytes, &format!("bit {bit} of byte {at}"));
        tried += 1;
    }
    assert!(tried > 1500, "{tried} changes");
    // Bytes that are missing, doubled or appended.
    for (bytes, what) in [
        (text.as_bytes()[..length - 1].to_vec(), "cut off"),
        (format!("{text} ").into_bytes(), "longer"),
        (text.replacen("\"seed\"", " \"seed\"", 1).into_bytes(), "a space"),
        (text.replacen("\"seal\"", "\"seel\"", 1).into_bytes(), "no seal"),
    ] {
        refused(&bytes, what);
    }
    let digit = text
        .find("\"index\": ")
        .map_or_else(|| text.find("\"index\":").unwrap() + 8, |at| at + 9);
    let mut bytes = text.clone().into_bytes();
    bytes[digit] = b'7';
    let error = refused(&bytes, "a digit");
    assert!(
        error.contains("seal does not fit") && error.contains("make the set again"),
        "{error}"
    );
    let told = Command::cargo_bin("covista")
        .unwrap()
        .arg("verify")
        .arg(&set)
        .output()
        .unwrap();
    assert_eq!(told.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&told.stderr).contains("seal does not fit"));
}

#[test]
fn manifests_of_earlier_builds_stay_readable() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let dir = tempfile::tempdir().unwrap();
    let set = dir.path().join("set");
    let text = whole(&set);
    let sealed: Vec<_> = NativeReader::open(&set).unwrap().trials().map(Result::unwrap).collect();
    let old = unsealed(&text);
    assert!(!old.contains("seal"));
    // Another order of the keys, as another program may write them.
    let turned = {
        let json: Value = serde_json::from_str(&old).unwrap();
        let entries: Vec<String> = json
            .as_object()
            .unwrap()
            .iter()
            .map(|(key, value)| format!("{}: {value}", json!(key)))
            .rev()
            .collect();
        format!("{{{}}}", entries.join(", "))
    };
    assert!(
        turned.find("\"positions\":").unwrap() < turned.find("\"pairs\":").unwrap()
            || turned.starts_with("{\"topdowns")
    );
    for text in [&old, &turned] {
        fs::write(set.join("manifest.json"), text).unwrap();
        let reader = NativeReader::open(&set).unwrap();
        assert!(reader.is_finished() && !reader.is_sealed());
        assert!(reader.trials().map(Result::unwrap).eq(sealed.iter().cloned()));
        assert!(reader.verify().is_empty());
        let report = &verify_set(&set).unwrap()[0];
        assert!(report.is_whole() && !report.sealed);
    }
    let told = Command::cargo_bin("covista")
        .unwrap()
        .arg("verify")
        .arg(&set)
        .output()
        .unwrap();
    let told = String::from_utf8(told.stdout).unwrap();
    assert!(told.contains("whole") && told.contains("carries no seal"), "{told}");
    // Continued and finished it gets one.
    let mut writer = NativeWriter::resume(&set, &run(5)).unwrap();
    writer.write_refusal(&trial(5), "overlap_low").unwrap();
    writer.finish().unwrap();
    assert!(NativeReader::open(&set).unwrap().is_sealed());
}

#[test]
fn a_pair_made_again_replaces_its_own_record() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let dir = tempfile::tempdir().unwrap();
    let set = dir.path().join("set");
    whole(&set);
    let before: Vec<_> = NativeReader::open(&set).unwrap().trials().map(Result::unwrap).collect();
    fs::remove_file(set.join("000001/second.png")).unwrap();
    let mut writer = NativeWriter::resume(&set, &run(5)).unwrap();
    assert_eq!(writer.missing().collect::<Vec<_>>(), [(SCENE, 2)]);
    assert!(writer.trial_at(2).unwrap().is_missing && !writer.trial_at(4).unwrap().is_missing);
    // Made again with other candidates refused, and another picture.
    let again = Trial {
        refused: BTreeMap::from([("another reason".to_owned(), 4)]),
        ..trial(2)
    };
    writer.write_pair(&again, &pair(20)).unwrap();
    assert!(writer.is_done(SCENE, 2));
    drop(writer);
    for finish in [false, true] {
        let reader = NativeReader::open(&set).unwrap();
        assert_eq!(reader.is_finished(), finish);
        let after: Vec<_> = reader.trials().map(Result::unwrap).collect();
        assert_eq!(after.len(), before.len());
        for (place, (old, new)) in before.iter().zip(&after).enumerate() {
            match place {
                2 => {
                    assert_eq!(new.trial.refused, again.refused);
                    assert_eq!(new.pairs[0].folder, "000001");
                    assert_ne!(new.pairs[0].files["first.png"], old.pairs[0].files["first.png"]);
                }
                _ => assert_eq!(new, old),
            }
        }
        assert!(reader.verify().is_empty());
        assert_eq!(reader.counters().refused_candidates["another reason"], 4);
        let counted: u64 = after
            .iter()
            .filter_map(|record| record.trial.refused.get("texture"))
            .sum();
        assert_eq!(reader.counters().refused_candidates["texture"], counted);
        assert_eq!(reader.counters().positions, 5);
        if !finish {
            NativeWriter::resume(&set, &run(5)).unwrap().finish().unwrap();
        }
    }
    // A reason that nobody gives any more is gone from the manifest.
    let lone = dir.path().join("lone");
    let mut writer = NativeWriter::create(&lone, &run(5)).unwrap();
    writer.write_pair(&again, &pair(2)).unwrap();
    writer.finish().unwrap();
    fs::remove_dir_all(lone.join("000000")).unwrap();
    let mut writer = NativeWriter::resume(&lone, &run(5)).unwrap();
    writer
        .write_pair(
            &Trial {
                refused: BTreeMap::new(),
                ..again.clone()
            },
            &pair(2),
        )
        .unwrap();
    assert!(writer.finish().unwrap().refused_candidates.is_empty());
    assert!(
        NativeReader::open(&lone)
            .unwrap()
            .counters()
            .refused_candidates
            .is_empty()
    );
}

#[test]
fn a_line_without_end_is_refused() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let dir = tempfile::tempdir().unwrap();
    let set = dir.path().join("set");
    drop(NativeWriter::create(&set, &run(5)).unwrap());
    let journal = fs::OpenOptions::new()
        .append(true)
        .open(set.join("progress.jsonl"))
        .unwrap();
    // A hole that reads as zeros and takes no room on disk.
    journal.set_len(1 << 30).unwrap();
    let (error, _, beyond) = taken(|| NativeReader::open(&set).unwrap_err().to_string());
    assert!(error.contains("line 2: it is longer than the 64 MiB"), "{error}");
    assert!(beyond < 400 << 20, "{beyond} bytes");
}
