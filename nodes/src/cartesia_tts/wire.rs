//! Cartesia's websocket messages: pure encode and decode, of the version 2026-03-01 and those
//! before.
//!
//! Both directions are JSON text; audio is base64 within it. Decoding looks at `type` first: an
//! error carries `done: true` as the end does, and must not be taken for it.

use std::borrow::Cow;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use voicegraph_engine::turn::SpokenWord;

/// What each request of a context repeats unchanged.
#[derive(Clone, Debug, PartialEq)]
pub struct Voice {
    /// The model's name.
    pub model: String,
    /// The voice's id.
    pub voice: String,
    /// The language, ISO 639-1; the model's own default where absent.
    pub language: Option<String>,
    /// The rate of the sound asked for, in Hz; its encoding is always `pcm_s16le`, mono.
    pub sample_rate_hz: u32,
    /// How long the provider may hold text to join it with more, in milliseconds.
    pub max_buffer_delay_ms: u32,
    /// Whether word times are asked for.
    pub word_timestamps: bool,
    /// The manner of speaking; left out of the request where nothing is set.
    pub manner: Manner,
}

/// The manner of speaking: `generation_config` on the wire. What is absent is the provider's
/// choice.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Manner {
    /// 0.6 to 1.5; 1 is the voice's own pace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speed: Option<f64>,
    /// 0.5 to 2; 1 is the voice's own loudness.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume: Option<f64>,
    /// `neutral`, `content` and others; the provider's list is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub emotion: Option<String>,
}

impl Manner {
    fn is_unset(&self) -> bool {
        *self == Self::default()
    }
}

/// A message to the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Speaks `transcript` in the context.
    Speak {
        /// The context.
        context: String,
        /// The text, which is joined literally to what was sent before; may be empty at the end.
        transcript: String,
        /// Whether more text follows.
        more: bool,
    },
    /// Stops the context.
    Cancel {
        /// The context.
        context: String,
    },
}

#[derive(Serialize)]
struct Speak<'a> {
    context_id: &'a str,
    model_id: &'a str,
    transcript: &'a str,
    voice: VoiceId<'a>,
    output_format: OutputFormat,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'a str>,
    #[serde(rename = "continue")]
    more: bool,
    max_buffer_delay_ms: u32,
    add_timestamps: bool,
    #[serde(skip_serializing_if = "Manner::is_unset")]
    generation_config: &'a Manner,
}

#[derive(Serialize)]
struct VoiceId<'a> {
    mode: &'static str,
    id: &'a str,
}

#[derive(Serialize)]
struct OutputFormat {
    container: &'static str,
    encoding: &'static str,
    sample_rate: u32,
}

#[derive(Serialize)]
struct Cancel<'a> {
    context_id: &'a str,
    cancel: bool,
}

impl Request {
    /// The message as JSON.
    pub fn encode(&self, voice: &Voice) -> String {
        let json = match self {
            Self::Speak { context, transcript, more } => {
                serde_json::to_string(&speak(voice, context, transcript, *more))
            }
            Self::Cancel { context } => {
                serde_json::to_string(&Cancel { context_id: context, cancel: true })
            }
        };
        json.expect("strings, numbers and flags are always JSON")
    }
}

fn speak<'a>(voice: &'a Voice, context: &'a str, transcript: &'a str, more: bool) -> Speak<'a> {
    Speak {
        context_id: context,
        model_id: &voice.model,
        transcript,
        voice: VoiceId { mode: "id", id: &voice.voice },
        output_format: OutputFormat {
            container: "raw",
            encoding: "pcm_s16le",
            sample_rate: voice.sample_rate_hz,
        },
        language: voice.language.as_deref(),
        more,
        max_buffer_delay_ms: voice.max_buffer_delay_ms,
        add_timestamps: voice.word_timestamps,
        generation_config: &voice.manner,
    }
}

/// A message from the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The context that it belongs to; absent in errors that belong to none.
    pub context: Option<String>,
    /// What it says.
    pub body: Body,
}

/// What a reply says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// Sound, i16 little-endian mono; may end within a sample.
    Chunk(Vec<u8>),
    /// Words with their times, counted from the context's first sound.
    Words(Vec<SpokenWord>),
    /// The context is over.
    Done,
    /// The context failed, or the request without one.
    Error(WireError),
    /// Something that is not used here: `flush_done`, `phoneme_timestamps`, and what is new.
    Other,
}

/// An error as the provider tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireError {
    /// The HTTP status that it stands for, where one is given.
    pub status: Option<u16>,
    /// What happened, in the provider's words.
    pub message: String,
}

/// Why a message cannot be read. What it held is not repeated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// It is no JSON of the known shape.
    #[error("a message is malformed at line {line}, column {column}")]
    Json {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// Its kind needs a field that is absent.
    #[error("a message of type {kind:?} has no {field:?}")]
    Missing {
        /// The message's `type`.
        kind: &'static str,
        /// The absent field.
        field: &'static str,
    },
    /// Its audio is not base64.
    #[error("a chunk's audio is not base64")]
    Audio,
    /// Its words and times do not match.
    #[error("word times that are not parallel or no times")]
    Times,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    context_id: Option<String>,
    #[serde(borrow)]
    data: Option<Cow<'a, str>>,
    word_timestamps: Option<WordTimestamps>,
    status_code: Option<u16>,
    title: Option<String>,
    message: Option<String>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct WordTimestamps {
    words: Vec<String>,
    start: Vec<f64>,
    end: Vec<f64>,
}

/// Reads a message.
///
/// # Errors
/// [`DecodeError`], which never repeats the content.
pub fn decode(text: &str) -> Result<Reply, DecodeError> {
    let message: Message<'_> = serde_json::from_str(text)
        .map_err(|error| DecodeError::Json { line: error.line(), column: error.column() })?;
    let body = match message.kind.as_ref() {
        "error" => Body::Error(WireError {
            status: message.status_code,
            message: message.error.or(message.message).or(message.title).unwrap_or_default(),
        }),
        "chunk" => Body::Chunk(audio(message.data.as_deref())?),
        "timestamps" => Body::Words(words(message.word_timestamps)?),
        "done" => Body::Done,
        _ => Body::Other,
    };
    Ok(Reply { context: message.context_id, body })
}

fn audio(data: Option<&str>) -> Result<Vec<u8>, DecodeError> {
    let data = data.ok_or(DecodeError::Missing { kind: "chunk", field: "data" })?;
    STANDARD.decode(data).map_err(|_| DecodeError::Audio)
}

fn words(timestamps: Option<WordTimestamps>) -> Result<Vec<SpokenWord>, DecodeError> {
    let missing = DecodeError::Missing { kind: "timestamps", field: "word_timestamps" };
    let WordTimestamps { words, start, end } = timestamps.ok_or(missing)?;
    if words.len() != start.len() || words.len() != end.len() {
        return Err(DecodeError::Times);
    }
    let timed = words.into_iter().zip(start.into_iter().zip(end));
    timed.map(|(text, (start, end))| word(&text, start, end)).collect()
}

/// A word from `start` to `end`, in seconds. A word that ends before it begins has no length.
fn word(text: &str, start: f64, end: f64) -> Result<SpokenWord, DecodeError> {
    let time = |seconds: f64| Duration::try_from_secs_f64(seconds.max(0.0));
    let start = time(start).map_err(|_| DecodeError::Times)?;
    let end = time(end).map_err(|_| DecodeError::Times)?.max(start);
    Ok(SpokenWord { text: text.trim().to_owned(), start, end })
}

#[cfg(test)]
mod tests;
