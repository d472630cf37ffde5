//! Doorways with frames and leaves, windows with reveals, curtains and radiators, the world outside.

use glam::{Vec3, vec3};

use super::bake::Daylight;
use super::color::{Rgb, draw, hex};
use super::frame::Frame;
use super::mesh::{Mesh, Skin};
use super::plan::{Door, Plan, REVEAL, Rect, Room, RoomKind, SIDES, Side, WALL};
use super::semantics::FlatClass;
use super::shell::CASING;
use super::space::{Space, along_wall, wall_frame, wall_length};
use super::style::Kit;
use crate::rng::Rng;

/// The sides of a hole through a wall: `patch` = left, right, bottom, top; `depth` away from the room.
fn reveal(mesh: &mut Mesh, frame: &Frame, patch: [f32; 4], depth: f32, sill: &Skin, skin: &Skin) {
    let [a, b, low, high] = patch;
    let (x, y, z) = (Vec3::X * (b - a), Vec3::Y * (high - low), Vec3::Z * depth);
    mesh.rectangle(frame, vec3(a, low, 0.0), x, -z, sill);
    mesh.rectangle(frame, vec3(a, high, -depth), x, z, skin);
    mesh.rectangle(frame, vec3(a, low, 0.0), -z, y, skin);
    mesh.rectangle(frame, vec3(b, low, -depth), z, y, skin);
}

/// A flat frame around a hole on the room's side of the wall; doors have no lower piece.
fn casing(mesh: &mut Mesh, frame: &Frame, patch: [f32; 4], skin: &Skin, has_foot: bool) {
    let [a, b, low, high] = patch;
    let (c, t) = (CASING, 0.022);
    let foot = if has_foot { low - c } else { low };
    let upright = 0b01_1011;
    mesh.faces(frame, vec3(a - c, foot, 0.0), vec3(a, high + c, t), skin, upright);
    mesh.faces(frame, vec3(b, foot, 0.0), vec3(b + c, high + c, t), skin, upright);
    mesh.faces(frame, vec3(a, high, 0.0), vec3(b, high + c, t), skin, 0b01_1100);
    if has_foot {
        mesh.faces(frame, vec3(a, low - c, 0.0), vec3(b, low, t), skin, 0b01_1100);
    }
}

/// World rectangle before a wall: [`from`, `to`] along it and `depth` into the room.
fn before_wall(rect: &Rect, side: Side, [from, to]: [f32; 2], depth: f32) -> Rect {
    let frame = wall_frame(rect, side);
    let (a, b) = (frame.point(vec3(from, 0.0, 0.0)), frame.point(vec3(to, 0.0, depth)));
    Rect::around([a.x, a.z], [b.x, b.z])
}

/// Frames, thresholds and leaves of all doors; `trims` are the casing colours of the rooms.
/// `lights` numbers the rooms of the plan among those of the flat.
pub(super) fn doors(mesh: &mut Mesh, plan: &Plan, lights: &[u16], trims: &[Rgb], kit: &Kit, rng: &mut Rng) {
    for (k, door) in plan.doors.iter().enumerate() {
        let threshold = kit.board(1, rng);
        mesh.begin_object(FlatClass::Door);
        for (n, side) in door.sides().into_iter().enumerate() {
            let room = door.rooms[n];
            let rect = plan.rooms[room].rect;
            let frame = wall_frame(&rect, side);
            let [a, b] = along_wall(&rect, side, door.from, door.to);
            let skin = kit.enamel(trims[room]);
            mesh.room = lights[room];
            casing(mesh, &frame, [a, b, 0.0, door.top], &skin, false);
            if n == 0 {
                reveal(mesh, &frame, [a, b, 0.0, door.top], WALL, &threshold, &skin);
            }
        }
        let skin = if rng.chance(0.5) {
            kit.board(0, rng)
        } else {
            kit.enamel(trims[door.rooms[1]])
        };
        let angle = draw(rng, 1.45, 1.62);
        if !door.is_arch
            && let Some(place) = leaf_place(plan, k)
        {
            mesh.room = lights[door.rooms[place.0]];
            leaf(mesh, plan, door, place, angle, &skin, kit);
        }
    }
}

/// Which of the door's rooms its leaf stands open in, and whether its hinge is on the left: rooms before
/// halls, the near corner before the far one, never across another doorway.
fn leaf_place(plan: &Plan, k: usize) -> Option<(usize, bool)> {
    let door = &plan.doors[k];
    let mut order = [0, 1];
    order.sort_by_key(|&n| plan.rooms[door.rooms[n]].kind == RoomKind::Hall);
    for n in order {
        let rect = plan.rooms[door.rooms[n]].rect;
        let side = door.sides()[n];
        let [a, b] = along_wall(&rect, side, door.from, door.to);
        let near_left = a < wall_length(&rect, side) - b;
        for is_left in [near_left, !near_left] {
            let hinge = if is_left { a } else { b };
            let swept = before_wall(&rect, side, [hinge - 0.12, hinge + 0.12], b - a + 0.05);
            let is_clear = plan.doors.iter().enumerate().all(|(other, d)| {
                other == k
                    || d.sides().into_iter().enumerate().all(|(m, s)| {
                        let r = plan.rooms[d.rooms[m]].rect;
                        !before_wall(&r, s, along_wall(&r, s, d.from, d.to), 0.9).overlaps(&swept)
                    })
            });
            if is_clear {
                return Some((n, is_left));
            }
        }
    }
    None
}

/// A panelled leaf with handles that stands open by `angle`.
fn leaf(mesh: &mut Mesh, plan: &Plan, door: &Door, (n, is_left): (usize, bool), angle: f32, skin: &Skin, kit: &Kit) {
    let rect = plan.rooms[door.rooms[n]].rect;
    let side = door.sides()[n];
    let [a, b] = along_wall(&rect, side, door.from, door.to);
    let wall = wall_frame(&rect, side);
    let width = b - a - 0.02;
    mesh.begin_object(FlatClass::Door);
    let leaf = if is_left {
        wall.child(vec3(a - 0.02, 0.0, 0.03), -angle)
    } else {
        wall.child(vec3(b + 0.02, 0.0, 0.03), angle)
    };
    let (x0, x1) = if is_left { (0.0, width) } else { (-width, 0.0) };
    let top = door.top - 0.015;
    mesh.cuboid(&leaf, vec3(x0, 0.012, -0.02), vec3(x1, top, 0.02), skin);
    let inset = skin.tinted([0.86; 3]);
    for (low, high) in [(0.14, 0.42), (0.48, 0.93)] {
        for (from, to) in [(0.12, 0.46), (0.54, 0.88)] {
            let (u0, u1) = (x0 + from * width, x0 + to * width);
            for z in [[-0.028, -0.019], [0.019, 0.028]] {
                mesh.cuboid(&leaf, vec3(u0, low * top, z[0]), vec3(u1, high * top, z[1]), &inset);
            }
        }
    }
    let brass = kit.enamel(hex(0xB08D4A));
    let knob = if is_left { x1 - 0.07 } else { x0 + 0.07 };
    for z in [-0.06, 0.06] {
        let (low, high) = (vec3(knob - 0.05, 1.0, z - 0.012), vec3(knob + 0.05, 1.024, z + 0.012));
        mesh.rounded(&leaf, low, high, 0.01, 0.0, &brass);
        mesh.bar(&leaf, vec3(knob, 1.012, 0.0), vec3(knob, 1.012, z), 0.009, 6, &brass);
    }
}

/// All windows of a room; returns them as lamps for the bake.
pub(super) fn windows(
    mesh: &mut Mesh,
    room: &Room,
    space: &mut Space,
    trim: Rgb,
    kit: &Kit,
    rng: &mut Rng,
) -> Vec<Daylight> {
    let mut lights = Vec::new();
    let curtain = *rng.pick(&kit.curtains);
    let curtain = curtain.tinted([draw(rng, 0.85, 1.0), draw(rng, 0.85, 1.0), draw(rng, 0.85, 1.0)]);
    let has_curtains = !matches!(room.kind, RoomKind::Bath | RoomKind::Kitchen);
    for (side, patch) in space.windows() {
        let frame = wall_frame(&room.rect, side);
        let [a, b, low, high] = patch;
        mesh.begin_object(FlatClass::Window);
        reveal(mesh, &frame, patch, REVEAL, &kit.stone, &kit.enamel(hex(0xF2EFE8)));
        casing(mesh, &frame, patch, &kit.enamel(trim), true);
        mesh.faces(
            &frame,
            vec3(a - 0.1, low - 0.03, 0.0),
            vec3(b + 0.1, low, 0.09),
            &kit.stone,
            0b01_1111,
        );
        sash(mesh, &frame, patch, &kit.enamel(hex(0xF4F2EC)));
        if has_curtains {
            let width = draw(rng, 0.28, 0.42);
            let (wall, drop) = (
                wall_length(&room.rect, side),
                if rng.chance(0.6) { 0.06 } else { low - 0.12 },
            );
            let rod = high + 0.13;
            mesh.begin_object(FlatClass::Curtain);
            mesh.bar(
                &frame,
                vec3(a - width, rod, 0.1),
                vec3(b + width, rod, 0.1),
                0.013,
                8,
                &kit.enamel(hex(0x3A3632)),
            );
            for (from, to) in [
                ((a - width).max(0.02), a + 0.07),
                (b - 0.07, (b + width).min(wall - 0.02)),
            ] {
                drape(mesh, &frame, [from, to], [drop, rod], &curtain, rng);
            }
            space.cover(side, [(a - width).max(0.0), a, drop, rod]);
            space.cover(side, [b, (b + width).min(wall), drop, rod]);
        }
        lights.push(daylight(&frame, patch));
    }
    lights
}

fn daylight(frame: &Frame, [a, b, low, high]: [f32; 4]) -> Daylight {
    let mut points = Vec::new();
    for s in [0.17, 0.5, 0.83] {
        for t in [0.25, 0.75] {
            points.push(frame.point(vec3(a + (b - a) * s, low + (high - low) * t, -0.05)));
        }
    }
    Daylight {
        points,
        inward: frame.direction(Vec3::Z),
        area: (b - a) * (high - low),
    }
}

/// Casements: a border, a mullion, a transom.
fn sash(mesh: &mut Mesh, frame: &Frame, [a, b, low, high]: [f32; 4], skin: &Skin) {
    let (z0, z1) = (-REVEAL + 0.06, -REVEAL + 0.12);
    let bar = 0.055;
    let mut piece = |x0: f32, x1: f32, y0: f32, y1: f32| mesh.cuboid(frame, vec3(x0, y0, z0), vec3(x1, y1, z1), skin);
    piece(a, a + bar, low, high);
    piece(b - bar, b, low, high);
    piece(a + bar, b - bar, low, low + bar);
    piece(a + bar, b - bar, high - bar, high);
    let transom = low + 0.7 * (high - low);
    piece(a + bar, b - bar, transom - 0.02, transom + 0.02);
    let n = if b - a > 1.0 { 2 } else { 1 };
    for k in 1..=n {
        let x = a + (b - a) * k as f32 / (n + 1) as f32;
        piece(x - 0.022, x + 0.022, low + bar, high - bar);
    }
}

/// A gathered curtain.
fn drape(mesh: &mut Mesh, frame: &Frame, [x0, x1]: [f32; 2], [y0, y1]: [f32; 2], skin: &Skin, rng: &mut Rng) {
    let folds = ((x1 - x0) / 0.085).round().max(3.0);
    let (phase, sway) = (draw(rng, 0.0, 6.3), draw(rng, 0.5, 1.5));
    let nodes = (folds * 6.0) as usize + 1;
    let size = [2.0 * (x1 - x0), y1 - y0];
    mesh.sheet(frame, nodes, 7, skin, size, |s, t| {
        let depth = 0.028 + 0.018 * (1.0 - t);
        let wave = libm::sinf(phase + std::f32::consts::TAU * folds * s + sway * (1.0 - t));
        vec3(x0 + (x1 - x0) * s, y0 + (y1 - y0) * t, 0.095 + depth * wave)
    });
}

/// The view outside: one picture that goes once around the flat, well below and above the windows.
pub(super) fn outside(mesh: &mut Mesh, outer: &Rect, top_floor: f32, tint: Rgb, kit: &Kit) {
    const AWAY: f32 = 5.0;
    let rect: Rect = outer.grown(AWAY);
    let total = 2.0 * (rect.width() + rect.depth());
    let (low, high) = (-6.0, 9.5 + top_floor);
    mesh.begin_object(FlatClass::Outside);
    mesh.glow = 1.0;
    let mut from = 0.0;
    for side in SIDES {
        let frame = wall_frame(&rect, side);
        let length = wall_length(&rect, side);
        let cell = [from / total, 0.0, (from + length) / total, 1.0];
        // Seen from inside the pictures follow each other in the order North, East, South, West.
        mesh.picture(
            &frame,
            vec3(0.0, low, 0.0),
            Vec3::X * length,
            Vec3::Y * (high - low),
            &kit.outside.tinted(tint),
            cell,
        );
        from += length;
    }
    mesh.glow = 0.0;
}

/// A radiator under a window, where there is room for one.
pub(super) fn radiators(mesh: &mut Mesh, space: &mut Space, kit: &Kit, rng: &mut Rng) {
    let skin = kit.enamel(hex(0xEFEDE6));
    for (side, [a, b, low, _]) in space.windows() {
        let (width, height) = ((b - a - 0.2).clamp(0.5, 1.1), (low - 0.28).min(0.6));
        let middle = 0.5 * (a + b);
        if height < 0.35 || rng.chance(0.3) {
            continue;
        }
        let Some(frame) = space.hang_at(side, [middle - 0.5 * width, middle + 0.5 * width, 0.14, 0.14 + height]) else {
            continue;
        };
        mesh.begin_object(FlatClass::Radiator);
        let h = 0.5 * height;
        mesh.cuboid(
            &frame,
            vec3(-0.5 * width, -h, 0.03),
            vec3(0.5 * width, h, 0.06),
            &skin.tinted([0.8; 3]),
        );
        let n = (width / 0.075) as usize;
        for k in 0..n {
            let x = width * ((k as f32 + 0.5) / n as f32 - 0.5);
            mesh.faces(
                &frame,
                vec3(x - 0.024, -h, 0.06),
                vec3(x + 0.024, h, 0.09),
                &skin,
                0b01_1111,
            );
        }
        mesh.bar(
            &frame,
            vec3(-0.5 * width - 0.04, -h - 0.14, 0.05),
            vec3(-0.5 * width - 0.04, h - 0.05, 0.05),
            0.012,
            6,
            &skin,
        );
    }
}
