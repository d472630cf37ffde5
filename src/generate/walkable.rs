//! A scene that an agent can walk: read, with the navmesh beside it or one built for it, and checked.

use std::io::ErrorKind;
use std::sync::Arc;

use crate::contain::{contained, said};
use crate::navmesh::{NavMesh, NavMeshConfig, NavMeshError, TrueFloor};
use crate::scene::procedural::ProceduralConfig;
use crate::scene::{Scene, SceneConfig, SceneError, SceneSource};
use crate::sweep::{EyeAbove, SweepConfig};

/// The sections of the configuration that decide how a scene becomes walkable.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WalkableConfig {
    /// Reading of scene files.
    pub scene: SceneConfig,
    /// What invented flats are like.
    pub procedural: ProceduralConfig,
    /// Building of the navmesh.
    pub navmesh: NavMeshConfig,
    /// The agent's protocol: what its height is measured from and how large an island it needs.
    pub sweep: SweepConfig,
}

/// A scene on the host and where an agent may stand in it, ready for any device.
#[derive(Debug, Clone)]
pub struct Walkable {
    /// Triangles and textures.
    pub scene: Arc<Scene>,
    /// Where the agent may stand.
    pub navmesh: Arc<NavMesh>,
}

/// Why a scene cannot be walked.
#[derive(Debug, thiserror::Error)]
pub enum WalkableError {
    /// It cannot be read.
    #[error(transparent)]
    Scene(#[from] SceneError),
    /// Its navmesh cannot be read or built, or has no island that is large enough.
    #[error(transparent)]
    NavMesh(#[from] NavMeshError),
    /// The device does not take it.
    #[error("the scene does not fit the graphics device: {0}")]
    Upload(String),
    /// A reader of the file gave up by a panic.
    #[error("the reader of the scene failed: {0}")]
    Panicked(String),
    /// There is nobody left to read scenes.
    #[error("the thread that reads scenes has ended")]
    NoReader,
}

impl WalkableError {
    /// Whether the scene itself is at fault, so that another attempt would end the same way. A file that cannot be read
    /// just now, as over a network or with too many files open, is not a scene of no use; nor is a wrong configuration.
    pub fn is_about_the_scene(&self) -> bool {
        match self {
            Self::Scene(SceneError::Read { source, .. }) => is_lasting(source.kind()),
            Self::NavMesh(NavMeshError::Read { reason, .. }) => is_lasting(reason.kind()),
            Self::NavMesh(NavMeshError::Config(_)) | Self::NoReader => false,
            _ => true,
        }
    }
}

fn is_lasting(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::NotFound
            | ErrorKind::PermissionDenied
            | ErrorKind::NotADirectory
            | ErrorKind::IsADirectory
            | ErrorKind::InvalidInput
            | ErrorKind::InvalidData
            | ErrorKind::UnexpectedEof
            | ErrorKind::Unsupported
    )
}

impl Walkable {
    /// Reads the scene, takes the Habitat navmesh beside it or builds one, and checks the island gate. The scene's
    /// warnings go to the log.
    ///
    /// # Errors
    /// The scene cannot be read or gives no floor that is large enough; a panic of a reader is an error as well.
    pub fn load(source: &SceneSource, config: &WalkableConfig) -> Result<Self, WalkableError> {
        // Readers of other people's formats are other people's code: one broken file must not end a run of thousands.
        contained(|| Self::load_unguarded(source, config))
            .unwrap_or_else(|panic| Err(WalkableError::Panicked(said(&*panic).to_owned())))
    }

    fn load_unguarded(source: &SceneSource, config: &WalkableConfig) -> Result<Self, WalkableError> {
        let scene = source.load_with(&config.scene, &config.procedural)?;
        for warning in &scene.warnings {
            tracing::warn!("{}: {warning}", scene.name);
        }
        let mut navmesh = match source.navmesh_file() {
            Some(path) if config.scene.use_navmesh_file => NavMesh::load(path)?,
            _ => NavMesh::build(&scene, &config.navmesh)?,
        };
        if config.sweep.eye_above == EyeAbove::Floor {
            navmesh = navmesh.with_true_floor(TrueFloor::new(&scene));
        }
        navmesh.require_island_radius(config.sweep.min_island_radius_m)?;
        Ok(Self {
            scene: Arc::new(scene),
            navmesh: Arc::new(navmesh),
        })
    }
}
