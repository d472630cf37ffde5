//! What can be wrong with a scene.

use std::path::{Path, PathBuf};

/// Why a scene was not loaded. Every message says what was wrong and, where there is a way out, what to do; the
/// path comes last.
#[derive(Debug, thiserror::Error)]
pub enum SceneError {
    /// Nothing is at the path.
    #[error("no such scene file: {}", path.display())]
    NotFound {
        /// The path as given.
        path: PathBuf,
    },
    /// A file is there but cannot be read.
    #[error("cannot read the file ({source}): {}", path.display())]
    Read {
        /// What the system said.
        source: std::io::Error,
        /// The file.
        path: PathBuf,
    },
    /// The file is of no kind that is known.
    #[error("not a scene file ({what}); known kinds are .glb, .gltf, .obj, .ply and Habitat's .scene_instance.json, .stage_config.json and .scene_dataset_config.json: {}", path.display())]
    UnknownKind {
        /// What was seen instead.
        what: String,
        /// The file.
        path: PathBuf,
    },
    /// The file breaks its own format.
    #[error("broken scene file, {what}: {}", path.display())]
    Malformed {
        /// What is broken and where in the file.
        what: String,
        /// The file.
        path: PathBuf,
    },
    /// The file needs something that is not supported.
    #[error("the file needs {feature}, which is not supported; {advice}: {}", path.display())]
    Unsupported {
        /// The feature or extension, by name.
        feature: String,
        /// What to do instead.
        advice: String,
        /// The file.
        path: PathBuf,
    },
    /// A limit of [`super::Limits`] would be passed.
    #[error("{what} is over the limit {limit} = {allowed}; raise it if the file can be trusted: {}", path.display())]
    TooLarge {
        /// What is too large, with its size.
        what: String,
        /// The field of [`super::Limits`].
        limit: &'static str,
        /// Its value.
        allowed: u64,
        /// The file.
        path: PathBuf,
    },
    /// A reference leads out of the scene's folder, where nothing is ever read.
    #[error("the file refers to {reference:?}, which is outside its own folder and is not read: {}", path.display())]
    OutsideFolder {
        /// The reference as written.
        reference: String,
        /// The file that refers to it.
        path: PathBuf,
    },
    /// A file that the scene cannot do without is missing.
    #[error("the file refers to {reference:?}, which is missing: {}", path.display())]
    MissingPart {
        /// The reference as written.
        reference: String,
        /// The file that refers to it.
        path: PathBuf,
    },
    /// There is nothing to draw.
    #[error("the scene has no triangles: {}", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A dataset has no scene or stage of a name, or several and none was named.
    #[error("no scene {name:?} in the dataset: {known}; write DATASET#NAME: {}", path.display())]
    NotInDataset {
        /// The name as given; empty when none was.
        name: String,
        /// What it has.
        known: String,
        /// The dataset's configuration.
        path: PathBuf,
    },
    /// A scene name that is neither a recipe nor a path.
    #[error("{what}; write procedural, procedural:SEED or the path of a scene file")]
    BadSource {
        /// What was wrong with it.
        what: String,
    },
}

impl SceneError {
    pub(crate) fn malformed(path: &Path, what: impl Into<String>) -> Self {
        Self::Malformed {
            what: what.into(),
            path: path.to_owned(),
        }
    }
}
