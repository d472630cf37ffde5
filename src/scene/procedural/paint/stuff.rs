//! Furniture wood, stone, metal, leaves, and what is seen through the windows.

use super::super::canvas::Canvas;
use super::super::color::{Rgb, draw, hex, hsv, mix, scale};
use super::super::noise::{FractalRow, Row, fractal, unit};
use super::floors::Grain;
use super::pictures::facade;
use crate::rng::Rng;

/// Furniture wood, near white so that a tint makes the species; grain along u.
pub(super) fn wood(px: u32, rng: &mut Rng) -> Canvas {
    let seed = rng.next_u64() as u32;
    Canvas::rows(px, px, true, |y| {
        let t = (y as f32 + 0.5) / px as f32;
        let broad = FractalRow::new(t, [2, 7], 2, seed ^ 3);
        let grain = Grain::new(t, 44, seed);
        move |x| {
            let s = (x as f32 + 0.5) / px as f32;
            let pore = if unit(x / 9, y, seed ^ 11) < 0.05 { 0.86 } else { 1.0 };
            scale([0.95, 0.93, 0.9], pore * grain.at(s, seed) * (0.82 + 0.3 * broad.at(s)))
        }
    })
}

/// Polished stone with veins.
pub(super) fn marble(px: u32, body: Rgb, vein: Rgb, rng: &mut Rng) -> Canvas {
    let seed = rng.next_u64() as u32;
    Canvas::rows(px, px, true, |y| {
        let t = (y as f32 + 0.5) / px as f32;
        let (first, second) = (
            FractalRow::new(t, [5, 5], 4, seed),
            FractalRow::new(t, [9, 9], 3, seed ^ 77),
        );
        move |x| {
            let s = (x as f32 + 0.5) / px as f32;
            let line = 1.0 - ((first.at(s) - 0.5).abs() * 16.0).min(1.0);
            let second = 1.0 - ((second.at(s) - 0.5).abs() * 20.0).min(1.0);
            let speck = if unit(x / 2, y / 2, seed) < 0.05 { 0.3 } else { 0.0 };
            mix(body, vein, (0.8 * line + 0.4 * second + speck).min(0.95))
        }
    })
}

/// Brushed metal, enamel or plastic: nearly plain with scratches along u.
pub(super) fn metal(px: u32, rng: &mut Rng) -> Canvas {
    let seed = rng.next_u64() as u32;
    Canvas::rows(px, px, true, |y| {
        let clouds = FractalRow::new(y as f32 / px as f32, [3, 3], 3, seed ^ 2);
        move |x| {
            let brush = unit(x / 40, y, seed) - 0.5;
            let cloud = clouds.at(x as f32 / px as f32) - 0.5;
            scale([0.97; 3], 0.97 + 0.035 * brush + 0.07 * cloud)
        }
    })
}

/// A leaf surface: midrib along u at the middle of v, side veins, blotches.
pub(super) fn leaf(px: u32, rng: &mut Rng) -> Canvas {
    let seed = rng.next_u64() as u32;
    Canvas::shade(px, px, true, |x, y| {
        let (s, t) = ((x as f32 + 0.5) / px as f32, (y as f32 + 0.5) / px as f32);
        let off = (t - 0.5).abs();
        let side = ((s * 9.0 - off * 5.0).fract() - 0.5).abs();
        let vein = if off < 0.04 {
            0.5
        } else if side < 0.06 {
            0.28
        } else {
            0.0
        };
        let blotch = fractal(s, t, [5, 5], 3, seed);
        let body = mix(hex(0x2F5A2C), hex(0x6E9A46), ((blotch - 0.3) * 1.8).clamp(0.0, 1.0));
        mix(body, hex(0xC6D68E), vein)
    })
}

/// Sky, far hills, streets of houses and trees: the bright world outside, once around the flat.
pub(super) fn outside(px: [u32; 2], rng: &mut Rng) -> Canvas {
    let seed = rng.next_u64() as u32;
    let (w, h) = (px[0] as f32, px[1] as f32);
    let horizon = 0.56 * h;
    let mut canvas = Canvas::rows(px[0], px[1], true, |y| {
        let t = y as f32 / h;
        let clouds = FractalRow::new(t, [8, 6], 4, seed);
        let lawn = Row::new(t * 100.0, [400, 100], seed ^ 4);
        move |x| {
            let s = x as f32 / w;
            if (y as f32) < horizon {
                let sky = mix(hex(0x8FBCE8), hex(0xEAF3F8), t / 0.56);
                let cloud = clouds.at(s);
                mix(sky, [1.0; 3], ((cloud - 0.45) * 3.5).clamp(0.0, 1.0))
            } else {
                let grass = lawn.at(s * 400.0);
                scale(mix(hex(0x8CA868), hex(0x55703D), (t - 0.56) / 0.44), 0.75 + 0.5 * grass)
            }
        }
    });
    for layer in 0..2 {
        let mut x = 0.0;
        while x < w {
            let bw = draw(rng, 0.025, 0.07) * w;
            let top = horizon - draw(rng, 0.02, 0.2 + 0.08 * layer as f32) * h;
            let wall = mix(
                hsv(draw(rng, 0.0, 0.14), draw(rng, 0.1, 0.45), draw(rng, 0.6, 0.95)),
                hex(0xDCE8F2),
                0.35 - 0.3 * layer as f32,
            );
            facade(
                &mut canvas,
                [x, top, bw, horizon + (0.05 + 0.2 * layer as f32) * h - top],
                0.05 * h,
                wall,
                rng,
            );
            x += bw + draw(rng, 0.0, 0.02 + 0.05 * layer as f32) * w;
        }
    }
    for k in 0..90 {
        let depth = k as f32 / 90.0;
        let at = [draw(rng, 0.0, w), (0.6 + 0.36 * depth) * h];
        let size = (0.05 + 0.13 * depth) * h * draw(rng, 0.8, 1.25);
        tree(&mut canvas, at, size, rng);
    }
    canvas
}

/// A tree with a crown of many small tufts, lit from above.
fn tree(canvas: &mut Canvas, at: [f32; 2], size: f32, rng: &mut Rng) {
    canvas.line(at, [at[0], at[1] - 0.8 * size], 0.08 * size, hex(0x4A3524));
    let green = hsv(draw(rng, 0.2, 0.34), draw(rng, 0.3, 0.55), draw(rng, 0.45, 0.7));
    for _ in 0..70 {
        let (dx, dy) = (draw(rng, -0.5, 0.5), draw(rng, -0.55, 0.55));
        if dx * dx * 4.0 + dy * dy * 3.3 > 1.0 {
            continue;
        }
        let puff = [at[0] + dx * size, at[1] - (1.05 + dy) * size];
        let light = 0.75 + 0.5 * dy + draw(rng, -0.3, 0.3);
        canvas.circle(puff, draw(rng, 0.04, 0.1) * size, scale(green, light), 1.0);
    }
}
