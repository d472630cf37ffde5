//! How much fine texture a picture has.

use image::GrayImage;

/// Variance of the 3x3 Laplacian (4-neighbour stencil `[0 1 0; 1 -4 1; 0 1 0]`), in grey levels squared.
///
/// The same number as `cv2.Laplacian(gray, cv2.CV_64F).var()`: borders mirrored without repeating
/// the edge pixel, population variance. 0 for a picture without pixels.
pub fn laplacian_variance(gray: &GrayImage) -> f64 {
    let (width, height) = (gray.width() as usize, gray.height() as usize);
    if width == 0 || height == 0 {
        return 0.0;
    }
    let pixels = gray.as_raw();
    let row = |y: usize| &pixels[y * width..(y + 1) * width];
    // Integer sums are exact, so the order in which they are added cannot matter.
    let (mut sum, mut squares) = (0i64, 0i64);
    for y in 0..height {
        let (up, here, down) = (row(mirror_before(y, height)), row(y), row(mirror_after(y, height)));
        for x in 0..width {
            let (left, right) = (here[mirror_before(x, width)], here[mirror_after(x, width)]);
            let around = i32::from(up[x]) + i32::from(down[x]) + i32::from(left) + i32::from(right);
            let value = around - 4 * i32::from(here[x]);
            sum += i64::from(value);
            squares += i64::from(value * value);
        }
    }
    let n = (width * height) as f64;
    let mean = sum as f64 / n;
    (squares as f64 / n - mean * mean).max(0.0)
}

/// The index before `i`, mirrored at 0.
fn mirror_before(i: usize, n: usize) -> usize {
    if i > 0 { i - 1 } else { 1.min(n - 1) }
}

/// The index after `i`, mirrored at `n - 1`.
fn mirror_after(i: usize, n: usize) -> usize {
    if i + 1 < n { i + 1 } else { n.saturating_sub(2) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flat_is_zero_and_a_checkerboard_is_exact() {
        assert_eq!(laplacian_variance(&GrayImage::from_pixel(8, 8, image::Luma([77]))), 0.0);
        // Every neighbour differs by 10, mirrored borders included: the response is +-40.
        let board = GrayImage::from_fn(8, 8, |x, y| image::Luma([((x + y) % 2 * 10) as u8]));
        assert_eq!(laplacian_variance(&board), 1600.0);
        assert_eq!(laplacian_variance(&GrayImage::new(1, 1)), 0.0);
    }
}
