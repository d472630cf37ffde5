//! What can go wrong with a navmesh.

use std::path::PathBuf;

/// Why a navmesh could not be built, read, written or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NavMeshError {
    /// There is nothing to walk on: no triangles.
    #[error("the scene has no triangles to build a navmesh from")]
    EmptyScene,
    /// A coordinate is NaN or infinite, or an index points past the vertices.
    #[error("the scene's triangles are broken ({0}): repair the mesh")]
    BrokenMesh(String),
    /// A parameter is out of its range.
    #[error("navmesh setting {0}")]
    Config(String),
    /// Triangles, but none that the agent can stand on.
    #[error(
        "no walkable floor: {triangles} triangles, {facing_up} of them face up within {max_slope_deg} degrees, \
         none leaves a patch for an agent {agent_height_m} m high; {hint}"
    )]
    NoWalkableFloor {
        /// Triangles of the scene.
        triangles: usize,
        /// Triangles whose front faces up within the slope.
        facing_up: usize,
        /// The slope asked for, degrees.
        max_slope_deg: f64,
        /// The head room asked for, metres.
        agent_height_m: f64,
        /// What to try.
        hint: &'static str,
    },
    /// The scene has too many cells at this cell size.
    #[error(
        "the scene is {width_m:.0} x {depth_m:.0} m, {height_m:.0} m high: too large for cells of {cell_size_m} x \
         {cell_height_m} m; set cell_size_m to at least {fitting_cell_size_m} and cell_height_m to at least \
         {fitting_cell_height_m}, or check the scene's unit and stray triangles"
    )]
    TooLarge {
        /// Extent along x, metres.
        width_m: f64,
        /// Extent along z, metres.
        depth_m: f64,
        /// Extent along y, metres.
        height_m: f64,
        /// Cell side asked for, metres.
        cell_size_m: f64,
        /// Cell height asked for, metres.
        cell_height_m: f64,
        /// Cell side that would fit, metres.
        fitting_cell_size_m: f64,
        /// Cell height that would fit, metres.
        fitting_cell_height_m: f64,
    },
    /// Recast refused for another reason.
    #[error("the navmesh cannot be built: {0}; a larger cell_size_m makes it smaller")]
    Build(String),
    /// No island is large enough for the gate.
    #[error(
        "no island of the navmesh passes min_island_radius_m = {required_m}: the largest has a radius of {largest_m:.2} m; \
         min_island_radius_m = {admitting_m} would admit this scene"
    )]
    IslandsTooSmall {
        /// The gate, metres.
        required_m: f64,
        /// Radius of the largest island, metres.
        largest_m: f64,
        /// A gate that the largest island passes, metres.
        admitting_m: f64,
    },
    /// The file cannot be read.
    #[error("cannot read the navmesh: {reason}: {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: std::io::Error,
    },
    /// The file is no Habitat navmesh or a broken one.
    #[error("not a Habitat navmesh: {reason}: {path}")]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The file cannot be written.
    #[error("cannot write the navmesh: {reason}: {path}")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: std::io::Error,
    },
}
