//! What is done to each view before the model sees it.

use serde::{Deserialize, Serialize};

use super::batch::{IMAGENET_MEAN, IMAGENET_STD};
use super::config::TrainConfig;
use crate::rng::Rng;

/// The augmentation of a recipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Augment {
    /// Views as they come (MIMIC).
    #[default]
    None,
    /// Each view by itself: a random crop, then brightness, contrast and saturation times a factor within
    /// 0.6 to 1.4, in random order (CroCo).
    Croco,
}

/// Bounds of the three factors of [`Augment::Croco`].
const FACTORS: [f64; 2] = [0.6, 1.4];
/// Weights of red, green and blue in a grey value (ITU-R 601, as torchvision rounds them).
const GREY: [f32; 3] = [0.2989, 0.587, 0.114];

/// How a batch is cut and coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// The views have the model's size.
    Exact,
    /// The centred window, colours as they are: for judging.
    Centre,
    /// Drawn for each view of micro-batch `index`: [`Augment::Croco`].
    Drawn {
        /// Seed of the run.
        seed: u64,
        /// Micro-batch, counted over the whole run.
        index: u64,
    },
}

impl Framing {
    /// The framing of a training batch.
    pub fn of(config: &TrainConfig, index: u64) -> Self {
        match config.augment {
            Augment::None => Self::Exact,
            Augment::Croco => Self::Drawn {
                seed: config.seed,
                index,
            },
        }
    }

    /// The framing of a batch that is judged.
    pub fn judging(config: &TrainConfig) -> Self {
        match config.augment {
            Augment::None => Self::Exact,
            Augment::Croco => Self::Centre,
        }
    }

    /// Whether views of `height` x `width` give windows of `side` x `side`.
    pub fn fits(self, [height, width]: [usize; 2], side: usize) -> bool {
        match self {
            Self::Exact => height == side && width == side,
            Self::Centre | Self::Drawn { .. } => height >= side && width >= side,
        }
    }

    /// What happens to view `view` (0: the one to be masked, 1: the reference) of pair `pair`.
    ///
    /// Each owns the stream `(seed, "augment", [index, pair, view])`: window, order and factors do not depend
    /// on what else is drawn.
    pub fn draw(self, size: [usize; 2], side: usize, pair: usize, view: usize) -> ViewDraw {
        let room = size.map(|length| length.saturating_sub(side));
        match self {
            Self::Exact | Self::Centre => ViewDraw {
                top: room[0] / 2,
                left: room[1] / 2,
                steps: Vec::new(),
            },
            Self::Drawn { seed, index } => {
                let mut rng = Rng::stream(seed, "augment", &[index, pair as u64, view as u64]);
                let top = rng.below(room[0] as u64 + 1) as usize;
                let left = rng.below(room[1] as u64 + 1) as usize;
                let mut steps = [Jitter::Brightness, Jitter::Contrast, Jitter::Saturation]
                    .map(|kind| (kind, rng.range(FACTORS[0], FACTORS[1]) as f32))
                    .to_vec();
                rng.shuffle(&mut steps);
                ViewDraw { top, left, steps }
            }
        }
    }
}

/// One change of colour. All blend the picture with a duller one, `factor * picture + (1 - factor) * dull`,
/// and clamp to [0, 1]: torchvision's `ColorJitter` on float images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Jitter {
    /// With black.
    Brightness,
    /// With the mean of its grey values.
    Contrast,
    /// With its grey values.
    Saturation,
}

/// What happens to one view.
#[derive(Debug, Clone, PartialEq)]
pub struct ViewDraw {
    /// First row of the window.
    pub top: usize,
    /// First column of the window.
    pub left: usize,
    /// Changes of colour with their factors, in order.
    pub steps: Vec<(Jitter, f32)>,
}

impl ViewDraw {
    /// Cuts, colours and normalises by ImageNet's statistics: rows of `width` interleaved 8-bit RGB pixels in,
    /// three planes of `side` x `side` out.
    pub fn fill(&self, interleaved: &[u8], width: usize, side: usize, planes: &mut [f32]) {
        let rows = (self.top..self.top + side).map(|row| (row * width + self.left) * 3);
        let bytes = rows.flat_map(|start| &interleaved[start..start + side * 3]);
        let mut pixels: Vec<f32> = bytes.map(|&byte| f32::from(byte) / 255.0).collect();
        for &(kind, factor) in &self.steps {
            apply(kind, factor, &mut pixels);
        }
        for (channel, plane) in planes.chunks_exact_mut(side * side).enumerate() {
            let (mean, deviation) = (IMAGENET_MEAN[channel], IMAGENET_STD[channel]);
            for (out, value) in plane.iter_mut().zip(pixels[channel..].iter().step_by(3)) {
                *out = (value - mean) / deviation;
            }
        }
    }
}

/// Changes interleaved RGB values in [0, 1].
pub fn apply(kind: Jitter, factor: f32, pixels: &mut [f32]) {
    let grey = |pixel: &[f32]| GREY[0] * pixel[0] + GREY[1] * pixel[1] + GREY[2] * pixel[2];
    let blend = |value: f32, dull: f32| (factor * value + (1.0 - factor) * dull).clamp(0.0, 1.0);
    match kind {
        Jitter::Brightness => pixels.iter_mut().for_each(|value| *value = blend(*value, 0.0)),
        Jitter::Contrast => {
            let sum: f64 = pixels.chunks_exact(3).map(|pixel| f64::from(grey(pixel))).sum();
            let mean = (sum / (pixels.len() / 3).max(1) as f64) as f32;
            pixels.iter_mut().for_each(|value| *value = blend(*value, mean));
        }
        Jitter::Saturation => {
            for pixel in pixels.chunks_exact_mut(3) {
                let dull = grey(pixel);
                pixel.iter_mut().for_each(|value| *value = blend(*value, dull));
            }
        }
    }
}
