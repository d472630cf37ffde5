//! Bath room pieces.

use glam::{Vec3, vec3};

use super::super::color::{draw, hex};
use super::super::frame::Frame;
use super::super::semantics::FlatClass;
use super::{Maker, still_things};

/// A built-in bath, 0.75 m deep, its apron tiled with stone.
pub(in super::super) fn bath_tub(m: &mut Maker<'_>, frame: &Frame, width: f32) {
    m.mesh.begin_object(FlatClass::Bathtub);
    let (w, d, h) = (0.5 * width, 0.75, 0.56);
    let white = m.kit.enamel(hex(0xF4F4F1));
    m.mesh.faces(
        frame,
        vec3(-w, 0.0, 0.0),
        vec3(w, h - 0.03, d - 0.01),
        &m.kit.stone,
        0b01_0011,
    );
    let rim = 0.07;
    m.mesh.cuboid(frame, vec3(-w, h - 0.03, 0.0), vec3(w, h, rim), &white);
    m.mesh.cuboid(frame, vec3(-w, h - 0.03, d - rim), vec3(w, h, d), &white);
    m.mesh
        .cuboid(frame, vec3(-w, h - 0.03, rim), vec3(-w + rim, h, d - rim), &white);
    m.mesh
        .cuboid(frame, vec3(w - rim, h - 0.03, rim), vec3(w, h, d - rim), &white);
    // The inside: four sloping walls and a floor that face up.
    let (a, b) = (vec3(-w + rim, h - 0.01, rim), vec3(w - rim, h - 0.01, d - rim));
    let (p, q) = (vec3(-w + 0.2, 0.16, 0.18), vec3(w - 0.2, 0.16, d - 0.18));
    let corners = [
        [
            vec3(a.x, a.y, b.z),
            vec3(b.x, a.y, b.z),
            vec3(q.x, p.y, q.z),
            vec3(p.x, p.y, q.z),
        ],
        [
            vec3(b.x, a.y, b.z),
            vec3(b.x, a.y, a.z),
            vec3(q.x, p.y, p.z),
            vec3(q.x, p.y, q.z),
        ],
        [
            vec3(b.x, a.y, a.z),
            vec3(a.x, a.y, a.z),
            vec3(p.x, p.y, p.z),
            vec3(q.x, p.y, p.z),
        ],
        [
            vec3(a.x, a.y, a.z),
            vec3(a.x, a.y, b.z),
            vec3(p.x, p.y, q.z),
            vec3(p.x, p.y, p.z),
        ],
        [
            vec3(p.x, p.y, q.z),
            vec3(q.x, p.y, q.z),
            vec3(q.x, p.y, p.z),
            vec3(p.x, p.y, p.z),
        ],
    ];
    for c in corners {
        let normal = (c[1] - c[0]).cross(c[3] - c[0]).normalize_or_zero();
        m.mesh.grid(frame, &white, 2, 2, |i, j| {
            let k = if j == 0 { i } else { 3 - i };
            (c[k], normal, glam::vec2(c[k].x, c[k].z))
        });
    }
    let steel = m.kit.enamel(hex(0xB9BEC2));
    m.mesh.bar(
        frame,
        vec3(w - 0.3, h, 0.035),
        vec3(w - 0.3, h + 0.14, 0.035),
        0.016,
        8,
        &steel,
    );
    m.mesh.bar(
        frame,
        vec3(w - 0.3, h + 0.13, 0.035),
        vec3(w - 0.3, h + 0.1, 0.2),
        0.014,
        8,
        &steel,
    );
    still_things(m, &frame.child(vec3(-w + 0.3, h, 0.035), 0.0), 0.45, 4);
}

/// A wash basin on a cabinet, 0.5 m deep.
pub(in super::super) fn basin(m: &mut Maker<'_>, frame: &Frame, width: f32) {
    m.mesh.begin_object(FlatClass::Basin);
    let w = 0.5 * width;
    let skin = m.kit.board(0, m.rng);
    m.mesh
        .cuboid(frame, vec3(-w, 0.25, 0.0), vec3(w, 0.78, 0.44), &skin.tinted([0.7; 3]));
    super::storage::fronts(m, frame, vec3(-w, 0.26, 0.0), vec3(w, 0.77, 0.44), [2, 1], &skin, false);
    m.mesh.cuboid(
        frame,
        vec3(-w - 0.01, 0.78, 0.0),
        vec3(w + 0.01, 0.82, 0.48),
        &m.kit.stone,
    );
    let white = m.kit.enamel(hex(0xF4F4F1));
    let bowl = [
        (0.1, 0.0),
        (0.19, 0.1),
        (0.2, 0.13),
        (0.185, 0.13),
        (0.1, 0.03),
        (0.0, 0.02),
    ];
    m.mesh.lathe(frame, vec3(0.0, 0.82, 0.25), &bowl, 20, &white);
    let steel = m.kit.enamel(hex(0xB9BEC2));
    m.mesh
        .bar(frame, vec3(0.0, 0.82, 0.05), vec3(0.0, 1.02, 0.05), 0.014, 8, &steel);
    m.mesh
        .bar(frame, vec3(0.0, 1.01, 0.05), vec3(0.0, 0.99, 0.19), 0.012, 8, &steel);
    for s in [-1.0, 1.0f32] {
        still_things(m, &frame.child(vec3(s * (w - 0.09), 0.82, 0.16), 0.0), 0.15, 2);
    }
}

/// A toilet with cistern, 0.66 m deep.
pub(in super::super) fn toilet(m: &mut Maker<'_>, frame: &Frame) {
    m.mesh.begin_object(FlatClass::Toilet);
    let white = m.kit.enamel(hex(0xF3F3F0));
    m.mesh.rounded(
        frame,
        vec3(-0.19, 0.38, 0.02),
        vec3(0.19, 0.78, 0.19),
        0.03,
        0.0,
        &white,
    );
    m.mesh
        .rounded(frame, vec3(-0.2, 0.77, 0.01), vec3(0.2, 0.81, 0.2), 0.015, 0.0, &white);
    m.mesh
        .rounded(frame, vec3(-0.1, 0.0, 0.14), vec3(0.1, 0.3, 0.5), 0.05, 0.0, &white);
    m.mesh
        .rounded(frame, vec3(-0.18, 0.24, 0.18), vec3(0.18, 0.4, 0.66), 0.09, 0.0, &white);
    m.mesh.rounded(
        frame,
        vec3(-0.19, 0.395, 0.18),
        vec3(0.19, 0.425, 0.67),
        0.014,
        0.0,
        &m.kit.board(1, m.rng),
    );
    let paper = m.kit.enamel(hex(0xEDE8DC));
    m.mesh
        .bar(frame, vec3(0.24, 0.7, 0.09), vec3(0.36, 0.7, 0.09), 0.05, 12, &paper);
}

/// A washing machine, 0.6 m wide.
pub(in super::super) fn washing_machine(m: &mut Maker<'_>, frame: &Frame) {
    m.mesh.begin_object(FlatClass::WashingMachine);
    let white = m.kit.enamel(hex(0xEDEEEE));
    m.mesh.rounded(
        frame,
        vec3(-0.29, 0.02, 0.02),
        vec3(0.29, 0.84, 0.56),
        0.015,
        0.0,
        &white,
    );
    let ring = m.kit.enamel(hex(0x8F959A));
    let glass = m.kit.enamel(hex(0x1E2226));
    let disc = frame
        .child(vec3(0.0, 0.44, 0.56), 0.0)
        .tipped(std::f32::consts::FRAC_PI_2);
    m.mesh.cylinder(&disc, Vec3::ZERO, 0.19, 0.025, 24, &ring);
    m.mesh.cylinder(&disc, Vec3::Y * 0.025, 0.145, 0.008, 24, &glass);
    m.mesh.cuboid(
        frame,
        vec3(-0.27, 0.72, 0.555),
        vec3(0.27, 0.82, 0.57),
        &m.kit.enamel(hex(0xC6CACD)),
    );
    let (sheet, cell) = m.label_cell();
    m.mesh.picture(
        frame,
        vec3(-0.25, 0.735, 0.5715),
        Vec3::X * 0.2,
        Vec3::Y * 0.07,
        &sheet,
        cell,
    );
    m.mesh.cylinder(
        &frame
            .child(vec3(0.14, 0.77, 0.57), 0.0)
            .tipped(std::f32::consts::FRAC_PI_2),
        Vec3::ZERO,
        0.03,
        0.03,
        14,
        &ring,
    );
    still_things(m, &frame.child(vec3(0.0, 0.84, 0.25), 0.0), 0.45, 5);
}

/// A laundry basket around the frame's origin.
pub(in super::super) fn hamper(m: &mut Maker<'_>, frame: &Frame) {
    m.mesh.begin_object(FlatClass::Hamper);
    let skin = m.cloth();
    m.mesh.lathe(
        frame,
        Vec3::ZERO,
        &[
            (0.17, 0.0),
            (0.21, 0.5),
            (0.22, 0.52),
            (0.2, 0.52),
            (0.19, 0.4),
            (0.0, 0.42),
        ],
        16,
        &skin,
    );
}

/// Towels on a rail; the frame is their centre on the wall.
pub(in super::super) fn towels(m: &mut Maker<'_>, frame: &Frame, width: f32) {
    m.mesh.begin_object(FlatClass::Towel);
    let steel = m.kit.enamel(hex(0xB9BEC2));
    let w = 0.5 * width;
    m.mesh
        .bar(frame, vec3(-w, 0.3, 0.07), vec3(w, 0.3, 0.07), 0.011, 8, &steel);
    for x in [-w + 0.02, w - 0.02] {
        m.mesh
            .bar(frame, vec3(x, 0.3, 0.0), vec3(x, 0.3, 0.07), 0.009, 6, &steel);
    }
    for (a, b) in [(-w + 0.04, -0.02), (0.02, w - 0.04)] {
        let skin = m.cloth();
        let drop = draw(m.rng, 0.35, 0.6);
        m.mesh.rounded(
            frame,
            vec3(a, 0.31 - drop, 0.05),
            vec3(b, 0.3175, 0.095),
            0.014,
            0.0,
            &skin,
        );
    }
}

/// A small shelf with bottles; the frame is its centre on the wall.
pub(in super::super) fn shower_shelf(m: &mut Maker<'_>, frame: &Frame, width: f32) {
    m.mesh.begin_object(FlatClass::Shelf);
    let w = 0.5 * width;
    for y in [-0.2, 0.1] {
        m.mesh
            .cuboid(frame, vec3(-w, y, 0.0), vec3(w, y + 0.02, 0.14), &m.kit.board(0, m.rng));
        still_things(m, &frame.child(vec3(0.0, y + 0.02, 0.07), 0.0), width - 0.06, 6);
    }
}

/// A framed cabinet mirror, drawn as a pale sheet with a frame; the frame is its centre on the wall.
pub(in super::super) fn mirror(m: &mut Maker<'_>, frame: &Frame, size: [f32; 2]) {
    m.mesh.begin_object(FlatClass::Mirror);
    let (w, h) = (0.5 * size[0], 0.5 * size[1]);
    let wood = m.kit.board(1, m.rng);
    m.mesh.faces(
        frame,
        vec3(-w, -h, 0.0),
        vec3(w, h, 0.02),
        &m.kit.enamel(hex(0xB9C6CC)),
        0b01_1111,
    );
    let e = 0.045;
    m.mesh.faces(
        frame,
        vec3(-w - e, -h - e, 0.0),
        vec3(-w, h + e, 0.035),
        &wood,
        0b01_1111,
    );
    m.mesh
        .faces(frame, vec3(w, -h - e, 0.0), vec3(w + e, h + e, 0.035), &wood, 0b01_1111);
    m.mesh
        .faces(frame, vec3(-w, h, 0.0), vec3(w, h + e, 0.035), &wood, 0b01_1100);
    m.mesh
        .faces(frame, vec3(-w, -h - e, 0.0), vec3(w, -h, 0.035), &wood, 0b01_1100);
}
