//! The patch votes of a homography, vectorised.
//!
//! The same rule and the same draws as [`patch_votes`](super::patch_votes), many points at a time.

use fearless_simd::{Level, Simd as _, dispatch};

use super::patch_votes::{Claims, PATCH, PATCH_PIXELS, PatchGrid, PatchMap, draw_pixels};
use crate::features::homography::Homography;
use crate::rng::Rng;

/// Patches along one side at most: patches and "out" fit a byte, and leave [`NONE`] free.
pub const MAX_SIDE: u32 = 15;
/// A place without a vote.
const NONE: u8 = u8::MAX;
/// Patches that one patch may spread over before counting them one by one is slower.
const MOST_COUNTED: usize = 24;

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
pub fn homography_votes(level: Level, grid: PatchGrid, h: &Homography, mut voters: Voters<'_>) -> PatchMap {
    assert!(
        grid.side <= MAX_SIDE,
        "a grid of {} patches a side is too large",
        grid.side
    );
    let mut pixels: [u8; PATCH_PIXELS] = std::array::from_fn(|i| i as u8);
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
            let mut labels = [NONE; PATCH_PIXELS];
            let mut window = Window::EMPTY;
            let blocks = n.div_ceil(BLOCK) * BLOCK;
            let places = pixels[..blocks].as_chunks().0.iter();
            for (pixels, labels) in places.zip(labels[..blocks].as_chunks_mut().0) {
                place(h, grid, corner, pixels, labels, &mut window);
            }
            labels[n..].fill(NONE);
            winner(grid, &labels, n, &window)
        }));
        claims.claim(u16::from(winner));
    }
    claims.partners
}

/// Pixels placed at once.
const BLOCK: usize = 16;

/// The points that are inside, lane by lane: least and greatest coordinate in patches.
struct Window {
    low: [[f32; BLOCK]; 2],
    high: [[f32; BLOCK]; 2],
}

impl Window {
    const EMPTY: Self = Self {
        low: [[f32::MAX; BLOCK]; 2],
        high: [[f32::MIN; BLOCK]; 2],
    };

    /// Takes in the points that are inside, and gives the patch column or row of each (0 outside).
    #[inline(always)]
    fn widen(&mut self, axis: usize, points: &[f32; BLOCK], inside: &[bool; BLOCK]) -> [i32; BLOCK] {
        let (low, high) = (&mut self.low[axis], &mut self.high[axis]);
        let mut whole = [0; BLOCK];
        for i in 0..BLOCK {
            // Dividing by 16 is exact, so the integer part is the patch.
            let v = points[i] * (1.0 / PATCH as f32);
            low[i] = if inside[i] & (v < low[i]) { v } else { low[i] };
            high[i] = if inside[i] & (v > high[i]) { v } else { high[i] };
            whole[i] = if inside[i] { v } else { 0.0 } as i32;
        }
        whole
    }

    /// Whole patches along one axis, columns (0) or rows (1); empty when nothing is inside.
    #[inline(always)]
    fn span(&self, axis: usize) -> std::ops::Range<usize> {
        let low = self.low[axis].iter().fold(f32::MAX, |a, &b| if b < a { b } else { a });
        let high = self.high[axis].iter().fold(f32::MIN, |a, &b| if b > a { b } else { a });
        if low > high {
            0..0
        } else {
            low as usize..high as usize + 1
        }
    }
}

/// The labels of some pixels of the patch at `corner`.
#[inline(always)]
fn place(
    h: &Homography,
    grid: PatchGrid,
    corner: (u32, u32),
    pixels: &[u8; BLOCK],
    labels: &mut [u8; BLOCK],
    window: &mut Window,
) {
    let (left, top) = (f64::from(corner.0), f64::from(corner.1));
    let size = (grid.side * PATCH) as f32;
    let (side, out) = (grid.side as i32, i32::from(grid.out()));
    let (mut px, mut py) = ([0.0f32; BLOCK], [0.0f32; BLOCK]);
    for i in 0..BLOCK {
        let x = left + f64::from(i32::from(pixels[i] & 15));
        let y = top + f64::from(i32::from(pixels[i] >> 4));
        let w = x * h[6] + y * h[7] + h[8];
        let inverse = if w.abs() > f64::from(f32::EPSILON) {
            1.0 / w
        } else {
            0.0
        };
        px[i] = ((x * h[0] + y * h[1] + h[2]) * inverse) as f32;
        py[i] = ((x * h[3] + y * h[4] + h[5]) * inverse) as f32;
    }
    let mut inside = [false; BLOCK];
    for i in 0..BLOCK {
        inside[i] = (px[i] >= 0.0) & (py[i] >= 0.0) & (px[i] < size) & (py[i] < size);
    }
    // One axis at a time: the vectoriser mixes them up otherwise.
    let columns = window.widen(0, &px, &inside);
    let rows = window.widen(1, &py, &inside);
    for i in 0..BLOCK {
        labels[i] = (if inside[i] { rows[i] * side + columns[i] } else { out }) as u8;
    }
}

/// The label that reaches the highest count first among the first `n`; the rest must be [`NONE`].
#[inline(always)]
fn winner(grid: PatchGrid, labels: &[u8; PATCH_PIXELS], n: usize, window: &Window) -> u8 {
    let (columns, rows) = (window.span(0), window.span(1));
    if columns.len() * rows.len() > MOST_COUNTED {
        return first_to_the_top(&labels[..n]);
    }
    let out = grid.out() as u8;
    let (mut most, mut winner, mut tied) = (count(labels, n, out), out, false);
    for row in rows {
        for column in columns.clone() {
            let label = (row * grid.side as usize + column) as u8;
            let votes = count(labels, n, label);
            tied = (tied & (votes <= most)) | ((votes == most) & (votes > 0));
            if votes > most {
                (most, winner) = (votes, label);
            }
        }
    }
    if tied { first_to_the_top(&labels[..n]) } else { winner }
}

/// How often a label occurs.
#[inline(always)]
fn count(labels: &[u8; PATCH_PIXELS], n: usize, label: u8) -> u32 {
    // At most 16 blocks: a lane cannot overflow.
    let mut lanes = [0u8; BLOCK];
    for block in labels.as_chunks::<BLOCK>().0.iter().take(n.div_ceil(BLOCK)) {
        for (lane, &v) in lanes.iter_mut().zip(block) {
            *lane += u8::from(v == label);
        }
    }
    lanes.iter().map(|&lane| u32::from(lane)).sum()
}

/// The plain rule: count in order, and keep the first label that exceeds all before.
fn first_to_the_top(labels: &[u8]) -> u8 {
    let mut counts = [0u16; 256];
    let (mut most, mut winner) = (0, NONE);
    for &label in labels {
        let count = &mut counts[usize::from(label)];
        *count += 1;
        if *count > most {
            (most, winner) = (*count, label);
        }
    }
    winner
}
