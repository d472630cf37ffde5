//! Puts pictures, plots and numbers into the template.

use std::path::Path;

use serde::Serialize;

use super::figures::{self, Figure, sentence};
use super::input::{MOST_MAPS, PageInput, ShownPair, TrainingCurve};
use super::map;
use super::picture;
use super::template::{fill, replace_file};
use crate::export::ExportError;
use crate::view::{Correspondence, Measure, Overlap};

const TEMPLATE: &str = include_str!("page.html");

/// What the template names.
#[derive(Serialize)]
struct Page<'a> {
    location: &'a str,
    finished: bool,
    facts: Vec<Fact>,
    summary: Vec<Fact>,
    config: String,
    plots: Vec<Figure>,
    maps: Vec<Figure>,
    pairs: Vec<PairCard>,
    total_pairs: usize,
    training: Option<TrainingSection>,
}

/// A fact of the head or a figure of the summary.
#[derive(Serialize)]
struct Fact {
    name: &'static str,
    value: String,
}

#[derive(Serialize)]
struct PairCard {
    number: String,
    title: String,
    first: String,
    second: String,
    selected: [String; 2],
    truth: [String; 2],
    grid: u32,
    selected_patches: String,
    true_patches: String,
    first_depth: Option<String>,
    second_depth: Option<String>,
    depth_scale: String,
    measures: Vec<MeasureRow>,
    matches: String,
    alt: String,
}

#[derive(Serialize)]
struct MeasureRow {
    name: &'static str,
    value: String,
    directions: String,
    decides: bool,
}

#[derive(Serialize)]
struct TrainingSection {
    facts: Vec<Fact>,
    curve: Option<Figure>,
    reconstructions: Vec<[String; 4]>,
}

/// The page as text: one HTML document that needs nothing else.
///
/// # Errors
///
/// [`ExportError::Unfit`] where a picture cannot be encoded (no pixels).
pub fn render_page(input: &PageInput) -> Result<String, ExportError> {
    let pairs = input.pairs.iter().map(|shown| pair_card(shown, input));
    let scenes = input.run.scenes.iter().take(MOST_MAPS);
    let maps = scenes.map(|scene| map::map(input, &scene.name));
    let selection = &input.run.selection;
    let plots = [
        (!input.overlaps.is_empty()).then(|| figures::histogram(&input.overlaps, selection)),
        figures::scatter(&input.overlaps, selection),
        figures::bars(
            "Why positions gave no pair",
            "positions",
            &input.counters.refused_positions,
        ),
        figures::bars(
            "Why candidate pairs were refused",
            "candidates",
            &input.counters.refused_candidates,
        ),
    ];
    let page = Page {
        location: &input.location,
        finished: input.finished,
        facts: facts(input),
        summary: summary(input),
        config: serde_json::to_string_pretty(&input.run.config).unwrap_or_default(),
        plots: plots.into_iter().flatten().collect(),
        maps: maps.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect(),
        pairs: pairs.collect::<Result<_, ExportError>>()?,
        total_pairs: input.overlaps.len(),
        training: input.training.as_ref().map(training).transpose()?,
    };
    fill(TEMPLATE, page)
}

/// Writes the page; a file that is there is replaced, but only by a whole page.
///
/// # Errors
///
/// As [`render_page`], and where the file cannot be written.
pub fn write_page(input: &PageInput, path: &Path) -> Result<(), ExportError> {
    replace_file(path, &render_page(input)?)
}

fn facts(input: &PageInput) -> Vec<Fact> {
    let run = &input.run;
    let mut scenes: Vec<_> = run
        .scenes
        .iter()
        .take(MOST_MAPS)
        .map(|s| format!("{} ({})", s.name, short(&s.hash)))
        .collect();
    if let Some(more) = run.scenes.len().checked_sub(MOST_MAPS).filter(|&more| more > 0) {
        scenes.push(format!("and {more} more, which have no map here"));
    }
    vec![
        Fact {
            name: if scenes.len() == 1 { "Scene" } else { "Scenes" },
            value: scenes.join(", "),
        },
        Fact {
            name: "Profile",
            value: run.profile.clone(),
        },
        Fact {
            name: "Seed",
            value: run.seed.to_string(),
        },
        Fact {
            name: "Config",
            value: short(&run.config_hash),
        },
        Fact {
            name: "Adapter",
            value: input.adapters.join(", "),
        },
        Fact {
            name: "Covista",
            value: run.covista_version.clone(),
        },
    ]
}

fn short(hash: &str) -> String {
    hash.chars().take(12).collect()
}

fn percent(value: f64) -> String {
    format!("{:.1} %", 100.0 * value)
}

fn summary(input: &PageInput) -> Vec<Fact> {
    let counters = &input.counters;
    let refused: u64 = counters.refused_candidates.values().sum();
    let measure = input.run.selection.measure;
    let mean = |of: Measure| {
        let values: Vec<f64> = input
            .overlaps
            .iter()
            .filter_map(|o| of.of(o))
            .map(|o| o.min())
            .collect();
        match values.len() {
            0 => "-".into(),
            n => percent(values.iter().sum::<f64>() / n as f64),
        }
    };
    let mut facts = vec![
        Fact {
            name: "pairs kept",
            value: counters.pairs.to_string(),
        },
        Fact {
            name: "positions tried",
            value: counters.positions.to_string(),
        },
        Fact {
            name: "positions that gave a pair",
            value: match counters.positions {
                0 => "-".into(),
                _ => percent(counters.yield_fraction()),
            },
        },
        Fact {
            name: "candidates refused",
            value: refused.to_string(),
        },
        Fact {
            name: match measure {
                Measure::Homography => "mean homography overlap",
                Measure::Covisibility => "mean covisibility",
                Measure::PatchTruth => "mean true patch overlap",
                Measure::Croco => "mean CroCo covisibility",
            },
            value: mean(measure),
        },
    ];
    if measure != Measure::Covisibility {
        facts.push(Fact {
            name: "mean true covisibility",
            value: mean(Measure::Covisibility),
        });
    }
    facts
}

fn pair_card(shown: &ShownPair, input: &PageInput) -> Result<PairCard, ExportError> {
    let pair = &shown.pair;
    let origin = &pair.origin;
    let range = picture::depth_range([&pair.first.depth, &pair.second.depth]);
    let depth = |view: &crate::view::View| range.map(|range| picture::depth(&view.depth, range)).transpose();
    let distance = pair.first.camera.eye().distance(pair.second.camera.eye());
    let turn = pair.first.camera.forward().angle_between(pair.second.camera.forward());
    let deciding = input.run.selection.measure;
    let measures = Measure::ALL.into_iter().filter_map(|measure| {
        let Overlap {
            first_to_second,
            second_to_first,
        } = measure.of(&pair.overlaps)?;
        Some(MeasureRow {
            name: measure.title(),
            value: percent(first_to_second.min(second_to_first)),
            directions: format!("{} / {}", percent(first_to_second), percent(second_to_first)),
            decides: measure == deciding,
        })
    });
    Ok(PairCard {
        number: shown.folder.clone(),
        title: format!(
            "{}, position {}, views {} and {}",
            origin.scene, origin.index, origin.views[0], origin.views[1]
        ),
        first: picture::jpeg(&pair.first.color)?,
        second: picture::jpeg(&pair.second.color)?,
        selected: picture::overlays(&pair.correspondence)?,
        truth: picture::overlays(&pair.true_correspondence)?,
        grid: pair.correspondence.grid.max(pair.true_correspondence.grid),
        selected_patches: patches(&pair.correspondence),
        true_patches: patches(&pair.true_correspondence),
        first_depth: depth(&pair.first)?,
        second_depth: depth(&pair.second)?,
        depth_scale: match range {
            Some((near, far)) => format!("depth {near:.1} m (bright) to {far:.1} m (dark)"),
            None => "no depth: nothing was hit".into(),
        },
        measures: measures.collect(),
        matches: format!(
            "{} selected and {} true patch matches; {distance:.2} m and {:.0}° apart",
            pair.correspondence.patches.len(),
            pair.true_correspondence.patches.len(),
            turn.to_degrees()
        ),
        alt: format!(
            "of pair {} in {}, position {}",
            shown.folder,
            sentence(&origin.scene),
            origin.index
        ),
    })
}

/// `first-second` for each match, separated by spaces: what the page's script reads.
fn patches(matches: &Correspondence) -> String {
    let items: Vec<_> = matches.patches.iter().map(|(a, b)| format!("{a}-{b}")).collect();
    items.join(" ")
}

fn training(curve: &TrainingCurve) -> Result<TrainingSection, ExportError> {
    let last = curve.losses.last();
    let facts = vec![
        Fact {
            name: "model",
            value: curve.model.clone(),
        },
        Fact {
            name: "device",
            value: curve.device.clone(),
        },
        Fact {
            name: "last step",
            value: last.map_or("-".into(), |(step, _)| step.to_string()),
        },
        Fact {
            name: "pairs a second",
            value: format!("{:.1}", curve.pairs_per_s),
        },
        Fact {
            name: "time waiting for data",
            value: percent(curve.data_wait),
        },
    ];
    let pictures = curve.reconstructions.iter().map(|r| {
        Ok([
            picture::jpeg(&r.reference)?,
            picture::jpeg(&r.masked)?,
            picture::jpeg(&r.completed)?,
            picture::jpeg(&r.target)?,
        ])
    });
    Ok(TrainingSection {
        facts,
        curve: figures::loss(&curve.losses),
        reconstructions: pictures.collect::<Result<_, ExportError>>()?,
    })
}
