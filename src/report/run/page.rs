//! Puts curves, pictures and the record of a run into the template.

use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use super::super::figures::Figure;
use super::super::picture;
use super::super::template::{fill, replace_file};
use super::input::RunInput;
use super::plots;
use crate::export::ExportError;

const TEMPLATE: &str = include_str!("page.html");

#[derive(Serialize)]
struct Page<'a> {
    location: &'a str,
    finished: bool,
    facts: Vec<[String; 2]>,
    summary: Vec<[String; 2]>,
    plots: Vec<Figure>,
    pictures: Vec<Picture>,
    scenes: Vec<[String; 2]>,
    config: String,
    data: String,
}

#[derive(Serialize)]
struct Picture {
    updates: u64,
    address: String,
    rows: u32,
}

/// The page as text: one HTML document that needs nothing else.
///
/// # Errors
/// [`ExportError::Unfit`] where a picture cannot be encoded.
pub fn render_run(input: &RunInput) -> Result<String, ExportError> {
    let record = &input.record;
    let pictures = input.pictures.iter().map(|picture| {
        let (width, height) = picture.sheet.dimensions();
        Ok(Picture {
            updates: picture.updates,
            address: picture::jpeg(&picture.sheet)?,
            // Four pictures stand side by side.
            rows: (4 * height / width.max(1)).max(1),
        })
    });
    let list = record["data"]["scenes"].as_array().cloned().unwrap_or_default();
    let page = Page {
        location: &input.location,
        finished: record["summary"].is_object(),
        facts: facts(record, list.len()),
        summary: summary(input),
        plots: plots::all(input),
        pictures: pictures.collect::<Result<_, ExportError>>()?,
        scenes: list
            .iter()
            .map(|scene| [text(&scene["name"]), text(&scene["hash"])])
            .collect(),
        config: serde_json::to_string_pretty(&record["config"]).unwrap_or_default(),
        data: serde_json::to_string_pretty(&record["data"]["config"]).unwrap_or_default(),
    };
    fill(TEMPLATE, page)
}

/// Writes the page; a file that is there is replaced, but only by a whole page.
///
/// # Errors
/// As [`render_run`], and where the file cannot be written.
pub fn write_run(input: &RunInput, path: &Path) -> Result<(), ExportError> {
    replace_file(path, &render_run(input)?)
}

fn facts(record: &Value, scenes: usize) -> Vec<[String; 2]> {
    let (config, data) = (&record["config"], &record["data"]);
    let product = config["batch"].as_u64().unwrap_or(0) * config["accumulate"].as_u64().unwrap_or(1);
    let facts = [
        (
            "Model",
            format!(
                "{} {}, {} positions",
                text(&config["architecture"]),
                text(&config["model"]),
                text(&config["pos"])
            ),
        ),
        ("Pairs an update", product.to_string()),
        ("Trained on", text(&record["device"])),
        ("Rendered on", text(&data["adapter"])),
        ("Profile", text(&data["profile"])),
        ("Scenes", scenes.to_string()),
        ("Seed", text(&config["seed"])),
        ("Data config", text(&data["config_hash"]).chars().take(12).collect()),
        ("Covista", text(&record["version"])),
    ];
    let known = facts.into_iter().filter(|(_, value)| !value.is_empty());
    known.map(|(name, value)| [name.to_owned(), value]).collect()
}

fn summary(input: &RunInput) -> Vec<[String; 2]> {
    let total = input.curve.total();
    let steps = input.record["config"]["steps"].as_u64().unwrap_or(0);
    let last = input
        .curve
        .buckets()
        .last()
        .map(|bucket| format!("{:.4}", bucket.loss()));
    let best = input.validations.iter().map(|point| point.1).reduce(f64::min);
    let dash = || "-".to_owned();
    [
        ("updates", format!("{} of {steps}", total.count)),
        ("training loss, last", last.unwrap_or_else(dash)),
        (
            "validation loss, lowest",
            best.map_or_else(dash, |best| format!("{best:.4}")),
        ),
        ("pairs trained on", format!("{:.0}", total.pairs)),
        ("pairs a second", format!("{:.1}", total.pairs_per_s())),
        ("time waiting for data", format!("{:.2} %", 100.0 * total.data_wait())),
        ("hours of updates", format!("{:.2}", total.seconds / 3600.0)),
    ]
    .map(|(name, value)| [name.to_owned(), value])
    .to_vec()
}

/// A value as a person reads it; nothing where there is none.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
