//! What can be wrong with a list of scenes.

use std::path::PathBuf;

use crate::scene::error::SceneError;

/// Why a list of scenes was refused.
#[derive(Debug, thiserror::Error)]
pub enum SceneListError {
    /// A spec that means nothing or names nothing.
    #[error("{origin}: {what}")]
    BadSpec {
        /// The argument, or the file and the line.
        origin: String,
        /// What is wrong with it.
        what: String,
    },
    /// A folder or dataset that cannot be listed.
    #[error("{origin}: {source}")]
    Scene {
        /// The argument, or the file and the line.
        origin: String,
        /// Why.
        source: Box<SceneError>,
    },
    /// The list file cannot be read.
    #[error("cannot read the list of scenes ({source}): {}", path.display())]
    Unreadable {
        /// What the system said.
        source: std::io::Error,
        /// The file.
        path: PathBuf,
    },
    /// Nothing was named.
    #[error("no scene is named; give --scene SPEC or --scenes FILE with one spec a line")]
    Empty,
    /// Flats without end where every scene must be known.
    #[error("procedural:* never ends, and here the scenes must be known beforehand; write procedural:A-B")]
    Endless,
}
