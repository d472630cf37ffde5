//! Other programs' formats, read by those programs where they are installed.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod synthetic;

use std::path::Path;
use std::process::Command;

use covista::export::ExportError;
use covista::export::mimic::MimicWriter;
use covista::export::webdataset::WebDatasetWriter;
use synthetic::{pair, run};

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
