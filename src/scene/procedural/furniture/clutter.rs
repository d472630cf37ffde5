//! Books, vases, bowls, bottles, boxes and toys: the things that stand on other things.

use glam::{Vec3, vec3};

use super::super::color::{VIVID, count, draw, hex, scale, vary};
use super::super::frame::Frame;
use super::super::paint::SPINE_GRID;
use super::super::semantics::FlatClass;
use super::decor::sheet_cell;
use super::{Maker, plant};

/// A row of upright books over [x0, x1] on a shelf with `height` of free space; spines face z.
pub(in super::super) fn books_upright(m: &mut Maker<'_>, frame: &Frame, [x0, x1]: [f32; 2], height: f32) {
    let mut x = x0;
    loop {
        let thick = draw(m.rng, 0.018, 0.05);
        if x + thick > x1 {
            break;
        }
        let tall = draw(m.rng, 0.62, 0.93) * height.min(0.34);
        let deep = draw(m.rng, 0.15, 0.23);
        book(m, frame, vec3(x, 0.0, 0.0), vec3(x + thick - 0.0015, tall, deep));
        x += thick;
        if m.rng.chance(0.06) {
            x += draw(m.rng, 0.01, 0.04);
        }
    }
}

/// One book: its spine is the +z face, its covers show the first pixels of the spine.
fn book(m: &mut Maker<'_>, frame: &Frame, low: Vec3, high: Vec3) {
    let k = m.rng.below(u64::from(SPINE_GRID[0] * SPINE_GRID[1])) as u32;
    let cell = sheet_cell(SPINE_GRID, k);
    let sheet = m.kit.spines;
    let d = high - low;
    let (x, y, z) = (Vec3::X * d.x, Vec3::Y * d.y, Vec3::Z * d.z);
    m.mesh.picture(frame, vec3(low.x, low.y, high.z), x, y, &sheet, cell);
    let edge = cell[0] + 0.08 * (cell[2] - cell[0]);
    let cover = [cell[0], cell[1], edge, cell[3]];
    m.mesh.picture(frame, vec3(high.x, low.y, high.z), -z, y, &sheet, cover);
    m.mesh.picture(frame, low, z, y, &sheet, cover);
    let pages = m.kit.enamel(hex(0xE9E0CC));
    m.mesh.rectangle(frame, vec3(low.x, high.y, high.z), x, -z, &pages);
}

/// A pile of lying books around the frame's origin; its height.
fn pile(m: &mut Maker<'_>, frame: &Frame) -> f32 {
    let mut y = 0.0;
    for _ in 0..count(m.rng, 2, 5) {
        let (w, d, t) = (draw(m.rng, 0.07, 0.1), draw(m.rng, 0.1, 0.13), draw(m.rng, 0.018, 0.04));
        let tint = *m.rng.pick(&VIVID);
        let cover = m.kit.enamel(vary(m.rng, tint, 0.05));
        let turned = frame.child(Vec3::ZERO, draw(m.rng, -0.35, 0.35));
        m.mesh
            .faces(&turned, vec3(-w, y, -d), vec3(w, y + t, d), &cover, 0b01_1000);
        m.mesh.faces(
            &turned,
            vec3(-w, y, -d),
            vec3(w, y + t, d),
            &m.kit.enamel(hex(0xE4DAC4)),
            0b10_0011,
        );
        let (sheet, cell) = m.picture_cell();
        m.mesh.picture(
            &turned,
            vec3(-w, y + t + 0.001, d),
            Vec3::X * (2.0 * w),
            -Vec3::Z * (2.0 * d),
            &sheet,
            cell,
        );
        y += t + 0.001;
    }
    y
}

fn vase(m: &mut Maker<'_>, frame: &Frame, size: f32) {
    let color = *m.rng.pick(&VIVID);
    let skin = m.kit.enamel(vary(m.rng, color, 0.06));
    let belly = draw(m.rng, 0.28, 0.45) * size;
    let neck = draw(m.rng, 0.1, 0.22) * size;
    let profile = [
        (0.0, 0.0),
        (0.6 * belly, 0.0),
        (belly, 0.35 * size),
        (0.8 * belly, 0.62 * size),
        (neck, 0.85 * size),
        (1.25 * neck, size),
        (0.0, 0.96 * size),
    ];
    m.mesh.lathe(frame, Vec3::ZERO, &profile, 14, &skin);
    if m.rng.chance(0.5) {
        let band = m.kit.enamel(scale(color, 0.5));
        let y = 0.35 * size;
        m.mesh.lathe(
            frame,
            Vec3::ZERO,
            &[
                (belly * 1.01, y - 0.06 * size),
                (belly * 1.03, y),
                (belly * 0.99, y + 0.06 * size),
            ],
            14,
            &band,
        );
    }
}

fn bowl(m: &mut Maker<'_>, frame: &Frame) {
    let color = *m.rng.pick(&VIVID);
    let skin = m.kit.enamel(color);
    m.mesh.lathe(
        frame,
        Vec3::ZERO,
        &[
            (0.0, 0.0),
            (0.05, 0.0),
            (0.12, 0.07),
            (0.112, 0.07),
            (0.04, 0.015),
            (0.0, 0.012),
        ],
        16,
        &skin,
    );
    for k in 0..5 {
        let fruit = m.kit.enamel(
            *m.rng
                .pick(&[hex(0xC0392B), hex(0xE08A2B), hex(0x8DB255), hex(0xE8C33A)]),
        );
        let angle = k as f32 * 1.2566;
        let at = if k == 4 {
            vec3(0.0, 0.06, 0.0)
        } else {
            vec3(0.05 * libm::cosf(angle), 0.025, 0.05 * libm::sinf(angle))
        };
        m.mesh.lathe(
            frame,
            at,
            &[(0.0, 0.0), (0.03, 0.012), (0.038, 0.035), (0.028, 0.062), (0.0, 0.07)],
            10,
            &fruit,
        );
    }
}

fn cup(m: &mut Maker<'_>, frame: &Frame) {
    let color = *m.rng.pick(&VIVID);
    let skin = m.kit.enamel(color);
    m.mesh.lathe(
        frame,
        Vec3::ZERO,
        &[
            (0.0, 0.0),
            (0.033, 0.0),
            (0.042, 0.09),
            (0.038, 0.09),
            (0.03, 0.02),
            (0.0, 0.018),
        ],
        12,
        &skin,
    );
}

fn bottle(m: &mut Maker<'_>, frame: &Frame, size: f32) {
    let color = *m.rng.pick(&VIVID);
    let skin = m.kit.enamel(color);
    let r = 0.14 * size;
    m.mesh.lathe(
        frame,
        Vec3::ZERO,
        &[
            (0.0, 0.0),
            (r, 0.0),
            (r, 0.6 * size),
            (0.4 * r, 0.78 * size),
            (0.4 * r, size),
            (0.0, size),
        ],
        12,
        &skin,
    );
    label_band(m, frame, r, 0.15 * size, 0.5 * size);
}

fn jar(m: &mut Maker<'_>, frame: &Frame, size: f32) {
    let tint = *m.rng.pick(&VIVID);
    let skin = m.kit.enamel(vary(m.rng, tint, 0.05));
    let r = 0.34 * size;
    m.mesh.cylinder(frame, Vec3::ZERO, r, 0.86 * size, 14, &skin);
    label_band(m, frame, r, 0.15 * size, 0.7 * size);
    m.mesh.cylinder(
        frame,
        Vec3::Y * (0.86 * size),
        0.94 * r,
        0.14 * size,
        14,
        &m.kit.enamel(hex(0xB08D5A)),
    );
}

/// A label around a round body.
fn label_band(m: &mut Maker<'_>, frame: &Frame, radius: f32, low: f32, high: f32) {
    let (sheet, cell) = m.label_cell();
    let (r, n) = (radius + 0.001, 9);
    m.mesh.grid(frame, &sheet, n, 2, |i, j| {
        let s = i as f32 / (n - 1) as f32;
        let angle = (s - 0.5) * 4.2;
        let (sin, cos) = (libm::sinf(angle), libm::cosf(angle));
        let v = if j == 0 { cell[3] } else { cell[1] };
        let u = cell[0] + (cell[2] - cell[0]) * s;
        (
            vec3(r * sin, if j == 0 { low } else { high }, r * cos),
            vec3(sin, 0.0, cos),
            glam::vec2(u, v),
        )
    });
}

fn small_frame(m: &mut Maker<'_>, frame: &Frame) {
    let (w, h) = (draw(m.rng, 0.06, 0.1), draw(m.rng, 0.14, 0.22));
    let tipped = frame.tipped(-0.2);
    let color = *m.rng.pick(&[hex(0x1F1F21), hex(0xEEEAE0), hex(0xA9803F)]);
    m.mesh
        .cuboid(&tipped, vec3(-w, 0.0, -0.015), vec3(w, h, 0.0), &m.kit.enamel(color));
    let (sheet, cell) = m.picture_cell();
    m.mesh.picture(
        &tipped,
        vec3(-w + 0.012, 0.012, 0.0015),
        Vec3::X * (2.0 * w - 0.024),
        Vec3::Y * (h - 0.024),
        &sheet,
        cell,
    );
}

/// Up to `n` things on a surface of `size` = x, z around the frame's origin.
pub(in super::super) fn scatter(m: &mut Maker<'_>, frame: &Frame, size: [f32; 2], n: u32) {
    let outer = m.mesh.instance;
    let mut taken: Vec<[f32; 2]> = Vec::new();
    for _ in 0..3 * n {
        if taken.len() as u32 >= n {
            break;
        }
        let at = [
            0.5 * size[0] * draw(m.rng, -0.9, 0.9),
            0.5 * size[1] * draw(m.rng, -0.9, 0.9),
        ];
        if taken
            .iter()
            .any(|p| (p[0] - at[0]).abs().max((p[1] - at[1]).abs()) < 0.19)
        {
            continue;
        }
        taken.push(at);
        let here = frame.child(vec3(at[0], 0.0, at[1]), draw(m.rng, -0.5, 0.5));
        m.mesh.begin_object(FlatClass::Object);
        match m.rng.below(9) {
            0 | 1 => {
                let y = pile(m, &here);
                if m.rng.chance(0.3) {
                    cup(m, &here.child(Vec3::Y * y, 0.0));
                }
            }
            2 => {
                let tall = draw(m.rng, 0.14, 0.3);
                vase(m, &here, tall);
            }
            3 => bowl(m, &here),
            4 => cup(m, &here),
            5 => small_frame(m, &here),
            6 => {
                let tall = draw(m.rng, 0.1, 0.16);
                jar(m, &here, tall);
            }
            7 => {
                let tall = draw(m.rng, 0.2, 0.3);
                plant(m, &here, tall);
            }
            _ => {
                let (w, h, d) = (
                    draw(m.rng, 0.05, 0.09),
                    draw(m.rng, 0.05, 0.12),
                    draw(m.rng, 0.05, 0.08),
                );
                m.label_box(&here, vec3(-w, 0.0, -d), vec3(w, h, d));
            }
        }
    }
    m.mesh.instance = outer;
}

/// Bottles, jars, boxes and cups in a row `width` long around the frame's origin.
pub(in super::super) fn still_things(m: &mut Maker<'_>, frame: &Frame, width: f32, n: u32) {
    let outer = m.mesh.instance;
    let mut x = -0.5 * width + 0.05;
    for _ in 0..n {
        if x > 0.5 * width - 0.03 {
            break;
        }
        let here = frame.child(vec3(x, 0.0, draw(m.rng, -0.02, 0.03)), draw(m.rng, -0.3, 0.3));
        m.mesh.begin_object(FlatClass::Object);
        match m.rng.below(5) {
            0 => {
                let tall = draw(m.rng, 0.18, 0.29);
                bottle(m, &here, tall);
            }
            1 | 2 => {
                let tall = draw(m.rng, 0.1, 0.18);
                jar(m, &here, tall);
            }
            3 => cup(m, &here),
            _ => {
                let (w, h, d) = (
                    draw(m.rng, 0.03, 0.05),
                    draw(m.rng, 0.12, 0.22),
                    draw(m.rng, 0.03, 0.04),
                );
                m.label_box(&here, vec3(-w, 0.0, -d), vec3(w, h, d));
            }
        }
        x += draw(m.rng, 0.11, 0.17);
    }
    m.mesh.instance = outer;
}

/// Boxes, shoes or toys on the floor around the frame's origin, low enough to step over.
pub(in super::super) fn toys(m: &mut Maker<'_>, frame: &Frame) {
    for _ in 0..4 {
        m.mesh.begin_object(FlatClass::Object);
        let here = frame.child(
            vec3(draw(m.rng, -0.3, 0.3), 0.0, draw(m.rng, -0.2, 0.2)),
            draw(m.rng, 0.0, 6.3),
        );
        let s = draw(m.rng, 0.04, 0.07);
        m.label_box(&here, vec3(-s, 0.0, -s), vec3(s, 2.0 * s, s));
    }
}
