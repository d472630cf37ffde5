//! Tables and desks.

use glam::{Vec3, vec3};

use super::super::color::{draw, hex};
use super::super::frame::Frame;
use super::super::mesh::Skin;
use super::super::semantics::FlatClass;
use super::{Maker, chair, scatter};

/// A top with four legs; `size` = width, depth, height. The frame's origin is under the middle of the back edge.
fn four_legs(m: &mut Maker<'_>, frame: &Frame, size: [f32; 3], thickness: f32, skin: &Skin) {
    let [w, d, h] = [0.5 * size[0], size[1], size[2]];
    m.mesh
        .rounded(frame, vec3(-w, h - thickness, 0.0), vec3(w, h, d), 0.012, 0.0, skin);
    let leg = 0.03;
    for (x, z) in [
        (-w + 0.06, 0.06),
        (w - 0.06, 0.06),
        (-w + 0.06, d - 0.06),
        (w - 0.06, d - 0.06),
    ] {
        m.mesh.cuboid(
            frame,
            vec3(x - leg, 0.0, z - leg),
            vec3(x + leg, h - thickness, z + leg),
            skin,
        );
    }
    m.mesh.cuboid(
        frame,
        vec3(-w + 0.08, h - thickness - 0.08, 0.07),
        vec3(w - 0.08, h - thickness, 0.09),
        skin,
    );
    m.mesh.cuboid(
        frame,
        vec3(-w + 0.08, h - thickness - 0.08, d - 0.09),
        vec3(w - 0.08, h - thickness, d - 0.07),
        skin,
    );
}

/// A low table of `size` = width, depth around the frame's origin, with a shelf and things on it.
pub(in super::super) fn coffee_table(m: &mut Maker<'_>, frame: &Frame, size: [f32; 2]) {
    m.mesh.begin_object(FlatClass::Table);
    let skin = m.kit.board(0, m.rng);
    let back = frame.child(vec3(0.0, 0.0, -0.5 * size[1]), 0.0);
    four_legs(m, &back, [size[0], size[1], 0.42], 0.035, &skin);
    let (w, d) = (0.5 * size[0] - 0.06, size[1]);
    m.mesh
        .cuboid(&back, vec3(-w, 0.14, 0.06), vec3(w, 0.16, d - 0.06), &skin);
    scatter(
        m,
        &back.child(vec3(0.0, 0.42, 0.5 * d), 0.0),
        [size[0] - 0.12, d - 0.12],
        6,
    );
    scatter(
        m,
        &back.child(vec3(0.0, 0.16, 0.5 * d), 0.0),
        [size[0] - 0.3, d - 0.2],
        2,
    );
}

/// A dining table of `size` = width, depth around the frame's origin, with chairs on the long sides.
pub(in super::super) fn dining_table(m: &mut Maker<'_>, frame: &Frame, size: [f32; 2]) {
    m.mesh.begin_object(FlatClass::Table);
    let skin = m.kit.board(1, m.rng);
    let back = frame.child(vec3(0.0, 0.0, -0.5 * size[1]), 0.0);
    four_legs(m, &back, [size[0], size[1], 0.75], 0.04, &skin);
    if m.rng.chance(0.6) {
        let runner = m.cloth();
        let w = 0.5 * size[0];
        m.mesh.faces(
            &back,
            vec3(-w + 0.1, 0.75, 0.5 * size[1] - 0.17),
            vec3(w - 0.1, 0.756, 0.5 * size[1] + 0.17),
            &runner,
            0b11_1011,
        );
    }
    scatter(
        m,
        &back.child(vec3(0.0, 0.757, 0.5 * size[1]), 0.0),
        [size[0] - 0.2, size[1] - 0.2],
        8,
    );
    let color = *m.rng.pick(&[
        None,
        None,
        Some(hex(0x2F4858)),
        Some(hex(0xEDE8DC)),
        Some(hex(0x8C3B2E)),
    ]);
    let n = (size[0] / 0.65).floor().max(1.0) as usize;
    for k in 0..n {
        let x = size[0] * ((k as f32 + 0.5) / n as f32 - 0.5);
        for (z, turn) in [
            (-0.5 * size[1] - 0.24, 0.0),
            (0.5 * size[1] + 0.24, std::f32::consts::PI),
        ] {
            let wobble = draw(m.rng, -0.18, 0.18);
            chair(m, &frame.child(vec3(x, 0.0, z), turn + wobble), color);
        }
    }
}

/// A desk at the wall, 0.65 m deep, with drawers, screen, lamp, papers and a chair.
pub(in super::super) fn desk(m: &mut Maker<'_>, frame: &Frame, width: f32) {
    m.mesh.begin_object(FlatClass::Desk);
    let skin = m.kit.board(0, m.rng);
    four_legs(m, frame, [width, 0.65, 0.74], 0.03, &skin);
    let w = 0.5 * width;
    m.mesh
        .cuboid(frame, vec3(w - 0.46, 0.1, 0.08), vec3(w - 0.08, 0.7, 0.6), &skin);
    for k in 0..3 {
        let y = 0.12 + 0.19 * k as f32;
        m.mesh.cuboid(
            frame,
            vec3(w - 0.45, y, 0.6),
            vec3(w - 0.09, y + 0.175, 0.615),
            &skin.tinted([0.9; 3]),
        );
        m.mesh.cuboid(
            frame,
            vec3(w - 0.32, y + 0.08, 0.615),
            vec3(w - 0.22, y + 0.095, 0.635),
            &m.kit.enamel(hex(0x2A2A2C)),
        );
    }
    let turn = draw(m.rng, -0.2, 0.2);
    screen(m, &frame.child(vec3(-0.1, 0.74, 0.2), turn));
    let black = m.kit.enamel(hex(0x26272B));
    m.mesh
        .cuboid(frame, vec3(-0.32, 0.74, 0.38), vec3(0.1, 0.757, 0.52), &black);
    for k in 0..4 {
        let z = 0.39 + 0.032 * k as f32;
        m.mesh.faces(
            frame,
            vec3(-0.31, 0.757, z),
            vec3(0.09, 0.762, z + 0.022),
            &m.kit.enamel(hex(0x8A8D92)),
            0b11_1011,
        );
    }
    scatter(m, &frame.child(vec3(w - 0.35, 0.741, 0.33), 0.0), [0.5, 0.5], 4);
    scatter(m, &frame.child(vec3(-w + 0.2, 0.741, 0.33), 0.0), [0.3, 0.5], 3);
    let (aside, turn) = (draw(m.rng, -0.15, 0.1), std::f32::consts::PI + draw(m.rng, -0.5, 0.5));
    chair(m, &frame.child(vec3(aside, 0.0, 1.02), turn), None);
}

/// A computer screen that shows a picture.
fn screen(m: &mut Maker<'_>, frame: &Frame) {
    let black = m.kit.enamel(hex(0x1D1E21));
    m.mesh
        .cuboid(frame, vec3(-0.12, 0.0, -0.08), vec3(0.12, 0.012, 0.08), &black);
    m.mesh
        .cuboid(frame, vec3(-0.02, 0.012, -0.02), vec3(0.02, 0.14, 0.0), &black);
    m.mesh
        .cuboid(frame, vec3(-0.3, 0.12, 0.0), vec3(0.3, 0.48, 0.03), &black);
    let (sheet, cell) = m.picture_cell();
    m.mesh.picture(
        frame,
        vec3(-0.285, 0.135, 0.032),
        Vec3::X * 0.57,
        Vec3::Y * 0.33,
        &sheet,
        cell,
    );
}

/// A small round table around the frame's origin.
pub(in super::super) fn side_table(m: &mut Maker<'_>, frame: &Frame) {
    m.mesh.begin_object(FlatClass::Table);
    let skin = m.kit.board(1, m.rng);
    m.mesh.cylinder(frame, vec3(0.0, 0.5, 0.0), 0.24, 0.03, 20, &skin);
    m.mesh
        .bar(frame, vec3(0.0, 0.02, 0.0), vec3(0.0, 0.5, 0.0), 0.025, 8, &skin);
    m.mesh.cylinder(frame, Vec3::ZERO, 0.16, 0.025, 16, &skin);
    scatter(m, &frame.child(vec3(0.0, 0.531, 0.0), 0.0), [0.3, 0.3], 3);
}
