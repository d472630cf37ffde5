//! The page holds what the set holds, whole and by itself, also with nothing to show.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod synthetic;

use covista::export::native::{NativeReader, NativeWriter, TopDown};
use covista::report::{PageInput, Reconstruction, TrainingCurve, render_page, write_page};
use image::{Rgb, RgbImage};
use synthetic::{SCENE, SIZE, pair, run, trial};

/// A set of `kept` pairs, every third position refused.
fn set(dir: &std::path::Path, kept: u64) -> NativeReader {
    let mut writer = NativeWriter::create(dir, &run(5)).unwrap();
    let image = RgbImage::from_fn(100, 120, |x, y| {
        let furniture = (20..45).contains(&x) && (30..60).contains(&y);
        let wall = x < 3 || y < 3 || x > 96 || y > 116;
        Rgb(if wall || furniture { [120; 3] } else { [230; 3] })
    });
    let topdown = TopDown {
        image,
        min_x: -2.5,
        min_z: -3.0,
        metres_per_pixel: 0.05,
    };
    writer.set_topdown(SCENE, &topdown).unwrap();
    let mut index = 0;
    while writer.pairs() < kept as usize {
        match index % 3 {
            1 => writer.write_refusal(&trial(index), "no_candidate_in_range").unwrap(),
            _ => {
                writer.write_pair(&trial(index), &pair(index)).unwrap();
            }
        }
        index += 1;
    }
    writer.finish().unwrap();
    NativeReader::open(dir).unwrap()
}

fn count(page: &str, what: &str) -> usize {
    page.matches(what).count()
}

fn training() -> TrainingCurve {
    let losses = (0..300u64).map(|step| {
        let noise = ((step * 7919) % 101) as f64 / 101.0 - 0.5;
        (step, 0.45 + 0.7 * (-(step as f64) / 60.0).exp() + 0.08 * noise)
    });
    let views = pair(2);
    let masked = RgbImage::from_fn(SIZE, SIZE, |x, y| match (x / 16 * 5 + y / 16 * 3) % 7 {
        0 => *views.first.color.get_pixel(x, y),
        _ => Rgb([127; 3]),
    });
    TrainingCurve {
        model: "CroCo tiny".into(),
        device: "flex (CPU)".into(),
        losses: losses.collect(),
        pairs_per_s: 41.3,
        data_wait: 0.072,
        reconstructions: vec![Reconstruction {
            masked,
            reference: views.second.color.clone(),
            completed: image::imageops::blur(&views.first.color, 2.0),
            target: views.first.color.clone(),
        }],
    }
}

/// Nothing may be fetched: every address is a data address or an anchor of the page.
fn assert_self_contained(page: &str) {
    for attribute in ["src=\"", "href=\"", "url("] {
        for address in page.split(attribute).skip(1) {
            assert!(
                address.starts_with("data:image/"),
                "{}",
                &address[..40.min(address.len())]
            );
        }
    }
    assert!(!page.contains("http://") && !page.contains("https://") && !page.contains("@import"));
}

#[test]
fn the_page_shows_every_pair_with_its_numbers() {
    let dir = tempfile::tempdir().unwrap();
    let set = set(&dir.path().join("set"), 6);
    let input = PageInput::read(&set, 200).unwrap();
    let page = render_page(&input).unwrap();
    assert_self_contained(&page);
    assert_eq!(count(&page, "<article class=\"pair\""), 6);
    // Two views and two depths a pair; four overlays that say nothing on their own.
    assert_eq!(count(&page, "alt=\"First view of pair"), 6);
    assert_eq!(count(&page, "alt=\"Second view of pair"), 6);
    assert_eq!(count(&page, "alt=\"Depth of the"), 12);
    assert_eq!(count(&page, "class=\"overlay "), 24);
    let pictures = count(&page, "<img ");
    assert_eq!(
        count(&page, "<img ") - count(&page, "alt=\""),
        0,
        "{pictures} pictures all have alt texts"
    );
    assert_eq!(count(&page, "<figure class=\"plot\""), 4);
    assert_eq!(count(&page, "<figure class=\"map\""), 1);
    assert_eq!(count(&page, "class=\"decides\""), 6);
    // Three dots a kept position are not there: the trials have two stops each.
    assert_eq!(count(&page, "class=\"stop-kept\""), 12);
    assert_eq!(count(&page, "class=\"wedge-first\""), 6);
    let first = pair(0);
    let overlap = first.overlaps.homography.unwrap().min();
    assert!(page.contains(&format!("<td>{:.1} %</td>", 100.0 * overlap)));
    let truth: Vec<_> = first
        .true_correspondence
        .patches
        .iter()
        .map(|(a, b)| format!("{a}-{b}"))
        .collect();
    assert!(page.contains(&format!("data-true=\"{}\"", truth.join(" "))));
    assert!(page.contains("no candidate in range"));
    assert!(page.contains(&run(5).config_hash[..12]));
    assert!(!page.contains("has not ended") && !page.contains("id=\"training\""));
}

#[test]
fn many_pairs_are_thinned_evenly_and_the_page_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let set = set(&dir.path().join("set"), 9);
    let input = PageInput::read(&set, 3).unwrap();
    let folders: Vec<_> = input.pairs.iter().map(|p| p.folder.as_str()).collect();
    assert_eq!(folders, ["000000", "000004", "000008"]);
    let page = render_page(&input).unwrap();
    assert!(page.contains("3 of 9 pairs, evenly spread"));
    assert!(page.contains("Overlap of the 9 kept pairs"));
    assert_eq!(count(&page, "<article class=\"pair\""), 3);
}

#[test]
fn an_empty_set_and_an_unfinished_one_have_pages_too() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("set");
    let mut writer = NativeWriter::create(&folder, &run(5)).unwrap();
    let empty = render_page(&PageInput::read(&NativeReader::open(&folder).unwrap(), 200).unwrap()).unwrap();
    assert!(empty.contains("No pair was kept") && empty.contains("No position has been tried"));
    assert!(empty.contains("has not ended"));
    writer.write_refusal(&trial(0), "island too small").unwrap();
    writer.finish().unwrap();
    let refused = render_page(&PageInput::read(&NativeReader::open(&folder).unwrap(), 200).unwrap()).unwrap();
    assert!(refused.contains("The refusals above say why") && refused.contains("island too small"));
    assert!(!refused.contains("has not ended") && !refused.contains("NaN"));
    assert_eq!(count(&refused, "<article"), 0);
    assert_self_contained(&refused);
}

#[test]
fn training_has_its_section() {
    let dir = tempfile::tempdir().unwrap();
    let mut input = PageInput::read(&set(&dir.path().join("set"), 2), 200).unwrap();
    input.training = Some(training());
    let page = render_page(&input).unwrap();
    assert!(page.contains("id=\"training\"") && page.contains("7.2 %") && page.contains("41.3"));
    assert_eq!(count(&page, "class=\"loss-mean\""), 1);
    assert_eq!(count(&page, "class=\"recon\""), 1);
}

#[test]
fn names_cannot_break_the_page() {
    let dir = tempfile::tempdir().unwrap();
    let mut input = PageInput::read(&set(&dir.path().join("set"), 1), 200).unwrap();
    let odd = "<script>alert(1)</script>\" onload=\"x";
    input.location = odd.into();
    input.run.scenes[0].name = odd.into();
    input.pairs[0].pair.origin.scene = odd.into();
    for record in &mut input.trials {
        record.trial.scene = odd.into();
    }
    let page = render_page(&input).unwrap();
    assert!(!page.contains("<script>alert") && !page.contains("\" onload"));
}

#[test]
fn the_command_writes_the_page_and_names_damage() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("a set");
    set(&folder, 4);
    let covista = || assert_cmd::Command::cargo_bin("covista").unwrap();
    let output = covista().args(["report", "--json"]).arg(&folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((said["pairs"].as_u64(), said["shown"].as_u64()), (Some(4), Some(4)));
    let page = std::fs::read_to_string(folder.join("report.html")).unwrap();
    assert_eq!(count(&page, "<article class=\"pair\""), 4);

    std::fs::write(folder.join("000002/second.png"), b"").unwrap();
    let output = covista().arg("report").arg(&folder).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && error.contains("000002/second.png"),
        "{error}"
    );
    assert_eq!(error.lines().count(), 1, "{error}");
}

/// Writes the page that one looks at: `COVISTA_SAMPLE_PAGE=/tmp/page.html cargo test ... sample`.
#[test]
fn a_sample_page_is_written_whole() {
    let dir = tempfile::tempdir().unwrap();
    let mut input = PageInput::read(&set(&dir.path().join("set"), 12), 200).unwrap();
    input.training = Some(training());
    let path = match std::env::var_os("COVISTA_SAMPLE_PAGE") {
        Some(path) => path.into(),
        None => dir.path().join("page.html"),
    };
    write_page(&input, &path).unwrap();
    let page = std::fs::read_to_string(&path).unwrap();
    assert!(page.starts_with("<!doctype html>") && page.trim_end().ends_with("</html>"));
    assert!(page.len() < 1_500_000, "{} bytes for 12 small pairs", page.len());
}
