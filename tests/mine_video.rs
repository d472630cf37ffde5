//! `covista mine video FILE`: what ffmpeg and ffprobe are asked, what is made of their answers, and the real ones.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use assert_cmd::assert::Assert;
use covista::export::native::NativeReader;
use image::{Rgb, RgbImage};
use serde_json::Value;

/// Frames that pan by 7 px each over a wall with discs of all sizes.
fn pan(frames: u32) -> Vec<RgbImage> {
    let mut wall = RgbImage::from_pixel(224 + 7 * frames, 224, Rgb([120; 3]));
    let mut rng = covista::rng::Rng::stream(4, "video test", &[]);
    for _ in 0..12 * frames {
        let (cx, cy, r) = (rng.below(u64::from(wall.width())), rng.below(224), 2 + rng.below(10));
        let color = Rgb([0; 3].map(|_: u8| rng.below(256) as u8));
        for (x, y, pixel) in wall.enumerate_pixels_mut() {
            if u64::from(x).abs_diff(cx).pow(2) + u64::from(y).abs_diff(cy).pow(2) <= r * r {
                *pixel = color;
            }
        }
    }
    let frame = |i: u32| image::imageops::crop_imm(&wall, 7 * i, 0, 224, 224).to_image();
    (0..frames).map(frame).collect()
}

/// One binary PPM after the other.
fn ppm(frames: &[RgbImage]) -> Vec<u8> {
    let each = frames.iter().flat_map(|frame| {
        let mut bytes = format!("P6\n{} {}\n255\n", frame.width(), frame.height()).into_bytes();
        bytes.extend(frame.as_raw());
        bytes
    });
    each.collect()
}

fn write_program(path: &Path, script: &str) {
    std::fs::write(path, format!("#!/bin/sh\n{script}")).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Programs of these names that insist on every argument, and answer from files.
struct Fakes(PathBuf);

impl Fakes {
    fn new(folder: &Path, video: &Path, frames: &[u8]) -> Self {
        let bin = folder.join("bin");
        std::fs::create_dir(&bin).unwrap();
        std::fs::write(folder.join("frames.ppm"), frames).unwrap();
        let fake = Self(bin);
        let probe = "-v error -select_streams v:0 -count_packets -show_entries \
                     stream=nb_read_packets,avg_frame_rate -of default=noprint_wrappers=1 -i";
        fake.write("ffprobe", probe, video, "", "cat \"$0.answer\"");
        let decode = "-v error -nostdin -i";
        let rest = " -map 0:v:0 -fps_mode passthrough -f image2pipe -c:v ppm -pix_fmt rgb24 -";
        fake.write(
            "ffmpeg",
            decode,
            video,
            rest,
            &format!("exec cat '{}'", folder.join("frames.ppm").display()),
        );
        fake.answer("avg_frame_rate=30/1\nnb_read_packets=60\n");
        fake
    }

    fn write(&self, name: &str, before: &str, video: &Path, after: &str, answer: &str) {
        let script = format!(
            "[ \"$*\" = '{before} {}{after}' ] || {{ echo \"asked for $*\" >&2; exit 64; }}\n{answer}\n",
            video.display()
        );
        write_program(&self.0.join(name), &script);
    }

    /// What ffprobe says from now on.
    fn answer(&self, text: &str) {
        std::fs::write(self.0.join("ffprobe.answer"), text).unwrap();
    }

    fn mine(&self, input: &Path, out: &Path) -> Assert {
        let path = format!("{}:{}", self.0.display(), std::env::var("PATH").unwrap());
        let mut command = mine(input, out);
        command.env("PATH", path).assert()
    }
}

fn mine(input: &Path, out: &Path) -> assert_cmd::Command {
    let mut command = assert_cmd::Command::cargo_bin("covista").unwrap();
    command.args(["mine", "video"]).arg(input).arg("--out").arg(out);
    command.args(["--every", "10f", "--json"]);
    command.timeout(std::time::Duration::from_secs(120));
    command
}

/// The pictures of all pairs, and the frames that they are.
fn pairs(set: &Path) -> Vec<([u32; 2], RgbImage, RgbImage)> {
    let set = NativeReader::open(set).unwrap();
    let each = set.entries().map(|entry| {
        let pair = set.pair(&entry.unwrap()).unwrap();
        (pair.origin.views, pair.first.color.clone(), pair.second.color.clone())
    });
    each.collect()
}

fn said(assert: Assert, code: i32) -> String {
    let output = assert.failure().code(code).get_output().clone();
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn frames_of_ffmpeg_are_those_of_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let frames = pan(60);
    std::fs::create_dir(path("frames")).unwrap();
    for (i, frame) in frames.iter().enumerate() {
        frame.save(path("frames").join(format!("{i:03}.png"))).unwrap();
    }
    mine(&path("frames"), &path("expected")).assert().success();
    let expected = pairs(&path("expected"));
    assert!(expected.len() >= 4, "{} pairs", expected.len());

    let video = path("my video.mp4");
    std::fs::write(&video, b"whatever ffmpeg reads").unwrap();
    let fakes = Fakes::new(folder.path(), &video, &ppm(&frames));
    let told = fakes.mine(&video, &path("made")).success();
    let told: Value = serde_json::from_slice(&told.get_output().stdout).unwrap();
    assert_eq!(
        (&told["clips"][0]["frames"], &told["clips"][0]["fps"]),
        (&60.into(), &30.0.into())
    );
    assert!(pairs(&path("made")) == expected);

    // A video that ends before its number of packets: the frames that are there count, the others are told.
    fakes.answer("avg_frame_rate=30/1\nnb_read_packets=90\n");
    let told = fakes.mine(&video, &path("short")).success();
    let text = String::from_utf8_lossy(&told.get_output().stderr).into_owned();
    assert!(text.contains("the video ends before"), "{text}");
    assert!(pairs(&path("short")) == expected);

    // Answers that make no sense.
    fakes.answer("avg_frame_rate=0/0\nnb_read_packets=60\n");
    let text = said(fakes.mine(&video, &path("none")), 3);
    assert!(text.contains("no video stream with a frame rate"), "{text}");
    fakes.answer("avg_frame_rate=30/1\nnb_read_packets=60\n");
    for (bytes, part) in [
        (&ppm(&frames)[..224 * 224 * 3 * 3 / 2], "cut off"),
        (b"<!DOCTYPE><html><body>", "something else than pictures"),
        (b"P6\n99999999 99999999\n255\n", "too large"),
    ] {
        std::fs::write(path("frames.ppm"), bytes).unwrap();
        // What was made before stays, to be continued; so each has an output of its own.
        let text = said(fakes.mine(&video, &path(part)), 3);
        assert!(text.contains(part) && text.contains("my video.mp4"), "{text}");
    }
    // What ffprobe complains of is passed on; its arguments are those that were written down above.
    let other = path("other.mp4");
    std::fs::write(&other, b"x").unwrap();
    let text = said(fakes.mine(&other, &path("none")), 3);
    assert!(
        text.contains("asked for -v error") && text.contains("ffmpeg cannot read"),
        "{text}"
    );
}

#[test]
fn the_real_ffmpeg_gives_the_frames_that_were_put_in() {
    let is_there = |name: &str| {
        let mut asked = Command::new(name);
        asked.arg("-version").stdout(Stdio::null()).stderr(Stdio::null());
        asked.status().is_ok_and(|status| status.success())
    };
    if !is_there("ffmpeg") || !is_there("ffprobe") {
        println!("skipped: ffmpeg is not installed");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let frames = pan(60);
    std::fs::create_dir(path("frames")).unwrap();
    for (i, frame) in frames.iter().enumerate() {
        frame.save(path("frames").join(format!("{i:03}.png"))).unwrap();
    }
    // A codec without loss, so that the frames come back as they were.
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-framerate", "30", "-i"])
        .arg(path("frames").join("%03d.png"))
        .args(["-c:v", "ffv1", "-pix_fmt", "bgr0"])
        .arg(path("pan.mkv"))
        .stdin(Stdio::null())
        .status();
    assert!(made.unwrap().success());
    mine(&path("frames"), &path("expected")).assert().success();
    let told = mine(&path("pan.mkv"), &path("made")).assert().success();
    let told: Value = serde_json::from_slice(&told.get_output().stdout).unwrap();
    assert_eq!(
        (&told["clips"][0]["frames"], &told["clips"][0]["fps"]),
        (&60.into(), &30.0.into())
    );
    assert!(pairs(&path("made")) == pairs(&path("expected")));

    // Half a file: what can be decoded is used, or the end is one clear error.
    let bytes = std::fs::read(path("pan.mkv")).unwrap();
    std::fs::write(path("half.mkv"), &bytes[..bytes.len() / 2]).unwrap();
    let half = mine(&path("half.mkv"), &path("half")).output().unwrap();
    match half.status.code() {
        Some(0) => assert!((1..pairs(&path("expected")).len()).contains(&pairs(&path("half")).len())),
        code => assert_eq!(code, Some(3), "{}", String::from_utf8_lossy(&half.stderr)),
    }
    std::fs::write(path("text.mp4"), b"no video at all").unwrap();
    let text = said(mine(&path("text.mp4"), &path("none")).assert(), 3);
    assert!(text.contains("ffmpeg cannot read this video"), "{text}");
}
