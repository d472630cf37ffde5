//! Habitat's own descriptions of scenes: dataset, stage, object and scene-instance JSON, and HM3D's semantics.
//!
//! Formats and axes as in `reference/habitat.md` 3.1 and 3.2. What has to do with physics, lights and
//! articulated objects is passed over, with a warning where it would show in a picture.

mod attributes;
mod dataset;
mod files;
mod instance;
mod list;
mod place;
mod semantic;

pub(super) use files::{HabitatKind, habitat_kind};
pub(super) use instance::{load_habitat, navmesh_of};
pub use list::{ListedScene, SceneLayout, list_scenes};
pub use semantic::{SemanticLabel, SemanticTable};
