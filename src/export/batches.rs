//! Batches of pairs as plain arrays: one safetensors file a batch, or one folder of `.npy` files.
//!
//! `batch-000000.safetensors` or `batch-000000/<array>.npy`; N pairs, pictures of H x W pixels, P patches:
//!
//! | array | type, shape | |
//! |---|---|---|
//! | `first`, `second` | u8 `[N, H, W, 3]` | RGB |
//! | `first_depth`, `second_depth` | f32 `[N, H, W]` | z, metres, 0 where nothing was hit |
//! | `first_K`, `second_K` | f64 `[N, 3, 3]` | pixel centres at +0.5 |
//! | `first_world_from_camera`, `second_...` | f64 `[N, 4, 4]` | OpenCV camera axes, world Y up |
//! | `matches`, `true_matches` | i32 `[N, P, 2]` | patch of the first and of the second view, padded with -1 |
//! | `homography`, `covisibility`, `patch_truth`, `croco` | f64 `[N, 2]` | overlap first to second and back, NaN where not measured |
//! | `index`, `seed` | u64 `[N]` | with the scene they remake the pair |
//! | `scene` | i32 `[N]` | place in the list `scenes` of `covista.json` |
//! | `views` | i32 `[N, 2]` | places in the sweep |

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use safetensors::Dtype;
use safetensors::tensor::{TensorView, serialize};

use super::native::RunRecord;
use super::staged::write;
use super::{ExportError, PairWriter, npy};
use crate::view::{Correspondence, Measure, View, ViewPair};

/// A batch is closed before it grows beyond this.
const MAX_BYTES: usize = 256 << 20;

/// How a batch is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Container {
    Safetensors,
    Npy,
}

/// Writes batches.
#[derive(Debug)]
pub(super) struct BatchWriter {
    dir: PathBuf,
    container: Container,
    batch_pairs: usize,
    scenes: Vec<String>,
    written: usize,
    batch: Batch,
}

impl BatchWriter {
    /// Starts in an empty folder.
    pub(super) fn new(dir: &Path, container: Container, run: &RunRecord, batch_pairs: u64) -> Self {
        Self {
            dir: dir.to_path_buf(),
            container,
            batch_pairs: usize::try_from(batch_pairs.max(1)).unwrap_or(usize::MAX),
            scenes: run.scenes.iter().map(|scene| scene.name.clone()).collect(),
            written: 0,
            batch: Batch::default(),
        }
    }

    fn end_batch(&mut self) -> Result<(), ExportError> {
        let batch = std::mem::take(&mut self.batch);
        if batch.pairs == 0 {
            return Ok(());
        }
        let stem = self.dir.join(format!("batch-{:06}", self.written));
        self.written += 1;
        match self.container {
            Container::Safetensors => write(&stem.with_extension("safetensors"), &batch.safetensors()?),
            Container::Npy => batch.arrays.iter().try_for_each(|(name, array)| {
                let bytes = npy::encode_bytes(array.descr(), &array.shape(batch.pairs), &array.bytes);
                write(&stem.join(format!("{name}.npy")), &bytes)
            }),
        }
    }
}

impl PairWriter for BatchWriter {
    fn write_pair(&mut self, pair: &ViewPair) -> Result<(), ExportError> {
        let scene = self.scenes.iter().position(|name| *name == pair.origin.scene);
        let scene = scene.map_or(-1, |place| place as i32);
        let bytes = self.batch.bytes_of(pair);
        if self.batch.pairs > 0 && self.batch.bytes + bytes > MAX_BYTES {
            self.end_batch()?;
        }
        self.batch.add(pair, scene, bytes)?;
        match self.batch.pairs >= self.batch_pairs {
            true => self.end_batch(),
            false => Ok(()),
        }
    }

    fn finish(mut self: Box<Self>) -> Result<(), ExportError> {
        self.end_batch()
    }
}

#[derive(Debug, Default)]
struct Batch {
    pairs: usize,
    bytes: usize,
    arrays: BTreeMap<&'static str, Array>,
}

/// The rows of one array so far, little-endian.
#[derive(Debug)]
struct Array {
    kind: Dtype,
    row: Vec<usize>,
    bytes: Vec<u8>,
}

impl Array {
    fn shape(&self, pairs: usize) -> Vec<usize> {
        [&[pairs], self.row.as_slice()].concat()
    }

    /// NumPy's name of the type.
    fn descr(&self) -> &'static str {
        match self.kind {
            Dtype::U8 => "|u1",
            Dtype::F32 => "<f4",
            Dtype::I32 => "<i4",
            Dtype::U64 => "<u8",
            _ => "<f8",
        }
    }
}

impl Batch {
    /// About what a pair adds.
    fn bytes_of(&self, pair: &ViewPair) -> usize {
        let view = |view: &View| view.color.as_raw().len() + 4 * view.depth.metres.len();
        view(&pair.first) + view(&pair.second)
    }

    fn add(&mut self, pair: &ViewPair, scene: i32, bytes: usize) -> Result<(), ExportError> {
        for (names, view) in [(FIRST, &pair.first), (SECOND, &pair.second)] {
            let (w, h) = (view.color.width() as usize, view.color.height() as usize);
            let [color, depth, k, pose] = names;
            self.push(color, Dtype::U8, &[h, w, 3], view.color.as_raw().clone())?;
            self.push(depth, Dtype::F32, &[h, w], le(&view.depth.metres, f32::to_le_bytes))?;
            let matrix = view.camera.intrinsics.matrix_row_major().concat();
            self.push(k, Dtype::F64, &[3, 3], le(&matrix, f64::to_le_bytes))?;
            let rows = view.camera.world_from_camera_row_major();
            self.push(pose, Dtype::F64, &[4, 4], le(&rows, f64::to_le_bytes))?;
        }
        for (name, matches) in [
            ("matches", &pair.correspondence),
            ("true_matches", &pair.true_correspondence),
        ] {
            let rows = padded(matches);
            self.push(name, Dtype::I32, &[rows.len() / 2, 2], le(&rows, i32::to_le_bytes))?;
        }
        for (name, measure) in [
            ("homography", Measure::Homography),
            ("covisibility", Measure::Covisibility),
            ("patch_truth", Measure::PatchTruth),
            ("croco", Measure::Croco),
        ] {
            let overlap = measure.of(&pair.overlaps);
            let both = overlap.map_or([f64::NAN; 2], |o| [o.first_to_second, o.second_to_first]);
            self.push(name, Dtype::F64, &[2], le(&both, f64::to_le_bytes))?;
        }
        let origin = &pair.origin;
        self.push("index", Dtype::U64, &[], le(&[origin.index], u64::to_le_bytes))?;
        self.push("seed", Dtype::U64, &[], le(&[origin.seed], u64::to_le_bytes))?;
        self.push("scene", Dtype::I32, &[], le(&[scene], i32::to_le_bytes))?;
        let views = origin.views.map(|view| view as i32);
        self.push("views", Dtype::I32, &[2], le(&views, i32::to_le_bytes))?;
        self.pairs += 1;
        self.bytes += bytes;
        Ok(())
    }

    fn push(&mut self, name: &'static str, kind: Dtype, row: &[usize], bytes: Vec<u8>) -> Result<(), ExportError> {
        let array = self.arrays.entry(name).or_insert_with(|| Array {
            kind,
            row: row.to_vec(),
            bytes: Vec::new(),
        });
        if array.row != row {
            return Err(ExportError::Unfit {
                format: "a batch",
                why: format!(
                    "{name} is {row:?} in one pair and {:?} in the others; a batch holds pairs of one size",
                    array.row
                ),
            });
        }
        array.bytes.extend_from_slice(&bytes);
        Ok(())
    }

    fn safetensors(&self) -> Result<Vec<u8>, ExportError> {
        let unfit = |why: String| ExportError::Unfit {
            format: "safetensors",
            why,
        };
        let mut tensors = Vec::with_capacity(self.arrays.len());
        for (name, array) in &self.arrays {
            let view = TensorView::new(array.kind, array.shape(self.pairs), &array.bytes);
            tensors.push((*name, view.map_err(|e| unfit(e.to_string()))?));
        }
        serialize(tensors, None).map_err(|e| unfit(e.to_string()))
    }
}

const FIRST: [&str; 4] = ["first", "first_depth", "first_K", "first_world_from_camera"];
const SECOND: [&str; 4] = ["second", "second_depth", "second_K", "second_world_from_camera"];

fn le<T: Copy, const N: usize>(values: &[T], bytes: impl Fn(T) -> [u8; N]) -> Vec<u8> {
    values.iter().flat_map(|&value| bytes(value)).collect()
}

/// One row a patch of the grid, those without a match -1.
fn padded(matches: &Correspondence) -> Vec<i32> {
    let patches = matches.patches.iter().flat_map(|&(a, b)| [i32::from(a), i32::from(b)]);
    let length = 2 * (matches.grid as usize).pow(2).max(matches.patches.len());
    patches.chain(std::iter::repeat(-1)).take(length).collect()
}
