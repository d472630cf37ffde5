//! Kitchen units.

use glam::{Vec3, vec3};

use super::super::color::{Rgb, count, draw, hex};
use super::super::frame::Frame;
use super::super::semantics::FlatClass;
use super::storage::fronts;
use super::{Maker, still_things};

/// Base units along a wall, 0.6 m deep, with worktop, sink, hob, oven and things on top.
pub(in super::super) fn kitchen_run(m: &mut Maker<'_>, frame: &Frame, width: f32, color: Rgb) {
    m.mesh.begin_object(FlatClass::Counter);
    let skin = m.kit.enamel(color);
    let w = 0.5 * width;
    m.mesh.faces(
        frame,
        vec3(-w, 0.0, 0.0),
        vec3(w, 0.1, 0.5),
        &m.kit.enamel(hex(0x2C2B2A)),
        0b01_0011,
    );
    m.mesh
        .cuboid(frame, vec3(-w, 0.1, 0.0), vec3(w, 0.86, 0.57), &skin.tinted([0.6; 3]));
    m.mesh.cuboid(
        frame,
        vec3(-w - 0.005, 0.86, 0.0),
        vec3(w + 0.005, 0.9, 0.62),
        &m.kit.stone,
    );
    let n = (width / 0.6).floor().max(1.0) as usize;
    let unit = width / n as f32;
    let (oven, sink) = (m.rng.below(n as u64) as usize, m.rng.below(n as u64) as usize);
    for k in 0..n {
        let (x0, x1) = (-w + unit * k as f32, -w + unit * (k + 1) as f32);
        if k == oven {
            stove(m, frame, x0, x1);
            continue;
        }
        let drawers = m.rng.chance(0.45);
        let grid = if drawers { [1, count(m.rng, 3, 4)] } else { [2, 1] };
        fronts(
            m,
            frame,
            vec3(x0, 0.11, 0.0),
            vec3(x1, 0.855, 0.57),
            grid,
            &skin,
            drawers,
        );
        if k == sink {
            tap_and_bowl(m, frame, 0.5 * (x0 + x1));
        } else {
            still_things(m, &frame.child(vec3(0.5 * (x0 + x1), 0.9, 0.24), 0.0), unit - 0.1, 3);
        }
    }
}

fn stove(m: &mut Maker<'_>, frame: &Frame, x0: f32, x1: f32) {
    let steel = m.kit.enamel(hex(0xB9BDC0));
    let black = m.kit.enamel(hex(0x17181A));
    m.mesh.cuboid(
        frame,
        vec3(x0 + 0.005, 0.12, 0.5),
        vec3(x1 - 0.005, 0.855, 0.59),
        &steel,
    );
    m.mesh
        .cuboid(frame, vec3(x0 + 0.05, 0.2, 0.59), vec3(x1 - 0.05, 0.62, 0.6), &black);
    m.mesh.bar(
        frame,
        vec3(x0 + 0.06, 0.66, 0.63),
        vec3(x1 - 0.06, 0.66, 0.63),
        0.011,
        8,
        &steel,
    );
    for k in 0..5 {
        let x = x0 + (x1 - x0) * (k as f32 + 0.5) / 5.0;
        m.mesh
            .cuboid(frame, vec3(x - 0.02, 0.75, 0.59), vec3(x + 0.02, 0.79, 0.615), &black);
    }
    m.mesh
        .cuboid(frame, vec3(x0 + 0.02, 0.9, 0.06), vec3(x1 - 0.02, 0.908, 0.56), &black);
    let middle = 0.5 * (x0 + x1);
    for (dx, z, r) in [
        (-0.14, 0.18, 0.07),
        (0.14, 0.18, 0.09),
        (-0.14, 0.43, 0.09),
        (0.14, 0.43, 0.07),
    ] {
        m.mesh.cylinder(
            frame,
            vec3(middle + dx, 0.908, z),
            r,
            0.006,
            16,
            &m.kit.enamel(hex(0x55585C)),
        );
    }
    let pot = m
        .kit
        .enamel(*m.rng.pick(&[hex(0xC0392B), hex(0xC4C8CB), hex(0x2E5E4E)]));
    m.mesh.lathe(
        frame,
        vec3(middle - 0.14, 0.914, 0.43),
        &[(0.0, 0.0), (0.1, 0.0), (0.105, 0.12), (0.0, 0.14)],
        18,
        &pot,
    );
}

fn tap_and_bowl(m: &mut Maker<'_>, frame: &Frame, x: f32) {
    let steel = m.kit.enamel(hex(0xC9CDD0));
    m.mesh
        .cuboid(frame, vec3(x - 0.24, 0.9, 0.1), vec3(x + 0.24, 0.906, 0.52), &steel);
    m.mesh.cuboid(
        frame,
        vec3(x - 0.2, 0.9055, 0.16),
        vec3(x + 0.2, 0.9075, 0.48),
        &m.kit.enamel(hex(0x5E6367)),
    );
    m.mesh
        .bar(frame, vec3(x, 0.9, 0.12), vec3(x, 1.16, 0.12), 0.013, 8, &steel);
    m.mesh
        .bar(frame, vec3(x, 1.16, 0.12), vec3(x, 1.12, 0.3), 0.012, 8, &steel);
    m.mesh.cylinder(
        frame,
        vec3(x + 0.15, 0.906, 0.12),
        0.03,
        0.16,
        12,
        &m.kit.enamel(hex(0x6FA86B)),
    );
}

/// Wall cabinets and open shelves; the frame's origin is on the floor as for the run below.
pub(in super::super) fn wall_cabinets(m: &mut Maker<'_>, frame: &Frame, width: f32, color: Rgb) {
    m.mesh.begin_object(FlatClass::Cabinet);
    let skin = m.kit.enamel(color);
    let w = 0.5 * width;
    let open_left = m.rng.chance(0.5);
    let split = width * draw(m.rng, 0.35, 0.6);
    let (shut, free) = if open_left {
        ([-w + split, w], [-w, -w + split])
    } else {
        ([-w, w - split], [w - split, w])
    };
    if shut[1] - shut[0] > 0.3 {
        m.mesh.cuboid(
            frame,
            vec3(shut[0], 1.45, 0.0),
            vec3(shut[1], 2.1, 0.32),
            &skin.tinted([0.6; 3]),
        );
        let n = ((shut[1] - shut[0]) / 0.45).round().max(1.0) as u32;
        fronts(
            m,
            frame,
            vec3(shut[0], 1.46, 0.0),
            vec3(shut[1], 2.09, 0.32),
            [n, 1],
            &skin,
            false,
        );
    }
    let board = m.kit.board(0, m.rng);
    for y in [1.45, 1.78] {
        m.mesh.cuboid(
            frame,
            vec3(free[0] + 0.02, y, 0.0),
            vec3(free[1] - 0.02, y + 0.025, 0.26),
            &board,
        );
        let middle = 0.5 * (free[0] + free[1]);
        still_things(
            m,
            &frame.child(vec3(middle, y + 0.025, 0.13), 0.0),
            free[1] - free[0] - 0.08,
            7,
        );
    }
}

/// A fridge 0.62 m wide with magnets and notes on its door.
pub(in super::super) fn fridge(m: &mut Maker<'_>, frame: &Frame) {
    m.mesh.begin_object(FlatClass::Refrigerator);
    let skin = m.kit.enamel(
        *m.rng
            .pick(&[hex(0xE9EAEA), hex(0xB9BEC2), hex(0xA9C4B8), hex(0xC9564A)]),
    );
    m.mesh.rounded(
        frame,
        vec3(-0.3, 0.02, 0.02),
        vec3(0.3, 1.82, 0.6),
        0.02,
        0.0,
        &skin.tinted([0.85; 3]),
    );
    m.mesh
        .rounded(frame, vec3(-0.3, 0.06, 0.6), vec3(0.3, 0.66, 0.66), 0.02, 0.0, &skin);
    m.mesh
        .rounded(frame, vec3(-0.3, 0.68, 0.6), vec3(0.3, 1.82, 0.66), 0.02, 0.0, &skin);
    let steel = m.kit.enamel(hex(0x6E7276));
    m.mesh
        .bar(frame, vec3(-0.24, 0.8, 0.69), vec3(-0.24, 1.3, 0.69), 0.012, 8, &steel);
    m.mesh
        .bar(frame, vec3(-0.24, 0.35, 0.69), vec3(-0.24, 0.6, 0.69), 0.012, 8, &steel);
    for _ in 0..9 {
        let (x, y) = (draw(m.rng, -0.16, 0.18), draw(m.rng, 0.8, 1.65));
        let (w, h) = (draw(m.rng, 0.05, 0.13), draw(m.rng, 0.06, 0.14));
        let (sheet, cell) = if m.rng.chance(0.5) {
            m.picture_cell()
        } else {
            m.label_cell()
        };
        m.mesh.picture(
            frame,
            vec3(x - 0.5 * w, y, 0.6615 + 0.0004 * draw(m.rng, 0.0, 4.0)),
            Vec3::X * w,
            Vec3::Y * h,
            &sheet,
            cell,
        );
    }
}
