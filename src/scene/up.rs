//! Which way is up in a scene file.

use std::path::Path;

use glam::{Affine3A, Mat3A, Vec3A};

use super::config::Up;

/// Resolves [`Up::Auto`] for a file; the other two are returned as they are.
///
/// Z for files that show that they are Habitat stages (`X.basis.glb`; `X.navmesh` beside `X.glb`; `X.stage_config.json`
/// beside it), because Habitat takes a stage without a config as Z up (`reference/habitat.md` 3.2). A stage config that
/// states an `up` is believed. OBJ and PLY are Y up unless a stage config says otherwise, except a Replica scan
/// (`mesh.ply` beside a `habitat` folder) and a ScanNet scan (`*_vh_clean*.ply`), which are Z up. Everything else
/// is Y up, as glTF says.
pub fn up_axis(path: &Path, up: Up) -> Up {
    if up != Up::Auto {
        return up;
    }
    let name = path
        .file_name()
        .map(|n| n.to_string_lossy().to_lowercase())
        .unwrap_or_default();
    let stem = path.file_stem().unwrap_or_default();
    let beside = |suffix: &str| {
        let mut name = stem.to_owned();
        name.push(suffix);
        path.with_file_name(name)
    };
    let is_gltf = name.ends_with(".glb") || name.ends_with(".gltf");
    let stage_config = beside(".stage_config.json");
    if let Some(up) = configured_up(&stage_config) {
        return up;
    }
    let is_habitat_stage =
        is_gltf && (name.ends_with(".basis.glb") || beside(".navmesh").is_file() || stage_config.is_file());
    let is_replica = name == "mesh.ply" && path.with_file_name("habitat").is_dir();
    let is_scannet = name.ends_with(".ply") && name.contains("_vh_clean");
    if is_habitat_stage || is_replica || is_scannet {
        Up::Z
    } else {
        Up::Y
    }
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
    use glam::Vec3;

    use super::*;

    #[test]
    fn z_up_is_turned_as_habitat_does() {
        let turned = world_from_file(Up::Z).transform_point3(Vec3::new(1.0, 2.0, 3.0));
        assert_eq!(turned, Vec3::new(1.0, 3.0, -2.0));
        assert!(world_from_file(Up::Z).matrix3.determinant() > 0.0);
    }
}
