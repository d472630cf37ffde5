//! The gallery: a page of scenes with what an agent sees in them, invented ones beside real ones.

use std::path::Path;

use image::RgbImage;
use serde::Serialize;

use super::picture;
use super::svg::{Frame, Svg};
use super::template::{fill, replace_file};
use crate::export::ExportError;

const TEMPLATE: &str = include_str!("gallery.html");
/// Width of a bin of the depth histogram, metres; the last bin holds everything farther.
pub const DEPTH_BIN_M: f64 = 0.5;
/// Bins of the depth histogram.
pub const DEPTH_BINS: usize = 16;

/// What is known of one scene in numbers. Views are those of the sweeps at the sampled positions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SceneFigures {
    /// Scene name.
    pub name: String,
    /// True for a scene from a seed, false for one from a file.
    pub invented: bool,
    /// Scene hash, hexadecimal.
    pub hash: String,
    /// Triangles.
    pub triangles: usize,
    /// Textures.
    pub textures: usize,
    /// CPU time to build or read the scene, seconds, all threads together; `None` where it is not known.
    pub build_cpu_s: Option<f64>,
    /// Area that an agent can walk on, m^2.
    pub navigable_m2: f64,
    /// Height between the lowest and the highest walkable place, metres.
    pub rise_m: f64,
    /// Sampled positions.
    pub positions: usize,
    /// Views looked at.
    pub views: usize,
    /// Median over the views of the SIFT keypoints.
    pub keypoints_median: f64,
    /// Share of the views that pass the texture gate, 0 to 1.
    pub gate_share: f64,
    /// Candidate pairs in the range of overlap, a position, both views through the gates.
    pub pairs_per_position: f64,
    /// The same without the gates.
    pub pairs_per_position_ungated: f64,
    /// Share of the positions with such a pair through the gates, 0 to 1.
    pub positions_with_pair: f64,
    /// Median depth of the pixels that show a surface, metres.
    pub depth_median_m: f64,
    /// Share of the surface pixels by depth, in bins of [`DEPTH_BIN_M`].
    pub depth_histogram: Vec<f64>,
    /// Share of the pixels that show no surface, 0 to 1.
    pub holes: f64,
}

/// A scene with its pictures.
#[derive(Debug, Clone)]
pub struct GalleryScene {
    /// Its numbers.
    pub figures: SceneFigures,
    /// The floor from above.
    pub map: RgbImage,
    /// What an agent sees.
    pub views: Vec<RgbImage>,
}

/// Everything that the page shows.
#[derive(Debug, Clone)]
pub struct Gallery {
    /// Invented and real scenes in the order of the page.
    pub scenes: Vec<GalleryScene>,
    /// Texture gate, grey levels squared.
    pub min_laplacian_variance: f64,
    /// Range of overlap of a pair, 0 to 1.
    pub overlap: [f64; 2],
    /// Adapter that rendered.
    pub adapter: String,
}

#[derive(Serialize)]
struct Page<'a> {
    cards: Vec<Card>,
    ranges: Vec<RangeRow>,
    has_real: bool,
    invented: usize,
    real: usize,
    adapter: &'a str,
    gate: String,
    overlap: String,
}

#[derive(Serialize)]
struct Card {
    name: String,
    invented: bool,
    map: String,
    views: Vec<String>,
    facts: Vec<[String; 2]>,
    depth: String,
}

/// A figure over the invented and over the real scenes.
#[derive(Serialize)]
struct RangeRow {
    name: &'static str,
    invented: String,
    real: String,
    /// Whether the median of the invented scenes lies between the least and the greatest real one.
    verdict: &'static str,
}

type Figure = (&'static str, fn(&SceneFigures) -> f64, usize, f64);

/// Figures that are compared: name, value, decimals, factor for showing.
const COMPARED: [Figure; 8] = [
    ("keypoints a view, median", |f| f.keypoints_median, 0, 1.0),
    ("views that pass the texture gate, %", |f| f.gate_share, 0, 100.0),
    ("pairs in range a position, gated", |f| f.pairs_per_position, 1, 1.0),
    (
        "pairs in range a position, all views",
        |f| f.pairs_per_position_ungated,
        1,
        1.0,
    ),
    ("positions with a pair, %", |f| f.positions_with_pair, 0, 100.0),
    ("depth, median, m", |f| f.depth_median_m, 2, 1.0),
    ("area to walk on, m²", |f| f.navigable_m2, 0, 1.0),
    ("thousands of triangles", |f| f.triangles as f64, 0, 1e-3),
];

/// The page as text: one HTML document that needs nothing else.
///
/// # Errors
///
/// [`ExportError::Unfit`] where a picture cannot be encoded (no pixels).
pub fn render_gallery(gallery: &Gallery) -> Result<String, ExportError> {
    let cards: Result<Vec<Card>, ExportError> = gallery.scenes.iter().map(card).collect();
    let figures = |invented: bool| -> Vec<&SceneFigures> {
        let all = gallery.scenes.iter().map(|s| &s.figures);
        all.filter(|f| f.invented == invented).collect()
    };
    let (invented, real) = (figures(true), figures(false));
    let page = Page {
        cards: cards?,
        ranges: COMPARED.iter().map(|figure| range(figure, &invented, &real)).collect(),
        has_real: !real.is_empty(),
        invented: invented.len(),
        real: real.len(),
        adapter: &gallery.adapter,
        gate: format!("{:.0}", gallery.min_laplacian_variance),
        overlap: format!(
            "{:.0} to {:.0} %",
            100.0 * gallery.overlap[0],
            100.0 * gallery.overlap[1]
        ),
    };
    fill(TEMPLATE, page)
}

/// Writes the page; a file that is there is replaced, but only by a whole page.
///
/// # Errors
///
/// As [`render_gallery`], and where the file cannot be written.
pub fn write_gallery(gallery: &Gallery, path: &Path) -> Result<(), ExportError> {
    replace_file(path, &render_gallery(gallery)?)
}

fn range(&(name, value, decimals, factor): &Figure, invented: &[&SceneFigures], real: &[&SceneFigures]) -> RangeRow {
    let sorted = |of: &[&SceneFigures]| {
        let mut values: Vec<f64> = of.iter().map(|f| value(f) * factor).collect();
        values.sort_by(f64::total_cmp);
        values
    };
    let (invented, real) = (sorted(invented), sorted(real));
    let show = |values: &[f64]| match values {
        [] => "-".to_owned(),
        values => format!(
            "{:.decimals$} ({:.decimals$} to {:.decimals$})",
            median(values),
            values[0],
            values[values.len() - 1]
        ),
    };
    let verdict = match (invented.is_empty(), real.first(), real.last()) {
        (false, Some(low), Some(high)) if (*low..=*high).contains(&median(&invented)) => "within",
        (false, Some(low), Some(_)) if median(&invented) < *low => "below",
        (false, Some(_), Some(_)) => "above",
        _ => "",
    };
    RangeRow {
        name,
        invented: show(&invented),
        real: show(&real),
        verdict,
    }
}

/// The middle of ascending values; 0 of none.
fn median(values: &[f64]) -> f64 {
    match values.len() {
        0 => 0.0,
        n if n % 2 == 1 => values[n / 2],
        n => 0.5 * (values[n / 2 - 1] + values[n / 2]),
    }
}

fn card(scene: &GalleryScene) -> Result<Card, ExportError> {
    let f = &scene.figures;
    let percent = |share: f64| format!("{:.0} %", 100.0 * share);
    let facts = [
        ("triangles", f.triangles.to_string()),
        ("walkable", format!("{:.0} m²", f.navigable_m2)),
        (
            if f.invented { "build, CPU" } else { "load, CPU" },
            f.build_cpu_s.map_or("-".to_owned(), |s| format!("{s:.2} s")),
        ),
        ("keypoints", format!("{:.0}", f.keypoints_median)),
        ("pass the gate", percent(f.gate_share)),
        ("pairs a position", format!("{:.1}", f.pairs_per_position)),
        ("rise", format!("{:.1} m", f.rise_m)),
    ];
    let views: Result<Vec<String>, ExportError> = scene.views.iter().map(picture::jpeg).collect();
    Ok(Card {
        name: f.name.clone(),
        invented: f.invented,
        map: picture::sharp(&scene.map)?,
        views: views?,
        facts: facts.map(|(name, value)| [name.to_owned(), value]).into(),
        depth: depth_plot(f),
    })
}

/// The depth histogram as bars.
fn depth_plot(f: &SceneFigures) -> String {
    let most = f.depth_histogram.iter().copied().fold(1e-9, f64::max);
    let end = DEPTH_BIN_M * DEPTH_BINS as f64;
    let frame = Frame {
        x: [0.0, end],
        y: [0.0, most],
        area: [8.0, 8.0, 352.0, 84.0],
    };
    let mut svg = Svg::new(104.0);
    for (k, share) in f.depth_histogram.iter().enumerate() {
        let (low, high) = (k as f64 * DEPTH_BIN_M, (k + 1) as f64 * DEPTH_BIN_M);
        let (left, right) = (frame.column(low) + 1.0, frame.column(high) - 1.0);
        let top = frame.row(*share);
        let hint = if k + 1 == DEPTH_BINS {
            format!("from {low:.1} m: {:.1} %", 100.0 * share)
        } else {
            format!("{low:.1} to {high:.1} m: {:.1} %", 100.0 * share)
        };
        svg.rect("bar", [left, top, right - left, frame.area[3] - top], &hint);
    }
    svg.line("axis", [frame.area[0], frame.area[3], frame.area[2], frame.area[3]]);
    for metres in [0.0, 2.0, 4.0, 6.0, 8.0] {
        let label = if metres == 8.0 { "8 m" } else { &format!("{metres:.0}") };
        let anchor = if metres == 8.0 { "end" } else { "middle" };
        svg.text("tick", anchor, frame.column(metres), frame.area[3] + 15.0, label);
    }
    svg.finish(&format!("Depths seen in {}: median {:.2} m", f.name, f.depth_median_m))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scene(name: &str, invented: bool, keypoints: f64) -> GalleryScene {
        let mut depth_histogram = vec![0.0; DEPTH_BINS];
        depth_histogram[4] = 1.0;
        GalleryScene {
            figures: SceneFigures {
                name: name.to_owned(),
                invented,
                hash: "00".to_owned(),
                triangles: 120_000,
                textures: 40,
                build_cpu_s: Some(0.5),
                navigable_m2: 80.0,
                rise_m: 0.0,
                positions: 6,
                views: 144,
                keypoints_median: keypoints,
                gate_share: 0.5,
                pairs_per_position: 4.0,
                pairs_per_position_ungated: 6.0,
                positions_with_pair: 1.0,
                depth_median_m: 2.2,
                depth_histogram,
                holes: 0.0,
            },
            map: RgbImage::new(8, 6),
            views: vec![RgbImage::new(16, 16); 2],
        }
    }

    fn gallery(scenes: Vec<GalleryScene>) -> Gallery {
        Gallery {
            scenes,
            min_laplacian_variance: 1000.0,
            overlap: [0.5, 0.75],
            adapter: "a test".to_owned(),
        }
    }

    #[test]
    fn the_page_compares_the_median_with_the_range_of_the_real_scenes() {
        let scenes = vec![
            scene("flat <1>", true, 150.0),
            scene("flat 2", true, 250.0),
            scene("room", false, 80.0),
            scene("stairs", false, 320.0),
        ];
        let page = render_gallery(&gallery(scenes)).expect("pictures have pixels");
        assert_eq!(page.matches("<article").count(), 4);
        assert!(page.contains("200 (150 to 250)") && page.contains("200 (80 to 320)"));
        assert_eq!(page.matches("<td class=\"within\"").count(), COMPARED.len());
        assert!(page.contains("flat &lt;1&gt;") && !page.contains("flat <1>"));
        assert!(!page.contains("http://") && !page.contains("https://"));
    }

    #[test]
    fn a_median_outside_the_real_range_is_named() {
        let scenes = vec![scene("flat", true, 20.0), scene("room", false, 80.0)];
        let page = render_gallery(&gallery(scenes)).expect("pictures have pixels");
        assert_eq!(page.matches("<td class=\"below\"").count(), 1);
        let alone = render_gallery(&gallery(vec![scene("flat", true, 20.0)])).expect("pictures have pixels");
        assert!(!alone.contains("class=\"below\"") && !alone.contains("NaN"));
    }

    #[test]
    fn the_median_of_an_even_number_lies_between_the_two_middle_ones() {
        assert_eq!(median(&[1.0, 2.0, 4.0, 9.0]), 3.0);
        assert_eq!(median(&[1.0, 2.0, 9.0]), 2.0);
    }
}
