//! A float image whose rows are padded to whole SIMD vectors.

use std::ops::{Deref, DerefMut};

/// Rows are padded to a multiple of this many floats (one AVX-512 vector).
pub(super) const LANES: usize = 16;

/// A cache line, and one AVX-512 vector.
#[repr(C, align(64))]
#[derive(Debug, Default, Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct Line([f32; LANES]);

/// Floats that start at a cache line, so that no whole vector lies across two.
#[derive(Debug, Default, Clone)]
pub(super) struct AlignedFloats(Vec<Line>);

impl AlignedFloats {
    /// Makes room for at least so many floats, keeping the memory; new ones are 0.
    pub fn resize(&mut self, len: usize) {
        self.0.resize(len.div_ceil(LANES), Line::default());
    }
}

impl Deref for AlignedFloats {
    type Target = [f32];

    #[inline(always)]
    fn deref(&self) -> &[f32] {
        bytemuck::cast_slice(&self.0)
    }
}

impl DerefMut for AlignedFloats {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [f32] {
        bytemuck::cast_slice_mut(&mut self.0)
    }
}

/// One level of the pyramid. Columns from `width` to `stride` hold unused but finite values.
#[derive(Debug, Default, Clone)]
pub(super) struct Plane {
    pub width: usize,
    pub height: usize,
    pub stride: usize,
    pub data: AlignedFloats,
}

impl Plane {
    /// Gives the plane another size, keeping its memory; the contents are unspecified.
    pub fn reset(&mut self, width: usize, height: usize) {
        self.width = width;
        self.height = height;
        self.stride = width.next_multiple_of(LANES);
        // Blocks of a row may read past its end, also past that of the last row.
        self.data.resize(self.stride * height + 2 * LANES);
    }

    /// Row `y`, padding included.
    #[inline(always)]
    pub fn row(&self, y: usize) -> &[f32] {
        &self.data[y * self.stride..(y + 1) * self.stride]
    }

    /// Row `y`, padding included.
    #[inline(always)]
    pub fn row_mut(&mut self, y: usize) -> &mut [f32] {
        &mut self.data[y * self.stride..(y + 1) * self.stride]
    }

    /// `N` floats from column `x` of row `y`; they may run over into the next row.
    #[inline(always)]
    pub fn block<const N: usize>(&self, x: usize, y: usize) -> &[f32; N] {
        block(&self.data, y * self.stride + x)
    }

    /// The pixel in column `x`, row `y`.
    #[cfg(test)]
    pub fn at(&self, x: usize, y: usize) -> f32 {
        self.data[y * self.stride + x]
    }
}

/// `N` floats from `start`.
#[inline(always)]
pub(super) fn block<const N: usize>(data: &[f32], start: usize) -> &[f32; N] {
    match data[start..start + N].first_chunk() {
        Some(block) => block,
        None => unreachable!("a slice of N holds N"),
    }
}
