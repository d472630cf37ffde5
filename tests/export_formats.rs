//! Other programs' formats, read by those programs where they are installed.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod synthetic;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use covista::export::mimic::MimicWriter;
use covista::export::native::{NativeReader, NativeWriter};
use covista::export::webdataset::WebDatasetWriter;
use covista::export::{DepthFormat, ExportError, ExportOptions, Format, convert, read_pair};
use glam::DVec2;
use synthetic::{pair, run, trial};

/// What a Python program prints, or `None` with a printed "skipped" where a module is not installed.
///
/// With `COVISTA_REQUIRE_PYTHON=1` its absence is a failure.
fn python(modules: &str, program: &str, argument: &Path) -> Option<serde_json::Value> {
    let run = |text: &str| Command::new("python3").arg("-c").arg(text).arg(argument).output();
    if !run(&format!("import {modules}")).is_ok_and(|o| o.status.success()) {
        assert!(
            std::env::var("COVISTA_REQUIRE_PYTHON").is_err(),
            "{modules} are not installed"
        );
        println!("skipped: Python lacks one of {modules}");
        return None;
    }
    let output = run(program).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn the_mimic_tree_has_its_list_and_numpy_reads_the_dicts() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let mut writer = MimicWriter::create(&out, "Covista").unwrap();
    for index in [0, 2, 2] {
        writer.write_pair(&pair(index)).unwrap();
    }
    assert!(!out.join("pairs.csv").exists(), "not complete yet");
    writer.finish().unwrap();
    assert!(matches!(
        MimicWriter::create(&out, "x"),
        Err(ExportError::Exists { .. })
    ));
    let list = std::fs::read_to_string(out.join("pairs.csv")).unwrap();
    let rows: Vec<Vec<&str>> = list.lines().map(|l| l.split(',').collect()).collect();
    assert_eq!(rows[0], ["path1", "path2", "correspondence"]);
    assert_eq!(rows[3][0], "Covista/box_room/2-1/0000.jpg");
    assert!(rows[1..].iter().flatten().all(|path| out.join(path).exists()));
    assert_eq!(image::open(out.join(rows[1][1])).unwrap().width(), synthetic::SIZE);

    let program = "import sys, json, csv, numpy as np\n\
        rows = list(csv.DictReader(open(sys.argv[1] + '/pairs.csv')))\n\
        read = [np.load(sys.argv[1] + '/' + r['correspondence'], allow_pickle=True) for r in rows]\n\
        assert all(a.shape == () and type(a.item()) is dict for a in read)\n\
        print(json.dumps([sorted(a.item().items()) for a in read]))";
    if let Some(read) = python("numpy", program, &out) {
        let expected = [0, 2, 2].map(|i| pair(i).correspondence.patches);
        assert_eq!(read, serde_json::json!(expected));
    }
}

/// A shard of three pairs.
fn shard(path: &Path) -> Vec<u8> {
    let mut writer = WebDatasetWriter::new(Vec::new(), path);
    for index in [0, 2, 4] {
        writer.write_pair(&pair(index), &run(5)).unwrap();
    }
    let bytes = writer.finish().unwrap();
    std::fs::write(path, &bytes).unwrap();
    bytes
}

#[test]
fn a_shard_is_the_same_twice_and_holds_one_sample_a_pair() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = shard(&dir.path().join("a.tar"));
    assert!(
        bytes == shard(&dir.path().join("b.tar")),
        "the same pairs give other bytes"
    );
    let mut archive = tar::Archive::new(bytes.as_slice());
    let names: Vec<_> = archive
        .entries()
        .unwrap()
        .map(|e| e.unwrap().path().unwrap().display().to_string())
        .collect();
    let fields = ["first.depth.npy", "first.png", "json", "second.depth.npy", "second.png"];
    assert_eq!(names.len(), 15);
    assert_eq!(names[..5], fields.map(|f| format!("box-room-000000-00-08.{f}")));
    let without_disk = WebDatasetWriter::new(Full, "pipe").write_pair(&pair(0), &run(5));
    assert!(matches!(without_disk, Err(ExportError::DiskFull { .. })));
}

/// A stream that takes nothing.
struct Full;

impl std::io::Write for Full {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(std::io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn webdataset_reads_a_shard() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("shard.tar");
    shard(&path);
    let program = "import sys, json, webdataset as wds, numpy as np\n\
        out = []\n\
        for s in wds.WebDataset('file:' + sys.argv[1], shardshuffle=False).decode('rgb8'):\n\
        \x20   out.append([s['__key__'], list(s['first.png'].shape), s['first.png'][3, 5].tolist(),\n\
        \x20       list(s['second.depth.npy'].shape), float(s['second.depth.npy'][3, 5]), s['json']['index']])\n\
        print(json.dumps(out))";
    if let Some(read) = python("webdataset, numpy, PIL", program, &path) {
        let expected = [0u64, 2, 4].map(|index| {
            let pair = pair(index);
            let key = format!(
                "box-room-{index:06}-{:02}-{:02}",
                pair.origin.views[0], pair.origin.views[1]
            );
            let size = synthetic::SIZE;
            let depth = f64::from(pair.second.depth.at(5, 3));
            serde_json::json!([
                key,
                [size, size, 3],
                pair.first.color.get_pixel(5, 3).0,
                [size, size],
                depth,
                index
            ])
        });
        assert_eq!(read, serde_json::json!(expected));
    }
}

/// A native set of three pairs.
fn native_set(dir: &Path) -> NativeReader {
    let mut writer = NativeWriter::create(dir, &run(5)).unwrap();
    for index in [0, 2, 4] {
        writer.write_pair(&trial(index), &pair(index)).unwrap();
    }
    writer.write_refusal(&trial(5), "island_too_small").unwrap();
    writer.finish().unwrap();
    NativeReader::open(dir).unwrap()
}

/// Every file below a folder, by its path.
fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            found.extend(
                files(&path)
                    .into_iter()
                    .map(|(inner, bytes)| (format!("{name}/{inner}"), bytes)),
            );
        } else {
            found.insert(name, std::fs::read(path).unwrap());
        }
    }
    found
}

fn options() -> ExportOptions {
    ExportOptions {
        shard_pairs: 2,
        batch_pairs: 2,
        depth: DepthFormat::Exr32,
        ..ExportOptions::default()
    }
}

#[test]
fn every_format_is_the_same_twice_and_is_read_back() {
    let dir = tempfile::tempdir().unwrap();
    let set = native_set(&dir.path().join("set"));
    for format in Format::ALL {
        let place = |which: &str| dir.path().join(format!("{which}-{format}"));
        for which in ["a", "b"] {
            let pairs = convert(&set, format, &place(which), false, &options(), &mut |_| true).unwrap();
            assert_eq!(pairs, 3, "{format}");
        }
        let written = files(&place("a"));
        assert!(
            written == files(&place("b")),
            "{format} has other bytes the second time"
        );
        let card = String::from_utf8(written["README.md"].clone()).unwrap();
        assert!(
            card.starts_with("---\n") && card.contains(&run(5).config_hash),
            "{card}"
        );
        assert!(
            written.keys().all(|name| !name.contains(".tmp")),
            "{:?}",
            written.keys()
        );

        let again = convert(&set, format, &place("a"), false, &options(), &mut |_| true);
        assert!(matches!(again, Err(ExportError::Exists { .. })));
        for (number, index) in [0, 2, 4].into_iter().enumerate() {
            let read = read_pair(&place("a"), number as u64).unwrap();
            let made = pair(index);
            assert_eq!((read.format, read.pairs), (format, 3));
            let views = [&made.first, &made.second];
            for (which, view) in views.into_iter().enumerate() {
                let far = |(a, b): (&u8, &u8)| u64::from(a.abs_diff(*b));
                let difference: u64 = read.pictures[which]
                    .as_raw()
                    .iter()
                    .zip(view.color.as_raw())
                    .map(far)
                    .sum();
                let lossy = matches!(format, Format::Mimic | Format::Croco | Format::Dust3r);
                assert!(
                    difference <= if lossy { 4 * view.color.len() as u64 } else { 0 },
                    "{format}: {difference}"
                );
                if let Some(cameras) = read.cameras {
                    let (a, b) = (cameras[which], view.camera);
                    assert!(a.world_from_camera.abs_diff_eq(b.world_from_camera, 1e-12), "{format}");
                    assert_eq!(a.intrinsics, b.intrinsics, "{format}");
                }
                if let Some(depths) = &read.depths {
                    let far = |(a, b): (&f32, &f32)| f64::from((a - b).abs());
                    let worst = depths[which]
                        .metres
                        .iter()
                        .zip(&view.depth.metres)
                        .map(far)
                        .fold(0.0, f64::max);
                    let millimetres = matches!(format, Format::Parquet | Format::Nerfstudio);
                    assert!(worst <= if millimetres { 0.000_51 } else { 0.0 }, "{format}: {worst}");
                }
            }
            assert!(read.matches.len() > 10, "{format}: {} matches", read.matches.len());
            if !matches!(format, Format::Mimic) {
                assert!(read.cameras.is_some(), "{format}");
            }
            // Matches are true: a point of the first view lands where its match is, give or take a patch.
            for [a, b] in &read.matches {
                let depth = made.first.depth.at(a.x as u32, a.y as u32);
                if depth > 0.0 {
                    let place = made
                        .second
                        .camera
                        .project(made.first.camera.unproject(*a, f64::from(depth)));
                    let off: DVec2 = place.unwrap() - *b;
                    assert!(off.abs().max_element() < 9.0, "{format}: {a} to {b} is off by {off}");
                }
            }
        }
        assert!(read_pair(&place("a"), 3).is_err(), "{format} has no fourth pair");
    }
}

#[test]
fn what_is_there_is_not_lost() {
    let dir = tempfile::tempdir().unwrap();
    let set = native_set(&dir.path().join("set"));
    let place = dir.path().join("out");
    let stopped = convert(&set, Format::Croco, &place, false, &options(), &mut |done| done < 2);
    assert!(matches!(stopped, Err(ExportError::Stopped { .. })));
    assert!(!place.exists(), "an interrupted export leaves nothing in its place");
    convert(&set, Format::Croco, &place, false, &options(), &mut |_| true).unwrap();
    let before = files(&place);
    assert!(convert(&set, Format::Mimic, &place, true, &options(), &mut |_| false).is_err());
    assert!(before == files(&place), "an interrupted export replaces nothing");
    convert(&set, Format::Mimic, &place, true, &options(), &mut |_| true).unwrap();
    assert!(place.join("pairs.csv").exists() && !place.join("pairs.txt").exists());
    let strange = dir.path().join("home");
    std::fs::create_dir(&strange).unwrap();
    std::fs::write(strange.join("thesis.tex"), "x").unwrap();
    let refused = convert(&set, Format::Mimic, &strange, true, &options(), &mut |_| true);
    assert!(matches!(refused, Err(ExportError::Foreign { .. })));
    assert!(strange.join("thesis.tex").exists());
    // Nor is a folder in which outputs are gathered an output.
    let gathered = dir.path().join("gathered");
    for name in ["a-croco", "b-dust3r"] {
        convert(
            &set,
            Format::Croco,
            &gathered.join(name),
            false,
            &options(),
            &mut |_| true,
        )
        .unwrap();
    }
    let refused = convert(&set, Format::Croco, &gathered, true, &options(), &mut |_| true);
    assert!(matches!(refused, Err(ExportError::Foreign { .. })));
    assert!(gathered.join("a-croco/pairs.txt").exists());
    // A damaged picture is named, and nothing is written.
    std::fs::write(dir.path().join("set/000001/first.png"), b"x").unwrap();
    let damaged = convert(
        &set,
        Format::Npy,
        &dir.path().join("npy"),
        false,
        &options(),
        &mut |_| true,
    );
    assert!(damaged.unwrap_err().to_string().contains("000001"));
}

#[test]
fn trees_of_croco_and_dust3r_have_pixel_centres_at_integers() {
    let dir = tempfile::tempdir().unwrap();
    let set = native_set(&dir.path().join("set"));
    for format in [Format::Croco, Format::Dust3r] {
        let place = dir.path().join(format.name());
        convert(&set, format, &place, false, &options(), &mut |_| true).unwrap();
        let list = std::fs::read_to_string(place.join("pairs.txt")).unwrap();
        assert_eq!(
            list.lines().next(),
            Some("box_room/00000000_1.jpeg box_room/00000000_2.jpeg")
        );
        let text = std::fs::read(place.join("box_room/00000000_1_camera_params.json")).unwrap();
        let params: serde_json::Value = serde_json::from_slice(&text).unwrap();
        let number = |value: &serde_json::Value| value.as_f64().unwrap();
        let k = &params["camera_intrinsics"];
        let camera = pair(0).first.camera;
        // The pixel of column 10 and row 7, the way their code says it and the way ours does.
        let theirs = [
            (10.0 - number(&k[0][2])) / number(&k[0][0]) * 2.0,
            (7.0 - number(&k[1][2])) / number(&k[1][1]) * 2.0,
            2.0,
        ];
        let ours = camera.unproject(DVec2::new(10.5, 7.5), 2.0);
        for axis in 0..3 {
            let rotated: f64 = (0..3)
                .map(|i| number(&params["R_cam2world"][axis][i]) * theirs[i])
                .sum();
            let world = rotated + number(&params["t_cam2world"][axis]);
            assert!((world - ours[axis]).abs() < 1e-12, "{format}");
        }
    }
}

fn covista(arguments: &[&str]) -> std::process::Output {
    Command::new(assert_cmd::cargo::cargo_bin!("covista"))
        .args(arguments)
        .output()
        .unwrap()
}

#[test]
fn the_commands_convert_show_and_say_what_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    native_set(Path::new(&path("set")));
    let formats = ["--format", "croco,colmap,npy", "--batch-pairs", "2"];
    let made = covista(
        &[
            &["export", &path("set"), "--out", &path("out"), "--json"],
            formats.as_slice(),
        ]
        .concat(),
    );
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let summary: serde_json::Value = serde_json::from_slice(&made.stdout).unwrap();
    assert_eq!(summary["formats"], serde_json::json!(["croco", "colmap", "npy"]));
    assert_eq!(summary["pairs"], 3);
    for inside in [
        "README.md",
        "covista.json",
        "croco/pairs.txt",
        "colmap/box_room/sparse/0/images.bin",
    ] {
        assert!(dir.path().join("out").join(inside).exists(), "{inside}");
    }
    for (what, index, code, words) in [
        ("out/colmap", "2", 0, ""),
        ("out", "0", 0, ""),
        ("out/npy", "3", 2, "the pairs are 0 to 2"),
        ("out/croco/box_room", "0", 3, "none of the formats"),
        ("nothing", "0", 3, "cannot read"),
    ] {
        let picture = path("pair.png");
        let shown = covista(&["show", &path(what), "--index", index, "--out", &picture]);
        let said = String::from_utf8_lossy(&shown.stderr).into_owned();
        assert_eq!(shown.status.code(), Some(code), "{what}: {said}");
        assert!(said.contains(words), "{what}: {said}");
        if code == 0 {
            assert_eq!(image::open(&picture).unwrap().width(), 2 * 4 * synthetic::SIZE + 12);
            std::fs::remove_file(&picture).unwrap();
        }
    }
    for (arguments, code) in [
        (["export", &path("set"), "--format", "croco", "--out", &path("out")], 5),
        (["export", &path("set"), "--format", "tar", "--out", &path("new")], 2),
        (["export", &path("none"), "--format", "croco", "--out", &path("new")], 3),
    ] {
        assert_eq!(covista(&arguments).status.code(), Some(code), "{arguments:?}");
    }
    assert!(!dir.path().join("new").exists());
}
