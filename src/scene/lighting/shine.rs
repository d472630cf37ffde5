//! How much light falls on a point.

use glam::Vec3;

use super::bvh::Bvh;
use super::occlusion::Point;
use crate::scene::model::{Light, LightKind};

/// Light from above and from below, where there are no lamps.
const SKY: f32 = 1.0;
const GROUND: f32 = 0.62;
/// Share of the light that comes from the key light's side.
const KEY_SHARE: f32 = 0.35;
/// Towards the key light: high, from the right and a little from the front.
const KEY: Vec3 = Vec3::new(0.53, 0.74, 0.41);
/// Light that reaches even a closed corner, a share of the surroundings': what walls throw back.
const FILL: f32 = 0.2;
/// Share of the brightest light that the surroundings give beside lamps.
const AROUND_LAMPS: f32 = 0.3;
/// Shadows end this far before a lamp, metres, so that its own shade does not put it out.
const LAMP_SHADE_M: f32 = 0.15;

/// Light on a point from its surroundings: a hemisphere and a soft key light, dimmed by occlusion. In [0, 1].
pub(super) fn surroundings(point: &Point, openness: f32) -> f32 {
    let hemisphere = GROUND + (SKY - GROUND) * 0.5 * (1.0 + point.normal.y);
    // Wraps around to 30 degrees behind the edge, as the light of a wide window does.
    let key = ((point.normal.dot(KEY) + 0.5) / 1.5).max(0.0);
    let light = (1.0 - KEY_SHARE) * hemisphere + KEY_SHARE * key;
    light * (FILL + (1.0 - FILL) * openness)
}

/// Light on each point from lamps, with shadows, in the lamps' own scale; linear RGB.
pub(super) fn lamps(lights: &[Light], bvh: &Bvh, point: &Point) -> Vec3 {
    lights
        .iter()
        .map(|light| Vec3::from(light.intensity) * lamp(&light.kind, bvh, point))
        .sum()
}

/// Share of a lamp's intensity that reaches the point: cosine, distance, cone and shadow.
fn lamp(kind: &LightKind, bvh: &Bvh, point: &Point) -> f32 {
    let (towards, distance, strength) = match *kind {
        LightKind::Directional { direction } => (-direction, f32::INFINITY, 1.0),
        LightKind::Point { position, range_m } => {
            let (towards, distance) = direction_to(point, position);
            (towards, distance, fade(distance, range_m))
        }
        LightKind::Spot {
            position,
            direction,
            range_m,
            inner_cos,
            outer_cos,
        } => {
            let (towards, distance) = direction_to(point, position);
            let along = -towards.dot(direction);
            // The recommendation of KHR_lights_punctual for the angular fall-off.
            let share = ((along - outer_cos) / (inner_cos - outer_cos).max(1e-4)).clamp(0.0, 1.0);
            (towards, distance, fade(distance, range_m) * share * share)
        }
    };
    let cosine = point.normal.dot(towards);
    if cosine <= 0.0 || strength <= 0.0 {
        return 0.0;
    }
    let reach = if distance.is_finite() {
        distance - LAMP_SHADE_M
    } else {
        1e4
    };
    let hidden = reach > 0.0 && bvh.first_hit(point.lifted(), towards, reach).is_some();
    if hidden { 0.0 } else { cosine * strength }
}

fn direction_to(point: &Point, lamp: Vec3) -> (Vec3, f32) {
    let way = lamp - point.position;
    let distance = way.length();
    (way / distance.max(1e-6), distance)
}

/// Fall-off with distance, to nothing at the range (KHR_lights_punctual, Range Property).
fn fade(distance: f32, range_m: f32) -> f32 {
    let near = distance.max(0.05);
    let window = if range_m.is_finite() {
        (1.0 - (distance / range_m).powi(4)).clamp(0.0, 1.0)
    } else {
        1.0
    };
    window / (near * near)
}

/// Factors on stored colours, each in [0, 1]: the surroundings alone, or lamps over dimmed surroundings.
///
/// Lamps come in any scale, so the light that nine tenths of the points stay below is taken as full.
pub(super) fn factors(surroundings: &[f32], lamps: Option<&[Vec3]>) -> Vec<[f32; 3]> {
    let Some(lamps) = lamps else {
        let factor = |light: &f32| [encode(*light); 3];
        return surroundings.iter().map(factor).collect();
    };
    let mut strengths: Vec<f32> = lamps.iter().map(|l| l.max_element()).filter(|&l| l > 0.0).collect();
    let place = strengths.len() * 9 / 10;
    let full = if strengths.is_empty() {
        1.0
    } else {
        *strengths.select_nth_unstable_by(place, f32::total_cmp).1
    };
    surroundings
        .iter()
        .zip(lamps)
        .map(|(&around, &lamp)| {
            let light = AROUND_LAMPS * around + (1.0 - AROUND_LAMPS) * lamp / full;
            light.to_array().map(encode)
        })
        .collect()
}

/// A share of light as a factor on stored bytes.
fn encode(light: f32) -> f32 {
    libm::powf(light.clamp(0.0, 1.0), 1.0 / 2.2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floor_point() -> Point {
        Point {
            position: Vec3::ZERO,
            normal: Vec3::Y,
        }
    }

    #[test]
    fn a_point_lamp_follows_the_inverse_square_the_cosine_and_shadows() {
        let lamp_at = |position| LightKind::Point {
            position,
            range_m: f32::INFINITY,
        };
        let none = Bvh::default();
        let straight = lamp(&lamp_at(Vec3::new(0.0, 2.0, 0.0)), &none, &floor_point());
        assert!((straight - 0.25).abs() < 1e-6);
        let aslant = lamp(&lamp_at(Vec3::new(2.0, 2.0, 0.0)), &none, &floor_point());
        assert!((aslant - 0.125 * std::f32::consts::FRAC_1_SQRT_2).abs() < 1e-6);
        assert_eq!(lamp(&lamp_at(Vec3::new(0.0, -2.0, 0.0)), &none, &floor_point()), 0.0);
        let lid = Bvh::new(&[[
            Vec3::new(-1.0, 1.0, -1.0),
            Vec3::new(1.0, 1.0, -1.0),
            Vec3::new(0.0, 1.0, 2.0),
        ]]);
        assert_eq!(lamp(&lamp_at(Vec3::new(0.0, 2.0, 0.0)), &lid, &floor_point()), 0.0);
        let ended = LightKind::Point {
            position: Vec3::new(0.0, 2.0, 0.0),
            range_m: 2.0,
        };
        assert_eq!(lamp(&ended, &none, &floor_point()), 0.0);
    }

    #[test]
    fn a_spot_is_full_inside_and_dark_outside_its_cone() {
        let spot = |x: f32| LightKind::Spot {
            position: Vec3::new(x, 1.0, 0.0),
            direction: Vec3::NEG_Y,
            range_m: f32::INFINITY,
            inner_cos: libm::cosf(0.3),
            outer_cos: libm::cosf(0.6),
        };
        let on = |x| lamp(&spot(x), &Bvh::default(), &floor_point());
        assert!((on(0.0) - 1.0).abs() < 1e-6);
        assert!(on(0.45) > 0.0 && on(0.45) < 0.7);
        assert_eq!(on(0.8), 0.0);
    }

    #[test]
    fn a_wall_is_brighter_above_than_below_and_open_than_closed() {
        let facing = |normal| Point {
            position: Vec3::ZERO,
            normal,
        };
        let (up, down) = (facing(Vec3::Y), facing(Vec3::NEG_Y));
        assert!(surroundings(&up, 1.0) > surroundings(&down, 1.0));
        assert!(surroundings(&up, 1.0) > 2.0 * surroundings(&up, 0.1));
        assert!(surroundings(&up, 1.0) <= 1.0);
    }

    #[test]
    fn lamps_of_any_scale_fill_the_range() {
        let lamps: Vec<Vec3> = (1..=100).map(|i| Vec3::splat(i as f32 * 1e4)).collect();
        let factors = factors(&vec![0.5; 100], Some(&lamps));
        assert!(factors[0][0] < 0.6 && factors[99][0] > 0.95);
        assert!(factors.windows(2).all(|w| w[0][0] <= w[1][0]));
    }
}
