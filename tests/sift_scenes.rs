//! SIFT against OpenCV and kornia on rendered views and on photographs.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod common;

use common::agreement::{Agreement, read_sift};
use covista::features::gray::gray;
use covista::features::sift::{Descriptor, Features, Keypoint, Sift, SiftParams};
use image::GrayImage;
use kornia_imgproc::features::{FirstOctave, SiftConfig, SiftWorkspace, sift_detect_and_compute};

fn kornia(gray: &GrayImage) -> Features {
    let source: Vec<f32> = gray.iter().map(|&v| f32::from(v)).collect();
    let (width, height) = (gray.width() as usize, gray.height() as usize);
    let found = sift_detect_and_compute(
        &mut SiftWorkspace::new(),
        &source,
        width,
        height,
        &SiftConfig::default(),
        FirstOctave::Double,
        usize::MAX,
        false,
    )
    .unwrap();
    Features {
        keypoints: (found.keypoints.iter())
            .map(|k| Keypoint {
                x: k.x,
                y: k.y,
                size: k.size,
                angle_deg: k.angle,
                response: k.response,
                octave: k.octave,
            })
            .collect(),
        descriptors: found
            .descriptors
            .chunks_exact(128)
            .map(|d| Descriptor::try_from(d.iter().map(|&v| v as u8).collect::<Vec<_>>()).unwrap())
            .collect(),
    }
}

#[test]
fn probe() {
    let mut files: Vec<_> = std::fs::read_dir("/tmp/fidelity/sift50")
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().unwrap() == "sift")
        .collect();
    files.sort();
    let (mut all, mut kor, mut ko) = (Agreement::default(), Agreement::default(), Agreement::default());
    let with_kornia = std::env::var("KORNIA").is_ok();
    let (mut n, mut nk) = (0, 0);
    for f in &files {
        let theirs = read_sift(&std::fs::read(f).unwrap());
        let path = std::fs::read_to_string(f.with_extension("path")).unwrap();
        let g = gray(
            &image::open(
                path.replace("views/", "/tmp/fidelity/views/")
                    .replace("/tmp/fidelity//tmp", "/tmp"),
            )
            .unwrap()
            .to_rgb8(),
        );
        let ours = Sift::new(SiftParams::default()).detect_and_describe(&g);
        all.add(&ours, &theirs, theirs.keypoints.len());
        n += theirs.keypoints.len();
        if with_kornia {
            let k = kornia(&g);
            kor.add(&ours, &k, k.keypoints.len());
            nk += k.keypoints.len();
            ko.add(&k, &theirs, theirs.keypoints.len());
        }
    }
    println!("{}", all.report("ours vs opencv", n));
    if with_kornia {
        println!("{}", kor.report("ours vs kornia", nk));
        println!("{}", ko.report("kornia vs opencv", n));
    }
}
