//! From arguments to a generator: scene, navmesh, device, in the order in which each can fail.

use std::sync::Arc;

use covista::config::Config;
use covista::export::native::{SceneRecord, TopDown};
#[cfg(feature = "train")]
use covista::generate::ScenesConfig;
use covista::generate::{self, PairGenerator, WalkableConfig};
use covista::navmesh::NavMesh;
use covista::render::{Gpu, RenderError, RendererPool};
#[cfg(feature = "train")]
use covista::scene::SceneList;
use covista::scene::{Scene, SceneSource};

use super::common::SceneArgs;

/// Side of a cell of the top-down map, metres.
const MAP_CELL_M: f32 = 0.05;

/// A scene that an agent can walk, ready for any device.
pub struct Walkable {
    /// Triangles and textures.
    pub scene: Arc<Scene>,
    /// Where the agent may stand.
    pub navmesh: Arc<NavMesh>,
}

/// The sections that decide how a scene becomes walkable.
pub fn walkable_config(config: &Config) -> WalkableConfig {
    WalkableConfig {
        scene: config.scene.clone(),
        procedural: config.procedural.clone(),
        navmesh: config.navmesh.clone(),
        sweep: config.sweep.clone(),
    }
}

/// A list in a few words.
#[cfg(feature = "train")]
pub fn list_title(list: &SceneList) -> String {
    match list.entries() {
        [only] => only.scene.to_string(),
        entries => format!("{} scenes in turn", entries.len()),
    }
}

/// How many scenes take turns.
#[cfg(feature = "train")]
pub fn scenes_config(config: &Config) -> ScenesConfig {
    ScenesConfig {
        walkable: walkable_config(config),
        generator: config.generator(),
        pairs_per_scene: config.stream.pairs_per_scene,
        scenes_in_memory: config.stream.scenes_in_memory,
        max_positions: config.generate.max_positions_per_pair,
    }
}

impl From<generate::Walkable> for Walkable {
    fn from(loaded: generate::Walkable) -> Self {
        Self {
            scene: loaded.scene,
            navmesh: loaded.navmesh,
        }
    }
}

impl Walkable {
    /// Reads the scene, takes the Habitat navmesh beside it or builds one, and checks the island gate.
    pub fn open(args: &SceneArgs, config: &mut Config) -> anyhow::Result<Self> {
        Self::load(&args.source(config)?, config)
    }

    /// As [`Self::open`], the configuration as it is.
    pub fn load(source: &SceneSource, config: &Config) -> anyhow::Result<Self> {
        Ok(generate::Walkable::load(source, &walkable_config(config))?.into())
    }

    /// Calls the scene by another name, which its pairs carry.
    pub fn rename(&mut self, name: &str) {
        Arc::make_mut(&mut self.scene).name = name.to_owned();
    }

    /// The composer over this scene, which makes positions in order.
    pub fn generator(&self, gpu: &Gpu, config: &Config, seed: u64) -> Result<PairGenerator, RenderError> {
        PairGenerator::new(gpu, &self.scene, Arc::clone(&self.navmesh), config.generator(), seed)
    }

    /// As [`Self::generator`] for positions that are asked for one by one.
    pub fn lone_generator(&self, gpu: &Gpu, config: &Config, seed: u64) -> Result<PairGenerator, RenderError> {
        self.generator_with(&RendererPool::single(gpu, &config.render)?, config, seed)
    }

    /// As [`Self::generator`] with renderers that draw other scenes as well.
    pub fn generator_with(
        &self,
        renderers: &RendererPool,
        config: &Config,
        seed: u64,
    ) -> Result<PairGenerator, RenderError> {
        let navmesh = Arc::clone(&self.navmesh);
        PairGenerator::with_renderers(renderers, &self.scene, navmesh, config.generator(), seed)
    }

    /// What manifests say of the scene.
    pub fn record(&self) -> SceneRecord {
        SceneRecord {
            name: self.scene.name.clone(),
            hash: self.scene.hash_hex(),
        }
    }

    /// The floor from above.
    pub fn top_down(&self) -> TopDown {
        let map = self.navmesh.top_down(MAP_CELL_M);
        TopDown {
            image: map.picture(),
            min_x: f64::from(map.origin.x),
            min_z: f64::from(map.origin.y),
            metres_per_pixel: f64::from(map.cell_m),
        }
    }
}
