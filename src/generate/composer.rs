//! From a sample index to a position: sweep, pictures, judgement.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use super::judge::Probe;
use super::{GeneratorConfig, Outcome, Position, SamplerKind, SweepViews};
use crate::camera::Camera;
use crate::navmesh::NavMesh;
use crate::render::{GpuScene, Pending, RenderError, Renderer};
use crate::sweep::{Sweep, SweepRefusal, sample_sweep};
use crate::view::View;

/// All that making a position needs. Shareable between threads.
pub(super) struct Composer {
    pub recipe: Arc<Recipe>,
    pub renderer: Arc<Renderer>,
    pub scene: GpuScene,
}

/// Everything but the scene on the GPU that making a position needs.
pub(super) struct Recipe {
    pub config: GeneratorConfig,
    pub navmesh: Arc<NavMesh>,
    pub scene_name: String,
    pub scene_hash: String,
    pub scene_word: u64,
    pub seed: u64,
}

/// A position whose pictures were asked for.
pub(super) struct InFlight {
    pub index: u64,
    pub sampled: Sampled,
}

pub(super) enum Sampled {
    /// 24 views are being drawn.
    Sweep(Box<(Sweep, Pending)>),
    /// Two views that depend on each other: drawn when their turn comes.
    Croco,
    /// No position, and why.
    Refused(&'static str),
}

impl Composer {
    /// One position, waited for.
    pub fn position(&self, index: u64) -> Result<Position, RenderError> {
        self.finish(self.start(index)?, &AtomicBool::new(false))
    }

    /// As [`super::PairGenerator::sweep_views`].
    pub fn sweep_views(&self, index: u64) -> Result<SweepViews, RenderError> {
        let sweep = match self.sample(index) {
            Ok(sweep) => sweep,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let pending = self.renderer.submit(&self.scene, &sweep.cameras)?;
        let views = self.cropped(pending)?;
        Ok(Ok((sweep, views)))
    }

    /// The sweep of a sample: cameras only.
    fn sample(&self, index: u64) -> Result<Sweep, SweepRefusal> {
        let recipe = &self.recipe;
        sample_sweep(
            &recipe.navmesh,
            &recipe.config.sweep,
            recipe.config.render.intrinsics(),
            recipe.seed,
            recipe.scene_word,
            index,
        )
    }

    /// Waits for pictures and cuts out what the configuration asks for.
    fn cropped(&self, pending: Pending) -> Result<Vec<Arc<View>>, RenderError> {
        let crop = self.recipe.config.render.crop_px;
        Ok(pending
            .wait()?
            .into_par_iter()
            .map(|view| Arc::new(view.center_crop(crop)))
            .collect())
    }

    /// Draws the sweep of a sample and hands its cameras to the device.
    pub fn start(&self, index: u64) -> Result<InFlight, RenderError> {
        self.start_with(index, |sweep| self.renderer.submit(&self.scene, &sweep.cameras))
    }

    /// As [`Self::start`], the pictures asked for by `submit`.
    pub fn start_with(
        &self,
        index: u64,
        submit: impl FnOnce(&Sweep) -> Result<Pending, RenderError>,
    ) -> Result<InFlight, RenderError> {
        let sampled = match self.recipe.config.sampler.kind {
            SamplerKind::Croco => Sampled::Croco,
            SamplerKind::Sweep => match self.sample(index) {
                Ok(sweep) => {
                    let pending = submit(&sweep)?;
                    Sampled::Sweep(Box::new((sweep, pending)))
                }
                Err(refusal) => Sampled::Refused(refusal.reason()),
            },
        };
        Ok(InFlight { index, sampled })
    }

    /// Waits for the pictures of a position and compares them; once `given_up` is set nobody wants them any more, and
    /// what is returned means nothing.
    pub fn finish(&self, in_flight: InFlight, given_up: &AtomicBool) -> Result<Position, RenderError> {
        let index = in_flight.index;
        let refused = |reason| Position {
            index,
            stops: Vec::new(),
            refused: BTreeMap::new(),
            outcome: Outcome::Refused(reason),
        };
        match in_flight.sampled {
            Sampled::Refused(reason) => Ok(refused(reason)),
            Sampled::Croco if given_up.load(Ordering::Relaxed) => Ok(refused("given_up")),
            Sampled::Croco => self.croco_position(index),
            Sampled::Sweep(drawn) => {
                let (sweep, pending) = *drawn;
                let views = self.cropped(pending)?;
                if given_up.load(Ordering::Relaxed) {
                    return Ok(refused("given_up"));
                }
                let probe = HostViews {
                    composer: self,
                    views: &views,
                };
                self.recipe.judge(index, &sweep, &views, &probe)
            }
        }
    }
}

/// Views that came to the host whole.
struct HostViews<'a> {
    composer: &'a Composer,
    views: &'a [Arc<View>],
}

impl Probe for HostViews<'_> {
    fn backs(&self, views: &[usize]) -> Result<Vec<f64>, RenderError> {
        let composer = self.composer;
        let cameras: Vec<Camera> = views.iter().map(|&view| self.views[view].camera).collect();
        composer.renderer.back_face_fractions(&composer.scene, &cameras)
    }

    fn with_depth(&self, view: usize) -> Result<Arc<View>, RenderError> {
        Ok(Arc::clone(&self.views[view]))
    }
}
