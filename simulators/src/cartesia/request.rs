//! What clients send: a generation request or a cancel, checked. Pure; fuzzed.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::error::Problem;
use crate::audio::Encoding;

/// Sample rates of the service, in Hz.
const RATES_HZ: [u64; 6] = [8_000, 16_000, 22_050, 24_000, 44_100, 48_000];
/// Longest `max_buffer_delay_ms`.
const DELAY_LIMIT_MS: u64 = 5_000;
/// Longest transcript of one request, in characters.
const TEXT_LIMIT: usize = 4_000;

/// A message of the client.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Request {
    /// Text for a context.
    Speak(Speak),
    /// Speak no more of this context.
    Cancel(String),
}

/// Text for a context, which the first request of an id opens.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Speak {
    pub(super) context: String,
    pub(super) text: String,
    pub(super) format: Format,
    /// What all requests of a context must repeat.
    pub(super) fixed: Value,
    pub(super) timestamps: bool,
    /// Whether more text will come.
    pub(super) has_more: bool,
    pub(super) flush: bool,
    /// How long text may wait for more; `None` for the server's default.
    pub(super) buffer_delay: Option<Duration>,
}

/// How audio is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Format {
    pub(super) container: Container,
    pub(super) encoding: Encoding,
    pub(super) rate_hz: u32,
}

/// What audio is wrapped in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Container {
    /// Nothing.
    Raw,
    /// A WAV header of unknown length.
    Wav,
}

/// Reads a websocket message. The error carries the context's id, where it has one.
pub(crate) fn decode(text: &str) -> Result<Request, (Option<String>, Problem)> {
    let fields: Map<String, Value> = serde_json::from_str(text)
        .map_err(|error| (None, Problem::bad("Invalid JSON", error.to_string())))?;
    let id = match fields.get("context_id").and_then(Value::as_str) {
        Some(id) if !id.is_empty() => id.to_owned(),
        _ => return Err((None, Problem::bad("Invalid request", "context_id is required"))),
    };
    if fields.get("cancel") == Some(&Value::Bool(true)) {
        return Ok(Request::Cancel(id));
    }
    let speak = Fields(&fields).speak(&id).and_then(|speak| match speak.format.container {
        Container::Raw => Ok(speak),
        Container::Wav => Err(Problem::bad("Invalid output format", "container must be raw")),
    });
    speak.map(Request::Speak).map_err(|problem| (Some(id), problem))
}

/// Reads the body of an HTTP request, which is a context by itself.
pub(super) fn decode_body(body: &[u8]) -> Result<Speak, Problem> {
    let fields: Map<String, Value> = serde_json::from_slice(body)
        .map_err(|error| Problem::bad("Invalid JSON", error.to_string()))?;
    let id = fields.get("context_id").and_then(Value::as_str).unwrap_or("http");
    let speak = Fields(&fields).speak(id)?;
    Ok(Speak { has_more: false, ..speak })
}

struct Fields<'r>(&'r Map<String, Value>);

impl Fields<'_> {
    fn speak(&self, context: &str) -> Result<Speak, Problem> {
        let Some(text) = self.0.get("transcript").and_then(Value::as_str) else {
            return Err(Problem::bad("Invalid transcript", "transcript is required"));
        };
        if text.chars().count() > TEXT_LIMIT {
            let message = format!("transcript is longer than {TEXT_LIMIT} characters");
            return Err(Problem::bad("Invalid transcript", message));
        }
        self.check_voice()?;
        let fixed = ["model_id", "voice", "output_format", "language"];
        Ok(Speak {
            context: context.to_owned(),
            text: text.to_owned(),
            format: self.format()?,
            fixed: fixed.iter().map(|name| json!(self.0.get(*name))).collect(),
            timestamps: self.flag("add_timestamps")?,
            has_more: self.flag("continue")?,
            flush: self.flag("flush")?,
            buffer_delay: self.buffer_delay()?,
        })
    }

    fn check_voice(&self) -> Result<(), Problem> {
        if self.0.get("model_id").and_then(Value::as_str).is_none_or(str::is_empty) {
            return Err(Problem::bad("Invalid model", "model_id is required"));
        }
        let voice = self.0.get("voice").unwrap_or(&Value::Null);
        let is_given = match voice["mode"].as_str() {
            Some("id") => voice["id"].is_string(),
            Some("embedding") => voice["embedding"].is_array(),
            _ => voice.is_string(),
        };
        if is_given {
            return Ok(());
        }
        let message = "voice must be {\"mode\":\"id\",\"id\":\"…\"}";
        Err(Problem::bad("Invalid voice", message))
    }

    fn format(&self) -> Result<Format, Problem> {
        let bad = |message: &str| Err(Problem::bad("Invalid output format", message));
        let Some(format) = self.0.get("output_format").filter(|format| format.is_object()) else {
            return bad("output_format is required");
        };
        let container = match format["container"].as_str() {
            Some("raw") => Container::Raw,
            Some("wav") => Container::Wav,
            Some("mp3") => return bad("the simulator makes raw and wav, not mp3"),
            _ => return bad("container must be raw, wav or mp3"),
        };
        let encoding = match format["encoding"].as_str() {
            Some("pcm_s16le") => Encoding::S16le,
            Some("pcm_f32le") => Encoding::F32le,
            Some("pcm_mulaw") => Encoding::Mulaw,
            Some("pcm_alaw") => Encoding::Alaw,
            _ => return bad("encoding must be pcm_f32le, pcm_s16le, pcm_mulaw or pcm_alaw"),
        };
        match format["sample_rate"].as_u64() {
            Some(rate) if RATES_HZ.contains(&rate) => {
                Ok(Format { container, encoding, rate_hz: rate as u32 })
            }
            _ => bad("sample_rate must be 8000, 16000, 22050, 24000, 44100 or 48000"),
        }
    }

    fn flag(&self, name: &str) -> Result<bool, Problem> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(Problem::bad("Invalid request", format!("{name} must be a boolean"))),
        }
    }

    fn buffer_delay(&self) -> Result<Option<Duration>, Problem> {
        match self.0.get("max_buffer_delay_ms") {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match value.as_u64() {
                Some(ms) if ms <= DELAY_LIMIT_MS => Ok(Some(Duration::from_millis(ms))),
                _ => {
                    let message = "max_buffer_delay_ms must be 0 to 5000";
                    Err(Problem::bad("Invalid request", message))
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(changes: &Value) -> Value {
        let mut request = json!({
            "context_id": "turn-17", "model_id": "sonic-3", "transcript": "Hello there. ",
            "voice": { "mode": "id", "id": "v" }, "language": "en", "continue": true,
            "output_format":
                { "container": "raw", "encoding": "pcm_s16le", "sample_rate": 24_000 },
            "max_buffer_delay_ms": 0, "add_timestamps": true,
        });
        for (key, value) in changes.as_object().unwrap() {
            request[key] = value.clone();
        }
        request
    }

    #[test]
    fn request_of_the_reference_is_read() {
        let Request::Speak(speak) = decode(&request(&json!({})).to_string()).unwrap() else {
            panic!("no cancel was sent")
        };
        assert_eq!((speak.context.as_str(), speak.text.as_str()), ("turn-17", "Hello there. "));
        assert!(speak.has_more && speak.timestamps && !speak.flush);
        assert_eq!(speak.buffer_delay, Some(Duration::ZERO));
        assert_eq!(speak.format.rate_hz, 24_000);
    }

    #[test]
    fn cancel_needs_only_its_context() {
        let cancel = decode(r#"{"context_id":"a","cancel":true}"#).unwrap();
        assert_eq!(cancel, Request::Cancel("a".to_owned()));
    }

    #[test]
    fn mistakes_are_named() {
        let format = |container, encoding, rate| {
            let format =
                json!({ "container": container, "encoding": encoding, "sample_rate": rate });
            json!({ "output_format": format })
        };
        let cases = [
            (json!({ "context_id": null }), "context_id"),
            (json!({ "transcript": null }), "transcript"),
            (json!({ "transcript": "x".repeat(4_001) }), "4000"),
            (json!({ "model_id": "" }), "model_id"),
            (json!({ "voice": { "mode": "id" } }), "voice"),
            (json!({ "output_format": null }), "output_format"),
            (format("wav", "pcm_s16le", 24_000), "container must be raw"),
            (format("raw", "opus", 24_000), "encoding"),
            (format("raw", "pcm_s16le", 11_025), "sample_rate"),
            (json!({ "continue": "yes" }), "continue"),
            (json!({ "max_buffer_delay_ms": 9_000 }), "max_buffer_delay_ms"),
        ];
        for (changes, part) in cases {
            let (_, problem) = decode(&request(&changes).to_string()).unwrap_err();
            assert!(problem.message.contains(part), "{}", problem.message);
        }
        assert!(decode("{").is_err() && decode("[]").is_err());
    }
}
