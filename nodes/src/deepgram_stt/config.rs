//! The options of `deepgram_stt`, and the settings that they become.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use url::form_urlencoded::Serializer;
use voicegraph_engine::connect::Endpoint;
use voicegraph_engine::message::AudioFrame;
use voicegraph_engine::node::Problem;
use voicegraph_engine::secret::Secret;

/// The longest value of `tag` that the provider takes.
const MAX_TAG_CHARS: usize = 128;

/// How long the beginning of a word may be too soft for speech.
const SOFT_BEGINNING: Duration = Duration::from_millis(300);

/// Options of `deepgram_stt` as written in TOML. Defaults are the provider's where it has one
/// ("Live Audio" reference, 2026-07-22) and those of LiveKit's plugin 1.8.9 where a conversation
/// needs another; the field says so.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// The API key. A wrong one ends the call at once.
    pub api_key: Secret,

    /// Where the provider is: `wss://host`, `ws://host:port`, or `sim://name`. `/v1/listen` is
    /// appended.
    #[serde(default = "default_base_url")]
    pub base_url: String,

    /// The model, a nova, enhanced, base or custom one. Flux models speak another protocol and are
    /// refused.
    #[serde(default = "default_model")]
    pub model: String,

    /// The caller's language as BCP-47 tag, or `multi` for speakers who switch.
    #[serde(default = "default_language")]
    pub language: String,

    /// Silence in ms that ends an utterance. Small values (10 is the provider's own) end it at
    /// every little pause; large ones make each answer later by as much. 0 turns it off: then only
    /// `utterance_end_ms`, or the voice detector, ends an utterance.
    #[serde(default = "default_endpointing_ms")]
    #[schemars(range(max = 10_000))]
    pub endpointing_ms: u32,

    /// Gap between words in ms that ends an utterance where no silence did, as in noise. Needs
    /// `interim_results`. Unset: off.
    #[serde(default)]
    #[schemars(range(min = 1000, max = 10_000))]
    pub utterance_end_ms: Option<u32>,

    /// Whether words are told while they may still change. Interruption by words needs them.
    /// Without, `progress_timeout_ms` must leave room for a whole utterance.
    #[serde(default = "yes")]
    pub interim_results: bool,

    /// Whether numbers, dates and amounts are written as people write them.
    #[serde(default)]
    pub smart_format: bool,

    /// Whether words get punctuation and capitals, which language models read better. LiveKit's
    /// default.
    #[serde(default = "yes")]
    pub punctuate: bool,

    /// Whether spoken numbers are written as digits.
    #[serde(default)]
    pub numerals: bool,

    /// Whether profanity is masked.
    #[serde(default)]
    pub profanity_filter: bool,

    /// Whether "um" and "uh" are told: they show that a caller who pauses goes on. LiveKit's
    /// default.
    #[serde(default = "yes")]
    pub filler_words: bool,

    /// Whether text is told at once rather than held until a number or date is complete. LiveKit's
    /// default; `false` makes `smart_format` better and answers later.
    #[serde(default = "yes")]
    pub no_delay: bool,

    /// Words and phrases to be expected: names, products. Only nova-3 takes them; about 500 tokens
    /// together.
    #[serde(default)]
    pub keyterms: Vec<String>,

    /// Whether the audio is kept out of the provider's model improvement programme.
    #[serde(default)]
    pub mip_opt_out: bool,

    /// Whether the provider is asked for the final words as soon as the voice detector hears the
    /// end of speech. It takes an edge to `speech`. `false` waits for the provider's own
    /// endpointing.
    #[serde(default = "yes")]
    pub finalize_on_speech_end: bool,

    /// How long the final may take in ms after the end of speech before the last interim is taken
    /// for it. Small values risk the last word; large ones make an answer late when the final never
    /// comes.
    #[serde(default = "default_finalize_timeout_ms")]
    #[schemars(range(min = 100, max = 10_000))]
    pub finalize_timeout_ms: u32,

    /// How long connecting may take in ms, TLS and upgrade included, before it is tried again.
    #[serde(default = "default_connect_timeout_ms")]
    #[schemars(range(min = 100, max = 60_000))]
    pub connect_timeout_ms: u32,

    /// How long the network may take no audio in ms before the connection is given up for a new
    /// one.
    #[serde(default = "default_send_timeout_ms")]
    #[schemars(range(min = 100, max = 60_000))]
    pub send_timeout_ms: u32,

    /// How long speech may go unanswered in ms before the connection is given up for a new one.
    /// Silence is no fault, however long. Small values give up a slow provider that would have
    /// answered.
    #[serde(default = "default_progress_timeout_ms")]
    #[schemars(range(min = 500, max = 60_000))]
    pub progress_timeout_ms: u32,

    /// After how many ms without audio the connection is kept from closing. The provider closes it
    /// after 10 s.
    #[serde(default = "default_keep_alive_ms")]
    #[schemars(range(min = 500, max = 9_000))]
    pub keep_alive_ms: u32,

    /// How long the last words may take in ms once the caller's audio is over.
    #[serde(default = "default_close_timeout_ms")]
    #[schemars(range(min = 100, max = 60_000))]
    pub close_timeout_ms: u32,

    /// How often in a row a lost or refused connection is tried again; a result of the provider
    /// starts the count anew. 0 ends the call at the first loss.
    #[serde(default = "default_max_retries")]
    #[schemars(range(max = 100))]
    pub max_retries: u32,

    /// How much of the caller's audio in ms is kept to be sent, or sent again after a loss; of each
    /// silence, the last second. It costs 32 kB per second of unsettled speech. What is older than
    /// this without a final is lost with a connection.
    #[serde(default = "default_audio_buffer_ms")]
    #[schemars(range(min = 500, max = 60_000))]
    pub audio_buffer_ms: u32,
}

fn default_base_url() -> String {
    "wss://api.deepgram.com".to_owned()
}

fn default_model() -> String {
    "nova-3".to_owned()
}

/// The provider's default.
fn default_language() -> String {
    "en".to_owned()
}

/// Our choice: with the provider's own 10 ms each pause between words ends an utterance.
fn default_endpointing_ms() -> u32 {
    300
}

/// Above the time that a final usually takes, below what a caller takes for a dead line.
fn default_finalize_timeout_ms() -> u32 {
    1000
}

fn default_connect_timeout_ms() -> u32 {
    5000
}

fn default_send_timeout_ms() -> u32 {
    5000
}

/// Interims come about once per second; five missing are no coincidence.
fn default_progress_timeout_ms() -> u32 {
    5000
}

/// The provider advises 3 to 5 s.
fn default_keep_alive_ms() -> u32 {
    4000
}

fn default_close_timeout_ms() -> u32 {
    3000
}

/// About 3 s of backoff altogether.
fn default_max_retries() -> u32 {
    5
}

/// Finals come every few seconds of speech at the latest.
fn default_audio_buffer_ms() -> u32 {
    5000
}

fn yes() -> bool {
    true
}

/// The options, checked.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) endpoint: Endpoint,
    pub(super) api_key: Secret,
    /// The query without the call's own part.
    query: String,
    pub(super) finalize_on_speech_end: bool,
    pub(super) finalize_timeout: Duration,
    pub(super) connect_timeout: Duration,
    pub(super) send_timeout: Duration,
    pub(super) progress_timeout: Duration,
    pub(super) keep_alive: Duration,
    pub(super) close_timeout: Duration,
    pub(super) max_retries: u32,
    pub(super) audio_buffer: Duration,
    /// How much of a silence may have to be sent again: the pause by which the provider tells
    /// utterances apart, and the soft beginning of a word.
    pub(super) max_silence: Duration,
}

impl Options {
    /// Checks what the schema cannot say.
    pub(super) fn build(self) -> Result<Settings, Vec<Problem>> {
        let mut problems = self.problems();
        let endpoint = match Endpoint::parse(&self.base_url) {
            Ok(endpoint) => endpoint,
            Err(error) => {
                problems.push(Problem::new("base_url", error.to_string()));
                return Err(problems);
            }
        };
        if !problems.is_empty() {
            return Err(problems);
        }
        let millis = |value: u32| Duration::from_millis(u64::from(value));
        let pause_ms = self.endpointing_ms.max(self.utterance_end_ms.unwrap_or(0));
        Ok(Settings {
            query: self.query(),
            endpoint,
            api_key: self.api_key,
            finalize_on_speech_end: self.finalize_on_speech_end,
            finalize_timeout: millis(self.finalize_timeout_ms),
            connect_timeout: millis(self.connect_timeout_ms),
            send_timeout: millis(self.send_timeout_ms),
            progress_timeout: millis(self.progress_timeout_ms),
            keep_alive: millis(self.keep_alive_ms),
            close_timeout: millis(self.close_timeout_ms),
            max_retries: self.max_retries,
            audio_buffer: millis(self.audio_buffer_ms),
            max_silence: millis(pause_ms) + SOFT_BEGINNING,
        })
    }

    fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let key = self.api_key.expose();
        if key.is_empty() || !key.chars().all(|c| c.is_ascii_graphic()) {
            let message = "a key is made of visible ASCII characters, without blanks";
            problems.push(Problem::new("api_key", message).help("copy it from the console again"));
        }
        if self.model.starts_with("flux") {
            let message = format!("{:?} speaks a protocol that this kind does not", self.model);
            problems.push(Problem::new("model", message).help("write for example \"nova-3\""));
        }
        for (path, value) in [("model", &self.model), ("language", &self.language)] {
            if value.trim().is_empty() {
                problems.push(Problem::new(path, "is empty").help("leave it out for the default"));
            }
        }
        if self.utterance_end_ms.is_some() && !self.interim_results {
            let problem = Problem::new("utterance_end_ms", "needs interim results");
            problems.push(problem.help("set `interim_results = true`, or leave this out"));
        }
        problems.extend(self.keyterm_problems());
        problems
    }

    fn keyterm_problems(&self) -> Vec<Problem> {
        let older = ["nova-2", "enhanced", "base"].iter().any(|old| self.model.starts_with(old));
        if !self.keyterms.is_empty() && (older || self.model == "nova") {
            let message = format!("{:?} takes no key terms", self.model);
            return vec![Problem::new("keyterms", message).help("use a nova-3 model")];
        }
        let empty = self.keyterms.iter().enumerate().filter(|(_, term)| term.trim().is_empty());
        empty.map(|(n, _)| Problem::new(format!("keyterms[{n}]"), "is empty")).collect()
    }

    fn query(&self) -> String {
        let endpointing = match self.endpointing_ms {
            0 => "false".to_owned(),
            millis => millis.to_string(),
        };
        let mut query = Serializer::new(String::new());
        query
            .append_pair("model", &self.model)
            .append_pair("language", &self.language)
            .append_pair("encoding", "linear16")
            .append_pair("sample_rate", &AudioFrame::CALLER_RATE_HZ.to_string())
            .append_pair("channels", "1")
            .append_pair("endpointing", &endpointing);
        for (name, on) in [
            ("interim_results", self.interim_results),
            ("smart_format", self.smart_format),
            ("punctuate", self.punctuate),
            ("numerals", self.numerals),
            ("profanity_filter", self.profanity_filter),
            ("filler_words", self.filler_words),
            ("no_delay", self.no_delay),
            ("mip_opt_out", self.mip_opt_out),
        ] {
            query.append_pair(name, if on { "true" } else { "false" });
        }
        if let Some(millis) = self.utterance_end_ms {
            query.append_pair("utterance_end_ms", &millis.to_string());
        }
        query.extend_pairs(self.keyterms.iter().map(|term| ("keyterm", term)));
        query.finish()
    }
}

impl Settings {
    /// The path and query of the upgrade request; the call's id is the usage label.
    pub(super) fn path(&self, session_id: &str) -> String {
        let tag: String = session_id.chars().take(MAX_TAG_CHARS).collect();
        let mut query = Serializer::new(self.query.clone());
        query.append_pair("tag", &tag);
        format!("/v1/listen?{}", query.finish())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// The options with these fields, beside a key.
    pub(in crate::deepgram_stt) fn options(fields: Value) -> Options {
        let Value::Object(mut table) = fields else { panic!("not a table") };
        table.entry("api_key").or_insert_with(|| json!("k-secret"));
        serde_json::from_value(Value::Object(table)).unwrap()
    }

    #[test]
    fn defaults_make_the_query() {
        let settings = options(json!({})).build().unwrap();
        let expected = "/v1/listen?model=nova-3&language=en&encoding=linear16&sample_rate=16000\
            &channels=1&endpointing=300&interim_results=true&smart_format=false&punctuate=true\
            &numerals=false&profanity_filter=false&filler_words=true&no_delay=true\
            &mip_opt_out=false&tag=call-1";
        assert_eq!(settings.path("call-1"), expected);
        assert_eq!(settings.endpoint.authority(), "api.deepgram.com");
    }

    #[test]
    fn options_change_the_query() {
        let fields = json!({
            "endpointing_ms": 0, "utterance_end_ms": 1000, "keyterms": ["Ärztin & Co", "Patel"],
        });
        let path = options(fields).build().unwrap().path(&"x".repeat(200));
        for part in [
            "&endpointing=false&",
            "&utterance_end_ms=1000&keyterm=%C3%84rztin+%26+Co&keyterm=Patel&tag=xxx",
        ] {
            assert!(path.contains(part), "{part} in {path}");
        }
        assert!(path.ends_with(&format!("tag={}", "x".repeat(MAX_TAG_CHARS))), "{path}");
    }

    #[test]
    fn every_mistake_is_told_at_once() {
        let fields = json!({
            "api_key": "two words", "base_url": "ftp://x", "model": "flux-general-en",
            "language": " ", "utterance_end_ms": 1000, "interim_results": false,
            "keyterms": ["a", ""],
        });
        let problems = options(fields).build().unwrap_err();
        let paths: Vec<&str> = problems.iter().map(|problem| problem.path.as_str()).collect();
        let expected =
            ["api_key", "model", "language", "utterance_end_ms", "keyterms[1]", "base_url"];
        assert_eq!(paths, expected);
        assert!(!format!("{problems:?}").contains("two words"));
    }

    #[test]
    fn key_terms_need_a_model_that_takes_them() {
        for (model, fits) in
            [("nova-3-medical", true), ("nova-2", false), ("nova", false), ("0f3c-custom", true)]
        {
            let built = options(json!({ "model": model, "keyterms": ["Patel"] })).build();
            assert_eq!(built.is_ok(), fits, "{model}");
        }
    }

    #[test]
    fn the_key_is_never_shown() {
        let settings = options(json!({})).build().unwrap();
        assert!(!format!("{settings:?}").contains("k-secret"));
        assert!(!settings.path("call-1").contains("k-secret"));
    }
}
