//! Why and when a call ended.

use std::sync::Arc;
use std::time::Duration;

/// A call that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallEnd {
    /// The call's id.
    pub session_id: Arc<str>,
    /// Why it ended.
    pub reason: EndReason,
    /// From its start to the end of its last stage.
    pub duration: Duration,
}

/// Why a call ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndReason {
    /// The caller's audio came to its end, and all that was said has been answered.
    #[error("the caller's audio came to its end")]
    Finished,
    /// The caller is gone.
    #[error("the caller hung up")]
    HungUp,
    /// The process asked the call to end.
    #[error("the call was closed")]
    Closed,
    /// What the call was given does not fit the pipeline.
    #[error("the call was refused: {what}")]
    Refused {
        /// What is wrong, without values.
        what: String,
    },
    /// The stages did not finish in time after the sources had closed.
    #[error("the call did not drain within {} ms", limit.as_millis())]
    DrainTimedOut {
        /// The time that was given.
        limit: Duration,
    },
    /// A node could not go on.
    #[error("node {node:?} failed: {error}")]
    NodeFailed {
        /// The node.
        node: Arc<str>,
        /// Its error, without content or secrets.
        error: String,
    },
    /// A node panicked, which is a mistake of the program.
    #[error("node {node:?} panicked")]
    NodePanicked {
        /// The node.
        node: Arc<str>,
    },
}

impl EndReason {
    /// A short name for metrics and tools.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::HungUp => "hung_up",
            Self::Closed => "closed",
            Self::Refused { .. } => "refused",
            Self::DrainTimedOut { .. } => "drain_timed_out",
            Self::NodeFailed { .. } => "node_failed",
            Self::NodePanicked { .. } => "node_panicked",
        }
    }

    /// Whether the call ended as calls should.
    pub fn is_ok(&self) -> bool {
        matches!(self, Self::Finished | Self::HungUp | Self::Closed)
    }
}
