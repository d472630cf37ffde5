//! Files of ours that are read back: sets, configurations, tables, arrays, checkpoints.

use std::fs;
use std::path::Path;

use covista::config::Config;
use covista::export::native::{NativeReader, NativeWriter};
use covista::export::npy;
use covista::validate::{MetricRule, Plan, Table, parse_partners};
use serde_json::Value;

use crate::harness::{Fold, Outcome, in_memory, run};
use crate::synthetic::{pair, run as set_run, trial, unsealed};

/// Most bytes for a set of some pairs of 112 px, its pictures read one by one.
const SET_STATED: usize = 32_000_000;
/// A finished or unfinished set of three pairs and two refusals.
pub fn set(folder: &Path, finish: bool) {
    let mut writer = NativeWriter::create(folder, &set_run(5)).unwrap();
    for index in 0..5 {
        match index % 2 {
            0 => drop(writer.write_pair(&trial(index), &pair(index)).unwrap()),
            _ => writer.write_refusal(&trial(index), "overlap_low").unwrap(),
        }
    }
    if finish {
        writer.finish().unwrap();
    }
}

/// Copies a set into the folder of a case, links instead of bytes: a file that is to change is removed first.
pub fn copy(from: &Path, fold: &Fold) {
    fn link(from: &Path, to: &Path) {
        for entry in fs::read_dir(from).unwrap() {
            let path = entry.unwrap().path();
            let to = to.join(path.file_name().unwrap());
            if path.is_dir() {
                fs::create_dir(&to).unwrap();
                link(&path, &to);
            } else {
                fs::hard_link(&path, &to).unwrap();
            }
        }
    }
    fold.clear();
    link(from, fold.path());
}

/// A folder on the file system that the folds lie on.
pub fn beside() -> tempfile::TempDir {
    in_memory()
}

/// Reads a set as every command does, then goes on with it: what it clears away must lie inside.
fn read_and_resume(folder: &Path) -> Outcome {
    let read = NativeReader::open(folder);
    if let Ok(reader) = &read {
        let _ = reader.verify();
        let _ = reader.entry(2);
        for entry in reader.entries() {
            let _ = entry.map(|entry| reader.overlaps(&entry));
        }
    }
    let outcome = read.into();
    if let Ok(mut writer) = NativeWriter::resume(folder, &set_run(5)) {
        let missing: Vec<u64> = writer.missing().map(|(_, index)| index).collect();
        for index in missing.into_iter().filter(|index| *index < 5 && index % 2 == 0) {
            let _ = writer.write_pair(&trial(index), &pair(index));
        }
        let _ = writer.write_refusal(&trial(77), "overlap_low");
        let _ = writer.finish();
    }
    outcome
}

#[test]
fn manifest() {
    let beside = beside();
    let whole = beside.path().join("set");
    set(&whole, true);
    let sealed = fs::read_to_string(whole.join("manifest.json")).unwrap();
    // Without its seal, which would hide the parser; now and then with it.
    let text = unsealed(&sealed);
    let json: Value = serde_json::from_str(&text).unwrap();
    run("manifest", SET_STATED, |mutator, fold| {
        copy(&whole, fold);
        let bytes = match mutator.below(5) {
            0 => mutator.bytes(text.as_bytes()),
            1 => mutator.text(text.as_bytes()),
            2 => mutator.text(sealed.as_bytes()),
            _ => {
                let mut json = json.clone();
                mutator.json(&mut json);
                serde_json::to_vec(&json).unwrap()
            }
        };
        fold.file("manifest.json", &bytes);
        read_and_resume(fold.path())
    });
}

#[test]
fn journal() {
    let beside = beside();
    let whole = beside.path().join("set");
    set(&whole, false);
    let text = fs::read(whole.join("progress.jsonl")).unwrap();
    run("journal", SET_STATED, |mutator, fold| {
        copy(&whole, fold);
        let bytes = match mutator.below(4) {
            0 => mutator.bytes(&text),
            1 => mutator.text(&text),
            _ => {
                let mut lines: Vec<Value> = text
                    .split(|b| *b == b'\n')
                    .filter(|line| !line.is_empty())
                    .map(|line| serde_json::from_slice(line).unwrap())
                    .collect();
                let at = mutator.below(lines.len());
                mutator.json(&mut lines[at]);
                lines
                    .iter()
                    .map(|line| format!("{line}\n"))
                    .collect::<String>()
                    .into_bytes()
            }
        };
        fold.file("progress.jsonl", &bytes);
        read_and_resume(fold.path())
    });
}

#[test]
fn pair_files() {
    let beside = beside();
    let whole = beside.path().join("set");
    set(&whole, true);
    let manifest = unsealed(&fs::read_to_string(whole.join("manifest.json")).unwrap());
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    let names = [
        "pair.json",
        "first.png",
        "second.png",
        "first.depth.npy",
        "second.depth.npy",
    ];
    run("pair files", SET_STATED, |mutator, fold| {
        copy(&whole, fold);
        let name = mutator.pick(&names);
        let path = format!("000001/{name}");
        let bytes = fs::read(whole.join(&path)).unwrap();
        let bytes = match (name, mutator.once_in(4)) {
            ("pair.json", false) => {
                let mut json: Value = serde_json::from_slice(&bytes).unwrap();
                mutator.json(&mut json);
                json.to_string().into_bytes()
            }
            _ => mutator.bytes(&bytes),
        };
        fold.file(&path, &bytes);
        // The manifest vouches for what was damaged, so that the hash does not hide the parser.
        let mut manifest = manifest.clone();
        manifest["pairs"][1]["files"][name] = blake3::hash(&bytes).to_hex().as_str().into();
        fold.file("manifest.json", &serde_json::to_vec(&manifest).unwrap());
        let reader = NativeReader::open(fold.path()).unwrap();
        let entry = reader.entry(1).unwrap();
        reader.pair(&entry).into()
    });
}

#[test]
fn arrays() {
    let whole = npy::encode_f32(&[3, 4], &[0.5; 12]).unwrap();
    // The damaged bytes themselves are most of it.
    run("npy", 2_000_000, |mutator, _| {
        let bytes = match mutator.once_in(2) {
            true => mutator.text(&whole),
            false => mutator.bytes(&whole),
        };
        let read = npy::decode_f32(&bytes);
        if let Ok((shape, values)) = &read {
            assert_eq!(shape.iter().product::<usize>(), values.len());
        }
        read.into()
    });
}

#[test]
fn configuration() {
    let text = Config::default().to_toml();
    run("configuration", 16_000_000, |mutator, fold| {
        let path = fold.file("a.toml", &mutator.text(text.as_bytes()));
        Config::load("covista", Some(&path), &[]).into()
    });
}

#[test]
fn plan_and_tables() {
    let plan = serde_json::json!({"covista_version": "0.1.0", "profile": "covista", "config_hash": "ab", "seed": 3,
        "metrics": [{"name": "homography", "min_overlap": 0.5, "max_overlap": 0.75, "bounds": "strict",
                     "min_laplacian_variance": 1000.0}],
        "scenes": [{"name": "room", "hash": "cd", "refused": {"no_floor": 2}, "positions": [{"index": 0,
            "intrinsics": {"fx": 112.0, "fy": 112.0, "cx": 112.0, "cy": 112.0, "width": 224, "height": 224},
            "world_from_camera": [[1,0,0,0,0,1,0,0,0,0,1,0,0,0,0,1]], "images": ["a.png"]}]}],
        "interrupted": false});
    let external = "scene,seed,index,first,second,overlap,matches,inliers\nroom,3,0,1,9,0.5,20,12\nroom,3,0,1,10,,,\n";
    let partners = "scene,seed,index,first,second,grid,true,homography\n\"a, room\",3,0,1,9,14,0-3 1-4 5-5,0-3\n";
    let rules: Vec<MetricRule> = serde_json::from_value(plan["metrics"].clone()).unwrap();
    run("plan and tables", 8_000_000, |mutator, _| match mutator.below(3) {
        0 => {
            let mut plan = plan.clone();
            if !mutator.once_in(8) {
                mutator.json(&mut plan);
            }
            serde_json::from_slice::<Plan>(plan.to_string().as_bytes()).into()
        }
        1 => {
            let text = String::from_utf8_lossy(&mutator.text(partners.as_bytes())).into_owned();
            parse_partners(&text, &rules).into()
        }
        _ => {
            let text = String::from_utf8_lossy(&mutator.text(external.as_bytes())).into_owned();
            Table::default().add_external(&text, &rules[0]).into()
        }
    });
}

#[cfg(feature = "train")]
mod training {
    use super::*;
    use covista::train::checkpoint::{Checkpoints, read};
    use covista::train::save::read_safetensors;
    use covista::train::step::Trainer;
    use covista::train::{RunState, TrainConfig, TrainDevice};

    /// A folder with one checkpoint of the smallest model.
    fn checkpoint(run: &Path) -> std::path::PathBuf {
        let config = TrainConfig {
            model: covista::train::ModelSize::Micro,
            ..TrainConfig::default()
        };
        let trainer = Trainer::new(&config, &TrainDevice::flex()).unwrap();
        Checkpoints::new(run, 1).write(&trainer, &RunState::default()).unwrap()
    }

    /// Most bytes for reading a checkpoint of the smallest model: its tensors some times over.
    const STATED: usize = 256_000_000;

    #[test]
    fn checkpoint_folder() {
        let beside = beside();
        let whole = checkpoint(beside.path());
        let names = ["state.json", "model.safetensors", "optimizer.safetensors"];
        let files = names.map(|name| (name, fs::read(whole.join(name)).unwrap()));
        let device = TrainDevice::flex();
        run("checkpoint", STATED, |mutator, fold| {
            let damaged = mutator.below(names.len());
            let mut state: Value = serde_json::from_slice(&files[0].1).unwrap();
            let mut hasher = blake3::Hasher::new();
            for (place, (name, bytes)) in files.iter().enumerate().skip(1) {
                let bytes = match place == damaged {
                    // Most of the file is numbers, which are as good as others; what can go wrong lies at its head.
                    true if mutator.once_in(3) => {
                        let mut out = bytes.clone();
                        let at = out.len() - 1 - mutator.below(out.len().min(1000));
                        out[at] ^= 1;
                        out
                    }
                    true => {
                        let head = 3000.min(bytes.len());
                        let mut out = mutator.bytes(&bytes[..head]);
                        out.extend(&bytes[head..]);
                        out
                    }
                    false => bytes.clone(),
                };
                hasher.update(&bytes);
                fold.file(name, &bytes);
            }
            if damaged == 0 {
                mutator.json(&mut state);
            }
            // The state vouches for the damage, so that the hash does not hide the parser; now and then it does not.
            if !mutator.once_in(10) && state.is_object() {
                state.as_object_mut().unwrap().remove("hash");
                hasher.update(state.to_string().as_bytes());
                state["hash"] = hasher.finalize().to_hex().as_str().into();
            }
            fold.file("state.json", state.to_string().as_bytes());
            read(fold.path(), &device).into()
        });
    }

    #[test]
    fn safetensors() {
        let beside = beside();
        let whole = checkpoint(beside.path());
        let bytes = fs::read(whole.join("model.safetensors")).unwrap();
        let length = u64::from_le_bytes(*bytes.first_chunk().unwrap()) as usize;
        // The first tensors alone, so that a case is small.
        let mut header: Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
        let map = header.as_object_mut().unwrap();
        let mut names: Vec<String> = map.keys().filter(|key| *key != "__metadata__").cloned().collect();
        names.sort_by_key(|name| map[name]["data_offsets"][0].as_u64());
        for name in names.iter().skip(3) {
            map.remove(name);
        }
        let end = map[&names[2]]["data_offsets"][1].as_u64().unwrap() as usize;
        let data = &bytes[8 + length..8 + length + end];
        run("safetensors", 64_000_000, |mutator, fold| {
            let mut header = header.clone();
            if mutator.once_in(2) {
                mutator.json(&mut header);
            }
            let text = header.to_string();
            let mut out = (text.len() as u64).to_le_bytes().to_vec();
            out.extend(text.as_bytes());
            out.extend(data);
            if mutator.once_in(2) {
                let head = (text.len() + 8).min(out.len());
                let start = mutator.bytes(&out[..head]);
                out.splice(..head, start);
            }
            read_safetensors(&fold.file("a.safetensors", &out)).into()
        });
    }
}
