//! What a user may name as a scene: a recipe or a file.

use std::path::PathBuf;
use std::str::FromStr;

use super::config::SceneConfig;
use super::error::SceneError;
use super::habitat::navmesh_of;
use super::load::load;
use super::model::Scene;
use super::procedural::{ProceduralConfig, build_with};

/// A scene by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SceneSource {
    /// The invented flat of this seed.
    Procedural(u64),
    /// A file.
    File(PathBuf),
}

impl SceneSource {
    /// `procedural`, `procedural:SEED` (a whole number; 0 when left out), or a path.
    ///
    /// # Errors
    /// [`SceneError::BadSource`] for an empty name or a seed that is no number. Whether a file exists shows on
    /// [`Self::load`].
    pub fn parse(text: &str) -> Result<Self, SceneError> {
        let bad = |what: String| SceneError::BadSource { what };
        if text.is_empty() {
            return Err(bad("the scene's name is empty".to_owned()));
        }
        if text == "procedural" {
            return Ok(Self::Procedural(0));
        }
        match text.strip_prefix("procedural:") {
            Some(seed) => seed
                .parse()
                .map(Self::Procedural)
                .map_err(|_| bad(format!("the seed in {text:?} is not a whole number"))),
            None => Ok(Self::File(text.into())),
        }
    }

    /// Habitat's navmesh for the scene, where one is there: `X.navmesh` beside `X.glb` (`X.basis.navmesh` beside
    /// `X.basis.glb`), `habitat/mesh_semantic.navmesh` beside a Replica `mesh.ply`, or the one that a scene instance names.
    pub fn navmesh_file(&self) -> Option<PathBuf> {
        let Self::File(path) = self else { return None };
        if let Some(named) = navmesh_of(path) {
            return Some(named);
        }
        let beside = path.with_extension("navmesh");
        let replica = path.with_file_name("habitat/mesh_semantic.navmesh");
        let is_replica = path.file_name().is_some_and(|name| name == "mesh.ply");
        [Some(beside), is_replica.then_some(replica)]
            .into_iter()
            .flatten()
            .find(|path| path.is_file())
    }

    /// Reads the scene, or invents it with the default [`ProceduralConfig`]; `config` is for files.
    ///
    /// # Errors
    /// As [`load`].
    pub fn load(&self, config: &SceneConfig) -> Result<Scene, SceneError> {
        self.load_with(config, &ProceduralConfig::default())
    }

    /// Reads the scene by `files`, or invents it by `flats`.
    ///
    /// # Errors
    /// As [`load`], and [`SceneError::BadSource`] where a field of `flats` is out of range.
    pub fn load_with(&self, files: &SceneConfig, flats: &ProceduralConfig) -> Result<Scene, SceneError> {
        match self {
            Self::Procedural(seed) => build_with(flats, *seed).map_err(|error| SceneError::BadSource {
                what: error.to_string(),
            }),
            Self::File(path) => load(path, files),
        }
    }
}

impl FromStr for SceneSource {
    type Err = SceneError;

    fn from_str(text: &str) -> Result<Self, SceneError> {
        Self::parse(text)
    }
}

impl std::fmt::Display for SceneSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Procedural(seed) => write!(f, "procedural:{seed}"),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}
