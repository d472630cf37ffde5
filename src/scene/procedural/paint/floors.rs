//! Floors: planks, parquet, tiles, terrazzo, carpet. No two planks, tiles or chips are alike, because
//! repeated ones would fail the ratio test of feature matching.

use super::super::canvas::Canvas;
use super::super::color::{Rgb, VIVID, draw, hex, luma, mix, scale, vary};
use super::super::noise::{FractalRow, Row, hash, unit, value};
use crate::rng::Rng;

/// Wood seen at texel (`s`, `t`) in [0, 1): grain runs along `s`. `id` makes each board its own.
pub(super) fn grain(s: f32, t: f32, lines: i32, id: u32) -> f32 {
    let wobble = value(s * 6.0, t * 5.0, [6, 5], id ^ 0x51);
    let streak = value(s * 4.0, t * lines as f32 + 1.8 * wobble, [4, lines], id);
    let fine = value(s * 24.0, t * lines as f32 * 3.0, [24, lines * 3], id ^ 0xA7);
    let dark = ((streak - 0.55) * 4.0).clamp(0.0, 1.0);
    1.08 - 0.34 * dark - 0.22 * (fine - 0.5) - 0.18 * wobble
}

/// One row of [`grain`], for boards that run along u.
pub(super) struct Grain {
    t: f32,
    lines: i32,
    wobble: Row,
    fine: Row,
}

impl Grain {
    pub(super) fn new(t: f32, lines: i32, seed: u32) -> Self {
        Self {
            t,
            lines,
            wobble: Row::new(t * 5.0, [6, 5], seed ^ 0x51),
            fine: Row::new(t * lines as f32 * 3.0, [24, lines * 3], seed ^ 0xA7),
        }
    }

    /// Wood at `s`; `id` shifts the grain, so that each board has its own.
    pub(super) fn at(&self, s: f32, id: u32) -> f32 {
        let wobble = self.wobble.at(s * 6.0 + (id & 3) as f32);
        let y = self.t * self.lines as f32 + 1.8 * wobble;
        let streak = value(s * 4.0, y, [4, self.lines], id);
        let fine = self.fine.at(s * 24.0 + (id & 15) as f32);
        let dark = ((streak - 0.55) * 4.0).clamp(0.0, 1.0);
        1.08 - 0.34 * dark - 0.22 * (fine - 0.5) - 0.18 * wobble
    }
}

/// A knot of the board: darkening at (`du`, `dv`) metres from its centre.
fn knot(du: f32, dv: f32, radius: f32) -> f32 {
    let r = (du * du * 0.35 + dv * dv).sqrt() / radius;
    if r > 1.6 {
        1.0
    } else if r > 1.0 {
        1.0 - 0.35 * (1.6 - r) / 0.6
    } else {
        0.38 + 0.3 * r * r
    }
}

/// Floor boards along u over `extent` metres.
pub(super) fn planks(px: u32, extent: f32, wood: Rgb, contrast: f32, rng: &mut Rng) -> Canvas {
    let seed = rng.next_u64() as u32;
    let rows = 30 - 2 * rng.below(4) as i32;
    let row_m = extent / rows as f32;
    let per_row = 3;
    let board_m = extent / per_row as f32;
    Canvas::rows(px, px, true, |y| {
        let t = (y as f32 + 0.5) / px as f32;
        let row = (t * rows as f32) as i32;
        let shift = unit(row, 17, seed);
        let grain = Grain::new(t, rows * 5, seed);
        move |x| {
            let s = (x as f32 + 0.5) / px as f32;
            let along = (s + shift).fract() * per_row as f32;
            let board = along as i32;
            let id = hash(board, row, seed);
            let tone = 1.0 + contrast * (unit(board, row, seed ^ 1) - 0.5) * 1.1;
            let hue = contrast * (unit(board, row, seed ^ 2) - 0.5);
            let (du, dv) = (along.fract() * board_m, (t * rows as f32).fract() * row_m);
            let mut k = tone * (1.0 + (grain.at(s, id) - 1.0) * (0.6 + contrast));
            for n in 0..2 {
                if unit(n, 3, id) < 0.75 {
                    let (cu, cv) = (unit(n, 4, id) * board_m, (0.2 + 0.6 * unit(n, 5, id)) * row_m);
                    k *= knot(du - cu, dv - cv, 0.012 + 0.014 * unit(n, 6, id));
                }
            }
            let edge = dv.min(row_m - dv).min(du.min(board_m - du) * 0.8);
            if edge < 0.004 {
                k *= 0.3 + 0.7 * (edge / 0.004) * 0.4;
            }
            [wood[0] * (k + 0.16 * hue), wood[1] * k, wood[2] * (k - 0.14 * hue)]
        }
    })
}

/// Mosaic parquet: squares of strips that change direction.
pub(super) fn parquet(px: u32, extent: f32, wood: Rgb, rng: &mut Rng) -> Canvas {
    let seed = rng.next_u64() as u32;
    let squares = (extent / 0.32) as i32;
    let strips = 4 + rng.below(2) as i32;
    let texel = extent / px as f32;
    Canvas::shade(px, px, true, |x, y| {
        let (s, t) = ((x as f32 + 0.5) / px as f32, (y as f32 + 0.5) / px as f32);
        let (a, b) = (s * squares as f32, t * squares as f32);
        let (i, j) = (a as i32, b as i32);
        let (along, across, gs, gt) = if (i + j) % 2 == 0 {
            (a.fract(), b.fract(), s, t)
        } else {
            (b.fract(), a.fract(), t, s)
        };
        let strip = (across * strips as f32) as i32;
        let id = hash(i * 8 + strip, j, seed);
        let tone = 0.72 + 0.5 * unit(strip, 1, id);
        let k = tone * grain(gs, gt, squares * strips * 4, id);
        let square_m = extent / squares as f32;
        let dv = (across * strips as f32).fract();
        let edge = (dv.min(1.0 - dv) * square_m / strips as f32).min(along.min(1.0 - along) * square_m);
        scale(wood, if edge < texel { 0.4 * k } else { k })
    })
}

/// Square tiles with grout: marbled, every tile of its own tone; `pair` alternates as a chessboard.
pub(super) fn tiles(px: u32, extent: f32, per_side: i32, pair: [Rgb; 2], grout: Rgb, rng: &mut Rng) -> Canvas {
    let seed = rng.next_u64() as u32;
    let tile_m = extent / per_side as f32;
    let cells = per_side * 2;
    Canvas::rows(px, px, true, |y| {
        let t = (y as f32 + 0.5) / px as f32;
        let warps = FractalRow::new(t, [cells, cells], 3, seed ^ 3);
        let grit = Row::new(t * 220.0, [220, 220], seed ^ 7);
        move |x| {
            let s = (x as f32 + 0.5) / px as f32;
            let (a, b) = (s * per_side as f32, t * per_side as f32);
            let (i, j) = (a as i32, b as i32);
            let id = hash(i, j, seed);
            let base = pair[((i + j) % 2) as usize];
            let edge = a.fract().min(1.0 - a.fract()).min(b.fract()).min(1.0 - b.fract()) * tile_m;
            if edge < 0.005 {
                return scale(grout, 0.9 + 0.2 * unit(x, y, seed));
            }
            // Each tile shows another piece of the marble.
            let warp = warps.at(s + (id >> 24) as f32 / cells as f32);
            let vein = 1.0 - ((warp - 0.5).abs() * 22.0).min(1.0);
            let tone = 0.86 + 0.24 * unit(i, j, seed ^ 5) + 0.16 * (grit.at(s * 220.0) - 0.5);
            let veined = if luma(base) > 0.45 {
                scale(base, 0.55)
            } else {
                mix(base, [0.8; 3], 0.6)
            };
            scale(mix(base, veined, 0.75 * vein * unit(i, j, seed ^ 6)), tone)
        }
    })
}

/// Cement tiles as a patchwork: each tile carries its own symmetric ornament.
pub(super) fn encaustic(px: u32, per_side: i32, palette: &[Rgb], rng: &mut Rng) -> Canvas {
    let mut canvas = Canvas::new(px, px, true, palette[0]);
    let tile = px as f32 / per_side as f32;
    for j in 0..per_side {
        for i in 0..per_side {
            let ground = *rng.pick(palette);
            let ground = vary(rng, ground, 0.03);
            let (x, y) = (i as f32 * tile, j as f32 * tile);
            canvas.rect(x, y, tile, tile, ground);
            let centre = [x + 0.5 * tile, y + 0.5 * tile];
            for _ in 0..3 {
                ornament(&mut canvas, centre, 0.5 * tile, palette, rng);
            }
            let grout = hex(0x8C867C);
            canvas.rect(x, y, tile, 1.2, grout);
            canvas.rect(x, y, 1.2, tile, grout);
        }
    }
    canvas
}

/// One four-fold symmetric mark inside a square of half side `half`.
fn ornament(canvas: &mut Canvas, centre: [f32; 2], half: f32, palette: &[Rgb], rng: &mut Rng) {
    let color = *rng.pick(palette);
    let kind = rng.below(6);
    let (a, b) = (draw(rng, 0.2, 0.85) * half, draw(rng, 0.12, 0.4) * half);
    let turn = draw(rng, 0.0, 0.8);
    for k in 0..4 {
        let angle = k as f32 * std::f32::consts::FRAC_PI_2;
        let (sin, cos) = (libm::sinf(angle), libm::cosf(angle));
        let at = [centre[0] + cos * a, centre[1] + sin * a];
        match kind {
            0 => canvas.circle(at, b.min(half - a), color, 1.0),
            1 => canvas.leaf(centre, a * 1.1, b * 1.2, angle + 0.785, color, None),
            2 => canvas.leaf(centre, a, b, angle + turn, color, None),
            3 => {
                let corner = [centre[0] + (cos - sin) * half, centre[1] + (sin + cos) * half];
                canvas.shape(corner, half, color, 1.0, |x, y| {
                    let inside = (x + corner[0] - centre[0]).abs().max((y + corner[1] - centre[1]).abs()) - half;
                    ((x * x + y * y).sqrt() - a).max(inside)
                });
            }
            4 => canvas.convex(
                &[
                    centre,
                    [at[0] - sin * b, at[1] + cos * b],
                    [at[0] + sin * b, at[1] - cos * b],
                ],
                color,
                1.0,
            ),
            _ => canvas.line(
                [at[0] - sin * a, at[1] + cos * a],
                [at[0] + sin * a, at[1] - cos * a],
                0.16 * half,
                color,
            ),
        }
    }
}

/// Terrazzo: chips of stone, large and small, in a pale or dark binder.
pub(super) fn terrazzo(px: u32, extent: f32, binder: Rgb, rng: &mut Rng) -> Canvas {
    let seed = rng.next_u64() as u32;
    let mut canvas = Canvas::shade(px, px, true, |x, y| {
        scale(binder, 0.92 + 0.16 * unit(x / 2, y / 2, seed))
    });
    let per_m = px as f32 / extent;
    let stones = [
        hex(0x2E2B2B),
        hex(0x8C4A36),
        hex(0xF4EFE6),
        hex(0x7D8A84),
        hex(0xC79A55),
        hex(0x4A5A66),
    ];
    let chips = (extent * extent * 420.0) as u32;
    for _ in 0..chips {
        let u = draw(rng, 0.0, 1.0);
        let radius = (0.005 + 0.027 * u * u * u) * per_m;
        let centre = [draw(rng, 0.0, px as f32), draw(rng, 0.0, px as f32)];
        let stone = *rng.pick(&stones);
        let color = vary(rng, stone, 0.04);
        let turn = draw(rng, 0.0, 6.3);
        let corners: Vec<[f32; 2]> = (0..5)
            .map(|k| {
                let angle = turn + k as f32 * 1.2566;
                let r = radius * draw(rng, 0.6, 1.1);
                [centre[0] + r * libm::cosf(angle), centre[1] + r * libm::sinf(angle)]
            })
            .collect();
        canvas.convex(&corners, color, 1.0);
    }
    canvas
}

/// Carpet: tufts of three tones, brushed lanes and a few darker marks of use.
pub(super) fn carpet(px: u32, extent: f32, color: Rgb, rng: &mut Rng) -> Canvas {
    let seed = rng.next_u64() as u32;
    let tuft = (0.016 * px as f32 / extent).max(1.0);
    let accent = *rng.pick(&VIVID);
    Canvas::rows(px, px, true, |y| {
        let lanes = FractalRow::new((y as f32 + 0.5) / px as f32, [9, 9], 3, seed ^ 4);
        move |x| {
            let s = (x as f32 + 0.5) / px as f32;
            let (i, j) = ((x as f32 / tuft) as i32, (y as f32 / tuft) as i32);
            let pick = unit(i, j, seed);
            let lane = 0.9 + 0.2 * lanes.at(s);
            let yarn = if pick < 0.24 {
                scale(color, 0.55)
            } else if pick < 0.34 {
                mix(color, accent, 0.6)
            } else if pick < 0.6 {
                mix(color, [1.0; 3], 0.35)
            } else {
                color
            };
            scale(yarn, lane * (0.9 + 0.2 * unit(x, y, seed ^ 9)))
        }
    })
}
