//! Rectangles on the floor and the sides of a room.

/// A rectangle on the floor, metres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rect {
    pub(super) x0: f32,
    pub(super) z0: f32,
    pub(super) x1: f32,
    pub(super) z1: f32,
}

impl Rect {
    pub(super) fn width(&self) -> f32 {
        self.x1 - self.x0
    }

    pub(super) fn depth(&self) -> f32 {
        self.z1 - self.z0
    }

    pub(super) fn area(&self) -> f32 {
        self.width() * self.depth()
    }

    pub(super) fn centre(&self) -> [f32; 2] {
        [0.5 * (self.x0 + self.x1), 0.5 * (self.z0 + self.z1)]
    }

    /// Every side moved outwards by `by` (inwards where negative).
    pub(super) fn grown(&self, by: f32) -> Self {
        Self {
            x0: self.x0 - by,
            z0: self.z0 - by,
            x1: self.x1 + by,
            z1: self.z1 + by,
        }
    }

    pub(super) fn overlaps(&self, other: &Self) -> bool {
        self.x0 < other.x1 && other.x0 < self.x1 && self.z0 < other.z1 && other.z0 < self.z1
    }

    pub(super) fn contains(&self, other: &Self) -> bool {
        self.x0 <= other.x0 && self.z0 <= other.z0 && self.x1 >= other.x1 && self.z1 >= other.z1
    }

    /// Smallest rectangle around two points.
    pub(super) fn around(a: [f32; 2], b: [f32; 2]) -> Self {
        Self {
            x0: a[0].min(b[0]),
            z0: a[1].min(b[1]),
            x1: a[0].max(b[0]),
            z1: a[1].max(b[1]),
        }
    }
}

/// A wall of a room by where it lies: North is the least z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    North,
    East,
    South,
    West,
}

/// All four sides in order.
pub(super) const SIDES: [Side; 4] = [Side::North, Side::East, Side::South, Side::West];

impl Side {
    /// True where the wall runs along x.
    pub(super) fn along_x(self) -> bool {
        matches!(self, Self::North | Self::South)
    }

    pub(super) fn opposite(self) -> Self {
        match self {
            Self::North => Self::South,
            Self::East => Self::West,
            Self::South => Self::North,
            Self::West => Self::East,
        }
    }
}
