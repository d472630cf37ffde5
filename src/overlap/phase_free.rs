//! Variants of the metric that do not depend on where patch borders fall.
//!
//! The published vote gives each patch to the one patch of the other view that most of its pixels land in, so
//! two views shifted by half a patch lose up to 40 % of their partners. Here every pixel counts:
//!
//! **Area.** The share of the pixels of a view that land inside the other one.
//!
//! **Phase-free patches.** Patches are still paired one-to-one, but by an assignment over all votes: the pair
//! with the most votes first, then along augmenting paths until no further patch can have a partner. The
//! overlap is the share of all pixels that lie in a patch with a partner and land inside. It equals the area
//! where the homography keeps sizes, and is smaller where it shrinks the view onto fewer patches than it has.

use fearless_simd::{Level, Simd as _, dispatch};

use super::patch_votes::{PATCH, PATCH_PIXELS, PatchGrid, PatchMap};
use crate::features::homography::Homography;

/// Votes that make two patches partners at least: an eighth of a patch.
const LEAST_VOTES: u16 = (PATCH_PIXELS / 8) as u16;
/// Label of a pixel that lands outside.
const OUT: u16 = u16::MAX;

/// Share of the pixels of the first view that `h` takes into the second, in [0, 1].
pub fn area_inside(level: Level, grid: PatchGrid, h: &Homography) -> f64 {
    let inside: usize = (0..grid.len())
        .map(|patch| {
            labels(level, grid, h, patch)
                .iter()
                .filter(|&&label| label != OUT)
                .count()
        })
        .sum();
    inside as f64 / (grid.len().max(1) * PATCH_PIXELS) as f64
}

/// Partners of all patches, one-to-one, and the share of pixels that lie in a patch with a partner and land inside.
pub fn phase_free_votes(level: Level, grid: PatchGrid, h: &Homography) -> (PatchMap, f64) {
    let mut votes = Votes::new(grid.len());
    for patch in 0..grid.len() {
        votes.count(patch, &labels(level, grid, h, patch));
    }
    let partners = votes.assign();
    let inside: usize = (partners.iter().zip(&votes.inside))
        .filter(|(partner, _)| partner.is_some())
        .map(|(_, &inside)| usize::from(inside))
        .sum();
    (partners, inside as f64 / (grid.len().max(1) * PATCH_PIXELS) as f64)
}

/// The patch that each pixel of a patch lands in, raster order.
fn labels(level: Level, grid: PatchGrid, h: &Homography, patch: usize) -> [u16; PATCH_PIXELS] {
    dispatch!(level, simd => simd.vectorize(#[inline(always)] || labels_body(grid, h, patch)))
}

#[inline(always)]
fn labels_body(grid: PatchGrid, h: &Homography, patch: usize) -> [u16; PATCH_PIXELS] {
    const SIDE: usize = PATCH as usize;
    let (left, top) = grid.corner(patch);
    let (size, side) = ((grid.side * PATCH) as f32, grid.side as i32);
    let mut out = [OUT; PATCH_PIXELS];
    for (row, labels) in out.as_chunks_mut::<SIDE>().0.iter_mut().enumerate() {
        let y = f64::from(top) + row as f64;
        for (column, label) in labels.iter_mut().enumerate() {
            let x = f64::from(left) + column as f64;
            let w = x * h[6] + y * h[7] + h[8];
            // As the published votes: see `homography_votes`.
            let inverse = if w.abs() > f64::from(f32::EPSILON) {
                1.0 / w
            } else {
                0.0
            };
            let px = ((x * h[0] + y * h[1] + h[2]) * inverse) as f32;
            let py = ((x * h[3] + y * h[4] + h[5]) * inverse) as f32;
            let inside = (px >= 0.0) & (py >= 0.0) & (px < size) & (py < size);
            let (px, py) = if inside { (px, py) } else { (0.0, 0.0) };
            let place = (py as i32 / PATCH as i32) * side + px as i32 / PATCH as i32;
            *label = if inside { place as u16 } else { OUT };
        }
    }
    out
}

/// How many pixels of each patch land in which patches.
struct Votes {
    /// Pixels that land inside.
    inside: Vec<u16>,
    /// `(patch, votes)` of each patch, most votes first.
    candidates: Vec<Vec<(u16, u16)>>,
    counts: Vec<u16>,
}

impl Votes {
    fn new(patches: usize) -> Self {
        Self {
            inside: vec![0; patches],
            candidates: vec![Vec::new(); patches],
            counts: vec![0; patches],
        }
    }

    fn count(&mut self, patch: usize, labels: &[u16; PATCH_PIXELS]) {
        let mut met = Vec::with_capacity(16);
        for &label in labels.iter().filter(|&&label| label != OUT) {
            let count = &mut self.counts[usize::from(label)];
            if *count == 0 {
                met.push(label);
            }
            *count += 1;
            self.inside[patch] += 1;
        }
        let mut candidates: Vec<(u16, u16)> = met
            .into_iter()
            .map(|label| (label, std::mem::take(&mut self.counts[usize::from(label)])))
            .filter(|&(_, votes)| votes >= LEAST_VOTES)
            .collect();
        candidates.sort_by_key(|&(label, votes)| (std::cmp::Reverse(votes), label));
        self.candidates[patch] = candidates;
    }

    /// The greedy pairs, completed by augmenting paths to as many pairs as there can be.
    fn assign(&self) -> PatchMap {
        let patches = self.candidates.len();
        let mut edges: Vec<(u16, usize, u16)> = (self.candidates.iter().enumerate())
            .flat_map(|(from, candidates)| candidates.iter().map(move |&(to, votes)| (votes, from, to)))
            .collect();
        edges.sort_by_key(|&(votes, from, to)| (std::cmp::Reverse(votes), from, to));
        let mut pairs = Pairs {
            partner: vec![None; patches],
            owner: vec![None; patches],
            seen: vec![usize::MAX; patches],
        };
        for (_, from, to) in edges {
            if pairs.partner[from].is_none() && pairs.owner[usize::from(to)].is_none() {
                pairs.join(from, to);
            }
        }
        for from in 0..patches {
            if pairs.partner[from].is_none() {
                pairs.augment(&self.candidates, from, from);
            }
        }
        pairs.partner
    }
}

/// A one-to-one assignment under construction.
struct Pairs {
    partner: PatchMap,
    owner: Vec<Option<usize>>,
    /// The search that looked at a patch last.
    seen: Vec<usize>,
}

impl Pairs {
    fn join(&mut self, from: usize, to: u16) {
        self.partner[from] = Some(to);
        self.owner[usize::from(to)] = Some(from);
    }

    /// Finds a partner for `from`, moving others to other partners of theirs where that frees one. At most as deep
    /// as there are patches.
    fn augment(&mut self, candidates: &[Vec<(u16, u16)>], from: usize, search: usize) -> bool {
        for &(to, _) in &candidates[from] {
            let place = usize::from(to);
            if std::mem::replace(&mut self.seen[place], search) == search {
                continue;
            }
            let free = match self.owner[place] {
                None => true,
                Some(owner) => self.augment(candidates, owner, search),
            };
            if free {
                self.join(from, to);
                return true;
            }
        }
        false
    }
}
