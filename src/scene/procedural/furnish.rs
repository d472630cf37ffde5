//! Which pieces go into which room, and where.

use glam::{Vec3, vec3};

use super::ProceduralConfig;
use super::color::{Rgb, draw, hex};
use super::frame::Frame;
use super::furniture::{
    Maker, armchair, basin, bath_tub, bed, bookcase, ceiling_lamp, chair, clock, coat_rack, coffee_table, desk,
    dining_table, dresser, floor_lamp, framed_picture, fridge, hamper, kitchen_run, media_unit, mirror, nightstand,
    plant, pouf, rug, shower_shelf, side_table, sofa, toilet, towels, toys, wall_cabinets, wall_shelf, wardrobe,
    washing_machine,
};
use super::plan::{RoomKind, Side};
use super::space::{Space, Spot, wall_length};

/// Fills a room. `pictures` counts the pictures already hung in the flat.
pub(super) fn furnish(
    m: &mut Maker<'_>,
    space: &mut Space,
    kind: RoomKind,
    config: &ProceduralConfig,
    pictures: &mut u32,
) {
    let share = config.furniture;
    match kind {
        RoomKind::Living => living(m, space, share),
        RoomKind::Kitchen => kitchen(m, space, share),
        RoomKind::Dining => dining(m, space, share),
        RoomKind::Bedroom => bedroom(m, space, share),
        RoomKind::Study => study(m, space, share),
        RoomKind::Bath => bath(m, space, share),
        RoomKind::Hall => hall(m, space, share),
    }
    let is_bath = kind == RoomKind::Bath;
    extras(m, space, is_bath, config);
    hangings(m, space, is_bath, config.clutter, pictures);
}

/// A frame at a world point on the floor with the axes of a spot.
fn standing(at: [f32; 2], like: &Frame) -> Frame {
    Frame {
        origin: vec3(at[0], 0.0, at[1]),
        ..*like
    }
}

/// The point `forward` metres before the wall at a spot, and `aside` metres to its right.
fn before(spot: &Spot, aside: f32, forward: f32) -> [f32; 2] {
    let p = spot.frame.point(vec3(aside, 0.0, forward));
    [p.x, p.z]
}

/// A size as (x, z) extents of the world for a frame turned by quarter turns.
fn extents(spot: &Spot, size: [f32; 2]) -> [f32; 2] {
    if spot.side.along_x() { size } else { [size[1], size[0]] }
}

fn living(m: &mut Maker<'_>, space: &mut Space, share: f32) {
    let width = draw(m.rng, 1.9, 2.4);
    let spot = space.at_wall(m.rng, [width, 0.95, 0.82], 1.2, false);
    if let Some(spot) = spot {
        sofa(m, &spot.frame, width);
        let table = [draw(m.rng, 0.95, 1.2), 0.55];
        let centre = before(&spot, 0.0, 1.62);
        let carpet = [draw(m.rng, 2.4, 3.0), draw(m.rng, 1.6, 1.9)];
        rug(
            m,
            &standing(before(&spot, 0.0, 0.75 + 0.5 * carpet[1]), &spot.frame),
            carpet,
        );
        if space.take_floor(centre, extents(&spot, table)) {
            coffee_table(m, &standing(centre, &spot.frame), table);
        }
        for (aside, turn) in [(-1.75, 1.2), (1.75, -1.2)] {
            let at = before(&spot, aside, 1.75);
            if m.rng.chance(f64::from(0.85 * share)) && space.take_floor(at, [0.95, 0.95]) {
                let turn = turn + draw(m.rng, -0.25, 0.25);
                armchair(
                    m,
                    &standing(at, &spot.frame)
                        .child(vec3(0.0, 0.0, 0.0), turn)
                        .child(vec3(0.0, 0.0, -0.42), 0.0),
                );
            }
        }
        for aside in [-0.5 * width - 0.32, 0.5 * width + 0.32] {
            let at = before(&spot, aside, 0.35);
            if space.take_floor(at, [0.48, 0.48]) {
                if m.rng.chance(0.5) {
                    side_table(m, &standing(at, &spot.frame));
                } else {
                    floor_lamp(m, &standing(at, &spot.frame));
                }
            }
        }
        let facing = [spot.side.opposite()];
        let unit = draw(m.rng, 1.4, 1.9);
        if let Some(tv) = space.on_sides(m.rng, &facing, [unit, 0.45, 1.25], 0.6, false) {
            media_unit(m, &tv.frame, unit);
        }
    }
    for _ in 0..2 {
        shelf_at_wall(m, space, share);
    }
    dining_corner(m, space, [1.4, 0.85]);
}

/// A bookcase, one of the pieces that a room can do without.
fn shelf_at_wall(m: &mut Maker<'_>, space: &mut Space, share: f32) {
    if !m.rng.chance(f64::from(0.6 * share)) {
        return;
    }
    let (w, h) = (draw(m.rng, 0.8, 1.5), draw(m.rng, 1.7, 2.15));
    if let Some(spot) = space.at_wall(m.rng, [w, 0.32, h + 0.3], 0.5, true) {
        bookcase(m, &spot.frame, [w, h]);
    }
}

fn dining_corner(m: &mut Maker<'_>, space: &mut Space, size: [f32; 2]) {
    let turned = m.rng.chance(0.5);
    let around = [size[0] + 0.2, size[1] + 1.3];
    let floor = if turned { [around[1], around[0]] } else { around };
    if let Some(at) = space.in_the_open(m.rng, floor, 0.25) {
        let frame = Frame::quarter(vec3(at[0], 0.0, at[1]), i32::from(turned));
        if m.rng.chance(0.6) {
            rug(m, &frame, [size[0] + 0.7, size[1] + 1.1]);
        }
        dining_table(m, &frame, size);
    }
}

/// Units along the longest wall without a door that fits them, from `most` metres down.
fn units(m: &mut Maker<'_>, space: &mut Space, most: f32, color: Rgb) {
    let mut width = most;
    while width >= 1.2 {
        if let Some(spot) = space.at_wall(m.rng, [width, 0.64, 2.12], 0.8, true) {
            kitchen_run(m, &spot.frame, width, color);
            wall_cabinets(m, &spot.frame, width, color);
            return;
        }
        width -= 0.3;
    }
}

fn kitchen(m: &mut Maker<'_>, space: &mut Space, share: f32) {
    let color = *m.rng.pick(&[
        hex(0xE8E5DC),
        hex(0x5E7A6B),
        hex(0x3F566B),
        hex(0xD9C7A3),
        hex(0x8A3F34),
    ]);
    if let Some(spot) = space.at_wall(m.rng, [0.64, 0.68, 1.9], 0.8, true) {
        fridge(m, &spot.frame);
    }
    units(m, space, 3.3, color);
    if let Some(spot) = space.at_wall(m.rng, [1.8, 0.64, 0.72], 0.8, true) {
        kitchen_run(m, &spot.frame, 1.8, color);
    }
    let long = draw(m.rng, 1.2, 1.6);
    dining_corner(m, space, [long, 0.8]);
    shelf_at_wall(m, space, share);
}

fn dining(m: &mut Maker<'_>, space: &mut Space, share: f32) {
    let long = draw(m.rng, 1.6, 2.1);
    dining_corner(m, space, [long, 0.95]);
    if m.rng.chance(f64::from(share))
        && let Some(spot) = space.at_wall(m.rng, [1.4, 0.47, 1.1], 0.6, false)
    {
        dresser(m, &spot.frame, 1.4);
    }
    shelf_at_wall(m, space, share);
    if m.rng.chance(f64::from(share))
        && let Some(spot) = space.at_wall(m.rng, [1.2, 0.47, 1.1], 0.6, true)
    {
        dresser(m, &spot.frame, 1.2);
    }
}

fn bedroom(m: &mut Maker<'_>, space: &mut Space, share: f32) {
    let width = if space.rect.area() > 13.0 { 1.6 } else { 1.2 };
    // Nightstands belong to the bed: room for them is taken together.
    if let Some(spot) = space.at_wall(m.rng, [width + 1.16, 2.15, 0.7], 0.4, false) {
        bed(m, &spot.frame, width);
        for aside in [-0.5 * width - 0.35, 0.5 * width + 0.35] {
            nightstand(m, &spot.frame.child(vec3(aside, 0.0, 0.0), 0.0));
        }
        let at = before(&spot, draw(m.rng, -0.3, 0.3), 1.75);
        rug(m, &standing(at, &spot.frame), [width + 1.2, 1.6]);
    }
    let closet = draw(m.rng, 1.4, 2.0);
    if let Some(spot) = space.at_wall(m.rng, [closet, 0.62, 2.3], 0.6, true) {
        wardrobe(m, &spot.frame, closet);
    }
    if m.rng.chance(f64::from(share))
        && let Some(spot) = space.at_wall(m.rng, [1.0, 0.47, 1.1], 0.6, false)
    {
        dresser(m, &spot.frame, 1.0);
    }
    if space.rect.area() > 16.0
        && m.rng.chance(f64::from(share))
        && let Some(spot) = space.at_wall(m.rng, [1.3, 1.3, 1.25], 0.1, true)
    {
        desk(m, &spot.frame, 1.3);
    }
    shelf_at_wall(m, space, share);
}

fn study(m: &mut Maker<'_>, space: &mut Space, share: f32) {
    if let Some(spot) = space.at_wall(m.rng, [1.6, 1.4, 1.25], 0.1, false) {
        desk(m, &spot.frame, 1.6);
    }
    for _ in 0..3 {
        shelf_at_wall(m, space, share);
    }
    if m.rng.chance(f64::from(share))
        && let Some(at) = space.in_the_open(m.rng, [1.0, 1.0], 0.3)
    {
        let turn = draw(m.rng, 0.0, std::f32::consts::TAU);
        let frame = Frame::turned(vec3(at[0], 0.0, at[1]), turn);
        armchair(m, &frame.child(vec3(0.0, 0.0, -0.42), 0.0));
    }
    let [x, z] = space.rect.centre();
    let turn = m.rng.below(2) as i32;
    rug(m, &Frame::quarter(vec3(x, 0.0, z), turn), [2.2, 1.5]);
}

fn bath(m: &mut Maker<'_>, space: &mut Space, share: f32) {
    let width = draw(m.rng, 1.6, 1.75);
    if let Some(spot) = space.at_wall(m.rng, [width, 0.77, 1.2], 0.6, true) {
        bath_tub(m, &spot.frame, width);
    }
    if let Some(spot) = space.at_wall(m.rng, [0.9, 0.5, 1.1], 0.7, false) {
        basin(m, &spot.frame, 0.85);
        if let Some(frame) = space.hang_at(spot.side, [spot.along - 0.4, spot.along + 0.4, 1.15, 1.85]) {
            mirror(m, &frame, [0.68, 0.6]);
        }
    }
    if let Some(spot) = space.at_wall(m.rng, [0.55, 0.7, 0.85], 0.6, true) {
        toilet(m, &spot.frame);
    }
    if m.rng.chance(f64::from(share))
        && let Some(spot) = space.at_wall(m.rng, [0.62, 0.6, 1.15], 0.7, true)
    {
        washing_machine(m, &spot.frame);
    }
    if m.rng.chance(f64::from(share))
        && let Some(spot) = space.at_wall(m.rng, [0.5, 0.5, 0.6], 0.3, true)
    {
        hamper(m, &spot.frame.child(vec3(0.0, 0.0, 0.26), 0.0));
    }
    let [x, z] = space.rect.centre();
    let turn = m.rng.below(2) as i32;
    rug(m, &Frame::quarter(vec3(x, 0.0, z), turn), [0.95, 0.6]);
    for _ in 0..2 {
        if let Some((frame, _)) = space.hang(m.rng, 0.75, 0.75, [1.2, 1.3]) {
            towels(m, &frame, 0.7);
        }
        if let Some((frame, _)) = space.hang(m.rng, 0.55, 0.6, [1.45, 1.6]) {
            shower_shelf(m, &frame, 0.5);
        }
    }
}

fn hall(m: &mut Maker<'_>, space: &mut Space, share: f32) {
    let narrow = space.rect.width().min(space.rect.depth()) < 2.2;
    let depth = if narrow { 0.34 } else { 0.47 };
    if let Some((frame, _)) = space.hang(m.rng, 1.2, 1.1, [1.25, 1.26]) {
        coat_rack(m, &frame.child(Vec3::Y * 0.45, 0.0), 1.1);
    }
    for _ in 0..3 {
        shelf_at_wall(m, space, share);
    }
    if !narrow
        && m.rng.chance(f64::from(share))
        && let Some(spot) = space.at_wall(m.rng, [1.1, depth, 1.1], 0.6, false)
    {
        dresser(m, &spot.frame, 1.1);
    }
    let along_x = space.passage.width() > space.passage.depth();
    let long = space.passage.width().max(space.passage.depth());
    let n = (long / 3.6).round().max(1.0) as usize;
    for k in 0..n {
        let shift = long * ((k as f32 + 0.5) / n as f32 - 0.5);
        let centre = space.centre() + if along_x { Vec3::X * shift } else { Vec3::Z * shift };
        rug(m, &Frame::quarter(centre, i32::from(!along_x)), [2.3, 0.75]);
    }
}

/// Plants, poufs, chairs, boxes and lamps where floor is left.
fn extras(m: &mut Maker<'_>, space: &mut Space, is_bath: bool, config: &ProceduralConfig) {
    let (share, clutter) = (config.furniture, config.clutter);
    for _ in 0..2 {
        if m.rng.chance(f64::from(0.85 * clutter))
            && let Some(spot) = space.at_wall(m.rng, [0.6, 0.6, 0.6], 0.2, true)
        {
            let height = if is_bath {
                draw(m.rng, 0.5, 0.8)
            } else {
                draw(m.rng, 0.8, 1.6)
            };
            plant(m, &spot.frame.child(vec3(0.0, 0.0, 0.3), 0.0), height);
        }
    }
    if is_bath {
        return;
    }
    if m.rng.chance(f64::from(0.5 * share))
        && let Some(at) = space.in_the_open(m.rng, [0.65, 0.65], 0.3)
    {
        pouf(m, &Frame::turned(vec3(at[0], 0.0, at[1]), 0.0));
    }
    if m.rng.chance(f64::from(0.5 * share))
        && let Some(spot) = space.at_wall(m.rng, [0.5, 0.55, 0.95], 0.4, false)
    {
        chair(m, &spot.frame.child(vec3(0.0, 0.0, 0.06), 0.0), None);
    }
    if m.rng.chance(f64::from(0.6 * clutter))
        && let Some(spot) = space.at_wall(m.rng, [0.9, 0.5, 0.3], 0.4, true)
    {
        toys(m, &spot.frame.child(vec3(0.0, 0.0, 0.27), 0.0));
    }
    if m.rng.chance(f64::from(0.5 * share))
        && let Some(spot) = space.at_wall(m.rng, [0.5, 0.5, 1.8], 0.2, true)
    {
        floor_lamp(m, &spot.frame.child(vec3(0.0, 0.0, 0.25), 0.0));
    }
}

/// Pictures, shelves and clocks on what is left of the walls.
fn hangings(m: &mut Maker<'_>, space: &mut Space, is_bath: bool, clutter: f32, pictures: &mut u32) {
    let wall: f32 = [Side::North, Side::East]
        .iter()
        .map(|&s| 2.0 * wall_length(&space.rect, s))
        .sum();
    if !is_bath {
        if m.rng.chance(0.5)
            && let Some((frame, _)) = space.hang(m.rng, 0.4, 0.4, [1.9, 2.1])
        {
            clock(m, &frame);
        }
        for _ in 0..(0.08 * wall * clutter) as u32 {
            let width = draw(m.rng, 0.7, 1.2);
            if let Some((frame, _)) = space.hang(m.rng, width, 0.55, [1.45, 1.65]) {
                wall_shelf(m, &frame, width);
            }
        }
    }
    let n = if is_bath { 2 } else { (0.22 * wall * clutter) as u32 };
    for k in 0..n {
        // Large ones first, so that small ones fill the gaps.
        let long = 1.15 - 0.75 * k as f32 / n as f32 + draw(m.rng, -0.1, 0.1);
        let short = long * draw(m.rng, 0.66, 0.8);
        let size = if m.rng.chance(0.5) {
            [long, short]
        } else {
            [short, long]
        };
        if let Some((frame, _)) = space.hang(m.rng, size[0], size[1], [1.4, 1.75]) {
            framed_picture(m, &frame, size, *pictures);
            *pictures += 1;
        }
    }
}

/// Hangs the lamps of a room; returns the points that give light.
pub(super) fn lamps(m: &mut Maker<'_>, space: &Space) -> Vec<Vec3> {
    let floor = space.passage;
    let (w, d) = (floor.width(), floor.depth());
    let n = [(w / 3.8).round().max(1.0) as usize, (d / 3.8).round().max(1.0) as usize];
    let drop = draw(m.rng, 0.16, 0.3);
    let mut points = Vec::new();
    for j in 0..n[1] {
        for i in 0..n[0] {
            let at = vec3(
                floor.x0 + w * (i as f32 + 0.5) / n[0] as f32,
                space.ceiling,
                floor.z0 + d * (j as f32 + 0.5) / n[1] as f32,
            );
            ceiling_lamp(m, &Frame::turned(at, 0.0), drop);
            points.push(at - Vec3::Y * (drop + 0.25));
        }
    }
    points
}
