//! Lamps: KHR_lights_punctual at the node that carries them. They shine along the node's -Z.

use glam::{Affine3A, Vec3};

use super::json::Root;
use crate::scene::builder::SceneBuilder;
use crate::scene::model::{Light, LightKind};

/// Adds the lamp number `index` of the file where its node stands; one that cannot shine is left out.
pub(super) fn place(root: &Root<'_>, index: usize, world_from_node: Affine3A, builder: &mut SceneBuilder) {
    let lamp = root.extensions.lights.as_ref().and_then(|l| l.lights.get(index));
    let Some(json) = lamp else {
        builder.warn(format!("a node has lamp {index}, which is not in the file"));
        return;
    };
    let intensity = json
        .color
        .unwrap_or([1.0; 3])
        .map(|c| c * json.intensity.unwrap_or(1.0));
    let direction = world_from_node.transform_vector3(Vec3::NEG_Z).normalize_or(Vec3::NEG_Y);
    let position = Vec3::from(world_from_node.translation);
    let range_m = json.range.filter(|r| *r > 0.0).unwrap_or(f32::INFINITY);
    let kind = match json.kind.as_deref() {
        Some("directional") => LightKind::Directional { direction },
        Some("point") => LightKind::Point { position, range_m },
        Some("spot") => LightKind::Spot {
            position,
            direction,
            range_m,
            inner_cos: libm::cosf(json.spot.inner_cone_angle.unwrap_or(0.0)),
            outer_cos: libm::cosf(json.spot.outer_cone_angle.unwrap_or(std::f32::consts::FRAC_PI_4)),
        },
        _ => {
            builder.warn(format!("lamp {index} is of an unknown type: left out"));
            return;
        }
    };
    let sound = intensity.iter().all(|c| c.is_finite() && *c >= 0.0) && intensity.iter().any(|c| *c > 0.0);
    if !sound || !position.is_finite() {
        builder.warn(format!("lamp {index} has no usable colour or place: left out"));
    } else {
        builder.add_light(Light { intensity, kind });
    }
}
