//! Light baked into vertex colours: ambient occlusion, daylight from the windows, ceiling lamps.
//!
//! Shade comes from boxes only, room by room. Directions and sample points are fixed, not drawn, so
//! that neighbouring vertices differ by what they see and not by noise.

use glam::{Vec3, Vec3A, vec3};
use rayon::prelude::*;

use super::ProceduralConfig;
use super::mesh::{Blocker, Mesh, Vertex};
use super::mood::Mood;
use super::plan::Rect;

/// A window as a lamp: sample points on its pane, the direction into the room, its area in m^2.
#[derive(Debug, Clone)]
pub(super) struct Daylight {
    pub(super) points: Vec<Vec3>,
    pub(super) inward: Vec3,
    pub(super) area: f32,
}

/// What lights one room.
#[derive(Debug, Clone)]
pub(super) struct RoomLight {
    pub(super) rect: Rect,
    pub(super) floor: f32,
    pub(super) ceiling: f32,
    pub(super) windows: Vec<Daylight>,
    pub(super) lamps: Vec<Vec3>,
    /// Floor and table lamps.
    pub(super) small_lamps: Vec<Vec3>,
}

/// Distance within which things occlude ambient light, metres.
const REACH: f32 = 1.1;

/// Cosine-weighted directions about +z (Hammersley points).
fn hemisphere(n: u32) -> Vec<Vec3> {
    (0..n)
        .map(|k| {
            let s = (k as f32 + 0.5) / n as f32;
            let t = k.reverse_bits() as f32 / 4_294_967_296.0;
            let (radius, angle) = (s.sqrt(), std::f32::consts::TAU * t);
            vec3(radius * libm::cosf(angle), radius * libm::sinf(angle), (1.0 - s).sqrt())
        })
        .collect()
}

/// A [`Blocker`] in registers.
#[derive(Debug, Clone, Copy)]
struct Caster {
    min: Vec3A,
    max: Vec3A,
}

impl From<&Blocker> for Caster {
    fn from(blocker: &Blocker) -> Self {
        Self {
            min: blocker.min.into(),
            max: blocker.max.into(),
        }
    }
}

/// Light that adds less than this to a factor is not worth a ray.
const FAINT: f32 = 0.008;

/// Where a ray from `origin` enters a box: `None` if it misses or starts inside.
fn enter(blocker: &Caster, origin: Vec3A, inverse: Vec3A) -> Option<f32> {
    let (a, b) = ((blocker.min - origin) * inverse, (blocker.max - origin) * inverse);
    let (near, far) = (a.min(b).max_element(), a.max(b).min_element());
    (near > 0.0 && near <= far).then_some(near)
}

fn inverse(direction: Vec3) -> Vec3A {
    let safe = |c: f32| 1.0 / if c.abs() < 1e-7 { 1e-7f32.copysign(c) } else { c };
    Vec3A::new(safe(direction.x), safe(direction.y), safe(direction.z))
}

struct Bake<'a> {
    mood: &'a Mood,
    rooms: &'a [RoomLight],
    blockers: Vec<Vec<Caster>>,
    directions: Vec<Vec3>,
}

impl Bake<'_> {
    fn is_lit(&self, room: usize, origin: Vec3, target: Vec3) -> bool {
        let ray = target - origin;
        let inverse = inverse(ray);
        !self.blockers[room]
            .iter()
            .any(|b| enter(b, origin.into(), inverse).is_some_and(|t| t < 0.98))
    }

    /// Share of ambient light that reaches a vertex, 0 to 1.
    fn ambient(&self, room: usize, origin: Vec3, normal: Vec3) -> f32 {
        let light = &self.rooms[room];
        let here = Vec3A::from(origin);
        let near: Vec<Caster> = self.blockers[room]
            .iter()
            .filter(|b| (here.clamp(b.min, b.max) - here).length_squared() < REACH * REACH)
            .copied()
            .collect();
        let helper = if normal.y.abs() < 0.9 { Vec3::Y } else { Vec3::X };
        let right = helper.cross(normal).normalize_or_zero();
        let front = normal.cross(right);
        let (low, high): (Vec3A, Vec3A) = (
            vec3(light.rect.x0, light.floor, light.rect.z0).into(),
            vec3(light.rect.x1, light.ceiling, light.rect.z1).into(),
        );
        let inside = here.clamp(low, high);
        let mut open = 0.0;
        for d in &self.directions {
            let direction = right * d.x + front * d.y + normal * d.z;
            let inverse = inverse(direction);
            let walls = ((low - inside) * inverse).max((high - inside) * inverse).min_element();
            let hit = near
                .iter()
                .filter_map(|b| enter(b, here, inverse))
                .fold(walls.max(0.0), f32::min);
            open += (hit / REACH).min(1.0);
        }
        open / self.directions.len() as f32
    }

    /// Light on a vertex as an RGB factor for its texture.
    fn light(&self, vertex: &Vertex) -> Vec3 {
        let room = usize::from(vertex.room);
        let light = &self.rooms[room];
        let normal = vertex.normal;
        let origin = vertex.position + normal * 0.02;
        let covered = vertex.is_shell
            && self.blockers[room]
                .iter()
                .any(|b| Vec3A::from(origin).cmpge(b.min).all() && Vec3A::from(origin).cmple(b.max).all());
        if covered {
            return Vec3::splat(0.1);
        }
        let open = self.ambient(room, origin, normal);
        let mut sum = self.mood.ambient * (0.25 + 0.75 * open);
        for window in &light.windows {
            let share = window.area / window.points.len() as f32;
            let through = self.mood.through(window.inward);
            for &point in &window.points {
                let ray = point - origin;
                let d2 = ray.length_squared().max(0.04);
                let d = d2.sqrt();
                let at_vertex = (0.12 + 0.88 * normal.dot(ray) / d).max(0.0);
                let at_window = (-window.inward.dot(ray) / d).max(0.0);
                let gain = share * at_vertex * at_window / (d2 + 0.5);
                if gain * through.y > 0.5 * FAINT && self.is_lit(room, origin, point) {
                    sum += through * gain;
                }
            }
        }
        let large = light.lamps.iter().map(|lamp| (lamp, self.mood.lamp));
        let small = light.small_lamps.iter().map(|lamp| (lamp, self.mood.small_lamp));
        for (&lamp, color) in large.chain(small) {
            let ray = lamp - origin;
            let d = ray.length().max(0.2);
            let facing = (0.3 + 0.7 * normal.dot(ray) / d).max(0.0);
            let gain = 1.125 * facing / (0.9 + d * d);
            if gain * color.x > FAINT && self.is_lit(room, origin, lamp) {
                sum += color * gain;
            }
        }
        sum
    }
}

/// Vertex colours for every part, in order: tint times light in display space.
pub(super) fn bake(mesh: &Mesh, rooms: &[RoomLight], mood: &Mood, config: &ProceduralConfig) -> Vec<Vec<[f32; 4]>> {
    let mut blockers = vec![Vec::new(); rooms.len()];
    for blocker in &mesh.blockers {
        blockers[usize::from(blocker.room)].push(Caster::from(blocker));
    }
    let bake = Bake {
        mood,
        rooms,
        blockers,
        directions: hemisphere(config.ambient_rays),
    };
    mesh.parts
        .values()
        .map(|part| {
            part.vertices
                .par_iter()
                .map(|vertex| {
                    let own = vertex.glow.max(1.0 - config.shading);
                    let light = if own >= 1.0 {
                        Vec3::ONE
                    } else {
                        bake.light(vertex).lerp(Vec3::ONE, own)
                    };
                    let shown = light.to_array().map(|c| libm::powf(c.clamp(0.0, 1.0), 1.0 / 2.2));
                    // glTF and most readers hold colours to 1.
                    let lit = |c: usize| (shown[c] * vertex.tint[c]).min(1.0);
                    [lit(0), lit(1), lit(2), 1.0]
                })
                .collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_floor_in_the_open_is_lighter_than_one_in_a_corner() {
        let room = RoomLight {
            rect: Rect {
                x0: 0.0,
                z0: 0.0,
                x1: 6.0,
                z1: 6.0,
            },
            floor: 0.0,
            ceiling: 2.7,
            windows: Vec::new(),
            lamps: Vec::new(),
            small_lamps: Vec::new(),
        };
        let mood = Mood::draw(0.0, &mut crate::rng::Rng::stream(0, "bake test", &[]));
        let bake = Bake {
            mood: &mood,
            rooms: &[room],
            blockers: vec![Vec::new()],
            directions: hemisphere(64),
        };
        let open = bake.ambient(0, vec3(3.0, 0.02, 3.0), Vec3::Y);
        let edge = bake.ambient(0, vec3(0.01, 0.02, 3.0), Vec3::Y);
        let corner = bake.ambient(0, vec3(0.01, 0.02, 0.01), Vec3::Y);
        assert!(open > 0.99 && edge < 0.75 && corner < edge, "{open} {edge} {corner}");
    }

    #[test]
    fn a_ray_meets_a_box_where_it_should() {
        let blocker = Caster::from(&Blocker {
            min: vec3(1.0, -1.0, -1.0),
            max: vec3(2.0, 1.0, 1.0),
            room: 0,
        });
        assert_eq!(enter(&blocker, Vec3A::ZERO, inverse(Vec3::X)), Some(1.0));
        assert_eq!(enter(&blocker, Vec3A::ZERO, inverse(-Vec3::X)), None);
        assert_eq!(enter(&blocker, Vec3A::new(1.5, 0.0, 0.0), inverse(Vec3::X)), None);
    }
}
