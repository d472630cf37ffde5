//! Beds and nightstands.

use glam::vec3;

use super::super::color::{draw, hex};
use super::super::frame::Frame;
use super::super::semantics::FlatClass;
use super::storage::fronts;
use super::{Maker, scatter, table_lamp};

/// A bed with its head at the wall, 2.08 m long.
pub(in super::super) fn bed(m: &mut Maker<'_>, frame: &Frame, width: f32) {
    m.mesh.begin_object(FlatClass::Bed);
    let wood = m.kit.board(1, m.rng);
    let (w, l) = (0.5 * width, 2.08);
    m.mesh.cuboid(frame, vec3(-w, 0.12, 0.06), vec3(w, 0.3, l), &wood);
    for (x, z) in [
        (-w + 0.06, 0.12),
        (w - 0.06, 0.12),
        (-w + 0.06, l - 0.08),
        (w - 0.06, l - 0.08),
    ] {
        m.leg(frame, vec3(x, 0.0, z), vec3(x, 0.13, z), 0.03, &wood);
    }
    if m.rng.chance(0.5) {
        let head = m.upholstery();
        m.mesh.rounded(
            frame,
            vec3(-w - 0.03, 0.1, 0.0),
            vec3(w + 0.03, 1.12, 0.09),
            0.03,
            0.0,
            &head,
        );
    } else {
        m.mesh
            .cuboid(frame, vec3(-w - 0.03, 0.0, 0.0), vec3(w + 0.03, 1.05, 0.045), &wood);
        let n = (width / 0.14) as usize;
        for k in 0..n {
            let x = width * ((k as f32 + 0.5) / n as f32 - 0.5);
            m.mesh.faces(
                frame,
                vec3(x - 0.05, 0.45, 0.045),
                vec3(x + 0.05, 0.98, 0.06),
                &wood.tinted([0.85; 3]),
                0b01_1111,
            );
        }
    }
    let sheet = m.kit.enamel(hex(0xF1EDE4));
    m.mesh.rounded(
        frame,
        vec3(-w + 0.02, 0.28, 0.08),
        vec3(w - 0.02, 0.5, l - 0.02),
        0.06,
        0.0,
        &sheet,
    );
    let quilt = m.kit.cloths[*m.rng.pick(&[1usize, 2, 5])];
    m.mesh.rounded(
        frame,
        vec3(-w - 0.015, 0.26, 0.62),
        vec3(w + 0.015, 0.545, l + 0.015),
        0.05,
        0.012,
        &quilt,
    );
    let fold = m.cloth();
    m.mesh.rounded(
        frame,
        vec3(-w - 0.02, 0.3, 0.58),
        vec3(w + 0.02, 0.56, 0.8),
        0.04,
        0.0,
        &fold,
    );
    if m.rng.chance(0.7) {
        let throw = m.cloth();
        m.mesh.rounded(
            frame,
            vec3(-w - 0.025, 0.24, l - 0.55),
            vec3(w + 0.025, 0.565, l - 0.1),
            0.03,
            0.0,
            &throw,
        );
    }
    let n = if width > 1.3 { 2 } else { 1 };
    for k in 0..n {
        let x = width * ((k as f32 + 0.5) / n as f32 - 0.5);
        for (z, lean, size) in [(0.2, 0.5, 0.6), (0.34, 0.6, 0.46)] {
            let skin = m.cloth();
            let pillow = frame.child(vec3(x, 0.5, z), draw(m.rng, -0.08, 0.08)).tipped(-lean);
            let (half, h) = (0.5 * size, if size > 0.5 { 0.4 } else { 0.36 });
            m.mesh
                .rounded(&pillow, vec3(-half, 0.0, -0.05), vec3(half, h, 0.06), 0.05, 0.03, &skin);
        }
    }
}

/// A nightstand 0.42 m wide with lamp and books.
pub(in super::super) fn nightstand(m: &mut Maker<'_>, frame: &Frame) {
    m.mesh.begin_object(FlatClass::Nightstand);
    let skin = m.kit.board(0, m.rng);
    m.mesh.cuboid(
        frame,
        vec3(-0.21, 0.12, 0.0),
        vec3(0.21, 0.5, 0.36),
        &skin.tinted([0.8; 3]),
    );
    m.mesh
        .cuboid(frame, vec3(-0.22, 0.5, 0.0), vec3(0.22, 0.52, 0.39), &skin);
    for (x, z) in [(-0.17, 0.04), (0.17, 0.04), (-0.17, 0.32), (0.17, 0.32)] {
        m.leg(frame, vec3(x, 0.0, z), vec3(x, 0.12, z), 0.018, &skin);
    }
    fronts(
        m,
        frame,
        vec3(-0.21, 0.13, 0.0),
        vec3(0.21, 0.49, 0.36),
        [1, 2],
        &skin,
        true,
    );
    table_lamp(m, &frame.child(vec3(-0.08, 0.52, 0.17), 0.0));
    scatter(m, &frame.child(vec3(0.12, 0.521, 0.26), 0.0), [0.16, 0.16], 1);
}
