//! The two nearest neighbours of each descriptor, by squared distance.
//!
//! `|a - b|^2 = |a|^2 + |b|^2 - 2 a.b` in integers: exact, so every way of adding the products gives
//! the same answer. The kernels keep one descriptor of the second set in each lane.

use fearless_simd::{Level, Simd as _, dispatch};

use super::descriptor_set::{DescriptorSet, FAR, LENGTH};
use crate::features::sift::Descriptor;

/// The two nearest of the other side: squared distances and the index of the nearest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Nearest {
    pub index: u32,
    pub best: i32,
    /// `i32::MAX` when there is no second one.
    pub second: i32,
}

impl Nearest {
    const NONE: Self = Self {
        index: u32::MAX,
        best: i32::MAX,
        second: i32::MAX,
    };

    /// Of equal distances the first seen is the nearest, as in OpenCV.
    #[inline(always)]
    fn offer(&mut self, index: u32, square: i32) {
        if square < self.best {
            (self.second, self.best, self.index) = (self.best, square, index);
        } else if square < self.second {
            self.second = square;
        }
    }

    /// From squares that may be those of padding.
    #[inline(always)]
    fn of_real(index: i32, best: i32, second: i32) -> Self {
        Self {
            index: index as u32,
            best,
            second: if second >= FAR { i32::MAX } else { second },
        }
    }
}

/// Two nearest neighbours in `second` of each descriptor of `first`.
pub(super) fn nearest(level: Level, first: &DescriptorSet, second: &DescriptorSet) -> Vec<Nearest> {
    let mut out = vec![Nearest::NONE; first.len()];
    if second.is_empty() {
        return out;
    }
    #[cfg(target_arch = "x86_64")]
    {
        if let Some(avx512) = level.as_avx512() {
            x86::nearest_vnni(avx512, first, second, &mut out);
            return out;
        }
        if let Some(avx2) = level.as_avx2() {
            x86::nearest_avx2(avx2, first, second, &mut out);
            return out;
        }
    }
    dispatch!(level, simd => simd.vectorize(#[inline(always)] || nearest_anywhere(first, second, &mut out)));
    out
}

/// Descriptors of each side compared in one go.
const TILE: usize = 4;

/// Without instructions of a particular machine.
#[inline(always)]
fn nearest_anywhere(first: &DescriptorSet, second: &DescriptorSet, out: &mut [Nearest]) {
    for (tile, near) in out.chunks_mut(TILE).enumerate() {
        let base = tile * TILE;
        let a = widened(&first.rows[base..base + TILE]);
        for start in (0..second.len()).step_by(TILE) {
            let b = widened(&second.rows[start..start + TILE]);
            for (i, near) in near.iter_mut().enumerate() {
                for j in 0..TILE.min(second.len() - start) {
                    let product = dot(&a[i], &b[j]);
                    let square = first.squares[base + i] + second.squares[start + j] - 2 * product;
                    near.offer((start + j) as u32, square);
                }
            }
        }
    }
}

/// A tile as 16-bit numbers, whose products vector units add in pairs.
#[inline(always)]
fn widened(rows: &[Descriptor]) -> [[i16; LENGTH]; TILE] {
    let mut out = [[0; LENGTH]; TILE];
    for (out, row) in out.iter_mut().zip(rows) {
        for (out, &v) in out.iter_mut().zip(row) {
            *out = i16::from(v);
        }
    }
    out
}

#[inline(always)]
fn dot(a: &[i16; LENGTH], b: &[i16; LENGTH]) -> i32 {
    a.iter().zip(b).map(|(&x, &y)| i32::from(x) * i32::from(y)).sum()
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use fearless_simd::prelude::*;
    use fearless_simd::{kernel, u8x32, u8x64};

    use super::super::descriptor_set::{DescriptorSet, LANES, QUAD, QUADS};
    use super::Nearest;

    /// Queries worked on at once: enough sums to hide the latency of a product.
    const QUERIES: usize = 8;

    /// The four bytes of one lane.
    fn word(bytes: &[u8], quad: usize) -> u32 {
        u32::from_le_bytes([bytes[quad], bytes[quad + 1], bytes[quad + 2], bytes[quad + 3]])
    }

    kernel!(
        /// 8-bit dot products. One operand of the instruction is signed: queries are shifted by 128,
        /// and 128 times the sum of the other side is put back.
        pub(super) fn nearest_vnni(avx512: Avx512, first: &DescriptorSet, second: &DescriptorSet, out: &mut [Nearest]) {
            let far = _mm512_set1_epi32(i32::MAX);
            let lane = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
            for (tile, near) in out.chunks_mut(QUERIES).enumerate() {
                let start = tile * QUERIES;
                let mut queries = [[0i32; QUERIES]; QUADS];
                for (q, row) in first.rows[start..start + QUERIES].iter().enumerate() {
                    for (quad, query) in queries.iter_mut().enumerate() {
                        query[q] = (word(row, quad * QUAD) ^ 0x8080_8080) as i32;
                    }
                }
                let (mut best, mut second_best, mut index) = ([far; QUERIES], [far; QUERIES], [far; QUERIES]);
                for (b, block) in second.blocks.iter().enumerate() {
                    let mut dots = [_mm512_setzero_si512(); QUERIES];
                    for (lanes, query) in block.iter().zip(&queries) {
                        let lanes = u8x64::from_slice(avx512, lanes).into();
                        for (dot, query) in dots.iter_mut().zip(query) {
                            *dot = _mm512_dpbusd_epi32(*dot, lanes, _mm512_set1_epi32(*query));
                        }
                    }
                    let place = b * LANES;
                    let squares = fearless_simd::i32x16::from_slice(avx512, &second.squares[place..place + LANES]);
                    let sums = fearless_simd::i32x16::from_slice(avx512, &second.sums[place..place + LANES]);
                    let terms = _mm512_sub_epi32(squares.into(), _mm512_slli_epi32::<8>(sums.into()));
                    let here = _mm512_add_epi32(lane, _mm512_set1_epi32(place as i32));
                    for q in 0..QUERIES {
                        let distance = _mm512_sub_epi32(terms, _mm512_slli_epi32::<1>(dots[q]));
                        let nearer = _mm512_cmplt_epi32_mask(distance, best[q]);
                        second_best[q] = _mm512_min_epi32(second_best[q], _mm512_max_epi32(best[q], distance));
                        best[q] = _mm512_min_epi32(best[q], distance);
                        index[q] = _mm512_mask_mov_epi32(index[q], nearer, here);
                    }
                }
                for (q, near) in near.iter_mut().enumerate() {
                    let least = _mm512_reduce_min_epi32(best[q]);
                    let tied = _mm512_cmpeq_epi32_mask(best[q], _mm512_set1_epi32(least));
                    let winner = _mm512_mask_reduce_min_epi32(tied, index[q]);
                    let own = _mm512_cmpeq_epi32_mask(index[q], _mm512_set1_epi32(winner));
                    let others = _mm512_mask_mov_epi32(best[q], own, second_best[q]);
                    let square = first.squares[start + q];
                    *near = Nearest::of_real(winner, square + least, square + _mm512_reduce_min_epi32(others));
                }
            }
        }
    );

    /// Lanes of an AVX2 vector.
    const HALF: usize = LANES / 2;
    /// Queries worked on at once by AVX2.
    const FEW: usize = 4;

    kernel!(
        /// Pairs of products of 16-bit numbers: even bytes of a lane with even ones, odd with odd.
        pub(super) fn nearest_avx2(avx2: Avx2, first: &DescriptorSet, second: &DescriptorSet, out: &mut [Nearest]) {
            let far = _mm256_set1_epi32(i32::MAX);
            let low = _mm256_set1_epi16(255);
            let lane = _mm256_set_epi32(7, 6, 5, 4, 3, 2, 1, 0);
            for (tile, near) in out.chunks_mut(FEW).enumerate() {
                let start = tile * FEW;
                let mut queries = [[[0i32; 2]; FEW]; QUADS];
                for (q, row) in first.rows[start..start + FEW].iter().enumerate() {
                    for (quad, query) in queries.iter_mut().enumerate() {
                        let word = word(row, quad * QUAD);
                        query[q] = [(word & 0x00ff_00ff) as i32, (word >> 8 & 0x00ff_00ff) as i32];
                    }
                }
                let (mut best, mut second_best, mut index) = ([far; FEW], [far; FEW], [far; FEW]);
                for half in 0..2 * second.blocks.len() {
                    let mut dots = [[_mm256_setzero_si256(); 2]; FEW];
                    let bytes = half % 2 * HALF * QUAD..(half % 2 + 1) * HALF * QUAD;
                    for (lanes, query) in second.blocks[half / 2].iter().zip(&queries) {
                        let lanes: __m256i = u8x32::from_slice(avx2, &lanes[bytes.clone()]).into();
                        let (even, odd) = (_mm256_and_si256(lanes, low), _mm256_srli_epi16::<8>(lanes));
                        for (dot, query) in dots.iter_mut().zip(query) {
                            let products = _mm256_madd_epi16(even, _mm256_set1_epi32(query[0]));
                            dot[0] = _mm256_add_epi32(dot[0], products);
                            let products = _mm256_madd_epi16(odd, _mm256_set1_epi32(query[1]));
                            dot[1] = _mm256_add_epi32(dot[1], products);
                        }
                    }
                    let place = half * HALF;
                    let squares = fearless_simd::i32x8::from_slice(avx2, &second.squares[place..place + HALF]).into();
                    let here = _mm256_add_epi32(lane, _mm256_set1_epi32(place as i32));
                    for q in 0..FEW {
                        let dot = _mm256_add_epi32(dots[q][0], dots[q][1]);
                        let distance = _mm256_sub_epi32(squares, _mm256_slli_epi32::<1>(dot));
                        let nearer = _mm256_cmpgt_epi32(best[q], distance);
                        second_best[q] = _mm256_min_epi32(second_best[q], _mm256_max_epi32(best[q], distance));
                        best[q] = _mm256_min_epi32(best[q], distance);
                        index[q] = _mm256_blendv_epi8(index[q], here, nearer);
                    }
                }
                for (q, near) in near.iter_mut().enumerate() {
                    let array = |v: __m256i| -> [i32; HALF] { fearless_simd::i32x8::simd_from(avx2, v).into() };
                    *near = merge(
                        first.squares[start + q],
                        &array(best[q]),
                        &array(second_best[q]),
                        &array(index[q]),
                    );
                }
            }
        }
    );

    /// The nearest two over the lanes; the first in order of those equally near.
    #[inline(always)]
    fn merge(square: i32, best: &[i32; HALF], second_best: &[i32; HALF], index: &[i32; HALF]) -> Nearest {
        let mut winner = 0;
        for lane in 1..HALF {
            if (best[lane], index[lane]) < (best[winner], index[winner]) {
                winner = lane;
            }
        }
        let others = (0..HALF).map(|lane| if lane == winner { second_best[lane] } else { best[lane] });
        let second = others.fold(i32::MAX, i32::min);
        Nearest::of_real(index[winner], square + best[winner], square.saturating_add(second))
    }
}
