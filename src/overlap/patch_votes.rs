//! The published patch rule: each patch votes for the patch of the other view that shows it.
//!
//! A map takes pixels of one view to points of the other. The points of a patch vote for the patch
//! they land in, or for "out"; a tie goes to the label that reached the highest count first. Patches
//! are visited in raster order, and a patch whose winner is "out" or already taken has no partner: it
//! is not given its runner-up. The result is one-to-one (MIMIC supplement 2.2 and the released code).
//!
//! Coordinates are integer pixels as OpenCV counts them: patch (0, 0) takes the points in
//! [0, 16) x [0, 16).

use crate::rng::Rng;
use crate::view::{Correspondence, Overlap};

/// Pixels along one side of a patch.
pub const PATCH: u32 = 16;
/// Pixels of a patch.
pub const PATCH_PIXELS: usize = (PATCH * PATCH) as usize;

/// The square grid of patches of a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PatchGrid {
    /// Patches along one side; 14 for 224 pixels.
    pub side: u32,
}

impl PatchGrid {
    /// The grid of a square view `width` pixels wide; a rest that fills no patch is left out.
    pub fn new(width: u32) -> Self {
        Self { side: width / PATCH }
    }

    /// Number of patches.
    pub fn len(self) -> usize {
        (self.side * self.side) as usize
    }

    /// Whether the view is smaller than a patch.
    pub fn is_empty(self) -> bool {
        self.side == 0
    }

    /// The label "out".
    pub(super) fn out(self) -> u16 {
        self.len() as u16
    }

    /// Top-left pixel of a patch.
    pub(super) fn corner(self, patch: usize) -> (u32, u32) {
        let side = self.side as usize;
        ((patch % side) as u32 * PATCH, (patch / side) as u32 * PATCH)
    }

    /// The patch of a point, or "out".
    pub(super) fn label(self, point: Option<(f64, f64)>) -> u16 {
        let size = f64::from(self.side * PATCH);
        match point {
            Some((x, y)) if x >= 0.0 && y >= 0.0 && x < size && y < size => {
                ((y as u32 / PATCH) * self.side + x as u32 / PATCH) as u16
            }
            _ => self.out(),
        }
    }
}

/// The partner of each patch, in raster order.
pub type PatchMap = Vec<Option<u16>>;

/// Votes of every pixel of each patch. `map` takes a pixel to a point of the other view, `None` where it is not seen.
pub fn exact_votes(grid: PatchGrid, mut map: impl FnMut(u32, u32) -> Option<(f64, f64)>) -> PatchMap {
    collect(grid, |patch, labels| {
        let (left, top) = grid.corner(patch);
        for y in top..top + PATCH {
            labels.extend((left..left + PATCH).map(|x| grid.label(map(x, y))));
        }
    })
}

/// Votes of `samples` random pixels of each patch, drawn with replacement.
pub fn sampled_votes(
    grid: PatchGrid,
    samples: usize,
    rng: &mut Rng,
    mut map: impl FnMut(u32, u32) -> Option<(f64, f64)>,
) -> PatchMap {
    let mut pixels = vec![0u8; samples];
    collect(grid, |patch, labels| {
        let (left, top) = grid.corner(patch);
        draw_pixels(rng, &mut pixels);
        labels.extend(pixels.iter().map(|&p| {
            let (x, y) = (u32::from(p) % PATCH, u32::from(p) / PATCH);
            grid.label(map(left + x, top + y))
        }));
    })
}

/// Random pixels of a patch as raster indices: eight from each word of the stream.
pub(super) fn draw_pixels(rng: &mut Rng, pixels: &mut [u8]) {
    for eight in pixels.chunks_mut(8) {
        let word = rng.next_u64().to_le_bytes();
        eight.copy_from_slice(&word[..eight.len()]);
    }
}

fn collect(grid: PatchGrid, mut labels_of: impl FnMut(usize, &mut Vec<u16>)) -> PatchMap {
    let mut labels = Vec::new();
    let mut claims = Claims::new(grid);
    let mut counts = vec![0u16; grid.len() + 1];
    for patch in 0..grid.len() {
        labels.clear();
        labels_of(patch, &mut labels);
        claims.claim(winner(&labels, &mut counts, grid.out()));
    }
    claims.partners
}

/// The label that reaches the highest count first; `counts` must be zero and is left so.
fn winner(labels: &[u16], counts: &mut [u16], out: u16) -> u16 {
    let (mut most, mut winner) = (0, out);
    for &label in labels {
        let count = &mut counts[usize::from(label)];
        *count += 1;
        if *count > most {
            (most, winner) = (*count, label);
        }
    }
    for &label in labels {
        counts[usize::from(label)] = 0;
    }
    winner
}

/// Winners in raster order, each partner given away once.
pub(super) struct Claims {
    grid: PatchGrid,
    taken: Vec<bool>,
    pub partners: PatchMap,
}

impl Claims {
    pub fn new(grid: PatchGrid) -> Self {
        Self {
            grid,
            taken: vec![false; grid.len()],
            partners: Vec::with_capacity(grid.len()),
        }
    }

    /// Gives the next patch its winner, if that is a patch and still free.
    pub fn claim(&mut self, winner: u16) {
        let free = winner != self.grid.out() && !std::mem::replace(&mut self.taken[usize::from(winner)], true);
        self.partners.push(free.then_some(winner));
    }
}

/// How many patches have a partner.
pub fn partners(map: &[Option<u16>]) -> usize {
    map.iter().flatten().count()
}

/// Share of patches with a partner, both ways.
pub fn overlap(grid: PatchGrid, there: &[Option<u16>], back: &[Option<u16>]) -> Overlap {
    let share = |map| partners(map) as f64 / grid.len().max(1) as f64;
    Overlap {
        first_to_second: share(there),
        second_to_first: share(back),
    }
}

/// The partners of the direction with fewer of them, first to second; at a tie those of the way back.
pub fn correspondence(grid: PatchGrid, there: &[Option<u16>], back: &[Option<u16>]) -> Correspondence {
    if partners(there) < partners(back) {
        forward(grid, there)
    } else {
        backward(grid, back)
    }
}

/// The partners that a map from the first view to the second gives.
pub(super) fn forward(grid: PatchGrid, there: &[Option<u16>]) -> Correspondence {
    Correspondence {
        grid: grid.side,
        patches: pairs(there).collect(),
    }
}

/// The partners that a map from the second view to the first gives.
pub(super) fn backward(grid: PatchGrid, back: &[Option<u16>]) -> Correspondence {
    let mut patches: Vec<_> = pairs(back).map(|(second, first)| (first, second)).collect();
    patches.sort_unstable();
    Correspondence {
        grid: grid.side,
        patches,
    }
}

fn pairs(map: &[Option<u16>]) -> impl Iterator<Item = (u16, u16)> {
    let with_place = map.iter().enumerate();
    with_place.filter_map(|(i, to)| to.map(|to| (i as u16, to)))
}
