//! Periodic value noise from integer hashes: the same bits on every machine.

/// Mixes two lattice coordinates and a seed into 32 bits; the upper ones are spread best.
///
/// One round of mixing: this is most of the cost of a texture, and pictures ask for no more.
pub(super) fn hash(x: i32, y: i32, seed: u32) -> u32 {
    let mut h =
        (x as u32).wrapping_mul(0x9E37_79B1) ^ (y as u32).wrapping_mul(0x85EB_CA77) ^ seed.wrapping_mul(0xC2B2_AE3D);
    h ^= h >> 15;
    h = h.wrapping_mul(0x2C1B_3C6D);
    h ^ (h >> 13)
}

/// [`hash`] as a number in [0, 1).
pub(super) fn unit(x: i32, y: i32, seed: u32) -> f32 {
    (hash(x, y, seed) >> 8) as f32 * (1.0 / 16_777_216.0)
}

fn fade(t: f32) -> f32 {
    t * t * (3.0 - 2.0 * t)
}

/// Value noise in [0, 1]; the lattice repeats after `period` cells along x and y.
pub(super) fn value(x: f32, y: f32, period: [i32; 2], seed: u32) -> f32 {
    let (fx, fy) = (x.floor(), y.floor());
    let wrap = |i: i32, n: i32| if (0..n).contains(&i) { i } else { i.rem_euclid(n) };
    let (x0, y0) = (wrap(fx as i32, period[0]), wrap(fy as i32, period[1]));
    let (x1, y1) = (wrap(x0 + 1, period[0]), wrap(y0 + 1, period[1]));
    let (u, v) = (fade(x - fx), fade(y - fy));
    let top = unit(x0, y0, seed) * (1.0 - u) + unit(x1, y0, seed) * u;
    let bottom = unit(x0, y1, seed) * (1.0 - u) + unit(x1, y1, seed) * u;
    top * (1.0 - v) + bottom * v
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
    fn noise_covers_the_unit_interval() {
        let values: Vec<f32> = (0..4096).map(|k| unit(k % 64, k / 64, 9)).collect();
        let mean = values.iter().sum::<f32>() / 4096.0;
        assert!((mean - 0.5).abs() < 0.02, "mean {mean}");
        assert!(values.iter().all(|v| (0.0..1.0).contains(v)));
    }
}
