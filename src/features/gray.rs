//! Colour to grey as OpenCV rounds it.

use image::{GrayImage, RgbImage};

/// Fixed-point weights of red, green and blue (ITU-R BT.601), scaled by 2^15 and summing to it.
const WEIGHTS: [u32; 3] = [9798, 19235, 3735];

/// Luma of each pixel, `(9798 R + 19235 G + 3735 B + 2^14) >> 15`: what `cv2.cvtColor(RGB2GRAY)` gives.
pub fn gray(rgb: &RgbImage) -> GrayImage {
    let mut out = GrayImage::new(rgb.width(), rgb.height());
    for (to, from) in out.iter_mut().zip(rgb.as_raw().chunks_exact(3)) {
        let sum: u32 = WEIGHTS.iter().zip(from).map(|(w, &c)| w * u32::from(c)).sum();
        *to = ((sum + (1 << 14)) >> 15) as u8;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_make_white_white() {
        assert_eq!(WEIGHTS.iter().sum::<u32>(), 1 << 15);
        let rgb = RgbImage::from_fn(256, 1, |x, _| image::Rgb([x as u8; 3]));
        assert!(gray(&rgb).iter().enumerate().all(|(i, &g)| g as usize == i));
    }
}
