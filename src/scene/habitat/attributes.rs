//! What a stage or object configuration says about its asset.

use std::path::PathBuf;

use glam::{Affine3A, Mat3, Vec3};
use serde::Deserialize;

use crate::scene::error::SceneError;

/// The attributes that show in a picture; every other key is passed over.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Attributes {
    /// The drawn asset, relative to the configuration's folder.
    pub(super) render_asset: Option<String>,
    /// Direction of the asset that is up in the world.
    pub(super) up: Option<[f32; 3]>,
    /// Direction of the asset that is -Z in the world.
    pub(super) front: Option<[f32; 3]>,
    /// Factors along the asset's axes.
    pub(super) scale: Option<[f32; 3]>,
    /// Metres of one unit of the asset.
    pub(super) units_to_meters: Option<f32>,
    /// Centre of mass in the asset's own frame.
    #[serde(rename = "COM")]
    pub(super) center_of_mass: Option<[f32; 3]>,
}

impl Attributes {
    /// These attributes where they say something, `under` elsewhere.
    pub(super) fn over(self, under: &Self) -> Self {
        Self {
            render_asset: self.render_asset.or_else(|| under.render_asset.clone()),
            up: self.up.or(under.up),
            front: self.front.or(under.front),
            scale: self.scale.or(under.scale),
            units_to_meters: self.units_to_meters.or(under.units_to_meters),
            center_of_mass: self.center_of_mass.or(under.center_of_mass),
        }
    }

    /// From the asset's coordinates to those of the placed object: turned so that `up` is +Y and `front` is -Z,
    /// scaled along the turned axes.
    pub(super) fn local_from_asset(&self, default_up: Vec3, default_front: Vec3) -> Result<Affine3A, String> {
        let frame = match (self.up, self.front) {
            (None, None) => rotation(default_up, default_front),
            (Some(up), Some(front)) => rotation(up.into(), front.into()),
            // The missing one is the first of -Z and +Y that is not along the other.
            (Some(up), None) => rotation(up.into(), across(up.into(), Vec3::NEG_Z, Vec3::Y)),
            (None, Some(front)) => rotation(across(front.into(), Vec3::Y, Vec3::NEG_Z), front.into()),
        }
        .ok_or_else(|| {
            format!(
                "up = {:?} and front = {:?} are not at a right angle",
                self.up.unwrap_or(default_up.into()),
                self.front.unwrap_or(default_front.into())
            )
        })?;
        let scale = Vec3::from(self.scale.unwrap_or([1.0; 3])) * self.units_to_meters.unwrap_or(1.0);
        if !scale.is_finite() || scale.min_element().abs() < 1e-9 {
            return Err(format!("scale = {:?} leaves nothing", scale.to_array()));
        }
        Ok(Affine3A::from_mat3(Mat3::from_diagonal(scale) * frame))
    }
}

/// The rotation that takes `up` to +Y and `front` to -Z; `None` unless they are at a right angle.
fn rotation(up: Vec3, front: Vec3) -> Option<Mat3> {
    let (up, front) = (up.try_normalize()?, front.try_normalize()?);
    if up.dot(front).abs() > 1e-3 {
        return None;
    }
    let right = front.cross(up);
    Some(Mat3::from_cols(right, up, -front).transpose())
}

fn across(given: Vec3, first: Vec3, second: Vec3) -> Vec3 {
    let along = given.normalize_or_zero().dot(first).abs();
    if along < 1e-3 { first } else { second }
}

/// A stage or object that scenes may name.
#[derive(Debug, Clone)]
pub(super) struct Template {
    /// Name by which instances refer to it: a handle, or the path of its file without the kind's ending.
    pub(super) handle: String,
    /// Attributes with all layers applied.
    pub(super) attributes: Attributes,
    /// Folder that `render_asset` is relative to.
    pub(super) folder: PathBuf,
    /// Whether it stands for a bare asset, without a configuration of its own.
    pub(super) bare: bool,
}

impl Template {
    /// The template that an instance means: the exact handle or file stem first, else the only one that contains it.
    pub(super) fn find<'a>(templates: &'a [Self], name: &str) -> Option<&'a Self> {
        let wanted = stem(name);
        let exact = templates.iter().find(|t| t.handle == name || stem(&t.handle) == wanted);
        exact.or_else(|| templates.iter().find(|t| t.handle.contains(name)))
    }
}

/// The last part of a handle without the endings of Habitat's files.
pub(super) fn stem(handle: &str) -> &str {
    let name = handle.rsplit(['/', '\\']).next().unwrap_or(handle);
    const ENDINGS: [&str; 8] = [
        ".stage_config.json",
        ".object_config.json",
        ".scene_instance.json",
        ".basis.glb",
        ".glb",
        ".gltf",
        ".ply",
        ".obj",
    ];
    ENDINGS
        .iter()
        .find_map(|ending| name.strip_suffix(ending))
        .unwrap_or(name)
}

/// Reads attributes from JSON.
pub(super) fn parse(text: &[u8], path: &std::path::Path) -> Result<Attributes, SceneError> {
    serde_json::from_slice(text).map_err(|error| SceneError::malformed(path, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(up: Option<[f32; 3]>, front: Option<[f32; 3]>) -> Result<Affine3A, String> {
        let attributes = Attributes {
            up,
            front,
            ..Attributes::default()
        };
        attributes.local_from_asset(Vec3::Y, Vec3::NEG_Z)
    }

    #[test]
    fn z_up_y_front_is_habitats_turn() {
        let turn = local(Some([0.0, 0.0, 1.0]), Some([0.0, 1.0, 0.0])).unwrap();
        let turned = turn.transform_point3(Vec3::new(1.0, 2.0, 3.0));
        assert!((turned - Vec3::new(1.0, 3.0, -2.0)).length() < 1e-6, "{turned}");
        let same = local(None, None).unwrap();
        assert_eq!(
            same.transform_point3(Vec3::new(1.0, 2.0, 3.0)),
            Vec3::new(1.0, 2.0, 3.0)
        );
        let only_up = local(Some([0.0, 0.0, 1.0]), None).unwrap();
        assert!((only_up.transform_vector3(Vec3::Z) - Vec3::Y).length() < 1e-6);
        assert!(local(Some([0.0, 1.0, 0.0]), Some([0.0, 1.0, 0.1])).is_err());
    }

    #[test]
    fn scale_and_units_multiply() {
        let attributes = Attributes {
            scale: Some([2.0, 3.0, 4.0]),
            units_to_meters: Some(0.5),
            ..Attributes::default()
        };
        let local = attributes.local_from_asset(Vec3::Y, Vec3::NEG_Z).unwrap();
        assert_eq!(local.transform_point3(Vec3::ONE), Vec3::new(1.0, 1.5, 2.0));
        let flat = Attributes {
            scale: Some([1.0, 0.0, 1.0]),
            ..Attributes::default()
        };
        assert!(flat.local_from_asset(Vec3::Y, Vec3::NEG_Z).is_err());
    }

    #[test]
    fn names_are_found_by_handle_then_by_stem_then_by_part() {
        let named = |handle: &str| Template {
            handle: handle.to_owned(),
            attributes: Attributes::default(),
            folder: PathBuf::new(),
            bare: false,
        };
        let all = [
            named("objects/chair_10.object_config.json"),
            named("objects/chair_1.object_config.json"),
            named("slick"),
        ];
        assert_eq!(Template::find(&all, "chair_1").unwrap().handle, all[1].handle);
        assert_eq!(Template::find(&all, "slick").unwrap().handle, "slick");
        assert_eq!(Template::find(&all, "objects/chair_1").unwrap().handle, all[1].handle);
        assert_eq!(Template::find(&all, "hair").unwrap().handle, all[0].handle);
        assert!(Template::find(&all, "table").is_none());
    }
}
