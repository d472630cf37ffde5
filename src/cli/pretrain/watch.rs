//! How a run is watched: a dashboard, lines, or JSON.

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use covista::train::journal::MetricsRow;

use super::dashboard::Dashboard;
use super::screen::{Head, Screen};
use crate::cli::exit::Failure;

/// Where the news of a run goes.
pub enum Watch {
    /// A line an update on stdout.
    Lines {
        /// Updates in all.
        steps: u64,
    },
    /// A JSON object an update on stdout.
    Json,
    /// The terminal, until this is dropped.
    Dashboard(Dashboard),
}

impl Watch {
    /// A dashboard where stdin, stdout and stderr are a terminal and neither `plain` nor `json` is asked for.
    pub fn open(
        head: Head,
        rows: Vec<MetricsRow>,
        plain: bool,
        json: bool,
        interrupted: &Arc<AtomicBool>,
    ) -> anyhow::Result<Self> {
        if json {
            return Ok(Self::Json);
        }
        let terminal =
            std::io::stdin().is_terminal() && std::io::stdout().is_terminal() && std::io::stderr().is_terminal();
        if plain || !terminal || std::env::var_os("TERM").is_some_and(|term| term == "dumb") {
            return Ok(Self::Lines { steps: head.steps });
        }
        let dashboard = Dashboard::open(Screen::new(head, rows), Arc::clone(interrupted));
        let dashboard =
            dashboard.map_err(|e| Failure::output(format!("cannot take the terminal over: {e}; use --plain")))?;
        Ok(Self::Dashboard(dashboard))
    }

    /// An update was made.
    pub fn row(&self, row: &MetricsRow) -> anyhow::Result<()> {
        let printed = match self {
            Self::Dashboard(dashboard) => {
                dashboard.row(row);
                Ok(())
            }
            Self::Json => serde_json::to_string(row)
                .map_err(std::io::Error::from)
                .and_then(|line| print_line(&line)),
            Self::Lines { steps } => print_line(&plain_line(row, *steps)),
        };
        printed.map_err(|error| Failure::output(format!("cannot write to stdout: {error}")))
    }

    /// Something else happened.
    pub fn note(&self, text: String) {
        match self {
            Self::Dashboard(dashboard) => dashboard.note(text),
            Self::Json | Self::Lines { .. } => eprintln!("{text}"),
        }
    }
}

fn print_line(line: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

fn plain_line(row: &MetricsRow, steps: u64) -> String {
    let report = &row.report;
    let validation = row.validation_loss.map(|loss| format!("  validation {loss:.4}"));
    format!(
        "step {:>5}/{steps}  loss {:.4}  lr {:.2e}  grad {:.3}  {:.1} pairs/s  waiting {:.1} %{}",
        report.step + 1,
        report.loss,
        report.lr,
        report.grad_norm,
        report.pairs_per_s,
        100.0 * report.data_wait,
        validation.unwrap_or_default()
    )
}
