//! The record of a call, for nodes that keep one.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::CallEnd;

/// How long all nodes together may take to keep the record of a call. The caller has gone by then,
/// but the call's place is still taken.
pub const RECORD_LIMIT: Duration = Duration::from_secs(3);

/// What is known of a call that is over. No word that was said in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRecord {
    /// How it ended, and under which id it ran.
    pub end: CallEnd,
    /// The pipeline's name.
    pub pipeline: Arc<str>,
    /// The phone number or identity of the caller, where the transport knows it.
    pub caller: Option<Arc<str>>,
    /// When it began, by the wall clock.
    pub started_at: SystemTime,
    /// How many turns were begun.
    pub turns: u32,
}

/// Why a record was not kept, in words for the log: no secret, and not the caller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unrecorded(pub String);
