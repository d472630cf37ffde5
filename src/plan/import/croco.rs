//! CroCo's `metadata.json`.

use glam::{DAffine3, DMat3, DQuat, DVec3};
use serde_json::Value;

use super::batches::{numbered, numbers};
use super::{ImportOptions, Imported, position};
use crate::camera::{Camera, Intrinsics};

/// Side of a picture, pixels, and field of view, degrees, of the released sets.
const SIDE: u32 = 256;
const HFOV_DEG: f64 = 60.0;

/// Every object with positions and orientations, wherever it is nested.
pub fn read(value: &Value, options: &ImportOptions) -> Result<Imported, String> {
    let width = options.width.unwrap_or(SIDE);
    let height = options.height.unwrap_or(width);
    let hfov_deg = options.hfov_deg.unwrap_or(HFOV_DEG);
    if width == 0 || height == 0 || !(hfov_deg > 0.0 && hfov_deg < 180.0) {
        return Err(format!(
            "{width} x {height} pixels with {hfov_deg} degrees are no pinhole"
        ));
    }
    let intrinsics = Intrinsics::from_hfov(width, height, hfov_deg.to_radians());
    let mut entries = Vec::new();
    collect(value, None, &mut entries);
    let mut positions = Vec::new();
    for (place, (index, entry)) in entries.into_iter().enumerate() {
        let index = index.unwrap_or(place as u64);
        let cameras = cameras(entry, intrinsics).map_err(|why| format!("entry {index}: {why}"))?;
        positions.extend(position(index, &cameras));
    }
    if positions.is_empty() {
        return Err(
            "there are no poses: a plan of covista, CroCo's positions and orientations, DUSt3R's view_batches and \
             camera files (camera_intrinsics) are understood"
                .to_owned(),
        );
    }
    let scene = ["scene", "scene_path"].iter().find_map(|key| value.get(key)?.as_str());
    Ok(Imported {
        kind: "CroCo metadata",
        scene: scene.map(str::to_owned),
        positions,
    })
}

/// Objects with poses, with the number that the file gives them.
fn collect<'a>(value: &'a Value, index: Option<u64>, found: &mut Vec<(Option<u64>, &'a Value)>) {
    if value.get("positions").is_some() && value.get("orientations").is_some() {
        found.push((index, value));
    } else if let Some(items) = numbered(value) {
        for (number, item) in items {
            collect(item, Some(number), found);
        }
    } else if let Some(map) = value.as_object() {
        for item in map.values() {
            collect(item, None, found);
        }
    }
}

fn cameras(entry: &Value, intrinsics: Intrinsics) -> Result<Vec<Camera>, String> {
    let list = |key: &str| numbered(&entry[key]).ok_or_else(|| format!("{key} is no list"));
    let (positions, orientations) = (list("positions")?, list("orientations")?);
    if positions.len() != orientations.len() {
        return Err(format!(
            "{} positions and {} orientations",
            positions.len(),
            orientations.len()
        ));
    }
    // Habitat's camera looks along -z with y up; ours along z with y down.
    let habitat_from_rdf = DMat3::from_diagonal(DVec3::new(1.0, -1.0, -1.0));
    positions
        .into_iter()
        .zip(orientations)
        .map(|((_, position), (_, orientation))| {
            let eye = numbers::<3>(position, "a position")?;
            let [w, x, y, z] = numbers::<4>(orientation, "an orientation")?;
            let quaternion = DQuat::from_xyzw(x, y, z, w);
            if (quaternion.length() - 1.0).abs() > 1e-3 {
                return Err(format!("the orientation {:?} is no unit quaternion", [w, x, y, z]));
            }
            Ok(Camera {
                intrinsics,
                world_from_camera: DAffine3 {
                    matrix3: DMat3::from_quat(quaternion.normalize()) * habitat_from_rdf,
                    translation: DVec3::from_array(eye),
                },
            })
        })
        .collect()
}
