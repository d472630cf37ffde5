//! Every measure of a pair that was drawn anew.

use crate::generate::{GeneratorConfig, SamplerKind};
use crate::overlap::{CROCO_RADIUS_M, croco_covisibility, geometric_overlap, homography_overlap, view_features};
use crate::select::SelectMeasure;
use crate::view::{Correspondence, PairOverlaps, View};

/// What is measured of a pair.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Sections of the configuration; [`crate::select::SelectConfig`] names the measures.
    pub config: GeneratorConfig,
    /// Whether the pairs are CroCo's: its 5 cm rule is measured whatever the configuration says.
    pub croco: bool,
}

impl Rule {
    /// The measures that a run of this configuration takes.
    pub fn of_run(config: GeneratorConfig) -> Self {
        Self {
            croco: config.sampler.kind == SamplerKind::Croco,
            config,
        }
    }

    fn takes(&self, measure: SelectMeasure) -> bool {
        let select = &self.config.select;
        match self.croco {
            true => measure == SelectMeasure::Croco || select.also_measure.contains(&measure),
            false => select.records(measure),
        }
    }
}

/// Overlaps, patch partners by the measure that selects, and true patch partners. `seed` decides the draws of the
/// image-only metric. Partners of the homography are those of the working picture of 224 px, true ones those of
/// the pictures as they are: [`Correspondence::grid`] tells.
pub fn measure_pair(
    first: &View,
    second: &View,
    rule: &Rule,
    seed: u64,
) -> (PairOverlaps, Correspondence, Correspondence) {
    let config = &rule.config;
    let truth = geometric_overlap(first, second, &config.truth);
    let by_images = rule.takes(SelectMeasure::Homography).then(|| {
        let features = [first, second].map(|view| view_features(&view.color, &config.overlap));
        homography_overlap(&features[0], &features[1], &config.overlap, seed)
    });
    let croco = rule
        .takes(SelectMeasure::Croco)
        .then(|| croco_covisibility(first, second, CROCO_RADIUS_M));
    let overlaps = PairOverlaps {
        homography: by_images.as_ref().and_then(|found| found.overlap),
        covisibility: Some(truth.covisibility),
        patch_truth: Some(truth.patches),
        croco,
    };
    let selects_by_images = !rule.croco && config.select.select_by.first() == SelectMeasure::Homography;
    let correspondence = match by_images {
        Some(found) if selects_by_images => found.correspondence,
        _ => truth.correspondence.clone(),
    };
    (overlaps, correspondence, truth.correspondence)
}
