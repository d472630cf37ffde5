//! Which way is up in a scene file.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use glam::{Affine3A, Mat3A, Vec3, Vec3A};

use super::config::Up;
use super::model::{Bounds, Scene};

/// What the surroundings of a file say about it.
pub(crate) struct Guess {
    /// Y or Z.
    pub(crate) up: Up,
    /// The only sign for Z is this navmesh beside the file: the geometry has the last word, see
    /// [`Guess::settle`].
    navmesh: Option<PathBuf>,
}

/// Resolves [`Up::Auto`] from what lies around a file; the other two are returned as they are. The rule is told at
/// [`Up::Auto`].
pub(crate) fn guess(path: &Path, up: Up) -> Guess {
    let sure = |up| Guess { up, navmesh: None };
    if up != Up::Auto {
        return sure(up);
    }
    let name = path.file_name().map(|n| n.to_string_lossy().to_lowercase());
    let name = name.unwrap_or_default();
    let stem = path.file_stem().unwrap_or_default();
    let beside = |suffix: &str| {
        let mut name = stem.to_owned();
        name.push(suffix);
        path.with_file_name(name)
    };
    let is_gltf = name.ends_with(".glb") || name.ends_with(".gltf");
    let (stage_config, navmesh) = (beside(".stage_config.json"), beside(".navmesh"));
    if let Some(up) = configured_up(&stage_config) {
        return sure(up);
    }
    let is_habitat = is_gltf && (name.ends_with(".basis.glb") || stage_config.is_file());
    let is_replica = name == "mesh.ply" && path.with_file_name("habitat").is_dir();
    let is_scannet = name.ends_with(".ply") && name.contains("_vh_clean");
    if is_habitat || is_replica || is_scannet {
        return sure(Up::Z);
    }
    if is_gltf && navmesh.is_file() {
        return Guess {
            up: Up::Z,
            navmesh: Some(navmesh),
        };
    }
    sure(Up::Y)
}

impl Guess {
    /// Turns a scene that was read as Z up back to Y up, when the navmesh beside it was plainly built from the file
    /// as Y up. Returns what holds.
    pub(crate) fn settle(&self, scene: &mut Scene) -> Up {
        let built_from = self.navmesh.as_deref().and_then(navmesh_origin);
        let (Some(origin), Some(bounds)) = (built_from, scene.bounds()) else {
            return self.up;
        };
        if !fits_better_as_y_up(origin, bounds) {
            return self.up;
        }
        for position in scene.primitives.iter_mut().flat_map(|p| &mut p.positions) {
            *position = as_y_up(Vec3::from(*position)).into();
        }
        for light in &mut scene.lights {
            light.kind.turn(as_y_up);
        }
        let note = "the navmesh beside the file was built with Y up: the file is taken as Y up";
        scene.warnings.push(note.to_owned());
        Up::Y
    }
}

/// Undoes the turn from Z up.
fn as_y_up(turned: Vec3) -> Vec3 {
    Vec3::new(turned.x, -turned.z, turned.y)
}

/// True when the lower corner of the file as it is lies where the navmesh begins, and that of the turned one not.
fn fits_better_as_y_up(origin: Vec3, turned: Bounds) -> bool {
    /// Both are copies of the same numbers, but for the rounding of transforms. Metres.
    const TOLERANCE: f32 = 0.01;
    let (a, b) = (as_y_up(turned.min), as_y_up(turned.max));
    let distance = |corner: Vec3| (corner - origin).abs().max_element();
    distance(a.min(b)) < TOLERANCE && distance(turned.min) > TOLERANCE
}

/// The corner that a Habitat navmesh starts at, which is the lower corner of the mesh that it was built from
/// (`reference/habitat.md` 3.4 and 3.6).
fn navmesh_origin(path: &Path) -> Option<Vec3> {
    let mut header = [0u8; 24];
    File::open(path).ok()?.read_exact(&mut header).ok()?;
    let (words, _) = header.as_chunks::<4>();
    let origin = Vec3::from_array([3, 4, 5].map(|at| f32::from_le_bytes(words[at])));
    (words[0] == *b"TESM" && origin.is_finite()).then_some(origin)
}

/// The `up` of a Habitat stage config, when it is along +Y or +Z.
fn configured_up(config: &Path) -> Option<Up> {
    /// A stage config is a few hundred bytes; what is larger is none.
    const LARGEST: u64 = 1 << 20;
    #[derive(serde::Deserialize)]
    struct StageConfig {
        up: Option<[f32; 3]>,
    }
    if config.metadata().ok().filter(|m| m.is_file())?.len() > LARGEST {
        return None;
    }
    let text = std::fs::read_to_string(config).ok()?;
    let [x, y, z] = serde_json::from_str::<StageConfig>(&text).ok()?.up?;
    match (x.abs() < 1e-3, y > 0.9, z > 0.9) {
        (true, true, false) => Some(Up::Y),
        (true, false, true) => Some(Up::Z),
        _ => None,
    }
}

/// From file coordinates to the world: (x, y, z) becomes (x, z, -y) when the file is Z up.
pub(crate) fn world_from_file(up: Up) -> Affine3A {
    match up {
        Up::Auto | Up::Y => Affine3A::IDENTITY,
        Up::Z => Affine3A::from_mat3(Mat3A::from_cols(Vec3A::X, Vec3A::NEG_Z, Vec3A::Y).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn z_up_is_turned_as_habitat_does() {
        let turned = world_from_file(Up::Z).transform_point3(Vec3::new(1.0, 2.0, 3.0));
        assert_eq!(turned, Vec3::new(1.0, 3.0, -2.0));
        assert!(world_from_file(Up::Z).matrix3.determinant() > 0.0);
        assert_eq!(as_y_up(turned), Vec3::new(1.0, 2.0, 3.0));
    }
}
