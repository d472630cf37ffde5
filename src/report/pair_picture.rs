//! Two views side by side with the places that match, as one picture.

use glam::DVec2;
use image::imageops::{FilterType, resize};
use image::{Rgb, RgbImage};

use super::palette::patch_color;

/// Height that small pictures are enlarged to, pixels: whole multiples only, so that pixels stay square.
const HEIGHT: u32 = 448;
/// Between the two pictures, pixels.
const GAP: u32 = 12;
/// Colours of the matches are told apart by this many steps along each side.
const STEPS: u32 = 64;

/// How matches are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MatchStyle {
    /// A line from place to place.
    Lines,
    /// A dot at both places, of one colour.
    Dots,
}

/// The picture: the first view on the left, the second on the right, at most `shown` of the matches, evenly
/// spread over their list. Places are pixels of either view, centres at +0.5.
pub fn pair_picture(
    [first, second]: [&RgbImage; 2],
    matches: &[[DVec2; 2]],
    style: MatchStyle,
    shown: usize,
) -> RgbImage {
    let scale = (HEIGHT / first.height().max(second.height()).max(1)).max(1);
    let (first, second) = (enlarged(first, scale), enlarged(second, scale));
    let left = first.width() + GAP;
    let (width, height) = (left + second.width(), first.height().max(second.height()));
    let mut picture = RgbImage::from_pixel(width, height, Rgb([255; 3]));
    image::imageops::replace(&mut picture, &first, 0, 0);
    image::imageops::replace(&mut picture, &second, i64::from(left), 0);

    let scale = f64::from(scale);
    let radius = (f64::from(height) / 160.0).max(2.0);
    let count = matches.len().min(shown);
    for place in 0..count {
        let [a, b] = matches[place * matches.len() / count];
        let color = match_color(a * scale, first.dimensions());
        let (a, b) = (a * scale, b * scale + DVec2::new(f64::from(left), 0.0));
        if style == MatchStyle::Lines {
            line(&mut picture, a, b, color);
        }
        for end in [a, b] {
            disc(&mut picture, end, radius + 1.0, Rgb([0; 3]), 0.8);
            disc(&mut picture, end, radius, color, 1.0);
        }
    }
    picture
}

fn enlarged(picture: &RgbImage, scale: u32) -> RgbImage {
    resize(
        picture,
        picture.width() * scale,
        picture.height() * scale,
        FilterType::Nearest,
    )
}

/// The colour of a match by its place in the first view, whose size in pixels is given: neighbours have
/// neighbouring colours.
pub fn match_color(place: DVec2, (width, height): (u32, u32)) -> Rgb<u8> {
    let step = |at: f64, length: u32| {
        let step = at / f64::from(length.max(1)) * f64::from(STEPS);
        (step.max(0.0) as u32).min(STEPS - 1)
    };
    let [r, g, b, _] = patch_color(step(place.x, width), step(place.y, height), STEPS).0;
    Rgb([r, g, b])
}

/// A disc whose edge is smooth; `cover` is its opacity.
fn disc(picture: &mut RgbImage, centre: DVec2, radius: f64, color: Rgb<u8>, cover: f64) {
    let reach = radius.ceil() + 1.0;
    let from = |at: f64| (at - reach).floor().max(0.0) as u32;
    let to = |at: f64, length: u32| ((at + reach).ceil().max(0.0) as u32).min(length);
    for y in from(centre.y)..to(centre.y, picture.height()) {
        for x in from(centre.x)..to(centre.x, picture.width()) {
            let distance = centre.distance(DVec2::new(f64::from(x) + 0.5, f64::from(y) + 0.5));
            blend(picture, x, y, color, cover * (radius + 0.5 - distance).clamp(0.0, 1.0));
        }
    }
}

/// A line one and a half pixels wide with a smooth edge.
fn line(picture: &mut RgbImage, a: DVec2, b: DVec2, color: Rgb<u8>) {
    let along = b - a;
    let length = along.length();
    if length < 1.0 {
        return;
    }
    let (direction, steep) = (along / length, along.y.abs() > along.x.abs());
    let (from, to) = if steep {
        (a.y.min(b.y), a.y.max(b.y))
    } else {
        (a.x.min(b.x), a.x.max(b.x))
    };
    let end = if steep { picture.height() } else { picture.width() };
    for step in from.max(0.0) as u32..(to.max(0.0) as u32).saturating_add(1).min(end) {
        let at = f64::from(step) + 0.5;
        let share = if steep {
            (at - a.y) / along.y
        } else {
            (at - a.x) / along.x
        };
        let middle = a + along * share.clamp(0.0, 1.0);
        for off in -2i32..=2 {
            let (x, y) = if steep {
                (middle.x.floor() as i64 + i64::from(off), i64::from(step))
            } else {
                (i64::from(step), middle.y.floor() as i64 + i64::from(off))
            };
            let pixel = DVec2::new(x as f64 + 0.5, y as f64 + 0.5) - a;
            let distance = direction.perp_dot(pixel).abs();
            if let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y)) {
                blend(picture, x, y, color, 0.85 * (1.25 - distance).clamp(0.0, 1.0));
            }
        }
    }
}

fn blend(picture: &mut RgbImage, x: u32, y: u32, color: Rgb<u8>, cover: f64) {
    if let Some(pixel) = picture.get_pixel_mut_checked(x, y) {
        for (old, new) in pixel.0.iter_mut().zip(color.0) {
            *old = (f64::from(*old) * (1.0 - cover) + f64::from(new) * cover).round() as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_are_drawn_at_both_places() {
        let grey = RgbImage::from_pixel(64, 32, Rgb([128; 3]));
        let matches = [[DVec2::new(10.5, 5.5), DVec2::new(50.5, 20.5)]];
        let picture = pair_picture([&grey, &grey], &matches, MatchStyle::Dots, 9);
        assert_eq!(picture.dimensions(), (64 * 14 * 2 + GAP, 32 * 14));
        let left = 64 * 14 + GAP;
        let at = |x: f64, y: f64| *picture.get_pixel(x as u32, y as u32);
        let color = at(10.5 * 14.0, 5.5 * 14.0);
        assert_ne!(color, Rgb([128; 3]));
        assert_eq!(color, at(f64::from(left) + 50.5 * 14.0, 20.5 * 14.0));
        let changed = |picture: &RgbImage| {
            picture
                .pixels()
                .filter(|p| **p != Rgb([128; 3]) && **p != Rgb([255; 3]))
                .count()
        };
        let lines = pair_picture([&grey, &grey], &matches, MatchStyle::Lines, 9);
        assert!(changed(&lines) > 2 * changed(&picture));
        // Places outside and empty lists do not panic.
        let outside = [[DVec2::new(-500.0, 1e9), DVec2::new(1e6, -3.0)]];
        pair_picture([&grey, &grey], &outside, MatchStyle::Dots, 9);
        pair_picture([&grey, &grey], &[], MatchStyle::Lines, 9);
    }
}
