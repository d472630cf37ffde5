//! From Habitat's JSON to a scene: the stage and the objects of a scene instance, each where it stands.

use std::path::{Path, PathBuf};

use glam::{Affine3A, Quat, Vec3};
use serde::Deserialize;

use super::attributes::{Attributes, Template, stem};
use super::dataset::{Dataset, from_file};
use super::files::{HabitatKind, dataset_above, folder_of, habitat_kind, read_json, resolve};
use super::place::Placer;
use crate::scene::config::Limits;
use crate::scene::error::SceneError;
use crate::scene::model::Scene;

/// A scene instance, as far as it shows in a picture.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct InstanceFile {
    translation_origin: Option<Origin>,
    stage_instance: Option<Placement>,
    object_instances: Vec<Placement>,
    articulated_object_instances: Vec<serde::de::IgnoredAny>,
    navmesh_instance: Option<String>,
}

/// Where one template stands.
#[derive(Debug, Deserialize)]
struct Placement {
    template_name: String,
    /// World metres.
    #[serde(default)]
    translation: [f32; 3],
    /// w, x, y, z.
    #[serde(default = "upright")]
    rotation: [f32; 4],
    uniform_scale: Option<f32>,
    non_uniform_scale: Option<[f32; 3]>,
    translation_origin: Option<Origin>,
}

fn upright() -> [f32; 4] {
    [1.0, 0.0, 0.0, 0.0]
}

/// Which point of an object its translation is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
enum Origin {
    /// The asset's own origin.
    #[serde(rename = "asset_local", alias = "ASSET_LOCAL")]
    AssetLocal,
    /// The centre of mass; Habitat takes the middle of the box where none is given.
    #[serde(rename = "com", alias = "COM")]
    CenterOfMass,
    /// As the scene says, which is the centre of mass when it says nothing.
    #[serde(other)]
    Default,
}

impl Placement {
    fn world_from_object(&self) -> Result<Affine3A, String> {
        let [w, x, y, z] = self.rotation;
        let rotation = Quat::from_xyzw(x, y, z, w);
        if !rotation.is_finite() || rotation.length() < 1e-6 {
            return Err(format!(
                "the rotation {:?} of {:?} is none",
                self.rotation, self.template_name
            ));
        }
        let scale = Vec3::from(self.non_uniform_scale.unwrap_or([1.0; 3])) * self.uniform_scale.unwrap_or(1.0);
        Ok(Affine3A::from_scale_rotation_translation(
            scale,
            rotation.normalize(),
            self.translation.into(),
        ))
    }
}

/// Reads a scene from a scene instance, a stage configuration, or a dataset with `#NAME` of a scene or stage.
///
/// Assets are drawn as they are placed: `world = translation * rotation * instance scale * scale * (up, front)`.
/// Nothing outside the dataset's folder is read; without a dataset, nothing outside the file's own.
pub(crate) fn load_habitat(path: &Path, limits: &Limits) -> Result<Scene, SceneError> {
    let (file, name) = split_name(path);
    match habitat_kind(&file) {
        Some(HabitatKind::StageConfig) => {
            let dataset = dataset_of(&file)?;
            let defaults = dataset.stages.iter().find(|t| same_file(&dataset, t, &file));
            let template = match defaults {
                Some(template) => template.clone(),
                None => from_file(&dataset.root, &file, &Attributes::default())?,
            };
            stage_alone(&file, &dataset, &template, limits)
        }
        Some(HabitatKind::SceneInstance) => scene_instance(&file, &dataset_of(&file)?, limits),
        Some(HabitatKind::Dataset) => {
            let dataset = Dataset::read(&file)?;
            match find_in(&dataset, name.as_deref())? {
                Found::Instance(path) => scene_instance(path, &dataset, limits),
                Found::Stage(template) => stage_alone(Path::new(&template.handle), &dataset, template, limits),
            }
        }
        None => Err(SceneError::UnknownKind {
            what: "it is no Habitat configuration".to_owned(),
            path: file,
        }),
    }
}

/// The navmesh that Habitat's JSON names for a scene, where that file is there.
pub(crate) fn navmesh_of(path: &Path) -> Option<PathBuf> {
    let (file, name) = split_name(path);
    let (instance, dataset) = match habitat_kind(&file)? {
        HabitatKind::SceneInstance => (file.clone(), dataset_of(&file).ok()?),
        HabitatKind::StageConfig => {
            let beside = folder_of(&file).join(format!("{}.navmesh", stem(&file.to_string_lossy())));
            return beside.is_file().then_some(beside);
        }
        HabitatKind::Dataset => {
            let dataset = Dataset::read(&file).ok()?;
            let instance = match find_in(&dataset, name.as_deref()).ok()? {
                Found::Instance(path) => path.clone(),
                Found::Stage(template) => {
                    let beside = template.folder.join(format!("{}.navmesh", stem(&template.handle)));
                    return beside.is_file().then_some(beside);
                }
            };
            (instance, dataset)
        }
    };
    let handle = serde_json::from_slice::<InstanceFile>(&read_json(&instance).ok()?)
        .ok()?
        .navmesh_instance?;
    let navmesh = dataset.navmeshes.get(&handle)?;
    navmesh.is_file().then(|| navmesh.clone())
}

/// `dataset.json#NAME` as path and name.
fn split_name(path: &Path) -> (PathBuf, Option<String>) {
    if path.exists() {
        return (path.to_owned(), None);
    }
    let text = path.to_string_lossy();
    match text.rsplit_once('#') {
        Some((file, name)) => (file.into(), Some(name.to_owned())),
        None => (path.to_owned(), None),
    }
}

fn dataset_of(file: &Path) -> Result<Dataset, SceneError> {
    match dataset_above(&folder_of(file)) {
        Some(path) => Dataset::read(&path),
        None => Ok(Dataset::none(file)),
    }
}

fn same_file(dataset: &Dataset, template: &Template, file: &Path) -> bool {
    let theirs = dataset.root.join(&template.handle).canonicalize();
    matches!((theirs, file.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

enum Found<'a> {
    Instance(&'a PathBuf),
    Stage(&'a Template),
}

/// The scene of a dataset by name; without a name the only one.
fn find_in<'a>(dataset: &'a Dataset, name: Option<&str>) -> Result<Found<'a>, SceneError> {
    let name_of = |path: &Path| stem(&path.to_string_lossy()).to_owned();
    match name {
        Some(name) => {
            if let Some(path) = dataset.instances.iter().find(|path| name_of(path) == stem(name)) {
                return Ok(Found::Instance(path));
            }
            if let Some(template) = Template::find(&dataset.stages, name) {
                return Ok(Found::Stage(template));
            }
        }
        None => match (&dataset.instances[..], &dataset.stages[..]) {
            ([path], _) => return Ok(Found::Instance(path)),
            ([], [template]) => return Ok(Found::Stage(template)),
            _ => {}
        },
    }
    let instances = dataset.instances.iter().map(|path| name_of(path));
    let mut names: Vec<String> = instances
        .chain(dataset.stages.iter().map(|t| t.handle.clone()))
        .collect();
    let count = names.len();
    names.truncate(10);
    Err(SceneError::NotInDataset {
        name: name.unwrap_or_default().to_owned(),
        known: match count {
            0 => "it has none".to_owned(),
            _ => format!("of {count} it has {}", names.join(", ")),
        },
        path: dataset.path.clone(),
    })
}

/// Local transform and asset of a template, with Habitat's defaults for a stage or an object.
fn drawn(template: &Template, dataset: &Dataset, stage: bool, by: &Path) -> Result<(PathBuf, Affine3A), SceneError> {
    let Some(asset) = &template.attributes.render_asset else {
        return Err(SceneError::malformed(
            by,
            format!("{} has no render_asset", template.handle),
        ));
    };
    let path = resolve(&dataset.root, &template.folder, asset, by)?;
    // A bare stage in glTF is Z up; whatever has a configuration is Y up unless it says otherwise.
    let z_up = stage && template.bare && asset.to_lowercase().ends_with(".glb");
    let (up, front) = if z_up {
        (Vec3::Z, Vec3::Y)
    } else {
        (Vec3::Y, Vec3::NEG_Z)
    };
    let local = template
        .attributes
        .local_from_asset(up, front)
        .map_err(|what| SceneError::malformed(by, format!("{}: {what}", template.handle)))?;
    Ok((path, local))
}

fn stage_alone(path: &Path, dataset: &Dataset, template: &Template, limits: &Limits) -> Result<Scene, SceneError> {
    let mut placer = Placer::new(path, stem(&path.to_string_lossy()), limits);
    let (asset, local) = drawn(template, dataset, true, path)?;
    placer.hash(format!("{:?}", template.attributes).as_bytes());
    placer.place(&asset, local)?;
    placer.finish()
}

fn scene_instance(path: &Path, dataset: &Dataset, limits: &Limits) -> Result<Scene, SceneError> {
    let bytes = read_json(path)?;
    let file: InstanceFile =
        serde_json::from_slice(&bytes).map_err(|error| SceneError::malformed(path, error.to_string()))?;
    let mut placer = Placer::new(path, stem(&path.to_string_lossy()), limits);
    placer.hash(&bytes);
    for warning in &dataset.warnings {
        placer.warn(warning.as_str());
    }
    if !file.articulated_object_instances.is_empty() {
        placer.warn(format!(
            "{} articulated objects are left out: only rigid ones are drawn",
            file.articulated_object_instances.len()
        ));
    }
    let malformed = |what: String| SceneError::malformed(path, what);
    if let Some(stage) = &file.stage_instance {
        match Template::find(&dataset.stages, &stage.template_name) {
            Some(template) => {
                let (asset, local) = drawn(template, dataset, true, path)?;
                placer.hash(format!("{:?}", template.attributes).as_bytes());
                placer.place(&asset, stage.world_from_object().map_err(malformed)? * local)?;
            }
            None if stage.template_name.eq_ignore_ascii_case("none") => {}
            None => return Err(unknown(&stage.template_name, "stage", path)),
        }
    }
    for object in &file.object_instances {
        let template = Template::find(&dataset.objects, &object.template_name)
            .ok_or_else(|| unknown(&object.template_name, "object", path))?;
        let (asset, local) = drawn(template, dataset, false, path)?;
        placer.hash(format!("{:?}", template.attributes).as_bytes());
        let stands = object.world_from_object().map_err(malformed)?;
        let own = object.translation_origin.filter(|&origin| origin != Origin::Default);
        let origin = own.or(file.translation_origin).unwrap_or(Origin::Default);
        let world_from_asset = if origin == Origin::AssetLocal {
            stands * local
        } else {
            let center = match template.attributes.center_of_mass {
                Some(center) => Vec3::from(center),
                None => placer.center(&asset)?,
            };
            stands * Affine3A::from_translation(-local.transform_point3(center)) * local
        };
        placer.place(&asset, world_from_asset)?;
    }
    placer.finish()
}

fn unknown(name: &str, what: &str, path: &Path) -> SceneError {
    SceneError::malformed(path, format!("no {what} template of the dataset is called {name:?}"))
}
