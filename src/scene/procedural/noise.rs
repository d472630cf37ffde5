//! Periodic value noise from integer hashes: the same bits on every machine.

const X: u32 = 0x9E37_79B1;
const Y: u32 = 0x85EB_CA77;
const SEED: u32 = 0xC2B2_AE3D;

/// One round of mixing: this is most of the cost of a texture, and pictures ask for no more.
fn mix_bits(mut h: u32) -> u32 {
    h ^= h >> 15;
    h = h.wrapping_mul(0x2C1B_3C6D);
    h ^ (h >> 13)
}

/// The upper 24 bits as a number in [0, 1).
fn fraction(bits: u32) -> f32 {
    (bits >> 8) as f32 * (1.0 / 16_777_216.0)
}

/// Mixes two lattice coordinates and a seed into 32 bits; the upper ones are spread best.
pub(super) fn hash(x: i32, y: i32, seed: u32) -> u32 {
    mix_bits((x as u32).wrapping_mul(X) ^ (y as u32).wrapping_mul(Y) ^ seed.wrapping_mul(SEED))
}

/// [`hash`] as a number in [0, 1).
pub(super) fn unit(x: i32, y: i32, seed: u32) -> f32 {
    fraction(hash(x, y, seed))
}

fn fade(t: f32) -> f32 {
    t * t * (3.0 - 2.0 * t)
}

/// Largest whole number not above `x`, without the call that `f32::floor` is on baseline x86-64.
fn floor(x: f32) -> i32 {
    let i = x as i32;
    i - i32::from(i as f32 > x)
}

/// Value noise in [0, 1]; the lattice repeats after `period` cells along x and y.
pub(super) fn value(x: f32, y: f32, period: [i32; 2], seed: u32) -> f32 {
    let (fx, fy) = (floor(x), floor(y));
    let wrap = |i: i32, n: i32| if (0..n).contains(&i) { i } else { i.rem_euclid(n) };
    let (x0, y0) = (wrap(fx, period[0]), wrap(fy, period[1]));
    let (x1, y1) = (wrap(x0 + 1, period[0]), wrap(y0 + 1, period[1]));
    let (u, v) = (fade(x - fx as f32), fade(y - fy as f32));
    let seed = seed.wrapping_mul(SEED);
    let (left, right) = ((x0 as u32).wrapping_mul(X), (x1 as u32).wrapping_mul(X));
    let row = |y: i32| {
        let y = (y as u32).wrapping_mul(Y) ^ seed;
        let (a, b) = (fraction(mix_bits(left ^ y)), fraction(mix_bits(right ^ y)));
        a + (b - a) * u
    };
    let (top, bottom) = (row(y0), row(y1));
    top + (bottom - top) * v
}

/// One row of [`value`]: at a fixed y a pixel costs one interpolation instead of four hashes.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// The lattice along x, the first node again at the end.
    nodes: Vec<f32>,
}

impl Row {
    /// The row at `y` of the lattice that repeats after `period` cells.
    pub(super) fn new(y: f32, period: [i32; 2], seed: u32) -> Self {
        let fy = floor(y);
        let v = fade(y - fy as f32);
        let seed = seed.wrapping_mul(SEED);
        let line = |j: i32| (j.rem_euclid(period[1]) as u32).wrapping_mul(Y) ^ seed;
        let (top, bottom) = (line(fy), line(fy + 1));
        let node = |i: i32| {
            let x = (i.rem_euclid(period[0]) as u32).wrapping_mul(X);
            let (a, b) = (fraction(mix_bits(x ^ top)), fraction(mix_bits(x ^ bottom)));
            a + (b - a) * v
        };
        Self {
            nodes: (0..=period[0]).map(node).collect(),
        }
    }

    /// Noise in [0, 1] at `x` cells.
    pub(super) fn at(&self, x: f32) -> f32 {
        let fx = floor(x);
        let period = self.nodes.len() as i32 - 1;
        let i = if (0..period).contains(&fx) {
            fx
        } else {
            fx.rem_euclid(period)
        } as usize;
        let u = fade(x - fx as f32);
        self.nodes[i] + (self.nodes[i + 1] - self.nodes[i]) * u
    }
}

/// One row of [`fractal`].
#[derive(Debug, Clone)]
pub(super) struct FractalRow {
    /// Weight, cells along x and row of each octave.
    octaves: Vec<(f32, f32, Row)>,
}

impl FractalRow {
    /// The row at `t` in [0, 1).
    pub(super) fn new(t: f32, cells: [i32; 2], octaves: u32, seed: u32) -> Self {
        let total: f32 = (0..octaves).map(|k| 1.0 / (1 << k) as f32).sum();
        let octave = |k: u32| {
            let cells = [cells[0] << k, cells[1] << k];
            let row = Row::new(t * cells[1] as f32, cells, seed.wrapping_add(k * 7919));
            (1.0 / ((1 << k) as f32 * total), cells[0] as f32, row)
        };
        Self {
            octaves: (0..octaves).map(octave).collect(),
        }
    }

    /// Noise in [0, 1] at `s`; it repeats after 1.
    pub(super) fn at(&self, s: f32) -> f32 {
        self.octaves
            .iter()
            .map(|(weight, cells, row)| weight * row.at(s * cells))
            .sum()
    }
}

/// Sum of `octaves` of [`value`] with halving weight, in [0, 1]; (`s`, `t`) run over [0, 1) and repeat.
pub(super) fn fractal(s: f32, t: f32, cells: [i32; 2], octaves: u32, seed: u32) -> f32 {
    let (mut sum, mut weight, mut total, mut cells) = (0.0, 1.0, 0.0, cells);
    for octave in 0..octaves {
        sum += weight
            * value(
                s * cells[0] as f32,
                t * cells[1] as f32,
                cells,
                seed.wrapping_add(octave * 7919),
            );
        total += weight;
        weight *= 0.5;
        cells = [cells[0] * 2, cells[1] * 2];
    }
    sum / total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_repeats_after_its_period() {
        for k in 0..50 {
            let (x, y) = (k as f32 * 0.37, k as f32 * 0.61);
            let there = value(x + 8.0, y + 4.0, [8, 4], 3);
            assert!((value(x, y, [8, 4], 3) - there).abs() < 1e-5);
        }
    }

    #[test]
    fn rows_are_the_noise_itself() {
        for k in 0..200 {
            let (x, y) = (k as f32 * 0.37 - 9.0, k as f32 * 0.061);
            let row = Row::new(y, [8, 12], 3);
            assert!((row.at(x) - value(x, y, [8, 12], 3)).abs() < 1e-5, "{x} {y}");
            let (s, t) = ((k as f32 * 0.043).fract(), (k as f32 * 0.0719).fract());
            let row = FractalRow::new(t, [5, 4], 3, 9);
            assert!((row.at(s) - fractal(s, t, [5, 4], 3, 9)).abs() < 1e-5, "{s} {t}");
        }
    }

    #[test]
    fn noise_covers_the_unit_interval() {
        let values: Vec<f32> = (0..4096).map(|k| unit(k % 64, k / 64, 9)).collect();
        let mean = values.iter().sum::<f32>() / 4096.0;
        assert!((mean - 0.5).abs() < 0.02, "mean {mean}");
        assert!(values.iter().all(|v| (0.0..1.0).contains(v)));
    }
}
