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
        for x in [0, width - 1].iter().take(width.min(2)).copied() {
            let (left, right) = (here[mirror_before(x, width)], here[mirror_after(x, width)]);
            let value = laplacian(up[x], down[x], left, right, here[x]);
            sum += i64::from(value);
            squares += i64::from(value * value);
        }
        for start in (1..width.saturating_sub(1)).step_by(CHUNK) {
            let end = (start + CHUNK).min(width - 1);
            let columns = start..end;
            let beside = here[start - 1..end - 1].iter().zip(&here[start + 1..end + 1]);
            let pixels = up[columns.clone()].iter().zip(&down[columns.clone()]).zip(beside);
            let (mut part, mut part_squares) = (0i32, 0i32);
            for (((&up, &down), (&left, &right)), &here) in pixels.zip(&here[columns]) {
                let value = laplacian(up, down, left, right, here);
                part += value;
                part_squares += value * value;
            }
            sum += i64::from(part);
            squares += i64::from(part_squares);
        }
    }
    let n = (width * height) as f64;
    let mean = sum as f64 / n;
    (squares as f64 / n - mean * mean).max(0.0)
}

/// Pixels whose squared responses, at most 1020^2 each, surely fit a 32-bit sum.
const CHUNK: usize = 1024;

/// The stencil.
fn laplacian(up: u8, down: u8, left: u8, right: u8, here: u8) -> i32 {
    i32::from(up) + i32::from(down) + i32::from(left) + i32::from(right) - 4 * i32::from(here)
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

    #[test]
    fn wide_and_thin_pictures_are_summed_whole() {
        // A line in a picture of any width: columns beside it respond by its height, itself by four times that.
        for width in [2, 3, 4, 1025, 1026, 1027, 3000] {
            let line = GrayImage::from_fn(width, 3, |x, y| {
                image::Luma([if x == width / 2 && y == 1 { 200 } else { 0 }])
            });
            let mut values = Vec::new();
            for y in 0..3i64 {
                for x in 0..i64::from(width) {
                    let at = |x: i64, y: i64| {
                        let mirror = |i: i64, n: i64| {
                            if i < 0 {
                                -i
                            } else if i >= n {
                                2 * n - 2 - i
                            } else {
                                i
                            }
                        };
                        f64::from(line[(mirror(x, i64::from(width)) as u32, mirror(y, 3) as u32)].0[0])
                    };
                    values.push(at(x - 1, y) + at(x + 1, y) + at(x, y - 1) + at(x, y + 1) - 4.0 * at(x, y));
                }
            }
            let n = values.len() as f64;
            let mean = values.iter().sum::<f64>() / n;
            let expected = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
            let got = laplacian_variance(&line);
            assert!((got - expected).abs() <= 1e-9 * expected, "{width}: {got} {expected}");
        }
    }
}
