//! The flight between two storeys: treads, risers, banister, the edges of the well and its railing.

use glam::{Vec3, vec3};

use super::color::{hex, scale};
use super::frame::Frame;
use super::house::{SLAB, STAIR_WIDTH, Stairs};
use super::mesh::{Blocker, Mesh, Skin};
use super::plan::Rect;
use super::semantics::FlatClass;
use super::space::{Space, along_wall, wall_frame};
use super::style::Kit;
use crate::rng::Rng;

/// Thickness of a tread and how far it stands out, metres.
const NOSING: [f32; 2] = [0.04, 0.02];
/// Height of a handrail above treads and floors, metres.
const RAIL: f32 = 0.92;
/// Distance between balusters, metres.
const BALUSTERS: f32 = 0.12;
/// Floor that is kept free along the hall, metres.
const PASSAGE: f32 = 0.8;

/// Skins of wood and paint that the flight is made of.
struct Skins {
    tread: Skin,
    riser: Skin,
    side: Skin,
    post: Skin,
}

/// The flight in the frame of its wall: `at(k)` is where step `k` begins, along the wall.
struct Flight {
    frame: Frame,
    foot: f32,
    /// +1 where it rises to the right seen from the room, else -1.
    way: f32,
    tread: f32,
    steps: u32,
    rise: f32,
}

impl Flight {
    fn new(stairs: &Stairs, hall: &Rect) -> Self {
        let [a, b] = along_wall(hall, stairs.side, stairs.well.x0, stairs.well.x1);
        let frame = wall_frame(hall, stairs.side);
        let is_right = stairs.rises_to_x == (frame.axes.x_axis.x > 0.0);
        let steps = stairs.risers - 1;
        Self {
            frame,
            foot: if is_right { a } else { b },
            way: if is_right { 1.0 } else { -1.0 },
            tread: (b - a) / steps as f32,
            steps,
            rise: stairs.rise,
        }
    }

    fn at(&self, k: f32) -> f32 {
        self.foot + self.way * self.tread * k
    }

    /// Least and greatest coordinate along the wall between two places, given in steps from the foot.
    fn span(&self, from: f32, to: f32) -> [f32; 2] {
        let (a, b) = (self.at(from), self.at(to));
        [a.min(b), a.max(b)]
    }

    fn head(&self) -> f32 {
        (self.steps + 1) as f32 * self.rise
    }
}

/// Keeps furniture off the stairs: `on_top` for the storey above them.
pub(super) fn reserve(space: &mut Space, stairs: &Stairs, on_top: bool) {
    let (well, hall) = (stairs.well, space.rect);
    space.occupy(well);
    let foot_is_low = stairs.rises_to_x != on_top;
    let landing = if foot_is_low {
        Rect {
            x0: well.x0 - 0.9,
            x1: well.x0,
            ..well
        }
    } else {
        Rect {
            x0: well.x1,
            x1: well.x1 + 0.9,
            ..well
        }
    };
    space.keep_open(landing);
    if !on_top {
        let [a, b] = along_wall(&hall, stairs.side, well.x0, well.x1);
        space.cover(stairs.side, [a, b, 0.0, space.ceiling]);
    }
    let is_north = well.z0 - hall.z0 < hall.z1 - well.z1;
    space.passage = if is_north {
        Rect { z0: well.z1, ..hall }
    } else {
        Rect { z1: well.z0, ..hall }
    };
    let middle = space.passage.centre()[1];
    space.keep_open(Rect {
        z0: middle - 0.5 * PASSAGE,
        z1: middle + 0.5 * PASSAGE,
        ..hall
    });
}

/// Builds the flight from the lower floor at y = 0 and the railing above it.
pub(super) fn build(mesh: &mut Mesh, stairs: &Stairs, hall: &Rect, kit: &Kit, rng: &mut Rng) {
    let flight = Flight::new(stairs, hall);
    let tread = kit.board(0, rng);
    let painted = kit.enamel(hex(0xF0ECE2));
    let (riser, side) = match rng.below(3) {
        0 => (tread.tinted([0.82; 3]), kit.board(1, rng)),
        1 => (painted, painted.tinted([0.94; 3])),
        _ => (painted, kit.board(0, rng).tinted([0.9; 3])),
    };
    let post = if rng.chance(0.5) {
        painted
    } else {
        kit.enamel(scale(hex(0x2E2B29), 1.0))
    };
    let skins = Skins {
        tread,
        riser,
        side,
        post,
    };
    mesh.begin_object(FlatClass::Stairs);
    steps(mesh, &flight, &skins);
    mesh.begin_object(FlatClass::Banister);
    banister(mesh, &flight, &skins);
    mesh.begin_object(FlatClass::Trim);
    well_edges(mesh, &flight, &skins, stairs, hall);
    mesh.begin_object(FlatClass::Banister);
    railing(mesh, &flight, &skins, stairs, hall);
}

fn steps(mesh: &mut Mesh, flight: &Flight, skins: &Skins) {
    let frame = &flight.frame;
    let (w, up) = (STAIR_WIDTH, flight.rise);
    let [thick, nose] = NOSING;
    // Faces of a box: towards the foot, and away from it.
    let (front, back) = if flight.way > 0.0 { (0b10, 0b01) } else { (0b01, 0b10) };
    for k in 0..flight.steps {
        let [a, b] = flight.span(k as f32, (k + 1) as f32);
        let top = (k + 1) as f32 * up;
        let (low, high) = if flight.way > 0.0 { (a - nose, b) } else { (a, b + nose) };
        let shift = [0.13 * k as f32, 0.29 * k as f32];
        let board = skins
            .tread
            .shifted([skins.tread.offset[0] + shift[0], skins.tread.offset[1] + shift[1]]);
        mesh.faces(
            frame,
            vec3(low, top - thick, 0.0),
            vec3(high, top, w + nose),
            &board,
            0b01_1100 | front,
        );
        // Where the upper board does not hide it, a step shows its riser and its side.
        let foot = if k == 0 { 0.0 } else { k as f32 * up };
        mesh.faces(
            frame,
            vec3(a, foot, 0.0),
            vec3(b, top - thick, w - 0.012),
            &skins.riser,
            front,
        );
        let panel = skins
            .side
            .shifted([skins.side.offset[0] + flight.tread * k as f32, skins.side.offset[1]]);
        mesh.faces(
            frame,
            vec3(a, 0.0, 0.0),
            vec3(b, top - thick, w - 0.012),
            &panel,
            0b01_0000,
        );
    }
    let [a, b] = flight.span((flight.steps - 1) as f32, flight.steps as f32);
    let ceiling = flight.head() - SLAB;
    mesh.faces(frame, vec3(a, 0.0, 0.0), vec3(b, ceiling, w - 0.012), &skins.side, back);
    // The gap between the last step and the edge of the well.
    let edge = flight.at(flight.steps as f32);
    let (low, high) = (edge.min(edge - flight.way * 0.02), edge.max(edge - flight.way * 0.02));
    mesh.faces(
        frame,
        vec3(low, flight.steps as f32 * up - thick, 0.0),
        vec3(high, flight.head(), w + 0.06),
        &skins.riser,
        front,
    );
}

fn banister(mesh: &mut Mesh, flight: &Flight, skins: &Skins) {
    let frame = &flight.frame;
    let z = STAIR_WIDTH - 0.04;
    for k in 0..flight.steps {
        for part in [0.25, 0.75] {
            let x = flight.at(k as f32 + part);
            let foot = (k + 1) as f32 * flight.rise;
            let top = (k as f32 + part + 0.5) * flight.rise + RAIL;
            mesh.bar(frame, vec3(x, foot, z), vec3(x, top, z), 0.013, 6, &skins.post);
        }
    }
    let (from, to) = (
        vec3(flight.at(-0.1), 0.4 * flight.rise + RAIL, z),
        vec3(
            flight.at(flight.steps as f32),
            (flight.steps as f32 + 0.5) * flight.rise + RAIL,
            z,
        ),
    );
    mesh.bar(frame, from, to, 0.032, 10, &skins.tread);
    newel(mesh, frame, [flight.at(-0.15), 0.0, z], RAIL + 0.2, &skins.tread);
}

fn newel(mesh: &mut Mesh, frame: &Frame, [x, y, z]: [f32; 3], height: f32, skin: &Skin) {
    mesh.cuboid(
        frame,
        vec3(x - 0.045, y, z - 0.045),
        vec3(x + 0.045, y + height, z + 0.045),
        skin,
    );
    mesh.cuboid(
        frame,
        vec3(x - 0.055, y + height, z - 0.055),
        vec3(x + 0.055, y + height + 0.03, z + 0.055),
        skin,
    );
}

/// The four sides of the hole through the floor, and the floor itself as a caster of shade.
fn well_edges(mesh: &mut Mesh, flight: &Flight, skins: &Skins, stairs: &Stairs, hall: &Rect) {
    let frame = &flight.frame;
    let [a, b] = flight.span(0.0, flight.steps as f32);
    let depth = stairs.well.depth();
    let (low, high) = (flight.head() - SLAB, flight.head());
    let (x, y, z) = (Vec3::X * (b - a), Vec3::Y * SLAB, Vec3::Z * depth);
    let skin = &skins.riser;
    mesh.rectangle(frame, vec3(a, low, 0.0), x, y, skin);
    mesh.rectangle(frame, vec3(b, low, depth), -x, y, skin);
    mesh.rectangle(frame, vec3(a, low, depth), -z, y, skin);
    mesh.rectangle(frame, vec3(b, low, 0.0), z, y, skin);
    let well = stairs.well;
    for part in [
        Rect { x1: well.x0, ..*hall },
        Rect { x0: well.x1, ..*hall },
        Rect { z1: well.z0, ..*hall },
        Rect { z0: well.z1, ..*hall },
    ] {
        if part.width() > 0.05 && part.depth() > 0.05 {
            mesh.blockers.push(Blocker {
                min: vec3(part.x0, low, part.z0),
                max: vec3(part.x1, high, part.z1),
                room: mesh.room,
            });
        }
    }
}

/// The railing of the upper floor along the well and across it above the foot of the stairs.
fn railing(mesh: &mut Mesh, flight: &Flight, skins: &Skins, stairs: &Stairs, hall: &Rect) {
    let frame = &flight.frame;
    let floor = flight.head();
    let z = stairs.well.depth() + 0.045;
    let (end, head) = (flight.at(0.0) - flight.way * 0.045, flight.at(flight.steps as f32));
    for (from, to) in [([end, z], [head, z]), ([end, 0.05], [end, z])] {
        let (from, to) = (vec3(from[0], floor, from[1]), vec3(to[0], floor, to[1]));
        let n = ((to - from).length() / BALUSTERS).round().max(1.0);
        for k in 1..n as u32 {
            let foot = from.lerp(to, k as f32 / n);
            mesh.bar(frame, foot, foot + Vec3::Y * RAIL, 0.012, 6, &skins.post);
        }
        let rail = Vec3::Y * RAIL;
        mesh.bar(frame, from + rail, to + rail, 0.032, 10, &skins.tread);
        let lath = Vec3::Y * 0.09;
        mesh.bar(frame, from + lath, to + lath, 0.018, 6, &skins.post);
    }
    for [x, z] in [[end, z], [head, z]] {
        newel(mesh, frame, [x, floor, z], RAIL + 0.06, &skins.tread);
    }
    let is_against_wall = stairs.well.z0 - hall.z0 < 1e-3 || hall.z1 - stairs.well.z1 < 1e-3;
    debug_assert!(is_against_wall, "the well has no railing on its wall");
}
