//! Pictures, rugs, plants, lamps, clocks.

use glam::{Vec3, vec3};

use super::super::color::{VIVID, count, draw, hex, vary};
use super::super::frame::Frame;
use super::super::mesh::Skin;
use super::super::paint::{LABEL_GRID, PICTURE_GRID};
use super::super::semantics::FlatClass;
use super::Maker;

/// Cell `k` of a sheet with `grid` columns and rows, a little inside its edge.
pub(super) fn sheet_cell(grid: [u32; 2], k: u32) -> [f32; 4] {
    let (w, h) = (1.0 / grid[0] as f32, 1.0 / grid[1] as f32);
    let (i, j) = ((k % grid[0]) as f32, (k / grid[0] % grid[1]) as f32);
    let e = 0.012;
    [(i + e) * w, (j + e) * h, (i + 1.0 - e) * w, (j + 1.0 - e) * h]
}

impl Maker<'_> {
    /// One of the flat's pictures.
    pub(super) fn picture_cell(&mut self) -> (Skin, [f32; 4]) {
        let sheet = *self.rng.pick(&self.kit.pictures);
        let k = self.rng.below(u64::from(PICTURE_GRID[0] * PICTURE_GRID[1])) as u32;
        (sheet, sheet_cell(PICTURE_GRID, k))
    }

    /// One of the flat's labels.
    pub(super) fn label_cell(&mut self) -> (Skin, [f32; 4]) {
        let k = self.rng.below(u64::from(LABEL_GRID[0] * LABEL_GRID[1])) as u32;
        (self.kit.labels, sheet_cell(LABEL_GRID, k))
    }

    /// A carton with a label on its front and top.
    pub(super) fn label_box(&mut self, frame: &Frame, low: Vec3, high: Vec3) {
        let tint = *self.rng.pick(&VIVID);
        let skin = self.kit.enamel(vary(self.rng, tint, 0.05));
        self.mesh.cuboid(frame, low, high, &skin);
        let (sheet, cell) = self.label_cell();
        let (d, e) = (high - low, 0.0015);
        self.mesh.picture(
            frame,
            vec3(low.x, low.y, high.z + e),
            Vec3::X * d.x,
            Vec3::Y * d.y,
            &sheet,
            cell,
        );
        self.mesh.picture(
            frame,
            vec3(low.x, high.y + e, high.z),
            Vec3::X * d.x,
            -Vec3::Z * d.z,
            &sheet,
            cell,
        );
    }
}

/// A framed picture of `size` = width, height; the frame is its centre on the wall. `k` picks the
/// picture, so that a flat does not show the same one twice.
pub(in super::super) fn framed_picture(m: &mut Maker<'_>, frame: &Frame, size: [f32; 2], k: u32) {
    m.mesh.begin_object(FlatClass::Picture);
    let per_sheet = PICTURE_GRID[0] * PICTURE_GRID[1];
    let sheet = m.kit.pictures[(k / per_sheet) as usize % 3];
    let cell = sheet_cell(PICTURE_GRID, k % per_sheet);
    let (w, h) = (0.5 * size[0], 0.5 * size[1]);
    let border = draw(m.rng, 0.018, 0.035);
    let wood = match m.rng.below(4) {
        0 => m.kit.enamel(hex(0x1B1B1D)),
        1 => m.kit.enamel(hex(0xEFECE4)),
        2 => m.kit.enamel(hex(0xB08D4A)),
        _ => m.kit.board(1, m.rng),
    };
    m.mesh
        .faces(frame, vec3(-w, -h, 0.0), vec3(-w + border, h, 0.03), &wood, 0b01_1111);
    m.mesh
        .faces(frame, vec3(w - border, -h, 0.0), vec3(w, h, 0.03), &wood, 0b01_1111);
    m.mesh.faces(
        frame,
        vec3(-w + border, h - border, 0.0),
        vec3(w - border, h, 0.03),
        &wood,
        0b01_1100,
    );
    m.mesh.faces(
        frame,
        vec3(-w + border, -h, 0.0),
        vec3(w - border, -h + border, 0.03),
        &wood,
        0b01_1100,
    );
    let mat = if m.rng.chance(0.45) {
        draw(m.rng, 0.12, 0.2) * size[0].min(size[1])
    } else {
        0.0
    };
    let (iw, ih) = (w - border, h - border);
    if mat > 0.0 {
        let paper = m.kit.enamel(hex(0xF3EFE6));
        m.mesh
            .faces(frame, vec3(-iw, -ih, 0.0), vec3(iw, ih, 0.012), &paper, 0b01_0000);
    }
    let (pw, ph) = (iw - mat, ih - mat);
    m.mesh.picture(
        frame,
        vec3(-pw, -ph, 0.0145),
        Vec3::X * (2.0 * pw),
        Vec3::Y * (2.0 * ph),
        &sheet,
        cell,
    );
}

/// A rug of `size` = x, z around the frame's origin.
pub(in super::super) fn rug(m: &mut Maker<'_>, frame: &Frame, size: [f32; 2]) {
    m.mesh.begin_object(FlatClass::Rug);
    let skin = *m.rng.pick(&m.kit.rugs);
    let tint = vary(m.rng, [0.94; 3], 0.03);
    let skin = skin.tinted(tint);
    let (w, d, t) = (0.5 * size[0], 0.5 * size[1], 0.011);
    // The rug's picture is upright: its v runs along the longer side.
    let (nu, nv) = ((size[0] / 0.25) as usize + 2, (size[1] / 0.25) as usize + 2);
    let is_wide = size[0] > size[1];
    m.mesh.grid(frame, &skin, nu, nv, |i, j| {
        let (s, v) = (i as f32 / (nu - 1) as f32, j as f32 / (nv - 1) as f32);
        let uv = if is_wide {
            glam::vec2(v, s)
        } else {
            glam::vec2(s, 1.0 - v)
        };
        (vec3(-w + size[0] * s, t, d - size[1] * v), Vec3::Y, uv)
    });
    let fringe = m.kit.enamel(hex(0xD9CDB4));
    m.mesh
        .faces(frame, vec3(-w, 0.0, -d), vec3(w, t - 0.0005, d), &fringe, 0b11_0011);
}

/// A potted plant about `height` high around the frame's origin.
pub(in super::super) fn plant(m: &mut Maker<'_>, frame: &Frame, height: f32) {
    m.mesh.begin_object(FlatClass::Plant);
    let color = *m
        .rng
        .pick(&[hex(0xB5623F), hex(0xE8E4DA), hex(0x2E4A56), hex(0x8A8578)]);
    let pot = m.kit.enamel(color);
    let r = (0.17 * height).clamp(0.05, 0.18);
    let rim = 1.6 * r;
    m.mesh.lathe(
        frame,
        Vec3::ZERO,
        &[
            (0.0, 0.0),
            (0.7 * r, 0.0),
            (r, rim),
            (0.9 * r, rim),
            (0.88 * r, 0.9 * rim),
            (0.0, 0.9 * rim),
        ],
        16,
        &pot,
    );
    let stem = m.kit.enamel(hex(0x5B4A2E));
    let trunk = rim + draw(m.rng, 0.1, 0.35) * (height - rim);
    m.mesh.bar(
        frame,
        vec3(0.0, 0.9 * rim, 0.0),
        vec3(0.0, trunk, 0.0),
        0.06 * r + 0.006,
        6,
        &stem,
    );
    let leaves = if height > 0.5 {
        count(m.rng, 22, 34)
    } else {
        count(m.rng, 10, 16)
    };
    let broad = draw(m.rng, 0.12, 0.4);
    for k in 0..leaves {
        let turn = k as f32 * 2.399_963;
        let from = 0.9 * rim + (trunk - 0.9 * rim) * draw(m.rng, 0.3, 1.0);
        let reach = draw(m.rng, 0.3, 0.55) * height * 0.75;
        let rise = draw(m.rng, 0.1, 0.95) * (height - from);
        let wide = broad * reach;
        let tint = draw(m.rng, 0.75, 1.1);
        let skin = m.kit.leaf.tinted([tint, tint, tint * 0.95]);
        let leaf = frame.child(vec3(0.0, from, 0.0), turn);
        let (sin, cos) = (libm::sinf(draw(m.rng, -0.5, 0.5)), 1.0);
        // v across the leaf, u from stem to tip; the skin's extent is one metre, so uv are stretched to it.
        let size = [1.0, 1.0];
        m.mesh.sheet(&leaf, 6, 3, &skin, size, |s, t| {
            let half = wide * (s * (1.0 - s) * 4.0).max(0.0).sqrt() * 0.5 + 0.004;
            let x = (2.0 * t - 1.0) * half;
            let sag = rise * (1.7 * s - 0.9 * s * s) + 0.05 * wide * (2.0 * t - 1.0) * (2.0 * t - 1.0);
            vec3(x * cos + sin * x * 0.3, sag, reach * s)
        });
    }
}

/// A lamp on a table.
pub(in super::super) fn table_lamp(m: &mut Maker<'_>, frame: &Frame) {
    let outer = m.mesh.instance;
    m.mesh.begin_object(FlatClass::Lamp);
    let color = *m.rng.pick(&VIVID);
    let foot = m.kit.enamel(color);
    m.mesh.lathe(
        frame,
        Vec3::ZERO,
        &[
            (0.0, 0.0),
            (0.07, 0.0),
            (0.08, 0.05),
            (0.03, 0.18),
            (0.012, 0.24),
            (0.0, 0.25),
        ],
        14,
        &foot,
    );
    shade(m, frame, 0.22, 0.12);
    m.mesh.small_lamp(frame, vec3(0.0, 0.42, 0.0));
    m.mesh.instance = outer;
}

fn shade(m: &mut Maker<'_>, frame: &Frame, y: f32, radius: f32) {
    let tint = *m.rng.pick(&[hex(0xF6E9C8), hex(0xF3DDB0), hex(0xE9C9A0)]);
    let skin = m.kit.enamel(tint);
    m.mesh.glow = 0.7;
    let h = 1.35 * radius;
    let profile = [
        (radius, y),
        (0.7 * radius, y + h),
        (0.66 * radius, y + h),
        (0.96 * radius, y + 0.005),
    ];
    m.mesh.lathe(frame, Vec3::ZERO, &profile, 18, &skin);
    m.mesh.glow = 0.0;
}

/// A standing lamp around the frame's origin.
pub(in super::super) fn floor_lamp(m: &mut Maker<'_>, frame: &Frame) {
    m.mesh.begin_object(FlatClass::Lamp);
    let dark = m.kit.enamel(hex(0x2A2826));
    m.mesh.cylinder(frame, Vec3::ZERO, 0.14, 0.025, 18, &dark);
    m.mesh
        .bar(frame, vec3(0.0, 0.02, 0.0), vec3(0.0, 1.45, 0.0), 0.013, 8, &dark);
    shade(m, frame, 1.35, 0.2);
    m.mesh.small_lamp(frame, vec3(0.0, 1.68, 0.0));
}

/// A lamp that hangs from the ceiling at the frame's origin.
pub(in super::super) fn ceiling_lamp(m: &mut Maker<'_>, frame: &Frame, drop: f32) {
    m.mesh.begin_object(FlatClass::Lamp);
    let dark = m.kit.enamel(hex(0x2A2826));
    m.mesh.cylinder(frame, vec3(0.0, -0.03, 0.0), 0.06, 0.03, 14, &dark);
    m.mesh
        .bar(frame, vec3(0.0, -drop, 0.0), vec3(0.0, -0.02, 0.0), 0.006, 6, &dark);
    shade(m, &frame.child(vec3(0.0, -drop - 0.2, 0.0), 0.0), 0.0, 0.2);
}

/// A wall clock; the frame is its centre on the wall.
pub(in super::super) fn clock(m: &mut Maker<'_>, frame: &Frame) {
    m.mesh.begin_object(FlatClass::Clock);
    let disc = frame.tipped(std::f32::consts::FRAC_PI_2);
    m.mesh
        .cylinder(&disc, Vec3::ZERO, 0.16, 0.03, 24, &m.kit.enamel(hex(0x2B2B2E)));
    m.mesh
        .cylinder(&disc, Vec3::Y * 0.03, 0.14, 0.003, 24, &m.kit.enamel(hex(0xF2EFE6)));
    let dark = m.kit.enamel(hex(0x1B1B1D));
    for k in 0..12 {
        let angle = k as f32 * std::f32::consts::FRAC_PI_6;
        let (sin, cos) = (libm::sinf(angle), libm::cosf(angle));
        let at = vec3(0.118 * sin, 0.118 * cos, 0.034);
        m.mesh.faces(
            frame,
            at - vec3(0.008, 0.012, 0.0),
            at + vec3(0.008, 0.012, 0.003),
            &dark,
            0b01_1111,
        );
    }
    let turn = draw(m.rng, 0.0, std::f32::consts::TAU);
    for (length, angle) in [(0.1, turn), (0.065, turn * 3.3)] {
        let tip = vec3(length * libm::sinf(angle), length * libm::cosf(angle), 0.038);
        m.mesh.bar(frame, vec3(0.0, 0.0, 0.038), tip, 0.006, 4, &dark);
    }
}
