//! Resizing as `cv2.resize` does by default: bilinear, pixel areas aligned, no low-pass filter.

use image::RgbImage;

/// Bits of an interpolation weight.
const BITS: u32 = 11;

/// The picture at another size. Neither size may be 0.
///
/// Weights are rounded to 1/2048 as in OpenCV's 8-bit path; results differ from it by at most one level.
pub fn resize_bilinear(source: &RgbImage, width: u32, height: u32) -> RgbImage {
    let columns = taps(source.width(), width);
    let rows = taps(source.height(), height);
    let line = |y: u32| {
        let start = y as usize * source.width() as usize * 3;
        &source.as_raw()[start..start + source.width() as usize * 3]
    };
    let mut out = RgbImage::new(width, height);
    for (target, row) in out.chunks_exact_mut(width as usize * 3).zip(&rows) {
        let (upper, lower) = (line(row.low), line(row.high));
        for (pixel, column) in target.chunks_exact_mut(3).zip(&columns) {
            for (channel, value) in pixel.iter_mut().enumerate() {
                let (left, right) = (column.low as usize * 3 + channel, column.high as usize * 3 + channel);
                let across = |line: &[u8]| column.mix(u32::from(line[left]), u32::from(line[right]));
                let sum = row.mix(across(upper), across(lower));
                *value = ((sum + (1 << (2 * BITS - 1))) >> (2 * BITS)) as u8;
            }
        }
    }
    out
}

/// Two neighbouring samples and the weight of the second in 1/2048.
struct Tap {
    low: u32,
    high: u32,
    weight: u32,
}

impl Tap {
    fn mix(&self, low: u32, high: u32) -> u32 {
        low * ((1 << BITS) - self.weight) + high * self.weight
    }
}

fn taps(source: u32, target: u32) -> Vec<Tap> {
    let scale = f64::from(source) / f64::from(target);
    (0..target)
        .map(|i| {
            let at = ((f64::from(i) + 0.5) * scale - 0.5).clamp(0.0, f64::from(source - 1));
            let low = at as u32;
            Tap {
                low,
                high: (low + 1).min(source - 1),
                weight: ((at - f64::from(low)) * f64::from(1 << BITS)).round_ties_even() as u32,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_it_must() {
        let ramp = RgbImage::from_fn(200, 3, |x, _| image::Rgb([x as u8, 255 - x as u8, 7]));
        assert_eq!(resize_bilinear(&ramp, 200, 3), ramp);
        // Halving averages two neighbours, without looking further.
        let half = resize_bilinear(&ramp, 100, 3);
        assert!(
            half.enumerate_pixels()
                .all(|(x, _, p)| p[2] == 7 && (2 * x..=2 * x + 1).contains(&u32::from(p[0])))
        );
        // A fifth of the size takes every fifth sample as it is.
        let fifth = resize_bilinear(&ramp, 40, 3);
        assert!(fifth.enumerate_pixels().all(|(x, _, p)| u32::from(p[0]) == 5 * x + 2));
        let dot = RgbImage::from_pixel(1, 1, image::Rgb([1, 2, 3]));
        assert!(resize_bilinear(&dot, 224, 224).pixels().all(|p| p.0 == [1, 2, 3]));
    }
}
