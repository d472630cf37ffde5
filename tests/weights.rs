//! Weights of other programs: what PyTorch wrote is read to the last bit, and no damage leads to a panic or to memory without bound.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]
#![cfg(feature = "train")]

use std::alloc::{GlobalAlloc, Layout as MemoryLayout, System};
use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use assert_cmd::Command;
use covista::rng::Rng;
use covista::train::weights::pickle::Pickle;
use covista::train::weights::{Checkpoint, ElementType, Hints, ModelFile};
use zip::write::SimpleFileOptions;

/// Counts what is allocated.
struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);
/// Tests of this file run one at a time, so that the count is of one.
static ALONE: Mutex<()> = Mutex::new(());

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: MemoryLayout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        MOST.fetch_max(now, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: MemoryLayout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn atom() -> Hints {
    Hints {
        encoder_heads: Some(2),
        decoder_heads: Some(2),
        ..Default::default()
    }
}

#[test]
fn every_element_type_and_view_has_its_values() {
    let _alone = ALONE.lock();
    let found = Checkpoint::read(&fixture("weights/kinds.pth")).unwrap();
    let tensor = |name: &str| found.tensors.iter().find(|t| t.name == name).unwrap();
    let base: Vec<f32> = (0..12).map(|i| i as f32 - 4.5).collect();
    for name in ["f32", "f16", "bf16", "f64"] {
        assert_eq!(
            (tensor(name).shape.as_slice(), &tensor(name).values),
            (&[3, 4][..], &base),
            "{name}"
        );
    }
    let transposed: Vec<f32> = (0..12).map(|i| base[i % 3 * 4 + i / 3]).collect();
    assert_eq!(
        (tensor("transposed").shape.as_slice(), &tensor("transposed").values),
        (&[4, 3][..], &transposed)
    );
    assert_eq!(tensor("part").values, [base[6], base[7], base[10], base[11]]);
    assert_eq!(tensor("column").values, [base[1], base[5], base[9]]);
    assert_eq!(tensor("expanded").values, [&base[..4], &base[..4]].concat());
    assert_eq!((tensor("scalar").shape.len(), tensor("scalar").values[0]), (0, 2.5));
    assert_eq!(tensor("empty").shape, [0, 3]);
    // The prefix of a model trained on several GPUs is dropped; a parameter is a tensor.
    assert_eq!(tensor("parameter").values[0], -9.0);
    assert_eq!(found.elements[&ElementType::F16], 1);
    assert_eq!(found.besides, ["counts: tensor of LongStorage"]);
}

#[test]
fn a_training_checkpoint_of_mimic_is_recognised() {
    let _alone = ALONE.lock();
    let file = ModelFile::read(&fixture("mae/mimic-atom.pth"), &atom()).unwrap();
    assert!(file.comparison.whole() && file.comparison.left_over.is_empty());
    assert_eq!(
        (file.config.image, file.config.patch, file.config.encoder.depth),
        (16, 4, 2)
    );
    assert_eq!(file.comparison.tables.len(), 2);
    assert_eq!(file.checkpoint.under.as_deref(), Some("model"));
    let besides = file.checkpoint.besides.join("; ");
    assert!(besides.contains("args: argparse.Namespace with 3 fields"), "{besides}");
    // The same weights by safetensors.
    let twin = Checkpoint::read(&fixture("mae/mimic-atom.safetensors")).unwrap();
    for tensor in file.parameters().unwrap() {
        let name = format!("model.{}", tensor.name);
        let other = twin.tensors.iter().find(|t| t.name == name).unwrap();
        assert_eq!((&tensor.shape, &tensor.values), (&other.shape, &other.values), "{name}");
    }
}

fn covista(args: &[&str]) -> (i32, String, String) {
    let output = Command::cargo_bin("covista").unwrap().args(args).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn import_and_export_go_round() {
    let _alone = ALONE.lock();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (source, model, back) = (
        fixture("mae/mimic-atom.pth").display().to_string(),
        path("m.safetensors"),
        path("b.safetensors"),
    );
    let heads = ["--encoder-heads", "2", "--decoder-heads", "2"];
    let (code, out, err) = covista(&[&["weights", "import", &source, "--out", &model, "--json"][..], &heads].concat());
    assert_eq!(code, 0, "{err}");
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["model"]["architecture"], "mimic");
    assert_eq!(report["matched"].as_array().unwrap().len(), 60);
    assert_eq!(report["missing"].as_array().unwrap().len(), 0);
    // What covista wrote states its heads itself.
    let (code, _, err) = covista(&["weights", "export", &model, "--layout", "mimic", "--out", &back]);
    assert_eq!(code, 0, "{err}");
    let original = Checkpoint::read(Path::new(&source)).unwrap().tensors;
    let returned = Checkpoint::read(Path::new(&back)).unwrap().tensors;
    let names =
        |tensors: &[covista::train::params::NamedTensor]| tensors.iter().map(|t| t.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&original), names(&returned));
    for (a, b) in original
        .iter()
        .zip(&returned)
        .filter(|(a, _)| !a.name.ends_with("pos_embed"))
    {
        assert_eq!(a, b);
    }
    let (code, out, _) = covista(&["weights", "info", &model]);
    assert!(
        code == 0 && out.contains("mimic, encoder 12/2/2, decoder 16/1/2"),
        "{out}"
    );
    // An output that exists is left alone.
    let (code, _, err) = covista(&["weights", "export", &model, "--layout", "mimic", "--out", &back]);
    assert!(code == 5 && err.contains("exists"), "{err}");
}

#[test]
fn what_cannot_be_imported_is_one_clear_line() {
    let _alone = ALONE.lock();
    for (name, mentions) in [
        ("weights/legacy.pth", "before PyTorch 1.6"),
        ("weights/no-tensors.pth", "no dictionary of tensors"),
        ("weights/kinds.pth", "not those of CroCo, MIMIC or MAE"),
        ("mae/mimic-atom.pth", "--encoder-heads"),
        ("mae/nowhere.pth", "nowhere.pth"),
    ] {
        let (code, _, err) = covista(&["weights", "import", &fixture(name).display().to_string()]);
        assert!(
            code == 3 && err.contains(mentions) && err.lines().count() == 1,
            "{name}: {code} {err}"
        );
    }
}

/// One to eight small damages.
fn mutate(bytes: &mut Vec<u8>, rng: &mut Rng) {
    let below = |rng: &mut Rng, n: usize| rng.below(n.max(1) as u64) as usize;
    for _ in 0..=below(rng, 8) {
        let at = below(rng, bytes.len());
        match below(rng, 6) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, below(rng, 256) as u8),
            2 => {
                let part = bytes[at..(at + below(rng, 64)).min(bytes.len())].to_vec();
                bytes.splice(at..at, part);
            }
            3 => {
                bytes.drain(at..(at + below(rng, 16)).min(bytes.len()));
            }
            4 if at + 4 <= bytes.len() => {
                let large = [u32::MAX, 0x7fff_ffff, 0x8000_0000, 65_535][below(rng, 4)];
                bytes[at..at + 4].copy_from_slice(&large.to_le_bytes());
            }
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = below(rng, 256) as u8;
                }
            }
        }
    }
}

/// The archive with a damaged pickle whose checksum is right, so that the damage reaches the reader.
fn with_damaged_pickle(bytes: &[u8], rng: &mut Rng) -> Vec<u8> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for i in 0..archive.len() {
        let mut entry = archive.by_index(i).unwrap();
        let name = entry.name().to_owned();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        if name.ends_with("data.pkl") {
            mutate(&mut content, rng);
        }
        writer.start_file(name, options).unwrap();
        writer.write_all(&content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

#[test]
fn a_thousand_damaged_files_neither_panic_nor_fill_the_memory() {
    let _alone = ALONE.lock();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("damaged.pth");
    let originals = ["weights/kinds.pth", "mae/mimic-atom.pth", "mae/mimic-atom.safetensors"]
        .map(|name| std::fs::read(fixture(name)).unwrap());
    let (mut read, mut refused, mut worst) = (0, 0, 0.0f64);
    for case in 0..1000u64 {
        let rng = &mut Rng::stream(11, "damage", &[case]);
        let kind = [0, 0, 0, 1, 1, 2][case as usize % 6];
        let mut bytes = originals[kind].clone();
        if kind < 2 && case % 2 == 0 {
            bytes = with_damaged_pickle(&bytes, rng);
        } else {
            mutate(&mut bytes, rng);
        }
        std::fs::write(&path, &bytes).unwrap();
        let before = NOW.load(Ordering::Relaxed);
        MOST.store(before, Ordering::Relaxed);
        let outcome = match kind {
            // Holds no model, but every type and view.
            0 => Checkpoint::read(&path).map(drop),
            _ => ModelFile::read(&path, &atom())
                .and_then(ModelFile::parameters)
                .map(drop),
        };
        match outcome {
            Ok(()) => read += 1,
            Err(error) => {
                assert!(!error.to_string().is_empty());
                refused += 1;
            }
        }
        let used = MOST.load(Ordering::Relaxed).saturating_sub(before);
        if bytes.len() > 2000 {
            worst = worst.max(used as f64 / bytes.len() as f64);
        }
        assert!(
            used < 16 * bytes.len() + (256 << 10),
            "case {case}: {used} bytes for a file of {}",
            bytes.len()
        );
    }
    println!("{read} read, {refused} refused; at most {worst:.1} bytes a byte of the file");
    assert!(refused > 400 && read > 20, "{refused} refused, {read} read");
}

#[test]
fn a_thousand_damaged_pickles_are_bounded() {
    let _alone = ALONE.lock();
    let bytes = std::fs::read(fixture("mae/mimic-atom.pth")).unwrap();
    let mut archive = zip::ZipArchive::new(Cursor::new(&bytes)).unwrap();
    let mut whole = Vec::new();
    archive
        .by_name("mimic-atom/data.pkl")
        .unwrap()
        .read_to_end(&mut whole)
        .unwrap();
    for case in 0..1000u64 {
        let mut pickle = whole.clone();
        mutate(&mut pickle, &mut Rng::stream(12, "damage", &[case]));
        let before = NOW.load(Ordering::Relaxed);
        MOST.store(before, Ordering::Relaxed);
        let _ = Pickle::read(&pickle);
        let used = MOST.load(Ordering::Relaxed).saturating_sub(before);
        assert!(used < 100 * pickle.len() + 4096, "case {case}: {used} bytes");
    }
}
