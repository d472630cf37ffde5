//! What can go wrong with a plan.

use std::path::{Path, PathBuf};

use super::journal::PlanJournal;
use crate::render::RenderError;

/// A plan that cannot be read, or not be drawn as it stands.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The file could not be read.
    #[error("cannot read the plan ({reason}): {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        reason: std::io::Error,
    },
    /// A line, or the file as a whole, is not what a plan holds.
    #[error("{}{}: {why}", path.display(), line.map(|n| format!(", line {n}")).unwrap_or_default())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Counted from 1; `None` where the whole file is meant.
        line: Option<usize>,
        /// What is wrong, and what was expected.
        why: String,
    },
    /// There is no plan yet, but the journal of one.
    #[error("the plan is not finished: continue it with `covista plan --resume`: {}", path.display())]
    Unfinished {
        /// Where the plan will be.
        path: PathBuf,
    },
    /// The file ends before its last line.
    #[error(
        "the plan is cut off after {positions} positions: copy it again, or continue it with \
         `covista plan --resume`: {}",
        path.display()
    )]
    CutOff {
        /// The file.
        path: PathBuf,
        /// Positions that are whole.
        positions: u64,
    },
    /// The scene is not the one that was planned.
    #[error(
        "the plan was made for another scene: {name} has the hash {found} here and {planned} in the plan; give the \
         scene of the plan, or --force to draw these poses in this one"
    )]
    OtherScene {
        /// Name of the scene.
        name: String,
        /// Hash of the scene at hand.
        found: String,
        /// Hash in the plan.
        planned: String,
    },
    /// The renderer failed.
    #[error(transparent)]
    Render(#[from] RenderError),
}

impl PlanError {
    /// A failed read of `path`; where there is no such file, its journal may say why.
    pub(super) fn read(path: &Path, reason: std::io::Error) -> Self {
        let path = path.to_owned();
        match reason.kind() {
            std::io::ErrorKind::NotFound if PlanJournal::path_of(&path).exists() => Self::Unfinished { path },
            _ => Self::Read { path, reason },
        }
    }

    /// A file that holds something else.
    pub(super) fn malformed(path: &Path, line: Option<usize>, why: impl Into<String>) -> Self {
        Self::Malformed {
            path: path.to_owned(),
            line,
            // Some parsers put a line break into their message.
            why: why.into().split_whitespace().collect::<Vec<_>>().join(" "),
        }
    }
}
