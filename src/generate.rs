//! The composer: a sample index becomes a position, and the position a pair or a named refusal.
//!
//! Each index is a pure function of (configuration, scene, seed, index): nothing is carried from one
//! position to the next. While the views of one position are compared on the CPU, those of the next
//! are already being drawn.

mod config;
mod croco;
mod device;
mod harvest;
mod judge;
mod loader;
mod pairs;
mod scenes;
mod turns;
mod walkable;

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;

pub use config::{GenerateConfig, GeneratorConfig, SamplerConfig, SamplerKind};
pub use device::DevicePair;
pub use harvest::Harvest;
pub use pairs::GenerateError;
pub use scenes::{ScenePairs, ScenesConfig, ScenesReport, SkippedScene};
pub use turns::{Rank, Turn, Turns};
pub use walkable::{Walkable, WalkableConfig, WalkableError};

use judge::Probe;

use crate::navmesh::NavMesh;
use crate::render::{Gpu, GpuScene, Pending, RenderError, Renderer, Sensors};
use crate::scene::Scene;
use crate::sweep::{Sweep, SweepRefusal, sample_sweep};
use crate::view::{View, ViewPair};

/// What became of one sample index.
#[derive(Debug, Clone, PartialEq)]
pub struct Position {
    /// Sample index within the scene and seed.
    pub index: u64,
    /// Where the agent stood, world metres, in order; empty where no position could be drawn.
    pub stops: Vec<[f64; 3]>,
    /// How many views and candidates were refused, by reason.
    pub refused: BTreeMap<String, u64>,
    /// The pair, or why there is none.
    pub outcome: Outcome,
}

/// A sweep with its views in capture order, or why a sample gives none.
pub type SweepViews = Result<(Sweep, Vec<Arc<View>>), SweepRefusal>;

/// A pair, or the reason why a position gave none.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The pair that was kept.
    Kept(Box<ViewPair>),
    /// A stable snake_case name.
    Refused(&'static str),
}

/// Everything but the scene on the GPU that making a position needs.
struct Recipe {
    config: GeneratorConfig,
    navmesh: Arc<NavMesh>,
    scene_name: String,
    scene_hash: String,
    scene_word: u64,
    seed: u64,
}

/// An endless iterator over the positions of a scene, in index order.
///
/// One thread owns it (and with it renderer and uploaded scene); the comparison of views inside a
/// position spreads over rayon's pool.
pub struct PairGenerator {
    recipe: Recipe,
    renderer: Arc<Renderer>,
    scene: GpuScene,
    next_index: u64,
    step: u64,
    in_flight: Option<InFlight>,
    /// Whether pictures stay on the device.
    on_device: bool,
}

struct InFlight {
    index: u64,
    sampled: Sampled,
}

enum Sampled {
    /// 24 views are being drawn.
    Sweep(Box<(Sweep, Pending)>),
    /// Two views that depend on each other: drawn when their turn comes.
    Croco,
    /// No position, and why.
    Refused(&'static str),
}

impl PairGenerator {
    /// Uploads the scene and prepares the renderer. Positions start at index 0.
    pub fn new(
        gpu: &Gpu,
        scene: &Scene,
        navmesh: Arc<NavMesh>,
        config: GeneratorConfig,
        seed: u64,
    ) -> Result<Self, RenderError> {
        let renderer = Arc::new(Renderer::new(gpu, &config.render)?);
        Self::with_renderer(gpu, renderer, scene, navmesh, config, seed)
    }

    /// As [`Self::new`] with a renderer that was made for the same device and the same `config.render`, and that may
    /// draw other scenes as well.
    pub fn with_renderer(
        gpu: &Gpu,
        renderer: Arc<Renderer>,
        scene: &Scene,
        navmesh: Arc<NavMesh>,
        config: GeneratorConfig,
        seed: u64,
    ) -> Result<Self, RenderError> {
        Ok(Self {
            renderer,
            scene: GpuScene::upload_for(gpu, scene, &config.render, Sensors::default())?,
            recipe: Recipe {
                config,
                navmesh,
                scene_name: scene.name.clone(),
                scene_hash: scene.hash_hex(),
                scene_word: scene.hash_word(),
                seed,
            },
            next_index: 0,
            step: 1,
            in_flight: None,
            on_device: false,
        })
    }

    /// First 64 bits of the scene's hash.
    fn scene_word(&self) -> u64 {
        self.recipe.scene_word
    }

    /// Goes on at another index.
    pub fn seek(&mut self, index: u64) {
        self.in_flight = None;
        self.next_index = index;
    }

    /// Visits every `step`-th index from the next one on; 0 counts as 1.
    pub fn step_by_indices(&mut self, step: u64) {
        self.in_flight = None;
        self.step = step.max(1);
    }

    /// Makes one position alone, whatever was made before.
    pub fn position(&self, index: u64) -> Result<Position, RenderError> {
        self.finish(self.start(index)?)
    }

    /// The sweep of a sample and its 24 cropped views in capture order, without judging them; a refusal
    /// where the sample gives no sweep. The sampler must be `sweep`.
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
    fn start(&self, index: u64) -> Result<InFlight, RenderError> {
        if self.recipe.config.sampler.kind == SamplerKind::Croco {
            return Ok(InFlight {
                index,
                sampled: Sampled::Croco,
            });
        }
        let sampled = match self.sample(index) {
            Ok(sweep) => {
                let pending = match self.gray_is_enough() {
                    true => {
                        let crop = self.recipe.config.render.crop_px;
                        self.renderer.submit_gray(&self.scene, &sweep.cameras, crop)?
                    }
                    false => self.renderer.submit(&self.scene, &sweep.cameras)?,
                };
                Sampled::Sweep(Box::new((sweep, pending)))
            }
            Err(refusal) => Sampled::Refused(refusal.reason()),
        };
        Ok(InFlight { index, sampled })
    }

    /// Waits for the pictures of a position and compares them.
    fn finish(&self, in_flight: InFlight) -> Result<Position, RenderError> {
        let index = in_flight.index;
        let (sweep, pending) = match in_flight.sampled {
            Sampled::Sweep(drawn) => *drawn,
            Sampled::Croco => return self.croco_position(index),
            Sampled::Refused(reason) => {
                return Ok(Position {
                    index,
                    stops: Vec::new(),
                    refused: BTreeMap::new(),
                    outcome: Outcome::Refused(reason),
                });
            }
        };
        let views = self.cropped(pending)?;
        let probe = HostViews {
            generator: self,
            views: &views,
        };
        self.recipe.judge(index, &sweep, &views, &probe)
    }

    /// Hands the next position over and gives the one that was handed over before it: its pictures are drawn meanwhile.
    fn advance(&mut self) -> Result<InFlight, RenderError> {
        let current = match self.in_flight.take() {
            Some(in_flight) => in_flight,
            None => {
                let index = self.next_index;
                self.next_index += self.step;
                self.start(index)?
            }
        };
        let index = self.next_index;
        self.next_index += self.step;
        self.in_flight = Some(self.start(index)?);
        Ok(current)
    }
}

/// Views that came to the host whole.
struct HostViews<'a> {
    generator: &'a PairGenerator,
    views: &'a [Arc<View>],
}

impl Probe for HostViews<'_> {
    fn backs(&self, view: usize) -> Result<f64, RenderError> {
        let generator = self.generator;
        generator
            .renderer
            .back_face_fraction(&generator.scene, &self.views[view].camera)
    }

    fn with_depth(&self, view: usize) -> Result<Arc<View>, RenderError> {
        Ok(Arc::clone(&self.views[view]))
    }
}

impl Iterator for PairGenerator {
    type Item = Result<Position, RenderError>;

    fn next(&mut self) -> Option<Self::Item> {
        let advanced = self.advance();
        Some(advanced.and_then(|current| self.finish(current)))
    }
}
