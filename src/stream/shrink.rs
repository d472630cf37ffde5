//! Smaller pictures for small models: overlap is judged at full size, training sees the mean of blocks.

/// A picture `factor` times smaller: each number is the mean of `factor` x `factor` pixels, halves rounded up. Both are
/// rows of interleaved RGB. Rows and columns beyond the last whole block are left out. `factor` must not be 0.
pub fn shrunk(pixels: &[u8], (width, height): (u32, u32), factor: u32) -> Vec<u8> {
    if factor == 1 {
        return pixels.to_vec();
    }
    let row_bytes = width as usize * 3;
    let (columns, rows) = ((width / factor) as usize, (height / factor) as usize);
    let (factor, area) = (factor as usize, factor * factor);
    let mut small = Vec::with_capacity(columns * rows * 3);
    let mut sums = vec![0u32; columns * 3];
    for band in pixels.chunks_exact(row_bytes * factor).take(rows) {
        sums.fill(0);
        for row in band.chunks_exact(row_bytes) {
            for (block, pixels) in sums.chunks_exact_mut(3).zip(row.chunks_exact(3 * factor)) {
                for pixel in pixels.chunks_exact(3) {
                    for (sum, &value) in block.iter_mut().zip(pixel) {
                        *sum += u32::from(value);
                    }
                }
            }
        }
        small.extend(sums.iter().map(|&sum| ((sum + area / 2) / area) as u8));
    }
    small
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_become_their_rounded_means() {
        // Red counts pixels, green is constant, blue is a chequer of 0 and 255.
        let (width, height) = (5u32, 4u32);
        let pixels: Vec<u8> = (0..width * height)
            .flat_map(|i| [i as u8, 9, if (i / width + i % width) % 2 == 0 { 0 } else { 255 }])
            .collect();
        let small = |factor| shrunk(&pixels, (width, height), factor);
        // Block (0, 0) holds 0, 1, 5, 6: mean 3; block (1, 1) holds 12, 13, 17, 18: mean 15. Column 4 is left out.
        assert_eq!(small(2), [3, 9, 128, 5, 9, 128, 13, 9, 128, 15, 9, 128]);
        assert_eq!(small(1), pixels);
        assert_eq!(small(4).len(), 3);
        assert!(small(6).is_empty());
    }
}
