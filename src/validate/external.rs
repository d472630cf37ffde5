//! Somebody else's numbers for the same pairs.

use std::collections::BTreeMap;

use super::csv;
use super::error::TableError;
use super::row::{MetricRule, PairKey, PairRow, Reading, Table, mark_chosen};
use super::table::{Cells, columns};

impl Table {
    /// Adds the metric of an external table, or several told apart by a column `name`.
    ///
    /// Columns: `scene, seed, index, first, second` as in `plan.csv`, `overlap` in [0, 1] (the direction that
    /// decides; empty where the metric has no answer), and if wanted `name`, `matches` and `inliers`; others
    /// are ignored. Every pair of the plan needs a line for each name. `rule` gives the range, and the name
    /// where there is no such column.
    ///
    /// # Errors
    /// [`TableError`] for a missing column, a number that is none or lies outside [0, 1], an unknown, repeated or
    /// missing pair; the table stays as it was.
    pub fn add_external(&mut self, text: &str, rule: &MetricRule) -> Result<(), TableError> {
        let lines = csv::parse(text)?;
        let columns = columns(&lines)?;
        let places: BTreeMap<&PairKey, usize> = self.rows.iter().enumerate().map(|(i, row)| (&row.key, i)).collect();
        let mut named: BTreeMap<String, Vec<Option<Reading>>> = BTreeMap::new();
        let several = columns.contains_key("name");
        let of = |name: &str| {
            if several {
                format!(" of {name:?}")
            } else {
                String::new()
            }
        };
        for line in &lines[1..] {
            let cells = Cells {
                columns: &columns,
                line,
            };
            let key = cells.key()?;
            let reading = reading(&cells)?;
            let name = match several {
                true => cells.text("name")?.to_owned(),
                false => rule.name.clone(),
            };
            if name.is_empty() {
                return Err(cells.bad("name", "", "is empty"));
            }
            let place = *places.get(&key).ok_or_else(|| TableError::Unknown {
                line: line.number,
                key: key.to_string(),
            })?;
            let readings = named.entry(name.clone()).or_insert_with(|| vec![None; self.rows.len()]);
            if readings[place].replace(reading).is_some() {
                return Err(TableError::Duplicate {
                    line: line.number,
                    key: key.to_string(),
                    of: of(&name),
                });
            }
        }
        if named.is_empty() {
            return Err(TableError::Empty);
        }
        for (name, readings) in &named {
            let missing = || readings.iter().zip(&self.rows).filter(|(r, _)| r.is_none());
            if let Some((_, first)) = missing().next() {
                return Err(TableError::Missing {
                    count: missing().count(),
                    all: self.rows.len(),
                    key: first.key.to_string(),
                    of: of(name),
                });
            }
        }
        for (name, readings) in named {
            self.add_metric(
                MetricRule {
                    name: self.free_name(name),
                    ..rule.clone()
                },
                readings.into_iter().flatten().collect(),
            );
        }
        Ok(())
    }

    /// Appends a metric; one reading a row, whose refusals are filled in by the rule.
    fn add_metric(&mut self, rule: MetricRule, readings: Vec<Reading>) {
        let metric = self.metrics.len();
        for (row, mut reading) in self.rows.iter_mut().zip(readings) {
            reading.refusal = rule.refusal(reading.overlap, row.texture, "unanswered");
            row.readings.push(reading);
        }
        self.metrics.push(rule);
        for position in self.rows.chunk_by_mut(same_position) {
            mark_chosen(position, metric);
        }
    }

    /// The name itself, or with a number where a metric has it already.
    fn free_name(&self, name: String) -> String {
        let taken = |name: &str| self.metrics.iter().any(|metric| metric.name == name);
        let mut free = name.clone();
        let mut number = 2;
        while taken(&free) {
            free = format!("{name} ({number})");
            number += 1;
        }
        free
    }
}

fn reading(cells: &Cells<'_>) -> Result<Reading, TableError> {
    let overlap = cells.finite("overlap")?;
    if overlap.is_some_and(|v| !(0.0..=1.0).contains(&v)) {
        let why = "lies outside [0, 1]; overlap is a fraction, not per cent";
        return Err(cells.bad("overlap", cells.text("overlap")?, why));
    }
    let count = |column: &str| match cells.columns.contains_key(column) {
        true => cells.maybe::<u32>(column, "is no count"),
        false => Ok(None),
    };
    Ok(Reading {
        overlap,
        matches: count("matches")?,
        inliers: count("inliers")?,
        ..Reading::default()
    })
}

/// Whether a row belongs to the same position as another.
pub fn same_position(a: &PairRow, b: &PairRow) -> bool {
    (&a.key.scene, a.key.seed, a.key.index) == (&b.key.scene, b.key.seed, b.key.index)
}
