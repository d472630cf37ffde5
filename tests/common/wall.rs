//! Pictures of one painted wall from several places, made without a renderer.

use image::{Rgb, RgbImage};

/// Width and height of a picture in pixels.
pub const SIZE: u32 = 224;

/// `n` pictures of the wall, each shifted, turned and scaled a little differently.
pub fn views(n: usize) -> Vec<RgbImage> {
    let wall = wall();
    (0..n).map(|i| view(&wall, i)).collect()
}

/// A wall with discs of all sizes, something to find everywhere.
fn wall() -> RgbImage {
    const WIDTH: u32 = 512;
    let mut state = 9u64;
    let mut next = move |n: u64| {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        ((state >> 33) % n) as i64
    };
    let mut image = RgbImage::from_pixel(WIDTH, WIDTH, Rgb([120; 3]));
    for _ in 0..1100 {
        let (cx, cy, r) = (next(u64::from(WIDTH)), next(u64::from(WIDTH)), 2 + next(12));
        let color = Rgb([next(256) as u8, next(256) as u8, next(256) as u8]);
        let span = |c: i64| (c - r).max(0) as u32..(c + r + 1).min(i64::from(WIDTH)) as u32;
        for y in span(cy) {
            for x in span(cx) {
                if (i64::from(x) - cx).pow(2) + (i64::from(y) - cy).pow(2) <= r * r {
                    image.put_pixel(x, y, color);
                }
            }
        }
    }
    image
}

/// What the camera of number `i` sees of it, bilinear.
fn view(wall: &RgbImage, i: usize) -> RgbImage {
    let step = i as f64;
    let (turn, scale) = ((step * 0.7).sin() * 0.15, 1.0 + 0.12 * (step * 1.3).cos());
    let centre = [256.0 + 50.0 * (step * 2.1).sin(), 256.0 + 40.0 * (step * 3.7).cos()];
    let (sin, cos) = turn.sin_cos();
    RgbImage::from_fn(SIZE, SIZE, |x, y| {
        let (u, v) = (f64::from(x) - 111.5, f64::from(y) - 111.5);
        let at = [
            centre[0] + scale * (cos * u - sin * v),
            centre[1] + scale * (sin * u + cos * v),
        ]
        .map(|v| v.clamp(0.0, 510.0));
        let (left, top) = (at[0] as u32, at[1] as u32);
        let (fx, fy) = (at[0].fract(), at[1].fract());
        let mut pixel = [0u8; 3];
        for (channel, value) in pixel.iter_mut().enumerate() {
            let tap = |dx: u32, dy: u32| f64::from(wall.get_pixel(left + dx, top + dy).0[channel]);
            let (upper, lower) = (
                tap(0, 0) * (1.0 - fx) + tap(1, 0) * fx,
                tap(0, 1) * (1.0 - fx) + tap(1, 1) * fx,
            );
            *value = (upper * (1.0 - fy) + lower * fy).round() as u8;
        }
        Rgb(pixel)
    })
}
