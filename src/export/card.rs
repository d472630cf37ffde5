//! The dataset card: `README.md` with the YAML head that Hugging Face reads.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::native::{NativeReader, RunRecord};
use super::{DepthFormat, ExportOptions, Format, json};
use crate::view::{Measure, PairOverlaps};

/// Scenes that are listed one by one.
const LISTED_SCENES: usize = 50;

/// The spread of the overlaps that selected the pairs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Overlaps {
    measure: Measure,
    pairs: u64,
    sum: f64,
    low: f64,
    high: f64,
}

impl Overlaps {
    pub(super) fn of(measure: Measure) -> Self {
        Self {
            measure,
            pairs: 0,
            sum: 0.0,
            low: f64::INFINITY,
            high: f64::NEG_INFINITY,
        }
    }

    pub(super) fn add(&mut self, overlaps: &PairOverlaps) {
        if let Some(overlap) = self.measure.of(overlaps).map(|o| o.min()) {
            self.pairs += 1;
            self.sum += overlap;
            self.low = self.low.min(overlap);
            self.high = self.high.max(overlap);
        }
    }

    fn sentence(&self) -> String {
        let title = self.measure.title();
        match self.pairs {
            0 => format!("no pair was measured by {title}"),
            n => format!(
                "{title}: mean {:.3}, from {:.3} to {:.3}",
                self.sum / n as f64,
                self.low,
                self.high
            ),
        }
    }
}

/// The card of a folder with these formats.
pub(super) fn card(set: &NativeReader, formats: &[Format], options: &ExportOptions, overlaps: &Overlaps) -> String {
    let run = set.run();
    let mut out = head(set, formats, options);
    let counters = set.counters();
    let several = formats.len() > 1;
    let _ = writeln!(out, "\n# {}\n", options.dataset);
    let _ = writeln!(
        out,
        "Co-visible pairs of views of indoor scenes, made by Covista {}.\n",
        run.covista_version
    );
    let unfinished = if set.is_finished() {
        ""
    } else {
        " (the run had not ended)"
    };
    let _ = writeln!(out, "| | |\n|---|---|");
    let _ = writeln!(out, "| pairs | {}{unfinished} |", counters.pairs);
    let _ = writeln!(
        out,
        "| positions tried | {} (yield {:.3}) |",
        counters.positions,
        counters.yield_fraction()
    );
    let _ = writeln!(out, "| scenes | {} |", run.scenes.len());
    let _ = writeln!(
        out,
        "| kept by | {} in {}..{} |",
        run.selection.measure.title(),
        run.selection.low,
        run.selection.high
    );
    let _ = writeln!(out, "| overlap | {} |", overlaps.sentence());
    let _ = writeln!(out, "| seed | {} |", run.seed);
    let _ = writeln!(out, "| profile | {} |", run.profile);
    let _ = writeln!(out, "| configuration hash (BLAKE3) | `{}` |", run.config_hash);
    let _ = writeln!(out, "| adapter | {} |", set.adapters().join("; "));

    let _ = writeln!(out, "\n## Layout\n");
    for format in formats {
        let place = if several {
            format!("`{format}/`: ")
        } else {
            String::new()
        };
        let _ = writeln!(out, "- {place}{}", layout(*format, options));
    }
    out += "\nDepth is z along the optical axis in metres, 0 where nothing was hit. Cameras have OpenCV axes (x right, y \
            down, z forward), the world is metres with Y up, and pixel centres lie at +0.5 unless the layout above says \
            otherwise.\n";
    out += &scenes(set, options);
    let _ = writeln!(
        out,
        "\n## How it was made\n\nThe same scenes, configuration and seed give the same set again. Resolved \
         configuration:\n\n```json\n{}```",
        json::pretty(&run.config)
    );
    out
}

fn head(set: &NativeReader, formats: &[Format], options: &ExportOptions) -> String {
    let mut out = String::from("---\n");
    let _ = writeln!(out, "pretty_name: {}", quoted(&options.dataset));
    match &options.scene_license {
        Some(text) if is_license_id(text) => {
            let _ = writeln!(out, "license: {text}");
        }
        Some(text) => {
            let _ = writeln!(out, "license: other\nlicense_name: {}", quoted(text));
        }
        None if set
            .run()
            .scenes
            .iter()
            .all(|scene| terms_of(&scene.name) == Terms::Invented) =>
        {
            out += "license: unknown\n";
        }
        None => out += "license: other\nlicense_name: terms-of-the-source-scenes\n",
    }
    out += "task_categories:\n- image-feature-extraction\n";
    if has_depth(formats, options) {
        out += "- depth-estimation\n";
    }
    let _ = writeln!(out, "size_categories:\n- {}", size_category(set.len()));
    out += "tags:\n- covista\n- cross-view-completion\n- image-correspondence\n- multi-view\n- indoor\n- synthetic\n";
    // `datasets` reads a folder by one of its builders only, so one format is named.
    let order = [
        (Format::Parquet, "data/train-*.parquet"),
        (Format::Webdataset, "shard-*.tar"),
    ];
    if let Some((format, path)) = order.into_iter().find(|(format, _)| formats.contains(format)) {
        let folder = match formats.len() {
            1 => String::new(),
            _ => format!("{format}/"),
        };
        let path = quoted(&format!("{folder}{path}"));
        let _ = writeln!(
            out,
            "configs:\n- config_name: default\n  data_files:\n  - split: train\n    path: {path}"
        );
    }
    out += "---\n";
    out
}

/// JSON's strings are YAML's too.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// What Hugging Face's list of licences looks like: `cc-by-4.0`, `mit`, ...
fn is_license_id(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
    !text.is_empty() && text.chars().all(plain)
}

fn size_category(pairs: usize) -> &'static str {
    match pairs {
        0..1_000 => "n<1K",
        1_000..10_000 => "1K<n<10K",
        10_000..100_000 => "10K<n<100K",
        100_000..1_000_000 => "100K<n<1M",
        1_000_000..10_000_000 => "1M<n<10M",
        _ => "10M<n<100M",
    }
}

fn has_depth(formats: &[Format], options: &ExportOptions) -> bool {
    formats.iter().any(|format| match format {
        Format::Mimic | Format::Colmap => false,
        Format::Croco | Format::Dust3r => options.depth != DepthFormat::None,
        _ => true,
    })
}

fn layout(format: Format, options: &ExportOptions) -> String {
    let depth = match options.depth {
        DepthFormat::Exr => "`*_depth.exr` (16-bit float)",
        DepthFormat::Exr32 => "`*_depth.exr` (32-bit float)",
        DepthFormat::Npy => "`*_depth.npy` (float32)",
        DepthFormat::None => "no depth",
    };
    match format {
        Format::Native => "one folder a pair (`first.png`, `second.png` or JPEG, `*.depth.npy`, `pair.json`) and `manifest.json` with every \
             file's hash; read by `covista report`, `covista export`, `covista show`."
            .into(),
        Format::Mimic => format!(
            "MIMIC's tree: `pairs.csv` (path1, path2, correspondence), `{}/<scene>/<position>/0000.jpg`, `0001.jpg`, \
             `corresponding.npy` (a pickled dict, patch of the first view to patch of the second).",
            super::scene_folders::folder_name(&options.dataset)
        ),
        Format::Croco => format!(
            "CroCo's tree: `pairs.txt`, `<scene>/%08d_1.jpeg`, `_2.jpeg`, `*_camera_params.json` (pixel centres at \
             **integers**: cx and cy are half a pixel less), {depth}, `metadata.json` with poses in Habitat's axes."
        ),
        Format::Dust3r => format!(
            "DUSt3R's tree: `<scene>/%08d_1.jpeg`, `_2.jpeg`, `*_camera_params.json` (pixel centres at **integers**: \
             cx and cy are half a pixel less), {depth}, `metadata.json` with `view_batches`."
        ),
        Format::Webdataset => format!(
            "WebDataset: `shard-*.tar` of up to {} pairs (`first.png`, `second.png` or JPEG, `*.depth.npy`, `json`), \
             `sizes.json`.",
            options.shard_pairs
        ),
        Format::Parquet => "Parquet with embedded pictures (`image1`, `image2`; `depth1`, `depth2` as 16-bit PNG in millimetres; cameras, \
             overlaps, matching patches): `datasets.load_dataset`."
            .into(),
        Format::Colmap => "COLMAP: `<scene>/sparse/0` (binary), `<scene>/sparse/text`, `<scene>/images`; points are surface points that \
             both views of a pair see."
            .into(),
        Format::Nerfstudio => "nerfstudio: `<scene>/transforms.json` (OpenGL camera axes, world turned to **Z up**), `images/`, `depth/` \
             (16-bit PNG, millimetres)."
            .into(),
        Format::Safetensors => "batches `batch-*.safetensors` of plain arrays.".into(),
        Format::Npy => "batches `batch-*/<array>.npy` of plain arrays.".into(),
    }
}

/// Whose terms a scene is under, as far as its name tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Terms {
    Invented,
    Hm3d,
    Matterport,
    Unrecorded,
}

fn terms_of(scene: &str) -> Terms {
    let is_seed = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if scene.strip_prefix("procedural-").is_some_and(is_seed) {
        return Terms::Invented;
    }
    // HM3D: 00800-TEEsavR23oF; eleven such characters alone are Matterport3D's, but Gibson's names are words.
    let house = |text: &str| text.len() == 11 && text.bytes().all(|b| b.is_ascii_alphanumeric());
    let stem = scene.split('.').next().unwrap_or_default();
    match stem.split_once('-') {
        Some((number, rest)) if number.len() == 5 && is_seed(number) && house(rest) => Terms::Hm3d,
        None if house(stem) && stem.bytes().any(|b| b.is_ascii_digit()) => Terms::Matterport,
        _ => Terms::Unrecorded,
    }
}

fn scenes(set: &NativeReader, options: &ExportOptions) -> String {
    let run: &RunRecord = set.run();
    let mut pairs: BTreeMap<&str, usize> = BTreeMap::new();
    for tried in set.tried() {
        *pairs.entry(tried.scene).or_default() += tried.pairs.len();
    }
    let mut out = String::from(
        "\n## Source scenes and their licences\n\n| scene | pairs | BLAKE3 | terms |\n|---|---|---|---|\n",
    );
    for scene in run.scenes.iter().take(LISTED_SCENES) {
        let terms = match (terms_of(&scene.name), &options.scene_license) {
            (Terms::Invented, _) => "invented by Covista: no rights of others".to_string(),
            (_, Some(stated)) => format!("{stated} (as stated by who made the set)"),
            (Terms::Hm3d, None) => "looks like HM3D: Matterport's terms of use for HM3D".to_string(),
            (Terms::Matterport, None) => "looks like Matterport3D or HM3D: Matterport's terms of use".to_string(),
            (Terms::Unrecorded, None) => "not recorded: see where the scene comes from".to_string(),
        };
        let count = pairs.get(scene.name.as_str()).copied().unwrap_or(0);
        let hash: String = scene.hash.chars().take(16).collect();
        let name = scene.name.replace('|', "\\|");
        let _ = writeln!(out, "| {name} | {count} | `{hash}` | {terms} |");
    }
    if let Some(more) = run.scenes.len().checked_sub(LISTED_SCENES).filter(|&more| more > 0) {
        let _ = writeln!(out, "\n... and {more} more, all in `covista.json`.");
    }
    out += "\n**Renders carry the terms of their scenes.** Pictures rendered from HM3D, Gibson or Matterport3D are derived from \
            those data sets and stay under their terms of use (research only, no redistribution outside them, acceptance \
            by each user): check them before you publish or use these pairs.\n";
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_told_by_the_name() {
        for (name, terms) in [
            ("procedural-7", Terms::Invented),
            ("procedural-room", Terms::Unrecorded),
            ("00800-TEEsavR23oF.basis", Terms::Hm3d),
            ("17DRP5sb8fy", Terms::Matterport),
            ("white-room", Terms::Unrecorded),
            ("Allensville", Terms::Unrecorded),
            ("apartment_0", Terms::Unrecorded),
        ] {
            assert_eq!(terms_of(name), terms, "{name}");
        }
        assert_eq!(
            [0, 999, 1000, 3_100_000].map(size_category),
            ["n<1K", "n<1K", "1K<n<10K", "1M<n<10M"]
        );
        assert!(is_license_id("cc-by-4.0") && !is_license_id("HM3D terms"));
    }
}
