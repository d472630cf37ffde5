//! Sofas, armchairs, chairs, poufs.

use glam::{Vec3, vec3};

use super::super::color::{Rgb, draw, hex, vary};
use super::super::frame::Frame;
use super::super::mesh::Skin;
use super::super::semantics::FlatClass;
use super::Maker;

impl Maker<'_> {
    /// A cloth from a random place of its texture.
    pub(super) fn cloth(&mut self) -> Skin {
        let skin = *self.rng.pick(&self.kit.cloths);
        let offset = [draw(self.rng, 0.0, 1.0), draw(self.rng, 0.0, 1.0)];
        let tint = vary(self.rng, [0.92; 3], 0.03);
        skin.shifted(offset).tinted(tint)
    }

    /// A calm cloth for large pieces.
    pub(super) fn upholstery(&mut self) -> Skin {
        let k = *self.rng.pick(&[0usize, 1, 3, 4]);
        let offset = [draw(self.rng, 0.0, 1.0), draw(self.rng, 0.0, 1.0)];
        self.kit.cloths[k].shifted(offset)
    }

    /// A thin leg from the floor to `top`.
    pub(super) fn leg(&mut self, frame: &Frame, foot: Vec3, top: Vec3, radius: f32, skin: &Skin) {
        self.mesh.bar(frame, foot, top, radius, 8, skin);
    }

    fn pillow(&mut self, frame: &Frame, at: Vec3, size: f32, lean: f32) {
        let skin = self.cloth();
        let turn = draw(self.rng, -0.3, 0.3);
        let tipped = frame.child(at, turn).tipped(-lean);
        let (h, t) = (0.5 * size, 0.055);
        self.mesh
            .rounded(&tipped, vec3(-h, 0.0, -t), vec3(h, size, t), 0.05, 0.035, &skin);
    }
}

/// A sofa `width` wide and 0.9 m deep, with cushions, pillows and sometimes a throw.
pub(in super::super) fn sofa(m: &mut Maker<'_>, frame: &Frame, width: f32) {
    m.mesh.begin_object(FlatClass::Sofa);
    let skin = m.upholstery();
    let wood = m.kit.board(1, m.rng);
    let (w, d, arm) = (0.5 * width, 0.9, 0.17);
    for (x, z) in [(-w + 0.1, 0.1), (w - 0.1, 0.1), (-w + 0.1, d - 0.1), (w - 0.1, d - 0.1)] {
        m.leg(frame, vec3(x, 0.0, z), vec3(x, 0.14, z), 0.025, &wood);
    }
    m.mesh
        .rounded(frame, vec3(-w, 0.12, 0.03), vec3(w, 0.3, d - 0.02), 0.03, 0.0, &skin);
    m.mesh
        .rounded(frame, vec3(-w, 0.28, 0.03), vec3(w, 0.8, 0.24), 0.06, 0.0, &skin);
    for s in [-1.0, 1.0f32] {
        let (a, b) = if s < 0.0 { (-w, -w + arm) } else { (w - arm, w) };
        m.mesh
            .rounded(frame, vec3(a, 0.28, 0.06), vec3(b, 0.6, d), 0.06, 0.0, &skin);
    }
    let n = ((width - 2.0 * arm) / 0.68).round().max(1.0) as usize;
    let seat = (width - 2.0 * arm) / n as f32;
    for k in 0..n {
        let x = -w + arm + seat * k as f32;
        m.mesh.rounded(
            frame,
            vec3(x + 0.005, 0.29, 0.22),
            vec3(x + seat - 0.005, 0.44, d + 0.01),
            0.05,
            0.02,
            &skin,
        );
        let back = frame.child(vec3(x + 0.5 * seat, 0.44, 0.27), 0.0).tipped(-0.16);
        let h = 0.5 * seat - 0.01;
        m.mesh
            .rounded(&back, vec3(-h, 0.0, -0.05), vec3(h, 0.42, 0.09), 0.05, 0.03, &skin);
    }
    for k in 0..n + 1 {
        if m.rng.chance(0.8) {
            let x = -w + arm + 0.14 + (width - 2.0 * arm - 0.28) * k as f32 / n as f32;
            let size = draw(m.rng, 0.36, 0.46);
            m.pillow(frame, vec3(x, 0.45, 0.46), size, 0.35);
        }
    }
    if m.rng.chance(0.6) {
        let throw = m.cloth();
        let x = draw(m.rng, -w + 0.3, w - 0.7);
        m.mesh.rounded(
            frame,
            vec3(x, 0.452, 0.4),
            vec3(x + 0.42, 0.474, d + 0.03),
            0.01,
            0.0,
            &throw,
        );
        m.mesh.rounded(
            frame,
            vec3(x, 0.1, d + 0.012),
            vec3(x + 0.42, 0.474, d + 0.034),
            0.01,
            0.0,
            &throw,
        );
    }
}

/// An armchair 0.8 m wide and deep.
pub(in super::super) fn armchair(m: &mut Maker<'_>, frame: &Frame) {
    m.mesh.begin_object(FlatClass::Armchair);
    let skin = m.cloth();
    let wood = m.kit.board(0, m.rng);
    for (x, z) in [(-0.3, 0.1), (0.3, 0.1), (-0.3, 0.7), (0.3, 0.7)] {
        m.leg(frame, vec3(x * 1.1, 0.0, z), vec3(x, 0.2, z), 0.02, &wood);
    }
    m.mesh.rounded(
        frame,
        vec3(-0.28, 0.18, 0.12),
        vec3(0.28, 0.44, 0.78),
        0.06,
        0.02,
        &skin,
    );
    let back = frame.child(vec3(0.0, 0.3, 0.16), 0.0).tipped(-0.18);
    m.mesh.rounded(
        &back,
        vec3(-0.36, 0.0, -0.07),
        vec3(0.36, 0.62, 0.08),
        0.07,
        0.02,
        &skin,
    );
    for s in [-1.0, 1.0f32] {
        let x = 0.33 * s;
        m.mesh.rounded(
            frame,
            vec3(x - 0.06, 0.2, 0.1),
            vec3(x + 0.06, 0.58, 0.74),
            0.05,
            0.0,
            &skin,
        );
    }
    m.pillow(frame, vec3(0.0, 0.45, 0.42), 0.38, 0.3);
}

/// A chair 0.44 m wide; its back is at z = 0 and the sitter looks along z.
pub(in super::super) fn chair(m: &mut Maker<'_>, frame: &Frame, color: Option<Rgb>) {
    m.mesh.begin_object(FlatClass::Chair);
    let wood = match color {
        Some(color) => m.kit.enamel(color),
        None => m.kit.board(0, m.rng),
    };
    for (x, z) in [(-0.18, 0.4), (0.18, 0.4)] {
        m.leg(frame, vec3(x * 1.1, 0.0, z + 0.02), vec3(x, 0.44, z), 0.016, &wood);
    }
    for x in [-0.18, 0.18f32] {
        m.leg(frame, vec3(x * 1.1, 0.0, -0.01), vec3(x, 0.44, 0.04), 0.016, &wood);
        m.leg(frame, vec3(x, 0.44, 0.04), vec3(x, 0.9, -0.01), 0.015, &wood);
    }
    m.mesh.rounded(
        frame,
        vec3(-0.22, 0.43, 0.0),
        vec3(0.22, 0.465, 0.44),
        0.015,
        0.0,
        &wood,
    );
    m.mesh.rounded(
        frame,
        vec3(-0.2, 0.78, -0.015),
        vec3(0.2, 0.92, 0.012),
        0.012,
        0.0,
        &wood,
    );
    for k in 0..5 {
        let x = -0.13 + 0.065 * k as f32;
        m.leg(frame, vec3(x, 0.46, 0.035), vec3(x, 0.8, 0.0), 0.008, &wood);
    }
    if m.rng.chance(0.5) {
        let skin = m.cloth();
        m.mesh.rounded(
            frame,
            vec3(-0.19, 0.465, 0.03),
            vec3(0.19, 0.5, 0.42),
            0.015,
            0.008,
            &skin,
        );
    }
}

/// A round knitted pouf around the frame's origin.
pub(in super::super) fn pouf(m: &mut Maker<'_>, frame: &Frame) {
    m.mesh.begin_object(FlatClass::Pouf);
    let skin = m.cloth();
    let profile = [
        (0.0, 0.0),
        (0.2, 0.0),
        (0.27, 0.1),
        (0.28, 0.2),
        (0.24, 0.32),
        (0.13, 0.38),
        (0.0, 0.385),
    ];
    m.mesh.lathe(frame, Vec3::ZERO, &profile, 18, &skin);
    let seam = m.kit.enamel(hex(0x4A443C));
    m.mesh.cylinder(frame, vec3(0.0, 0.384, 0.0), 0.03, 0.008, 10, &seam);
}
