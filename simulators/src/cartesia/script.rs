//! `[cartesia]` of the script.

use std::num::{NonZeroU64, NonZeroUsize};
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::text::Key;
use crate::audio::Speech;
use crate::fault::{self, After, Complaint, Own, Planned};
use crate::script::{ScriptError, Source};

/// How text is spoken.
#[derive(Debug, Clone)]
pub struct Script {
    /// Texts that were recorded.
    pub lines: Vec<Line>,
    /// From text that can be spoken to its first audio.
    pub first_byte: Duration,
    /// Audio per chunk.
    pub chunk: Duration,
    /// How many times faster than it plays audio comes.
    pub speed: f64,
    /// Length of a character that nobody recorded.
    pub per_char: Duration,
    /// `max_buffer_delay_ms` of a request that has none.
    pub buffer_delay: Duration,
    /// Contexts at a time, over all connections.
    pub context_limit: usize,
    /// A context without more text ends this long after its last audio.
    pub context_expiry: Duration,
    /// A connection without a message for this long is closed.
    pub idle_timeout: Duration,
    /// What goes wrong.
    pub faults: Vec<Planned<Fault>>,
}

/// A recorded text.
#[derive(Debug, Clone)]
pub struct Line {
    /// The text.
    pub text: String,
    /// Its recording.
    pub speech: Speech,
    pub(super) key: Key,
}

/// Faults that only Cartesia has.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// An error message in the midst of a context.
    Error {
        /// The n-th context of the connection, from 1; `None` means every one.
        context: Option<NonZeroU64>,
        /// After this many of the context's chunks, or this long after its first text.
        after: After,
        /// 400 to 599.
        status: u16,
        /// `error_code`, e.g. `concurrency_limited`.
        code: Option<String>,
        /// Its message.
        message: String,
    },
    /// The audio under way goes on after a cancel, and `done` follows.
    ChunksAfterCancel,
    /// `done` comes this much later than it is true.
    LateDone(Duration),
    /// Chunks are cut within samples.
    OddChunks,
}

/// `[cartesia]` as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Options {
    lines: Vec<LineOptions>,
    first_byte_ms: u64,
    /// At least 1.
    chunk_ms: u64,
    /// Above 0; 1 is real time.
    speed: Spanned<f64>,
    ms_per_char: u64,
    buffer_delay_ms: u64,
    max_contexts: NonZeroUsize,
    context_expiry_ms: u64,
    idle_timeout_ms: u64,
    faults: Vec<fault::Options>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LineOptions {
    text: Spanned<String>,
    speech: Spanned<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            lines: Vec::new(),
            first_byte_ms: 90,
            chunk_ms: 40,
            speed: Spanned::new(0..0, 10.0),
            ms_per_char: 60,
            // The default of the newest documentation; older ones say 0.
            buffer_delay_ms: 3_000,
            max_contexts: CONTEXT_LIMIT,
            context_expiry_ms: 1_000,
            idle_timeout_ms: 300_000,
            faults: Vec::new(),
        }
    }
}

/// Contexts at a time where the script sets no limit.
const CONTEXT_LIMIT: NonZeroUsize = NonZeroUsize::new(1_000).expect("it is not zero");

impl Options {
    pub(crate) fn build(mut self, source: &Source<'_>) -> Result<Script, ScriptError> {
        let speed = *self.speed.get_ref();
        if !(speed > 0.0 && speed <= 10_000.0) {
            let problem = format!("`speed` is {speed}");
            return Err(source.wrong(&self.speed.span(), problem, "write 1.0 to 10000.0"));
        }
        let lines = std::mem::take(&mut self.lines).into_iter().map(|line| line.build(source));
        let lines = lines.collect::<Result<_, _>>()?;
        let faults = fault::build(std::mem::take(&mut self.faults), source)?;
        Ok(Script { lines, faults, ..self.script() })
    }

    /// All but lines and faults.
    fn script(&self) -> Script {
        let ms = Duration::from_millis;
        Script {
            lines: Vec::new(),
            first_byte: ms(self.first_byte_ms),
            chunk: ms(self.chunk_ms.max(1)),
            speed: *self.speed.get_ref(),
            per_char: ms(self.ms_per_char.max(1)),
            buffer_delay: ms(self.buffer_delay_ms),
            context_limit: self.max_contexts.get(),
            context_expiry: ms(self.context_expiry_ms),
            idle_timeout: ms(self.idle_timeout_ms),
            faults: Vec::new(),
        }
    }
}

impl LineOptions {
    fn build(self, source: &Source<'_>) -> Result<Line, ScriptError> {
        let key = Key::of(self.text.get_ref());
        if key.is_empty() {
            let help = "write the words of the recording";
            return Err(source.wrong(&self.text.span(), "a line has no words", help));
        }
        let speech = source.speech(&self.speech)?;
        Ok(Line { text: self.text.into_inner(), speech, key })
    }
}

impl Default for Script {
    /// `[cartesia]` left out.
    fn default() -> Self {
        Options::default().script()
    }
}

impl Own for Fault {
    const KINDS: &[&str] = &[
        "refuse",
        "status",
        "cut",
        "stall",
        "malformed",
        "slow",
        "close",
        "error",
        "chunks_after_cancel",
        "late_done",
        "odd_chunks",
    ];

    fn take(kind: &str, options: &mut fault::Options) -> Result<Option<Self>, Complaint> {
        Ok(match kind {
            "error" => Some(Self::Error {
                context: options.context.take(),
                after: options.after(),
                status: options.error_status()?,
                code: options.error_code.take(),
                message: options.message.take().unwrap_or_else(|| "Something broke.".to_owned()),
            }),
            "chunks_after_cancel" => Some(Self::ChunksAfterCancel),
            "late_done" => {
                let late = fault::need(kind, "after_ms", options.after_ms.take())?;
                Some(Self::LateDone(Duration::from_millis(late)))
            }
            "odd_chunks" => Some(Self::OddChunks),
            _ => None,
        })
    }
}
