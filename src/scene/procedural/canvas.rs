//! A float picture to paint textures on: per-pixel shading and anti-aliased shapes.

use rayon::prelude::*;

use super::color::{Rgb, mix};
use crate::scene::Texture;

/// A picture in display space. Shapes either wrap around (tileable) or are cut at the border.
#[derive(Debug, Clone)]
pub(super) struct Canvas {
    pub(super) width: i32,
    pub(super) height: i32,
    wraps: bool,
    pixels: Vec<Rgb>,
}

impl Canvas {
    /// A picture of one colour; `wraps` makes shapes that cross the border come in on the other side.
    pub(super) fn new(width: u32, height: u32, wraps: bool, color: Rgb) -> Self {
        Self {
            width: width as i32,
            height: height as i32,
            wraps,
            pixels: vec![color; (width * height) as usize],
        }
    }

    /// A picture from a pure function of pixel coordinates.
    pub(super) fn shade(width: u32, height: u32, wraps: bool, color: impl Fn(i32, i32) -> Rgb + Sync) -> Self {
        let mut canvas = Self::new(width, height, wraps, [0.0; 3]);
        canvas
            .pixels
            .par_chunks_mut(width as usize)
            .enumerate()
            .for_each(|(y, row)| {
                for (x, pixel) in row.iter_mut().enumerate() {
                    *pixel = color(x as i32, y as i32);
                }
            });
        canvas
    }

    /// A picture row by row: `row(y)` prepares what its pixels share and gives the function of x.
    pub(super) fn rows<P: FnMut(i32) -> Rgb>(
        width: u32,
        height: u32,
        wraps: bool,
        row: impl Fn(i32) -> P + Sync,
    ) -> Self {
        let mut canvas = Self::new(width, height, wraps, [0.0; 3]);
        canvas
            .pixels
            .par_chunks_mut(width as usize)
            .enumerate()
            .for_each(|(y, pixels)| {
                let mut color = row(y as i32);
                for (x, pixel) in pixels.iter_mut().enumerate() {
                    *pixel = color(x as i32);
                }
            });
        canvas
    }

    /// Changes every pixel by a pure function of its coordinates and colour.
    pub(super) fn map(&mut self, change: impl Fn(i32, i32, Rgb) -> Rgb + Sync) {
        let width = self.width as usize;
        self.pixels.par_chunks_mut(width).enumerate().for_each(|(y, row)| {
            for (x, pixel) in row.iter_mut().enumerate() {
                *pixel = change(x as i32, y as i32, *pixel);
            }
        });
    }

    /// Changes every pixel row by row: `row(y)` prepares what its pixels share and gives the function of x and colour.
    pub(super) fn map_rows<P: FnMut(i32, Rgb) -> Rgb>(&mut self, row: impl Fn(i32) -> P + Sync) {
        let width = self.width as usize;
        self.pixels.par_chunks_mut(width).enumerate().for_each(|(y, pixels)| {
            let mut change = row(y as i32);
            for (x, pixel) in pixels.iter_mut().enumerate() {
                *pixel = change(x as i32, *pixel);
            }
        });
    }

    /// Blends one pixel.
    pub(super) fn blend(&mut self, x: i32, y: i32, color: Rgb, alpha: f32) {
        let (x, y) = if self.wraps {
            (x.rem_euclid(self.width), y.rem_euclid(self.height))
        } else if x < 0 || y < 0 || x >= self.width || y >= self.height {
            return;
        } else {
            (x, y)
        };
        let pixel = &mut self.pixels[(y * self.width + x) as usize];
        *pixel = mix(*pixel, color, alpha);
    }

    /// Paints where `distance(dx, dy)` (pixels from the centre) is negative, with a soft pixel at the edge.
    pub(super) fn shape(
        &mut self,
        centre: [f32; 2],
        reach: f32,
        color: Rgb,
        alpha: f32,
        distance: impl Fn(f32, f32) -> f32,
    ) {
        let (x0, x1) = ((centre[0] - reach).floor() as i32, (centre[0] + reach).ceil() as i32);
        let (y0, y1) = ((centre[1] - reach).floor() as i32, (centre[1] + reach).ceil() as i32);
        for y in y0..=y1 {
            for x in x0..=x1 {
                let cover = 0.5 - distance(x as f32 + 0.5 - centre[0], y as f32 + 0.5 - centre[1]);
                if cover > 0.0 {
                    self.blend(x, y, color, alpha * cover.min(1.0));
                }
            }
        }
    }

    /// A filled circle.
    pub(super) fn circle(&mut self, centre: [f32; 2], radius: f32, color: Rgb, alpha: f32) {
        self.shape(centre, radius + 1.0, color, alpha, |x, y| {
            (x * x + y * y).sqrt() - radius
        });
    }

    /// A circle's outline.
    pub(super) fn ring(&mut self, centre: [f32; 2], radius: f32, thickness: f32, color: Rgb) {
        self.shape(centre, radius + thickness, color, 1.0, |x, y| {
            ((x * x + y * y).sqrt() - radius).abs() - 0.5 * thickness
        });
    }

    /// A filled ellipse with half axes `radii`, turned by `angle` (radians).
    pub(super) fn ellipse(&mut self, centre: [f32; 2], radii: [f32; 2], angle: f32, color: Rgb, alpha: f32) {
        let (sin, cos) = (libm::sinf(angle), libm::cosf(angle));
        let small = radii[0].min(radii[1]);
        self.shape(centre, radii[0].max(radii[1]) + 1.0, color, alpha, |x, y| {
            let (u, v) = ((x * cos + y * sin) / radii[0], (y * cos - x * sin) / radii[1]);
            ((u * u + v * v).sqrt() - 1.0) * small
        });
    }

    /// A leaf: the lens between two arcs, `length` long from `base` along `angle`, `width` wide.
    pub(super) fn leaf(&mut self, base: [f32; 2], length: f32, width: f32, angle: f32, color: Rgb, vein: Option<Rgb>) {
        let (sin, cos) = (libm::sinf(angle), libm::cosf(angle));
        let half = 0.5 * length;
        let centre = [base[0] + cos * half, base[1] + sin * half];
        self.shape(centre, half + 1.0, color, 1.0, |x, y| {
            let (u, v) = ((x * cos + y * sin) / half, y * cos - x * sin);
            v.abs() - 0.5 * width * (1.0 - u * u)
        });
        if let Some(vein) = vein {
            let tip = [base[0] + cos * length * 0.92, base[1] + sin * length * 0.92];
            self.line(base, tip, (0.12 * width).max(1.0), vein);
        }
    }

    /// A thick line with round ends.
    pub(super) fn line(&mut self, from: [f32; 2], to: [f32; 2], thickness: f32, color: Rgb) {
        let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
        let length2 = (dx * dx + dy * dy).max(1e-6);
        let centre = [0.5 * (from[0] + to[0]), 0.5 * (from[1] + to[1])];
        let (hx, hy) = (0.5 * dx, 0.5 * dy);
        let reach = 0.5 * length2.sqrt() + thickness;
        self.shape(centre, reach, color, 1.0, |x, y| {
            let t = (((x + hx) * dx + (y + hy) * dy) / length2).clamp(0.0, 1.0);
            let (ex, ey) = (x + hx - t * dx, y + hy - t * dy);
            (ex * ex + ey * ey).sqrt() - 0.5 * thickness
        });
    }

    /// A filled rectangle from (`x`, `y`), `w` by `h` pixels, with sharp corners.
    pub(super) fn rect(&mut self, x: f32, y: f32, w: f32, h: f32, color: Rgb) {
        let cover = |i: i32, low: f32, high: f32| ((i as f32 + 1.0).min(high) - (i as f32).max(low)).clamp(0.0, 1.0);
        for j in y.floor() as i32..(y + h).ceil() as i32 {
            for i in x.floor() as i32..(x + w).ceil() as i32 {
                self.blend(i, j, color, cover(i, x, x + w) * cover(j, y, y + h));
            }
        }
    }

    /// A filled convex polygon, corners in either order.
    pub(super) fn convex(&mut self, corners: &[[f32; 2]], color: Rgb, alpha: f32) {
        let n = corners.len() as f32;
        let centre = corners.iter().fold([0.0; 2], |c, p| [c[0] + p[0] / n, c[1] + p[1] / n]);
        let local: Vec<[f32; 2]> = corners.iter().map(|p| [p[0] - centre[0], p[1] - centre[1]]).collect();
        let reach = local
            .iter()
            .map(|p| (p[0] * p[0] + p[1] * p[1]).sqrt())
            .fold(0.0, f32::max)
            + 1.0;
        // Unit normals that point away from the centre.
        let sides: Vec<[f32; 3]> = (0..local.len())
            .map(|i| {
                let (a, b) = (local[i], local[(i + 1) % local.len()]);
                let (nx, ny) = (b[1] - a[1], a[0] - b[0]);
                let length = (nx * nx + ny * ny).sqrt().max(1e-6);
                let d = (nx * a[0] + ny * a[1]) / length;
                let sign = if d < 0.0 { -1.0 } else { 1.0 };
                [sign * nx / length, sign * ny / length, sign * d]
            })
            .collect();
        self.shape(centre, reach, color, alpha, |x, y| {
            sides
                .iter()
                .map(|s| s[0] * x + s[1] * y - s[2])
                .fold(f32::MIN, f32::max)
        });
    }

    /// Copies `other` so that its top left lands on (`x`, `y`).
    pub(super) fn paste(&mut self, other: &Canvas, x: i32, y: i32) {
        for j in 0..other.height {
            for i in 0..other.width {
                self.blend(x + i, y + j, other.pixels[(j * other.width + i) as usize], 1.0);
            }
        }
    }

    /// The bytes of a texture.
    pub(super) fn into_texture(self, name: &str) -> Texture {
        let byte = |c: f32| (c.clamp(0.0, 1.0) * 255.0 + 0.5) as u8;
        let mut rgba = vec![255; 4 * self.pixels.len()];
        rgba.par_chunks_mut(4 << 12)
            .zip(self.pixels.par_chunks(1 << 12))
            .for_each(|(bytes, pixels)| {
                for (out, p) in bytes.chunks_exact_mut(4).zip(pixels) {
                    for c in 0..3 {
                        out[c] = byte(p[c]);
                    }
                }
            });
        Texture::from_rgba(name, self.width as u32, self.height as u32, rgba)
    }
}
