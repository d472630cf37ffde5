//! The Gaussian pyramid.
//!
//! Differences of Gaussians are taken where they are looked at: storing them would double the traffic to memory.

use std::ops::Range;

use fearless_simd::prelude::*;
use fearless_simd::{Level, dispatch, f32x16};
use image::GrayImage;

use super::blur::{BlurScratch, ROWS, blur_rows, half_kernel, load};
use super::detect::{Candidate, Search};
use super::params::{BORDER, INPUT_SIGMA, MAX_LAYERS, SiftParams};
use super::plane::{AlignedFloats, LANES, Plane};

/// Rows that each level of an octave advances by before the next level follows: few enough that what
/// one level writes is still in the cache when the next one reads it.
const STRIP: usize = 16;

/// One octave: `octave_layers + 2` blurred planes. The next one, the coarsest, is computed where it is
/// looked at.
#[derive(Debug, Default)]
pub(super) struct Octave {
    /// Blurred planes, finest first.
    pub gauss: Vec<Plane>,
    /// Blur that takes the last of them to the coarsest plane.
    pub coarsest_kernel: Vec<f32>,
    /// Samples that may be extrema.
    pub candidates: Vec<Candidate>,
}

/// All octaves of one picture; its memory serves the next picture too.
#[derive(Debug, Default)]
pub(super) struct ScaleSpace {
    /// The first octave has twice the resolution of the picture.
    pub octaves: Vec<Octave>,
    /// Octaves of the current picture; later ones are left over from a larger one.
    pub count: usize,
    doubled: Plane,
    line: AlignedFloats,
    search: Search,
    scratch: BlurScratch,
}

impl ScaleSpace {
    /// Octaves that exist for the current picture.
    pub fn octaves(&self) -> &[Octave] {
        &self.octaves[..self.count]
    }

    /// Fills the pyramid from a picture of at least 1x1 pixels, and notes what may be extrema.
    pub fn build(&mut self, level: Level, gray: &GrayImage, params: &SiftParams) {
        dispatch!(level, simd => simd.vectorize(#[inline(always)] || self.build_with(simd, gray, params)));
    }

    #[inline(always)]
    fn build_with<S: Simd>(&mut self, simd: S, gray: &GrayImage, params: &SiftParams) {
        let layers = params.octave_layers as usize;
        let mut kernels = layer_kernels(params);
        let coarsest = kernels.pop().unwrap_or_default();
        let base = base_kernel(params);
        let (mut width, mut height) = (2 * gray.width() as usize, 2 * gray.height() as usize);
        self.doubled.reset(width, height);
        self.count = octave_count(width, height);
        if self.octaves.len() < self.count {
            self.octaves.resize_with(self.count, Octave::default);
        }
        for index in 0..self.count {
            let (finer_octaves, rest) = self.octaves.split_at_mut(index);
            let octave = &mut rest[0];
            octave.gauss.resize_with(layers + 2, Plane::default);
            octave.gauss.iter_mut().for_each(|plane| plane.reset(width, height));
            octave.coarsest_kernel.clone_from(&coarsest);
            octave.candidates.clear();
            self.search.start(params, &octave.gauss[0]);
            let (mut doubled, mut first) = (0, 0);
            // Rows that each blurred plane after the first has.
            let mut done = [0; MAX_LAYERS + 1];
            while done[layers] < height {
                let to = (first + STRIP).min(height);
                match finer_octaves.last() {
                    None => {
                        let needed = (to + base.len() - 1 + ROWS).min(height);
                        double(simd, gray, &mut self.doubled, doubled..needed, &mut self.line);
                        doubled = doubled.max(needed);
                        let target = &mut octave.gauss[0];
                        blur_rows(simd, &base, &self.doubled, target, first..to, &mut self.scratch);
                    }
                    Some(previous) => halve(&previous.gauss[layers], &mut octave.gauss[0], first..to),
                }
                first = to;
                let mut above = to;
                for (i, kernel) in kernels.iter().enumerate() {
                    let to = follow(above, kernel.len() - 1, done[i], height);
                    let (finer, coarser) = octave.gauss.split_at_mut(i + 1);
                    blur_rows(simd, kernel, &finer[i], &mut coarser[0], done[i]..to, &mut self.scratch);
                    done[i] = to;
                    above = to;
                }
                self.search
                    .advance(simd, &octave.gauss, done[layers], &mut octave.candidates);
            }
            (width, height) = (width / 2, height / 2);
        }
    }
}

/// The row up to which a blur can go that has gone to `done`, when its source has `rows` rows.
fn follow(rows: usize, radius: usize, done: usize, height: usize) -> usize {
    if rows == height {
        return height;
    }
    let to = rows.saturating_sub(radius).max(done);
    to - (to - done) % ROWS
}

/// Octaves for a doubled picture: OpenCV's count, less those too small to hold an extremum.
fn octave_count(width: usize, height: usize) -> usize {
    let least = width.min(height);
    let wanted = (libm::log2(least as f64) - 2.0).round_ties_even() as isize + 1;
    (0..wanted.max(0) as usize)
        .take_while(|&o| least >> o > 2 * BORDER)
        .count()
}

/// Blur that takes the doubled input to `sigma`.
fn base_kernel(params: &SiftParams) -> Vec<f32> {
    let sigma = params.sigma as f32;
    let doubled = INPUT_SIGMA * 2.0;
    half_kernel(f64::from((sigma * sigma - doubled * doubled).max(0.01).sqrt()))
}

/// Blurs that take each plane of an octave to the next.
fn layer_kernels(params: &SiftParams) -> Vec<Vec<f32>> {
    let step = libm::exp2(1.0 / f64::from(params.octave_layers));
    (1..params.octave_layers + 3)
        .map(|i| {
            let before = libm::pow(step, f64::from(i - 1)) * params.sigma;
            let after = before * step;
            half_kernel((after * after - before * before).sqrt())
        })
        .collect()
}

/// Twice the size by bilinear interpolation, pixel areas aligned: weights 1/4 and 3/4, exact in float.
///
/// `line` is working memory.
#[inline(always)]
fn double<S: Simd>(simd: S, gray: &GrayImage, out: &mut Plane, rows: Range<usize>, line: &mut AlignedFloats) {
    let (width, height) = (gray.width() as usize, gray.height() as usize);
    let row = |y: usize| &gray.as_raw()[y * width..(y + 1) * width];
    let near = f32x16::splat(simd, 0.75);
    let far = f32x16::splat(simd, 0.25);
    // One pixel beside each end, and whole vectors.
    line.resize(width.next_multiple_of(LANES) + 2 * LANES);
    for to in rows {
        let y = to / 2;
        let other = if to % 2 == 0 {
            y.saturating_sub(1)
        } else {
            (y + 1).min(height - 1)
        };
        for ((mixed, &here), &other) in line[LANES..].iter_mut().zip(row(y)).zip(row(other)) {
            *mixed = 0.75 * f32::from(here) + 0.25 * f32::from(other);
        }
        line[LANES - 1] = line[LANES];
        line[LANES + width] = line[LANES + width - 1];
        let out = out.row_mut(to);
        for x in (0..width).step_by(LANES) {
            let here = load(simd, line, LANES + x) * near;
            let (even, odd) = (
                load(simd, line, LANES + x - 1) * far + here,
                here + load(simd, line, LANES + x + 1) * far,
            );
            let (low, high) = even.interleave(odd);
            low.store_slice(&mut out[2 * x..2 * x + LANES]);
            // The last vector may lie beyond the padded row.
            if let Some(out) = out.get_mut(2 * x + LANES..2 * x + 2 * LANES) {
                high.store_slice(out);
            }
        }
    }
}

/// Every second pixel of every second row.
#[inline(always)]
fn halve(source: &Plane, out: &mut Plane, rows: Range<usize>) {
    for y in rows {
        let from = source.row(2 * y);
        for (to, pair) in out.row_mut(y).iter_mut().zip(from.chunks_exact(2)) {
            *to = pair[0];
        }
    }
}
