//! From the 24 views of a sweep to a pair or a refusal: gates, the deciding measure, the truth.

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;

use super::{Outcome, Position, Recipe};
use crate::overlap::{
    CROCO_RADIUS_M, PointCloud, Refusal, Surface, ViewFeatures, covisibility, croco_covisibility, geometric_overlap,
    homography_overlap, surface_covisibility, surface_overlap, texture, view_features,
};
use crate::render::RenderError;
use crate::rng::Rng;
use crate::select::{Candidate, Measured, SelectMeasure, Selection, gate, pair_seed, select_with};
use crate::sweep::{Sweep, VIEWS_PER_STOP};
use crate::view::{Overlap, PairOrigin, PairOverlaps, Validity, ValidityMap, View, ViewPair};

/// Finds out what the rays of a view meet first.
type Probe<'a> = &'a dyn Fn(&View) -> Result<ValidityMap, RenderError>;

impl Recipe {
    /// The position of a sweep whose views have been drawn. `probe` is asked about views of pairs that would be kept.
    pub(super) fn judge(
        &self,
        index: u64,
        sweep: &Sweep,
        views: &[Arc<View>],
        probe: Probe<'_>,
    ) -> Result<Position, RenderError> {
        let judge = Judge::new(self, index, views);
        let mut selection = judge.select();
        let outcome = match judge.first_that_others_admit(&mut selection, probe)? {
            Some(candidate) => Outcome::Kept(Box::new(judge.pair(candidate))),
            None => Outcome::Refused(selection.refusal_of_position()),
        };
        Ok(Position {
            index,
            stops: sweep
                .stops
                .iter()
                .map(|stop| stop.position.as_dvec3().to_array())
                .collect(),
            refused: selection.refused_by_name(),
            outcome,
        })
    }

    /// The seed of the metric's draws at a position.
    pub(super) fn votes_seed(&self, index: u64) -> u64 {
        Rng::stream(self.seed, "votes", &[self.scene_word, index]).next_u64()
    }
}

/// The views of one position, and what has been computed of them.
struct Judge<'a> {
    recipe: &'a Recipe,
    index: u64,
    seed: u64,
    views: &'a [Arc<View>],
    /// One a view; empty unless the homography takes part in the decision.
    features: Vec<ViewFeatures>,
    /// One a view; empty unless true visibility takes part in the decision.
    surfaces: Vec<Surface<'a>>,
    /// One a view; empty unless CroCo's rule takes part in the decision.
    clouds: Vec<PointCloud>,
    /// One a view: why it takes part in no pair.
    gates: Vec<Option<Refusal>>,
}

impl<'a> Judge<'a> {
    fn new(recipe: &'a Recipe, index: u64, views: &'a [Arc<View>]) -> Self {
        let config = &recipe.config;
        let measures = config.select.select_by.measures();
        let by_images = measures.contains(&SelectMeasure::Homography);
        let by_sight = measures.contains(&SelectMeasure::Geometry) || measures.contains(&SelectMeasure::PatchTruth);
        let by_clouds = measures.contains(&SelectMeasure::Croco);
        let features: Vec<ViewFeatures> = if by_images {
            views
                .par_iter()
                .map(|view| view_features(&view.color, &config.overlap))
                .collect()
        } else {
            Vec::new()
        };
        let gates = views
            .par_iter()
            .enumerate()
            .map(|(place, view)| {
                let variance = match features.get(place) {
                    Some(features) => features.laplacian_variance,
                    None if config.select.min_laplacian_variance > 0.0 => texture(&view.color),
                    None => 0.0,
                };
                let holes = view.depth.valid_fraction() < config.select.min_valid_fraction;
                gate(&config.select, holes, variance)
            })
            .collect();
        Self {
            recipe,
            index,
            seed: recipe.votes_seed(index),
            views,
            features,
            surfaces: if by_sight {
                views.par_iter().map(|view| Surface::new(view)).collect()
            } else {
                Vec::new()
            },
            clouds: if by_clouds {
                views
                    .par_iter()
                    .map(|view| PointCloud::new(view, CROCO_RADIUS_M))
                    .collect()
            } else {
                Vec::new()
            },
            gates,
        }
    }

    /// All candidates by the measure that orders them.
    fn select(&self) -> Selection {
        let (first, second) = self.gates.split_at(VIEWS_PER_STOP);
        let config = &self.recipe.config.select;
        let by = config.select_by.first();
        select_with(first, second, config, false, |i, j| self.measure(by, i, j))
    }

    /// One measure of candidate (`i` of the first list, `j` of the second).
    fn measure(&self, by: SelectMeasure, i: usize, j: usize) -> Measured {
        let config = &self.recipe.config;
        let places = [i, VIEWS_PER_STOP + j];
        let surfaces = || places.map(|place| &self.surfaces[place]);
        let only = |overlap: Overlap| Measured {
            overlap: Some(overlap),
            ..Measured::default()
        };
        match by {
            SelectMeasure::Homography => homography_overlap(
                &self.features[places[0]],
                &self.features[places[1]],
                &config.overlap,
                pair_seed(self.seed, i, j),
            )
            .into(),
            SelectMeasure::Geometry => only(surface_covisibility(surfaces(), &config.truth)),
            SelectMeasure::PatchTruth => only(surface_overlap(surfaces(), &config.truth).patches),
            SelectMeasure::Croco => only(self.clouds[places[0]].covisibility(&self.clouds[places[1]])),
        }
    }

    /// The candidate of the smallest overlap in range that the other measures, the bounds of true covisibility and
    /// the limit on back faces admit.
    fn first_that_others_admit(
        &self,
        selection: &mut Selection,
        probe: Probe<'_>,
    ) -> Result<Option<Candidate>, RenderError> {
        let in_range = std::mem::take(&mut selection.in_range);
        let mut known = BTreeMap::new();
        for candidate in in_range {
            let refusal = match self.refusal_by_others(&candidate) {
                Some(reason) => Some(reason),
                None => self.refusal_by_backs(&candidate, probe, &mut known)?,
            };
            match refusal {
                Some(reason) => selection.refuse(reason),
                None => return Ok(Some(candidate)),
            }
        }
        Ok(None)
    }

    /// Why a view of the candidate looks at too many surfaces from behind; `known` holds the answers by view.
    fn refusal_by_backs(
        &self,
        candidate: &Candidate,
        probe: Probe<'_>,
        known: &mut BTreeMap<usize, Option<Refusal>>,
    ) -> Result<Option<&'static str>, RenderError> {
        let most = self.recipe.config.select.max_back_face_fraction;
        if most >= 1.0 {
            return Ok(None);
        }
        for place in [candidate.first, VIEWS_PER_STOP + candidate.second] {
            let answer = match known.get(&place) {
                Some(&answer) => answer,
                None => {
                    let answer = refusal_of(&probe(&self.views[place])?, most);
                    known.insert(place, answer);
                    answer
                }
            };
            if let Some(refusal) = answer {
                return Ok(Some(refusal.name()));
            }
        }
        Ok(None)
    }

    fn refusal_by_others(&self, candidate: &Candidate) -> Option<&'static str> {
        let config = &self.recipe.config;
        let measures = config.select.select_by.measures();
        for &by in measures.iter().skip(1) {
            let found = self.measure(by, candidate.first, candidate.second);
            let Some(overlap) = found.overlap else {
                return Some(found.refusal.unwrap_or(Refusal::OverlapLow).name());
            };
            let (low, high) = by.refusal_names();
            match config.select.refusal_of(overlap.min()) {
                Some(Refusal::OverlapHigh) => return Some(high),
                Some(_) => return Some(low),
                None => {}
            }
        }
        let (low, high) = config.select.covisibility_bounds()?;
        let (first, second) = self.views_of(candidate);
        let truth = covisibility(first, second, &config.truth).min();
        match truth {
            t if t < low => Some("covisibility_low"),
            t if t > high => Some("covisibility_high"),
            _ => None,
        }
    }

    fn views_of(&self, candidate: &Candidate) -> (&Arc<View>, &Arc<View>) {
        (
            &self.views[candidate.first],
            &self.views[VIEWS_PER_STOP + candidate.second],
        )
    }

    /// The kept pair with every measure that the configuration asks for.
    fn pair(&self, candidate: Candidate) -> ViewPair {
        let (recipe, config) = (self.recipe, &self.recipe.config);
        let (first, second) = self.views_of(&candidate);
        let truth = geometric_overlap(first, second, &config.truth);
        let by = config.select.select_by.first();
        let homography = match by {
            SelectMeasure::Homography => Some(candidate.overlap),
            _ if config.select.records(SelectMeasure::Homography) => {
                let features = [first, second].map(|view| view_features(&view.color, &config.overlap));
                let seed = pair_seed(self.seed, candidate.first, candidate.second);
                homography_overlap(&features[0], &features[1], &config.overlap, seed).overlap
            }
            _ => None,
        };
        let croco = config
            .select
            .records(SelectMeasure::Croco)
            .then(|| croco_covisibility(first, second, CROCO_RADIUS_M));
        ViewPair {
            overlaps: PairOverlaps {
                homography,
                covisibility: Some(truth.covisibility),
                patch_truth: Some(truth.patches),
                croco,
            },
            correspondence: match by {
                SelectMeasure::Homography => candidate.correspondence,
                _ => truth.correspondence.clone(),
            },
            true_correspondence: truth.correspondence,
            origin: PairOrigin {
                scene: recipe.scene_name.clone(),
                scene_hash: recipe.scene_hash.clone(),
                seed: recipe.seed,
                index: self.index,
                views: [candidate.first as u32, (VIEWS_PER_STOP + candidate.second) as u32],
            },
            first: Arc::clone(first),
            second: Arc::clone(second),
        }
    }
}

/// Why a view whose rays meet `validity` shows too many surfaces from behind; `most` is the largest share allowed.
pub(super) fn refusal_of(validity: &ValidityMap, most: f64) -> Option<Refusal> {
    match validity.fraction(Validity::BackFace) > most {
        true if validity.is_inside_geometry() => Some(Refusal::InsideGeometry),
        true => Some(Refusal::BackFaces),
        false => None,
    }
}
