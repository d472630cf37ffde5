//! From the stream's bytes to the model's tensors.

use burn::tensor::{Device, Tensor, TensorData};
use rayon::prelude::*;

use super::augment::Framing;
use super::device::TrainDevice;
use super::error::TrainError;
use crate::rng::Rng;
use crate::stream::PairBatch;

/// Mean of ImageNet's channels, of values in [0, 1].
pub const IMAGENET_MEAN: [f32; 3] = [0.485, 0.456, 0.406];
/// Standard deviation of ImageNet's channels, of values in [0, 1].
pub const IMAGENET_STD: [f32; 3] = [0.229, 0.224, 0.225];

/// Pairs on their way to the model, wherever their pictures lie.
pub trait Batch {
    /// How many pairs.
    fn pairs(&self) -> usize;

    /// Sample index of each pair.
    fn positions(&self) -> &[u64];

    /// Their tensors as `framing` cuts and colours them, after the views of the pairs where `swapped` is true have
    /// changed places.
    ///
    /// # Errors
    /// The pictures do not give windows of `side` x `side`, or the device fails.
    fn views(
        &self,
        side: usize,
        swapped: &[bool],
        framing: Framing,
        device: &TrainDevice,
    ) -> Result<ViewTensors, TrainError>;
}

impl Batch for PairBatch {
    fn pairs(&self) -> usize {
        self.shape[0]
    }

    fn positions(&self) -> &[u64] {
        &self.indices
    }

    fn views(
        &self,
        side: usize,
        swapped: &[bool],
        framing: Framing,
        device: &TrainDevice,
    ) -> Result<ViewTensors, TrainError> {
        ViewTensors::upload_framed(self, side, swapped, framing, device.burn())
    }
}

/// Pictures, `[batch, 3, height, width]`.
pub type ViewTensor = Tensor<4>;

/// Both views of a batch, normalised by ImageNet's statistics, `[batch, 3, height, width]`.
#[derive(Debug, Clone)]
pub struct ViewTensors {
    /// The views to be masked.
    pub first: Tensor<4>,
    /// The references.
    pub second: Tensor<4>,
}

impl ViewTensors {
    /// Uploads `batch`, whose views have the model's size. Where `swapped` is true the two views of that pair
    /// change places.
    ///
    /// # Errors
    /// The images are not `side` x `side`, or the buffers do not match the stated shape.
    pub fn upload(batch: &PairBatch, side: usize, swapped: &[bool], device: &Device) -> Result<Self, TrainError> {
        Self::upload_framed(batch, side, swapped, Framing::Exact, device)
    }

    /// Uploads `batch` as `framing` cuts and colours it, after the views of the pairs where `swapped` is true
    /// have changed places.
    ///
    /// # Errors
    /// The images do not give windows of `side` x `side`, or the buffers do not match the stated shape.
    pub fn upload_framed(
        batch: &PairBatch,
        side: usize,
        swapped: &[bool],
        framing: Framing,
        device: &Device,
    ) -> Result<Self, TrainError> {
        let [count, height, width, channels] = batch.shape;
        let image = height * width * channels;
        let sizes_agree = batch.first.len() == count * image && batch.second.len() == count * image;
        if !framing.fits([height, width], side) || channels != 3 || !sizes_agree || swapped.len() != count {
            return Err(TrainError::BatchShape {
                got_height: height,
                got_width: width,
                want: side,
            });
        }
        let planes = |view: usize| {
            let mut data = vec![0.0; count * 3 * side * side];
            data.par_chunks_mut(3 * side * side)
                .enumerate()
                .for_each(|(i, planes)| {
                    let from_second = (view == 1) != swapped[i];
                    let source = if from_second { &batch.second } else { &batch.first };
                    let draw = framing.draw([height, width], side, i, view);
                    draw.fill(&source[i * image..(i + 1) * image], width, side, planes);
                });
            data
        };
        let plain = device.clone().inner();
        let [first, second] =
            [0, 1].map(|view| Tensor::from_data(TensorData::new(planes(view), [count, 3, side, side]), &plain));
        Ok(Self { first, second })
    }
}

/// The value that each byte becomes, for red, green and blue.
pub fn byte_values() -> [[f32; 256]; 3] {
    std::array::from_fn(|channel| {
        let (mean, deviation) = (IMAGENET_MEAN[channel], IMAGENET_STD[channel]);
        std::array::from_fn(|byte| (f32::from(byte as u8) / 255.0 - mean) / deviation)
    })
}

/// Which pairs of micro-batch `index` change places, each with probability `p` (MIMIC swaps with 0.5).
pub fn draw_swaps(count: usize, p: f64, seed: u64, index: u64) -> Vec<bool> {
    let mut rng = Rng::stream(seed, "swap", &[index]);
    (0..count).map(|_| rng.chance(p)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch() -> PairBatch {
        PairBatch {
            first: (0..2 * 4 * 4 * 3).map(|i| i as u8).collect(),
            second: vec![255; 2 * 4 * 4 * 3],
            shape: [2, 4, 4, 3],
            overlaps: vec![Default::default(); 2],
            indices: vec![0, 1],
        }
    }

    #[test]
    fn bytes_become_planes_and_swaps_change_sides() {
        let views = ViewTensors::upload(&batch(), 4, &[false, true], &Device::flex()).unwrap();
        let first: Vec<f32> = views.first.try_to_vec_as().unwrap();
        let second: Vec<f32> = views.second.try_to_vec_as().unwrap();
        // Image 0, channel 1, pixel 5 is byte 16.
        assert!((first[16 + 5] - (16.0 / 255.0 - 0.456) / 0.224).abs() < 1e-6);
        let white = (1.0 - 0.485) / 0.229;
        assert!((second[0] - white).abs() < 1e-6 && (first[48] - white).abs() < 1e-6);
        // Image 1 of the first views went to the references: byte 48 is its first.
        assert!((second[48] - (48.0 / 255.0 - 0.485) / 0.229).abs() < 1e-6);
    }

    #[test]
    fn a_wrong_size_is_refused() {
        assert!(ViewTensors::upload(&batch(), 8, &[false; 2], &Device::flex()).is_err());
    }

    #[test]
    fn half_of_many_pairs_swap() {
        let swaps = draw_swaps(10_000, 0.5, 3, 0);
        let count = swaps.iter().filter(|&&s| s).count();
        assert!(count.abs_diff(5000) < 300, "{count}");
        assert!(draw_swaps(100, 0.0, 3, 0).iter().all(|&s| !s));
    }
}
