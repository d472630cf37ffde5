//! Files of other programs, and those that travel between ours: plans, lists, exported sets, weights of PyTorch.

use std::fs;
use std::path::{Path, PathBuf};

use covista::export::native::NativeReader;
use covista::export::{ExportOptions, Format, convert, read_pair};
use covista::plan::import::{ImportOptions, read};
use covista::plan::{PlanHeader, PlanJournal, PlanReader, PlanScene, PlanWriter, PlannedPair, PlannedPosition};
use covista::scene::SceneList;
use serde_json::{Value, json};

use crate::harness::{Outcome, run};
use crate::mutate::Mutator;
use crate::records::{beside, copy, set};
use crate::synthetic::{camera, pair};

/// A plan's header and what came of four samples.
fn planned() -> (PlanHeader, Vec<PlannedPosition>) {
    let scene = PlanScene {
        name: "box room".into(),
        spec: "room.glb".into(),
        hash: "ab".repeat(32),
    };
    let header = PlanHeader::new("covista", json!({"seed": 1}), "cd".repeat(32), 3, vec![scene]);
    let positions = (0..4u64).map(|index| {
        let kept = index % 2 == 0;
        PlannedPosition {
            scene: "box room".into(),
            index,
            stops: vec![[0.5, 0.0, 1.0]; 3],
            refused: [("overlap_low".to_owned(), 7)].into(),
            pairs: if kept {
                vec![PlannedPair::new(&pair(index))]
            } else {
                Vec::new()
            },
            reason: (!kept).then(|| "overlap_low".to_owned()),
        }
    });
    (header, positions.collect())
}

/// Bytes, characters or values of one line are changed.
fn mutated_lines(mutator: &mut Mutator, text: &[u8]) -> Vec<u8> {
    match mutator.below(4) {
        0 => mutator.bytes(text),
        1 => mutator.text(text),
        _ => {
            let lines = text.split(|b| *b == b'\n').filter(|line| !line.is_empty());
            let mut lines: Vec<Value> = lines.map(|line| serde_json::from_slice(line).unwrap()).collect();
            let at = mutator.below(lines.len());
            mutator.json(&mut lines[at]);
            let lines = lines.iter().map(|line| format!("{line}\n"));
            lines.collect::<String>().into_bytes()
        }
    }
}

#[test]
fn plan() {
    let beside = beside();
    let path = beside.path().join("plan.jsonl");
    let (header, positions) = planned();
    let mut writer = PlanWriter::create(&path, &header).unwrap();
    for position in &positions {
        writer.position(position).unwrap();
    }
    writer.finish().unwrap();
    let text = fs::read(&path).unwrap();
    run("plan", 16_000_000, |mutator, fold| {
        let path = fold.file("plan.jsonl", &mutated_lines(mutator, &text));
        let _ = PlanReader::recognises(&path);
        PlanReader::open(&path)
            .and_then(|reader| reader.collect::<Result<Vec<_>, _>>())
            .into()
    });
}

#[test]
fn plan_journal() {
    let beside = beside();
    let path = beside.path().join("plan.jsonl");
    let (header, positions) = planned();
    let whole = beside.path().join("whole.jsonl");
    let mut writer = PlanWriter::create(&whole, &header).unwrap();
    let mut journal = PlanJournal::claim(&path).unwrap();
    journal.begin(&header).unwrap();
    journal.begun().unwrap();
    for position in positions {
        writer.position(&position).unwrap();
        journal.position(position).unwrap();
    }
    let end = writer.finish().unwrap();
    drop(journal);
    let name = PlanJournal::path_of(Path::new("plan.jsonl"));
    let text = fs::read(PlanJournal::path_of(&path)).unwrap();
    // As it stands it gives the plan that was written at once.
    let at_once = fs::read(&whole).unwrap();
    let mut seen = 0;
    let mut journal = PlanJournal::claim(&path).unwrap();
    assert!(journal.resume(|_| seen += 1).unwrap());
    assert_eq!((journal.finish(&header).unwrap(), seen), (end, 4));
    assert_eq!(fs::read(&path).unwrap(), at_once);
    assert!(!PlanJournal::path_of(&path).exists());
    run("plan journal", 16_000_000, |mutator, fold| {
        fold.file(&name.display().to_string(), &mutated_lines(mutator, &text));
        let plan = fold.path().join("plan.jsonl");
        let mut seen = 0;
        let mut journal = PlanJournal::claim(&plan).unwrap();
        match journal.resume(|_| seen += 1) {
            Ok(true) => {
                assert_eq!(journal.positions(), seen);
                let end = journal.finish(&header).unwrap();
                assert_eq!(end.positions, seen);
                fs::remove_file(&plan).unwrap();
                Outcome::Read
            }
            // Changed before it was begun.
            Ok(false) => Outcome::Refused,
            Err(error) => Err::<(), _>(error).into(),
        }
    });
}

#[test]
fn poses_of_others() {
    let row_major = camera(1, 0).world_from_camera_row_major();
    let rows: Vec<&[f64]> = row_major.chunks(4).collect();
    let view = json!({"size": [112, 112], "camera_intrinsics": [[60.0, 0, 55.5], [0, 60.0, 55.5], [0, 0, 1]],
                      "R_cam2world": [rows[0][..3], rows[1][..3], rows[2][..3]], "t_cam2world": [0.5, 1.5, 2.0],
                      "position": [0.5, 1.5, 2.0], "rotation": [1, 0, 0, 0]});
    let seeds = [
        json!({"scene": "room", "view_batches": [[view, view], [view, view]]}),
        json!({"scene": "room", "multiviews": {"0": {"positions": [[0.5, 1.5, 2.0], [0.6, 1.5, 2.0]],
               "orientations": [[1, 0, 0, 0], [0.7, 0, 0.7, 0]]}}}),
    ];
    run("poses of others", 16_000_000, |mutator, fold| {
        let mut value = seeds[mutator.below(seeds.len())].clone();
        mutator.json(&mut value);
        let mut text = value.to_string().into_bytes();
        if mutator.once_in(6) {
            text = mutator.text(&text);
        }
        let read = read(&fold.file("metadata.json", &text), &ImportOptions::default());
        if let Ok(imported) = &read {
            assert!(!imported.positions.is_empty());
        }
        read.into()
    });
}

#[test]
fn scene_list() {
    let text = "# scenes\nprocedural:1\n2:procedural:4-9\n0.5:room.glb\nrooms\nprocedural:*\n";
    run("scene list", 64_000_000, |mutator, fold| {
        fold.clear();
        fold.file("room.glb", b"glTF");
        fold.file("rooms/a.glb", b"glTF");
        let path = fold.file("scenes.txt", &mutator.text(text.as_bytes()));
        SceneList::parse(&[], &[path]).into()
    });
}

/// Every file below a folder, relative to it.
fn files(root: &Path) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => found.push(path.strip_prefix(root).unwrap().to_owned()),
            }
        }
    }
    found.sort();
    found
}

#[test]
fn exported_sets() {
    let beside = beside();
    let native = beside.path().join("set");
    set(&native, true);
    let reader = NativeReader::open(&native).unwrap();
    let formats: Vec<(PathBuf, Vec<PathBuf>)> = Format::ALL
        .into_iter()
        .filter(|format| *format != Format::Native)
        .map(|format| {
            let place = beside.path().join(format.name());
            convert(&reader, format, &place, false, &ExportOptions::default(), &mut |_| true).unwrap();
            let files = files(&place);
            (place, files)
        })
        .collect();
    // The arrays of a batch are taken whole, and decoded beside.
    run("exported sets", 64_000_000, |mutator, fold| {
        let (place, files) = &formats[mutator.below(formats.len())];
        copy(place, fold);
        let name = &files[mutator.below(files.len())];
        let bytes = fs::read(place.join(name)).unwrap();
        let is_text = name
            .extension()
            .is_some_and(|e| ["json", "txt", "csv", "md"].iter().any(|t| *t == e));
        let damaged = match is_text && !mutator.once_in(3) {
            true => mutator.text(&bytes),
            // Headers and footers are a small part of a file and where most can go wrong.
            false if mutator.once_in(2) => {
                let head = 400.min(bytes.len());
                let mut out = mutator.bytes(&bytes[..head]);
                out.extend(&bytes[head..]);
                out
            }
            false if mutator.once_in(2) => {
                let tail = bytes.len().saturating_sub(600);
                let mut out = bytes[..tail].to_vec();
                out.extend(mutator.bytes(&bytes[tail..]));
                out
            }
            false => mutator.bytes(&bytes),
        };
        fold.file(&name.to_string_lossy(), &damaged);
        let index = mutator.below(3) as u64;
        match read_pair(fold.path(), index) {
            Ok(_) => Outcome::Read,
            Err(_) => Outcome::Refused,
        }
    });
}

#[cfg(feature = "train")]
mod weights {
    use std::io::Read;

    use super::*;
    use covista::train::weights::pickle::Pickle;
    use covista::train::weights::{Checkpoint, Hints, ModelFile};

    fn fixture(name: &str) -> Vec<u8> {
        fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)).unwrap()
    }

    /// The pickle in a file that `torch.save` wrote.
    fn pickle_of(archive: Vec<u8>) -> Vec<u8> {
        let mut archive = zip::ZipArchive::new(std::io::Cursor::new(archive)).unwrap();
        let name = archive
            .file_names()
            .find(|name| name.ends_with("data.pkl"))
            .unwrap()
            .to_owned();
        let mut bytes = Vec::new();
        archive.by_name(&name).unwrap().read_to_end(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn pickle() {
        let seeds =
            ["weights/kinds.pth", "mae/mimic-atom.pth", "weights/no-tensors.pth"].map(|name| pickle_of(fixture(name)));
        // A node an opcode, at most.
        run("pickle", 16_000_000, |mutator, _| {
            let seed = &seeds[mutator.below(seeds.len())];
            let bytes = mutator.bytes(seed);
            Pickle::read(&bytes).into()
        });
    }

    #[test]
    fn pth() {
        let seeds = [
            "weights/kinds.pth",
            "mae/mimic-atom.pth",
            "weights/legacy.pth",
            "mae/mae-atom.safetensors",
        ]
        .map(fixture);
        // "A small multiple of the file's size."
        run("pth", 8_000_000, |mutator, fold| {
            let seed = &seeds[mutator.below(seeds.len())];
            let bytes = match mutator.below(3) {
                0 => mutator.bytes(seed),
                1 => {
                    let head = 600.min(seed.len());
                    let mut out = mutator.bytes(&seed[..head]);
                    out.extend(&seed[head..]);
                    out
                }
                _ => {
                    let tail = seed.len().saturating_sub(600);
                    let mut out = seed[..tail].to_vec();
                    out.extend(mutator.bytes(&seed[tail..]));
                    out
                }
            };
            let path = fold.file("a.pth", &bytes);
            let _ = ModelFile::read(&path, &Hints::default());
            Checkpoint::read(&path).into()
        });
    }
}
