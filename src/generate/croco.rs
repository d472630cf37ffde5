//! CroCo's pairs: a first view, then second views that look at what it saw until one is covisible enough.

use std::collections::BTreeMap;
use std::sync::Arc;

use glam::DVec3;

use super::composer::Composer;
use super::judge::refusal_of;
use super::{Outcome, Position};
use crate::camera::Camera;
use crate::overlap::{
    CROCO_RADIUS_M, croco_covisibility, geometric_overlap, homography_overlap, point_cloud, view_features,
};
use crate::render::RenderError;
use crate::select::SelectMeasure;
use crate::sweep::croco::{first_view, second_view};
use crate::view::{Overlap, PairOrigin, PairOverlaps, View, ViewPair};

impl Composer {
    /// The position of a sample: one first view and up to `croco_tries` second ones.
    pub(super) fn croco_position(&self, index: u64) -> Result<Position, RenderError> {
        let recipe = &self.recipe;
        let config = &recipe.config.sampler;
        let intrinsics = recipe.config.render.intrinsics();
        let mut position = Position {
            index,
            stops: Vec::new(),
            refused: BTreeMap::new(),
            outcome: Outcome::Refused("no_position"),
        };
        let (seed, word) = (recipe.seed, recipe.scene_word);
        let Some(first) = first_view(&recipe.navmesh, &config.croco, intrinsics, seed, word, index, 0) else {
            return Ok(position);
        };
        position.stops.push(first.position.as_dvec3().to_array());
        let first_picture = self.draw(first.camera)?;
        if first_picture.depth.valid_fraction() < config.croco_min_valid_fraction {
            position.outcome = Outcome::Refused("holes");
            return Ok(position);
        }
        if let Some(reason) = self.backs(&first_picture)? {
            position.outcome = Outcome::Refused(reason);
            return Ok(position);
        }
        let cloud = point_cloud(&first_picture);
        let look_at = cloud.iter().sum::<DVec3>() / cloud.len().max(1) as f64;
        for attempt in 0..config.croco_tries {
            let second = second_view(
                &recipe.navmesh,
                &config.croco,
                intrinsics,
                &first,
                look_at,
                seed,
                word,
                index,
                attempt,
            );
            let second_picture = self.draw(second.camera)?;
            let mut covisibility = None;
            let refusal = if second_picture.depth.valid_fraction() < config.croco_min_valid_fraction {
                Some("holes")
            } else {
                let found = croco_covisibility(&first_picture, &second_picture, CROCO_RADIUS_M);
                covisibility = Some(found);
                match found.min() < config.croco_min_covisibility {
                    true => Some("covisibility_low"),
                    false => self.backs(&second_picture)?,
                }
            };
            match refusal {
                Some(reason) => {
                    *position.refused.entry(reason.to_owned()).or_default() += 1;
                    position.outcome = Outcome::Refused(reason);
                }
                None => {
                    position.stops.push(second.position.as_dvec3().to_array());
                    let pair = self.croco_pair(index, first_picture, second_picture, covisibility);
                    position.outcome = Outcome::Kept(Box::new(pair));
                    break;
                }
            }
        }
        Ok(position)
    }

    /// Why a view shows too many surfaces from behind; asked only where the configuration sets a limit.
    fn backs(&self, view: &View) -> Result<Option<&'static str>, RenderError> {
        let most = self.recipe.config.select.max_back_face_fraction;
        if most >= 1.0 {
            return Ok(None);
        }
        Ok(
            refusal_of(self.renderer.back_face_fraction(&self.scene, &view.camera)?, most)
                .map(|refusal| refusal.name()),
        )
    }

    fn draw(&self, camera: Camera) -> Result<Arc<View>, RenderError> {
        let crop = self.recipe.config.render.crop_px;
        let views = self.renderer.render(&self.scene, &[camera])?;
        let view = views.into_iter().next().ok_or(RenderError::Device {
            action: "drawing one view",
            reason: "no picture came back".to_owned(),
        })?;
        Ok(Arc::new(view.center_crop(crop)))
    }

    /// A pair that CroCo's covisibility chose; the patches are the true ones.
    fn croco_pair(&self, index: u64, first: Arc<View>, second: Arc<View>, croco: Option<Overlap>) -> ViewPair {
        let recipe = &self.recipe;
        let truth = geometric_overlap(&first, &second, &recipe.config.truth);
        let also_homography = recipe.config.select.also_measure.contains(&SelectMeasure::Homography);
        let homography = also_homography.then(|| {
            let features = [&first, &second].map(|view| view_features(&view.color, &recipe.config.overlap));
            let seed = recipe.votes_seed(index);
            homography_overlap(&features[0], &features[1], &recipe.config.overlap, seed).overlap
        });
        ViewPair {
            first,
            second,
            overlaps: PairOverlaps {
                homography: homography.flatten(),
                covisibility: Some(truth.covisibility),
                patch_truth: Some(truth.patches),
                croco,
            },
            correspondence: truth.correspondence.clone(),
            true_correspondence: truth.correspondence,
            origin: PairOrigin {
                scene: recipe.scene_name.clone(),
                scene_hash: recipe.scene_hash.clone(),
                seed: recipe.seed,
                index,
                views: [0, 1],
            },
        }
    }
}
