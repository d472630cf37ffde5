//! The documented exit codes: 0 done, 2 bad arguments or config, 3 bad scene or input, 4 no usable
//! adapter, 5 output cannot be written, 130 interrupted.

use std::process::ExitCode;

/// Exit code of a run that was interrupted; what it had finished is kept.
pub const INTERRUPTED: u8 = 130;

/// A failure that knows its exit code, for what no library error type covers.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// Exit code.
    pub code: u8,
    /// What was wrong, where, what to do.
    pub message: String,
}

impl Failure {
    /// Bad arguments or config (2).
    pub fn arguments(message: impl Into<String>) -> anyhow::Error {
        Self {
            code: 2,
            message: message.into(),
        }
        .into()
    }

    /// Bad scene or input file (3).
    pub fn input(message: impl Into<String>) -> anyhow::Error {
        Self {
            code: 3,
            message: message.into(),
        }
        .into()
    }

    /// Ended by Ctrl-C or SIGTERM (130).
    pub fn interrupted(message: impl Into<String>) -> anyhow::Error {
        Self {
            code: INTERRUPTED,
            message: message.into(),
        }
        .into()
    }

    /// Output cannot be written (5).
    pub fn output(message: impl Into<String>) -> anyhow::Error {
        Self {
            code: 5,
            message: message.into(),
        }
        .into()
    }
}

/// The exit code of an error, found anywhere in its chain; 1 for one that is nobody's.
pub fn code_of(error: &anyhow::Error) -> ExitCode {
    for cause in error.chain() {
        if let Some(failure) = cause.downcast_ref::<Failure>() {
            return ExitCode::from(failure.code);
        }
    }
    ExitCode::from(1)
}
