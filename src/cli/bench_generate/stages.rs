//! The stages of a position, one after the other.
//!
//! The same calls that the composer makes for the sampler `sweep` and the homography, with a clock
//! around each; the pairs that are kept are the composer's.

use std::sync::Arc;

use covista::camera::Camera;
use covista::config::Config;
use covista::features::Level;
use covista::overlap::{
    GeometricOverlap, Refusal, ViewFeatures, covisibility, geometric_overlap, match_views, overlap_of_matches,
    view_features,
};
use covista::render::{GpuScene, Pending, RenderError, Renderer};
use covista::select::{Candidate, Measured, Selection, gate, pair_seed, select_with};
use covista::sweep::VIEWS_PER_STOP;
use covista::view::View;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::cli::clock::Spent;

/// What each stage took.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Stages {
    /// Drawing the walk and the cameras.
    pub sweep: Spent,
    /// Culling, recording and drawing of 24 views.
    pub render: Spent,
    /// From the adapter's memory to views, cropped.
    pub readback: Spent,
    /// Keypoints, descriptors and texture of 24 views.
    pub features: Spent,
    /// Descriptors of the pairs that the gates admit.
    pub matching: Spent,
    /// Homographies and patch votes of the pairs with enough matches.
    pub homography_votes: Spent,
    /// Putting the candidates in order.
    pub select: Spent,
    /// True covisibility of candidates, all measures of the kept pair.
    pub truth: Spent,
    /// Looking for back faces in the views of candidates.
    pub back_faces: Spent,
    /// Encoding and writing the kept pair.
    pub encode_write: Spent,
}

impl Stages {
    /// Each stage by its name, in order.
    pub fn named(&self) -> [(&'static str, Spent); 10] {
        [
            ("sweep", self.sweep),
            ("render", self.render),
            ("readback", self.readback),
            ("features", self.features),
            ("matching", self.matching),
            ("homography, votes", self.homography_votes),
            ("select", self.select),
            ("truth", self.truth),
            ("back faces", self.back_faces),
            ("encode, write", self.encode_write),
        ]
    }

    /// The share of one position.
    pub fn per(self, positions: u64) -> Self {
        Self {
            sweep: self.sweep.per(positions),
            render: self.render.per(positions),
            readback: self.readback.per(positions),
            features: self.features.per(positions),
            matching: self.matching.per(positions),
            homography_votes: self.homography_votes.per(positions),
            select: self.select.per(positions),
            truth: self.truth.per(positions),
            back_faces: self.back_faces.per(positions),
            encode_write: self.encode_write.per(positions),
        }
    }
}

/// What a position needs beside its cameras.
pub struct Workshop<'a> {
    pub config: &'a Config,
    pub renderer: &'a Renderer,
    pub scene: &'a GpuScene,
}

/// A pair that would be kept.
pub struct Found {
    pub first: Arc<View>,
    pub second: Arc<View>,
    pub truth: GeometricOverlap,
    pub candidate: Candidate,
}

impl Workshop<'_> {
    /// Draws the cameras and judges their views stage by stage; the times are added to `stages`.
    pub fn position(
        &self,
        cameras: &[Camera],
        votes_seed: u64,
        stages: &mut Stages,
    ) -> Result<Option<Found>, RenderError> {
        let pending = stages.render.time(|| {
            let pending = self.renderer.submit(self.scene, cameras)?;
            pending.wait_for_drawing()?;
            Ok::<_, RenderError>(pending)
        })?;
        let views = stages.readback.time(|| self.views(pending))?;
        self.judge(&views, votes_seed, stages)
    }

    /// Waits for pictures and cuts out what the configuration asks for.
    pub fn views(&self, pending: Pending) -> Result<Vec<Arc<View>>, RenderError> {
        let (views, crop) = (pending.wait()?, self.config.render.crop_px);
        Ok(views
            .into_par_iter()
            .map(|view| Arc::new(view.center_crop(crop)))
            .collect())
    }

    /// The pair of a sweep that would be kept.
    pub fn judge(
        &self,
        views: &[Arc<View>],
        votes_seed: u64,
        stages: &mut Stages,
    ) -> Result<Option<Found>, RenderError> {
        let features: Vec<ViewFeatures> = stages.features.time(|| {
            let color = views.par_iter().map(|view| &view.color);
            color.map(|color| view_features(color, &self.config.overlap)).collect()
        });
        let selection = self.select(views, &features, votes_seed, stages);
        self.first_admitted(selection, views, stages)
    }

    /// The candidates by the published metric.
    fn select(
        &self,
        views: &[Arc<View>],
        features: &[ViewFeatures],
        votes_seed: u64,
        stages: &mut Stages,
    ) -> Selection {
        let (config, metric, level) = (&self.config.select, &self.config.overlap, Level::new());
        let gates: Vec<Option<Refusal>> = views
            .iter()
            .zip(features)
            .map(|(view, features)| {
                let holes = view.depth.valid_fraction() < config.min_valid_fraction;
                gate(config, holes, features.laplacian_variance)
            })
            .collect();
        let (first, second) = gates.split_at(VIEWS_PER_STOP);
        let columns = second.len();
        let places = |pair: usize| (pair / columns, VIEWS_PER_STOP + pair % columns);
        let matches: Vec<_> = stages.matching.time(|| {
            let pairs = (0..first.len() * columns).into_par_iter().map(places);
            pairs
                .map(|(i, j)| {
                    let admitted = gates[i].is_none() && gates[j].is_none();
                    admitted.then(|| match_views(level, &features[i], &features[j], metric))
                })
                .collect()
        });
        let measured: Vec<Measured> = stages.homography_votes.time(|| {
            let pairs = matches.par_iter().enumerate();
            pairs
                .map(|(pair, matches)| {
                    let ((i, j), Some(matches)) = (places(pair), matches) else {
                        return Measured::default();
                    };
                    let seed = pair_seed(votes_seed, i, j - VIEWS_PER_STOP);
                    overlap_of_matches(level, &features[i], &features[j], matches, metric, seed).into()
                })
                .collect()
        });
        stages
            .select
            .time(|| select_with(first, second, config, false, |i, j| measured[i * columns + j].clone()))
    }

    /// The first candidate that true covisibility and the limit on back faces admit.
    fn first_admitted(
        &self,
        selection: Selection,
        views: &[Arc<View>],
        stages: &mut Stages,
    ) -> Result<Option<Found>, RenderError> {
        let bounds = self.config.select.covisibility_bounds();
        for candidate in selection.in_range {
            let (first, second) = (&views[candidate.first], &views[VIEWS_PER_STOP + candidate.second]);
            let in_bounds = stages.truth.time(|| {
                bounds.is_none_or(|(low, high)| {
                    let truth = covisibility(first, second, &self.config.truth).min();
                    (low..=high).contains(&truth)
                })
            });
            if !in_bounds || stages.back_faces.time(|| self.shows_backs([first, second]))? {
                continue;
            }
            let truth = stages
                .truth
                .time(|| geometric_overlap(first, second, &self.config.truth));
            return Ok(Some(Found {
                first: Arc::clone(first),
                second: Arc::clone(second),
                truth,
                candidate,
            }));
        }
        Ok(None)
    }

    fn shows_backs(&self, views: [&Arc<View>; 2]) -> Result<bool, RenderError> {
        let most = self.config.select.max_back_face_fraction;
        if most >= 1.0 {
            return Ok(false);
        }
        let cameras = views.map(|view| view.camera);
        let backs = self.renderer.back_face_fractions(self.scene, &cameras)?;
        Ok(backs.into_iter().any(|share| share > most))
    }
}
