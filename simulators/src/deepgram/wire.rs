//! Deepgram's messages: what clients say in text frames, and what goes back. All fields of the
//! reference's examples are always present, since strict clients require them.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::hearing::Report;
use super::query::Query;
use crate::audio::Timed;

/// Confidence of everything that the simulator hears.
const CONFIDENCE: f64 = 0.99;

/// A text message of the client.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "type")]
pub(crate) enum Command {
    /// Nothing to say, but still there.
    KeepAlive {},
    /// Report what is pending now.
    Finalize {
        /// The channel, of which there is one.
        #[serde(default)]
        channel: Option<u32>,
    },
    /// The stream is over.
    CloseStream {},
    /// Changes the key terms; `null` and absence leave them.
    Configure {
        /// The whole new list.
        #[serde(default)]
        keyterms: Option<Vec<String>>,
    },
}

/// Reads a text message; the error says what no one understands.
pub(crate) fn decode(text: &str) -> Result<Command, serde_json::Error> {
    serde_json::from_str(text)
}

/// What each message of one stream repeats.
#[derive(Debug)]
pub(super) struct Voice {
    request_id: String,
    model: String,
    punctuate: bool,
}

impl Voice {
    /// The messages of stream `request_id`.
    pub(super) fn new(request_id: String, query: &Query) -> Self {
        Self { request_id, model: query.model.clone(), punctuate: query.punctuate }
    }

    pub(super) fn results(&self, report: &Report, is_final: bool) -> Value {
        let words: Vec<_> = report.words.iter().map(|word| self.word(word)).collect();
        let transcript: Vec<_> = report.words.iter().map(|word| self.written(word)).collect();
        let confidence = if words.is_empty() { 0.0 } else { CONFIDENCE };
        json!({
            "type": "Results",
            "channel_index": [0, 1],
            "start": seconds(report.start),
            "duration": seconds(report.end - report.start),
            "is_final": is_final,
            "speech_final": report.speech_final,
            "from_finalize": report.from_finalize,
            "channel": { "alternatives": [{
                "transcript": transcript.join(" "),
                "confidence": confidence,
                "words": words,
            }] },
            "metadata": {
                "request_id": self.request_id,
                "model_info": {
                    "name": format!("general-{}", self.model),
                    "version": "2025-07-31.0",
                    "arch": self.model,
                },
                "model_uuid": MODEL_UUID,
            },
        })
    }

    fn word(&self, word: &Timed) -> Value {
        let mut value = json!({
            "word": bare(&word.word),
            "start": seconds(word.start),
            "end": seconds(word.end),
            "confidence": CONFIDENCE,
        });
        if self.punctuate {
            value["punctuated_word"] = json!(word.word);
        }
        value
    }

    /// A word as the transcript has it.
    fn written(&self, word: &Timed) -> String {
        if self.punctuate { word.word.clone() } else { bare(&word.word) }
    }

    pub(super) fn metadata(&self, duration: Duration) -> Value {
        json!({
            "type": "Metadata",
            "transaction_key": "deprecated",
            "request_id": self.request_id,
            "sha256": "0".repeat(64),
            "created": "2026-01-01T00:00:00.000Z",
            "duration": seconds(duration),
            "channels": 1,
            "models": [MODEL_UUID],
            "model_info": { MODEL_UUID: {
                "name": format!("general-{}", self.model),
                "version": "2025-07-31.0",
                "arch": self.model,
            } },
        })
    }

    pub(super) fn configured(&self, keyterms: &[String]) -> Value {
        json!({
            "type": "ConfigureSuccess",
            "request_id": self.request_id,
            "keyterms": keyterms,
        })
    }

    pub(super) fn not_configured(&self) -> Value {
        json!({
            "type": "ConfigureFailure",
            "request_id": self.request_id,
            "code": "CONFIGURE_KEYTERMS_NOT_SUPPORTED",
            "description": "Key terms need a nova-3 model.",
        })
    }
}

/// The one model there is.
const MODEL_UUID: &str = "00000000-0000-4000-8000-000000000003";

pub(super) fn speech_started(at: Duration) -> Value {
    json!({ "type": "SpeechStarted", "channel": [0, 1], "timestamp": seconds(at) })
}

pub(super) fn utterance_end(last_word_end: Duration) -> Value {
    json!({ "type": "UtteranceEnd", "channel": [0, 1], "last_word_end": seconds(last_word_end) })
}

pub(super) fn schema_error(text: &str, error: &serde_json::Error) -> Value {
    json!({
        "type": "Error",
        "variant": "SchemaError",
        "description": format!("Could not deserialize last text message: {error}"),
        "message": text,
    })
}

/// The word without case and punctuation at its ends.
fn bare(word: &str) -> String {
    word.trim_matches(|letter: char| !letter.is_alphanumeric()).to_lowercase()
}

/// Seconds with microseconds, as stream times are written.
fn seconds(time: Duration) -> f64 {
    (time.as_micros() as f64) / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_of_the_reference_are_understood() {
        let cases = [
            (r#"{"type":"KeepAlive"}"#, Command::KeepAlive {}),
            (r#"{"type":"Finalize"}"#, Command::Finalize { channel: None }),
            (r#"{"type":"Finalize","channel":0}"#, Command::Finalize { channel: Some(0) }),
            (r#"{"type":"CloseStream"}"#, Command::CloseStream {}),
            (r#"{"type":"Configure","keyterms":null}"#, Command::Configure { keyterms: None }),
            (
                r#"{"type":"Configure","keyterms":[],"features":{"numerals":true}}"#,
                Command::Configure { keyterms: Some(Vec::new()) },
            ),
        ];
        for (text, command) in cases {
            assert_eq!(decode(text).unwrap(), command, "{text}");
        }
        for text in ["", "{", "{}", r#"{"type":"Finalise"}"#, "[1]"] {
            decode(text).unwrap_err();
        }
    }

    #[test]
    fn words_lose_their_punctuation_but_not_their_apostrophe() {
        assert_eq!(bare("O'clock,"), "o'clock");
    }
}
