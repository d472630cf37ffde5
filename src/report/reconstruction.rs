//! The page and the picture of the reconstruction experiment.

use std::path::Path;

use image::{Rgb, RgbImage, imageops};
use serde::Serialize;

use super::picture;
use super::svg::{Frame, Svg, ticks};
use super::template::{fill, replace_file};
use crate::evaluate::{Difference, EvaluatedModel, PairLoss, Reconstruction};
use crate::export::ExportError;
use crate::validate::stats::Spread;

const TEMPLATE: &str = include_str!("reconstruction.html");
/// Gap between the pictures of the sheet, pixels.
const GAP: u32 = 4;
/// Least side of a picture on the sheet, pixels.
const SHEET_PICTURE_PX: u32 = 96;

/// One completed pair; all pictures of one size.
#[derive(Debug, Clone)]
pub struct ShownCompletion {
    /// Where it comes from.
    pub title: String,
    /// The first view with its hidden patches in grey.
    pub masked: RgbImage,
    /// The second view.
    pub reference: RgbImage,
    /// What each model makes of it, in the order of the table, and how well.
    pub completed: Vec<(RgbImage, PairLoss)>,
    /// The first view.
    pub target: RgbImage,
}

#[derive(Serialize)]
struct Page<'a> {
    pairs: usize,
    hidden: usize,
    patches: usize,
    resamples: usize,
    models: Vec<Row>,
    plot: String,
    differences: Vec<Row>,
    columns: Vec<String>,
    pictures: Vec<PictureRow<'a>>,
    scenes: Vec<[String; 3]>,
    image: usize,
    patch: usize,
    seed: u64,
    profile: &'a str,
    config: String,
    version: &'a str,
}

#[derive(Serialize)]
struct Row {
    name: String,
    value: String,
    cells: Vec<String>,
}

#[derive(Serialize)]
struct PictureRow<'a> {
    title: &'a str,
    cells: Vec<Cell>,
}

#[derive(Serialize)]
struct Cell {
    picture: String,
    alt: String,
    loss: String,
}

/// What a model is called in tables.
pub fn model_title(model: &EvaluatedModel) -> String {
    match model.unrelated_reference {
        true => format!("{}, unrelated reference", model.name),
        false => model.name.clone(),
    }
}

/// What a difference is called in tables.
pub fn difference_title(outcome: &Reconstruction, difference: &Difference) -> String {
    let title = |place: usize| model_title(&outcome.models[place].model);
    format!("{} less {}", title(difference.of), title(difference.less))
}

/// The page as text: one HTML document that needs nothing else.
///
/// # Errors
/// [`ExportError::Unfit`] where a picture cannot be encoded (no pixels).
pub fn render_reconstruction(outcome: &Reconstruction, shown: &[ShownCompletion]) -> Result<String, ExportError> {
    let conditions = &outcome.conditions;
    let models = outcome.models.iter().map(|model| {
        let updates = model.model.updates.to_string();
        row(model_title(&model.model), &model.normalised, &model.pixel, updates)
    });
    let differences = outcome.differences.iter().map(|difference| {
        let title = difference_title(outcome, difference);
        let better = format!("{:.0} %", 100.0 * difference.better_share);
        row(title, &difference.normalised, &difference.pixel, better)
    });
    let scenes = conditions.scenes.iter();
    let page = Page {
        pairs: conditions.pairs,
        hidden: conditions.hidden_patches,
        patches: conditions.patches,
        resamples: outcome.resamples,
        models: models.collect(),
        plot: plot(outcome),
        differences: differences.collect(),
        columns: outcome.models.iter().map(|model| model_title(&model.model)).collect(),
        pictures: shown.iter().map(picture_row).collect::<Result<_, ExportError>>()?,
        scenes: scenes
            .map(|scene| [scene.name.clone(), scene.pairs.to_string(), short(&scene.hash)])
            .collect(),
        image: conditions.image_px,
        patch: conditions.patch_px,
        seed: conditions.seed,
        profile: &conditions.profile,
        config: short(&conditions.config_hash),
        version: &outcome.covista_version,
    };
    fill(TEMPLATE, page)
}

/// Writes the page; a file that is there is replaced, but only by a whole page.
///
/// # Errors
/// As [`render_reconstruction`], and where the file cannot be written.
pub fn write_reconstruction(
    outcome: &Reconstruction,
    shown: &[ShownCompletion],
    path: &Path,
) -> Result<(), ExportError> {
    replace_file(path, &render_reconstruction(outcome, shown)?)
}

/// All pictures in one, a row a pair: masked, reference, each model in the order of the table, target. Small
/// pictures are enlarged by a whole factor, pixel by pixel. `None` where there is no pair.
pub fn sheet(shown: &[ShownCompletion]) -> Option<RgbImage> {
    let first = shown.first()?;
    let side = first.target.width().max(1);
    let factor = SHEET_PICTURE_PX.div_ceil(side);
    let (cell, columns) = (side * factor, 3 + first.completed.len() as u32);
    let size = |count: u32| count * (cell + GAP) + GAP;
    let mut sheet = RgbImage::from_pixel(size(columns), size(shown.len() as u32), Rgb([255; 3]));
    for (row, pair) in shown.iter().enumerate() {
        let completed = pair.completed.iter().map(|(picture, _)| picture);
        let pictures = [&pair.masked, &pair.reference]
            .into_iter()
            .chain(completed)
            .chain([&pair.target]);
        for (column, picture) in pictures.enumerate() {
            let large = imageops::resize(picture, cell, cell, imageops::FilterType::Nearest);
            let place = |i: usize| i64::from(size(i as u32));
            imageops::replace(&mut sheet, &large, place(column), place(row));
        }
    }
    Some(sheet)
}

fn short(hash: &str) -> String {
    hash.chars().take(12).collect()
}

/// A number of the table; one that is not defined is a dash.
fn number(value: Option<f64>, decimals: usize) -> String {
    value.map_or("-".to_owned(), |value| format!("{value:.decimals$}"))
}

fn row(name: String, loss: &Spread, pixel: &Spread, last: String) -> Row {
    let estimates = [loss.min, loss.max, loss.mean, loss.sd].map(|value| number(value, 4));
    let pixels = [pixel.value, pixel.sd].map(|value| number(value, 5));
    Row {
        name,
        value: number(loss.value, 4),
        cells: estimates.into_iter().chain(pixels).chain([last]).collect(),
    }
}

fn picture_row(pair: &ShownCompletion) -> Result<PictureRow<'_>, ExportError> {
    let cell = |picture: &RgbImage, alt: String, loss: String| {
        Ok(Cell {
            picture: picture::sharp(picture)?,
            alt,
            loss,
        })
    };
    let mut cells = vec![
        cell(&pair.masked, format!("Masked view of {}", pair.title), String::new())?,
        cell(&pair.reference, format!("Reference of {}", pair.title), String::new())?,
    ];
    for (picture, loss) in &pair.completed {
        let value = format!("{:.2}", loss.normalised);
        cells.push(cell(picture, format!("Completed, loss {value}"), value)?);
    }
    cells.push(cell(&pair.target, format!("Target of {}", pair.title), String::new())?);
    Ok(PictureRow {
        title: &pair.title,
        cells,
    })
}

/// Each model as a dot with its error estimates.
fn plot(outcome: &Reconstruction) -> String {
    let spreads: Vec<&Spread> = outcome.models.iter().map(|model| &model.normalised).collect();
    let low = spreads.iter().filter_map(|s| s.min).fold(f64::INFINITY, f64::min);
    let high = spreads.iter().filter_map(|s| s.max).fold(f64::NEG_INFINITY, f64::max);
    if !(low.is_finite() && high.is_finite()) {
        return String::new();
    }
    let margin = (0.05 * (high - low)).max(1e-4);
    let rows = spreads.len() as f64;
    let frame = Frame {
        x: [low - margin, high + margin],
        y: [0.0, rows],
        area: [10.0, 6.0, 350.0, 6.0 + 34.0 * rows],
    };
    let mut svg = Svg::new(frame.area[3] + 40.0);
    let marks: Vec<(f64, String)> = ticks(frame.x[0], frame.x[1], 5)
        .into_iter()
        .map(|value| (value, format!("{value:.3}")))
        .collect();
    for (value, _) in &marks {
        svg.line(
            "grid",
            [frame.column(*value), frame.area[1], frame.column(*value), frame.area[3]],
        );
    }
    for (place, (model, spread)) in outcome.models.iter().zip(&spreads).enumerate() {
        let row = frame.area[1] + 34.0 * place as f64;
        let title = model_title(&model.model);
        svg.text("label", "start", frame.area[0], row + 12.0, &title);
        let (Some(value), Some(sd), Some(min), Some(max)) = (spread.value, spread.sd, spread.min, spread.max) else {
            continue;
        };
        let middle = row + 23.0;
        svg.line("range", [frame.column(min), middle, frame.column(max), middle]);
        let (left, right) = (frame.column(value - sd), frame.column(value + sd));
        svg.rect("bar", [left, middle - 2.5, right - left, 5.0], "");
        let hint = format!("{title}: {value:.4}, sd {sd:.4}");
        svg.dot("point", frame.column(value), middle, 4.5, &hint);
    }
    frame.draw(&mut svg, ("loss", &marks), ("", &[]));
    let says: Vec<String> = outcome
        .models
        .iter()
        .map(|model| format!("{} {}", model_title(&model.model), number(model.normalised.value, 4)))
        .collect();
    svg.finish(&format!("Losses: {}", says.join(", ")))
}
