//! The options of `cartesia_tts` as TOML says them; each field's documentation is its manual.

use schemars::JsonSchema;
use serde::Deserialize;
use voicegraph_engine::secret::Secret;

/// The rates that the provider can make, in Hz (API reference, "output_format").
pub(super) const SAMPLE_RATES_HZ: [u32; 6] = [8000, 16_000, 22_050, 24_000, 44_100, 48_000];

/// The options of a `cartesia_tts` node.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// The API key, from the environment: `"${CARTESIA_API_KEY:?}"`.
    pub api_key: Secret,
    /// Where the provider is: `wss://…`, `ws://…` for a simulator on this machine, `sim://…` within
    /// a simulation.
    #[serde(default = "base_url")]
    pub base_url: String,
    /// The version of the API, a date. Errors are structured from `2026-03-01` on; both shapes are
    /// read.
    #[serde(default = "version")]
    #[schemars(length(min = 1))]
    pub version: String,
    /// The model: `sonic-3`, or dated, which keeps a voice from changing under you.
    #[serde(default = "model")]
    #[schemars(length(min = 1))]
    pub model: String,
    /// The id of the voice, as the provider's voice library shows it.
    #[schemars(length(min = 1))]
    pub voice: String,
    /// The language, ISO 639-1 (`en`, `de`). Without it the model's default holds.
    #[serde(default)]
    #[schemars(length(min = 2))]
    pub language: Option<String>,
    /// The rate of the sound, in Hz: 8000, 16000, 22050, 24000, 44100 or 48000. That of the
    /// transport saves resampling; 8000 sounds like a telephone.
    #[serde(default = "sample_rate_hz")]
    #[schemars(extend("enum" = SAMPLE_RATES_HZ))]
    pub sample_rate_hz: u32,
    /// The pace, 0.6 (slow) to 1.5 (fast); 1 is the voice's own. Needs `sonic-3` or later.
    #[serde(default)]
    #[schemars(range(min = 0.6, max = 1.5))]
    pub speed: Option<f64>,
    /// The loudness, 0.5 to 2; 1 is the voice's own. Needs `sonic-3` or later.
    #[serde(default)]
    #[schemars(range(min = 0.5, max = 2.0))]
    pub volume: Option<f64>,
    /// The emotion, such as `neutral` or `content`. Needs `sonic-3` or later.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub emotion: Option<String>,
    /// How long the provider may hold text to join it with more, 0 to 5000 ms. At 0 it speaks at
    /// once; more only delays, since text is cut at sentences here.
    #[serde(default)]
    #[schemars(range(max = 5000))]
    pub max_buffer_delay_ms: u32,
    /// Whether words come with their times. Without, what an interrupted caller heard and where a
    /// broken connection goes on are estimated.
    #[serde(default = "yes")]
    pub word_timestamps: bool,
    /// The least length, in characters, at which the turn's first chunk may end at a clause mark: 1
    /// to 1000. Low lets the voice begin early, high lets it know more of the sentence.
    #[serde(default = "first_chunk_min_chars")]
    #[schemars(range(min = 1, max = 1000))]
    pub first_chunk_min_chars: u32,
    /// The length, in characters, at which a first chunk without any mark is cut between words: 1
    /// to 1000.
    #[serde(default = "first_chunk_max_chars")]
    #[schemars(range(min = 1, max = 1000))]
    pub first_chunk_max_chars: u32,
    /// The least length, in characters, at which a later chunk may end at a clause mark: 1 to 1000.
    /// Sentences go at any length.
    #[serde(default = "chunk_min_chars")]
    #[schemars(range(min = 1, max = 1000))]
    pub chunk_min_chars: u32,
    /// The length, in characters, at which a later chunk without any mark is cut between words: 1
    /// to 1000.
    #[serde(default = "chunk_max_chars")]
    #[schemars(range(min = 1, max = 1000))]
    pub chunk_max_chars: u32,
    /// How much sound may wait here to be played before no more is read from the provider, 1000 to
    /// 600000 ms. Speech comes faster than it is played. 60 s at 24 kHz are 2.9 MB.
    #[serde(default = "audio_buffer_ms")]
    #[schemars(range(min = 1000, max = 600_000))]
    pub audio_buffer_ms: u32,
    /// The time for connecting, TLS and the upgrade together, 100 to 60000 ms.
    #[serde(default = "connect_timeout_ms")]
    #[schemars(range(min = 100, max = 60_000))]
    pub connect_timeout_ms: u32,
    /// The time from a turn's first text to its first sound before it is tried again, 100 to 60000
    /// ms.
    #[serde(default = "first_audio_timeout_ms")]
    #[schemars(range(min = 100, max = 60_000))]
    pub first_audio_timeout_ms: u32,
    /// The time between messages while the provider owes sound before it is tried again, 100 to
    /// 60000 ms.
    #[serde(default = "progress_timeout_ms")]
    #[schemars(range(min = 100, max = 60_000))]
    pub progress_timeout_ms: u32,
    /// The time in which the network must take a message, 100 to 60000 ms.
    #[serde(default = "send_timeout_ms")]
    #[schemars(range(min = 100, max = 60_000))]
    pub send_timeout_ms: u32,
    /// After how long an unused connection is renewed, 10 to 290 s: the provider closes it after
    /// 300.
    #[serde(default = "idle_reconnect_s")]
    #[schemars(range(min = 10, max = 290))]
    pub idle_reconnect_s: u32,
    /// How often in a row a failure is tried again before the call ends, 0 to 20. The delays double
    /// from 0.1 s to 2 s.
    #[serde(default = "max_retries")]
    #[schemars(range(max = 20))]
    pub max_retries: u32,
}

pub(super) fn base_url() -> String {
    "wss://api.cartesia.ai".to_owned()
}

/// The first version with structured errors.
fn version() -> String {
    "2026-03-01".to_owned()
}

fn model() -> String {
    "sonic-3".to_owned()
}

/// What the provider's examples ask for, and the default of the websocket transport.
fn sample_rate_hz() -> u32 {
    24_000
}

fn yes() -> bool {
    true
}

/// "Good morning," ends a chunk, "Sure," does not: too short to bridge the time to the next.
fn first_chunk_min_chars() -> u32 {
    12
}

/// About ten words: two thirds of a second of a model that makes 20 tokens a second.
fn first_chunk_max_chars() -> u32 {
    60
}

/// About four seconds of speech, in which the rest of the sentence is written.
fn chunk_min_chars() -> u32 {
    60
}

fn chunk_max_chars() -> u32 {
    200
}

fn audio_buffer_ms() -> u32 {
    60_000
}

/// The provider's own SDK gives 5 s.
fn connect_timeout_ms() -> u32 {
    5000
}

/// Many times the usual 0.1 to 0.3 s, and about what a caller bears in silence.
fn first_audio_timeout_ms() -> u32 {
    3000
}

fn progress_timeout_ms() -> u32 {
    3000
}

fn send_timeout_ms() -> u32 {
    2000
}

/// One minute before the provider's own limit.
fn idle_reconnect_s() -> u32 {
    240
}

fn max_retries() -> u32 {
    3
}
