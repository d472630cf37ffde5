//! The plan: which pairs there are, for whoever wants to measure them by other means.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::csv;
use super::error::TableError;
use super::row::{MetricRule, PairKey, PairRow};
use super::table::{Cells, KEY_COLUMNS, columns, key_cells};
use crate::camera::Intrinsics;
use crate::view::Correspondence;

/// `plan.json`: what was measured and from where.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Version of the program that wrote it.
    pub covista_version: String,
    /// Profile of poses, pictures and truth.
    pub profile: String,
    /// Hash of the resolved configuration.
    pub config_hash: String,
    /// Seed of every draw.
    pub seed: u64,
    /// Metrics that were judged, in the order of the columns of `pairs.csv`.
    pub metrics: Vec<MetricRule>,
    /// Scenes.
    pub scenes: Vec<PlannedScene>,
    /// True where the run ended before all positions were measured.
    pub interrupted: bool,
}

/// A scene of the plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedScene {
    /// Name, as in the key.
    pub name: String,
    /// BLAKE3 of its bytes.
    pub hash: String,
    /// Sample indices that gave no sweep, by reason.
    pub refused: BTreeMap<String, u64>,
    /// Positions, in order of index.
    pub positions: Vec<PlannedPosition>,
}

/// A position of the plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedPosition {
    /// Sample index.
    pub index: u64,
    /// Of every view; pixel centres at +0.5.
    pub intrinsics: Intrinsics,
    /// `world_from_camera` of each view in capture order, row-major 4x4 (camera RDF, world Y up, metres).
    pub world_from_camera: Vec<[f64; 16]>,
    /// Pictures of the views below the folder, in capture order; empty where none were exported.
    pub images: Vec<String>,
}

/// `plan.csv`: a line a pair with its key and, where they were exported, its pictures. An external table needs
/// these lines with one more column, `overlap`.
pub fn plan_lines<'a>(
    rows: impl IntoIterator<Item = &'a PairRow>,
    images: impl Fn(&PairKey) -> Option<[String; 2]>,
) -> String {
    let mut out = String::new();
    let titles = KEY_COLUMNS.iter().chain(&["first_image", "second_image"]);
    csv::push_line(&mut out, titles.map(|c| (*c).to_owned()));
    for row in rows {
        let images = images(&row.key).unwrap_or_default();
        csv::push_line(&mut out, key_cells(&row.key).into_iter().chain(images));
    }
    out
}

/// Patch partners of a pair: the true ones and those of each metric.
#[derive(Debug, Clone, PartialEq)]
pub struct PartnerRow {
    /// The pair.
    pub key: PairKey,
    /// By geometry.
    pub truth: Correspondence,
    /// By each metric of the plan.
    pub metrics: Vec<Correspondence>,
}

/// `partners.csv`: patch partners as `first-second` pairs of patch numbers; pairs without any are left out. With
/// its first line where `header` is set.
pub fn partner_lines(rows: &[PartnerRow], metrics: &[MetricRule], header: bool) -> String {
    let mut out = String::new();
    if header {
        let own = KEY_COLUMNS.iter().chain(&["grid", "true"]).map(|c| (*c).to_owned());
        csv::push_line(&mut out, own.chain(metrics.iter().map(|m| m.name.clone())));
    }
    let text = |found: &Correspondence| {
        let pairs = found.patches.iter().map(|(a, b)| format!("{a}-{b}"));
        pairs.collect::<Vec<_>>().join(" ")
    };
    for row in rows {
        let all = || std::iter::once(&row.truth).chain(&row.metrics);
        let grid = all().map(|found| found.grid).max().unwrap_or(0);
        if all().all(|found| found.patches.is_empty()) {
            continue;
        }
        let cells = key_cells(&row.key).into_iter().chain([grid.to_string()]);
        csv::push_line(&mut out, cells.chain(all().map(text)));
    }
    out
}

/// Reads what [`partner_lines`] wrote for these metrics.
///
/// # Errors
/// [`TableError`] names the first line and column that do not fit.
pub fn parse_partners(text: &str, metrics: &[MetricRule]) -> Result<Vec<PartnerRow>, TableError> {
    let lines = csv::parse(text)?;
    let columns = columns(&lines)?;
    lines[1..]
        .iter()
        .map(|line| {
            let cells = Cells {
                columns: &columns,
                line,
            };
            let grid: u32 = cells.parse("grid", "is no whole number")?;
            let read = |column: &str| {
                let patch = |text: &str| {
                    text.parse()
                        .ok()
                        .filter(|&patch: &u16| u64::from(patch) < u64::from(grid).pow(2))
                };
                let pair = |text: &str| text.split_once('-').and_then(|(a, b)| Some((patch(a)?, patch(b)?)));
                let patches = cells.text(column)?.split_whitespace().map(pair).collect();
                let bad = || cells.bad(column, "", "is no list of patches of the grid");
                Option::map(patches, |patches| Correspondence { grid, patches }).ok_or_else(bad)
            };
            Ok(PartnerRow {
                key: cells.key()?,
                truth: read("true")?,
                metrics: metrics.iter().map(|m| read(&m.name)).collect::<Result<_, _>>()?,
            })
        })
        .collect()
}
