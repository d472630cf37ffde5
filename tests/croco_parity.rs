//! Our models against PyTorch: forward, loss and every gradient, fixture by fixture.
//!
//! Fixtures are made by `torch_croco.py fixture` (CroCo) and `scripts/parity/torch_mae.py fixture` (MIMIC, MAE); those of
//! micro size lie in `fixtures/`, `COVISTA_CROCO_FIXTURES` names a folder of more. Sizes and kinds are read off the tensors.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]
#![cfg(feature = "train")]

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use burn::optim::GradientsParams;
use burn::tensor::{Tensor, TensorData};
use covista::train::croco::names::is_position_table;
use covista::train::croco::patch::patchify;
use covista::train::croco::{CrocoConfig, PatchMask};
use covista::train::loss::masked_mse;
use covista::train::params::{NamedTensor, gradients, load};
use covista::train::weights::{Hints, ModelFile, infer};
use covista::train::{Croco, TrainDevice};
use safetensors::{Dtype, SafeTensors};

struct Fixture {
    floats: BTreeMap<String, (Vec<usize>, Vec<f32>)>,
    mask: PatchMask,
    config: CrocoConfig,
}

fn read(path: &Path) -> Fixture {
    let bytes = std::fs::read(path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let mut floats = BTreeMap::new();
    let mut flags = Vec::new();
    for (name, view) in file.tensors() {
        if view.dtype() == Dtype::F32 {
            let values = view
                .data()
                .chunks_exact(4)
                .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
                .collect();
            floats.insert(name, (view.shape().to_vec(), values));
        } else {
            assert_eq!(name, "in.masked");
            flags = view.data().to_vec();
        }
    }
    let model = floats
        .iter()
        .filter_map(|(name, (shape, _))| Some((name.strip_prefix("model.")?.to_owned(), shape.clone())));
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let heads = |key: &str| header.metadata().as_ref()?.get(key)?.parse().ok();
    let hints = Hints {
        encoder_heads: heads("encoder_heads"),
        decoder_heads: heads("decoder_heads"),
        image: Some(floats["in.first"].0[2]),
        ..Default::default()
    };
    let config = infer(&model.collect(), &hints).unwrap();
    Fixture {
        mask: PatchMask::from_flags(&flags, config.tokens()).unwrap(),
        floats,
        config,
    }
}

fn fixtures() -> Vec<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/mae");
    let mut folders: Vec<PathBuf> = common::shared("fixtures/croco").into_iter().chain([own]).collect();
    folders.extend(std::env::var_os("COVISTA_CROCO_FIXTURES").map(PathBuf::from));
    let mut found: Vec<PathBuf> = folders
        .iter()
        .flat_map(|folder| std::fs::read_dir(folder).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "safetensors"))
        .collect();
    found.sort();
    found
}

/// The parameters of a PyTorch checkpoint, which must be those of the fixture to the last bit.
fn imported(checkpoint: &Path, mut wanted: Vec<NamedTensor>, config: &CrocoConfig) -> Vec<NamedTensor> {
    let hints = Hints {
        encoder_heads: Some(config.encoder.heads),
        decoder_heads: Some(config.decoder.heads),
        ..Default::default()
    };
    let file = ModelFile::read(checkpoint, &hints).unwrap();
    let mut found = file.parameters_for(config).unwrap();
    wanted.retain(|tensor| !is_position_table(&tensor.name));
    for tensors in [&mut found, &mut wanted] {
        tensors.sort_by(|a, b| a.name.cmp(&b.name));
    }
    assert_eq!(found, wanted, "{}", checkpoint.display());
    found
}

fn largest(values: &[f32]) -> f32 {
    values.iter().fold(0.0f32, |m, v| m.max(v.abs()))
}

/// Largest difference over the largest magnitude of what is wanted, or over `floor` if that is larger.
fn relative(got: &[f32], want: &[f32], floor: f32) -> f32 {
    assert_eq!(got.len(), want.len());
    let scale = largest(want).max(floor);
    got.iter().zip(want).fold(0.0f32, |m, (g, w)| m.max((g - w).abs())) / scale
}

#[test]
fn every_fixture_agrees() {
    for path in fixtures() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let fixture = read(&path);
        let device = TrainDevice::flex();
        let weights: Vec<NamedTensor> = fixture
            .floats
            .iter()
            .filter_map(|(key, (shape, values))| {
                Some(NamedTensor {
                    name: key.strip_prefix("model.")?.to_owned(),
                    shape: shape.clone(),
                    values: values.clone(),
                })
            })
            .collect();
        let checkpoint = path.with_extension("pth");
        let weights = if checkpoint.exists() {
            imported(&checkpoint, weights, &fixture.config)
        } else {
            weights
        };
        let model = load(Croco::new(fixture.config, 0, device.burn()), weights).unwrap();
        let image = |key: &str| {
            let (shape, values) = &fixture.floats[key];
            let data = TensorData::new(values.clone(), shape.clone());
            patchify(Tensor::<4>::from_data(data, device.burn()), fixture.config.patch)
        };
        let (first, second) = (image("in.first"), image("in.second"));
        let want = |key: &str| &fixture.floats[key].1;

        let patches: Vec<f32> = first.clone().try_into_vec_as().unwrap();
        assert_eq!(&patches, want("out.target"), "{name}: patch order");
        let encoded: Vec<f32> = model.encode(second.clone()).try_into_vec_as().unwrap();
        let off_encoded = relative(&encoded, want("out.encoded_second"), 0.0);
        let prediction = model.forward(first.clone(), second, &fixture.mask);
        let values: Vec<f32> = prediction.clone().try_into_vec_as().unwrap();
        let off_prediction = relative(&values, want("out.prediction"), 0.0);
        let loss = masked_mse(prediction, first, &fixture.mask);
        let off_loss = (loss.clone().into_scalar::<f32>() - want("out.loss")[0]).abs();

        let mut grads = loss.backward();
        let grads = GradientsParams::from_module(&mut grads, &model);
        let ours = gradients(&model, &grads).unwrap();
        let theirs = fixture.floats.keys().filter(|key| key.starts_with("grad.")).count();
        assert_eq!(ours.len(), theirs, "{name}: number of gradients");
        // A key's bias moves all scores of a query alike, so its gradient is zero but for rounding: such
        // gradients are compared on the scale of the others.
        let floor = 1e-4 * ours.iter().fold(0.0f32, |m, grad| m.max(largest(&grad.values)));
        let mut worst = (0.0, String::new());
        for grad in ours {
            let (shape, values) = &fixture.floats[&format!("grad.{}", grad.name)];
            assert_eq!(&grad.shape, shape, "{name}: {}", grad.name);
            let off = relative(&grad.values, values, floor);
            if off > worst.0 {
                worst = (off, grad.name);
            }
        }
        println!(
            "{name}: encoded {off_encoded:.1e}, prediction {off_prediction:.1e}, loss {off_loss:.1e}, worst gradient {:.1e} ({})",
            worst.0, worst.1
        );
        assert!(off_encoded < 1e-4, "{name}: encoder output off by {off_encoded}");
        assert!(off_prediction < 1e-4, "{name}: prediction off by {off_prediction}");
        assert!(off_loss < 1e-5, "{name}: loss off by {off_loss}");
        assert!(worst.0 < 1e-3, "{name}: gradient of {} off by {}", worst.1, worst.0);
    }
}
