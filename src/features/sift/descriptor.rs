//! The 4x4x8 gradient histogram of a keypoint, quantised to bytes.

use fearless_simd::prelude::*;
use fearless_simd::{Level, dispatch, f32x16, mask32x16};

use super::params::{BYTE_SCALE, CELL_BINS, CELLS, CLAMP};
use super::plane::Plane;
use super::window::{CHUNK, Samples, Window};

/// 16 cells of 8 orientations in raster order.
pub type Descriptor = [u8; CELLS * CELLS * CELL_BINS];

/// Cells along one side with a border that takes what interpolation spreads outside.
pub(super) const SIDE: usize = CELLS + 2;
/// Upper left cells of four that share a sample, rounded up to a power of two.
const PLACES: usize = 32;
/// Orientation bins of all cells in raster order, border included, and a rest that is never read.
/// Aligned, so that two cells that share a vector lie in few cache lines.
#[repr(align(64))]
#[derive(Clone, Copy)]
struct Histogram([f32; (PLACES + SIDE + 2) * CELL_BINS]);

/// Where and how a descriptor is taken, in pixels of its plane.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub x: f32,
    pub y: f32,
    pub scale: f32,
    /// Angle of the keypoint, degrees with y up.
    pub angle: f32,
}

/// Keypoints described side by side.
///
/// Samples of one keypoint that follow each other mostly add to the same bins, so that each waits for
/// the one before; those of several keypoints fill the wait.
pub(super) const GROUP: usize = 4;

/// Working memory of a group.
#[derive(Debug, Default)]
pub(super) struct DescriptorScratch {
    samples: [Samples; GROUP],
}

/// Describes the surroundings of up to [`GROUP`] keypoints (Lowe 2004, section 6).
pub(super) fn describe(
    level: Level,
    keypoints: &[(&Plane, Frame)],
    scratch: &mut DescriptorScratch,
) -> [Descriptor; GROUP] {
    let mut out = [[0; CELLS * CELLS * CELL_BINS]; GROUP];
    dispatch!(level, simd => simd.vectorize(#[inline(always)] || {
        let mut windows: [Option<Window<'_>>; GROUP] =
            std::array::from_fn(|k| keypoints.get(k).map(|(plane, frame)| Window::new(plane, *frame)));
        let mut histograms: [Histogram; GROUP] = [Histogram([0.0; _]); GROUP];
        loop {
            let mut n = 0;
            for (window, samples) in windows.iter_mut().zip(&mut scratch.samples) {
                samples.len = 0;
                if let Some(window) = window {
                    window.fill(simd, samples);
                }
                n = n.max(samples.len);
            }
            if n == 0 {
                break;
            }
            scratch.samples.iter_mut().for_each(|samples| samples.pad(n));
            accumulate(simd, &scratch.samples, n, &mut histograms);
        }
        for (histogram, out) in histograms.iter().zip(&mut out) {
            *out = quantise(histogram);
        }
    }));
    out
}

/// Trilinear interpolation: each sample shares itself between two bins of four cells.
///
/// Every bin takes its samples in the order of the window's rows, whatever the group.
#[inline(always)]
fn accumulate<S: Simd>(simd: S, samples: &[Samples; GROUP], n: usize, histograms: &mut [Histogram; GROUP]) {
    // Two cells side by side: each value below is there twice.
    let bins: [f32; 2 * CELL_BINS] = std::array::from_fn(|bin| (bin % CELL_BINS) as f32);
    let bins = f32x16::load_array(simd, bins);
    let splat = |v: f32| f32x16::splat(simd, v);
    let (zero, one, all) = (splat(0.0), splat(1.0), splat(CELL_BINS as f32));
    let left_cell = mask32x16::from_bitmask(simd, (1 << CELL_BINS) - 1);
    for i in 0..n.min(CHUNK) {
        for (samples, histogram) in samples.iter().zip(histograms.iter_mut()) {
            let distance = (splat(samples.bin[i]) - bins).abs();
            let near = one - distance.min(all - distance);
            let share = near.max(zero);
            let start = samples.cell[i] as usize % PLACES * CELL_BINS;
            for (row, left) in [(start, 0), (start + SIDE * CELL_BINS, 2)] {
                let cells = &mut histogram.0[row..row + 2 * CELL_BINS];
                let weights = left_cell.select(splat(samples.weights[left][i]), splat(samples.weights[left + 1][i]));
                (f32x16::from_slice(simd, cells) + weights * share).store_slice(cells);
            }
        }
    }
}

/// Normalises the inner cells, clamps, normalises again and rounds to bytes.
#[inline(always)]
fn quantise(histogram: &Histogram) -> Descriptor {
    let mut values = [0.0f32; CELLS * CELLS * CELL_BINS];
    for (row, out) in values.chunks_exact_mut(CELLS * CELL_BINS).enumerate() {
        let start = ((row + 1) * SIDE + 1) * CELL_BINS;
        out.copy_from_slice(&histogram.0[start..start + CELLS * CELL_BINS]);
    }
    let limit = length(&values) * CLAMP;
    for value in &mut values {
        *value = if *value < limit { *value } else { limit };
    }
    let scale = BYTE_SCALE / length(&values).max(f32::EPSILON);
    values.map(|value| {
        // Adding 2^23 rounds to the nearest integer, ties to even, and leaves it in the low bits.
        const SHIFT: f32 = 8_388_608.0;
        let rounded = (value * scale + SHIFT).to_bits() - SHIFT.to_bits();
        if rounded < 255 { rounded as u8 } else { 255 }
    })
}

/// Euclidean length, summed in eight fixed lanes.
#[inline(always)]
fn length(values: &[f32]) -> f32 {
    let mut lanes = [0.0f32; 8];
    for chunk in values.chunks_exact(8) {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane += value * value;
        }
    }
    lanes.iter().sum::<f32>().sqrt()
}
