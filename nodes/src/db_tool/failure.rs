//! Why a tool did not do what it was asked, and what the model is told of it.
//!
//! The model gets a class and a sentence that it can talk about. What the database said is for the
//! log.

use voicegraph_database::DatabaseError;
use voicegraph_engine::message::{ToolError, ToolFailure};

use super::settings::Tool;

/// Why a tool did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    /// The arguments do not fit the schema.
    #[error("the arguments do not fit the schema")]
    Arguments(String),
    /// Nothing was found or changed, which the tool holds to be a failure.
    #[error("no row was found or changed")]
    None,
    /// The database did not do it. Nothing was changed.
    #[error("{0}")]
    Database(#[from] DatabaseError),
    /// It took longer than the tool may. Nothing was changed.
    #[error("the tool took longer than it may")]
    TimedOut,
    /// The connection was lost while a write was being committed, and none could be had to ask
    /// what became of it.
    #[error("it is not known whether the write was done: {0}")]
    Unknown(DatabaseError),
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.into())
    }
}

impl Failure {
    /// What the model is told.
    pub(super) fn told(&self, tool: &Tool) -> ToolError {
        let unavailable = |message: &str| (ToolFailure::Unavailable, message.to_owned());
        let (failure, message) = match self {
            Self::Arguments(what) => (ToolFailure::InvalidArgument, what.clone()),
            Self::None => named(tool.none.as_ref(), "nothing was found"),
            Self::Database(DatabaseError::Constraint { name, .. }) => {
                named(tool.errors.get(name), "the rules of the database do not allow it")
            }
            Self::Database(DatabaseError::Invalid { code, .. }) if is_of_argument(code) => {
                (ToolFailure::InvalidArgument, "an argument is out of range".to_owned())
            }
            Self::Database(_) | Self::TimedOut => unavailable("it cannot be done now"),
            Self::Unknown(_) => unavailable(
                "it is not known whether this was done; the same call again is safe and will tell",
            ),
        };
        ToolError { failure, message }
    }
}

/// The name that the pipeline's author gave, and its words; or else that an argument is to blame.
fn named(failure: Option<&ToolFailure>, message: &str) -> (ToolFailure, String) {
    match failure {
        Some(ToolFailure::Named(name)) => {
            (ToolFailure::Named(name.clone()), name.replace('_', " "))
        }
        Some(other) => (other.clone(), message.to_owned()),
        None => (ToolFailure::InvalidArgument, message.to_owned()),
    }
}

/// SQLSTATE class 22, or SQLite's TOOBIG, MISMATCH and RANGE: the statement was prepared at start,
/// so what is wrong is a value.
fn is_of_argument(code: &str) -> bool {
    code.len() == 5 && code.starts_with("22") || matches!(code, "18" | "20" | "25")
}
