//! Messages of the service.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::error::{Problem, Version};
use crate::audio::Timed;

/// Status of every message of a generation that goes well.
const PARTIAL: u16 = 206;
/// `step_time` of every chunk, in ms.
const STEP_MS: f64 = 12.5;

/// A message about one context, before it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Message {
    /// Encoded audio, and the flush it belongs to.
    Chunk(Vec<u8>, u64),
    /// Words whose audio has been sent.
    Timestamps(Vec<Timed>),
    /// All audio before the flush has been sent.
    FlushDone(u64),
    /// The context is over.
    Done,
    /// The context is over, for a reason.
    Error(Problem),
}

impl Message {
    /// Its kind, as `type` has it.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Chunk(..) => "chunk",
            Self::Timestamps(_) => "timestamps",
            Self::FlushDone(_) => "flush_done",
            Self::Done => "done",
            Self::Error(_) => "error",
        }
    }

    /// The message as JSON.
    pub(super) fn value(&self, version: &Version, request_id: &str, context: &str) -> Value {
        if let Self::Error(problem) = self {
            return problem.message(version, request_id, Some(context));
        }
        let mut message = json!({
            "type": self.kind(),
            "done": *self == Self::Done,
            "status_code": PARTIAL,
            "context_id": context,
        });
        match self {
            Self::Chunk(bytes, flush_id) => {
                message["data"] = json!(STANDARD.encode(bytes));
                message["step_time"] = json!(STEP_MS);
                message["flush_id"] = json!(flush_id);
            }
            Self::Timestamps(words) => message["word_timestamps"] = timestamps(words),
            Self::FlushDone(flush_id) => {
                message["flush_done"] = json!(true);
                message["flush_id"] = json!(flush_id);
            }
            Self::Done | Self::Error(_) => {}
        }
        message
    }
}

fn timestamps(words: &[Timed]) -> Value {
    let seconds = |time: std::time::Duration| time.as_micros() as f64 / 1e6;
    json!({
        "words": words.iter().map(|word| &word.word).collect::<Vec<_>>(),
        "start": words.iter().map(|word| seconds(word.start)).collect::<Vec<_>>(),
        "end": words.iter().map(|word| seconds(word.end)).collect::<Vec<_>>(),
    })
}
