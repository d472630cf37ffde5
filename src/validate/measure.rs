//! All candidate pairs of a position, measured by geometry and by every metric.

use std::sync::Arc;

use rayon::prelude::*;

use super::partners::score_partners;
use super::row::{MetricRule, PairKey, PairRow, Pose, Reading, Truth, mark_chosen};
use crate::camera::Camera;
use crate::overlap::{
    CROCO_RADIUS_M, GeometricOverlapConfig, HomographyOverlapConfig, PairGeometry, PointCloud, Surface, ViewFeatures,
    homography_overlap, ideal_homography_overlap, view_features,
};
use crate::select::pair_seed;
use crate::view::{Correspondence, View};

/// A metric to judge: the rule and the settings of the measurement.
#[derive(Debug, Clone, PartialEq)]
pub struct JudgedMetric {
    /// Name, range and texture gate.
    pub rule: MetricRule,
    /// The image-only measurement.
    pub overlap: HomographyOverlapConfig,
}

/// What a position is measured with.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    /// The metrics.
    pub metrics: Vec<JudgedMetric>,
    /// The occlusion test of the truth.
    pub truth: GeometricOverlapConfig,
}

/// Where a position comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PositionKey {
    /// Name of the scene.
    pub scene: String,
    /// Seed of the run.
    pub seed: u64,
    /// Sample index.
    pub index: u64,
    /// What decides the draws of the metrics at this position.
    pub votes_seed: u64,
}

/// A measured pair and its patch partners.
#[derive(Debug, Clone, PartialEq)]
pub struct MeasuredPair {
    /// The numbers.
    pub row: PairRow,
    /// True patch partners.
    pub true_partners: Correspondence,
    /// Partners by each metric; empty without an overlap.
    pub partners: Vec<Correspondence>,
}

impl Measurement {
    /// Measures every pair of one of the first `first` views and one of the others, in loop order. The result
    /// does not depend on threads.
    pub fn position(&self, key: &PositionKey, views: &[Arc<View>], first: usize) -> Vec<MeasuredPair> {
        let surfaces: Vec<Surface<'_>> = views.par_iter().map(|view| Surface::new(view)).collect();
        let clouds: Vec<PointCloud> = views
            .par_iter()
            .map(|view| PointCloud::new(view, CROCO_RADIUS_M))
            .collect();
        let features = self.features(views);
        let valid: Vec<f64> = views.iter().map(|view| view.depth.valid_fraction()).collect();
        let second = views.len().saturating_sub(first);
        let mut pairs: Vec<MeasuredPair> = (0..first * second)
            .into_par_iter()
            .map(|pair| {
                let places = [pair / second, first + pair % second];
                let [a, b] = places;
                let geometry = PairGeometry::new([&surfaces[a], &surfaces[b]], [&clouds[a], &clouds[b]], &self.truth);
                let seed = pair_seed(key.votes_seed, a, b - first);
                let (readings, partners) = self
                    .metrics
                    .iter()
                    .zip(&features)
                    .map(|(metric, features)| metric.read([&features[a], &features[b]], &geometry, seed))
                    .unzip();
                let texture = places.map(|place| features.first().map_or(0.0, |f| f[place].laplacian_variance));
                MeasuredPair {
                    row: PairRow {
                        key: PairKey {
                            scene: key.scene.clone(),
                            seed: key.seed,
                            index: key.index,
                            first: a as u32,
                            second: b as u32,
                        },
                        poses: places.map(|place| pose(&views[place].camera)),
                        texture,
                        valid: places.map(|place| valid[place]),
                        truth: truth(&geometry, views[a].color.width()),
                        readings,
                    },
                    true_partners: geometry.overlap.correspondence,
                    partners,
                }
            })
            .collect();
        let mut rows: Vec<PairRow> = pairs.iter().map(|pair| pair.row.clone()).collect();
        for metric in 0..self.metrics.len() {
            mark_chosen(&mut rows, metric);
        }
        for (pair, row) in pairs.iter_mut().zip(rows) {
            pair.row = row;
        }
        pairs
    }

    /// Features of all views for each metric; metrics of one SIFT share them.
    fn features(&self, views: &[Arc<View>]) -> Vec<Arc<Vec<ViewFeatures>>> {
        let mut found: Vec<Arc<Vec<ViewFeatures>>> = Vec::new();
        for (place, metric) in self.metrics.iter().enumerate() {
            let same = self.metrics[..place]
                .iter()
                .position(|other| other.overlap.sift == metric.overlap.sift);
            found.push(match same {
                Some(other) => Arc::clone(&found[other]),
                None => Arc::new(
                    views
                        .par_iter()
                        .map(|view| view_features(&view.color, &metric.overlap))
                        .collect(),
                ),
            });
        }
        found
    }
}

impl JudgedMetric {
    fn read(&self, features: [&ViewFeatures; 2], geometry: &PairGeometry, seed: u64) -> (Reading, Correspondence) {
        let found = homography_overlap(features[0], features[1], &self.overlap, seed);
        let overlap = found.overlap.map(|overlap| overlap.min());
        let texture = features.map(|f| f.laplacian_variance);
        let unanswered = found.refusal.map_or("unanswered", |reason| reason.name());
        let [there, back] = &geometry.votes;
        // Views of another size than the metric's have other patches: nothing to compare.
        let comparable = there.len() == (found.correspondence.grid as usize).pow(2);
        let reading = Reading {
            both: found.overlap,
            overlap,
            refusal: self.rule.refusal(overlap, texture, unanswered),
            matches: Some(found.matches as u32),
            inliers: Some(found.inliers as u32),
            chosen: false,
            partners: (overlap.is_some() && comparable).then(|| score_partners(&found.correspondence, [there, back])),
        };
        (reading, found.correspondence)
    }
}

fn truth(geometry: &PairGeometry, width: u32) -> Truth {
    Truth {
        covisibility: geometry.overlap.covisibility,
        iou: geometry.iou,
        patches: geometry.overlap.patches,
        croco: geometry.croco,
        hidden: geometry.hidden,
        ideal_homography: ideal_homography_overlap(&geometry.lattice, width).map(|overlap| overlap.min()),
        angle_deg: geometry.angle_rad.map(f64::to_degrees),
        baseline_m: geometry.baseline_m,
        mean_depth_m: geometry.mean_depth_m,
        planarity: geometry.planarity,
    }
}

fn pose(camera: &Camera) -> Pose {
    let forward = camera.forward();
    let heading = libm::atan2(forward.x, -forward.z).to_degrees().rem_euclid(360.0);
    Pose {
        eye: camera.eye().to_array(),
        // A heading of 0 that rounding has put just below.
        heading_deg: if heading >= 360.0 { 0.0 } else { heading },
    }
}
