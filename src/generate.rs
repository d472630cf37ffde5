//! The composer: a sample index becomes a position, and the position a pair or a named refusal.
//!
//! Each index is a pure function of (configuration, scene, seed, index): nothing is carried from one
//! position to the next. While the views of one position are compared on the CPU, the next are
//! already being drawn and compared ([`PairGenerator::look_ahead`]).

mod ahead;
mod composer;
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

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

pub use config::{GenerateConfig, GeneratorConfig, SamplerConfig, SamplerKind};
pub use device::DevicePair;
pub use harvest::Harvest;
pub use loader::Loader;
pub use pairs::GenerateError;
pub use scenes::{ScenePairs, ScenesConfig, ScenesReport, SkippedScene};
pub use turns::{Rank, Turn, Turns};
pub use walkable::{Walkable, WalkableConfig, WalkableError};

use ahead::{Ahead, Crew};
use composer::{Composer, InFlight, Recipe};

use crate::navmesh::NavMesh;
use crate::render::{Gpu, RenderError, RendererPool};
use crate::scene::Scene;
use crate::sweep::{Sweep, SweepRefusal};
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

/// An endless iterator over the positions of a scene, in index order.
///
/// One thread owns it; positions to come are made in threads of their own, and the comparison of views
/// inside a position spreads over rayon's pool.
pub struct PairGenerator {
    /// One a device, at least one. Which of them makes a position changes nothing in it.
    composers: Vec<Arc<Composer>>,
    next_index: u64,
    most_ahead: usize,
    look_ahead: usize,
    /// Positions under way, in order.
    ahead: VecDeque<Ahead>,
    /// The threads that make them, once there are any.
    crew: Option<Crew>,
    /// The next position whose pictures stay on the device.
    in_flight: Option<InFlight>,
    /// Whether pictures stay on the device.
    on_device: bool,
}

impl PairGenerator {
    /// Prepares a [`RendererPool`] for `gpu` and uploads the scene to it. Positions start at index 0.
    ///
    /// # Errors
    /// As [`RendererPool::new`] and [`Self::with_renderers`].
    pub fn new(
        gpu: &Gpu,
        scene: &Scene,
        navmesh: Arc<NavMesh>,
        config: GeneratorConfig,
        seed: u64,
    ) -> Result<Self, RenderError> {
        let renderers = RendererPool::new(gpu, &config.render)?;
        Self::with_renderers(&renderers, scene, navmesh, config, seed)
    }

    /// As [`Self::new`] with renderers that were made for the same `config.render` and may draw other scenes as well.
    ///
    /// # Errors
    /// As [`GpuScene::upload_for`](crate::render::GpuScene::upload_for).
    pub fn with_renderers(
        renderers: &RendererPool,
        scene: &Scene,
        navmesh: Arc<NavMesh>,
        config: GeneratorConfig,
        seed: u64,
    ) -> Result<Self, RenderError> {
        let intrinsics = config.render.intrinsics();
        let most_ahead = Ahead::most(u64::from(intrinsics.width) * u64::from(intrinsics.height));
        let uploaded = renderers.upload(scene)?;
        let recipe = Arc::new(Recipe {
            config,
            navmesh,
            scene_name: scene.name.clone(),
            scene_hash: scene.hash_hex(),
            scene_word: scene.hash_word(),
            seed,
        });
        let composer = |(renderer, scene)| {
            Arc::new(Composer {
                recipe: Arc::clone(&recipe),
                renderer,
                scene,
            })
        };
        Ok(Self {
            composers: uploaded.into_iter().map(composer).collect(),
            next_index: 0,
            most_ahead,
            look_ahead: most_ahead,
            ahead: VecDeque::new(),
            crew: None,
            in_flight: None,
            on_device: false,
        })
    }

    /// The composer on the device that was given.
    fn composer(&self) -> &Arc<Composer> {
        &self.composers[0]
    }

    /// First 64 bits of the scene's hash.
    fn scene_word(&self) -> u64 {
        self.composer().recipe.scene_word
    }

    /// Goes on at another index.
    pub fn seek(&mut self, index: u64) {
        self.forget();
        self.next_index = index;
    }

    /// Begins at most so many positions before they are asked for, from 1 to the default, which is 4, 2 for pictures
    /// of more than 256 x 256 pixels and 1 for those of more than 512 x 512. What is made does not depend on it. Whoever
    /// knows how many pairs are still wanted says so here, and hardly any is made in vain.
    pub fn look_ahead(&mut self, positions: u64) {
        self.look_ahead = positions.clamp(1, self.most_ahead as u64) as usize;
    }

    /// Makes one position alone, whatever was made before.
    pub fn position(&self, index: u64) -> Result<Position, RenderError> {
        self.composer().position(index)
    }

    /// The sweep of a sample and its 24 cropped views in capture order, without judging them; a refusal
    /// where the sample gives no sweep. The sampler must be `sweep`.
    pub fn sweep_views(&self, index: u64) -> Result<SweepViews, RenderError> {
        self.composer().sweep_views(index)
    }

    /// Gives up what is under way.
    fn forget(&mut self) {
        // All are told before the first is waited for.
        self.ahead.iter().for_each(Ahead::give_up);
        self.ahead.clear();
        self.in_flight = None;
    }

    /// The index to begin next.
    fn take_index(&mut self) -> u64 {
        let index = self.next_index;
        self.next_index += 1;
        index
    }

    /// The next position, with its followers begun.
    fn advance(&mut self) -> Result<Position, RenderError> {
        let crew = match &self.crew {
            Some(crew) => crew,
            // One for each position that may be under way at a time.
            None => self.crew.insert(Crew::new(self.most_ahead + 1)?),
        };
        // After one that cannot be begun no other is: the device may be gone.
        while self.ahead.len() <= self.look_ahead && !self.ahead.back().is_some_and(Ahead::is_refused) {
            let index = self.next_index;
            self.next_index += 1;
            let composer = &self.composers[index as usize % self.composers.len()];
            self.ahead.push_back(Ahead::begin(crew, composer, index));
        }
        match self.ahead.pop_front() {
            Some(next) => next.wait(),
            // The loop above leaves at least one.
            None => self.composer().position(self.next_index),
        }
    }
}

impl Drop for PairGenerator {
    fn drop(&mut self) {
        self.forget();
    }
}

impl Iterator for PairGenerator {
    type Item = Result<Position, RenderError>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.advance())
    }
}
