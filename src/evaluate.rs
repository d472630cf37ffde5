//! The reconstruction experiment of the MIMIC supplement (section 4) in numbers: how well models complete hidden
//! views from their references, on the same pairs under the same masks, with the error estimates of its section 3.2.
//!
//! It knows losses, never models: what a loss is made of stands in [`PairLoss`].

use serde::{Deserialize, Serialize};

use crate::validate::stats::{Spread, resample_weights};

/// Test sets drawn with replacement, as in the supplement.
pub const RESAMPLES: usize = 100;

/// The error of one completed view, over its hidden patches.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PairLoss {
    /// Mean squared error in units of each patch's own variance, as trained: the target of a patch is
    /// `(x - mean) / sqrt(var + 1e-6)`. Predicting nothing costs about 1. The headline.
    pub normalised: f64,
    /// Mean squared error of pixel values in [0, 1], the prediction scaled back by the true mean and variance of
    /// each patch. Patches of strong contrast weigh most.
    pub pixel: f64,
}

/// What one model, given one kind of reference, came to on every pair.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelLosses {
    /// Who.
    pub model: EvaluatedModel,
    /// One a pair, in the order of the pairs.
    pub losses: Vec<PairLoss>,
}

/// Who completed the views.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvaluatedModel {
    /// Short name of the run.
    pub name: String,
    /// Folder of the run.
    pub run: String,
    /// Updates that made the weights.
    pub updates: u64,
    /// Scenes that the run was trained on.
    pub scenes_trained_on: usize,
    /// True where each view was completed from the second view of another pair.
    pub unrelated_reference: bool,
}

/// A scene that held-out pairs come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvaluatedScene {
    /// Its name.
    pub name: String,
    /// BLAKE3 of its bytes, hexadecimal.
    pub hash: String,
    /// Pairs of it.
    pub pairs: usize,
}

/// What was hidden from which pictures: the same for all models.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conditions {
    /// Held-out pairs.
    pub pairs: usize,
    /// Where they come from.
    pub scenes: Vec<EvaluatedScene>,
    /// Seed of positions, masks and resamples.
    pub seed: u64,
    /// Side of a picture, pixels.
    pub image_px: usize,
    /// Side of a patch, pixels.
    pub patch_px: usize,
    /// Patches of a picture.
    pub patches: usize,
    /// Patches of it that are hidden.
    pub hidden_patches: usize,
    /// Profile of the pairs.
    pub profile: String,
    /// BLAKE3 of the sections that decide which pairs are made, hexadecimal.
    pub config_hash: String,
}

/// One line of the table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelResult {
    /// Who.
    #[serde(flatten)]
    pub model: EvaluatedModel,
    /// Mean over the pairs of [`PairLoss::normalised`], and its error estimates.
    pub normalised: Spread,
    /// The same of [`PairLoss::pixel`].
    pub pixel: Spread,
}

/// One model less another, pair by pair: on the same resamples, so that what makes a pair hard for both cancels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// Place in [`Reconstruction::models`] of the one that is judged.
    pub of: usize,
    /// Place of the one that it is held against.
    pub less: usize,
    /// Mean difference of [`PairLoss::normalised`]; below 0 where `of` is better.
    pub normalised: Spread,
    /// The same of [`PairLoss::pixel`].
    pub pixel: Spread,
    /// Share of the pairs on which `of` has the smaller normalised loss, 0 to 1.
    pub better_share: f64,
}

/// The outcome of the experiment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reconstruction {
    /// Version of Covista that measured.
    pub covista_version: String,
    /// What all models had before them.
    pub conditions: Conditions,
    /// Test sets drawn with replacement for each estimate.
    pub resamples: usize,
    /// Models in the order in which they were named; those with unrelated references after all others.
    pub models: Vec<ModelResult>,
    /// Every model against the first one, and each with unrelated references against itself with its own.
    pub differences: Vec<Difference>,
}

impl Reconstruction {
    /// The table of `models`, each with a loss for every pair of `conditions`; `conditions.seed` draws the test sets.
    pub fn new(conditions: Conditions, models: &[ModelLosses]) -> Self {
        let weights = resample_weights(conditions.pairs, RESAMPLES, conditions.seed);
        let spread = |of: &[f64]| {
            let mean = |weights: &[u32]| {
                let total: f64 = of
                    .iter()
                    .zip(weights)
                    .map(|(loss, &times)| loss * f64::from(times))
                    .sum();
                (!of.is_empty()).then(|| total / of.len() as f64)
            };
            Spread::new(mean(&vec![1; of.len()]), weights.iter().map(|weights| mean(weights)))
        };
        let results = models.iter().map(|model| ModelResult {
            model: model.model.clone(),
            normalised: spread(&column(model, |loss| loss.normalised)),
            pixel: spread(&column(model, |loss| loss.pixel)),
        });
        let differences = compared(models).into_iter().map(|(of, less)| {
            let gap = |measure: fn(&PairLoss) -> f64| -> Vec<f64> {
                let (own, other) = (column(&models[of], measure), column(&models[less], measure));
                own.iter().zip(&other).map(|(own, other)| own - other).collect()
            };
            let normalised = gap(|loss| loss.normalised);
            let better = normalised.iter().filter(|&&gap| gap < 0.0).count();
            Difference {
                of,
                less,
                better_share: better as f64 / normalised.len().max(1) as f64,
                normalised: spread(&normalised),
                pixel: spread(&gap(|loss| loss.pixel)),
            }
        });
        Self {
            covista_version: env!("CARGO_PKG_VERSION").to_owned(),
            resamples: RESAMPLES,
            models: results.collect(),
            differences: differences.collect(),
            conditions,
        }
    }
}

fn column(model: &ModelLosses, measure: impl Fn(&PairLoss) -> f64) -> Vec<f64> {
    model.losses.iter().map(measure).collect()
}

/// Places of the models that are held against each other: the judged one and its rival.
fn compared(models: &[ModelLosses]) -> Vec<(usize, usize)> {
    let mut pairs: Vec<(usize, usize)> = (1..models.len()).map(|of| (of, 0)).collect();
    for (of, judged) in models.iter().enumerate() {
        let own = models
            .iter()
            .position(|other| other.model.run == judged.model.run && !other.model.unrelated_reference);
        if let Some(own) = own.filter(|&own| judged.model.unrelated_reference && own != 0) {
            pairs.push((of, own));
        }
    }
    pairs
}

#[allow(clippy::unwrap_used, reason = "in a test a panic is the report")]
#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    fn model(name: &str, unrelated_reference: bool, normalised: &[f64]) -> ModelLosses {
        ModelLosses {
            model: EvaluatedModel {
                name: name.to_owned(),
                run: name.to_owned(),
                updates: 1,
                scenes_trained_on: 1,
                unrelated_reference,
            },
            losses: normalised
                .iter()
                .map(|&normalised| PairLoss {
                    normalised,
                    pixel: normalised / 10.0,
                })
                .collect(),
        }
    }

    fn conditions(pairs: usize) -> Conditions {
        Conditions {
            pairs,
            scenes: Vec::new(),
            seed: 3,
            image_px: 32,
            patch_px: 8,
            patches: 16,
            hidden_patches: 14,
            profile: "covista".to_owned(),
            config_hash: String::new(),
        }
    }

    /// The twin draws the pairs one by one from the streams and keeps every drawn loss.
    #[test]
    fn error_estimates_are_those_of_test_sets_drawn_one_by_one() {
        let losses = [[0.5, 0.9, 0.7, 0.2, 1.1], [0.6, 0.8, 0.9, 0.5, 1.0]];
        let found = Reconstruction::new(
            conditions(5),
            &[model("a", false, &losses[0]), model("b", false, &losses[1])],
        );
        let mut means = Vec::new();
        let mut gaps = Vec::new();
        for resample in 0..100 {
            let mut rng = Rng::stream(3, "bootstrap", &[resample]);
            let drawn: Vec<usize> = (0..5).map(|_| rng.below(5) as usize).collect();
            means.push(drawn.iter().map(|&i| losses[0][i]).sum::<f64>() / 5.0);
            gaps.push(drawn.iter().map(|&i| losses[1][i] - losses[0][i]).sum::<f64>() / 5.0);
        }
        let close = |spread: &Spread, value: f64, drawn: &[f64]| {
            let mean = drawn.iter().sum::<f64>() / 100.0;
            let variance = drawn.iter().map(|x| x * x).sum::<f64>() / 100.0 - mean * mean;
            let mut sorted = drawn.to_vec();
            sorted.sort_by(f64::total_cmp);
            for (got, want) in [
                (spread.value, value),
                (spread.mean, mean),
                (spread.min, sorted[0]),
                (spread.max, sorted[99]),
                (spread.sd, variance.sqrt()),
            ] {
                assert!((got.unwrap() - want).abs() < 1e-9, "{got:?} is not {want}");
            }
        };
        close(&found.models[0].normalised, 0.68, &means);
        close(&found.differences[0].normalised, 0.08, &gaps);
        assert_eq!((found.differences[0].of, found.differences[0].less), (1, 0));
        assert_eq!(found.differences[0].better_share, 0.4);
        assert!((found.models[1].pixel.value.unwrap() - 0.076).abs() < 1e-12);
    }

    #[test]
    fn a_model_does_not_differ_from_itself() {
        let losses = [0.5, 0.25, 0.75];
        let found = Reconstruction::new(
            conditions(3),
            &[
                model("a", false, &losses),
                model("b", false, &losses),
                model("b", true, &[1.0, 1.0, 1.0]),
            ],
        );
        let compared: Vec<_> = found.differences.iter().map(|d| (d.of, d.less)).collect();
        assert_eq!(compared, [(1, 0), (2, 0), (2, 1)]);
        let none = &found.differences[0];
        let spread = none.normalised;
        let all = [spread.value, spread.min, spread.max, spread.mean, spread.sd];
        assert_eq!((all, none.better_share), ([Some(0.0); 5], 0.0));
        assert_eq!(found.differences[2].normalised.value, Some(0.5));
    }
}
