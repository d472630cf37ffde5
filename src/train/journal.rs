//! The log of a run: a line an update in `metrics.jsonl` and `metrics.csv`, and TensorBoard's events if asked.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::TrainError;
use super::run::StepReport;
use super::tensorboard::EventFile;

const JSONL: &str = "metrics.jsonl";
const CSV: &str = "metrics.csv";
const CSV_HEAD: &str = "step,loss,lr,grad_norm,pairs_per_s,data_wait,seconds,validation_loss,scene,unix_time";

/// One update in the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricsRow {
    /// What the update did.
    #[serde(flatten)]
    pub report: StepReport,
    /// Loss on the held-out pairs after it, where it was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_loss: Option<f64>,
    /// Name of the scene that the newest pair came from.
    pub scene: String,
    /// When it ended, seconds since 1970.
    pub unix_time: f64,
}

/// The open log of a run. Every line is handed to the system as it is written.
#[derive(Debug)]
pub struct Journal {
    jsonl: Log,
    csv: Log,
    events: Option<EventFile>,
}

#[derive(Debug)]
struct Log {
    path: PathBuf,
    file: File,
}

impl Journal {
    /// Opens the log in the folder `run` of a run that has made `updates` updates, and gives the rows that are
    /// kept: those of later updates, which a resumed run makes again, and a line that was cut short are removed.
    ///
    /// # Errors
    /// A file cannot be read or written.
    pub fn open(run: &Path, updates: u64, tensorboard: bool) -> Result<(Self, Vec<MetricsRow>), TrainError> {
        let rows = read_rows(run, updates)?;
        let jsonl = rewrite(run.join(JSONL), rows.iter().map(json_line))?;
        let csv = rewrite(
            run.join(CSV),
            std::iter::once(format!("{CSV_HEAD}\n")).chain(rows.iter().map(csv_line)),
        )?;
        let events = tensorboard.then(|| EventFile::create(run, &rows)).transpose()?;
        Ok((Self { jsonl, csv, events }, rows))
    }

    /// Adds an update.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn write(&mut self, row: &MetricsRow) -> Result<(), TrainError> {
        self.jsonl.append(&json_line(row))?;
        self.csv.append(&csv_line(row))?;
        match &mut self.events {
            Some(events) => events.write(row),
            None => Ok(()),
        }
    }
}

impl Log {
    fn append(&mut self, line: &str) -> Result<(), TrainError> {
        self.file.write_all(line.as_bytes()).map_err(|e| output(e, &self.path))
    }
}

/// The rows of the first `updates` updates that the log in the folder `run` holds.
///
/// # Errors
/// The log exists but cannot be read.
pub fn read_rows(run: &Path, updates: u64) -> Result<Vec<MetricsRow>, TrainError> {
    let path = run.join(JSONL);
    let failed = |source| TrainError::Input {
        source,
        path: path.clone(),
    };
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut rows = Vec::new();
    for line in BufReader::new(file).split(b'\n') {
        // A line that a killed process cut short is none.
        if let Ok(row) = serde_json::from_slice::<MetricsRow>(&line.map_err(failed)?)
            && row.report.step < updates
        {
            rows.push(row);
        }
    }
    Ok(rows)
}

/// Replaces a file by a whole one with `lines`, open for more.
fn rewrite(path: PathBuf, lines: impl Iterator<Item = String>) -> Result<Log, TrainError> {
    let temporary = path.with_extension("tmp");
    fs::write(&temporary, lines.collect::<String>()).map_err(|e| output(e, &temporary))?;
    fs::rename(&temporary, &path).map_err(|e| output(e, &path))?;
    let file = File::options().append(true).open(&path).map_err(|e| output(e, &path))?;
    Ok(Log { path, file })
}

fn json_line(row: &MetricsRow) -> String {
    // Numbers and a name: this cannot fail.
    serde_json::to_string(row).unwrap_or_default() + "\n"
}

fn csv_line(row: &MetricsRow) -> String {
    let StepReport {
        step,
        loss,
        lr,
        grad_norm,
        pairs_per_s,
        data_wait,
        seconds,
    } = row.report;
    let validation = row.validation_loss.map(|loss| loss.to_string()).unwrap_or_default();
    let scene = if row.scene.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", row.scene.replace('"', "\"\""))
    } else {
        row.scene.clone()
    };
    format!(
        "{step},{loss},{lr},{grad_norm},{pairs_per_s},{data_wait},{seconds},{validation},{scene},{:.3}\n",
        row.unix_time
    )
}

fn output(source: std::io::Error, path: &Path) -> TrainError {
    TrainError::Output {
        source,
        path: path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(step: u64) -> MetricsRow {
        MetricsRow {
            report: StepReport {
                step,
                loss: 0.7,
                lr: 1e-3,
                grad_norm: 0.25,
                pairs_per_s: 12.5,
                data_wait: 0.01,
                seconds: 0.6,
            },
            validation_loss: step.is_multiple_of(2).then_some(0.8),
            scene: "a \"flat\", new".into(),
            unix_time: 1e9 + step as f64,
        }
    }

    #[test]
    fn a_resumed_log_holds_every_step_once() {
        let run = tempfile::tempdir().unwrap();
        let (mut journal, before) = Journal::open(run.path(), 0, true).unwrap();
        assert!(before.is_empty());
        for step in 0..5 {
            journal.write(&row(step)).unwrap();
        }
        // Killed in the middle of a line.
        journal.jsonl.append("{\"step\":5,\"lo").unwrap();
        drop(journal);
        let (mut journal, before) = Journal::open(run.path(), 3, true).unwrap();
        assert_eq!(before, [row(0), row(1), row(2)]);
        for step in 3..6 {
            journal.write(&row(step)).unwrap();
        }
        assert_eq!(read_rows(run.path(), 99).unwrap(), (0..6).map(row).collect::<Vec<_>>());
        let csv = fs::read_to_string(run.path().join(CSV)).unwrap();
        let steps: Vec<&str> = csv.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
        assert_eq!(steps, ["0", "1", "2", "3", "4", "5"]);
        assert!(
            csv.contains("0,0.7,0.001,0.25,12.5,0.01,0.6,0.8,\"a \"\"flat\"\", new\",1000000000.000\n"),
            "{csv}"
        );
        let columns = CSV_HEAD.split(',').count();
        assert_eq!(columns, 10);
    }
}
