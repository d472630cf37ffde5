//! The documented exit codes: 0 done, 1 a defect of the program, 2 bad arguments or config, 3 bad scene or input, 4 no usable
//! adapter, 5 output cannot be written, 130 interrupted.

use std::process::ExitCode;

use covista::config::ConfigError;
use covista::export::ExportError;
use covista::generate::{GenerateError, WalkableError};
use covista::mine::MineError;
use covista::navmesh::NavMeshError;
use covista::plan::PlanError;
use covista::render::RenderError;
use covista::scene::{SceneError, SceneListError};
use covista::shard::ShardError;
use covista::stream::StreamError;

/// For what is nobody's fault but the program's.
const DEFECT: u8 = 1;
const BAD_ARGUMENTS: u8 = 2;
const BAD_INPUT: u8 = 3;
const NO_ADAPTER: u8 = 4;
const BAD_OUTPUT: u8 = 5;
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
            code: BAD_ARGUMENTS,
            message: message.into(),
        }
        .into()
    }

    /// Bad scene or input file (3).
    pub fn input(message: impl Into<String>) -> anyhow::Error {
        Self {
            code: BAD_INPUT,
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
            code: BAD_OUTPUT,
            message: message.into(),
        }
        .into()
    }
}

/// What to do about an end that was not the run's own: a full disk, or being asked to stop. Other errors stay as they are.
pub fn advise(error: anyhow::Error, command: impl FnOnce() -> String) -> anyhow::Error {
    let goes_on = error.chain().any(|cause| {
        matches!(
            cause.downcast_ref::<ExportError>(),
            Some(ExportError::DiskFull { .. } | ExportError::Stopped { .. })
        )
    });
    match goes_on {
        true => with_advice(error, &format!("continue with: {}", command())),
        false => error,
    }
}

/// The error with a sentence behind it, and its own exit code.
pub fn with_advice(error: anyhow::Error, advice: &str) -> anyhow::Error {
    Failure {
        code: error.chain().find_map(code_of_cause).unwrap_or(DEFECT),
        message: format!("{error:#}; {advice}"),
    }
    .into()
}

/// Whether the run was asked to end (130).
pub fn is_interrupted(error: &anyhow::Error) -> bool {
    error.chain().find_map(code_of_cause) == Some(INTERRUPTED)
}

/// The exit code of an error, found anywhere in its chain; 1 for one that is nobody's.
pub fn code_of(error: &anyhow::Error) -> ExitCode {
    ExitCode::from(error.chain().find_map(code_of_cause).unwrap_or(DEFECT))
}

/// Whether an error is the fault of a scene or another input (3).
pub fn is_input(error: &anyhow::Error) -> bool {
    error.chain().find_map(code_of_cause) == Some(BAD_INPUT)
}

fn code_of_cause(cause: &(dyn std::error::Error + 'static)) -> Option<u8> {
    if let Some(failure) = cause.downcast_ref::<Failure>() {
        return Some(failure.code);
    }
    if cause.is::<ConfigError>() {
        return Some(BAD_ARGUMENTS);
    }
    if let Some(SceneListError::Empty) = cause.downcast_ref::<SceneListError>() {
        return Some(BAD_ARGUMENTS);
    }
    if cause.is::<SceneError>() || cause.is::<SceneListError>() {
        return Some(BAD_INPUT);
    }
    if let Some(error) = cause.downcast_ref::<NavMeshError>() {
        return Some(match error {
            NavMeshError::Config(_) => BAD_ARGUMENTS,
            NavMeshError::Write { .. } => BAD_OUTPUT,
            _ => BAD_INPUT,
        });
    }
    if let Some(error) = cause.downcast_ref::<RenderError>() {
        return Some(match error {
            RenderError::Config(_) => BAD_ARGUMENTS,
            RenderError::Camera { .. } | RenderError::TooLarge { .. } => BAD_INPUT,
            _ => NO_ADAPTER,
        });
    }
    if let Some(error) = cause.downcast_ref::<ExportError>() {
        return Some(match error {
            ExportError::Mismatch { .. } | ExportError::NoSuchPair { .. } => BAD_ARGUMENTS,
            ExportError::Stopped { .. } => INTERRUPTED,
            ExportError::Read { .. } | ExportError::Damaged { .. } | ExportError::Unrecognised { .. } => BAD_INPUT,
            _ => BAD_OUTPUT,
        });
    }
    #[cfg(feature = "object-store")]
    if let Some(error) = cause.downcast_ref::<covista::store::StoreError>() {
        return Some(match error {
            covista::store::StoreError::Address { .. } => BAD_ARGUMENTS,
            _ => BAD_OUTPUT,
        });
    }
    if let Some(error) = cause.downcast_ref::<ShardError>() {
        return match error {
            ShardError::Plan(_) | ShardError::Environment(_) => Some(BAD_ARGUMENTS),
            ShardError::Incomplete(_) => Some(BAD_INPUT),
            ShardError::Export(error) => code_of_cause(error),
        };
    }
    if let Some(error) = cause.downcast_ref::<MineError>() {
        return Some(match error {
            MineError::NoFrameRate { .. } => BAD_ARGUMENTS,
            _ => BAD_INPUT,
        });
    }
    if let Some(error) = cause.downcast_ref::<PlanError>() {
        return match error {
            PlanError::Render(error) => code_of_cause(error),
            _ => Some(BAD_INPUT),
        };
    }
    if let Some(error) = cause.downcast_ref::<GenerateError>() {
        return code_of_generate(error);
    }
    if let Some(error) = cause.downcast_ref::<StreamError<GenerateError>>() {
        return match error {
            StreamError::Source(error) => code_of_generate(error),
            StreamError::OtherPair { .. } => Some(BAD_ARGUMENTS),
            StreamError::TooFewPairs { .. } => Some(BAD_INPUT),
            _ => None,
        };
    }
    if let Some(error) = cause.downcast_ref::<WalkableError>() {
        return code_of_walkable(error);
    }
    #[cfg(feature = "train")]
    if let Some(error) = cause.downcast_ref::<covista::train::TrainError>() {
        use covista::train::TrainError;
        return match error {
            TrainError::Config(_) | TrainError::BatchShape { .. } | TrainError::Precision { .. } => Some(BAD_ARGUMENTS),
            TrainError::Input { .. } | TrainError::Weights(_) => Some(BAD_INPUT),
            TrainError::Output { .. } => Some(BAD_OUTPUT),
            TrainError::Device { .. } => Some(NO_ADAPTER),
            // A failed stream carries its reason, which comes next in the chain.
            _ => None,
        };
    }
    None
}

fn code_of_generate(error: &GenerateError) -> Option<u8> {
    match error {
        GenerateError::Render(error) => code_of_cause(error),
        GenerateError::Walkable(error) => code_of_walkable(error),
        _ => Some(BAD_INPUT),
    }
}

fn code_of_walkable(error: &WalkableError) -> Option<u8> {
    match error {
        WalkableError::Scene(error) => code_of_cause(error),
        WalkableError::NavMesh(error) => code_of_cause(error),
        WalkableError::NoReader => None,
        _ => Some(BAD_INPUT),
    }
}
