//! The patch votes of a homography, vectorised.
//!
//! The same rule and the same draws as [`patch_votes`](super::patch_votes), many points at a time.

use fearless_simd::{Level, Simd as _, dispatch};

use super::patch_votes::{Claims, PATCH, PATCH_PIXELS, PatchGrid, PatchMap, draw_pixels};
use crate::features::homography::Homography;
use crate::rng::Rng;

/// Tables that take turns in counting, so that equal labels in a row do not wait for each other.
const TABLES: usize = 4;
/// Labels that fit a byte: patches and "out" of any grid up to 15 x 15.
const LABELS: usize = 256;
/// Patches along one side at most.
pub const MAX_SIDE: u32 = 15;

/// Which pixels of a patch vote.
pub enum Voters<'a> {
    /// So many random ones, drawn with replacement; at most 256.
    Sampled(usize, &'a mut Rng),
    /// All of them, in raster order.
    All,
}

/// The partner of each patch under `h`. The grid must have at most [`MAX_SIDE`] patches along a side.
///
/// Points are computed in double precision and rounded to float before they are placed, as OpenCV's
/// `perspectiveTransform` does; a denominator below the float epsilon gives (0, 0), and points behind
/// the camera (negative denominator) count like any other.
pub fn homography_votes(level: Level, grid: PatchGrid, h: &Homography, mut voters: Voters<'_>) -> PatchMap {
    assert!(
        grid.side <= MAX_SIDE,
        "a grid of {} patches a side is too large",
        grid.side
    );
    let mut pixels: [u8; PATCH_PIXELS] = std::array::from_fn(|i| i as u8);
    let mut labels = [0u8; PATCH_PIXELS];
    let mut claims = Claims::new(grid);
    for patch in 0..grid.len() {
        let n = match &mut voters {
            Voters::Sampled(samples, rng) => {
                let n = (*samples).min(PATCH_PIXELS);
                draw_pixels(rng, &mut pixels[..n]);
                n
            }
            Voters::All => PATCH_PIXELS,
        };
        let corner = grid.corner(patch);
        let winner = dispatch!(level, simd => simd.vectorize(#[inline(always)] || {
            place(h, grid, corner, &pixels[..n], &mut labels[..n]);
            winner(&labels[..n])
        }));
        claims.claim(u16::from(winner));
    }
    claims.partners
}

/// The label of each pixel of the patch at `corner`.
#[inline(always)]
fn place(h: &Homography, grid: PatchGrid, corner: (u32, u32), pixels: &[u8], labels: &mut [u8]) {
    let (left, top) = (f64::from(corner.0), f64::from(corner.1));
    let size = (grid.side * PATCH) as f32;
    let (side, out) = (grid.side as i32, i32::from(grid.out()));
    for (label, &pixel) in labels.iter_mut().zip(pixels) {
        let x = left + f64::from(i32::from(pixel & 15));
        let y = top + f64::from(i32::from(pixel >> 4));
        let w = x * h[6] + y * h[7] + h[8];
        let inverse = if w.abs() > f64::from(f32::EPSILON) {
            1.0 / w
        } else {
            0.0
        };
        let px = ((x * h[0] + y * h[1] + h[2]) * inverse) as f32;
        let py = ((x * h[3] + y * h[4] + h[5]) * inverse) as f32;
        let inside = (px >= 0.0) & (py >= 0.0) & (px < size) & (py < size);
        // Clamped first, so that the conversion is exact; what was outside is replaced below.
        let column = (px.max(0.0).min(size) as i32) >> 4;
        let row = (py.max(0.0).min(size) as i32) >> 4;
        *label = (if inside { row * side + column } else { out }) as u8;
    }
}

/// The label that reaches the highest count first.
#[inline(always)]
fn winner(labels: &[u8]) -> u8 {
    let Some(&first) = labels.first() else {
        return u8::MAX;
    };
    if labels.iter().fold(0, |differs, &label| differs | (label ^ first)) == 0 {
        return first;
    }
    let mut tables = [[0u8; LABELS]; TABLES];
    for group in labels.chunks(TABLES) {
        for (table, &label) in tables.iter_mut().zip(group) {
            table[usize::from(label)] += 1;
        }
    }
    let mut counts = [0u8; LABELS];
    for (i, count) in counts.iter_mut().enumerate() {
        // 256 equal labels were handled above, so a sum fits.
        *count = tables[0][i] + tables[1][i] + tables[2][i] + tables[3][i];
    }
    let most = counts.iter().fold(0, |most, &count| most.max(count));
    let winners = counts.iter().fold(0u32, |n, &count| n + u32::from(count == most));
    if winners == 1 {
        return counts.iter().position(|&count| count == most).unwrap_or(0) as u8;
    }
    // Of labels with the same final count, the one seen last earliest was the first to reach it.
    let mut seen = [0u8; LABELS];
    for &label in labels {
        let count = &mut seen[usize::from(label)];
        *count += 1;
        if *count == most {
            return label;
        }
    }
    first
}
