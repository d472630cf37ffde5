//! Pictures of what a model completes.

use image::{Rgb, RgbImage};

use super::batch::{IMAGENET_MEAN, IMAGENET_STD};

/// Grey of a hidden patch.
const HIDDEN: Rgb<u8> = Rgb([127, 127, 127]);
/// Pixels between the pictures of a sheet.
const GAP: u32 = 4;

/// One completed picture; all four of one size.
#[derive(Debug, Clone, PartialEq)]
pub struct Reconstruction {
    /// The first view, its hidden patches grey.
    pub masked: RgbImage,
    /// The second view.
    pub reference: RgbImage,
    /// The visible patches and, where they are hidden, what the model makes of the two.
    pub completed: RgbImage,
    /// The first view.
    pub target: RgbImage,
}

/// A row a pair, columns masked, reference, completed, target, on white. Empty where there are none.
pub fn sheet(rows: &[Reconstruction]) -> RgbImage {
    let (width, height) = rows.first().map_or((0, 0), |row| row.target.dimensions());
    let count = rows.len() as u32;
    let size = [4 * width + 3 * GAP, count * height + count.saturating_sub(1) * GAP];
    let mut sheet = RgbImage::from_pixel(size[0], size[1], Rgb([255, 255, 255]));
    for (y, row) in (0..).zip(rows) {
        for (x, picture) in (0..).zip([&row.masked, &row.reference, &row.completed, &row.target]) {
            let place = [x * (width + GAP), y * (height + GAP)].map(i64::from);
            image::imageops::replace(&mut sheet, picture, place[0], place[1]);
        }
    }
    sheet
}

/// The square image of `[tokens, patch * patch * 3]` values normalised by ImageNet's statistics; patches that
/// are not a number are grey.
pub fn denormalised(values: &[f32], patch: usize) -> RgbImage {
    let pixels = patch * patch * 3;
    let grid = (values.len() / pixels).isqrt();
    let side = (grid * patch) as u32;
    RgbImage::from_fn(side, side, |x, y| {
        let (x, y) = (x as usize, y as usize);
        let start = (y / patch * grid + x / patch) * pixels + (y % patch * patch + x % patch) * 3;
        let color: [f32; 3] = std::array::from_fn(|channel| values[start + channel]);
        if color.iter().any(|value| value.is_nan()) {
            return HIDDEN;
        }
        Rgb(std::array::from_fn(|channel| {
            let value = color[channel] * IMAGENET_STD[channel] + IMAGENET_MEAN[channel];
            (value * 255.0).round().clamp(0.0, 255.0) as u8
        }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::PairBatch;
    use crate::train::batch::ViewTensors;
    use crate::train::croco::patch::patchify;

    #[test]
    fn an_uploaded_picture_comes_back_byte_for_byte() {
        let bytes: Vec<u8> = (0..8 * 8 * 3).map(|i| (i * 53) as u8).collect();
        let batch = PairBatch {
            first: bytes.clone(),
            second: bytes.clone(),
            shape: [1, 8, 8, 3],
            overlaps: vec![Default::default()],
            indices: vec![0],
        };
        let views = ViewTensors::upload(&batch, 8, &[false], &burn::tensor::Device::flex()).unwrap();
        let patches: Vec<f32> = patchify(views.first, 4).try_into_vec_as().unwrap();
        let picture = denormalised(&patches, 4);
        assert_eq!(picture.as_raw(), &bytes);
        let row = Reconstruction {
            masked: denormalised(&vec![f32::NAN; patches.len()], 4),
            reference: picture.clone(),
            completed: picture.clone(),
            target: picture,
        };
        let sheet = sheet(&[row.clone(), row]);
        assert_eq!(sheet.dimensions(), (4 * 8 + 3 * 4, 2 * 8 + 4));
        assert_eq!(
            (sheet.get_pixel(0, 0), sheet.get_pixel(8, 0)),
            (&HIDDEN, &Rgb([255; 3]))
        );
        assert_eq!(sheet.get_pixel(12, 12).0, bytes[..3]);
    }
}
