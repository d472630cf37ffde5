//! Colours that carry meaning: patches by place, depth by distance.

use image::{Rgb, Rgba};

/// Strong enough to tell patches apart, weak enough to see what they show.
const PATCH_ALPHA: u8 = 125;

/// The colour of a patch of the first view: hue runs with the column, lightness with the row, and
/// neighbours differ a little in a chequered way, so that the eye can follow one patch and the field.
///
/// `column` and `row` are below `grid`.
pub fn patch_color(column: u32, row: u32, grid: u32) -> Rgba<u8> {
    let span = f64::from(grid.max(2) - 1);
    let (across, down) = (f64::from(column) / span, f64::from(row) / span);
    // Not the full circle: the two ends must not meet in one colour.
    let hue = 300.0 * across;
    let chequer = if (column + row).is_multiple_of(2) { 0.05 } else { -0.05 };
    let lightness = 0.68 - 0.34 * down + chequer;
    let [r, g, b] = hsl(hue, 0.95, lightness);
    Rgba([r, g, b, PATCH_ALPHA])
}

/// Hue in degrees, saturation and lightness in [0, 1].
fn hsl(hue: f64, saturation: f64, lightness: f64) -> [u8; 3] {
    let chroma = saturation * lightness.min(1.0 - lightness);
    [0.0, 8.0, 4.0].map(|offset| {
        let k = (offset + hue / 30.0) % 12.0;
        let value = lightness - chroma * (k - 3.0).min(9.0 - k).clamp(-1.0, 1.0);
        (255.0 * value).round() as u8
    })
}

/// Depth as a colour: bright is near, dark is far, grey is "nothing was hit".
///
/// `near` and `far` in metres bound the scale.
pub fn depth_color(metres: f32, near: f32, far: f32) -> Rgb<u8> {
    // Equal steps of lightness and of hue, from far to near.
    const STOPS: [[f32; 3]; 6] = [
        [24.0, 18.0, 62.0],
        [72.0, 31.0, 112.0],
        [152.0, 45.0, 112.0],
        [219.0, 84.0, 80.0],
        [249.0, 152.0, 66.0],
        [252.0, 239.0, 166.0],
    ];
    if metres <= 0.0 {
        return Rgb([128, 128, 128]);
    }
    let nearness = ((far - metres) / (far - near).max(1e-6)).clamp(0.0, 1.0) * (STOPS.len() - 1) as f32;
    let stop = (nearness as usize).min(STOPS.len() - 2);
    let part = nearness - stop as f32;
    let mix = |c: usize| STOPS[stop][c] + part * (STOPS[stop + 1][c] - STOPS[stop][c]);
    Rgb([mix(0), mix(1), mix(2)].map(|v| v.round() as u8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_patch_of_a_grid_has_its_own_colour() {
        let colors: std::collections::BTreeSet<_> = (0..196).map(|p| patch_color(p % 14, p / 14, 14).0).collect();
        assert_eq!(colors.len(), 196);
        // A single patch is no division by zero.
        assert_eq!(patch_color(0, 0, 1).0[3], PATCH_ALPHA);
    }

    #[test]
    fn known_hues() {
        assert_eq!(hsl(0.0, 1.0, 0.5), [255, 0, 0]);
        assert_eq!(hsl(120.0, 1.0, 0.5), [0, 255, 0]);
        assert_eq!(hsl(240.0, 1.0, 0.25), [0, 0, 128]);
    }

    #[test]
    fn near_is_brighter_than_far_and_holes_are_grey() {
        let light = |z| depth_color(z, 1.0, 5.0).0.iter().map(|&c| u32::from(c)).sum::<u32>();
        assert!(light(1.0) > light(3.0) && light(3.0) > light(5.0));
        assert_eq!(depth_color(0.0, 1.0, 5.0), Rgb([128; 3]));
        assert_eq!(depth_color(2.0, 2.0, 2.0), depth_color(2.0, 2.0, 2.0));
    }
}
