//! The keys that CroCo's and DUSt3R's files share.

use glam::{DAffine3, DMat3, DVec3};
use serde_json::Value;

use super::PixelCentres;
use crate::camera::{Camera, Intrinsics};

/// Numbers of a list, however deep it is nested (`[x, y, z]` or `[[x], [y], [z]]`).
pub fn numbers<const N: usize>(value: &Value, what: &str) -> Result<[f64; N], String> {
    fn collect(value: &Value, found: &mut Vec<f64>) -> Option<()> {
        match value {
            Value::Array(items) => items.iter().try_for_each(|item| collect(item, found)),
            other => {
                found.push(other.as_f64().filter(|v| v.is_finite())?);
                Some(())
            }
        }
    }
    let mut found = Vec::new();
    collect(value, &mut found)
        .and_then(|()| found.try_into().ok())
        .ok_or_else(|| format!("{what} is not a list of {N} numbers"))
}

/// `camera_intrinsics`, `R_cam2world` and `t_cam2world` of one view, before the size is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CameraParams {
    /// Row-major 3x3.
    pub k: [f64; 9],
    /// Camera (OpenCV axes) to world, row-major 3x3.
    pub rotation: [f64; 9],
    /// Camera centre, world metres.
    pub translation: [f64; 3],
}

impl CameraParams {
    /// The keys of one view.
    pub fn read(value: &Value) -> Result<Self, String> {
        let key = |name: &str| value.get(name).ok_or_else(|| format!("{name} is missing"));
        Ok(Self {
            k: numbers(key("camera_intrinsics")?, "camera_intrinsics")?,
            rotation: numbers(key("R_cam2world")?, "R_cam2world")?,
            translation: numbers(key("t_cam2world")?, "t_cam2world")?,
        })
    }

    /// The convention under which the principal point is the middle of a picture of that size.
    pub fn centres(&self, (width, height): (u32, u32)) -> Option<PixelCentres> {
        let middle = |shift: f64| {
            let near = |c: f64, side: u32| (c + shift - 0.5 * f64::from(side)).abs() < 1e-3;
            near(self.k[2], width) && near(self.k[5], height)
        };
        match (middle(0.0), middle(0.5)) {
            (true, _) => Some(PixelCentres::Half),
            (_, true) => Some(PixelCentres::Integer),
            _ => None,
        }
    }

    /// The camera of a picture of this size.
    pub fn camera(&self, (width, height): (u32, u32), centres: PixelCentres) -> Result<Camera, String> {
        let [fx, skew, cx, zero, fy, cy, ..] = self.k;
        if skew != 0.0 || zero != 0.0 || self.k[6..] != [0.0, 0.0, 1.0] {
            return Err(format!("camera_intrinsics is not a pinhole without skew: {:?}", self.k));
        }
        let shift = match centres {
            PixelCentres::Half => 0.0,
            PixelCentres::Integer => 0.5,
        };
        let rotation = DMat3::from_cols_array(&self.rotation).transpose();
        if !(rotation.transpose() * rotation).abs_diff_eq(DMat3::IDENTITY, 1e-3) || rotation.determinant() < 0.0 {
            return Err("R_cam2world is not a rotation".to_owned());
        }
        Ok(Camera {
            intrinsics: Intrinsics {
                fx,
                fy,
                cx: cx + shift,
                cy: cy + shift,
                width,
                height,
            },
            world_from_camera: DAffine3 {
                matrix3: rotation,
                translation: DVec3::from_array(self.translation),
            },
        })
    }
}

/// The items of a list, or of an object in the numeric order of its keys, each with its number.
pub fn numbered(value: &Value) -> Option<Vec<(u64, &Value)>> {
    match value {
        Value::Array(items) => Some((0..).zip(items).collect()),
        Value::Object(map) => {
            let mut items: Vec<(u64, &Value)> = map
                .iter()
                .map(|(key, item)| Some((key.parse().ok()?, item)))
                .collect::<Option<_>>()?;
            items.sort_by_key(|(key, _)| *key);
            Some(items)
        }
        _ => None,
    }
}
