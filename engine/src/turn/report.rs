//! The figures of one finished turn.

use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};

use super::Anchor;

/// A turn's number within its call, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct TurnId(pub u32);

impl fmt::Display for TurnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How a turn ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The whole answer was played.
    Completed,
    /// The caller interrupted it.
    Interrupted,
    /// A new turn began before anything of it was heard.
    Superseded,
    /// The call ended first.
    CallEnded,
}

/// A turn's durations. What is not known is absent, never 0.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TurnReport {
    /// The turn's number.
    pub turn: TurnId,
    /// What `origin`, the end of the caller's speech, was taken from.
    pub anchor: Anchor,
    /// How the turn ended.
    pub outcome: Outcome,
    /// End of speech to the decision that the turn is over.
    #[serde(rename = "end_of_turn_delay_us", serialize_with = "micros")]
    pub end_of_turn_delay: Option<Duration>,
    /// End of speech to the last transcript of the turn.
    #[serde(rename = "transcription_delay_us", serialize_with = "micros")]
    pub transcription_delay: Option<Duration>,
    /// Request to first token. A turn with tool calls counts its first request.
    #[serde(rename = "llm_ttft_us", serialize_with = "micros")]
    pub llm_ttft: Option<Duration>,
    /// First text sent to the first sound received.
    #[serde(rename = "tts_ttfb_us", serialize_with = "micros")]
    pub tts_ttfb: Option<Duration>,
    /// End of speech to the first sound played.
    #[serde(rename = "e2e_us", serialize_with = "micros")]
    pub e2e: Option<Duration>,
    /// The part of `e2e` spent neither waiting for a provider or tool, nor in a configured delay,
    /// nor held because the caller spoke.
    #[serde(rename = "engine_added_us", serialize_with = "micros")]
    pub engine_added: Option<Duration>,
    /// How much of the answer was played.
    #[serde(rename = "played_us", serialize_with = "some_micros")]
    pub played: Duration,
    /// Onset of the interrupting speech to the moment the agent fell silent.
    #[serde(rename = "barge_in_stop_us", serialize_with = "micros")]
    pub barge_in_stop: Option<Duration>,
    /// The decision to interrupt to the moment the agent fell silent.
    #[serde(rename = "flush_us", serialize_with = "micros")]
    pub flush: Option<Duration>,
}

#[expect(clippy::ref_option, reason = "serde passes the field by reference")]
fn micros<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    match duration {
        Some(duration) => some_micros(duration, serializer),
        None => serializer.serialize_none(),
    }
}

fn some_micros<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX))
}
