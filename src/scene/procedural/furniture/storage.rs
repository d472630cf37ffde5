//! Bookcases, wardrobes, dressers, media units, shelves.

use glam::{Vec3, vec3};

use super::super::color::{VIVID, count, draw, hex, vary};
use super::super::frame::Frame;
use super::super::mesh::Skin;
use super::super::semantics::FlatClass;
use super::{Maker, books_upright, scatter};

/// A bookcase of `size` = width, height, 0.3 m deep, full of books and things.
pub(in super::super) fn bookcase(m: &mut Maker<'_>, frame: &Frame, size: [f32; 2]) {
    m.mesh.begin_object(FlatClass::Bookcase);
    let skin = if m.rng.chance(0.35) {
        m.kit.enamel(hex(0xECE8DF))
    } else {
        m.kit.board(1, m.rng)
    };
    let ([w, h], d, t) = ([0.5 * size[0], size[1]], 0.3, 0.025);
    m.mesh.cuboid(frame, vec3(-w, 0.0, 0.0), vec3(-w + t, h, d), &skin);
    m.mesh.cuboid(frame, vec3(w - t, 0.0, 0.0), vec3(w, h, d), &skin);
    m.mesh.faces(
        frame,
        vec3(-w + t, 0.0, 0.0),
        vec3(w - t, h, 0.015),
        &skin.tinted([0.75; 3]),
        0b01_0000,
    );
    m.mesh.cuboid(frame, vec3(-w, h, 0.0), vec3(w, h + t, d + 0.01), &skin);
    let shelves = (h / 0.34).round() as usize;
    let pitch = (h - 0.08) / shelves as f32;
    m.mesh.faces(
        frame,
        vec3(-w + t, 0.0, 0.02),
        vec3(w - t, 0.08, d - 0.015),
        &skin,
        0b01_0000,
    );
    for k in 0..shelves {
        let y = 0.08 + pitch * k as f32;
        m.mesh
            .cuboid(frame, vec3(-w + t, y - t, 0.012), vec3(w - t, y, d), &skin);
        let shelf = frame.child(vec3(0.0, y, 0.03), 0.0);
        fill_shelf(m, &shelf, size[0] - 2.0 * t, pitch - t);
    }
    scatter(m, &frame.child(vec3(0.0, h + t, 0.15), 0.0), [size[0] - 0.1, 0.22], 3);
}

/// Books with gaps for objects on a shelf `width` wide with `height` of free space.
fn fill_shelf(m: &mut Maker<'_>, frame: &Frame, width: f32, height: f32) {
    let mut x = -0.5 * width + 0.01;
    while x < 0.5 * width - 0.06 {
        let stretch = draw(m.rng, 0.15, 0.5).min(0.5 * width - 0.01 - x);
        if m.rng.chance(0.78) {
            books_upright(m, frame, [x, x + stretch], height);
        } else {
            scatter(
                m,
                &frame.child(vec3(x + 0.5 * stretch, 0.0, 0.12), 0.0),
                [stretch, 0.18],
                2,
            );
        }
        x += stretch + 0.012;
    }
}

/// Doors or drawers on the front of a box: `grid` = columns, rows.
pub(super) fn fronts(
    m: &mut Maker<'_>,
    frame: &Frame,
    low: Vec3,
    high: Vec3,
    grid: [u32; 2],
    skin: &Skin,
    is_drawer: bool,
) {
    let handle = m
        .kit
        .enamel(*m.rng.pick(&[hex(0x2A2A2C), hex(0xB08D4A), hex(0xC9CBCD)]));
    let (w, h) = ((high.x - low.x) / grid[0] as f32, (high.y - low.y) / grid[1] as f32);
    for j in 0..grid[1] {
        for i in 0..grid[0] {
            let (x, y) = (low.x + w * i as f32, low.y + h * j as f32);
            let z = high.z;
            let tint = vary(m.rng, [0.93; 3], 0.02);
            let offset = [draw(m.rng, 0.0, 1.0), draw(m.rng, 0.0, 1.0)];
            let face = skin.tinted(tint).shifted(offset);
            let gap = 0.006;
            m.mesh.faces(
                frame,
                vec3(x + gap, y + gap, z),
                vec3(x + w - gap, y + h - gap, z + 0.018),
                &face,
                0b01_1111,
            );
            if h > 0.35 && w > 0.25 {
                let e = 0.06;
                m.mesh.faces(
                    frame,
                    vec3(x + e, y + e, z + 0.018),
                    vec3(x + w - e, y + h - e, z + 0.028),
                    &face.tinted([0.9; 3]),
                    0b01_1111,
                );
            }
            if is_drawer {
                let c = x + 0.5 * w;
                m.mesh.cuboid(
                    frame,
                    vec3(c - 0.06, y + 0.62 * h, z + 0.018),
                    vec3(c + 0.06, y + 0.62 * h + 0.014, z + 0.045),
                    &handle,
                );
            } else {
                let c = if i % 2 == 0 { x + w - 0.045 } else { x + 0.045 };
                let mid = y + 0.5 * h;
                m.mesh.cuboid(
                    frame,
                    vec3(c - 0.008, mid - 0.07, z + 0.018),
                    vec3(c + 0.008, mid + 0.07, z + 0.045),
                    &handle,
                );
            }
        }
    }
}

/// A body with a dark gap behind its fronts.
fn carcass(m: &mut Maker<'_>, frame: &Frame, low: Vec3, high: Vec3, skin: &Skin) {
    m.mesh.cuboid(frame, low, high, &skin.tinted([0.7; 3]));
    m.mesh.cuboid(
        frame,
        vec3(low.x - 0.012, high.y, low.z),
        vec3(high.x + 0.012, high.y + 0.025, high.z + 0.03),
        skin,
    );
}

/// A wardrobe, 0.6 m deep and 2.1 m high.
pub(in super::super) fn wardrobe(m: &mut Maker<'_>, frame: &Frame, width: f32) {
    m.mesh.begin_object(FlatClass::Wardrobe);
    let skin = if m.rng.chance(0.4) {
        m.kit.enamel(hex(0xE6E2D8))
    } else {
        m.kit.board(0, m.rng)
    };
    let w = 0.5 * width - 0.015;
    carcass(m, frame, vec3(-w, 0.0, 0.0), vec3(w, 2.05, 0.57), &skin);
    let doors = (width / 0.48).round().max(2.0) as u32;
    fronts(
        m,
        frame,
        vec3(-w, 0.32, 0.0),
        vec3(w, 2.04, 0.57),
        [doors, 1],
        &skin,
        false,
    );
    fronts(
        m,
        frame,
        vec3(-w, 0.06, 0.0),
        vec3(w, 0.31, 0.57),
        [doors / 2, 1],
        &skin,
        true,
    );
    for k in 0..2 {
        let x = -0.3 + 0.6 * k as f32;
        let top = 2.075 + draw(m.rng, 0.14, 0.24);
        m.label_box(frame, vec3(x - 0.2, 2.075, 0.1), vec3(x + 0.18, top, 0.5));
    }
}

/// A chest of drawers, 0.45 m deep, 0.85 m high, with things on top.
pub(in super::super) fn dresser(m: &mut Maker<'_>, frame: &Frame, width: f32) {
    m.mesh.begin_object(FlatClass::Dresser);
    let skin = m.kit.board(0, m.rng);
    let w = 0.5 * width - 0.015;
    carcass(m, frame, vec3(-w, 0.08, 0.0), vec3(w, 0.82, 0.42), &skin);
    for x in [-w + 0.05, w - 0.05] {
        for z in [0.05, 0.37] {
            m.leg(frame, vec3(x, 0.0, z), vec3(x, 0.08, z), 0.022, &skin);
        }
    }
    let columns = if width > 0.8 { 2 } else { 1 };
    fronts(
        m,
        frame,
        vec3(-w, 0.1, 0.0),
        vec3(w, 0.81, 0.42),
        [columns, 4],
        &skin,
        true,
    );
    scatter(m, &frame.child(vec3(0.0, 0.845, 0.22), 0.0), [width - 0.15, 0.3], 7);
}

/// A low unit with a television above.
pub(in super::super) fn media_unit(m: &mut Maker<'_>, frame: &Frame, width: f32) {
    m.mesh.begin_object(FlatClass::MediaUnit);
    let skin = m.kit.board(1, m.rng);
    let w = 0.5 * width - 0.015;
    carcass(m, frame, vec3(-w, 0.1, 0.0), vec3(w, 0.46, 0.4), &skin);
    for x in [-w + 0.06, w - 0.06] {
        for z in [0.06, 0.34] {
            m.leg(frame, vec3(x, 0.0, z), vec3(x, 0.1, z), 0.02, &skin);
        }
    }
    let doors = count(m.rng, 3, 4);
    fronts(
        m,
        frame,
        vec3(-w, 0.11, 0.0),
        vec3(w, 0.45, 0.4),
        [doors, 1],
        &skin,
        false,
    );
    let black = m.kit.enamel(hex(0x151619));
    let half = (0.5 * width - 0.25).clamp(0.35, 0.6);
    m.mesh
        .cuboid(frame, vec3(-0.2, 0.485, 0.1), vec3(0.2, 0.5, 0.3), &black);
    m.mesh
        .cuboid(frame, vec3(-0.03, 0.5, 0.17), vec3(0.03, 0.56, 0.21), &black);
    m.mesh.cuboid(
        frame,
        vec3(-half, 0.55, 0.17),
        vec3(half, 0.57 + 1.15 * half, 0.21),
        &black,
    );
    let (sheet, cell) = m.picture_cell();
    let (tw, th) = (2.0 * half - 0.04, 1.15 * half - 0.02);
    m.mesh.picture(
        frame,
        vec3(-half + 0.02, 0.57, 0.212),
        Vec3::X * tw,
        Vec3::Y * th,
        &sheet,
        cell,
    );
    for s in [-1.0, 1.0f32] {
        scatter(
            m,
            &frame.child(vec3(s * (0.5 * width - 0.14), 0.486, 0.22), 0.0),
            [0.2, 0.28],
            3,
        );
    }
}

/// A shelf on a wall with books and things; the frame is its centre on the wall.
pub(in super::super) fn wall_shelf(m: &mut Maker<'_>, frame: &Frame, width: f32) {
    m.mesh.begin_object(FlatClass::Shelf);
    let skin = m.kit.board(0, m.rng);
    let w = 0.5 * width;
    m.mesh.cuboid(frame, vec3(-w, -0.14, 0.0), vec3(w, -0.115, 0.22), &skin);
    for x in [-w + 0.12, w - 0.12] {
        m.mesh.cuboid(
            frame,
            vec3(x - 0.01, -0.24, 0.0),
            vec3(x + 0.01, -0.14, 0.16),
            &m.kit.enamel(hex(0x2B2B2E)),
        );
    }
    fill_shelf(m, &frame.child(vec3(0.0, -0.115, 0.02), 0.0), width - 0.04, 0.3);
}

/// Coats and bags on a board; the frame is the board's centre on the wall.
pub(in super::super) fn coat_rack(m: &mut Maker<'_>, frame: &Frame, width: f32) {
    m.mesh.begin_object(FlatClass::CoatRack);
    let skin = m.kit.board(1, m.rng);
    let w = 0.5 * width;
    m.mesh.cuboid(frame, vec3(-w, -0.06, 0.0), vec3(w, 0.06, 0.025), &skin);
    let n = (width / 0.2) as usize;
    for k in 0..n {
        let x = width * ((k as f32 + 0.5) / n as f32 - 0.5);
        m.mesh.bar(
            frame,
            vec3(x, 0.0, 0.02),
            vec3(x, 0.03, 0.08),
            0.01,
            6,
            &m.kit.enamel(hex(0x333336)),
        );
        if m.rng.chance(0.75) {
            let tint = *m.rng.pick(&VIVID);
            let coat = m.cloth().tinted(vary(m.rng, tint.map(|c| 0.4 + 0.6 * c), 0.04));
            let drop = draw(m.rng, 0.45, 0.95);
            let reach = draw(m.rng, 0.08, 0.11);
            m.mesh.rounded(
                frame,
                vec3(x - reach, -drop, 0.025),
                vec3(x + reach, 0.0, 0.13),
                0.05,
                0.015,
                &coat,
            );
        }
    }
}
