//! The table of pairs as comma-separated text: every float is written so that it is read back exactly.

use std::collections::BTreeMap;

use super::csv::{self, Line};
use super::error::TableError;
use super::row::{MetricRule, PairKey, PairRow, PartnerScore, Pose, Reading, Table, Truth};
use crate::view::Overlap;

/// The columns that name a pair.
pub const KEY_COLUMNS: [&str; 5] = ["scene", "seed", "index", "first", "second"];

/// Columns of poses and truth, in order.
///
/// Overlaps are fractions: `X_first` of the first view found in the second, `X_second` the other way round, `X` the
/// smaller. `in_window_X` is 1 where the truth X lies in the range of the first metric, `rotation_only` where the eyes
/// are closer than 5 cm. Empty cells: nothing is shared, so there is no such number.
const TRUTH_COLUMNS: [&str; 33] = [
    "first_x_m",
    "first_y_m",
    "first_z_m",
    "first_heading_deg",
    "second_x_m",
    "second_y_m",
    "second_z_m",
    "second_heading_deg",
    "first_laplacian_variance",
    "second_laplacian_variance",
    "first_valid_fraction",
    "second_valid_fraction",
    "covisibility_first",
    "covisibility_second",
    "covisibility",
    "iou",
    "patches_first",
    "patches_second",
    "patches",
    "croco_first",
    "croco_second",
    "croco",
    "hidden_first",
    "hidden_second",
    "ideal_homography",
    "angle_deg",
    "baseline_m",
    "mean_depth_m",
    "baseline_over_depth",
    "planarity",
    "rotation_only",
    "in_window_patches",
    "in_window_covisibility",
];

/// Columns of each metric, after its name and a dot.
const METRIC_COLUMNS: [&str; 12] = [
    "overlap_first",
    "overlap_second",
    "overlap",
    "refusal",
    "matches",
    "inliers",
    "kept",
    "chosen",
    "patches_right",
    "patches_off_by_one",
    "patches_wrong",
    "patches_no_partner",
];

/// Eyes closer than this are one place: the views differ by a rotation alone, metres.
pub const ROTATION_ONLY_M: f64 = 0.05;

/// The first line.
pub fn header(metrics: &[MetricRule]) -> String {
    let mut out = String::new();
    let own = KEY_COLUMNS.iter().chain(&TRUTH_COLUMNS).map(|c| (*c).to_owned());
    let theirs = metrics
        .iter()
        .flat_map(|m| METRIC_COLUMNS.iter().map(|c| format!("{}.{c}", m.name)));
    csv::push_line(&mut out, own.chain(theirs));
    out
}

/// One line a pair.
pub fn lines<'a>(rows: impl IntoIterator<Item = &'a PairRow>, metrics: &[MetricRule]) -> String {
    let mut out = String::new();
    for row in rows {
        let mut cells = key_cells(&row.key).to_vec();
        cells.extend(truth_cells(row, metrics.first()));
        cells.extend(row.readings.iter().flat_map(reading_cells));
        csv::push_line(&mut out, cells);
    }
    out
}

/// The cells that name a pair.
pub fn key_cells(key: &PairKey) -> [String; 5] {
    [
        key.scene.clone(),
        key.seed.to_string(),
        key.index.to_string(),
        key.first.to_string(),
        key.second.to_string(),
    ]
}

fn number(value: f64) -> String {
    format!("{value}")
}

fn maybe<T: ToString>(value: Option<T>) -> String {
    value.map_or(String::new(), |v| v.to_string())
}

fn three(overlap: Overlap) -> [String; 3] {
    [
        number(overlap.first_to_second),
        number(overlap.second_to_first),
        number(overlap.min()),
    ]
}

fn truth_cells(row: &PairRow, window: Option<&MetricRule>) -> Vec<String> {
    let truth = &row.truth;
    let inside = |value: f64| maybe(window.map(|rule| u8::from(rule.contains(value))));
    let mut cells = Vec::with_capacity(TRUTH_COLUMNS.len());
    for pose in row.poses {
        cells.extend(pose.eye.map(number));
        cells.push(number(pose.heading_deg));
    }
    cells.extend(row.texture.map(number));
    cells.extend(row.valid.map(number));
    cells.extend(three(truth.covisibility));
    cells.push(number(truth.iou));
    cells.extend(three(truth.patches));
    cells.extend(three(truth.croco));
    cells.push(number(truth.hidden.first_to_second));
    cells.push(number(truth.hidden.second_to_first));
    cells.push(maybe(truth.ideal_homography));
    cells.push(maybe(truth.angle_deg));
    cells.push(number(truth.baseline_m));
    cells.push(maybe(truth.mean_depth_m));
    cells.push(maybe(truth.mean_depth_m.map(|depth| truth.baseline_m / depth)));
    cells.push(maybe(truth.planarity));
    cells.push(u8::from(truth.baseline_m < ROTATION_ONLY_M).to_string());
    cells.push(inside(truth.patches.min()));
    cells.push(inside(truth.covisibility.min()));
    cells
}

fn reading_cells(reading: &Reading) -> [String; 12] {
    let partners = |count: fn(&PartnerScore) -> u32| maybe(reading.partners.as_ref().map(count));
    [
        maybe(reading.both.map(|b| b.first_to_second)),
        maybe(reading.both.map(|b| b.second_to_first)),
        maybe(reading.overlap),
        reading.refusal.clone(),
        maybe(reading.matches),
        maybe(reading.inliers),
        u8::from(reading.kept()).to_string(),
        u8::from(reading.chosen).to_string(),
        partners(|p| p.right),
        partners(|p| p.near),
        partners(|p| p.wrong),
        partners(|p| p.no_partner),
    ]
}

/// A line whose cells are asked for by column.
pub(super) struct Cells<'a> {
    pub columns: &'a BTreeMap<String, usize>,
    pub line: &'a Line,
}

/// Places of the columns of a first line.
///
/// # Errors
/// [`TableError::Empty`] without a line, [`TableError::Cell`] where a column is named twice.
pub(super) fn columns(lines: &[Line]) -> Result<BTreeMap<String, usize>, TableError> {
    let first = lines.first().ok_or(TableError::Empty)?;
    let mut columns = BTreeMap::new();
    for (place, name) in first.fields.iter().enumerate() {
        if columns.insert(name.trim().to_owned(), place).is_some() {
            return Err(TableError::Cell {
                line: first.number,
                column: "the first line".into(),
                value: name.clone(),
                why: "names a column twice",
            });
        }
    }
    Ok(columns)
}

impl Cells<'_> {
    /// The text of a cell.
    pub fn text(&self, column: &str) -> Result<&str, TableError> {
        let place = self.columns.get(column).ok_or_else(|| TableError::Column {
            column: column.to_owned(),
            found: self.columns.keys().cloned().collect::<Vec<_>>().join(", "),
        })?;
        let short = || self.bad(column, "", "is missing: the line is too short");
        self.line.fields.get(*place).map(|cell| cell.trim()).ok_or_else(short)
    }

    /// A cell read as `T`.
    pub fn parse<T: std::str::FromStr>(&self, column: &str, why: &'static str) -> Result<T, TableError> {
        let text = self.text(column)?;
        text.parse().map_err(|_| self.bad(column, text, why))
    }

    /// A cell read as `T`; `None` where it is empty.
    pub fn maybe<T: std::str::FromStr>(&self, column: &str, why: &'static str) -> Result<Option<T>, TableError> {
        match self.text(column)? {
            "" => Ok(None),
            _ => self.parse(column, why).map(Some),
        }
    }

    /// A finite number; `None` where the cell is empty.
    pub fn finite(&self, column: &str) -> Result<Option<f64>, TableError> {
        let value: Option<f64> = self.maybe(column, "is no number")?;
        match value {
            Some(v) if !v.is_finite() => Err(self.bad(column, self.text(column)?, "is not finite")),
            value => Ok(value),
        }
    }

    /// The pair that the line is about.
    pub fn key(&self) -> Result<PairKey, TableError> {
        Ok(PairKey {
            scene: self.text("scene")?.to_owned(),
            seed: self.parse("seed", "is no whole number")?,
            index: self.parse("index", "is no whole number")?,
            first: self.parse("first", "is no whole number")?,
            second: self.parse("second", "is no whole number")?,
        })
    }

    /// The error about a cell.
    pub fn bad(&self, column: &str, value: &str, why: &'static str) -> TableError {
        TableError::Cell {
            line: self.line.number,
            column: column.to_owned(),
            value: value.to_owned(),
            why,
        }
    }

    fn number(&self, column: &str) -> Result<f64, TableError> {
        self.finite(column)?.ok_or_else(|| self.bad(column, "", "is no number"))
    }

    fn both(&self, name: &str) -> Result<Overlap, TableError> {
        Ok(Overlap {
            first_to_second: self.number(&format!("{name}_first"))?,
            second_to_first: self.number(&format!("{name}_second"))?,
        })
    }

    fn pose(&self, view: &str) -> Result<Pose, TableError> {
        let axis = |axis: &str| self.number(&format!("{view}_{axis}_m"));
        Ok(Pose {
            eye: [axis("x")?, axis("y")?, axis("z")?],
            heading_deg: self.number(&format!("{view}_heading_deg"))?,
        })
    }

    fn truth(&self) -> Result<Truth, TableError> {
        Ok(Truth {
            covisibility: self.both("covisibility")?,
            iou: self.number("iou")?,
            patches: self.both("patches")?,
            croco: self.both("croco")?,
            hidden: self.both("hidden")?,
            ideal_homography: self.finite("ideal_homography")?,
            angle_deg: self.finite("angle_deg")?,
            baseline_m: self.number("baseline_m")?,
            mean_depth_m: self.finite("mean_depth_m")?,
            planarity: self.finite("planarity")?,
        })
    }

    fn reading(&self, metric: &str) -> Result<Reading, TableError> {
        let column = |name: &str| format!("{metric}.{name}");
        let count = |name: &str| self.maybe::<u32>(&column(name), "is no count");
        let directions = (
            self.finite(&column("overlap_first"))?,
            self.finite(&column("overlap_second"))?,
        );
        let partners = (
            count("patches_right")?,
            count("patches_off_by_one")?,
            count("patches_wrong")?,
            count("patches_no_partner")?,
        );
        Ok(Reading {
            both: match directions {
                (Some(first_to_second), Some(second_to_first)) => Some(Overlap {
                    first_to_second,
                    second_to_first,
                }),
                _ => None,
            },
            overlap: self.finite(&column("overlap"))?,
            refusal: self.text(&column("refusal"))?.to_owned(),
            matches: count("matches")?,
            inliers: count("inliers")?,
            chosen: self.text(&column("chosen"))? == "1",
            partners: match partners {
                (Some(right), Some(near), Some(wrong), Some(no_partner)) => Some(PartnerScore {
                    right,
                    near,
                    wrong,
                    no_partner,
                }),
                _ => None,
            },
        })
    }
}

impl Table {
    /// Reads what [`header`] and [`lines`] wrote for these metrics.
    ///
    /// # Errors
    /// [`TableError`] names the first line and column that do not fit.
    pub fn parse(text: &str, metrics: &[MetricRule]) -> Result<Self, TableError> {
        let lines = csv::parse(text)?;
        let columns = columns(&lines)?;
        let mut rows = Vec::with_capacity(lines.len());
        for line in &lines[1..] {
            let cells = Cells {
                columns: &columns,
                line,
            };
            let pair = |name: &str| {
                Ok([
                    cells.number(&format!("first_{name}"))?,
                    cells.number(&format!("second_{name}"))?,
                ])
            };
            rows.push(PairRow {
                key: cells.key()?,
                poses: [cells.pose("first")?, cells.pose("second")?],
                texture: pair("laplacian_variance")?,
                valid: pair("valid_fraction")?,
                truth: cells.truth()?,
                readings: metrics
                    .iter()
                    .map(|metric| cells.reading(&metric.name))
                    .collect::<Result<_, _>>()?,
            });
        }
        if rows.is_empty() {
            return Err(TableError::Empty);
        }
        Ok(Self {
            metrics: metrics.to_vec(),
            rows,
        })
    }
}
