//! Which scenes a folder or a dataset holds.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::attributes::stem;
use super::dataset::Dataset;
use super::files::{HabitatKind, entries, habitat_kind};
use super::instance::navmesh_of;
use crate::scene::error::SceneError;

/// Folders below the one that is listed.
const DEEPEST: usize = 8;
/// Scenes in one list.
const MOST: usize = 1_000_000;

/// What kind of dataset a scene lies in, as its surroundings show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SceneLayout {
    /// `NNNNN-ID/ID.basis.glb` or `ID.glb`.
    Hm3d,
    /// `ID/ID.glb` with `ID.house` beside it.
    Matterport,
    /// `X/mesh.ply` with a `habitat` folder beside it.
    Replica,
    /// `*_vh_clean*.ply`.
    Scannet,
    /// A stage with a `.navmesh` beside it and nothing else to tell it by: Gibson and Habitat's test scenes.
    HabitatStage,
    /// A scene instance or stage of a `*.scene_dataset_config.json`.
    HabitatDataset,
    /// Any other scene file.
    Plain,
}

/// One scene of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListedScene {
    /// Name within the list.
    pub name: String,
    /// What `--scene` takes.
    pub path: PathBuf,
    /// Where it comes from.
    pub layout: SceneLayout,
    /// Size of the scene file, bytes.
    pub bytes: u64,
    /// Habitat's navmesh, if there is one.
    pub navmesh: Option<PathBuf>,
    /// Semantic annotations, if there are any.
    pub semantics: Option<PathBuf>,
}

/// The scenes of a dataset configuration or of a folder and those below it (eight levels), sorted by path.
///
/// Of several files of one scan the one to render is listed: `X.basis.glb` before `X.glb`, never
/// `X.semantic.glb`, `_vh_clean_2.ply` before `_vh_clean.ply`.
///
/// # Errors
/// A path that is not there, or a dataset configuration that cannot be read.
pub fn list_scenes(path: &Path) -> Result<Vec<ListedScene>, SceneError> {
    if habitat_kind(path) == Some(HabitatKind::Dataset) {
        return list_dataset(&Dataset::read(path)?);
    }
    if !path.is_dir() {
        return Err(SceneError::NotFound { path: path.to_owned() });
    }
    let mut scenes = Vec::new();
    walk(path, DEEPEST, &mut scenes)?;
    scenes.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(scenes)
}

fn walk(folder: &Path, levels: usize, scenes: &mut Vec<ListedScene>) -> Result<(), SceneError> {
    let entries = entries(folder);
    let names: BTreeSet<String> = entries.iter().filter_map(|path| file_name(path)).collect();
    // A dataset that has scene instances is its own list: the assets below it are parts.
    for path in entries
        .iter()
        .filter(|path| habitat_kind(path) == Some(HabitatKind::Dataset))
    {
        let dataset = Dataset::read(path)?;
        if !dataset.instances.is_empty() {
            scenes.extend(list_dataset(&dataset)?);
            return Ok(());
        }
    }
    for path in &entries {
        if scenes.len() >= MOST {
            return Ok(());
        }
        if path.is_dir() {
            if levels > 0 && !path.is_symlink() {
                walk(path, levels - 1, scenes)?;
            }
        } else if let Some(scene) = file_name(path).and_then(|name| listed(path, &name, &names)) {
            scenes.push(scene);
        }
    }
    Ok(())
}

fn file_name(path: &Path) -> Option<String> {
    Some(path.file_name()?.to_str()?.to_owned())
}

/// The file as a scene, unless it is no scene or another file of the folder stands for it.
fn listed(path: &Path, name: &str, names: &BTreeSet<String>) -> Option<ListedScene> {
    let lower = name.to_lowercase();
    let is_scene = [".glb", ".gltf", ".obj", ".ply"]
        .iter()
        .any(|ending| lower.ends_with(ending));
    if !is_scene || lower.ends_with(".semantic.glb") || lower.ends_with("_semantic.ply") {
        return None;
    }
    let base = stem(name);
    let beside = |name: String| names.contains(&name).then(|| path.with_file_name(name));
    if lower.ends_with(".glb") && !lower.ends_with(".basis.glb") && names.contains(&format!("{base}.basis.glb")) {
        return None;
    }
    if lower.ends_with("_vh_clean.ply") && names.contains(&format!("{base}_2.ply")) {
        return None;
    }
    let folder = path.parent().and_then(file_name).unwrap_or_default();
    let is_numbered = folder
        .split_once('-')
        .is_some_and(|(number, id)| number.len() == 5 && number.bytes().all(|b| b.is_ascii_digit()) && id == base);
    let replica = name == "mesh.ply" && path.with_file_name("habitat").is_dir();
    let replica_navmesh = || Some(path.with_file_name("habitat/mesh_semantic.navmesh")).filter(|p| p.is_file());
    let navmesh = beside(format!("{base}.basis.navmesh"))
        .or_else(|| beside(format!("{base}.navmesh")))
        .or_else(|| if replica { replica_navmesh() } else { None });
    let layout = if lower.ends_with(".basis.glb") || is_numbered {
        SceneLayout::Hm3d
    } else if names.contains(&format!("{base}.house")) {
        SceneLayout::Matterport
    } else if replica {
        SceneLayout::Replica
    } else if lower.contains("_vh_clean") {
        SceneLayout::Scannet
    } else if navmesh.is_some() && lower.ends_with(".glb") {
        SceneLayout::HabitatStage
    } else {
        SceneLayout::Plain
    };
    let semantics = [".semantic.txt", ".house", ".scn", "_semantic.ply"]
        .iter()
        .find_map(|ending| beside(format!("{base}{ending}")));
    Some(ListedScene {
        name: if replica { folder } else { base.to_owned() },
        path: path.to_owned(),
        layout,
        bytes: path.metadata().map_or(0, |m| m.len()),
        navmesh,
        semantics,
    })
}

fn list_dataset(dataset: &Dataset) -> Result<Vec<ListedScene>, SceneError> {
    let row = |name: String, path: PathBuf, size_of: &Path| ListedScene {
        bytes: size_of.metadata().map_or(0, |m| m.len()),
        navmesh: navmesh_of(&path),
        semantics: None,
        layout: SceneLayout::HabitatDataset,
        name,
        path,
    };
    let instances = dataset.instances.iter().map(|path| {
        let name = stem(&path.to_string_lossy()).to_owned();
        row(name, path.clone(), path)
    });
    let mut scenes: Vec<ListedScene> = instances.collect();
    // Stages are scenes by themselves where the dataset puts none together.
    if scenes.is_empty() {
        for stage in &dataset.stages {
            let named = format!("{}#{}", dataset.path.display(), stage.handle);
            let asset = stage.attributes.render_asset.as_deref().unwrap_or_default();
            scenes.push(row(
                stem(&stage.handle).to_owned(),
                named.into(),
                &stage.folder.join(asset),
            ));
        }
    }
    Ok(scenes)
}
