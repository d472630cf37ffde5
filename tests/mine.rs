//! `covista mine` and `covista walk`: pairs of frames and of groups, held against the truth, and input that is bad.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod common;

use std::path::Path;
use std::time::Duration;

use assert_cmd::Command;
use common::tree::tree;
use covista::export::native::NativeReader;
use image::{Rgb, RgbImage};
use serde_json::Value;

fn covista() -> Command {
    let mut command = Command::cargo_bin("covista").unwrap();
    command.timeout(Duration::from_secs(300));
    command
}

/// Runs a command that succeeds and says JSON.
fn told(mut command: Command) -> Value {
    let output = command.arg("--json").assert().success().get_output().stdout.clone();
    serde_json::from_slice(&output).unwrap()
}

fn failure(mut command: Command, code: i32) -> String {
    let output = command.assert().failure().code(code).get_output().stderr.clone();
    String::from_utf8(output).unwrap()
}

/// A wide wall with discs of all sizes.
fn wide_wall() -> RgbImage {
    let mut wall = RgbImage::from_pixel(1400, 224, Rgb([120; 3]));
    let mut rng = covista::rng::Rng::stream(4, "mine test", &[]);
    for _ in 0..2600 {
        let (cx, cy, r) = (rng.below(1400) as i64, rng.below(224) as i64, 2 + rng.below(10) as i64);
        let color = Rgb([0; 3].map(|_: u8| rng.below(256) as u8));
        for y in (cy - r).max(0)..(cy + r + 1).min(224) {
            for x in (cx - r).max(0)..(cx + r + 1).min(1400) {
                if (x - cx).pow(2) + (y - cy).pow(2) <= r * r {
                    wall.put_pixel(x as u32, y as u32, color);
                }
            }
        }
    }
    wall
}

/// Frames that pan over the wall by `step` pixels each, named so that the order of letters is wrong.
fn write_pan(folder: &Path, frames: u32, step: u32) {
    std::fs::create_dir_all(folder).unwrap();
    let wall = wide_wall();
    for i in 0..frames {
        let frame = image::imageops::crop_imm(&wall, i * step, 0, 224, 224).to_image();
        frame.save(folder.join(format!("Bild {i} é.png"))).unwrap();
    }
}

fn mine(kind: &str, input: &Path, out: &Path, args: &[&str]) -> Command {
    let mut command = covista();
    command.args(["mine", kind]).arg(input).arg("--out").arg(out).args(args);
    command
}

/// Frame numbers of each pair.
fn frames_of(set: &Path) -> Vec<[u32; 2]> {
    let set = NativeReader::open(set).unwrap();
    set.pairs().map(|pair| pair.unwrap().origin.views).collect()
}

/// The overlap of each pair, smaller direction.
fn overlaps(set: &Path) -> Vec<f64> {
    let set = NativeReader::open(set).unwrap();
    let all = set.pairs().map(|pair| pair.unwrap().overlaps.homography.unwrap().min());
    all.collect()
}

#[test]
fn a_pan_is_paired_at_the_interval_that_its_speed_asks_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let frames = path("a pan");
    // 7 px a frame: 35 px are five frames, which share too much, so the second next is taken: 70 px, 69 %.
    write_pan(&frames, 150, 7);
    let counted = told(mine("video", &frames, &path("set"), &[]));
    assert_eq!(counted["clips"][0]["speed"]["interval_frames"], 5);
    let speed = counted["clips"][0]["speed"]["displacement_px_per_frame"]
        .as_f64()
        .unwrap();
    assert!((speed - 7.0).abs() < 0.1, "{speed}");
    let pairs = frames_of(&path("set"));
    assert!(pairs.len() >= 12, "{pairs:?}");
    assert!(pairs.iter().all(|[a, b]| b - a == 10 && a % 10 == 0), "{pairs:?}");
    let set = NativeReader::open(&path("set")).unwrap();
    for pair in set.pairs() {
        let pair = pair.unwrap();
        let overlap = pair.overlaps.homography.unwrap().min();
        assert!(overlap > 0.5 && overlap < 0.75, "{overlap}");
        assert!(!pair.first.has_geometry() && pair.overlaps.covisibility.is_none());
        assert_eq!(pair.first.color.dimensions(), (224, 224));
        assert!(pair.correspondence.patches.len() > 98);
    }
    // The page of the set can be made.
    covista().arg("report").arg(path("set")).assert().success();
    let _ = std::fs::remove_file(path("set").join("report.html"));

    // The frame between is passed over.
    assert!(pairs.windows(2).all(|w| w[1][0] - w[0][0] >= 10), "{pairs:?}");
    // At twice the interval the next frame is in range at once.
    let counted = told(mine("video", &frames, &path("twice"), &["--every", "10f"]));
    assert!(frames_of(&path("twice")) == pairs && counted["refused"].as_object().unwrap().is_empty());

    // The same bytes with one thread, and of a run that was continued.
    let mut again = mine("video", &frames, &path("again"), &["--json"]);
    again.env("RAYON_NUM_THREADS", "1").assert().success();
    assert!(tree(&path("set")) == tree(&path("again")));
    let said = failure(mine("video", &frames, &path("again"), &[]), 5);
    assert!(said.contains("--overwrite"), "{said}");
    mine("video", &frames, &path("again"), &["--resume"]).assert().success();
    mine("video", &frames, &path("again"), &["--overwrite"])
        .assert()
        .success();
    assert!(tree(&path("set")) == tree(&path("again")));
    // What this program did not write is not replaced.
    failure(mine("video", &frames, folder.path(), &["--overwrite"]), 5);
    assert!(frames.is_dir());
    // The tree of the released sets beside the native one; what needs poses is refused.
    let formats = ["--every", "10f", "--format", "native,mimic,webdataset"];
    mine("video", &frames, &path("formats"), &formats).assert().success();
    let list = std::fs::read_to_string(path("formats").join("mimic/pairs.csv")).unwrap();
    assert_eq!(list.lines().count(), 1 + pairs.len());
    let said = failure(mine("video", &frames, &path("poses"), &["--format", "colmap"]), 5);
    assert!(said.contains("not known"), "{said}");

    // The released scripts' variants.
    let rule = |name: &str, out: &str, args: &[&str]| {
        let mut command = mine("video", &frames, &path(out), &["--rule", name]);
        command.args(args);
        told(command);
        frames_of(&path(out))
    };
    let co3d = rule("co3d", "co3d", &["--every", "10f"]);
    assert!(
        co3d.iter().all(|[a, b]| b - a == 10 && a % 20 == 0) && co3d.len() >= 5,
        "{co3d:?}"
    );
    let mannequin = rule("mannequin", "mannequin", &["--fps", "10"]);
    assert!(mannequin.iter().all(|[a, b]| b - a == 10), "{mannequin:?}");
    // 49 frames of 7 px never overlap, so the window keeps nothing.
    let nothing = failure(mine("video", &frames, &path("scannet"), &["--rule", "scannet"]), 3);
    assert!(nothing.contains("no pair"), "{nothing}");
    let short = failure(
        mine("video", &frames, &path("arkit"), &["--rule", "arkit", "--fps", "60"]),
        3,
    );
    assert!(short.contains("no pair among 0"), "{short}");
    let rate = failure(mine("video", &frames, &path("rate"), &["--every", "1s"]), 2);
    assert!(rate.contains("--fps"), "{rate}");
}

#[test]
fn windows_keep_their_smallest_overlap_in_range() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    // 2 px a frame: frame 0 and frame 50 share 55 %.
    write_pan(&path("slow"), 130, 2);
    told(mine("video", &path("slow"), &path("set"), &["--rule", "scannet"]));
    let pairs = frames_of(&path("set"));
    assert_eq!(pairs.len(), 2, "two whole windows of 60: {pairs:?}");
    for (window, [a, b]) in (0..).zip(pairs) {
        assert!((60 * window..60 * window + 10).contains(&a) && (60 * window + 49..60 * window + 59).contains(&b));
        let overlap = overlaps(&path("set"))[window as usize];
        assert!(overlap > 0.5 && overlap < 0.6, "{a} {b}: {overlap}");
    }
}

#[test]
fn groups_keep_the_smallest_or_all_in_range() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let wall = wide_wall();
    // Two targets in folders of two days; the shifts within a target are 64, 80 and 144 px, in the other 16 px.
    for (day, target, name, x) in [
        ("1", 12, 1, 0),
        ("2", 12, 2, 64),
        ("1", 12, 10, 144),
        ("2", 3, 4, 600),
        ("1", 3, 5, 616),
        ("1", 99, 6, 900),
    ] {
        std::fs::create_dir_all(path("views").join(day)).unwrap();
        let picture = image::imageops::crop_imm(&wall, x, 0, 224, 224).to_image();
        picture
            .save(path("views").join(format!("{day}/{name} target={target:04}.png")))
            .unwrap();
    }
    std::fs::write(path("views").join("no key.png"), b"not looked at").unwrap();
    let key = ["--key", r"target=(\d+)"];
    let run = |rule: &str, out: &str| {
        let mut command = mine("groups", &path("views"), &path(out), &key);
        command.args(["--rule", rule]);
        told(command)
    };
    let paper = run("paper", "paper");
    assert_eq!(
        (&paper["pairs"], &paper["alone"], &paper["without_key"]),
        (&1.into(), &1.into(), &1.into())
    );
    // 71 % is above the paper's range and within the released one.
    assert_eq!(paper["refused"]["overlap_high"], 2);
    let released = run("released", "released");
    assert_eq!(
        (&released["pairs"], &released["refused"]["overlap_high"]),
        (&2.into(), &1.into())
    );
    let (smallest, all) = (overlaps(&path("paper")), overlaps(&path("released")));
    assert!(all[0] < all[1] && smallest[0] == all[0], "{smallest:?} {all:?}");

    let said = failure(mine("groups", &path("views"), &path("none"), &["--key", "(z+)"]), 3);
    assert!(said.contains("share a key"), "{said}");
    let said = failure(mine("groups", &path("views"), &path("none"), &["--key", "("]), 2);
    assert!(said.contains("regex"), "{said}");
    let large = failure(
        mine(
            "groups",
            &path("views"),
            &path("large"),
            &["--key", "target", "--max-group", "4"],
        ),
        3,
    );
    assert!(large.contains("no pair"), "{large}");
}

#[test]
fn walks_and_orbits_give_both_miners_a_truth() {
    if common::gpu().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let walk = |out: &str, args: &[&str]| {
        let mut command = covista();
        command
            .args(["walk", "--scene", "procedural:3", "--seed", "5", "--out"])
            .arg(path(out))
            .args(args);
        command
    };
    walk("frames", &["--frames", "120"]).assert().success();
    // The same seed, the same walk.
    walk("short", &["--frames", "12"]).assert().success();
    walk("shorter", &["--frames", "6"]).assert().success();
    let (short, shorter) = (tree(&path("short")), tree(&path("shorter")));
    let frames = shorter.iter().filter(|(name, _)| *name != "cameras.json");
    assert!(frames.clone().count() == 12 && frames.clone().all(|(name, bytes)| short[name] == *bytes));
    let mined = told(mine("video", &path("frames"), &path("set"), &["--truth"]));
    let truth = &mined["truth"];
    let told_candidates = truth["candidates"].as_u64().unwrap();
    assert!(mined["pairs"].as_u64().unwrap() >= 1, "{mined}");
    assert_eq!(mined["clips"][0]["fps"], 30.0);
    assert!(truth["candidates"].as_u64() >= truth["passed"].as_u64(), "{mined}");
    let set = NativeReader::open(&path("set")).unwrap();
    let pair = set.pairs().next().unwrap().unwrap();
    assert!(pair.first.has_geometry() && pair.overlaps.covisibility.unwrap().min() > 0.1);
    // A smooth path: neighbouring frames are a step apart and turn by no more than the fastest turn.
    let cameras: Value = serde_json::from_slice(&std::fs::read(path("frames").join("cameras.json")).unwrap()).unwrap();
    let poses = cameras["world_from_camera"].as_array().unwrap();
    let number = |pose: &Value, place: usize| pose[place].as_f64().unwrap();
    for pair in poses.windows(2) {
        let moved: f64 = [3, 7, 11]
            .map(|i| (number(&pair[1], i) - number(&pair[0], i)).powi(2))
            .iter()
            .sum();
        let cos: f64 = [2, 6, 10]
            .map(|i| number(&pair[1], i) * number(&pair[0], i))
            .iter()
            .sum();
        assert!(
            moved.sqrt() < 0.05 && cos.clamp(-1.0, 1.0).acos().to_degrees() < 2.1,
            "{moved} {cos}"
        );
    }
    let length: f64 = poses
        .windows(2)
        .map(|p| {
            [3, 11]
                .map(|i| (number(&p[1], i) - number(&p[0], i)).powi(2))
                .iter()
                .sum::<f64>()
                .sqrt()
        })
        .sum();
    assert!(length > 0.5, "it walks: {length} m");

    walk("orbits", &["--orbit", "3", "--views", "4"]).assert().success();
    let orbits = mine(
        "groups",
        &path("orbits"),
        &path("groups"),
        &["--key", r"target-(\d+)", "--truth"],
    );
    let output = { orbits }.arg("--json").output().unwrap();
    let mined: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(mined["truth"]["candidates"].as_u64().unwrap() >= 3, "{mined}");

    // Every candidate by every definition, for `covista validate`.
    let judged = path("judged");
    let validate = ["--truth", "--validate", judged.to_str().unwrap(), "--json"];
    mine("video", &path("frames"), &path("again"), &validate)
        .assert()
        .success();
    covista()
        .args(["validate", "--json", "--from"])
        .arg(&judged)
        .assert()
        .success();
    assert!(judged.join("report.html").is_file());
    let lines = std::fs::read_to_string(judged.join("pairs.csv"))
        .unwrap()
        .lines()
        .count() as u64;
    assert_eq!(lines, 1 + told_candidates, "a line a candidate");

    // Frames without depth have no truth.
    write_pan(&path("plain"), 3, 7);
    let said = failure(mine("video", &path("plain"), &path("none"), &["--truth"]), 2);
    assert!(said.contains("covista walk"), "{said}");
}

#[test]
fn bad_pictures_are_named_counted_and_skipped() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let frames = path("mixed");
    write_pan(&frames, 12, 70);
    let name = |i: u32| frames.join(format!("Bild {i} é.png"));
    // A truncated PNG, a JPEG cut in the middle, text, a folder that is called like a picture, another size.
    let whole = std::fs::read(name(2)).unwrap();
    std::fs::write(name(2), &whole[..whole.len() / 2]).unwrap();
    let picture = image::open(name(5)).unwrap();
    let jpeg = frames.join("Bild 5 é.jpg");
    std::fs::remove_file(name(5)).unwrap();
    picture.save(&jpeg).unwrap();
    let bytes = std::fs::read(&jpeg).unwrap();
    std::fs::write(&jpeg, &bytes[..bytes.len() * 3 / 4]).unwrap();
    std::fs::write(name(8), "no picture").unwrap();
    std::fs::create_dir(frames.join("Bild 6b.png")).unwrap();
    let large = image::open(name(10))
        .unwrap()
        .resize_exact(500, 300, image::imageops::FilterType::CatmullRom);
    large.save(name(10)).unwrap();

    let args = ["--every", "1f"];
    let mut command = mine("video", &frames, &path("set"), &args);
    let output = command.arg("--json").assert().success().get_output().clone();
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(told["unreadable"]["count"], 3, "{told}");
    for (part, why) in [
        ("Bild 2 é.png", "decode"),
        ("Bild 5 é.jpg", "ends before"),
        ("Bild 8 é.png", "decode"),
    ] {
        assert!(said.contains(part), "{said}");
        let files = told["unreadable"]["files"].as_array().unwrap();
        let named = files
            .iter()
            .filter_map(Value::as_str)
            .find(|file| file.contains(part))
            .unwrap();
        assert!(named.contains(why) || named.contains("not a picture"), "{named}");
    }
    let pairs = frames_of(&path("set"));
    assert!(
        pairs.contains(&[0, 1]) && pairs.contains(&[3, 4]) && pairs.contains(&[9, 10]),
        "{pairs:?}"
    );
    assert!(
        pairs.iter().all(|pair| pair.iter().all(|i| ![2, 5, 8].contains(i))),
        "{pairs:?}"
    );
    let strict = failure(
        mine("video", &frames, &path("strict"), &["--every", "1f", "--strict"]),
        3,
    );
    assert!(strict.contains("3 pictures could not be read"), "{strict}");
    // What could be made is there and whole.
    assert_eq!(NativeReader::open(&path("strict")).unwrap().len(), pairs.len());

    std::fs::create_dir(path("empty")).unwrap();
    let said = failure(mine("video", &path("empty"), &path("none"), &[]), 3);
    assert!(said.contains("holds no picture"), "{said}");
    let said = failure(mine("video", &path("absent"), &path("none"), &[]), 3);
    assert!(said.contains("absent"), "{said}");
    let mut without = mine("video", &name(0), &path("none"), &[]);
    without.env("PATH", "/nowhere");
    let said = failure(without, 3);
    assert!(
        said.contains("ffprobe is not installed") && said.contains("apt-get install ffmpeg"),
        "{said}"
    );
}

/// A JPEG with an orientation, and one in CMYK, as other programs write them.
#[test]
fn orientation_and_cmyk_are_understood() {
    let folder = tempfile::tempdir().unwrap();
    // Left half red, right half blue.
    let picture = RgbImage::from_fn(64, 32, |x, _| if x < 32 { Rgb([250, 5, 5]) } else { Rgb([5, 5, 250]) });
    let mut jpeg = std::io::Cursor::new(Vec::new());
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut jpeg, 95)
        .encode_image(&picture)
        .unwrap();
    let jpeg = jpeg.into_inner();
    // Exif: big-endian TIFF with one entry, orientation 6: turn a quarter to the right.
    let tiff = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let mut turned = jpeg[..2].to_vec();
    turned.extend_from_slice(&[0xFF, 0xE1]);
    turned.extend_from_slice(&((2 + 6 + tiff.len()) as u16).to_be_bytes());
    turned.extend_from_slice(b"Exif\0\0");
    turned.extend_from_slice(tiff);
    turned.extend_from_slice(&jpeg[2..]);
    let file = folder.path().join("turned.jpg");
    std::fs::write(&file, turned).unwrap();
    let read = covista::mine::read_picture(&file).unwrap();
    assert_eq!(read.dimensions(), (32, 64));
    let (top, bottom) = (read.get_pixel(16, 8), read.get_pixel(16, 56));
    assert!(
        top.0[0] > 200 && top.0[2] < 60 && bottom.0[2] > 200 && bottom.0[0] < 60,
        "{top:?} {bottom:?}"
    );

    let cmyk = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/cmyk.jpg");
    let read = covista::mine::read_picture(&cmyk).unwrap();
    let (left, right) = (read.get_pixel(8, 8), read.get_pixel(24, 8));
    assert!(left.0[0] > 180 && left.0[2] < 90, "{left:?}");
    assert!(right.0[2] > 150 && right.0[0] < 90, "{right:?}");
}

/// Thousands of files: what is held grows with their names, not with their pixels.
#[cfg(target_os = "linux")]
#[test]
fn thousands_of_pictures_are_held_a_few_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let frames = folder.path().join("many");
    write_pan(&frames, 40, 7);
    let peak = |out: &str, every: &str| {
        let (mut command, out) = (std::process::Command::new("/usr/bin/env"), folder.path().join(out));
        command.args(["bash", "-c", r#""$0" "$@" >/dev/null & pid=$!; peak=0
            while read -r _ kb _ < <(grep VmHWM /proc/$pid/status 2>/dev/null); do [ -n "$kb" ] && peak=$kb; sleep 0.02; done
            wait $pid; echo $peak"#]);
        // Every thread has planes of its own.
        command.env("RAYON_NUM_THREADS", "2");
        command
            .arg(assert_cmd::cargo::cargo_bin("covista"))
            .args(["mine", "video"])
            .arg(&frames);
        command.args(["--every", every]).arg("--out").arg(out);
        let said = command.output().unwrap();
        String::from_utf8(said.stdout).unwrap().trim().parse::<u64>().unwrap()
    };
    let few = peak("few", "10f");
    // Links cost no space and are files like others to whoever reads them: 4000 frames.
    for i in 40..4000u32 {
        let from = frames.join(format!("Bild {} é.png", i % 40));
        std::fs::hard_link(from, frames.join(format!("Bild {i} é.png"))).unwrap();
    }
    let many = peak("more", "40f");
    // All frames at once would be 600 MB. The peak of a short run may fall between two looks.
    assert!(
        few > 0 && many < few.max(60_000) + 40_000,
        "{few} kB for 40 frames, {many} kB for 4000"
    );
}

/// A disk that fills: what is complete stays valid, the error says what is missing, and the run can be continued.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_leaves_whole_pairs_and_says_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    write_pan(&path("frames"), 120, 7);
    let args = ["--every", "10f", "--json"];
    mine("video", &path("frames"), &path("whole"), &args).assert().success();
    let pairs = NativeReader::open(&path("whole")).unwrap().len();
    std::fs::create_dir(path("small")).unwrap();
    // Half of what the whole set takes.
    let half = tree(&path("whole")).values().map(Vec::len).sum::<usize>() / 2;
    let script = r#"mount -t tmpfs -o size="$3" none "$1/small" || exit 77
        "$2" mine video "$1/frames" --every 10f --out "$1/small/set"; code=$?
        cp -r "$1/small/set" "$1/rest"; exit $code"#;
    let mut command = std::process::Command::new("unshare");
    command
        .args(["--mount", "bash", "-c", script, "full"])
        .arg(folder.path());
    let output = command
        .arg(assert_cmd::cargo::cargo_bin("covista"))
        .arg(half.to_string())
        .output();
    let output = match output {
        Ok(output) if ![Some(77), Some(1)].contains(&output.status.code()) => output,
        _ => {
            println!("skipped: no private mount here");
            return;
        }
    };
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(5), "{said}");
    assert!(
        said.contains("the disk is full") && said.contains("are missing") && said.contains("pairs are complete"),
        "{said}"
    );
    let rest = NativeReader::open(&path("rest")).unwrap();
    assert!(
        !rest.is_finished() && (1..pairs).contains(&rest.len()),
        "{} of {pairs}",
        rest.len()
    );
    assert_eq!(rest.pairs().map(Result::unwrap).count(), rest.len());
    mine("video", &path("frames"), &path("rest"), &["--every", "10f", "--resume"])
        .assert()
        .success();
    assert!(tree(&path("whole")) == tree(&path("rest")));
}
