//! The floor plan: rooms, doors and windows of one flat, all axis-aligned.

use super::ProceduralConfig;
use super::color::draw;
pub(super) use super::rect::{Rect, SIDES, Side};
use crate::rng::Rng;

/// Thickness of inner walls, metres.
pub(super) const WALL: f32 = 0.14;
/// Depth of a window reveal in the outer wall, metres.
pub(super) const REVEAL: f32 = 0.28;
/// Shortest side of a room, between wall centres, metres.
pub(super) const SHORTEST: f32 = 2.7;

/// What a room is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RoomKind {
    Living,
    Kitchen,
    Dining,
    Bedroom,
    Study,
    Bath,
    Hall,
}

/// A hole in a wall of a room; `from` and `to` are world x or z along the wall.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Opening {
    pub(super) side: Side,
    pub(super) from: f32,
    pub(super) to: f32,
    pub(super) bottom: f32,
    pub(super) top: f32,
    pub(super) is_window: bool,
}

/// A room; `rect` is its clear floor between wall faces.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Room {
    pub(super) rect: Rect,
    pub(super) kind: RoomKind,
    pub(super) openings: Vec<Opening>,
}

/// A doorway between `rooms[0]` (on the side of the lesser coordinate) and `rooms[1]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Door {
    pub(super) rooms: [usize; 2],
    /// Wall of `rooms[0]` that the door is in: East or South.
    pub(super) side: Side,
    pub(super) from: f32,
    pub(super) to: f32,
    pub(super) top: f32,
    /// An archway has no leaf.
    pub(super) is_arch: bool,
}

impl Door {
    /// The wall that the door is in, seen from `rooms[0]` and from `rooms[1]`.
    pub(super) fn sides(&self) -> [Side; 2] {
        [self.side, self.side.opposite()]
    }
}

/// One storey of a flat with its corner at the origin.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plan {
    pub(super) outer: Rect,
    /// Height of the ceiling above this storey's floor, metres.
    pub(super) ceiling: f32,
    pub(super) rooms: Vec<Room>,
    pub(super) doors: Vec<Door>,
}

/// What a storey has to be like before its rooms are drawn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Brief {
    pub(super) outer: Rect,
    pub(super) ceiling: f32,
    /// Rooms wanted.
    pub(super) rooms: usize,
    /// Least and greatest z of the hall between wall centres, where there is to be one: room 0.
    pub(super) hall: Option<[f32; 2]>,
    /// The wall of the hall that the stairs stand at, and their world x: no door opens there.
    pub(super) stairs: Option<(Side, [f32; 2])>,
    /// True for the storey that people sleep on.
    pub(super) is_upper: bool,
}

impl Plan {
    /// Draws the rooms, doors and windows of a storey.
    pub(super) fn draw(brief: &Brief, config: &ProceduralConfig, rng: &mut Rng) -> Self {
        let outer = brief.outer;
        let (cells, hall) = partition(outer, brief.rooms, brief.hall, rng);
        let kinds = assign_kinds(&cells, hall, brief.is_upper);
        let mut rooms: Vec<Room> = cells
            .iter()
            .zip(kinds)
            .map(|(cell, kind)| Room {
                rect: cell.grown(-0.5 * WALL),
                kind,
                openings: Vec::new(),
            })
            .collect();
        let doors = connect(&rooms, brief.stairs, config, rng);
        for door in &doors {
            let hole = |side| Opening {
                side,
                from: door.from,
                to: door.to,
                bottom: 0.0,
                top: door.top,
                is_window: false,
            };
            rooms[door.rooms[0]].openings.push(hole(door.side));
            rooms[door.rooms[1]].openings.push(hole(door.side.opposite()));
        }
        for room in &mut rooms {
            add_windows(room, outer, brief.ceiling, rng);
        }
        Self {
            outer,
            ceiling: brief.ceiling,
            rooms,
            doors,
        }
    }
}

/// Cuts the storey into cells; the second value is the hall's index where there is one.
fn partition(outer: Rect, target: usize, band: Option<[f32; 2]>, rng: &mut Rng) -> (Vec<Rect>, Option<usize>) {
    let mut cells = vec![outer];
    let mut hall = None;
    let by_chance = target >= 5 && outer.depth() >= 2.0 * SHORTEST + 3.0;
    let band = match band {
        None if by_chance && rng.chance(0.45) => {
            let width = draw(rng, 1.7, 2.1);
            let z = draw(rng, 0.4, 0.6) * (outer.depth() - width);
            Some([z, z + width])
        }
        band => band,
    };
    if let Some([from, to]) = band {
        let strip = |z0, z1| Rect { z0, z1, ..outer };
        cells = vec![strip(from, to), strip(0.0, from), strip(to, outer.z1)];
        hall = Some(0);
    }
    while cells.len() < target {
        let candidates = cells
            .iter()
            .enumerate()
            .filter(|(i, c)| hall != Some(*i) && c.width().max(c.depth()) >= 2.0 * SHORTEST + 0.1);
        // Long rooms first, then large ones.
        let weight = |c: &Rect| c.area() * (c.width() / c.depth()).max(c.depth() / c.width());
        let Some((i, cell)) = candidates.max_by(|a, b| weight(a.1).total_cmp(&weight(b.1))) else {
            break;
        };
        let cell = *cell;
        let length = cell.width().max(cell.depth());
        let share = draw(rng, 0.34, 0.66);
        let cut = (share * length).clamp(SHORTEST, length - SHORTEST);
        let (a, b) = if cell.width() >= cell.depth() {
            let x = cell.x0 + cut;
            (Rect { x1: x, ..cell }, Rect { x0: x, ..cell })
        } else {
            let z = cell.z0 + cut;
            (Rect { z1: z, ..cell }, Rect { z0: z, ..cell })
        };
        cells[i] = a;
        cells.push(b);
    }
    (cells, hall)
}

/// Length of the wall that two cells share, with its side seen from `a` and its interval.
fn shared_wall(a: &Rect, b: &Rect) -> Option<(Side, f32, f32)> {
    const NEAR: f32 = WALL + 0.01;
    let x = (a.x0.max(b.x0), a.x1.min(b.x1));
    let z = (a.z0.max(b.z0), a.z1.min(b.z1));
    if (a.x1 - b.x0).abs() < NEAR && z.1 > z.0 {
        Some((Side::East, z.0, z.1))
    } else if (a.z1 - b.z0).abs() < NEAR && x.1 > x.0 {
        Some((Side::South, x.0, x.1))
    } else {
        None
    }
}

fn assign_kinds(cells: &[Rect], hall: Option<usize>, is_upper: bool) -> Vec<RoomKind> {
    let mut order: Vec<usize> = (0..cells.len()).filter(|i| hall != Some(*i)).collect();
    order.sort_by(|&a, &b| cells[b].area().total_cmp(&cells[a].area()));
    let mut kinds = vec![RoomKind::Hall; cells.len()];
    if is_upper {
        // The smallest room is the bath.
        let rest = [RoomKind::Bedroom, RoomKind::Study, RoomKind::Bedroom, RoomKind::Living];
        for (k, &i) in order.iter().enumerate() {
            let is_bath = k > 0 && k + 1 == order.len();
            kinds[i] = if is_bath { RoomKind::Bath } else { rest[k % rest.len()] };
        }
        return kinds;
    }
    let living = order.remove(0);
    kinds[living] = RoomKind::Living;
    if order.len() >= 3
        && let Some(bath) = order.pop()
    {
        kinds[bath] = RoomKind::Bath;
    }
    let touch = |i: usize| {
        shared_wall(&cells[living], &cells[i])
            .or_else(|| shared_wall(&cells[i], &cells[living]))
            .map_or(0.0, |(_, from, to)| to - from)
    };
    if let Some(k) = (0..order.len()).max_by(|&a, &b| touch(order[a]).total_cmp(&touch(order[b]))) {
        kinds[order.remove(k)] = RoomKind::Kitchen;
    }
    let rest = [RoomKind::Bedroom, RoomKind::Study, RoomKind::Bedroom, RoomKind::Dining];
    for (k, i) in order.into_iter().enumerate() {
        kinds[i] = rest[k % rest.len()];
    }
    kinds
}

/// The longer piece of a wall that the stairs leave free; `walls` are the room and side of either face.
fn beside_stairs(stairs: Option<(Side, [f32; 2])>, walls: [(usize, Side); 2], [from, to]: [f32; 2]) -> [f32; 2] {
    const HALL: usize = 0;
    match stairs {
        Some((side, [low, high])) if walls.contains(&(HALL, side)) => {
            let (before, after) = ([from, to.min(low)], [from.max(high), to]);
            if before[1] - before[0] > after[1] - after[0] {
                before
            } else {
                after
            }
        }
        _ => [from, to],
    }
}

/// Doors: a spanning tree over walls long enough for one, and some more for loops.
fn connect(rooms: &[Room], stairs: Option<(Side, [f32; 2])>, config: &ProceduralConfig, rng: &mut Rng) -> Vec<Door> {
    use RoomKind::{Bath, Bedroom, Hall, Kitchen, Living};
    const MARGIN: f32 = 0.32;
    let mut edges = Vec::new();
    for a in 0..rooms.len() {
        for b in 0..rooms.len() {
            if a == b {
                continue;
            }
            if let Some((side, from, to)) = shared_wall(&rooms[a].rect, &rooms[b].rect)
                && let [from, to] = beside_stairs(stairs, [(a, side), (b, side.opposite())], [from, to])
                && to - from >= config.door_width_m + 2.0 * MARGIN
            {
                let kinds = [rooms[a].kind, rooms[b].kind];
                let has = |k| kinds.contains(&k);
                let mut cost = draw(rng, 0.0, 1.0);
                cost -= if has(Hall) { 1.0 } else { 0.0 } + if has(Living) { 0.5 } else { 0.0 };
                cost -= if has(Living) && has(Kitchen) { 2.0 } else { 0.0 };
                cost += if has(Bath) { 0.8 } else { 0.0 } + if kinds == [Bedroom; 2] { 0.5 } else { 0.0 };
                edges.push((cost, a, b, side, from, to));
            }
        }
    }
    edges.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut group: Vec<usize> = (0..rooms.len()).collect();
    let mut doors = Vec::new();
    for (_, a, b, side, from, to) in edges {
        let kinds = [rooms[a].kind, rooms[b].kind];
        let joins = group[a] != group[b];
        if !joins && (kinds.contains(&Bath) || rng.chance(0.5)) {
            continue;
        }
        let (old, new) = (group[b], group[a]);
        group.iter_mut().filter(|g| **g == old).for_each(|g| *g = new);
        let is_arch = kinds.contains(&Living)
            && !kinds.contains(&Bath)
            && !kinds.contains(&Bedroom)
            && (kinds.contains(&Kitchen) || rng.chance(0.5));
        let room_for = to - from - 2.0 * MARGIN;
        let width = if is_arch {
            room_for.min(draw(rng, 1.5, 2.3)).max(config.door_width_m)
        } else {
            config.door_width_m
        };
        let slack = room_for - width;
        // Doors near a corner leave the longest wall for furniture.
        let shift = if is_arch {
            draw(rng, 0.3, 0.7) * slack
        } else if rng.chance(0.5) {
            draw(rng, 0.0, 0.25) * slack
        } else {
            draw(rng, 0.75, 1.0) * slack
        };
        let start = from + MARGIN + shift;
        doors.push(Door {
            rooms: [a, b],
            side,
            from: start,
            to: start + width,
            top: config.door_height_m + if is_arch { 0.15 } else { 0.0 },
            is_arch,
        });
    }
    doors
}

/// Windows in the outer walls of a room.
fn add_windows(room: &mut Room, outer: Rect, ceiling: f32, rng: &mut Rng) {
    let rect = room.rect;
    for side in SIDES {
        let is_outer = match side {
            Side::North => rect.z0 - outer.z0 < WALL,
            Side::East => outer.x1 - rect.x1 < WALL,
            Side::South => outer.z1 - rect.z1 < WALL,
            Side::West => rect.x0 - outer.x0 < WALL,
        };
        let (low, high) = if side.along_x() {
            (rect.x0, rect.x1)
        } else {
            (rect.z0, rect.z1)
        };
        let length = high - low;
        if !is_outer || length < 1.4 {
            continue;
        }
        let small = room.kind == RoomKind::Bath;
        let n = if small { 1 } else { (length / 2.9) as u32 }.max(1);
        let (bottom, top) = if small {
            (1.35, 2.05)
        } else {
            (draw(rng, 0.75, 0.95), ceiling - draw(rng, 0.3, 0.42))
        };
        for k in 0..n {
            let width = if small {
                0.75
            } else {
                draw(rng, 1.15, 1.75).min(length / n as f32 - 0.5)
            };
            let middle = low + length * (k as f32 + draw(rng, 0.42, 0.58)) / n as f32;
            room.openings.push(Opening {
                side,
                from: middle - 0.5 * width,
                to: middle + 0.5 * width,
                bottom,
                top,
                is_window: true,
            });
        }
    }
}
