//! `*.scene_dataset_config.json`: which stages, objects and scenes a dataset has, and their layered attributes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::attributes::{self, Attributes, Template};
use super::files::{HabitatKind, folder_of, glob, habitat_kind, read_json, resolve};
use crate::scene::error::SceneError;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct DatasetFile {
    stages: Section,
    objects: Section,
    scene_instances: Section,
    navmesh_instances: BTreeMap<String, serde_json::Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Section {
    default_attributes: Attributes,
    paths: BTreeMap<String, Vec<String>>,
    configs: Vec<Entry>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Entry {
    original_file: Option<String>,
    template_handle: Option<String>,
    attributes: Attributes,
}

/// A dataset as far as scenes need it.
#[derive(Debug)]
pub(super) struct Dataset {
    /// Folder that nothing outside of is read.
    pub(super) root: PathBuf,
    /// The configuration's path.
    pub(super) path: PathBuf,
    pub(super) stages: Vec<Template>,
    pub(super) objects: Vec<Template>,
    /// Scene-instance files, sorted.
    pub(super) instances: Vec<PathBuf>,
    /// Navmesh handle to path.
    pub(super) navmeshes: BTreeMap<String, PathBuf>,
    /// What was passed over.
    pub(super) warnings: Vec<String>,
}

impl Dataset {
    /// Reads the configuration and those of the stages and objects that it names.
    pub(super) fn read(path: &Path) -> Result<Self, SceneError> {
        let root = folder_of(path);
        let file: DatasetFile = serde_json::from_slice(&read_json(path)?)
            .map_err(|error| SceneError::malformed(path, error.to_string()))?;
        let mut warnings = Vec::new();
        let stages = templates(&root, path, file.stages, ".stage_config.json", &mut warnings)?;
        let objects = templates(&root, path, file.objects, ".object_config.json", &mut warnings)?;
        let instances = globbed(&root, &file.scene_instances.paths, ".json")
            .filter(|path| habitat_kind(path) == Some(HabitatKind::SceneInstance))
            .collect();
        let navmeshes = file
            .navmesh_instances
            .into_iter()
            .filter_map(|(handle, value)| Some((handle, root.join(value.as_str()?))))
            .collect();
        Ok(Self {
            path: path.to_owned(),
            root,
            stages,
            objects,
            instances,
            navmeshes,
            warnings,
        })
    }

    /// What a configuration or an asset without any dataset is part of: nothing but its own folder.
    pub(super) fn none(path: &Path) -> Self {
        Self {
            root: folder_of(path),
            path: path.to_owned(),
            stages: Vec::new(),
            objects: Vec::new(),
            instances: Vec::new(),
            navmeshes: BTreeMap::new(),
            warnings: Vec::new(),
        }
    }
}

/// All files that the globs of one ending give.
fn globbed<'a>(
    root: &'a Path,
    paths: &'a BTreeMap<String, Vec<String>>,
    ending: &'a str,
) -> impl Iterator<Item = PathBuf> + 'a {
    let patterns = paths.get(ending).into_iter().flatten();
    patterns.flat_map(|pattern| glob(root, pattern))
}

fn templates(
    root: &Path,
    dataset: &Path,
    section: Section,
    ending: &str,
    warnings: &mut Vec<String>,
) -> Result<Vec<Template>, SceneError> {
    let mut found: Vec<Template> = Vec::new();
    for path in globbed(root, &section.paths, ".json").filter(|path| path.to_string_lossy().ends_with(ending)) {
        found.push(from_file(root, &path, &section.default_attributes)?);
    }
    for kind in [".glb", ".gltf", ".ply", ".obj"] {
        for path in globbed(root, &section.paths, kind).filter(|path| path.to_string_lossy().ends_with(kind)) {
            // Semantic copies of a stage lie beside it and match its glob.
            if path.to_string_lossy().ends_with(".semantic.glb") {
                continue;
            }
            found.push(bare(root, &path, &section.default_attributes));
        }
    }
    for entry in section.configs {
        let base = match &entry.original_file {
            None => Template {
                handle: String::new(),
                attributes: section.default_attributes.clone(),
                folder: root.to_owned(),
                bare: false,
            },
            Some(file) => match resolve(root, root, file, dataset) {
                Ok(path) => from_file(root, &path, &section.default_attributes)?,
                Err(SceneError::MissingPart { reference, .. }) => {
                    warnings.push(format!("the dataset names {reference:?}, which is missing"));
                    continue;
                }
                Err(error) => return Err(error),
            },
        };
        found.push(Template {
            handle: entry.template_handle.unwrap_or(base.handle),
            // An asset given here is relative to the dataset's folder, one of the file to the file's.
            folder: match entry.attributes.render_asset {
                Some(_) => root.to_owned(),
                None => base.folder,
            },
            attributes: entry.attributes.over(&base.attributes),
            bare: false,
        });
    }
    Ok(found)
}

/// The template of a stage or object configuration.
pub(super) fn from_file(root: &Path, path: &Path, defaults: &Attributes) -> Result<Template, SceneError> {
    let attributes = attributes::parse(&read_json(path)?, path)?;
    Ok(Template {
        handle: relative(root, path),
        attributes: attributes.over(defaults),
        folder: folder_of(path),
        bare: false,
    })
}

fn bare(root: &Path, path: &Path, defaults: &Attributes) -> Template {
    let asset = path.file_name().map(|name| name.to_string_lossy().into_owned());
    Template {
        handle: relative(root, path),
        attributes: Attributes {
            render_asset: asset,
            ..Attributes::default()
        }
        .over(defaults),
        folder: folder_of(path),
        bare: true,
    }
}

fn relative(root: &Path, path: &Path) -> String {
    path.strip_prefix(root)
        .unwrap_or(path)
        .to_string_lossy()
        .replace('\\', "/")
}
