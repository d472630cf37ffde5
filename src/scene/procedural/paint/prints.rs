//! Sheets of small printed things, laid out as a grid of cells: pictures, book spines, labels.

use super::super::canvas::Canvas;
use super::super::color::{VIVID, count, draw, hex, luma, scale, vary};
use super::pictures::{letters, picture};
use crate::rng::Rng;

/// Cells across and down on a sheet of pictures.
pub(in super::super) const PICTURE_GRID: [u32; 2] = [5, 5];
/// Cells across and down on a sheet of book spines.
pub(in super::super) const SPINE_GRID: [u32; 2] = [32, 4];
/// Cells across and down on a sheet of labels.
pub(in super::super) const LABEL_GRID: [u32; 2] = [8, 8];

/// A sheet of pictures; every second row is in portrait format once it is hung.
pub(super) fn pictures(px: u32, rng: &mut Rng) -> Canvas {
    let mut sheet = Canvas::new(px, px, false, [0.5; 3]);
    let (w, h) = (px / PICTURE_GRID[0], px / PICTURE_GRID[1]);
    for j in 0..PICTURE_GRID[1] {
        for i in 0..PICTURE_GRID[0] {
            sheet.paste(&picture(w, h, rng), (i * w) as i32, (j * h) as i32);
        }
    }
    sheet
}

/// A sheet of book spines with bands and titles.
pub(super) fn spines(px: u32, rng: &mut Rng) -> Canvas {
    let mut sheet = Canvas::new(px, px, false, [0.2; 3]);
    let (w, h) = (px as f32 / SPINE_GRID[0] as f32, px as f32 / SPINE_GRID[1] as f32);
    for j in 0..SPINE_GRID[1] {
        for i in 0..SPINE_GRID[0] {
            let (x, y) = (i as f32 * w, j as f32 * h);
            let cover = *rng.pick(&VIVID);
            let cover = vary(rng, cover, 0.05);
            let ink = if luma(cover) > 0.45 {
                hex(0x1A1712)
            } else {
                hex(0xEFE2B8)
            };
            sheet.rect(x, y, w, h, cover);
            for _ in 0..count(rng, 1, 4) {
                let band = *rng.pick(&VIVID);
                sheet.rect(x, y + draw(rng, 0.02, 0.95) * h, w, draw(rng, 0.008, 0.05) * h, band);
            }
            // Titles run down the spine: strokes across it at uneven distances.
            let (mut at, end) = (y + draw(rng, 0.08, 0.3) * h, y + draw(rng, 0.55, 0.9) * h);
            let (inset, depth) = (draw(rng, 0.2, 0.32) * w, draw(rng, 0.3, 0.5) * w);
            while at < end {
                let stroke = draw(rng, 1.5, 5.0);
                sheet.rect(x + inset + draw(rng, 0.0, 3.0), at, depth, stroke, ink);
                at += stroke + draw(rng, 1.5, 4.5);
            }
            sheet.rect(x, y, 1.0, h, scale(cover, 0.45));
            sheet.rect(x + w - 1.0, y, 1.0, h, scale(cover, 0.6));
        }
    }
    sheet
}

/// A sheet of labels for jars, boxes and bottles.
pub(super) fn labels(px: u32, rng: &mut Rng) -> Canvas {
    let mut sheet = Canvas::new(px, px, false, [0.5; 3]);
    let (w, h) = (px as f32 / LABEL_GRID[0] as f32, px as f32 / LABEL_GRID[1] as f32);
    for j in 0..LABEL_GRID[1] {
        for i in 0..LABEL_GRID[0] {
            let (x, y) = (i as f32 * w, j as f32 * h);
            let (ground, panel) = (*rng.pick(&VIVID), *rng.pick(&VIVID));
            sheet.rect(x, y, w, h, ground);
            sheet.rect(x, y + 0.3 * h, w, 0.4 * h, panel);
            let ink = if luma(panel) > 0.45 {
                hex(0x1B1B20)
            } else {
                hex(0xF4EDD9)
            };
            letters(
                &mut sheet,
                [x + 0.08 * w, y + 0.36 * h, 0.84 * w, 0.28 * h],
                draw(rng, 0.12, 0.26) * h,
                ink,
                rng,
            );
            let at = [x + draw(rng, 0.25, 0.75) * w, y + draw(rng, 0.1, 0.2) * h];
            let dot = *rng.pick(&VIVID);
            sheet.circle(at, 0.09 * w, dot, 1.0);
            sheet.rect(x, y + 0.86 * h, w, 0.05 * h, dot);
        }
    }
    sheet
}
