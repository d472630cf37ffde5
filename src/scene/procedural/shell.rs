//! Floors, ceilings and walls of a room, with skirting boards, cornices and beams.

use glam::{Vec3, vec3};

use super::color::{Rgb, scale};
use super::frame::Frame;
use super::mesh::{Mesh, Skin, steps};
use super::plan::{Rect, Room, SIDES, Side};
use super::semantics::FlatClass;
use super::space::{along_wall, wall_frame, wall_length};
use super::style::{Finish, Kit};

/// Width of the casing around doors, metres; skirting boards end there.
pub(super) const CASING: f32 = 0.07;

/// Openings of one wall in wall coordinates: left, right, bottom, top.
pub(super) fn holes(room: &Room, side: Side) -> Vec<[f32; 4]> {
    room.openings
        .iter()
        .filter(|o| o.side == side)
        .map(|o| {
            let [a, b] = along_wall(&room.rect, side, o.from, o.to);
            [a, b, o.bottom, o.top]
        })
        .collect()
}

/// A hole in the floor or the ceiling of a room: the well of the stairs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Well {
    InFloor(Rect),
    InCeiling(Rect),
}

/// Adds the shell of `room`.
pub(super) fn build(
    mesh: &mut Mesh,
    room: &Room,
    ceiling: f32,
    well: Option<Well>,
    finish: &Finish,
    kit: &Kit,
    cell: f32,
) {
    mesh.is_shell = true;
    let rect = room.rect;
    let (w, d) = (rect.width(), rect.depth());
    let corner = vec3(rect.x0, 0.0, rect.z0);
    // The floor's second axis runs towards -z, the ceiling's towards +z.
    let (floor_hole, ceiling_hole) = match well {
        Some(Well::InFloor(w)) => (
            vec![[w.x0 - rect.x0, w.x1 - rect.x0, rect.z1 - w.z1, rect.z1 - w.z0]],
            Vec::new(),
        ),
        Some(Well::InCeiling(w)) => (
            Vec::new(),
            vec![[w.x0 - rect.x0, w.x1 - rect.x0, w.z0 - rect.z0, w.z1 - rect.z0]],
        ),
        None => (Vec::new(), Vec::new()),
    };
    mesh.begin_object(FlatClass::Floor);
    panel(
        mesh,
        &Frame::WORLD,
        corner + vec3(0.0, 0.0, d),
        [Vec3::X, -Vec3::Z],
        [w, d],
        &floor_hole,
        &finish.floor,
        cell,
        0.0,
    );
    mesh.begin_object(FlatClass::Ceiling);
    panel(
        mesh,
        &Frame::WORLD,
        corner + vec3(0.0, ceiling, 0.0),
        [Vec3::X, Vec3::Z],
        [w, d],
        &ceiling_hole,
        &finish.ceiling,
        cell,
        0.0,
    );
    for (k, side) in SIDES.into_iter().enumerate() {
        mesh.begin_object(FlatClass::Wall);
        let frame = wall_frame(&rect, side);
        let length = wall_length(&rect, side);
        let holes = holes(room, side);
        let split = finish.dado.map_or(0.0, |(_, height)| height);
        let axes = [Vec3::X, Vec3::Y];
        if let Some((skin, height)) = &finish.dado {
            let lower: Vec<[f32; 4]> = holes
                .iter()
                .map(|h| [h[0], h[1], h[2].min(*height), h[3].min(*height)])
                .collect();
            panel(
                mesh,
                &frame,
                Vec3::ZERO,
                axes,
                [length, *height],
                &lower,
                skin,
                cell,
                0.0,
            );
        }
        let upper: Vec<[f32; 4]> = holes
            .iter()
            .map(|h| [h[0], h[1], (h[2] - split).max(0.0), (h[3] - split).max(0.0)])
            .collect();
        panel(
            mesh,
            &frame,
            Vec3::Y * split,
            axes,
            [length, ceiling - split],
            &upper,
            &finish.walls[k],
            cell,
            ceiling,
        );
    }
    mesh.is_shell = false;
    trim(mesh, room, ceiling, well, finish, kit);
}

/// A rectangle of `size` from `corner` with `holes` cut out, in cells no larger than `cell`.
///
/// Texture rows count down from `top` metres above the corner's zero, so that the pattern of a wall
/// begins at its ceiling.
#[allow(
    clippy::too_many_arguments,
    reason = "one call a surface; a struct would only rename the arguments"
)]
fn panel(
    mesh: &mut Mesh,
    frame: &Frame,
    corner: Vec3,
    axes: [Vec3; 2],
    size: [f32; 2],
    holes: &[[f32; 4]],
    skin: &Skin,
    cell: f32,
    top: f32,
) {
    let cuts = |length: f32, edges: Vec<f32>| {
        let mut marks = vec![0.0, length];
        marks.extend(edges.into_iter().filter(|e| *e > 0.01 && *e < length - 0.01));
        marks.sort_by(f32::total_cmp);
        marks.dedup_by(|a, b| (*a - *b).abs() < 0.005);
        let mut nodes = vec![0.0];
        for pair in marks.windows(2) {
            nodes.extend(steps(pair[0], pair[1], cell).into_iter().skip(1));
        }
        nodes
    };
    let us = cuts(size[0], holes.iter().flat_map(|h| [h[0], h[1]]).collect());
    let vs = cuts(size[1], holes.iter().flat_map(|h| [h[2], h[3]]).collect());
    let normal = axes[0].cross(axes[1]);
    let solid = |i: usize, j: usize| {
        let (u, v) = (0.5 * (us[i] + us[i + 1]), 0.5 * (vs[j] + vs[j + 1]));
        !holes.iter().any(|h| u > h[0] && u < h[1] && v > h[2] && v < h[3])
    };
    let y0 = top - (corner.y + 0.0);
    mesh.grid_where(frame, skin, [us.len(), vs.len()], solid, |i, j| {
        let uv = glam::vec2(
            skin.offset[0] + us[i] / skin.extent[0],
            skin.offset[1] + (y0 - vs[j]) / skin.extent[1],
        );
        (corner + axes[0] * us[i] + axes[1] * vs[j], normal, uv)
    });
}

/// Pieces of a wall between `blocked` intervals.
fn runs(length: f32, blocked: &[[f32; 2]]) -> Vec<[f32; 2]> {
    let mut blocked = blocked.to_vec();
    blocked.sort_by(|a, b| a[0].total_cmp(&b[0]));
    let (mut start, mut out) = (0.0, Vec::new());
    for [from, to] in blocked {
        if from - start > 0.02 {
            out.push([start, from]);
        }
        start = f32::max(start, to);
    }
    if length - start > 0.02 {
        out.push([start, length]);
    }
    out
}

fn trim(mesh: &mut Mesh, room: &Room, ceiling: f32, well: Option<Well>, finish: &Finish, kit: &Kit) {
    let skin = kit.enamel(finish.trim);
    // Beside a well skirting boards are seen from below and cornices from above.
    let seen: u8 = if well.is_some() { 0b00_0100 } else { 0 };
    mesh.begin_object(FlatClass::Trim);
    for side in SIDES {
        let frame = wall_frame(&room.rect, side);
        let length = wall_length(&room.rect, side);
        let holes = holes(room, side);
        let doors: Vec<[f32; 2]> = holes
            .iter()
            .filter(|h| h[2] == 0.0)
            .map(|h| [h[0] - CASING, h[1] + CASING])
            .collect();
        for [a, b] in runs(length, &doors) {
            mesh.faces(&frame, vec3(a, 0.0, 0.0), vec3(b, 0.1, 0.016), &skin, 0b01_1011 | seen);
        }
        mesh.faces(
            &frame,
            vec3(0.0, ceiling - 0.07, 0.0),
            vec3(length, ceiling, 0.05),
            &skin,
            0b01_0100 | seen << 1,
        );
        if let Some((_, height)) = finish.dado {
            let cut: Vec<[f32; 2]> = holes
                .iter()
                .filter(|h| h[2] < height && h[3] > height)
                .map(|h| [h[0] - CASING, h[1] + CASING])
                .collect();
            for [a, b] in runs(length, &cut) {
                mesh.faces(
                    &frame,
                    vec3(a, height - 0.03, 0.0),
                    vec3(b, height + 0.015, 0.025),
                    &skin,
                    0b01_1111,
                );
            }
        }
    }
    if finish.beams && well.is_none() {
        beams(mesh, room, ceiling, kit, finish.trim);
    }
}

/// Wooden beams under the ceiling along the shorter side.
fn beams(mesh: &mut Mesh, room: &Room, ceiling: f32, kit: &Kit, trim: Rgb) {
    let rect = room.rect;
    let along_x = rect.width() <= rect.depth();
    let (length, across) = if along_x {
        (rect.width(), rect.depth())
    } else {
        (rect.depth(), rect.width())
    };
    let n = (across / 0.85).round().max(2.0) as usize;
    mesh.begin_object(FlatClass::Beam);
    let tint = if trim[2] > 0.85 {
        kit.species[1]
    } else {
        scale(trim, 0.8)
    };
    for k in 0..n {
        let middle = across * (k as f32 + 0.5) / n as f32;
        let skin = kit.wood.shifted([0.31 * k as f32, 0.17 * k as f32]).tinted(tint);
        let (low, high) = if along_x {
            (
                vec3(rect.x0, ceiling - 0.13, rect.z0 + middle - 0.06),
                vec3(rect.x0 + length, ceiling, rect.z0 + middle + 0.06),
            )
        } else {
            (
                vec3(rect.x0 + middle - 0.06, ceiling - 0.13, rect.z0),
                vec3(rect.x0 + middle + 0.06, ceiling, rect.z0 + length),
            )
        };
        mesh.faces(
            &Frame::WORLD,
            low,
            high,
            &skin,
            if along_x { 0b11_0100 } else { 0b00_0111 },
        );
    }
}
