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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::ModelSize;

    /// Four pixels.
    const PIXELS: [f32; 12] = [0.1, 0.5, 0.9, 0.8, 0.2, 0.4, 0.0, 1.0, 0.3, 0.6, 0.6, 0.6];

    fn jittered(steps: &[(Jitter, f32)]) -> Vec<f32> {
        let mut pixels = PIXELS.to_vec();
        steps
            .iter()
            .for_each(|&(kind, factor)| apply(kind, factor, &mut pixels));
        pixels
    }

    fn close(got: &[f32], want: &[f32]) {
        for (got, want) in got.iter().zip(want) {
            assert!((got - want).abs() < 2e-6, "{got} is not {want}");
        }
    }

    #[test]
    fn jitter_blends_with_black_the_mean_grey_and_the_own_grey() {
        let brightened: Vec<f32> = PIXELS.iter().map(|x| (1.4 * x).min(1.0)).collect();
        close(&jittered(&[(Jitter::Brightness, 1.4)]), &brightened);
        let greys: Vec<f32> = PIXELS
            .chunks(3)
            .map(|p| 0.2989 * p[0] + 0.587 * p[1] + 0.114 * p[2])
            .collect();
        let mean = greys.iter().sum::<f32>() / 4.0;
        let duller: Vec<f32> = PIXELS.iter().map(|x| 0.6 * x + 0.4 * mean).collect();
        close(&jittered(&[(Jitter::Contrast, 0.6)]), &duller);
        let paler: Vec<f32> = (0..12).map(|i| 0.6 * PIXELS[i] + 0.4 * greys[i / 3]).collect();
        close(&jittered(&[(Jitter::Saturation, 0.6)]), &paler);
        for kind in [Jitter::Brightness, Jitter::Contrast, Jitter::Saturation] {
            close(&jittered(&[(kind, 1.0)]), &PIXELS);
        }
    }

    /// What `adjust_*` of torchvision 0.29 give for the same pixels as a float tensor.
    #[test]
    fn jitter_is_torchvisions() {
        close(
            &jittered(&[(Jitter::Contrast, 1.4)]),
            &[
                0.0, 0.495075, 1.0, 0.915075, 0.075075, 0.355075, 0.0, 1.0, 0.215075, 0.635075, 0.635075, 0.635075,
            ],
        );
        close(
            &jittered(&[(Jitter::Saturation, 1.4)]),
            &[
                0.0, 0.529604, 1.0, 0.959152, 0.119152, 0.399152, 0.0, 1.0, 0.17152, 0.600024, 0.600024, 0.600024,
            ],
        );
        close(
            &jittered(&[
                (Jitter::Brightness, 1.3),
                (Jitter::Contrast, 0.7),
                (Jitter::Saturation, 1.2),
            ]),
            &[
                0.218631, 0.655431, 0.949431, 0.952736, 0.331136, 0.549536, 0.095843, 0.935844, 0.423443, 0.730259,
                0.730259, 0.730259,
            ],
        );
    }

    #[test]
    fn draws_are_uniform_independent_and_by_number() {
        let config = TrainConfig {
            model: ModelSize::Micro,
            augment: Augment::Croco,
            ..Default::default()
        };
        let draw = |index, pair, view| Framing::of(&config, index).draw([256, 256], 224, pair, view);
        assert_eq!(draw(3, 1, 0), draw(3, 1, 0));
        assert_ne!(draw(3, 1, 0), draw(3, 1, 1));
        assert_ne!(draw(3, 1, 0), draw(4, 1, 0));
        let all: Vec<ViewDraw> = (0..4000).map(|pair| draw(0, pair, 0)).collect();
        let (mut tops, mut orders) = ([0; 33], std::collections::BTreeMap::new());
        for one in &all {
            assert!(one.left <= 32 && one.steps.len() == 3);
            assert!(one.steps.iter().all(|step| (0.6..1.4).contains(&step.1)));
            tops[one.top] += 1;
            *orders
                .entry(format!("{:?}", one.steps.iter().map(|step| step.0).collect::<Vec<_>>()))
                .or_insert(0) += 1;
        }
        // Six standard deviations about the mean of each.
        assert!(tops.iter().all(|count: &i32| count.abs_diff(121) < 66), "{tops:?}");
        assert!(
            orders.len() == 6 && orders.values().all(|count: &i32| count.abs_diff(667) < 142),
            "{orders:?}"
        );
        let mean = all.iter().map(|one| f64::from(one.steps[0].1)).sum::<f64>() / 4000.0;
        assert!((mean - 1.0).abs() < 0.025, "{mean}");
    }

    #[test]
    fn a_window_is_cut_where_it_is_drawn() {
        let bytes: Vec<u8> = (0..6 * 5 * 3).map(|i| i as u8).collect();
        let mut planes = vec![0.0; 3 * 4];
        let draw = ViewDraw {
            top: 3,
            left: 1,
            steps: Vec::new(),
        };
        draw.fill(&bytes, 5, 2, &mut planes);
        // Row 4, column 2, blue.
        let byte = ((4 * 5 + 2) * 3 + 2) as f32;
        assert!((planes[2 * 4 + 3] - (byte / 255.0 - 0.406) / 0.225).abs() < 1e-6);
        assert_eq!(
            Framing::Centre.draw([6, 5], 2, 0, 0),
            ViewDraw {
                top: 2,
                left: 1,
                steps: Vec::new()
            }
        );
    }
}
