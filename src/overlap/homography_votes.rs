//! The patch votes of a homography, vectorised.
//!
//! The same rule and the same draws as [`patch_votes`](super::patch_votes), many points at a time.

use fearless_simd::prelude::*;
use fearless_simd::{Level, dispatch, f32x16, f64x8, i32x16, mask32x16, u8x64, u16x32, u32x16};

use super::certain_patches::{SIDE, certain_patches};
use super::patch_votes::{Claims, PATCH, PATCH_PIXELS, PatchGrid, PatchMap, draw_pixels};
use crate::features::homography::Homography;
use crate::rng::Rng;

/// Patches along one side at most: patches and "out" fit a byte, and leave [`NONE`] free.
pub const MAX_SIDE: u32 = 15;
/// A place without a vote.
const NONE: u8 = u8::MAX;

/// Which pixels of a patch vote.
pub enum Voters<'a> {
    /// So many random ones, drawn with replacement; at most 256.
    Sampled(usize, &'a mut Rng),
    /// All of them, in raster order.
    All,
}

/// The partner of each patch under `h`. The grid must have at most `MAX_SIDE` patches along a side.
///
/// Points are computed in double precision and rounded to float before they are placed, as OpenCV's
/// `perspectiveTransform` does; a denominator below the float epsilon gives (0, 0), and points behind
/// the camera (negative denominator) count like any other.
pub fn homography_votes(level: Level, grid: PatchGrid, h: &Homography, voters: Voters<'_>) -> PatchMap {
    assert!(
        grid.side <= MAX_SIDE,
        "a grid of {} patches a side is too large",
        grid.side
    );
    dispatch!(level, simd => simd.vectorize(#[inline(always)] || votes(simd, grid, h, voters)))
}

#[inline(always)]
fn votes<S: Simd>(simd: S, grid: PatchGrid, h: &Homography, mut voters: Voters<'_>) -> PatchMap {
    let certain = certain_patches(simd, grid, h);
    let mut pixels: [u8; PATCH_PIXELS] = std::array::from_fn(|i| i as u8);
    let mut labels: Labels = [NONE; _];
    let n = match &voters {
        Voters::Sampled(samples, _) => (*samples).min(PATCH_PIXELS),
        Voters::All => PATCH_PIXELS,
    };
    let mut claims = Claims::new(grid);
    let mut undrawn = Undrawn::default();
    let side = grid.side as usize;
    for patch in 0..grid.len() {
        if let Some(label) = certain[patch / side * SIDE + patch % side].filter(|_| n > 0) {
            undrawn.patches += 1;
            claims.claim(label);
            continue;
        }
        if let Voters::Sampled(_, rng) = &mut voters {
            undrawn.skip(rng, &mut pixels[..n]);
            draw_pixels(rng, &mut pixels[..n]);
        }
        let corner = grid.corner(patch);
        let blocks = pixels.as_chunks().0.iter().take(n.div_ceil(BLOCK));
        for (block, pixels) in blocks.enumerate() {
            let labels = &mut labels[block * BLOCK..block * BLOCK + WIDE];
            place(simd, h, grid, corner, pixels, labels);
        }
        labels[n..].fill(NONE);
        claims.claim(u16::from(winner(simd, grid.out() as u8, &labels, n)));
    }
    if let Voters::Sampled(_, rng) = &mut voters {
        undrawn.skip(rng, &mut pixels[..n]);
    }
    claims.partners
}

/// Patches whose pixels need not be known; the stream must go on as if they had been drawn.
#[derive(Default)]
struct Undrawn {
    patches: u64,
}

impl Undrawn {
    /// Words from which on moving the stream is faster than drawing them.
    const FAR: u64 = 64;

    #[inline(always)]
    fn skip(&mut self, rng: &mut Rng, pixels: &mut [u8]) {
        let words = self.patches * pixels.len().div_ceil(8) as u64;
        if words > Self::FAR {
            rng.skip(words);
        } else {
            for _ in 0..self.patches {
                draw_pixels(rng, pixels);
            }
        }
        self.patches = 0;
    }
}

/// Pixels placed at once.
const BLOCK: usize = 16;
/// Labels compared at once, and written at once.
const WIDE: usize = 64;
/// A label for each pixel of a patch, and room for the last vector that is written.
type Labels = [u8; PATCH_PIXELS + WIDE - BLOCK];

/// The labels of some pixels of the patch at `corner`; those beyond [`BLOCK`] are of no meaning.
#[inline(always)]
fn place<S: Simd>(
    simd: S,
    h: &Homography,
    grid: PatchGrid,
    corner: (u32, u32),
    pixels: &[u8; BLOCK],
    labels: &mut [u8],
) {
    let (mut x, mut y) = ([0.0f32; BLOCK], [0.0f32; BLOCK]);
    for i in 0..BLOCK {
        x[i] = (corner.0 as i32 + i32::from(pixels[i] & 15)) as f32;
        y[i] = (corner.1 as i32 + i32::from(pixels[i] >> 4)) as f32;
    }
    // Whole numbers: exact as floats.
    let (x0, x1) = simd.widen_f32x16(f32x16::load_array(simd, x));
    let (y0, y1) = simd.widen_f32x16(f32x16::load_array(simd, y));
    let (px0, py0) = project(simd, h, x0, y0);
    let (px1, py1) = project(simd, h, x1, y1);
    let px = simd.narrow_f64x8(px0, px1);
    let py = simd.narrow_f64x8(py0, py1);
    let (zero, size) = (
        f32x16::splat(simd, 0.0),
        f32x16::splat(simd, (grid.side * PATCH) as f32),
    );
    let inside = px.simd_ge(zero) & py.simd_ge(zero) & px.simd_lt(size) & py.simd_lt(size);
    let row = whole_patches(simd, py, inside);
    let column = whole_patches(simd, px, inside);
    let label = row * i32x16::splat(simd, grid.side as i32) + column;
    let label = inside.select(label, i32x16::splat(simd, i32::from(grid.out())));
    let none = u16x32::splat(simd, 0);
    let half = simd.relaxed_narrow_u32x16(label.bitcast(), u32x16::splat(simd, 0));
    simd.relaxed_narrow_u16x32(half, none).store_slice(labels);
}

/// The map of eight points.
#[inline(always)]
fn project<S: Simd>(simd: S, h: &Homography, x: f64x8<S>, y: f64x8<S>) -> (f64x8<S>, f64x8<S>) {
    let w = x * f64x8::splat(simd, h[6]) + y * f64x8::splat(simd, h[7]) + f64x8::splat(simd, h[8]);
    let epsilon = f64x8::splat(simd, f64::from(f32::EPSILON));
    let (zero, one) = (f64x8::splat(simd, 0.0), f64x8::splat(simd, 1.0));
    let inverse = w.abs().simd_gt(epsilon).select(one / w, zero);
    let px = x * f64x8::splat(simd, h[0]) + y * f64x8::splat(simd, h[1]) + f64x8::splat(simd, h[2]);
    let py = x * f64x8::splat(simd, h[3]) + y * f64x8::splat(simd, h[4]) + f64x8::splat(simd, h[5]);
    (px * inverse, py * inverse)
}

/// Patch column or row of coordinates that are inside, 0 for the others.
#[inline(always)]
fn whole_patches<S: Simd>(simd: S, v: f32x16<S>, inside: mask32x16<S>) -> i32x16<S> {
    // Dividing by 16 is exact, so the integer part is the patch.
    let patches = v * f32x16::splat(simd, 1.0 / PATCH as f32);
    inside.select(patches, f32x16::splat(simd, 0.0)).to_int()
}

/// The label that reaches the highest count first among the first `n`; the rest must be [`NONE`].
///
/// Of labels that occur equally often, that is the one whose last vote comes first.
#[inline(always)]
fn winner<S: Simd>(simd: S, out: u8, labels: &Labels, n: usize) -> u8 {
    const PARTS: usize = PATCH_PIXELS / WIDE;
    let parts = n.div_ceil(WIDE);
    // Places whose label has not been counted yet.
    let mut rest = [0u64; PARTS];
    for (part, rest) in rest.iter_mut().enumerate().take(parts) {
        let places = (n - part * WIDE).min(WIDE);
        *rest = u64::MAX >> (WIDE - places);
    }
    let (mut uncounted, mut most, mut last, mut winner) = (n as u32, 0, 0, out);
    for part in 0..parts {
        while rest[part] != 0 {
            let label = labels[part * WIDE + rest[part].trailing_zeros() as usize];
            let wanted = u8x64::splat(simd, label);
            let (mut votes, mut last_vote) = (0, 0);
            for at in part..parts {
                let equal = u8x64::from_slice(simd, &labels[at * WIDE..(at + 1) * WIDE])
                    .simd_eq(wanted)
                    .to_bitmask();
                rest[at] &= !equal;
                votes += equal.count_ones();
                if equal != 0 {
                    last_vote = at as u32 * WIDE as u32 + equal.ilog2();
                }
            }
            if votes > most || (votes == most && last_vote < last) {
                (most, last, winner) = (votes, last_vote, label);
            }
            uncounted -= votes;
            if uncounted < most {
                return winner;
            }
        }
    }
    winner
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rule as it is stated: count in order, and keep the first label that exceeds all before.
    fn first_to_the_top(labels: &[u8], out: u8) -> u8 {
        let mut counts = [0u16; 256];
        let (mut most, mut winner) = (0, out);
        for &label in labels {
            let count = &mut counts[usize::from(label)];
            *count += 1;
            if *count > most {
                (most, winner) = (*count, label);
            }
        }
        winner
    }

    #[test]
    fn the_winner_is_the_first_to_the_top() {
        let mut rng = Rng::stream(1, "winner", &[]);
        for round in 0..4000 {
            let n = [0, 1, 2, 63, 64, 65, 100, 128, 200, 256][round % 10];
            let kinds = 1 + rng.below(6);
            let mut labels: Labels = [NONE; _];
            for label in &mut labels[..n] {
                *label = rng.below(kinds) as u8 * 39;
            }
            let expected = first_to_the_top(&labels[..n], 196);
            for level in [Level::new(), Level::baseline()] {
                let got = dispatch!(level, simd => winner(simd, 196, &labels, n));
                assert_eq!(got, expected, "{:?}", &labels[..n]);
            }
        }
    }
}
