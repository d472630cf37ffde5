//! Pictures as data addresses: colour, depth, and the overlay of matching patches.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder, RgbImage, RgbaImage};

use super::palette::{depth_color, patch_color};
use crate::export::ExportError;
use crate::view::{Correspondence, DepthMap};

/// Quality of the pictures on the page; the set keeps the originals.
const JPEG_QUALITY: u8 = 88;

/// A JPEG data address.
pub fn jpeg(picture: &RgbImage) -> Result<String, ExportError> {
    let mut bytes = Vec::new();
    let (width, height) = picture.dimensions();
    JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY)
        .write_image(picture.as_raw(), width, height, ExtendedColorType::Rgb8)
        .map_err(unfit)?;
    Ok(format!("data:image/jpeg;base64,{}", STANDARD.encode(bytes)))
}

/// A PNG data address, every pixel kept.
pub fn sharp(picture: &RgbImage) -> Result<String, ExportError> {
    png(&image::DynamicImage::ImageRgb8(picture.clone()).into_rgba8())
}

/// A PNG data address with transparency.
fn png(picture: &RgbaImage) -> Result<String, ExportError> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Png).map_err(unfit)?;
    Ok(format!("data:image/png;base64,{}", STANDARD.encode(bytes.into_inner())))
}

fn unfit(error: image::ImageError) -> ExportError {
    ExportError::Unfit {
        format: "a picture of the page",
        why: error.to_string(),
    }
}

/// Overlays of the first and the second view: one pixel a patch, to be scaled up without smoothing.
///
/// A patch of the first view and its match in the second have one colour; the rest is clear.
pub fn overlays(matches: &Correspondence) -> Result<[String; 2], ExportError> {
    let grid = matches.grid.max(1);
    let mut views = [RgbaImage::new(grid, grid), RgbaImage::new(grid, grid)];
    for &(first, second) in &matches.patches {
        let place = |patch: u16| (u32::from(patch) % grid, u32::from(patch) / grid);
        let (column, row) = place(first);
        let color = patch_color(column, row, grid);
        for (view, (x, y)) in views.iter_mut().zip([(column, row), place(second)]) {
            if let Some(pixel) = view.get_pixel_mut_checked(x, y) {
                *pixel = color;
            }
        }
    }
    Ok([png(&views[0])?, png(&views[1])?])
}

/// Nearest and farthest depth of two views in metres, the outermost hundredth left out;
/// `None` where nothing was hit.
pub fn depth_range(views: [&DepthMap; 2]) -> Option<(f32, f32)> {
    let valid = |z: &f32| *z > 0.0 && z.is_finite();
    let mut metres: Vec<f32> = views
        .iter()
        .flat_map(|v| v.metres.iter().copied())
        .filter(valid)
        .collect();
    metres.sort_by(f32::total_cmp);
    let last = metres.len().checked_sub(1)?;
    Some((metres[last / 100], metres[last - last / 100]))
}

/// A depth map in colour, at most 112 pixels wide: every n-th pixel, so that no depth is invented.
pub fn depth(map: &DepthMap, (near, far): (f32, f32)) -> Result<String, ExportError> {
    let step = map.width.div_ceil(112).max(1);
    let picture = RgbImage::from_fn(map.width.div_ceil(step), map.height.div_ceil(step), |x, y| {
        depth_color(map.at(x * step, y * step), near, far)
    });
    jpeg(&picture)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matching_patches_share_a_colour() {
        let matches = Correspondence {
            grid: 4,
            patches: vec![(0, 5), (6, 15)],
        };
        let decode = |address: &String| {
            let bytes = STANDARD.decode(&address["data:image/png;base64,".len()..]).unwrap();
            image::load_from_memory(&bytes).unwrap().into_rgba8()
        };
        let [first, second] = overlays(&matches).unwrap().each_ref().map(decode);
        assert_eq!(first.get_pixel(0, 0), second.get_pixel(1, 1));
        assert_eq!(first.get_pixel(2, 1), second.get_pixel(3, 3));
        let covered = |view: &RgbaImage| view.pixels().filter(|p| p.0[3] > 0).count();
        assert_eq!((covered(&first), covered(&second)), (2, 2));
        // Odd sets do not panic.
        assert!(
            overlays(&Correspondence {
                grid: 0,
                patches: vec![(9, 70)]
            })
            .is_ok()
        );
    }

    #[test]
    fn the_depth_range_skips_holes() {
        let map = |metres: Vec<f32>| DepthMap {
            width: 2,
            height: 1,
            metres,
        };
        assert_eq!(
            depth_range([&map(vec![0.0, 2.0]), &map(vec![3.0, 0.0])]),
            Some((2.0, 3.0))
        );
        assert_eq!(depth_range([&map(vec![0.0, 0.0]), &map(vec![0.0, 0.0])]), None);
        assert!(depth(&map(vec![0.0, 1.0]), (1.0, 1.0)).is_ok());
    }
}
