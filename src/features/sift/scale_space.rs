//! The Gaussian pyramid.
//!
//! Differences of Gaussians are taken where they are looked at: storing them would double the traffic to memory.

use fearless_simd::Level;
use image::GrayImage;

use super::blur::{BlurScratch, blur, half_kernel};
use super::params::{BORDER, INPUT_SIGMA, SiftParams};
use super::plane::Plane;

/// One octave: `octave_layers + 2` blurred planes. The next one, the coarsest, is computed where it is
/// looked at.
#[derive(Debug, Default)]
pub(super) struct Octave {
    /// Blurred planes, finest first.
    pub gauss: Vec<Plane>,
    /// Blur that takes the last of them to the coarsest plane.
    pub coarsest_kernel: Vec<f32>,
}

/// All octaves of one picture; its memory serves the next picture too.
#[derive(Debug, Default)]
pub(super) struct ScaleSpace {
    /// The first octave has twice the resolution of the picture.
    pub octaves: Vec<Octave>,
    /// Octaves of the current picture; later ones are left over from a larger one.
    pub count: usize,
    doubled: Plane,
    scratch: BlurScratch,
}

impl ScaleSpace {
    /// Octaves that exist for the current picture.
    pub fn octaves(&self) -> &[Octave] {
        &self.octaves[..self.count]
    }

    /// Fills the pyramid from a picture of at least 1x1 pixels.
    pub fn build(&mut self, level: Level, gray: &GrayImage, params: &SiftParams) {
        let layers = params.octave_layers as usize;
        double(gray, &mut self.doubled);
        let mut kernels = layer_kernels(params);
        let coarsest = kernels.pop().unwrap_or_default();
        self.count = octave_count(self.doubled.width, self.doubled.height);
        if self.octaves.len() < self.count {
            self.octaves.resize_with(self.count, Octave::default);
        }
        for index in 0..self.count {
            let (done, rest) = self.octaves.split_at_mut(index);
            let octave = &mut rest[0];
            octave.gauss.resize_with(layers + 2, Plane::default);
            octave.coarsest_kernel.clone_from(&coarsest);
            match done.last() {
                None => blur(
                    level,
                    &base_kernel(params),
                    &self.doubled,
                    &mut octave.gauss[0],
                    &mut self.scratch,
                ),
                Some(previous) => halve(&previous.gauss[layers], &mut octave.gauss[0]),
            }
            for (i, kernel) in kernels.iter().enumerate() {
                let (finer, coarser) = octave.gauss.split_at_mut(i + 1);
                blur(level, kernel, &finer[i], &mut coarser[0], &mut self.scratch);
            }
        }
    }
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
fn double(gray: &GrayImage, out: &mut Plane) {
    let (width, height) = (gray.width() as usize, gray.height() as usize);
    out.reset(2 * width, 2 * height);
    let row = |y: usize| &gray.as_raw()[y * width..(y + 1) * width];
    for y in 0..height {
        let here = row(y);
        for (to, other) in [(2 * y, y.saturating_sub(1)), (2 * y + 1, (y + 1).min(height - 1))] {
            let other = row(other);
            let line = out.row_mut(to);
            let mix = |x: usize| 0.75 * f32::from(here[x]) + 0.25 * f32::from(other[x]);
            let mut before = mix(0);
            let mut value = before;
            for x in 0..width {
                let after = mix((x + 1).min(width - 1));
                line[2 * x] = 0.25 * before + 0.75 * value;
                line[2 * x + 1] = 0.75 * value + 0.25 * after;
                (before, value) = (value, after);
            }
        }
    }
}

/// Every second pixel of every second row.
fn halve(source: &Plane, out: &mut Plane) {
    out.reset(source.width / 2, source.height / 2);
    for y in 0..out.height {
        let from = source.row(2 * y);
        for (to, pair) in out.row_mut(y).iter_mut().zip(from.chunks_exact(2)) {
            *to = pair[0];
        }
    }
}
