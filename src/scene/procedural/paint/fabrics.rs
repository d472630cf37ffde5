//! Fabrics: weave, plaid, prints, knit, and rugs.

use super::super::canvas::Canvas;
use super::super::color::{Rgb, count, draw, mix, scale, vary};
use super::super::noise::{FractalRow, unit};
use crate::rng::Rng;

/// Fabric patterns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Cloth {
    /// Coarse two-tone weave (upholstery).
    Weave,
    /// Crossed bands.
    Plaid,
    /// Scattered leaves and blossoms.
    Print,
    /// Bands of uneven width.
    Bands,
}

/// A cloth over `extent` metres a side.
pub(super) fn cloth(px: u32, extent: f32, pattern: Cloth, palette: &[Rgb], rng: &mut Rng) -> Canvas {
    let seed = rng.next_u64() as u32;
    let ground = palette[0];
    let per_m = px as f32 / extent;
    let size = px as f32;
    let mut canvas = Canvas::new(px, px, true, ground);
    match pattern {
        Cloth::Weave => {
            let thread = (0.011 * per_m).max(1.0);
            canvas.map(|x, y, c| {
                let (i, j) = ((x as f32 / thread) as i32, (y as f32 / thread) as i32);
                let over = (i + j) % 2 == 0;
                let yarn = unit(if over { i } else { j }, i32::from(over), seed);
                let slub = unit(i, j, seed ^ 7);
                scale(
                    c,
                    if over { 0.82 } else { 1.08 } + 0.3 * (yarn - 0.5) + 0.42 * (slub - 0.5),
                )
            });
        }
        Cloth::Plaid => {
            let bands: Vec<(f32, f32, Rgb)> = (0..7)
                .map(|_| (draw(rng, 0.0, size), draw(rng, 0.01, 0.06) * per_m, *rng.pick(palette)))
                .collect();
            let hit = |p: f32, b: &(f32, f32, Rgb)| (p - b.0).rem_euclid(size) < b.1;
            canvas.map(|x, y, c| {
                let (mut warp, mut weft) = (c, c);
                for band in &bands {
                    if hit(x as f32, band) {
                        warp = band.2;
                    }
                    if hit(y as f32, band) {
                        weft = band.2;
                    }
                }
                let twill = if (x + y) / 2 % 2 == 0 { 0.35 } else { 0.65 };
                scale(mix(warp, weft, twill), 0.9 + 0.2 * unit(x, y, seed))
            });
        }
        Cloth::Print => {
            for _ in 0..(extent * extent * 55.0) as u32 {
                let at = [draw(rng, 0.0, size), draw(rng, 0.0, size)];
                let ink = palette[1 + rng.below(palette.len() as u64 - 1) as usize];
                let ink = vary(rng, ink, 0.03);
                let (turn, petals) = (draw(rng, 0.0, 6.3), count(rng, 1, 6));
                let (length, width) = (draw(rng, 0.03, 0.075) * per_m, draw(rng, 0.016, 0.034) * per_m);
                for k in 0..petals {
                    let angle = turn + k as f32 * std::f32::consts::TAU / petals as f32;
                    canvas.leaf(at, length, width, angle, ink, Some(scale(ink, 0.65)));
                }
            }
        }
        Cloth::Bands => {
            let mut y = 0.0;
            while y < size {
                let thickness = draw(rng, 0.008, 0.07) * per_m;
                let ink = *rng.pick(palette);
                canvas.rect(0.0, y, size, thickness, ink);
                y += thickness;
            }
        }
    }
    canvas.map_rows(|y| {
        let wear = FractalRow::new(y as f32 / size, [4, 4], 2, seed ^ 5);
        move |x, c| {
            scale(
                c,
                0.93 + 0.1 * unit(x, y, seed ^ 21) + 0.1 * (wear.at(x as f32 / size) - 0.5),
            )
        }
    });
    canvas
}

/// Rug styles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum RugStyle {
    /// Borders, a medallion and a mirrored field of small flowers.
    Persian,
    /// Zigzag and diamond bands.
    Kilim,
    /// Large overlapping shapes.
    Modern,
}

/// A whole rug: the texture is laid once over it.
pub(super) fn rug(px: [u32; 2], style: RugStyle, palette: &[Rgb], rng: &mut Rng) -> Canvas {
    let seed = rng.next_u64() as u32;
    let mut canvas = Canvas::new(px[0], px[1], false, palette[0]);
    match style {
        RugStyle::Persian => persian(&mut canvas, palette, rng),
        RugStyle::Kilim => kilim(&mut canvas, palette, rng),
        RugStyle::Modern => modern(&mut canvas, palette, rng),
    }
    canvas.map(|x, y, c| scale(c, 0.86 + 0.26 * unit(x / 2, y / 2, seed)));
    canvas
}

fn blossom(canvas: &mut Canvas, at: [f32; 2], size: f32, turn: f32, inks: [Rgb; 2]) {
    for k in 0..5 {
        canvas.leaf(at, size, 0.6 * size, turn + k as f32 * 1.2566, inks[0], None);
    }
    canvas.circle(at, 0.3 * size, inks[1], 1.0);
}

fn persian(canvas: &mut Canvas, palette: &[Rgb], rng: &mut Rng) {
    let (w, h) = (canvas.width as f32, canvas.height as f32);
    let mut inset = 0.0;
    for band in [0.02, 0.045, 0.012, 0.06, 0.012, 0.03] {
        let ink = *rng.pick(palette);
        canvas.rect(inset, inset, w - 2.0 * inset, h - 2.0 * inset, ink);
        let step = (band * w * 0.9).max(7.0);
        if band > 0.02 {
            let inks = [*rng.pick(palette), *rng.pick(palette)];
            let mut p = inset + step;
            while p < h - inset - step {
                let size = 0.42 * band * w;
                for x in [inset + 0.5 * band * w, w - inset - 0.5 * band * w] {
                    blossom(canvas, [x, p], size, draw(rng, 0.0, 6.3), inks);
                }
                if p < w - inset - step {
                    for y in [inset + 0.5 * band * w, h - inset - 0.5 * band * w] {
                        blossom(canvas, [p, y], size, draw(rng, 0.0, 6.3), inks);
                    }
                }
                p += step;
            }
        }
        inset += band * w;
    }
    let field = *rng.pick(palette);
    canvas.rect(inset, inset, w - 2.0 * inset, h - 2.0 * inset, field);
    for _ in 0..120 {
        let at = [
            draw(rng, inset + 8.0, w - inset - 8.0),
            draw(rng, inset + 8.0, h - inset - 8.0),
        ];
        let inks = [*rng.pick(palette), *rng.pick(palette)];
        let size = draw(rng, 0.012, 0.032) * w;
        blossom(canvas, at, size, draw(rng, 0.0, 6.3), inks);
    }
    let centre = [0.5 * w, 0.5 * h];
    for k in 0..5 {
        let r = (0.26 - 0.05 * k as f32) * w;
        let ink = *rng.pick(palette);
        canvas.convex(
            &[
                [centre[0] - r, centre[1]],
                [centre[0], centre[1] - 1.3 * r],
                [centre[0] + r, centre[1]],
                [centre[0], centre[1] + 1.3 * r],
            ],
            ink,
            1.0,
        );
    }
    for k in 0..12 {
        let angle = k as f32 * std::f32::consts::FRAC_PI_6;
        let at = [
            centre[0] + 0.13 * w * libm::cosf(angle),
            centre[1] + 0.17 * w * libm::sinf(angle),
        ];
        let inks = [*rng.pick(palette), *rng.pick(palette)];
        blossom(canvas, at, 0.02 * w, angle, inks);
    }
}

fn kilim(canvas: &mut Canvas, palette: &[Rgb], rng: &mut Rng) {
    let (w, h) = (canvas.width as f32, canvas.height as f32);
    let mut y = 0.0;
    while y < h {
        let band = draw(rng, 0.03, 0.11) * h;
        let (ground, ink, dot) = (*rng.pick(palette), *rng.pick(palette), *rng.pick(palette));
        canvas.rect(0.0, y, w, band, ground);
        let n = count(rng, 4, 11);
        let step = w / n as f32;
        let kind = rng.below(4);
        for k in 0..n {
            let x = k as f32 * step;
            let mid = [x + 0.5 * step, y + 0.5 * band];
            let (hx, hy) = (draw(rng, 0.25, 0.5) * step, draw(rng, 0.3, 0.48) * band);
            match kind {
                0 => canvas.convex(
                    &[
                        [mid[0] - hx, mid[1]],
                        [mid[0], mid[1] - hy],
                        [mid[0] + hx, mid[1]],
                        [mid[0], mid[1] + hy],
                    ],
                    ink,
                    1.0,
                ),
                1 => canvas.convex(
                    &[[x, y + band], [x + step, y + band], [mid[0], y]],
                    vary(rng, ink, 0.06),
                    1.0,
                ),
                2 => canvas.rect(x, y + 0.2 * band, hx, 0.6 * band, ink),
                _ => {}
            }
            if rng.chance(0.7) {
                canvas.circle(mid, 0.3 * hx.min(hy), dot, 1.0);
            }
        }
        y += band;
        canvas.rect(0.0, y, w, 0.006 * h, *rng.pick(palette));
        y += 0.006 * h;
    }
}

fn modern(canvas: &mut Canvas, palette: &[Rgb], rng: &mut Rng) {
    let (w, h) = (canvas.width as f32, canvas.height as f32);
    for _ in 0..26 {
        let ink = *rng.pick(palette);
        let ink = vary(rng, ink, 0.04);
        let at = [draw(rng, 0.0, w), draw(rng, 0.0, h)];
        match rng.below(4) {
            0 => canvas.ellipse(
                at,
                [draw(rng, 0.05, 0.25) * w, draw(rng, 0.03, 0.15) * w],
                draw(rng, 0.0, 3.2),
                ink,
                1.0,
            ),
            1 => canvas.rect(at[0], at[1], draw(rng, 0.05, 0.35) * w, draw(rng, 0.03, 0.3) * w, ink),
            2 => canvas.ring(at, draw(rng, 0.05, 0.2) * w, draw(rng, 0.01, 0.03) * w, ink),
            _ => {
                let to = [draw(rng, 0.0, w), draw(rng, 0.0, h)];
                canvas.line(at, to, draw(rng, 0.006, 0.02) * w, ink);
            }
        }
    }
}
