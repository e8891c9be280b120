//! The checked settings of a node, and the mistakes in options that the schema cannot express.

use std::num::NonZeroU32;
use std::time::Duration;

use voicegraph_engine::connect::Endpoint;
use voicegraph_engine::node::Problem;
use voicegraph_engine::secret::Secret;

use super::chunk::ChunkLimits;
use super::config::{Options, SAMPLE_RATES_HZ, base_url};
use super::state::Limits;
use super::wire::{Manner, Voice};

/// The checked settings of a node, shared by all its calls.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) endpoint: Endpoint,
    pub(super) api_key: Secret,
    pub(super) version: String,
    pub(super) voice: Voice,
    pub(super) rate: NonZeroU32,
    pub(super) limits: Limits,
    pub(super) connect_timeout: Duration,
    pub(super) send_timeout: Duration,
    pub(super) idle_reconnect: Duration,
    pub(super) max_retries: u32,
}

impl Options {
    /// Checks what the schema cannot.
    pub(super) fn build(self) -> Result<Settings, Vec<Problem>> {
        let mut problems = self.contradictions();
        let endpoint = Endpoint::parse(&self.base_url);
        problems.extend(endpoint.as_ref().err().map(|error| {
            let help = format!("write for example {:?}", base_url());
            Problem::new("base_url", error.to_string()).help(help)
        }));
        match (endpoint, NonZeroU32::new(self.sample_rate_hz)) {
            (Ok(endpoint), Some(rate)) if problems.is_empty() => Ok(self.settings(endpoint, rate)),
            _ => Err(problems),
        }
    }

    fn contradictions(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if !SAMPLE_RATES_HZ.contains(&self.sample_rate_hz) {
            let message = format!("the provider makes no sound of {} Hz", self.sample_rate_hz);
            let help = "write 8000, 16000, 22050, 24000, 44100 or 48000";
            problems.push(Problem::new("sample_rate_hz", message).help(help));
        }
        for (name, min, max) in [
            ("first_chunk", self.first_chunk_min_chars, self.first_chunk_max_chars),
            ("chunk", self.chunk_min_chars, self.chunk_max_chars),
        ] {
            if min > max {
                let message = format!("{min} is more than `{name}_max_chars`, which is {max}");
                let help = format!("write at most {max}, or raise `{name}_max_chars`");
                problems.push(Problem::new(format!("{name}_min_chars"), message).help(help));
            }
        }
        problems
    }

    fn settings(self, endpoint: Endpoint, rate: NonZeroU32) -> Settings {
        let limits = self.limits();
        Settings {
            endpoint,
            api_key: self.api_key,
            version: self.version,
            voice: Voice {
                model: self.model,
                voice: self.voice,
                language: self.language,
                sample_rate_hz: self.sample_rate_hz,
                max_buffer_delay_ms: self.max_buffer_delay_ms,
                word_timestamps: self.word_timestamps,
                manner: Manner { speed: self.speed, volume: self.volume, emotion: self.emotion },
            },
            rate,
            limits,
            connect_timeout: millis(self.connect_timeout_ms),
            send_timeout: millis(self.send_timeout_ms),
            idle_reconnect: Duration::from_secs(u64::from(self.idle_reconnect_s)),
            max_retries: self.max_retries,
        }
    }

    fn limits(&self) -> Limits {
        Limits {
            first_audio: millis(self.first_audio_timeout_ms),
            progress: millis(self.progress_timeout_ms),
            buffer: millis(self.audio_buffer_ms),
            chunks: ChunkLimits {
                first_min: self.first_chunk_min_chars as usize,
                first_max: self.first_chunk_max_chars as usize,
                min: self.chunk_min_chars as usize,
                max: self.chunk_max_chars as usize,
            },
        }
    }
}

fn millis(ms: u32) -> Duration {
    Duration::from_millis(u64::from(ms))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn options(more: &Value) -> Options {
        let mut options = json!({"api_key": "secret-key", "voice": "v"});
        let table = options.as_object_mut().expect("a table");
        table.extend(more.as_object().expect("a table").clone());
        serde_json::from_value(options).expect("options")
    }

    #[test]
    fn the_key_and_the_voice_are_enough() {
        let settings = options(&json!({})).build().expect("settings");
        assert_eq!(settings.endpoint.authority(), "api.cartesia.ai");
        assert_eq!(settings.voice.max_buffer_delay_ms, 0);
        assert!(!format!("{settings:?}").contains("secret-key"));
    }

    #[test]
    fn every_mistake_is_told_at_once() {
        let problems = options(&json!({
            "base_url": "api.cartesia.ai", "sample_rate_hz": 11025, "first_chunk_min_chars": 90,
        }))
        .build()
        .expect_err("mistakes");
        let paths: Vec<&str> = problems.iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(paths, ["sample_rate_hz", "first_chunk_min_chars", "base_url"]);
        assert!(problems.iter().all(|problem| problem.help.is_some()));
    }

    #[test]
    fn an_unknown_option_is_refused() {
        let options = json!({"api_key": "k", "voice": "v", "pitch": 2});
        let error = serde_json::from_value::<Options>(options).expect_err("unknown").to_string();
        assert!(error.contains("unknown field `pitch`"), "{error}");
    }

    #[test]
    fn the_schema_tells_ranges_rates_and_secrets() {
        let schema = Value::from(schemars::schema_for!(Options));
        let properties = &schema["properties"];
        assert_eq!(properties["speed"]["minimum"], json!(0.6));
        assert_eq!(properties["sample_rate_hz"]["enum"], json!(SAMPLE_RATES_HZ));
        assert_eq!(properties["api_key"]["x-secret"], json!(true));
        assert_eq!(properties["idle_reconnect_s"]["default"], json!(240));
    }
}
