//! Bootstrap resamples, as the MIMIC supplement (3.2) gives them for its own tables: 100 samples drawn with
//! replacement; minimum, maximum, mean and standard deviation of each figure.
//!
//! What is drawn are whole positions, not pairs: the 128 pairs of a position share views and are not independent,
//! and drawing pairs would make the spread look several times smaller than it is.

use serde::{Deserialize, Serialize};

use crate::rng::Rng;

/// A figure and how it varies over the resamples.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Spread {
    /// Of the sample itself; `None` where it is not defined.
    pub value: Option<f64>,
    /// Smallest of the resamples that define it.
    pub min: Option<f64>,
    /// Largest.
    pub max: Option<f64>,
    /// Mean.
    pub mean: Option<f64>,
    /// Standard deviation over the resamples (divided by their number).
    pub sd: Option<f64>,
    /// Resamples that define it.
    pub resamples: u32,
}

impl Spread {
    /// From the figure of the sample and those of its resamples.
    pub fn new(value: Option<f64>, resamples: impl IntoIterator<Item = Option<f64>>) -> Self {
        let values: Vec<f64> = resamples.into_iter().flatten().collect();
        let n = values.len() as f64;
        if values.is_empty() {
            return Self {
                value,
                ..Self::default()
            };
        }
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / n;
        Self {
            value,
            min: values.iter().copied().min_by(f64::total_cmp),
            max: values.iter().copied().max_by(f64::total_cmp),
            mean: Some(mean),
            sd: Some(variance.sqrt()),
            resamples: values.len() as u32,
        }
    }
}

/// How often each of `clusters` clusters stands in each of `count` resamples: as many draws with replacement as there
/// are clusters.
pub fn resample_weights(clusters: usize, count: usize, seed: u64) -> Vec<Vec<u32>> {
    (0..count as u64)
        .map(|resample| {
            let mut rng = Rng::stream(seed, "bootstrap", &[resample]);
            let mut weights = vec![0; clusters];
            for _ in 0..clusters {
                weights[rng.below(clusters as u64) as usize] += 1;
            }
            weights
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resamples_have_the_size_of_the_sample_and_follow_the_seed() {
        let weights = resample_weights(40, 100, 5);
        assert_eq!(weights.len(), 100);
        assert!(weights.iter().all(|w| w.iter().sum::<u32>() == 40));
        assert_eq!(weights, resample_weights(40, 100, 5));
        assert_ne!(weights, resample_weights(40, 100, 6));
        // A resample is its own stream: more of them change none.
        assert_eq!(weights[..10], resample_weights(40, 10, 5));
        assert!(resample_weights(0, 3, 1).iter().all(Vec::is_empty));
    }

    #[test]
    fn the_spread_of_a_mean_is_its_standard_error() {
        // 400 values of standard deviation 1/2: the mean varies by 0.5 / 20.
        let values: Vec<f64> = (0..400).map(|i| f64::from(i % 2)).collect();
        let means = resample_weights(400, 100, 1)
            .into_iter()
            .map(|weights| super::super::mean(&values, &weights));
        let spread = Spread::new(Some(0.5), means);
        assert!((spread.sd.unwrap() - 0.025).abs() < 0.006, "{spread:?}");
        assert!((spread.mean.unwrap() - 0.5).abs() < 0.01);
        assert!(spread.min < spread.mean && spread.mean < spread.max);
    }

    #[test]
    fn undefined_resamples_are_left_out() {
        let spread = Spread::new(None, [None, Some(1.0), Some(3.0)]);
        assert_eq!(
            (spread.min, spread.max, spread.mean, spread.sd),
            (Some(1.0), Some(3.0), Some(2.0), Some(1.0))
        );
        assert_eq!((spread.value, spread.resamples), (None, 2));
        assert_eq!(Spread::new(Some(1.0), [None]).sd, None);
    }
}
