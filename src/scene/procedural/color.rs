//! Display-space colours (0 to 1 a channel) and how they are varied.

use crate::rng::Rng;

/// Red, green, blue in display space, 0 to 1.
pub(super) type Rgb = [f32; 3];

/// From the six hexadecimal digits of a web colour.
pub(super) const fn hex(code: u32) -> Rgb {
    [
        ((code >> 16) & 255) as f32 / 255.0,
        ((code >> 8) & 255) as f32 / 255.0,
        (code & 255) as f32 / 255.0,
    ]
}

/// Linear blend: `a` at 0, `b` at 1.
pub(super) fn mix(a: Rgb, b: Rgb, t: f32) -> Rgb {
    [0, 1, 2].map(|i| a[i] + (b[i] - a[i]) * t)
}

/// Brightness scaled.
pub(super) fn scale(a: Rgb, k: f32) -> Rgb {
    a.map(|c| c * k)
}

/// Channel-wise product.
pub(super) fn times(a: Rgb, b: Rgb) -> Rgb {
    [0, 1, 2].map(|i| a[i] * b[i])
}

/// Perceived brightness (Rec. 601 weights).
pub(super) fn luma(a: Rgb) -> f32 {
    0.299 * a[0] + 0.587 * a[1] + 0.114 * a[2]
}

/// Hue (turns), saturation and value to RGB.
pub(super) fn hsv(hue: f32, saturation: f32, value: f32) -> Rgb {
    let h = (hue - hue.floor()) * 6.0;
    let channel = |shift: f32| {
        let k = (shift + h) % 6.0;
        value * (1.0 - saturation * k.min(4.0 - k).clamp(0.0, 1.0))
    };
    [channel(5.0), channel(3.0), channel(1.0)]
}

/// A colour near `a`: every channel moved by up to `amount`, brightness by up to twice that.
pub(super) fn vary(rng: &mut Rng, a: Rgb, amount: f32) -> Rgb {
    let shift = draw(rng, -2.0 * amount, 2.0 * amount);
    a.map(|c| (c + shift + draw(rng, -amount, amount)).clamp(0.02, 0.98))
}

/// A uniform 32-bit draw, because meshes and textures are 32-bit.
pub(super) fn draw(rng: &mut Rng, low: f32, high: f32) -> f32 {
    rng.range(f64::from(low), f64::from(high)) as f32
}

/// A whole number in [`low`, `high`].
pub(super) fn count(rng: &mut Rng, low: u32, high: u32) -> u32 {
    low + rng.below(u64::from(high - low) + 1) as u32
}

/// Strong fabric, print and paint colours.
pub(super) const VIVID: [Rgb; 16] = [
    hex(0xB23A48),
    hex(0x1F5673),
    hex(0xE0A030),
    hex(0x2F6B4F),
    hex(0x6C4A8B),
    hex(0xD9673A),
    hex(0x27313F),
    hex(0xEDE6D6),
    hex(0x8AA6A3),
    hex(0x7A2E2E),
    hex(0x3E7CB1),
    hex(0xC9B27C),
    hex(0x4B5D3A),
    hex(0xE3C7B5),
    hex(0x151B22),
    hex(0xF5F1E6),
];

/// Wood from pale birch to dark walnut.
pub(super) const WOODS: [Rgb; 6] = [
    hex(0xD8B98A),
    hex(0xC39A66),
    hex(0xA97C4B),
    hex(0x8A5A36),
    hex(0x6B4630),
    hex(0xB98B6A),
];

/// Strong wall paints, one room in five.
pub(super) const DEEP_WALLS: [Rgb; 8] = [
    hex(0x3E5C58),
    hex(0x8C4F3A),
    hex(0x3A4A66),
    hex(0xB58A3C),
    hex(0x7D8B6A),
    hex(0xA56A6A),
    hex(0x55504E),
    hex(0x6B5A78),
];

/// Wall paints, light enough to carry shading.
pub(super) const WALLS: [Rgb; 8] = [
    hex(0xE9E2D3),
    hex(0xD7DED6),
    hex(0xC9D6DF),
    hex(0xEBD9C8),
    hex(0xD9CFC3),
    hex(0xB9C7B0),
    hex(0xE6CDB9),
    hex(0xB4BFCB),
];
