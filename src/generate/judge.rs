//! From the 24 views of a sweep to a pair or a refusal: gates, the deciding measure, the truth.

use std::collections::BTreeMap;
use std::sync::Arc;

use image::GrayImage;
use rayon::prelude::*;

use super::composer::Recipe;
use super::device::DeviceOutcome;
use super::{Outcome, Position};
use crate::overlap::{
    CROCO_RADIUS_M, GeometricOverlap, PointCloud, Refusal, Surface, ViewFeatures, covisibility, croco_covisibility,
    geometric_overlap, homography_overlap, surface_covisibility, surface_overlap, texture, view_features,
    view_features_of_gray,
};
use crate::render::RenderError;
use crate::rng::Rng;
use crate::select::{
    Candidate, Choose, Measured, SelectMeasure, Selection, gate, pair_seed, position_seed, select_with,
};
use crate::sweep::{Sweep, VIEWS_PER_STOP};
use crate::view::{Correspondence, Overlap, PairOrigin, PairOverlaps, ValidityMap, View, ViewPair};

/// What may be asked about views of pairs that would be kept, by their place in capture order.
pub(super) trait Probe {
    /// Share of the rays of each of these views that meet the back of a surface first.
    fn backs(&self, views: &[usize]) -> Result<Vec<f64>, RenderError>;

    /// The view with its depth.
    fn with_depth(&self, view: usize) -> Result<Arc<View>, RenderError>;
}

/// Luma of a view's window and the share of its pixels with a surface, where that is all that is known of it.
pub(super) type Luma<'a> = Option<(&'a GrayImage, f64)>;

impl Recipe {
    /// The position of a sweep whose views have been drawn.
    pub(super) fn judge(
        &self,
        index: u64,
        sweep: &Sweep,
        views: &[Arc<View>],
        probe: &dyn Probe,
    ) -> Result<Position, RenderError> {
        let judge = Judge::new(self, index, views, &[]);
        let (selection, chosen) = judge.choose(probe)?;
        let outcome = match chosen {
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

    /// Which two of the views make a pair, and its measures; `lumas` stand for the colours of views that have none.
    pub(super) fn judge_lumas(
        &self,
        index: u64,
        views: &[Arc<View>],
        lumas: &[Luma<'_>],
        probe: &dyn Probe,
    ) -> Result<DeviceOutcome, RenderError> {
        let judge = Judge::new(self, index, views, lumas);
        let (selection, chosen) = judge.choose(probe)?;
        let Some(candidate) = chosen else {
            return Ok(Err(selection.refusal_of_position()));
        };
        // Depth that the filter had no use for stays where it is.
        let known = lumas.iter().all(Option::is_none) || self.config.select.check_covisibility;
        let overlaps = if known {
            let [first, second] = judge.places(&candidate).map(|view| probe.with_depth(view));
            let truth = geometric_overlap(&*first?, &*second?, &self.config.truth);
            judge.overlaps(&candidate, Some(&truth))
        } else {
            judge.overlaps(&candidate, None)
        };
        Ok(Ok((overlaps, judge.origin(&candidate))))
    }

    /// The seed of the metric's draws at a position.
    pub(super) fn votes_seed(&self, index: u64) -> u64 {
        position_seed(self.seed, self.scene_word, index)
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
    fn new(recipe: &'a Recipe, index: u64, views: &'a [Arc<View>], lumas: &[Luma<'_>]) -> Self {
        let config = &recipe.config;
        let measures = config.select.deciding();
        let by_images = measures.contains(&SelectMeasure::Homography);
        let by_sight = measures.contains(&SelectMeasure::Geometry) || measures.contains(&SelectMeasure::PatchTruth);
        let by_clouds = measures.contains(&SelectMeasure::Croco);
        let features: Vec<ViewFeatures> = if by_images {
            views
                .par_iter()
                .enumerate()
                .map(|(place, view)| match lumas.get(place).copied().flatten() {
                    Some((gray, _)) => view_features_of_gray(gray, &config.overlap),
                    None => view_features(&view.color, &config.overlap),
                })
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
                let valid = match lumas.get(place).copied().flatten() {
                    Some((_, valid)) => valid,
                    None => view.depth.valid_fraction(),
                };
                gate(&config.select, valid < config.select.min_valid_fraction, variance)
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

    /// What became of the candidates, and the one to keep.
    fn choose(&self, probe: &dyn Probe) -> Result<(Selection, Option<Candidate>), RenderError> {
        let mut selection = match self.recipe.config.select.choose {
            Choose::SmallestOverlap => self.select(),
            Choose::Random => self.shuffled(),
        };
        let chosen = self.first_that_others_admit(&mut selection, probe)?;
        Ok((selection, chosen))
    }

    /// All candidates whose views pass the gates, in an order of chance.
    fn shuffled(&self) -> Selection {
        let (gates_first, gates_second) = self.gates.split_at(VIEWS_PER_STOP);
        let mut selection = Selection::default();
        for (first, gate_first) in gates_first.iter().enumerate() {
            for (second, gate_second) in gates_second.iter().enumerate() {
                match gate_first.max(gate_second) {
                    Some(refusal) => selection.refuse(refusal.name()),
                    None => selection.in_range.push(Candidate {
                        first,
                        second,
                        // Nothing was measured; what is recorded of a kept pair is measured then.
                        overlap: Overlap {
                            first_to_second: f64::NAN,
                            second_to_first: f64::NAN,
                        },
                        correspondence: Correspondence::default(),
                    }),
                }
            }
        }
        let stream = [self.recipe.scene_word, self.index];
        Rng::stream(self.recipe.seed, "choose", &stream).shuffle(&mut selection.in_range);
        selection
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
        probe: &dyn Probe,
    ) -> Result<Option<Candidate>, RenderError> {
        let in_range = std::mem::take(&mut selection.in_range);
        let mut known = BTreeMap::new();
        for candidate in in_range {
            let refusal = match self.refusal_by_others(&candidate, probe)? {
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
        probe: &dyn Probe,
        known: &mut BTreeMap<usize, Option<Refusal>>,
    ) -> Result<Option<&'static str>, RenderError> {
        let most = self.recipe.config.select.max_back_face_fraction;
        if most >= 1.0 {
            return Ok(None);
        }
        let places = self.places(candidate);
        // Both at once: the device is asked, and waited for, once.
        let unknown: Vec<usize> = places.into_iter().filter(|place| !known.contains_key(place)).collect();
        if !unknown.is_empty() {
            let backs = probe.backs(&unknown)?;
            known.extend(
                unknown
                    .into_iter()
                    .zip(backs.into_iter().map(|share| refusal_of(share, most))),
            );
        }
        let refusals = places
            .into_iter()
            .filter_map(|place| known.get(&place).copied().flatten());
        Ok(refusals.map(Refusal::name).next())
    }

    fn refusal_by_others(&self, candidate: &Candidate, probe: &dyn Probe) -> Result<Option<&'static str>, RenderError> {
        let config = &self.recipe.config;
        if config.select.choose == Choose::Random {
            return Ok(None);
        }
        for &by in config.select.deciding().iter().skip(1) {
            let found = self.measure(by, candidate.first, candidate.second);
            let Some(overlap) = found.overlap else {
                return Ok(Some(found.refusal.unwrap_or(Refusal::OverlapLow).name()));
            };
            let (low, high) = by.refusal_names();
            match config.select.refusal_of(overlap.min()) {
                Some(Refusal::OverlapHigh) => return Ok(Some(high)),
                Some(_) => return Ok(Some(low)),
                None => {}
            }
        }
        let Some((low, high)) = config.select.covisibility_bounds() else {
            return Ok(None);
        };
        let [first, second] = self.places(candidate).map(|view| probe.with_depth(view));
        let truth = covisibility(&*first?, &*second?, &config.truth).min();
        Ok(match truth {
            t if t < low => Some("covisibility_low"),
            t if t > high => Some("covisibility_high"),
            _ => None,
        })
    }

    /// The two views of a candidate in capture order.
    fn places(&self, candidate: &Candidate) -> [usize; 2] {
        [candidate.first, VIEWS_PER_STOP + candidate.second]
    }

    fn views_of(&self, candidate: &Candidate) -> [&Arc<View>; 2] {
        self.places(candidate).map(|place| &self.views[place])
    }

    /// Every measure that the configuration asks for, those of `truth` where it is known.
    fn overlaps(&self, candidate: &Candidate, truth: Option<&GeometricOverlap>) -> PairOverlaps {
        let config = &self.recipe.config;
        let [first, second] = self.views_of(candidate);
        let homography = match config.select.deciding().first() {
            Some(SelectMeasure::Homography) => Some(candidate.overlap),
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
        PairOverlaps {
            homography,
            covisibility: truth.map(|truth| truth.covisibility),
            patch_truth: truth.map(|truth| truth.patches),
            croco,
        }
    }

    /// What remakes the pair.
    fn origin(&self, candidate: &Candidate) -> PairOrigin {
        let recipe = self.recipe;
        PairOrigin {
            scene: recipe.scene_name.clone(),
            scene_hash: recipe.scene_hash.clone(),
            seed: recipe.seed,
            index: self.index,
            views: self.places(candidate).map(|place| place as u32),
        }
    }

    /// The kept pair with every measure that the configuration asks for.
    fn pair(&self, candidate: Candidate) -> ViewPair {
        let config = &self.recipe.config;
        let [first, second] = self.views_of(&candidate);
        let truth = geometric_overlap(first, second, &config.truth);
        ViewPair {
            overlaps: self.overlaps(&candidate, Some(&truth)),
            origin: self.origin(&candidate),
            correspondence: match config.select.deciding().first() {
                Some(SelectMeasure::Homography) => candidate.correspondence,
                _ => truth.correspondence.clone(),
            },
            true_correspondence: truth.correspondence,
            first: Arc::clone(first),
            second: Arc::clone(second),
        }
    }
}

/// Why a view of which `backs` of the rays meet a back first shows too many of them; `most` is the largest share allowed.
pub(super) fn refusal_of(backs: f64, most: f64) -> Option<Refusal> {
    match backs > most {
        true if backs > ValidityMap::INSIDE_FRACTION => Some(Refusal::InsideGeometry),
        true => Some(Refusal::BackFaces),
        false => None,
    }
}
