//! Mip levels as Habitat's pictures show them, computed on the CPU so that every adapter agrees.
//!
//! Bytes are averaged as stored (gamma space). Sizes halve with floor. Each level is the one above
//! resampled linearly at normalised coordinates, which for even sizes is the 2x2 box and for odd
//! sizes weighs neighbours instead of dropping the last row; each level is rounded to 8 bits.

use rayon::prelude::*;

/// One level of an RGBA8 image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MipLevel {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// `height * width * 4` bytes.
    pub rgba: Vec<u8>,
}

/// The levels below the full image, largest first, down to 1x1; empty for a 1x1 image.
pub fn mip_chain(width: u32, height: u32, rgba: &[u8]) -> Vec<MipLevel> {
    let mut levels: Vec<MipLevel> = Vec::new();
    let (mut w, mut h) = (width, height);
    while w > 1 || h > 1 {
        let (next_w, next_h) = ((w / 2).max(1), (h / 2).max(1));
        let above = levels.last().map_or(rgba, |level| &level.rgba);
        let level = MipLevel {
            width: next_w,
            height: next_h,
            rgba: halve((w, h), above, (next_w, next_h)),
        };
        levels.push(level);
        (w, h) = (next_w, next_h);
    }
    levels
}

/// Two source texels and the weight of the second, for each destination texel of one axis.
fn taps(source: u32, destination: u32) -> Vec<(usize, usize, f32)> {
    let scale = f64::from(source) / f64::from(destination);
    (0..destination)
        .map(|i| {
            let x = ((f64::from(i) + 0.5) * scale - 0.5).max(0.0);
            let first = (x as u32).min(source - 1);
            let second = (first + 1).min(source - 1);
            (first as usize, second as usize, (x - f64::from(first)) as f32)
        })
        .collect()
}

fn halve((w, h): (u32, u32), above: &[u8], (next_w, next_h): (u32, u32)) -> Vec<u8> {
    let columns = taps(w, next_w);
    let rows = taps(h, next_h);
    let pitch = w as usize * 4;
    let mut out = vec![0; next_w as usize * next_h as usize * 4];
    let even = w.is_multiple_of(2) && h.is_multiple_of(2);
    out.par_chunks_exact_mut(next_w as usize * 4)
        .zip(rows.par_iter())
        .for_each(|(line, &(top, bottom, down))| {
            let (top, bottom) = (&above[top * pitch..][..pitch], &above[bottom * pitch..][..pitch]);
            if even {
                for ((texel, a), b) in line
                    .chunks_exact_mut(4)
                    .zip(top.chunks_exact(8))
                    .zip(bottom.chunks_exact(8))
                {
                    for c in 0..4 {
                        let sum = u16::from(a[c]) + u16::from(a[c + 4]) + u16::from(b[c]) + u16::from(b[c + 4]);
                        texel[c] = ((sum + 2) / 4) as u8;
                    }
                }
                return;
            }
            for (texel, &(left, right, across)) in line.chunks_exact_mut(4).zip(&columns) {
                for c in 0..4 {
                    let mix = |row: &[u8]| {
                        let (l, r) = (f32::from(row[left * 4 + c]), f32::from(row[right * 4 + c]));
                        l + (r - l) * across
                    };
                    let (t, b) = (mix(top), mix(bottom));
                    texel[c] = (t + (b - t) * down + 0.5) as u8;
                }
            }
        });
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn even_sizes_are_the_rounded_box() {
        let rgba: Vec<u8> = [[0, 10, 255, 1], [1, 20, 255, 2], [2, 30, 255, 3], [3, 41, 254, 4]].concat();
        let chain = mip_chain(2, 2, &rgba);
        assert_eq!(chain.len(), 1);
        assert_eq!(chain[0].rgba, [2, 25, 255, 3]);
    }

    #[test]
    fn odd_sizes_sample_at_normalised_coordinates() {
        // 5 -> 2: centres at 0.75 and 3.25 of the texel-centre axis.
        let rgba: Vec<u8> = [0u8, 100, 200, 40, 80].iter().flat_map(|&v| [v; 4]).collect();
        let chain = mip_chain(5, 1, &rgba);
        assert_eq!((chain[0].width, chain[0].height), (2, 1));
        assert_eq!(chain[0].rgba[0], 75);
        assert_eq!(chain[0].rgba[4], 50);
        assert_eq!(chain[1].rgba[0], 63, "62.5 rounds up");
    }

    #[test]
    fn sizes_halve_with_floor_down_to_one_texel() {
        let chain = mip_chain(13, 5, &vec![128; 13 * 5 * 4]);
        let sizes: Vec<_> = chain.iter().map(|l| (l.width, l.height)).collect();
        assert_eq!(sizes, [(6, 2), (3, 1), (1, 1)]);
        assert!(chain.iter().all(|l| l.rgba.iter().all(|&v| v == 128)));
    }
}
