//! Puts plots, tables and pictures into the template.

use std::path::Path;

use serde::Serialize;

use super::super::figures::{Figure, sentence};
use super::super::picture;
use super::super::template::{fill, replace_file};
use super::input::{ShownBlunder, ValidationInput};
use super::plots::{self, CURVES, against, percent, value};
use super::tables::{self, TableView};
use crate::export::ExportError;
use crate::validate::{Cause, Found, MetricSummary, TruthKind, main_cause};

const TEMPLATE: &str = include_str!("page.html");

#[derive(Serialize)]
struct Page<'a> {
    location: &'a str,
    interrupted: bool,
    facts: Vec<[String; 2]>,
    short: Vec<Short>,
    tables: Vec<TableView>,
    calibrations: Vec<Figure>,
    curves: Vec<Figure>,
    fates: Vec<Figure>,
    splits: Vec<MetricTables>,
    bootstraps: Vec<TableView>,
    resamples: usize,
    worst: Vec<Group>,
    pictures: bool,
}

/// The findings on one metric in figures.
#[derive(Serialize)]
struct Short {
    name: String,
    says: Vec<[String; 2]>,
}

#[derive(Serialize)]
struct MetricTables {
    name: String,
    tables: Vec<TableView>,
}

#[derive(Serialize)]
struct Group {
    title: String,
    cards: Vec<Card>,
}

#[derive(Serialize)]
struct Card {
    title: String,
    first: String,
    second: String,
    found: Option<[String; 2]>,
    truth: [String; 2],
    says: String,
    numbers: Vec<[String; 2]>,
    alt: String,
}

/// The page as text: one HTML document that needs nothing else.
///
/// # Errors
/// [`ExportError::Unfit`] where a picture cannot be encoded (no pixels).
pub fn render_validation(input: &ValidationInput) -> Result<String, ExportError> {
    let summary = &input.summary;
    let shown = [TruthKind::Patches, TruthKind::Covisibility];
    let of_shown = |plot: fn(&MetricSummary, TruthKind) -> Option<Figure>| -> Vec<Figure> {
        let metrics = summary.metrics.iter();
        metrics
            .flat_map(|metric| shown.into_iter().filter_map(move |truth| plot(metric, truth)))
            .collect()
    };
    let curves = shown
        .into_iter()
        .flat_map(|truth| CURVES.into_iter().map(move |kind| (truth, kind)));
    let page = Page {
        location: &input.location,
        interrupted: input.plan.interrupted,
        facts: facts(input),
        short: summary.metrics.iter().map(short).collect(),
        tables: [
            Some(tables::filter(summary)),
            Some(tables::agreement(summary)),
            tables::common(summary),
            tables::causes(summary),
        ]
        .into_iter()
        .flatten()
        .collect(),
        calibrations: of_shown(plots::calibration),
        curves: curves
            .filter_map(|(truth, kind)| plots::curves(summary, truth, kind))
            .collect(),
        fates: of_shown(plots::fates)
            .into_iter()
            .chain(plots::partners(summary))
            .collect(),
        splits: summary
            .metrics
            .iter()
            .map(|metric| MetricTables {
                name: metric.rule.name.clone(),
                tables: tables::splits(metric),
            })
            .collect(),
        bootstraps: summary
            .metrics
            .iter()
            .flat_map(|metric| metric.truths.iter().map(move |truth| tables::bootstrap(metric, truth)))
            .collect(),
        resamples: summary.resamples,
        worst: groups(input)?,
        pictures: input.pictures,
    };
    fill(TEMPLATE, page)
}

/// Writes the page; a file that is there is replaced, but only by a whole page.
///
/// # Errors
/// As [`render_validation`], and where the file cannot be written.
pub fn write_validation(input: &ValidationInput, path: &Path) -> Result<(), ExportError> {
    replace_file(path, &render_validation(input)?)
}

fn facts(input: &ValidationInput) -> Vec<[String; 2]> {
    let (plan, summary) = (&input.plan, &input.summary);
    let scenes: Vec<_> = summary
        .scenes
        .iter()
        .map(|(name, count)| format!("{name} ({count})"))
        .collect();
    let hash: String = plan.config_hash.chars().take(12).collect();
    vec![
        ["Pairs".into(), summary.pairs.to_string()],
        [
            "Positions".into(),
            format!("{}: {}", summary.positions, scenes.join(", ")),
        ],
        ["Profile".into(), plan.profile.clone()],
        ["Seed".into(), plan.seed.to_string()],
        ["Config".into(), hash],
        ["Covista".into(), plan.covista_version.clone()],
    ]
}

fn short(metric: &MetricSummary) -> Short {
    let cell = |truth: TruthKind, key: &str| {
        let found = against(metric, truth).and_then(|summary| value(summary, key));
        found.map_or("-".to_owned(), percent)
    };
    let both = |key: &str| {
        format!(
            "{} / {}",
            cell(TruthKind::Patches, key),
            cell(TruthKind::Covisibility, key)
        )
    };
    Short {
        name: metric.rule.name.clone(),
        says: vec![
            [both("precision"), "of the kept pairs truly lie in the window".into()],
            [both("kept_truly_below"), "of them share less".into()],
            [both("kept_truly_above"), "of them share more".into()],
            [both("recall"), "of the pairs truly in the window are kept".into()],
        ],
    }
}

fn groups(input: &ValidationInput) -> Result<Vec<Group>, ExportError> {
    let kind = |found: &Found<ShownBlunder>| (found.metric, found.blunder);
    input
        .worst
        .chunk_by(|a, b| kind(a) == kind(b))
        .map(|group| {
            let metric = input.summary.metrics.get(group[0].metric);
            let name = metric.map_or("", |metric| metric.rule.name.as_str());
            Ok(Group {
                title: format!("{name}: {}", group[0].blunder.title()),
                cards: group.iter().map(card).collect::<Result<_, _>>()?,
            })
        })
        .collect()
}

fn card(found: &Found<ShownBlunder>) -> Result<Card, ExportError> {
    let (row, load) = (&found.row, &found.load);
    let (truth, reading) = (&row.truth, &row.readings[found.metric]);
    let share: fn(f64) -> String = |v| format!("{:.1} %", 100.0 * v);
    let maybe = |v: Option<f64>, tell: fn(f64) -> String| v.map_or("-".to_owned(), tell);
    let mut numbers: Vec<[String; 2]> = [
        ("metric", maybe(reading.overlap, share)),
        ("covisibility", share(truth.covisibility.min())),
        ("true patches", share(truth.patches.min())),
        ("ideal homography", maybe(truth.ideal_homography, share)),
        ("IoU", share(truth.iou)),
        ("angle", maybe(truth.angle_deg, |v| format!("{v:.0}°"))),
        ("baseline", format!("{:.2} m", truth.baseline_m)),
        ("mean depth", maybe(truth.mean_depth_m, |v| format!("{v:.1} m"))),
        ("planarity", maybe(truth.planarity, |v| format!("{v:.2}"))),
        (
            "hidden",
            share(truth.hidden.first_to_second.max(truth.hidden.second_to_first)),
        ),
    ]
    .map(|(name, value)| [name.to_owned(), value])
    .to_vec();
    if let (Some(inliers), Some(matches)) = (reading.inliers, reading.matches) {
        numbers.push(["inliers".into(), format!("{inliers} of {matches}")]);
    }
    if let Some(p) = reading.partners {
        let counts = format!("{} / {} / {} / {}", p.right, p.near, p.wrong, p.no_partner);
        numbers.push(["right / off by one / wrong / no partner".into(), counts]);
    }
    let key = &row.key;
    Ok(Card {
        title: format!(
            "{}, position {}, views {} and {}",
            key.scene, key.index, key.first, key.second
        ),
        first: picture::jpeg(&load.views[0])?,
        second: picture::jpeg(&load.views[1])?,
        found: load.found.as_ref().map(picture::overlays).transpose()?,
        truth: picture::overlays(&load.truth)?,
        says: match main_cause(row, found.metric) {
            Some(Cause::Rule) => "mostly the patch rule: whole patches, one to one".into(),
            Some(Cause::Model) => "mostly the model: parallax and occlusion".into(),
            Some(Cause::Matches) => "mostly the matches".into(),
            None => String::new(),
        },
        numbers,
        alt: format!("of {}, position {}", sentence(&key.scene), key.index),
    })
}
