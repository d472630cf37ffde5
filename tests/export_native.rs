//! The native format: what is written is read, twice the same, and a run that was killed and
//! continued equals one that was not.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod common;
mod synthetic;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use common::tree::{assert_same_folders as assert_same, tree};
use covista::camera::Camera;
use covista::export::native::{NativeReader, NativeWriter, Replay, RunRecord, TopDown};
use covista::export::{ExportError, PictureFormat};
use covista::view::ViewPair;
use image::{Rgb, RgbImage};
use synthetic::{SCENE, pair, run, trial, unsealed};

/// Even positions give a pair, odd ones none; position 4 gives two.
fn one(writer: &mut NativeWriter, index: u64) {
    if index == 4 {
        writer.write_pairs(&trial(4), &[pair(4), pair(40)]).unwrap();
    } else if index.is_multiple_of(2) {
        writer.write_pair(&trial(index), &pair(index)).unwrap();
    } else {
        writer.write_refusal(&trial(index), "no candidate in range").unwrap();
    }
}

fn topdown() -> TopDown {
    TopDown {
        image: RgbImage::from_pixel(50, 60, Rgb([200, 210, 220])),
        min_x: -2.5,
        min_z: -3.0,
        metres_per_pixel: 0.1,
    }
}

fn whole(dir: &Path, run: &RunRecord) {
    let mut writer = NativeWriter::create(dir, run).unwrap();
    writer.set_topdown(SCENE, &topdown()).unwrap();
    (0..8).for_each(|index| one(&mut writer, index));
    let counters = writer.finish().unwrap();
    assert_eq!((counters.positions, counters.positions_kept, counters.pairs), (8, 4, 5));
}

/// The first three positions of [`whole`], as a set that has ended.
fn begun(dir: &Path) {
    let mut writer = NativeWriter::create(dir, &run(5)).unwrap();
    writer.set_topdown(SCENE, &topdown()).unwrap();
    (0..3).for_each(|index| one(&mut writer, index));
    writer.finish().unwrap();
}

/// Poses may lose their last digit in the text (serde_json without `float_roundtrip`), nothing else may.
fn assert_same_camera(a: &Camera, b: &Camera) {
    assert_eq!(a.intrinsics.width, b.intrinsics.width);
    let numbers = |c: &Camera| {
        let i = c.intrinsics;
        [i.fx, i.fy, i.cx, i.cy]
            .into_iter()
            .chain(c.world_from_camera_row_major())
            .collect::<Vec<_>>()
    };
    for (x, y) in numbers(a).into_iter().zip(numbers(b)) {
        assert!((x - y).abs() <= 4.0 * f64::EPSILON * y.abs(), "{x} is not {y}");
    }
}

fn assert_same_pair(a: &ViewPair, b: &ViewPair) {
    for (x, y) in [(&a.first, &b.first), (&a.second, &b.second)] {
        assert_same_camera(&x.camera, &y.camera);
        assert!(x.color == y.color && x.depth == y.depth);
    }
    let overlap = |p: &ViewPair| p.overlaps.homography.unwrap().min();
    assert!((overlap(a) - overlap(b)).abs() < 1e-15);
    assert_eq!(a.correspondence, b.correspondence);
    assert_eq!(a.true_correspondence, b.true_correspondence);
    assert_eq!(a.origin, b.origin);
}

#[test]
fn what_is_written_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let set = dir.path().join("deep/set");
    whole(&set, &run(5));
    let reader = NativeReader::open(&set).unwrap();
    assert!(reader.is_finished());
    assert_eq!(reader.run(), &run(5));
    assert_eq!(reader.topdowns().unwrap(), vec![(SCENE.to_string(), topdown())]);
    let pairs: Vec<_> = reader.pairs().collect::<Result<_, _>>().unwrap();
    assert_eq!(pairs.len(), 5);
    for (read, index) in pairs.iter().zip([0, 2, 4, 40, 6]) {
        assert_same_pair(read, &pair(index));
    }
    assert_eq!((reader.trials().count(), reader.positions()), (8, 8));
    let record = reader.trials().nth(3).unwrap().unwrap();
    let (read, made) = (&record.trial, trial(3));
    assert_eq!(
        (&read.scene, read.index, &read.refused),
        (&made.scene, 3, &made.refused)
    );
    assert!((read.stops[1][0] - made.stops[1][0]).abs() <= 5.1e-7, "micrometres");
    let counters = reader.counters();
    assert_eq!(
        counters.refused_positions,
        BTreeMap::from([("no candidate in range".into(), 4)])
    );
    assert_eq!(counters.refused_candidates["too few matches"], 8 * 12);
    assert!(reader.verify().is_empty());
    // Files as documented, nothing else.
    let names: Vec<_> = tree(&set)
        .into_keys()
        .filter(|n| !n.contains('/') || n.starts_with("000000"))
        .collect();
    let folder = [
        "first.depth.npy",
        "first.png",
        "pair.json",
        "second.depth.npy",
        "second.png",
    ];
    let mut expected: Vec<_> = folder.iter().map(|n| format!("000000/{n}")).collect();
    expected.extend(["manifest.json", "topdown-000.png"].map(String::from));
    assert_eq!(names, expected);
}

#[test]
fn pair_json_says_what_a_reader_needs() {
    let dir = tempfile::tempdir().unwrap();
    whole(&dir.path().join("set"), &run(5));
    let text = fs::read_to_string(dir.path().join("set/000001/pair.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let camera = pair(2).first.camera;
    assert_eq!(json["first"]["K"][0][2], camera.intrinsics.cx);
    assert_eq!(json["first"]["K"][2], serde_json::json!([0.0, 0.0, 1.0]));
    // Row-major: the fourth, eighth and twelfth numbers are the eye.
    assert_eq!(json["first"]["world_from_camera"][3], camera.eye().x);
    assert_eq!(json["first"]["world_from_camera"][7], 1.5);
    assert_eq!(json["index"], 2);
    assert_eq!(json["seed"], 5);
    assert_eq!(json["config_hash"], run(5).config_hash.as_str());
    assert_eq!(json["correspondence"]["grid"], 7);
    assert!(json["overlaps"]["covisibility"]["second_to_first"].is_f64());
    assert!(json["pixel_centres"].as_str().unwrap().contains("+0.5"));
}

#[test]
fn twice_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    whole(&dir.path().join("a"), &run(5));
    whole(&dir.path().join("b"), &run(5));
    assert_same(&dir.path().join("a"), &dir.path().join("b"));
}

#[test]
fn jpeg_sets_keep_geometry_exactly_and_colour_nearly() {
    let dir = tempfile::tempdir().unwrap();
    let run = RunRecord {
        pictures: PictureFormat::Jpeg,
        ..run(5)
    };
    whole(&dir.path().join("set"), &run);
    assert!(dir.path().join("set/000000/second.jpg").exists());
    let reader = NativeReader::open(&dir.path().join("set")).unwrap();
    let (read, made) = (reader.pairs().next().unwrap().unwrap(), pair(0));
    assert_eq!(read.second.depth, made.second.depth);
    assert_same_camera(&read.second.camera, &made.second.camera);
    let differences = read.first.color.iter().zip(made.first.color.iter());
    let mean = differences.map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>() / made.first.color.len() as f64;
    assert!(mean > 0.0 && mean < 4.0, "mean difference {mean}");
}

#[test]
fn a_run_killed_anywhere_and_continued_equals_one_that_was_not() {
    let dir = tempfile::tempdir().unwrap();
    let reference = dir.path().join("reference");
    whole(&reference, &run(5));
    for killed_after in 0..=8 {
        let set = dir.path().join(format!("set{killed_after}"));
        let mut writer = NativeWriter::create(&set, &run(5)).unwrap();
        writer.set_topdown(SCENE, &topdown()).unwrap();
        (0..killed_after).for_each(|index| one(&mut writer, index));
        drop(writer);
        // What a kill leaves: a torn line, a half-written folder, a folder that no line names yet.
        let mut journal = fs::read(set.join("progress.jsonl")).unwrap();
        journal.extend_from_slice(br#"{"event":"trial","record":{"ind"#);
        fs::write(set.join("progress.jsonl"), journal).unwrap();
        fs::create_dir(set.join(".tmp-000007")).unwrap();
        fs::write(set.join(".tmp-000007/first.png"), b"half").unwrap();
        fs::create_dir(set.join("000005")).unwrap();

        let unfinished = NativeReader::open(&set).unwrap();
        assert!(!unfinished.is_finished());
        let kept = unfinished.trials().collect::<Result<Vec<_>, _>>().unwrap();
        assert!(kept.iter().map(|record| record.trial.index).eq(0..killed_after));

        let mut writer = NativeWriter::resume(&set, &run(5)).unwrap();
        writer.set_topdown(SCENE, &topdown()).unwrap();
        assert_eq!(writer.missing().count(), 0);
        for index in 0..8 {
            assert_eq!(writer.is_done(SCENE, index), index < killed_after);
            if !writer.is_done(SCENE, index) {
                one(&mut writer, index);
            }
        }
        writer.finish().unwrap();
        assert_same(&reference, &set);
    }
}

#[test]
fn continuing_before_the_first_line_or_without_a_folder_starts_anew() {
    let dir = tempfile::tempdir().unwrap();
    let empty = dir.path().join("empty");
    fs::create_dir(&empty).unwrap();
    fs::write(empty.join(".tmp-progress"), b"{\"event\":\"ru").unwrap();
    for set in [empty, dir.path().join("none")] {
        let mut writer = NativeWriter::resume(&set, &run(5)).unwrap();
        one(&mut writer, 0);
        assert_eq!(writer.finish().unwrap().pairs, 1);
        assert!(!set.join(".tmp-progress").exists());
    }
}

#[test]
fn damaged_pairs_are_made_again_and_the_set_is_as_before() {
    let dir = tempfile::tempdir().unwrap();
    let (reference, set) = (dir.path().join("reference"), dir.path().join("set"));
    whole(&reference, &run(5));
    whole(&set, &run(5));
    fs::write(set.join("000002/first.png"), b"not a picture").unwrap();
    fs::remove_dir_all(set.join("000004")).unwrap();
    let mut writer = NativeWriter::resume(&set, &run(5)).unwrap();
    assert_eq!(writer.missing().collect::<Vec<_>>(), [(SCENE, 4), (SCENE, 6)]);
    assert!(!set.join("manifest.json").exists(), "the set is not complete");
    one(&mut writer, 6);
    drop(writer);
    let mut writer = NativeWriter::resume(&set, &run(5)).unwrap();
    assert_eq!(writer.missing().collect::<Vec<_>>(), [(SCENE, 4)]);
    assert!(!writer.is_done(SCENE, 4));
    one(&mut writer, 4);
    writer.finish().unwrap();
    assert_same(&reference, &set);
    // A finished and whole set is left alone.
    let writer = NativeWriter::resume(&set, &run(5)).unwrap();
    assert_eq!(writer.finish().unwrap().pairs, 5);
    assert_same(&reference, &set);
}

#[test]
fn a_picture_from_above_is_made_again_where_no_position_gave_a_pair() {
    let dir = tempfile::tempdir().unwrap();
    let (reference, set) = (dir.path().join("reference"), dir.path().join("set"));
    for place in [&reference, &set] {
        let mut writer = NativeWriter::create(place, &run(5)).unwrap();
        writer.set_topdown(SCENE, &topdown()).unwrap();
        (0..2).for_each(|index| writer.write_refusal(&trial(index), "no candidate in range").unwrap());
        writer.finish().unwrap();
    }
    fs::remove_file(set.join("topdown-000.png")).unwrap();
    let mut writer = NativeWriter::resume(&set, &run(5)).unwrap();
    assert_eq!(writer.missing().collect::<Vec<_>>(), [(SCENE, 0)]);
    writer.set_topdown(SCENE, &topdown()).unwrap();
    writer.write_refusal(&trial(0), "no candidate in range").unwrap();
    writer.finish().unwrap();
    assert_same(&reference, &set);
}

#[test]
fn a_finished_set_is_opened_by_one_writer_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let (reference, set) = (dir.path().join("reference"), dir.path().join("set"));
    let busy = || {
        assert!(matches!(
            NativeWriter::resume(&set, &run(5)),
            Err(ExportError::Busy { .. })
        ))
    };
    whole(&reference, &run(5));
    begun(&set);
    let mut writer = NativeWriter::resume(&set, &run(5)).unwrap();
    // Nothing has been written yet, then the manifest has given way to a journal.
    busy();
    one(&mut writer, 3);
    busy();
    (4..8).for_each(|index| one(&mut writer, index));
    writer.finish().unwrap();
    assert_same(&reference, &set);
    NativeWriter::resume(&set, &run(5)).unwrap();
}

#[test]
fn of_writers_that_begin_at_once_one_goes_on() {
    for round in 0..60 {
        let dir = tempfile::tempdir().unwrap();
        let set = dir.path().join("set");
        if round % 2 == 0 {
            fs::create_dir(&set).unwrap();
        }
        let all_have_tried = std::sync::Barrier::new(3);
        let begin = || {
            let writer = NativeWriter::resume(&set, &run(5));
            all_have_tried.wait();
            match writer {
                Ok(_) => true,
                Err(ExportError::Busy { .. }) => false,
                Err(error) => panic!("round {round}: {error}"),
            }
        };
        let won = std::thread::scope(|scope| {
            let threads = [(); 3].map(|()| scope.spawn(begin));
            threads.map(|thread| thread.join().unwrap())
        });
        assert!(won.iter().filter(|&&won| won).count() <= 1, "round {round}: {won:?}");
        let left = fs::read_dir(&set).unwrap().map(|entry| entry.unwrap().file_name());
        let left: Vec<_> = left.filter(|name| name != "progress.jsonl").collect();
        assert!(left.is_empty(), "round {round}: {left:?}");
        // Where all met each other nobody has begun; then somebody may.
        NativeWriter::resume(&set, &run(5)).unwrap();
    }
}

#[test]
fn a_finished_set_can_be_made_longer() {
    let dir = tempfile::tempdir().unwrap();
    let (reference, set) = (dir.path().join("reference"), dir.path().join("set"));
    whole(&reference, &run(5));
    begun(&set);
    let mut writer = NativeWriter::resume(&set, &run(5)).unwrap();
    (3..8).for_each(|index| one(&mut writer, index));
    writer.finish().unwrap();
    assert_same(&reference, &set);
}

#[test]
fn another_run_is_refused_and_named() {
    let dir = tempfile::tempdir().unwrap();
    let set = dir.path().join("set");
    whole(&set, &run(5));
    assert!(matches!(
        NativeWriter::create(&set, &run(5)),
        Err(ExportError::Exists { .. })
    ));
    let base = run(5);
    let mut scene = run(5);
    scene.scenes[0].hash = "0".repeat(64);
    let config = RunRecord::new("covista", serde_json::json!({"x": 1}), 5, base.scenes.clone(), "cpu");
    let jpeg = RunRecord {
        pictures: PictureFormat::Jpeg,
        ..run(5)
    };
    for (other, named) in [
        (run(6), "seed is 5 there and 6 here"),
        (scene, "hash of scene box room"),
        (config, "config hash"),
        (jpeg, "picture format is png there and jpg here"),
    ] {
        let error = NativeWriter::resume(&set, &other).unwrap_err();
        assert!(matches!(error, ExportError::Mismatch { .. }));
        assert!(error.to_string().contains(named), "{error}");
    }
    // Another adapter may go on, and is recorded.
    let other = RunRecord {
        adapter: "another adapter".into(),
        ..run(5)
    };
    NativeWriter::resume(&set, &other).unwrap().finish().unwrap();
    let reader = NativeReader::open(&set).unwrap();
    assert_eq!(reader.adapters(), ["ray caster of the tests", "another adapter"]);
}

#[test]
fn one_writer_at_a_time_and_each_position_once() {
    let dir = tempfile::tempdir().unwrap();
    let set = dir.path().join("set");
    let mut writer = NativeWriter::create(&set, &run(5)).unwrap();
    assert!(matches!(
        NativeWriter::resume(&set, &run(5)),
        Err(ExportError::Busy { .. })
    ));
    one(&mut writer, 0);
    assert!(writer.write_pair(&trial(0), &pair(0)).is_err());
    assert!(writer.write_refusal(&trial(0), "again").is_err());
    assert_eq!((writer.pairs(), writer.counters().positions), (1, 1));
}

#[test]
fn damage_is_named_by_file() {
    let dir = tempfile::tempdir().unwrap();
    let set = dir.path().join("set");
    whole(&set, &run(5));
    let manifest = fs::read_to_string(set.join("manifest.json")).unwrap();
    let message = |set: &Path| match NativeReader::open(set) {
        Err(error) => error.to_string(),
        Ok(reader) => reader
            .verify()
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n"),
    };
    for file in [
        "000001/first.depth.npy",
        "000003/pair.json",
        "topdown-000.png",
        "000000/second.png",
    ] {
        let bytes = fs::read(set.join(file)).unwrap();
        fs::write(set.join(file), &bytes[..bytes.len() / 2]).unwrap();
        assert!(message(&set).contains(file), "{}", message(&set));
        fs::remove_file(set.join(file)).unwrap();
        assert!(
            message(&set).contains(file) && message(&set).contains("missing"),
            "{}",
            message(&set)
        );
        fs::write(set.join(file), bytes).unwrap();
        assert_eq!(message(&set), "");
    }
    for (from, to, says) in [
        ("covista-native", "other", "its format is"),
        ("\"format_version\": 1", "\"format_version\": 2", "format version is 2"),
        ("first.png", "../../x.png", "no name for a file"),
        ("\"000000\"", "\"/tmp/0\"", "out of turn"),
        ("\"positions_kept\": 4", "\"positions_kept\": 3", "do not add up"),
    ] {
        assert!(manifest.contains(from), "{from} is not in {manifest}");
        for (text, says) in [(&manifest, "its seal does not fit"), (&unsealed(&manifest), says)] {
            fs::write(set.join("manifest.json"), text.replace(from, to)).unwrap();
            let message = message(&set);
            assert!(message.contains(says) && message.contains("manifest.json"), "{message}");
        }
    }
    fs::write(set.join("manifest.json"), &manifest[..manifest.len() / 2]).unwrap();
    assert!(message(&set).contains("manifest.json"));
    fs::remove_file(set.join("manifest.json")).unwrap();
    assert!(message(&set).contains("no set is here"));
}

#[test]
fn a_journal_damaged_in_the_middle_is_refused_with_its_line() {
    let dir = tempfile::tempdir().unwrap();
    let set = dir.path().join("set");
    let mut writer = NativeWriter::create(&set, &run(5)).unwrap();
    (0..3).for_each(|index| one(&mut writer, index));
    drop(writer);
    let journal = fs::read_to_string(set.join("progress.jsonl")).unwrap();
    fs::write(set.join("progress.jsonl"), journal.replacen("trial", "trail", 1)).unwrap();
    for error in [
        NativeReader::open(&set).unwrap_err().to_string(),
        NativeWriter::resume(&set, &run(5)).unwrap_err().to_string(),
    ] {
        assert!(error.contains("line 2") && error.contains("progress.jsonl"), "{error}");
    }
}

#[test]
fn contradicting_sizes_leave_the_set_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let set = dir.path().join("set");
    let mut writer = NativeWriter::create(&set, &run(5)).unwrap();
    let mut broken = pair(0);
    broken.second = std::sync::Arc::new(broken.second.center_crop(64));
    assert!(matches!(
        writer.write_pair(&trial(0), &broken),
        Err(ExportError::Unfit { .. })
    ));
    assert_eq!(tree(&set).keys().collect::<Vec<_>>(), ["progress.jsonl"]);
    assert_eq!(writer.pairs(), 0);
}

#[test]
fn sets_are_replayed_in_turn_and_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    whole(&path("a"), &run(1));
    let mut short = NativeWriter::create(&path("b"), &run(2)).unwrap();
    (0..3).for_each(|index| one(&mut short, index));
    short.finish().unwrap();
    let open = |name: &str| NativeReader::open(&path(name)).unwrap();
    let replay = Replay::new(vec![open("a"), open("b")]);
    assert_eq!(replay.len(), 7);
    let indices: Vec<u64> = replay.take(9).map(|pair| pair.unwrap().origin.index).collect();
    // a has the pairs 0, 2, 4, 40 and 6, b the pairs 0 and 2.
    assert_eq!(indices, [0, 0, 2, 2, 4, 40, 6, 0, 0]);
    assert_eq!(Replay::new(Vec::new()).count(), 0);
}
