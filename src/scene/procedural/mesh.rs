//! Triangles under construction: every surface is a grid of vertices with normals, which the light
//! bake needs, and every large piece leaves a box that casts shade.

use std::collections::BTreeMap;

use glam::{Vec2, Vec3, vec2, vec3};

use super::color::{Rgb, times};
use super::frame::Frame;
use super::semantics::FlatClass;

/// How a surface is covered.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Skin {
    /// Index of the material.
    pub(super) material: usize,
    /// Multiplies the texture.
    pub(super) tint: Rgb,
    /// Metres that the texture covers along u and v.
    pub(super) extent: [f32; 2],
    /// Where on the texture the piece begins, so that no two pieces look the same.
    pub(super) offset: [f32; 2],
    /// True where u has to run along the longer side (wood).
    pub(super) has_grain: bool,
}

impl Skin {
    /// The same with another tint on top.
    pub(super) fn tinted(self, tint: Rgb) -> Self {
        Self {
            tint: times(self.tint, tint),
            ..self
        }
    }

    /// The same from another place of the texture.
    pub(super) fn shifted(self, offset: [f32; 2]) -> Self {
        Self { offset, ..self }
    }

    /// Texture coordinates `u` to the right and `v` up, both in metres.
    fn uv(&self, u: f32, v: f32) -> Vec2 {
        vec2(self.offset[0] + u / self.extent[0], self.offset[1] - v / self.extent[1])
    }
}

/// A vertex that waits for its light.
#[derive(Debug, Clone, Copy)]
pub(super) struct Vertex {
    pub(super) position: Vec3,
    pub(super) normal: Vec3,
    pub(super) uv: Vec2,
    pub(super) tint: Rgb,
    pub(super) room: u16,
    /// Share of the surface's own brightness: 1 for lamps and the outside.
    pub(super) glow: f32,
    /// True for walls, floors and ceilings: under furniture they lie in full shade.
    pub(super) is_shell: bool,
}

/// An axis-aligned box that blocks light.
#[derive(Debug, Clone, Copy)]
pub(super) struct Blocker {
    pub(super) min: Vec3,
    pub(super) max: Vec3,
    pub(super) room: u16,
}

/// Triangles of one material and one object.
#[derive(Debug, Default)]
pub(super) struct Part {
    pub(super) vertices: Vec<Vertex>,
    pub(super) indices: Vec<u32>,
}

/// All triangles of the flat.
#[derive(Debug, Default)]
pub(super) struct Mesh {
    /// Parts by (material, instance).
    pub(super) parts: BTreeMap<(usize, u32), Part>,
    pub(super) blockers: Vec<Blocker>,
    /// Floor and table lamps: the room and the world place of the light.
    pub(super) small_lamps: Vec<(u16, Vec3)>,
    /// Room that new vertices belong to.
    pub(super) room: u16,
    /// World height of the storey under construction, whose pieces are built as if its floor were at y = 0.
    pub(super) lift: f32,
    /// Object that new vertices belong to.
    pub(super) instance: u32,
    /// Own brightness of new vertices.
    pub(super) glow: f32,
    /// Whether new vertices belong to walls, floors or ceilings.
    pub(super) is_shell: bool,
    /// Class of each object; object `k` is at `k - 1`.
    pub(super) classes: Vec<FlatClass>,
}

/// Grid nodes over [`low`, `high`] no further apart than `cell`.
pub(super) fn steps(low: f32, high: f32, cell: f32) -> Vec<f32> {
    let n = ((high - low) / cell).ceil().max(1.0) as usize;
    (0..=n).map(|k| low + (high - low) * k as f32 / n as f32).collect()
}

/// Largest distance between vertices on furniture, metres.
const FURNITURE_CELL: f32 = 0.45;

impl Mesh {
    /// Starts a new object.
    pub(super) fn begin_object(&mut self, class: FlatClass) {
        self.classes.push(class);
        self.instance = self.classes.len() as u32;
    }

    /// Adds an `nu` x `nv` grid (counted in nodes); `at` gives local position, normal and texture
    /// coordinates. u has to run to the right and v upwards seen from the front.
    pub(super) fn grid(
        &mut self,
        frame: &Frame,
        skin: &Skin,
        nu: usize,
        nv: usize,
        at: impl Fn(usize, usize) -> (Vec3, Vec3, Vec2),
    ) {
        self.grid_where(frame, skin, [nu, nv], |_, _| true, at);
    }

    /// [`Self::grid`] with only those cells that `keep` names.
    pub(super) fn grid_where(
        &mut self,
        frame: &Frame,
        skin: &Skin,
        [nu, nv]: [usize; 2],
        keep: impl Fn(usize, usize) -> bool,
        at: impl Fn(usize, usize) -> (Vec3, Vec3, Vec2),
    ) {
        let (room, glow, is_shell) = (self.room, self.glow, self.is_shell);
        let lift = Vec3::Y * self.lift;
        let part = self.parts.entry((skin.material, self.instance)).or_default();
        let base = part.vertices.len() as u32;
        for j in 0..nv {
            for i in 0..nu {
                let (position, normal, uv) = at(i, j);
                part.vertices.push(Vertex {
                    position: frame.point(position) + lift,
                    normal: frame.direction(normal),
                    uv,
                    tint: skin.tint,
                    room,
                    glow,
                    is_shell,
                });
            }
        }
        for j in 0..nv - 1 {
            for i in 0..nu - 1 {
                if !keep(i, j) {
                    continue;
                }
                let a = base + (j * nu + i) as u32;
                let (b, c, d) = (a + 1, a + nu as u32 + 1, a + nu as u32);
                for t in [[a, b, c], [a, c, d]] {
                    let p = t.map(|k| part.vertices[k as usize].position);
                    if (p[1] - p[0]).cross(p[2] - p[0]).length_squared() > 1e-14 {
                        part.indices.extend(t);
                    }
                }
            }
        }
    }

    /// A rectangle with corner `corner` (bottom left seen from the front), edges `right` and `up`.
    pub(super) fn rectangle(&mut self, frame: &Frame, corner: Vec3, right: Vec3, up: Vec3, skin: &Skin) {
        let (w, h) = (right.length(), up.length());
        let (us, vs) = (steps(0.0, w, FURNITURE_CELL), steps(0.0, h, FURNITURE_CELL));
        let normal = right.cross(up).normalize_or_zero();
        let turn = skin.has_grain && h > w;
        self.grid(frame, skin, us.len(), vs.len(), |i, j| {
            let (u, v) = (us[i], vs[j]);
            let uv = if turn { skin.uv(v, u) } else { skin.uv(u, v) };
            (corner + right * (u / w) + up * (v / h), normal, uv)
        });
    }

    /// A rectangle that shows the part `cell` = [u0, v0, u1, v1] of the texture upright.
    pub(super) fn picture(&mut self, frame: &Frame, corner: Vec3, right: Vec3, up: Vec3, skin: &Skin, cell: [f32; 4]) {
        let normal = right.cross(up).normalize_or_zero();
        let n = |length: f32| if length > 1.0 { 4 } else { 2 };
        let (nu, nv) = (n(right.length()), n(up.length()));
        self.grid(frame, skin, nu, nv, |i, j| {
            let (s, t) = (i as f32 / (nu - 1) as f32, j as f32 / (nv - 1) as f32);
            let uv = vec2(cell[0] + (cell[2] - cell[0]) * s, cell[3] + (cell[1] - cell[3]) * t);
            (corner + right * s + up * t, normal, uv)
        });
    }

    /// A box from `min` to `max` with all six faces.
    pub(super) fn cuboid(&mut self, frame: &Frame, min: Vec3, max: Vec3, skin: &Skin) {
        self.faces(frame, min, max, skin, 0b11_1111);
    }

    /// Chosen faces of a box: bits 0 to 5 are +x, -x, -y, +y, +z, -z.
    pub(super) fn faces(&mut self, frame: &Frame, min: Vec3, max: Vec3, skin: &Skin, which: u8) {
        let d = max - min;
        let (x, y, z) = (vec3(d.x, 0.0, 0.0), vec3(0.0, d.y, 0.0), vec3(0.0, 0.0, d.z));
        let sides = [
            (vec3(max.x, min.y, max.z), -z, y),
            (min, z, y),
            (min, x, z),
            (vec3(min.x, max.y, max.z), x, -z),
            (vec3(min.x, min.y, max.z), x, y),
            (vec3(max.x, min.y, min.z), -x, y),
        ];
        for (k, (corner, right, up)) in sides.into_iter().enumerate() {
            if which >> k & 1 == 1 {
                let skin = skin.shifted([skin.offset[0] + 0.37 * k as f32, skin.offset[1] + 0.23 * k as f32]);
                self.rectangle(frame, corner, right, up, &skin);
            }
        }
        self.shade_box(frame, min, max);
    }

    /// Registers a floor or table lamp whose light is at a local point.
    pub(super) fn small_lamp(&mut self, frame: &Frame, at: Vec3) {
        let place = frame.point(at) + Vec3::Y * self.lift;
        self.small_lamps.push((self.room, place));
    }

    /// Registers a box as a caster of shade, where it is large enough to matter.
    pub(super) fn shade_box(&mut self, frame: &Frame, min: Vec3, max: Vec3) {
        let d = max - min;
        let mut sizes = [d.x, d.y, d.z];
        sizes.sort_by(f32::total_cmp);
        if sizes[1] < 0.12 || sizes[2] < 0.25 {
            return;
        }
        let (a, b) = (frame.point(min), frame.point(max));
        // A turned box is replaced by an aligned one of about its size.
        let turned = frame.axes.x_axis.x.abs().max(frame.axes.x_axis.z.abs()) < 0.99;
        let centre = 0.5 * (a + b) + Vec3::Y * self.lift;
        let half = if turned {
            let r = 0.5 * d.x.min(d.z);
            vec3(r, 0.5 * d.y, r)
        } else {
            (0.5 * (b - a)).abs()
        };
        self.blockers.push(Blocker {
            min: centre - half,
            max: centre + half,
            room: self.room,
        });
    }

    /// A box with round edges of `radius`; `puff` bulges the middle of each face (cushions).
    pub(super) fn rounded(&mut self, frame: &Frame, min: Vec3, max: Vec3, radius: f32, puff: f32, skin: &Skin) {
        let d = max - min;
        let r = radius.min(0.49 * d.min_element());
        let nodes = |length: f32| -> Vec<f32> {
            let mut n = vec![0.0, 0.35 * r, r];
            n.extend(
                steps(r, length - r, FURNITURE_CELL.max(0.25 * length))
                    .into_iter()
                    .skip(1),
            );
            n.extend([length - 0.35 * r, length]);
            if puff > 0.0 {
                n.insert(3, 0.5 * length);
                n.sort_by(f32::total_cmp);
                n.dedup_by(|a, b| (*a - *b).abs() < 1e-4);
            }
            n
        };
        let (inner_low, inner_high) = (min + Vec3::splat(r), max - Vec3::splat(r));
        let (x, y, z) = (Vec3::X, Vec3::Y, Vec3::Z);
        let sides = [
            (vec3(max.x, min.y, max.z), -z, y),
            (min, z, y),
            (min, x, z),
            (vec3(min.x, max.y, max.z), x, -z),
            (vec3(min.x, min.y, max.z), x, y),
            (vec3(max.x, min.y, min.z), -x, y),
        ];
        for (k, (corner, right, up)) in sides.into_iter().enumerate() {
            let (w, h) = (right.dot(d).abs(), up.dot(d).abs());
            let (us, vs) = (nodes(w), nodes(h));
            let skin = skin.shifted([skin.offset[0] + 0.37 * k as f32, skin.offset[1] + 0.23 * k as f32]);
            self.grid(frame, &skin, us.len(), vs.len(), |i, j| {
                let flat = corner + right * us[i] + up * vs[j];
                let core = flat.clamp(inner_low, inner_high);
                let normal = (flat - core).normalize_or_zero();
                let (s, t) = (2.0 * us[i] / w - 1.0, 2.0 * vs[j] / h - 1.0);
                let bulge = puff * (1.0 - s * s) * (1.0 - t * t);
                (
                    core + normal * r + right.cross(up) * bulge,
                    normal,
                    skin.uv(us[i], vs[j]),
                )
            });
        }
        self.shade_box(frame, min + Vec3::splat(0.4 * r), max - Vec3::splat(0.4 * r));
    }

    /// A surface of revolution about the local y axis through `centre`; `profile` lists (radius, height)
    /// from the bottom up along the outside.
    pub(super) fn lathe(&mut self, frame: &Frame, centre: Vec3, profile: &[(f32, f32)], segments: usize, skin: &Skin) {
        let widest = profile.iter().map(|p| p.0).fold(0.0, f32::max);
        let mut along = vec![0.0];
        for pair in profile.windows(2) {
            let (dr, dy) = (pair[1].0 - pair[0].0, pair[1].1 - pair[0].1);
            along.push(along[along.len() - 1] + (dr * dr + dy * dy).sqrt());
        }
        // Every segment of the profile is its own band, so that edges stay sharp.
        for k in 0..profile.len() - 1 {
            let (low, high) = (profile[k], profile[k + 1]);
            let (dr, dy) = (high.0 - low.0, high.1 - low.1);
            let length = (dr * dr + dy * dy).sqrt().max(1e-6);
            self.grid(frame, skin, segments + 1, 2, |i, j| {
                let angle = std::f32::consts::TAU * (i % segments) as f32 / segments as f32;
                let (sin, cos) = (libm::sinf(angle), libm::cosf(angle));
                let (radius, y) = if j == 0 { low } else { high };
                let around = std::f32::consts::TAU * widest * i as f32 / segments as f32;
                (
                    centre + vec3(radius * sin, y, radius * cos),
                    vec3(dy * sin, -dr, dy * cos) / length,
                    skin.uv(around, along[k + j]),
                )
            });
        }
        let (low, high) = (profile[0].1, profile[profile.len() - 1].1);
        let reach = vec3(0.65 * widest, 0.0, 0.65 * widest);
        self.shade_box(frame, centre - reach + Vec3::Y * low, centre + reach + Vec3::Y * high);
    }

    /// An upright cylinder with both ends closed.
    pub(super) fn cylinder(
        &mut self,
        frame: &Frame,
        foot: Vec3,
        radius: f32,
        height: f32,
        segments: usize,
        skin: &Skin,
    ) {
        self.lathe(
            frame,
            foot,
            &[(0.0, 0.0), (radius, 0.0), (radius, height), (0.0, height)],
            segments,
            skin,
        );
    }

    /// A straight bar with `sides` faces and open ends from `from` to `to`.
    pub(super) fn bar(&mut self, frame: &Frame, from: Vec3, to: Vec3, radius: f32, sides: usize, skin: &Skin) {
        let axis = (to - from).normalize_or_zero();
        let helper = if axis.y.abs() < 0.9 { Vec3::Y } else { Vec3::Z };
        let right = axis.cross(helper).normalize_or_zero();
        let front = right.cross(axis);
        let length = (to - from).length();
        self.grid(frame, skin, sides + 1, 2, |i, j| {
            let angle = std::f32::consts::TAU * (i % sides) as f32 / sides as f32;
            let out = front * libm::cosf(angle) + right * libm::sinf(angle);
            let foot = if j == 0 { from } else { to };
            (foot + out * radius, out, skin.uv(j as f32 * length, i as f32 * 0.03))
        });
    }

    /// A curved sheet seen from both sides: needs a double-sided material.
    pub(super) fn sheet(
        &mut self,
        frame: &Frame,
        nu: usize,
        nv: usize,
        skin: &Skin,
        size: [f32; 2],
        at: impl Fn(f32, f32) -> Vec3,
    ) {
        self.grid(frame, skin, nu, nv, |i, j| {
            let (s, t) = (i as f32 / (nu - 1) as f32, j as f32 / (nv - 1) as f32);
            let position = at(s, t);
            let e = 0.02;
            let normal = (at(s + e, t) - at(s - e, t))
                .cross(at(s, t + e) - at(s, t - e))
                .normalize_or_zero();
            (position, normal, skin.uv(s * size[0], t * size[1]))
        });
    }
}
