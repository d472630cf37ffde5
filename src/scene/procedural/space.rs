//! Free space of a room: where pieces stand, what hangs on the walls, and which floor stays open.

use glam::{Vec3, vec3};

use super::color::draw;
use super::frame::Frame;
use super::plan::{Rect, Room, SIDES, Side};
use crate::rng::Rng;

/// Width of the ways that are kept open between doors, metres.
const WAY: f32 = 0.75;

/// A place for a piece. Its frame stands on the floor with z = 0 at the wall and z towards the room.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spot {
    pub(super) frame: Frame,
    pub(super) side: Side,
    /// Middle of the piece along its wall, metres from the wall's left end.
    pub(super) along: f32,
}

/// Something on a wall: left, right, bottom, top in metres from the wall's lower left corner.
type Patch = [f32; 4];

/// Bookkeeping for one room.
#[derive(Debug, Clone)]
pub(super) struct Space {
    pub(super) rect: Rect,
    pub(super) ceiling: f32,
    /// The part of the floor that rugs and lamps belong to: all of it, except where stairs take a share.
    pub(super) passage: Rect,
    solids: Vec<Rect>,
    open: Vec<Rect>,
    /// Doors and windows by wall.
    holes: Vec<(Side, Patch, bool)>,
    hung: Vec<(Side, Patch)>,
}

/// The frame of a wall seen from inside: x to the right from its lower left corner, z into the room.
pub(super) fn wall_frame(rect: &Rect, side: Side) -> Frame {
    match side {
        Side::North => Frame::quarter(vec3(rect.x0, 0.0, rect.z0), 0),
        Side::East => Frame::quarter(vec3(rect.x1, 0.0, rect.z0), 3),
        Side::South => Frame::quarter(vec3(rect.x1, 0.0, rect.z1), 2),
        Side::West => Frame::quarter(vec3(rect.x0, 0.0, rect.z1), 1),
    }
}

/// Length of a wall, metres.
pub(super) fn wall_length(rect: &Rect, side: Side) -> f32 {
    if side.along_x() { rect.width() } else { rect.depth() }
}

/// An interval of world x or z as an interval along the wall.
pub(super) fn along_wall(rect: &Rect, side: Side, from: f32, to: f32) -> [f32; 2] {
    match side {
        Side::North => [from - rect.x0, to - rect.x0],
        Side::East => [from - rect.z0, to - rect.z0],
        Side::South => [rect.x1 - to, rect.x1 - from],
        Side::West => [rect.z1 - to, rect.z1 - from],
    }
}

fn meets(a: &Patch, b: &Patch, gap: f32) -> bool {
    a[0] < b[1] + gap && b[0] < a[1] + gap && a[2] < b[3] + gap && b[2] < a[3] + gap
}

impl Space {
    /// An empty room whose doors keep a way open to each other.
    pub(super) fn new(room: &Room, ceiling: f32) -> Self {
        let rect = room.rect;
        let holes: Vec<(Side, Patch, bool)> = room
            .openings
            .iter()
            .map(|o| {
                let [a, b] = along_wall(&rect, o.side, o.from, o.to);
                (o.side, [a, b, o.bottom, o.top], o.is_window)
            })
            .collect();
        let mut space = Self {
            rect,
            ceiling,
            passage: rect,
            solids: Vec::new(),
            open: Vec::new(),
            holes,
            hung: Vec::new(),
        };
        let mut landings = Vec::new();
        for (side, patch, is_window) in space.holes.clone() {
            if !is_window {
                let rect = space.strip(side, patch[0] - 0.12, patch[1] + 0.12, 0.0, 1.0);
                space.open.push(rect);
                landings.push(space.strip(side, patch[0], patch[1], 0.45, 0.55).centre());
            }
        }
        if landings.len() > 1 {
            let n = landings.len() as f32;
            let hub = landings
                .iter()
                .fold([0.0; 2], |h, p| [h[0] + p[0] / n, h[1] + p[1] / n]);
            for p in landings {
                let corner = [hub[0], p[1]];
                space.open.push(Rect::around(p, corner).grown(0.5 * WAY));
                space.open.push(Rect::around(corner, hub).grown(0.5 * WAY));
            }
        }
        space
    }

    /// World rectangle over [`from`, `to`] along a wall and [`near`, `far`] into the room.
    pub(super) fn strip(&self, side: Side, from: f32, to: f32, near: f32, far: f32) -> Rect {
        let frame = wall_frame(&self.rect, side);
        let (a, b) = (frame.point(vec3(from, 0.0, near)), frame.point(vec3(to, 0.0, far)));
        Rect::around([a.x, a.z], [b.x, b.z])
    }

    fn is_free(&self, rect: &Rect) -> bool {
        self.rect.grown(0.001).contains(rect)
            && !self.solids.iter().any(|s| s.overlaps(&rect.grown(0.02)))
            && !self.open.iter().any(|s| s.overlaps(rect))
    }

    /// Finds and takes a place at a wall for a piece of `size` = [width, depth, height] that needs
    /// `front` metres of free floor before it. `corner` prefers corners to the middle of a wall.
    pub(super) fn at_wall(&mut self, rng: &mut Rng, size: [f32; 3], front: f32, corner: bool) -> Option<Spot> {
        self.on_sides(rng, &SIDES, size, front, corner)
    }

    /// [`Self::at_wall`] on chosen walls.
    pub(super) fn on_sides(
        &mut self,
        rng: &mut Rng,
        sides: &[Side],
        size: [f32; 3],
        front: f32,
        corner: bool,
    ) -> Option<Spot> {
        let mut candidates = Vec::new();
        for &side in sides {
            let slack = wall_length(&self.rect, side) - size[0];
            if slack < 0.02 {
                continue;
            }
            let n = (slack / 0.1).ceil().max(1.0) as usize;
            for k in 0..=n {
                let left = 0.01 + (slack - 0.02) * k as f32 / n as f32;
                let from_corner = left.min(slack - left) / slack.max(0.1);
                let taste = if corner { from_corner } else { 0.5 - from_corner };
                candidates.push((draw(rng, 0.0, 0.5) + taste, side, left));
            }
        }
        candidates.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (_, side, left) = candidates
            .into_iter()
            .find(|&(_, side, left)| self.fits(side, left, size, front))?;
        Some(self.take(side, left, size, front))
    }

    fn fits(&self, side: Side, left: f32, size: [f32; 3], front: f32) -> bool {
        let patch = [left, left + size[0], 0.0, size[2]];
        let wall_free = !self
            .holes
            .iter()
            .any(|(s, p, is_window)| *s == side && meets(p, &patch, if *is_window { 0.0 } else { 0.12 }))
            && !self.hung.iter().any(|(s, p)| *s == side && meets(p, &patch, 0.02));
        let before = self.strip(side, left, left + size[0], size[1], size[1] + front);
        wall_free
            && self.is_free(&self.strip(side, left, left + size[0], 0.0, size[1]))
            && self.rect.grown(0.001).contains(&before)
            && !self.solids.iter().any(|s| s.overlaps(&before))
    }

    fn take(&mut self, side: Side, left: f32, size: [f32; 3], front: f32) -> Spot {
        let rect = self.strip(side, left, left + size[0], 0.0, size[1]);
        self.solids.push(rect);
        if front > 0.3 {
            self.open
                .push(self.strip(side, left, left + size[0], size[1], size[1] + front.min(0.6)));
        }
        self.hung.push((side, [left, left + size[0], 0.0, size[2]]));
        let wall = wall_frame(&self.rect, side);
        let along = left + 0.5 * size[0];
        Spot {
            frame: Frame {
                origin: wall.point(vec3(along, 0.0, 0.0)),
                ..wall
            },
            side,
            along,
        }
    }

    /// Takes a free rectangle of floor around a world point, if it is free (pieces away from walls).
    pub(super) fn take_floor(&mut self, centre: [f32; 2], size: [f32; 2]) -> bool {
        let rect = Rect::around(centre, centre).grown(0.0);
        let rect = Rect {
            x0: rect.x0 - 0.5 * size[0],
            x1: rect.x1 + 0.5 * size[0],
            z0: rect.z0 - 0.5 * size[1],
            z1: rect.z1 + 0.5 * size[1],
        };
        let free = self.is_free(&rect);
        if free {
            self.solids.push(rect);
        }
        free
    }

    /// Finds and takes a free rectangle of floor at least `gap` from the walls; its centre.
    pub(super) fn in_the_open(&mut self, rng: &mut Rng, size: [f32; 2], gap: f32) -> Option<[f32; 2]> {
        let inner = self.rect.grown(-gap);
        let (sx, sz) = (inner.width() - size[0], inner.depth() - size[1]);
        if sx <= 0.0 || sz <= 0.0 {
            return None;
        }
        (0..80).find_map(|_| {
            let centre = [
                inner.x0 + 0.5 * size[0] + sx * draw(rng, 0.1, 0.9),
                inner.z0 + 0.5 * size[1] + sz * draw(rng, 0.1, 0.9),
            ];
            self.take_floor(centre, size).then_some(centre)
        })
    }

    /// Finds and takes a place on a wall for something `w` x `h` whose middle is near height `y`: the
    /// frame of its centre and the wall.
    pub(super) fn hang(&mut self, rng: &mut Rng, w: f32, h: f32, y: [f32; 2]) -> Option<(Frame, Side)> {
        for _ in 0..40 {
            let side = *rng.pick(&SIDES);
            let slack = wall_length(&self.rect, side) - w - 0.2;
            let at = draw(rng, y[0], y[1]);
            let left = 0.1 + draw(rng, 0.0, 1.0) * slack;
            if slack > 0.0
                && let Some(frame) = self.hang_at(side, [left, left + w, at - 0.5 * h, at + 0.5 * h])
            {
                return Some((frame, side));
            }
        }
        None
    }

    /// Takes a patch of a wall if it is free; the frame of its centre.
    pub(super) fn hang_at(&mut self, side: Side, patch: Patch) -> Option<Frame> {
        let length = wall_length(&self.rect, side);
        let free = patch[0] > 0.03
            && patch[1] < length - 0.03
            && patch[3] < self.ceiling - 0.08
            && !self.holes.iter().any(|(s, p, _)| *s == side && meets(p, &patch, 0.12))
            && !self.hung.iter().any(|(s, p)| *s == side && meets(p, &patch, 0.06));
        free.then(|| {
            self.hung.push((side, patch));
            let wall = wall_frame(&self.rect, side);
            let centre = vec3(0.5 * (patch[0] + patch[1]), 0.5 * (patch[2] + patch[3]), 0.0);
            Frame {
                origin: wall.point(centre),
                ..wall
            }
        })
    }

    /// Windows of the room as wall patches.
    pub(super) fn windows(&self) -> Vec<(Side, Patch)> {
        self.holes.iter().filter(|h| h.2).map(|h| (h.0, h.1)).collect()
    }

    /// Marks a patch as used without a check (curtains beside a window).
    pub(super) fn cover(&mut self, side: Side, patch: Patch) {
        self.hung.push((side, patch));
    }

    /// Takes a part of the floor without a check.
    pub(super) fn occupy(&mut self, rect: Rect) {
        self.solids.push(rect);
    }

    /// Keeps furniture off a part of the floor.
    pub(super) fn keep_open(&mut self, rect: Rect) {
        self.open.push(rect);
    }

    /// Middle of the floor.
    pub(super) fn centre(&self) -> Vec3 {
        let [x, z] = self.passage.centre();
        vec3(x, 0.0, z)
    }
}
