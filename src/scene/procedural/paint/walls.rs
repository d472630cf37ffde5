//! Walls and ceilings: plaster, brick, wallpapers, wall tiles, panelling.

use super::super::canvas::Canvas;
use super::super::color::{Rgb, count, draw, hex, mix, scale, vary};
use super::super::noise::{FractalRow, Row, hash, unit, value};
use super::floors::grain;
use crate::rng::Rng;

/// Painted plaster: mottling, trowel marks, specks and fine cracks; `rough` from 0 (smooth) to 1 (roughcast).
pub(super) fn plaster(px: [u32; 2], extent: [f32; 2], color: Rgb, rough: f32, rng: &mut Rng) -> Canvas {
    let seed = rng.next_u64() as u32;
    let lattice = |metres: f32| [(extent[0] / metres) as i32, (extent[1] / metres) as i32];
    let (coarse, fine) = (lattice(0.034), lattice(0.013));
    let mut canvas = Canvas::rows(px[0], px[1], true, |y| {
        let t = (y as f32 + 0.5) / px[1] as f32;
        let broad = FractalRow::new(t, [5, 4], 3, seed);
        let lump = Row::new(t * coarse[1] as f32, coarse, seed ^ 3);
        let grit = Row::new(t * fine[1] as f32, fine, seed ^ 5);
        move |x| {
            let s = (x as f32 + 0.5) / px[0] as f32;
            let (broad, lump) = (broad.at(s) - 0.5, lump.at(s * coarse[0] as f32) - 0.5);
            let grit = grit.at(s * fine[0] as f32) - 0.5;
            scale(
                color,
                0.99 + 0.1 * broad + 0.12 * rough * lump + (0.02 + 0.11 * rough) * grit,
            )
        }
    });
    for _ in 0..(4.0 + 10.0 * rough) as u32 {
        crack(&mut canvas, scale(color, 0.72), rng);
    }
    canvas
}

fn crack(canvas: &mut Canvas, color: Rgb, rng: &mut Rng) {
    let mut at = [
        draw(rng, 0.0, canvas.width as f32),
        draw(rng, 0.0, canvas.height as f32),
    ];
    let mut angle = draw(rng, 0.0, 6.3);
    for _ in 0..count(rng, 4, 12) {
        angle += draw(rng, -0.7, 0.7);
        let step = draw(rng, 4.0, 12.0);
        let next = [at[0] + step * libm::cosf(angle), at[1] + step * libm::sinf(angle)];
        canvas.line(at, next, 1.0, color);
        at = next;
    }
}

/// Running-bond brick; every brick has its own tone, some are burnt, some pale.
pub(super) fn brick(px: [u32; 2], extent: [f32; 2], color: Rgb, mortar: Rgb, rng: &mut Rng) -> Canvas {
    let seed = rng.next_u64() as u32;
    let (columns, rows) = ((extent[0] / 0.23) as i32, (extent[1] / 0.075) as i32 / 2 * 2);
    let (brick_m, row_m) = (extent[0] / columns as f32, extent[1] / rows as f32);
    Canvas::rows(px[0], px[1], true, |y| {
        let t = (y as f32 + 0.5) / px[1] as f32;
        let b = t * rows as f32;
        let j = b as i32;
        let chips = Row::new(t * 200.0, [330, 200], seed);
        let stains = Row::new(t * 60.0, [90, 60], seed ^ 9);
        move |x| {
            let s = (x as f32 + 0.5) / px[0] as f32;
            let a = s * columns as f32 + if j % 2 == 0 { 0.0 } else { 0.5 };
            let i = (a as i32).rem_euclid(columns);
            let id = hash(i, j, seed);
            let chip = 0.004 * chips.at(s * 330.0);
            let edge = (a.fract().min(1.0 - a.fract()) * brick_m).min(b.fract().min(1.0 - b.fract()) * row_m) - chip;
            let grit = unit(x, y, seed) - 0.5;
            if edge < 0.005 {
                return scale(mortar, 0.95 + 0.2 * grit);
            }
            let tone = 0.66 + 0.62 * unit(1, 2, id) + 0.22 * grit;
            let stain = stains.at(s * 90.0 + (id >> 26) as f32) - 0.5;
            let body = if unit(3, 4, id) < 0.12 {
                mix(color, hex(0x3A2A26), 0.7)
            } else {
                color
            };
            let k = tone + 0.3 * stain;
            [body[0] * k, body[1] * (k + 0.12 * (unit(5, 6, id) - 0.5)), body[2] * k]
        }
    })
}

/// Wallpaper styles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Paper {
    /// Branches with leaves and flowers that climb without repeating.
    Floral,
    /// Vertical stripes of uneven width with small sprigs.
    Stripes,
    /// Triangles in many tones.
    Geometric,
    /// Loose brush strokes and dots.
    Dabs,
}

/// A printed wallpaper on `ground` with inks from `palette`.
pub(super) fn wallpaper(
    px: [u32; 2],
    extent: [f32; 2],
    paper: Paper,
    ground: Rgb,
    palette: &[Rgb],
    rng: &mut Rng,
) -> Canvas {
    let seed = rng.next_u64() as u32;
    let mut canvas = Canvas::shade(px[0], px[1], true, |x, y| {
        scale(ground, 0.96 + 0.07 * unit(x, y / 2, seed))
    });
    let per_m = px[0] as f32 / extent[0];
    let area = extent[0] * extent[1];
    match paper {
        Paper::Floral => {
            for _ in 0..(area * 3.2) as u32 {
                branch(&mut canvas, per_m, palette, rng);
            }
        }
        Paper::Stripes => stripes(&mut canvas, per_m, palette, rng),
        Paper::Geometric => triangles(&mut canvas, per_m, ground, palette, rng),
        Paper::Dabs => {
            for _ in 0..(area * 75.0) as u32 {
                let ink = *rng.pick(palette);
                let ink = vary(rng, ink, 0.03);
                let at = [draw(rng, 0.0, px[0] as f32), draw(rng, 0.0, px[1] as f32)];
                let radii = [draw(rng, 0.012, 0.045) * per_m, draw(rng, 0.006, 0.016) * per_m];
                let angle = draw(rng, 0.0, 3.2);
                canvas.ellipse(at, radii, angle, ink, 0.9);
            }
        }
    }
    canvas
}

fn branch(canvas: &mut Canvas, per_m: f32, palette: &[Rgb], rng: &mut Rng) {
    let stem = scale(*rng.pick(palette), 0.6);
    let leaf = *rng.pick(palette);
    let petal = *rng.pick(palette);
    let mut at = [
        draw(rng, 0.0, canvas.width as f32),
        draw(rng, 0.0, canvas.height as f32),
    ];
    let mut angle = draw(rng, -2.2, -0.9);
    for k in 0..count(rng, 5, 10) {
        angle += draw(rng, -0.45, 0.45);
        let step = draw(rng, 0.04, 0.07) * per_m;
        let next = [at[0] + step * libm::cosf(angle), at[1] + step * libm::sinf(angle)];
        canvas.line(at, next, 0.008 * per_m, stem);
        let side = if k % 2 == 0 { 1.0 } else { -1.0 };
        let (length, width) = (draw(rng, 0.05, 0.1) * per_m, draw(rng, 0.022, 0.04) * per_m);
        let tone = vary(rng, leaf, 0.05);
        canvas.leaf(
            next,
            length,
            width,
            angle + side * draw(rng, 0.5, 1.2),
            tone,
            Some(scale(tone, 0.6)),
        );
        at = next;
    }
    let petals = count(rng, 5, 8);
    let (length, width) = (draw(rng, 0.045, 0.085) * per_m, draw(rng, 0.03, 0.05) * per_m);
    for k in 0..petals {
        let turn = angle + k as f32 * std::f32::consts::TAU / petals as f32;
        let tone = vary(rng, petal, 0.05);
        canvas.leaf(at, length, width, turn, tone, Some(scale(tone, 0.7)));
    }
    canvas.circle(at, 0.3 * width, mix(petal, hex(0x30200F), 0.75), 1.0);
}

fn stripes(canvas: &mut Canvas, per_m: f32, palette: &[Rgb], rng: &mut Rng) {
    let height = canvas.height as f32;
    let mut x = 0.0;
    while x < canvas.width as f32 {
        let width = draw(rng, 0.02, 0.09) * per_m;
        let ink = *rng.pick(palette);
        canvas.rect(x, 0.0, width, height, ink);
        let mut y = draw(rng, 0.0, 0.2) * per_m;
        while y < height {
            let mark = *rng.pick(palette);
            let turn = draw(rng, -2.4, -0.7);
            canvas.leaf(
                [x + 0.5 * width, y],
                draw(rng, 0.03, 0.07) * per_m,
                0.022 * per_m,
                turn,
                mark,
                None,
            );
            y += draw(rng, 0.07, 0.2) * per_m;
        }
        x += width + draw(rng, 0.03, 0.1) * per_m;
    }
}

fn triangles(canvas: &mut Canvas, per_m: f32, ground: Rgb, palette: &[Rgb], rng: &mut Rng) {
    let side = 0.115 * per_m;
    let (columns, rows) = (
        (canvas.width as f32 / side) as i32,
        (canvas.height as f32 / side) as i32,
    );
    let (w, h) = (canvas.width as f32 / columns as f32, canvas.height as f32 / rows as f32);
    for j in 0..rows {
        for i in 0..columns {
            let (x, y) = (i as f32 * w, j as f32 * h);
            let (a, b, c, d) = ([x, y], [x + w, y], [x + w, y + h], [x, y + h]);
            let halves = if rng.chance(0.5) {
                [[a, b, c], [a, c, d]]
            } else {
                [[a, b, d], [b, c, d]]
            };
            for corners in halves {
                let ink = *rng.pick(palette);
                let share = draw(rng, 0.1, 0.9);
                canvas.convex(&corners, mix(ground, ink, share), 1.0);
            }
        }
    }
}

/// Glazed wall tiles, `rows` of them over the height of the texture, some with a painted flower.
pub(super) fn wall_tiles(
    px: [u32; 2],
    extent: [f32; 2],
    tile_m: [f32; 2],
    [color, grout]: [Rgb; 2],
    accents: &[Rgb],
    rng: &mut Rng,
) -> Canvas {
    let seed = rng.next_u64() as u32;
    let (columns, rows) = (
        (extent[0] / tile_m[0]).round() as i32,
        (extent[1] / tile_m[1]).round() as i32,
    );
    let (w, h) = (px[0] as f32 / columns as f32, px[1] as f32 / rows as f32);
    let mut canvas = Canvas::shade(px[0], px[1], true, |x, y| {
        let (a, b) = (x as f32 / w, y as f32 / h);
        let (i, j) = (a as i32, b as i32);
        let tone = 0.84 + 0.24 * unit(i, j, seed) + 0.05 * (b.fract() - 0.5);
        scale(color, tone + 0.05 * unit(x / 3, y / 3, seed ^ 2))
    });
    for j in 0..rows {
        for i in 0..columns {
            let (x, y) = (i as f32 * w, j as f32 * h);
            if rng.chance(0.1) {
                let accent = *rng.pick(accents);
                if rng.chance(0.5) {
                    canvas.rect(x, y, w, h, vary(rng, accent, 0.05));
                } else {
                    let centre = [x + 0.5 * w, y + 0.5 * h];
                    let turn = draw(rng, 0.0, 1.0);
                    for k in 0..6 {
                        canvas.leaf(
                            centre,
                            0.45 * h.min(w),
                            0.2 * h.min(w),
                            turn + k as f32 * std::f32::consts::FRAC_PI_3,
                            accent,
                            None,
                        );
                    }
                }
            }
            canvas.rect(x, y, w, 1.2, grout);
            canvas.rect(x, y, 1.2, h, grout);
        }
    }
    canvas
}

/// Vertical tongue-and-groove boards.
pub(super) fn boards(px: [u32; 2], extent: [f32; 2], wood: Rgb, rng: &mut Rng) -> Canvas {
    let seed = rng.next_u64() as u32;
    let columns = (extent[0] / 0.11) as i32;
    Canvas::shade(px[0], px[1], true, |x, y| {
        let (s, t) = ((x as f32 + 0.5) / px[0] as f32, (y as f32 + 0.5) / px[1] as f32);
        let a = s * columns as f32;
        let id = hash(a as i32, 0, seed);
        let edge = a.fract().min(1.0 - a.fract()) * extent[0] / columns as f32;
        let tone = 0.78 + 0.4 * unit(a as i32, 1, seed);
        let knot = value(t * 9.0, a, [9, columns], id);
        let k = tone * grain(t, s, columns * 4, id) * if knot > 0.9 { 0.6 } else { 1.0 };
        scale(
            wood,
            if edge < 0.006 {
                0.3 * k
            } else if edge < 0.011 {
                1.15 * k
            } else {
                k
            },
        )
    })
}
