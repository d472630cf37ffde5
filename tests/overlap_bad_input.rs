//! Odd, broken and hostile pictures given to `covista overlap` and `covista select`, and to the library: a result or
//! one clear line, never a panic, and bounded memory.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod common;

use std::path::Path;
use std::process::Output;

use common::program::{covista, sift_fixture as fixture};
use covista::features::resize::resize_bilinear;
use covista::overlap::{HomographyOverlapConfig, homography_overlap, view_features};
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ExtendedColorType, ImageBuffer, ImageEncoder, Luma, LumaA, Rgb, RgbImage, Rgba};
use serde_json::Value;

fn overlap(first: &Path, second: &Path) -> Value {
    let output = covista(&[
        "overlap",
        &first.display().to_string(),
        &second.display().to_string(),
        "--json",
    ]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{} {}: {stderr}",
        first.display(),
        second.display()
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Exit code 3 and one line that names the file and holds `says`.
fn refused(output: &Output, name: &str, says: &str) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{name}: {stderr}");
    assert_eq!(stderr.trim_end().lines().count(), 1, "{name}: {stderr}");
    assert!(
        stderr.starts_with("covista: ") && stderr.contains(name) && stderr.contains(says),
        "{name}: {stderr}"
    );
}

fn noise(seed: u32) -> impl FnMut() -> u8 {
    let mut state = seed;
    move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    }
}

#[test]
fn pictures_of_any_kind_give_a_result() {
    let folder = tempfile::tempdir().unwrap();
    let save = |name: &str, picture: DynamicImage| {
        let path = folder.path().join(name);
        picture.save(&path).unwrap();
        path
    };
    let mut noise = noise(1);
    let odd = [
        save("colour.png", RgbImage::from_pixel(224, 224, Rgb([10, 200, 30])).into()),
        save(
            "noise.png",
            RgbImage::from_fn(224, 224, |_, _| Rgb([noise(), noise(), noise()])).into(),
        ),
        save(
            "grey.png",
            ImageBuffer::from_fn(300, 200, |x, y| Luma([(x ^ y) as u8])).into(),
        ),
        save(
            "deep.png",
            ImageBuffer::from_fn(100, 120, |x, y| Luma([(x * y * 5) as u16])).into(),
        ),
        save(
            "deep_colour.png",
            ImageBuffer::from_fn(90, 60, |x, y| Rgb([(x * 700) as u16, (y * 900) as u16, 7])).into(),
        ),
        save(
            "alpha.png",
            ImageBuffer::from_fn(64, 64, |x, y| Rgba([x as u8, y as u8, 0, (x * 4) as u8])).into(),
        ),
        save(
            "grey_alpha.png",
            ImageBuffer::from_fn(64, 65, |x, y| LumaA([x as u8, (y * 3) as u8])).into(),
        ),
        save("dot.png", RgbImage::new(1, 1).into()),
        save("line.png", RgbImage::from_fn(1, 4000, |_, y| Rgb([y as u8; 3])).into()),
        save(
            "wide.png",
            RgbImage::from_fn(20_000, 9, |x, _| Rgb([(x % 251) as u8; 3])).into(),
        ),
        save(
            "picture.bmp",
            RgbImage::from_fn(31, 77, |x, y| Rgb([x as u8, y as u8, 9])).into(),
        ),
        save(
            "picture.webp",
            RgbImage::from_fn(31, 77, |x, y| Rgb([x as u8, y as u8, 9])).into(),
        ),
    ];
    for picture in &odd {
        let report = overlap(picture, &fixture("tiles.png"));
        assert_eq!(report["kept"], false, "{}", picture.display());
        assert!(report["reason"].is_string(), "{}", picture.display());
    }
    assert_eq!(overlap(&odd[0], &odd[1])["reason"], "no_descriptors");
}

/// Grey, 16-bit, translucent and enlarged copies of a picture are that picture.
#[test]
fn the_same_picture_in_another_dress() {
    let folder = tempfile::tempdir().unwrap();
    let tiles = image::open(fixture("tiles.png")).unwrap();
    let grey = DynamicImage::from(tiles.to_luma8());
    let copies = [
        ("grey.png", grey.clone()),
        ("deep.png", DynamicImage::from(tiles.to_rgb16())),
        ("alpha.png", DynamicImage::from(tiles.to_rgba8())),
        (
            "large.png",
            DynamicImage::from(resize_bilinear(&tiles.to_rgb8(), 1344, 1344)),
        ),
        ("other_ending.jpg", tiles.clone()),
    ];
    for (name, copy) in copies {
        let path = folder.path().join(name);
        copy.save_with_format(&path, image::ImageFormat::Png).unwrap();
        let report = overlap(&fixture("tiles.png"), &path);
        assert!(report["overlap"].as_f64().unwrap() > 0.9, "{name}: {report}");
    }
}

/// `cv2.imread` turns a photograph the way the camera says it was held; so do we.
#[test]
fn the_orientation_of_a_photograph_is_applied() {
    let folder = tempfile::tempdir().unwrap();
    let tiles = image::open(fixture("tiles.png")).unwrap().to_rgb8();
    let turned = image::imageops::rotate270(&tiles);
    let path = folder.path().join("held_upright.jpg");
    let mut encoder = JpegEncoder::new_with_quality(std::fs::File::create(&path).unwrap(), 95);
    // A TIFF header (little endian), one directory, one entry: orientation 6, to be turned 90 degrees clockwise.
    let exif = [
        b"II*\0\x08\0\0\0\x01\0".as_slice(),
        &[0x12, 0x01, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0],
    ];
    encoder.set_exif_metadata(exif.concat()).unwrap();
    encoder
        .write_image(turned.as_raw(), 224, 224, ExtendedColorType::Rgb8)
        .unwrap();
    let report = overlap(&fixture("tiles.png"), &path);
    assert!(report["overlap"].as_f64().unwrap() > 0.9, "{report}");
    let h: Vec<f64> = serde_json::from_value(report["homography"].clone()).unwrap();
    let identity = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0];
    assert!(h.iter().zip(identity).all(|(a, b)| (a - b).abs() < 1.0), "{h:?}");
}

/// A PNG whose header promises another size than the rest has.
fn header_of(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = std::fs::read(fixture("tiles.png")).unwrap();
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    let crc = crc32(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&crc.to_be_bytes());
    bytes
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| (0..8).fold(crc, |c, _| if c & 1 == 1 { 0xedb8_8320 ^ (c >> 1) } else { c >> 1 });
    !bytes
        .iter()
        .fold(!0, |crc, &byte| (crc >> 8) ^ step((crc ^ u32::from(byte)) & 255))
}

#[test]
fn broken_files_give_one_line_and_exit_code_3() {
    let folder = tempfile::tempdir().unwrap();
    let good = fixture("tiles.png").display().to_string();
    let png = std::fs::read(fixture("tiles.png")).unwrap();
    let mut jpeg = Vec::new();
    image::open(fixture("tiles.png"))
        .unwrap()
        .write_with_encoder(JpegEncoder::new(&mut jpeg))
        .unwrap();
    let mut flipped = png.clone();
    for place in (200..flipped.len()).step_by(97) {
        flipped[place] ^= 0x55;
    }
    let cases: [(&str, Vec<u8>, &str); 11] = [
        ("cut.png", png[..png.len() / 2].to_vec(), "export or copy it again"),
        ("header.png", png[..20].to_vec(), "export or copy it again"),
        ("flipped.png", flipped, "export or copy it again"),
        ("cut.jpg", jpeg[..40].to_vec(), "export or copy it again"),
        ("bomb.png", header_of(60_000, 60_000), "scale it down first"),
        ("wider.png", header_of(70_000, 10), "scale it down first"),
        ("nothing.png", header_of(0, 10), "export or copy it again"),
        ("text.png", b"hello".to_vec(), "export or copy it again"),
        ("text.txt", b"hello".to_vec(), "convert it to PNG, JPEG, WebP or BMP"),
        ("empty.jpg", Vec::new(), "export or copy it again"),
        ("zeros.webp", vec![0; 4096], "export or copy it again"),
    ];
    for (name, content, remedy) in cases {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        refused(&covista(&["overlap", &good, &path.display().to_string()]), name, remedy);
    }
    let missing = folder.path().join("missing.png").display().to_string();
    refused(&covista(&["overlap", &missing, &good]), "missing.png", "check the path");
    let name = folder.path().display().to_string();
    refused(&covista(&["overlap", &good, &name]), &name, "name a PNG");
}

#[test]
fn folders_that_are_no_sweep_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().display().to_string();
    refused(&covista(&["select", &name]), &name, "24 pictures");
    refused(
        &covista(&["select", &format!("{name}/missing")]),
        "missing",
        "cannot list the folder",
    );
    for place in 0..24 {
        std::fs::copy(fixture("tiles.png"), folder.path().join(format!("{place:03}.png"))).unwrap();
    }
    std::fs::write(folder.path().join("017.png"), b"not a picture").unwrap();
    refused(&covista(&["select", &name]), "017.png", "export or copy it again");
    // A folder that is called like a picture.
    std::fs::remove_file(folder.path().join("017.png")).unwrap();
    std::fs::create_dir(folder.path().join("017.png")).unwrap();
    refused(&covista(&["select", &name]), "017.png", "folder");
}

#[test]
fn twenty_four_odd_pictures_give_a_selection() {
    let folder = tempfile::tempdir().unwrap();
    let mut noise = noise(5);
    for place in 0..24u32 {
        let (width, height) = (1 + place * 40, 1 + (23 - place) * 30);
        let picture = RgbImage::from_fn(width, height, |x, _| {
            if place % 3 == 0 {
                Rgb([x as u8; 3])
            } else {
                Rgb([noise(); 3])
            }
        });
        picture.save(folder.path().join(format!("{place:03}.png"))).unwrap();
    }
    let output = covista(&["select", &folder.path().display().to_string(), "--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["overlaps"].as_array().unwrap().len(), 8);
}

#[test]
fn the_library_takes_any_size() {
    let config = HomographyOverlapConfig::default();
    let tiles = view_features(&image::open(fixture("tiles.png")).unwrap().to_rgb8(), &config);
    let mut noise = noise(9);
    for (width, height) in [(0, 0), (0, 7), (1, 1), (1, 900), (20_000, 3), (225, 223)] {
        let picture = RgbImage::from_fn(width, height, |_, _| Rgb([noise(), noise(), noise()]));
        let features = view_features(&picture, &config);
        let found = homography_overlap(&tiles, &features, &config, 1);
        assert_eq!(found.overlap.is_some(), found.refusal.is_none(), "{width} x {height}");
    }
}

/// What `cv2.resize` gives for a part of a picture (make.py), to one grey level.
#[test]
fn other_sizes_are_resized_as_opencv_does() {
    let whole = image::open(fixture("strokes.png")).unwrap().to_rgb8();
    let theirs = image::open(fixture("strokes_resized.png")).unwrap().to_rgb8();
    let part = image::imageops::crop_imm(&whole, 11, 20, 151, 97).to_image();
    let ours = resize_bilinear(&part, 224, 224);
    let off = ours
        .iter()
        .zip(theirs.iter())
        .map(|(a, b)| a.abs_diff(*b))
        .max()
        .unwrap();
    assert!(off <= 1, "{off}");
}
