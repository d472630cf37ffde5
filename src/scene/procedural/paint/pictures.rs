//! Pictures for the walls: small landscapes, abstracts, still lifes, plant prints, posters, maps.

use super::super::canvas::Canvas;
use super::super::color::{Rgb, VIVID, count, draw, hex, hsv, luma, mix, scale, vary};
use super::super::noise::{FractalRow, Row, unit, value};
use crate::rng::Rng;

/// Draws lines of made-up letters into the box (`x`, `y`, `w`, `h`).
pub(super) fn letters(canvas: &mut Canvas, frame: [f32; 4], size: f32, ink: Rgb, rng: &mut Rng) {
    let [x0, y0, w, h] = frame;
    let cell = size / 5.0;
    let mut y = y0;
    while y + size <= y0 + h {
        let mut x = x0;
        let end = x0 + w * draw(rng, 0.6, 1.0);
        while x + 3.0 * cell <= end {
            if rng.chance(0.85) {
                let glyph = rng.next_u64();
                for bit in 0..15 {
                    if glyph >> bit & 1 == 1 {
                        canvas.rect(
                            x + (bit % 3) as f32 * cell,
                            y + (bit / 3) as f32 * cell,
                            cell,
                            cell,
                            ink,
                        );
                    }
                }
            }
            x += 4.0 * cell;
        }
        y += 1.6 * size;
    }
}

/// A picture of `w` x `h` pixels, of a kind drawn at random.
pub(super) fn picture(w: u32, h: u32, rng: &mut Rng) -> Canvas {
    match rng.below(8) {
        0 | 1 => landscape(w, h, rng),
        2 => blocks(w, h, rng),
        3 => abstracted(w, h, rng),
        4 => botanical(w, h, rng),
        5 => poster(w, h, rng),
        6 => city(w, h, rng),
        _ => still_life(w, h, rng),
    }
}

fn landscape(w: u32, h: u32, rng: &mut Rng) -> Canvas {
    let seed = rng.next_u64() as u32;
    let hue = draw(rng, 0.0, 1.0);
    let (sky, low) = (hsv(hue, 0.45, 0.75), hsv(hue + 0.45, 0.35, 0.97));
    let mut canvas = Canvas::rows(w, h, false, |y| {
        let t = y as f32 / h as f32;
        let clouds = FractalRow::new(t, [4, 7], 4, seed);
        move |x| {
            let cloud = clouds.at(x as f32 / w as f32);
            mix(mix(sky, low, t * 1.4), [1.0; 3], ((cloud - 0.52) * 4.0).clamp(0.0, 0.8))
        }
    });
    let (fw, fh) = (w as f32, h as f32);
    let at = [draw(rng, 0.2, 0.8) * fw, draw(rng, 0.12, 0.35) * fh];
    canvas.circle(at, draw(rng, 0.04, 0.09) * fw, hex(0xFFF1C4), 1.0);
    let ground = hsv(draw(rng, 0.05, 0.45), 0.5, 0.45);
    for layer in 0..4 {
        let base = (0.38 + 0.15 * layer as f32) * fh;
        let color = mix(scale(sky, 0.6), ground, layer as f32 / 3.0);
        let rough = 3 + 2 * layer;
        let skyline = FractalRow::new(0.3, [rough, 1], 4, seed ^ (layer as u32 + 9));
        let ridges: Vec<f32> = (0..w)
            .map(|x| base - 0.28 * fh * (skyline.at(x as f32 / fw) - 0.3))
            .collect();
        canvas.map_rows(|y| {
            let meadow = Row::new(y as f32 * 90.0 / fh, [90, 90], seed ^ layer as u32);
            let ridges = &ridges;
            move |x, c| {
                if (y as f32) > ridges[x as usize] {
                    scale(color, 0.7 + 0.6 * meadow.at(x as f32 * 90.0 / fw))
                } else {
                    c
                }
            }
        });
    }
    for _ in 0..count(rng, 5, 14) {
        let at = [draw(rng, 0.0, fw), draw(rng, 0.62, 0.95) * fh];
        let size = (at[1] / fh - 0.5) * 0.34 * fh;
        canvas.line(at, [at[0], at[1] - size], 0.1 * size, hex(0x2B1D14));
        for _ in 0..9 {
            let leaf = hsv(draw(rng, 0.1, 0.4), 0.6, draw(rng, 0.2, 0.6));
            let puff = [at[0] + draw(rng, -0.4, 0.4) * size, at[1] - size * draw(rng, 0.7, 1.3)];
            canvas.circle(puff, draw(rng, 0.12, 0.26) * size, leaf, 1.0);
        }
    }
    canvas
}

fn blocks(w: u32, h: u32, rng: &mut Rng) -> Canvas {
    let mut canvas = Canvas::new(w, h, false, hex(0xF1ECDD));
    let mut cells = vec![[0.0, 0.0, w as f32, h as f32]];
    for _ in 0..count(rng, 9, 22) {
        let i = rng.below(cells.len() as u64) as usize;
        let [x, y, cw, ch] = cells[i];
        let t = draw(rng, 0.25, 0.75);
        if cw > ch {
            cells[i] = [x, y, cw * t, ch];
            cells.push([x + cw * t, y, cw * (1.0 - t), ch]);
        } else {
            cells[i] = [x, y, cw, ch * t];
            cells.push([x, y + ch * t, cw, ch * (1.0 - t)]);
        }
    }
    let bar = 0.014 * w as f32;
    for [x, y, cw, ch] in cells {
        canvas.rect(x, y, cw, ch, hex(0x14161A));
        let ink = *rng.pick(&VIVID);
        canvas.rect(x + bar, y + bar, cw - 2.0 * bar, ch - 2.0 * bar, ink);
    }
    canvas
}

fn abstracted(w: u32, h: u32, rng: &mut Rng) -> Canvas {
    let seed = rng.next_u64() as u32;
    let (a, b) = (*rng.pick(&VIVID), *rng.pick(&VIVID));
    let (fw, fh) = (w as f32, h as f32);
    let mut canvas = Canvas::rows(w, h, false, |y| {
        let wash = FractalRow::new(y as f32 / fh, [3, 3], 5, seed);
        move |x| mix(a, b, ((wash.at(x as f32 / fw) - 0.5) * 5.0 + 0.5).clamp(0.0, 1.0))
    });
    for _ in 0..count(rng, 16, 40) {
        let ink = *rng.pick(&VIVID);
        let at = [draw(rng, 0.0, fw), draw(rng, 0.0, fh)];
        match rng.below(4) {
            0 => canvas.circle(at, draw(rng, 0.02, 0.16) * fw, ink, 0.85),
            1 => canvas.ring(at, draw(rng, 0.04, 0.2) * fw, draw(rng, 0.01, 0.03) * fw, ink),
            2 => {
                let to = [draw(rng, 0.0, fw), draw(rng, 0.0, fh)];
                canvas.line(at, to, draw(rng, 0.008, 0.03) * fw, ink);
            }
            _ => {
                let r = draw(rng, 0.05, 0.2) * fw;
                let turn = draw(rng, 0.0, 6.3);
                let corner = |k: f32| [at[0] + r * libm::cosf(turn + k), at[1] + r * libm::sinf(turn + k)];
                canvas.convex(&[corner(0.0), corner(2.0), corner(4.2)], ink, 0.9);
            }
        }
    }
    canvas
}

fn botanical(w: u32, h: u32, rng: &mut Rng) -> Canvas {
    let seed = rng.next_u64() as u32;
    let paper = *rng.pick(&[hex(0xF3EEDF), hex(0xE4EAE0), hex(0x1F2A2A), hex(0xF7F4EE)]);
    let mut canvas = Canvas::shade(w, h, false, |x, y| scale(paper, 0.97 + 0.05 * unit(x, y, seed)));
    let (fw, fh) = (w as f32, h as f32);
    for stem in 0..count(rng, 1, 3) {
        let leaf = hsv(
            draw(rng, 0.15, 0.5),
            draw(rng, 0.3, 0.7),
            if luma(paper) < 0.4 { 0.75 } else { 0.42 },
        );
        let mut at = [(0.5 + 0.18 * (stem as f32 - 0.5)) * fw, 0.95 * fh];
        let mut angle = draw(rng, -1.85, -1.3);
        for k in 0..count(rng, 7, 12) {
            let next = [
                at[0] + 0.075 * fh * libm::cosf(angle),
                at[1] + 0.075 * fh * libm::sinf(angle),
            ];
            canvas.line(at, next, 0.012 * fw, scale(leaf, 0.6));
            let side = if k % 2 == 0 { 0.9 } else { -0.9 };
            let tone = vary(rng, leaf, 0.06);
            let (length, width) = (draw(rng, 0.14, 0.3) * fw, draw(rng, 0.06, 0.12) * fw);
            canvas.leaf(next, length, width, angle + side, tone, Some(scale(tone, 0.55)));
            at = next;
            angle += draw(rng, -0.2, 0.2);
        }
        let petal = *rng.pick(&VIVID);
        for k in 0..7 {
            canvas.leaf(
                at,
                0.16 * fw,
                0.09 * fw,
                k as f32 * 0.898,
                petal,
                Some(scale(petal, 0.6)),
            );
        }
        canvas.circle(at, 0.035 * fw, hex(0x3A2412), 1.0);
    }
    letters(
        &mut canvas,
        [0.3 * fw, 0.94 * fh, 0.4 * fw, 0.04 * fh],
        0.03 * fh,
        scale(paper, 0.4),
        rng,
    );
    canvas
}

fn poster(w: u32, h: u32, rng: &mut Rng) -> Canvas {
    let (paper, ink) = (*rng.pick(&VIVID), *rng.pick(&VIVID));
    let ink = if (luma(paper) - luma(ink)).abs() < 0.3 {
        if luma(paper) > 0.5 {
            hex(0x15151A)
        } else {
            hex(0xF5F0E2)
        }
    } else {
        ink
    };
    let mut canvas = Canvas::new(w, h, false, paper);
    let (fw, fh) = (w as f32, h as f32);
    let turn = draw(rng, 0.0, 6.3);
    let centre = [0.5 * fw, 0.42 * fh];
    for k in 0..count(rng, 5, 18) {
        let angle = turn + k as f32 * 0.7;
        let r = draw(rng, 0.05, 0.32) * fw;
        let at = [centre[0] + r * libm::cosf(angle), centre[1] + r * libm::sinf(angle)];
        let mark = *rng.pick(&VIVID);
        if rng.chance(0.5) {
            canvas.circle(at, draw(rng, 0.03, 0.1) * fw, mark, 1.0);
        } else {
            canvas.line(centre, at, draw(rng, 0.01, 0.05) * fw, mark);
        }
    }
    letters(
        &mut canvas,
        [0.08 * fw, 0.78 * fh, 0.84 * fw, 0.1 * fh],
        0.09 * fh,
        ink,
        rng,
    );
    letters(
        &mut canvas,
        [0.08 * fw, 0.89 * fh, 0.84 * fw, 0.09 * fh],
        0.026 * fh,
        ink,
        rng,
    );
    canvas
}

fn city(w: u32, h: u32, rng: &mut Rng) -> Canvas {
    let hue = draw(rng, 0.0, 1.0);
    let (fw, fh) = (w as f32, h as f32);
    let mut canvas = Canvas::shade(w, h, false, |_, y| {
        mix(hsv(hue, 0.5, 0.6), hsv(hue + 0.5, 0.3, 0.95), y as f32 / fh)
    });
    for layer in 0..3 {
        let mut x = -draw(rng, 0.0, 0.1) * fw;
        while x < fw {
            let (bw, top) = (
                draw(rng, 0.07, 0.2) * fw,
                draw(rng, 0.2 + 0.2 * layer as f32, 0.5 + 0.2 * layer as f32) * fh,
            );
            let wall = hsv(draw(rng, 0.0, 0.15), draw(rng, 0.1, 0.5), 0.75 - 0.2 * layer as f32);
            facade(&mut canvas, [x, top, bw, fh - top], 0.034 * fh, wall, rng);
            x += bw + draw(rng, -0.02, 0.05) * fw;
        }
    }
    canvas
}

/// A house front with a grid of windows, some lit.
pub(super) fn facade(canvas: &mut Canvas, frame: [f32; 4], storey: f32, wall: Rgb, rng: &mut Rng) {
    let [x, y, w, h] = frame;
    canvas.rect(x, y, w, h, wall);
    canvas.rect(x, y, w, 0.25 * storey, scale(wall, 0.55));
    let columns = (w / (0.9 * storey)) as u32;
    if columns == 0 {
        return;
    }
    let pitch = w / columns as f32;
    let mut row = y + 0.6 * storey;
    while row + storey < y + h {
        for k in 0..columns {
            let pane = if rng.chance(0.25) {
                hex(0xF7DFA0)
            } else {
                scale(hex(0x2B3A4A), draw(rng, 0.5, 1.5))
            };
            canvas.rect(x + (k as f32 + 0.25) * pitch, row, 0.5 * pitch, 0.62 * storey, pane);
        }
        row += storey;
    }
}

fn still_life(w: u32, h: u32, rng: &mut Rng) -> Canvas {
    let seed = rng.next_u64() as u32;
    let (back, table) = (
        hsv(draw(rng, 0.0, 1.0), 0.35, 0.4),
        hsv(draw(rng, 0.03, 0.12), 0.5, 0.6),
    );
    let (fw, fh) = (w as f32, h as f32);
    let mut canvas = Canvas::shade(w, h, false, |x, y| {
        let stroke = 0.85 + 0.3 * value(x as f32 * 0.2, y as f32 * 0.07, [64, 64], seed);
        scale(if (y as f32) < 0.62 * fh { back } else { table }, stroke)
    });
    for _ in 0..count(rng, 5, 10) {
        let at = [draw(rng, 0.12, 0.88) * fw, draw(rng, 0.52, 0.85) * fh];
        let r = draw(rng, 0.05, 0.12) * fw;
        let fruit = hsv(draw(rng, -0.08, 0.3), 0.8, draw(rng, 0.5, 0.95));
        canvas.ellipse(
            [at[0] + 0.3 * r, at[1] + 0.8 * r],
            [1.2 * r, 0.35 * r],
            0.0,
            scale(table, 0.4),
            0.8,
        );
        canvas.circle(at, r, scale(fruit, 0.6), 1.0);
        canvas.circle([at[0] - 0.15 * r, at[1] - 0.15 * r], 0.8 * r, fruit, 1.0);
        canvas.circle([at[0] - 0.4 * r, at[1] - 0.4 * r], 0.2 * r, hex(0xFFF8E8), 0.9);
        canvas.line(
            [at[0], at[1] - 0.9 * r],
            [at[0] + 0.2 * r, at[1] - 1.4 * r],
            0.1 * r,
            hex(0x33240F),
        );
    }
    canvas
}
