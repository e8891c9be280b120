//! The query of `GET /v1/listen`: the whole configuration of a stream. Known parameters are
//! checked; unknown ones are ignored, as clients send more than is documented.

use std::time::Duration;

use thiserror::Error;
use url::form_urlencoded;

use crate::audio::Encoding;

/// Longest `tag` in characters, by the reference.
const TAG_LIMIT: usize = 128;
/// Most channels.
const CHANNEL_LIMIT: usize = 8;
/// Sample rates taken, in Hz.
const RATES_HZ: std::ops::RangeInclusive<u32> = 8_000..=96_000;

/// What a client asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Query {
    pub(super) model: String,
    pub(super) encoding: Encoding,
    pub(super) sample_rate_hz: u32,
    pub(super) channels: usize,
    pub(super) interim_results: bool,
    /// Silence that makes `speech_final`; `None` for `endpointing=false`.
    pub(super) endpointing: Option<Duration>,
    pub(super) utterance_end: Option<Duration>,
    pub(super) vad_events: bool,
    /// Whether words carry `punctuated_word` and the transcript its punctuation.
    pub(super) punctuate: bool,
    pub(super) tag: Option<String>,
    /// `keyterm`s, for `Configure`.
    pub(super) keyterms: Vec<String>,
}

/// Why a query is refused with 400.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum QueryError {
    /// A value that its parameter does not take.
    #[error("invalid value `{value}` for `{parameter}`: expected {expected}")]
    Value { parameter: &'static str, value: String, expected: &'static str },
    /// Parameters that do not go together.
    #[error("{0}")]
    Combination(&'static str),
}

/// Reads a query string.
pub(crate) fn decode(query: &str) -> Result<Query, QueryError> {
    let parameters = Parameters::of(query);
    let query = Query {
        model: parameters.model()?,
        encoding: parameters.encoding()?,
        sample_rate_hz: parameters.sample_rate()?,
        channels: parameters.channels()?,
        interim_results: parameters.flag("interim_results")?,
        endpointing: parameters.endpointing()?,
        utterance_end: parameters.utterance_end()?,
        vad_events: parameters.flag("vad_events")?,
        punctuate: parameters.flag("punctuate")? || parameters.flag("smart_format")?,
        tag: parameters.tag()?,
        keyterms: parameters.all("keyterm"),
    };
    for name in FLAGS_WITHOUT_EFFECT {
        parameters.flag(name)?;
    }
    query.check(&parameters)
}

/// Booleans that are checked and then have no effect on scripted words.
const FLAGS_WITHOUT_EFFECT: [&str; 8] = [
    "numerals",
    "dictation",
    "profanity_filter",
    "detect_entities",
    "diarize",
    "mip_opt_out",
    "no_delay",
    "filler_words",
];

impl Query {
    /// Refuses combinations that the provider refuses.
    fn check(self, parameters: &Parameters) -> Result<Self, QueryError> {
        let refuse = |text| Err(QueryError::Combination(text));
        if self.utterance_end.is_some() && !self.interim_results {
            return refuse("`utterance_end_ms` needs `interim_results=true`");
        }
        if self.model.starts_with("flux") {
            return refuse("Flux models are served at `/v2/listen`");
        }
        if !self.keyterms.is_empty() && !self.is_nova_3() {
            return refuse("`keyterm` needs a nova-3 model; use `keywords`");
        }
        if parameters.flag("multichannel")? {
            return refuse("the simulator mixes channels; leave `multichannel` out");
        }
        Ok(self)
    }

    /// Whether the model takes keyterms.
    pub(super) fn is_nova_3(&self) -> bool {
        self.model.starts_with("nova-3")
    }
}

/// The decoded pairs of a query string.
struct Parameters(Vec<(String, String)>);

impl Parameters {
    fn of(query: &str) -> Self {
        Self(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find_map(|(key, value)| (key == name).then_some(value.as_str()))
    }

    fn all(&self, name: &str) -> Vec<String> {
        let matching = self.0.iter().filter(|(key, _)| key == name);
        matching.map(|(_, value)| value.clone()).collect()
    }

    fn flag(&self, parameter: &'static str) -> Result<bool, QueryError> {
        match self.get(parameter) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(value) => Err(wrong(parameter, value, "true or false")),
        }
    }

    fn model(&self) -> Result<String, QueryError> {
        let model = self.get("model").unwrap_or("base");
        let known = ["nova", "enhanced", "base", "flux"].iter().any(|name| model.starts_with(name));
        let is_uuid = model.len() == 36 && model.matches('-').count() == 4;
        if known || is_uuid {
            return Ok(model.to_owned());
        }
        Err(wrong("model", model, "a model such as nova-3"))
    }

    fn encoding(&self) -> Result<Encoding, QueryError> {
        match self.get("encoding") {
            Some("linear16") => Ok(Encoding::S16le),
            Some("linear32") => Ok(Encoding::F32le),
            Some("mulaw") => Ok(Encoding::Mulaw),
            Some("alaw") => Ok(Encoding::Alaw),
            other => {
                let expected = "linear16, linear32, mulaw or alaw, which the simulator can decode";
                Err(wrong("encoding", other.unwrap_or(""), expected))
            }
        }
    }

    fn sample_rate(&self) -> Result<u32, QueryError> {
        let value = self.get("sample_rate").unwrap_or("");
        let rate = value.parse().ok().filter(|rate| RATES_HZ.contains(rate));
        rate.ok_or_else(|| wrong("sample_rate", value, "8000 to 96000, needed with `encoding`"))
    }

    fn channels(&self) -> Result<usize, QueryError> {
        let value = self.get("channels").unwrap_or("1");
        let channels = value.parse().ok().filter(|count| (1..=CHANNEL_LIMIT).contains(count));
        channels.ok_or_else(|| wrong("channels", value, "1 to 8"))
    }

    /// Default 10 ms, by the reference.
    fn endpointing(&self) -> Result<Option<Duration>, QueryError> {
        match self.get("endpointing").unwrap_or("10") {
            "false" => Ok(None),
            value => match value.parse() {
                Ok(ms) => Ok(Some(Duration::from_millis(ms))),
                Err(_) => Err(wrong("endpointing", value, "milliseconds or false")),
            },
        }
    }

    fn utterance_end(&self) -> Result<Option<Duration>, QueryError> {
        let Some(value) = self.get("utterance_end_ms") else { return Ok(None) };
        match value.parse() {
            Ok(ms) if ms >= 1_000 => Ok(Some(Duration::from_millis(ms))),
            _ => Err(wrong("utterance_end_ms", value, "milliseconds, at least 1000")),
        }
    }

    /// The first tag; several are allowed, and the first names the call.
    fn tag(&self) -> Result<Option<String>, QueryError> {
        let tags = self.all("tag");
        match tags.iter().find(|tag| tag.chars().count() > TAG_LIMIT) {
            Some(long) => Err(wrong("tag", long, "at most 128 characters")),
            None => Ok(tags.into_iter().next()),
        }
    }
}

fn wrong(parameter: &'static str, value: &str, expected: &'static str) -> QueryError {
    QueryError::Value { parameter, value: value.to_owned(), expected }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "model=nova-3&encoding=linear16&sample_rate=16000";

    #[test]
    fn defaults_are_those_of_the_reference() {
        let query = decode(GOOD).unwrap();
        assert_eq!(query.endpointing, Some(Duration::from_millis(10)));
        assert_eq!(query.channels, 1);
        assert!(!query.interim_results && !query.vad_events && !query.punctuate);
    }

    #[test]
    fn query_of_the_livekit_plugin_is_taken() {
        let query = decode(
            "model=nova-3&punctuate=true&smart_format=false&no_delay=true&interim_results=true\
             &encoding=linear16&vad_events=true&sample_rate=16000&channels=1&endpointing=25\
             &filler_words=true&profanity_filter=false&numerals=false&mip_opt_out=false\
             &language=en-US",
        );
        assert_eq!(query.unwrap().endpointing, Some(Duration::from_millis(25)));
    }

    #[test]
    fn bad_values_are_named() {
        let bad = [
            ("interim_results=yes", "interim_results"),
            ("endpointing=soon", "endpointing"),
            ("utterance_end_ms=900&interim_results=true", "utterance_end_ms"),
            ("utterance_end_ms=1000", "interim_results=true"),
            ("channels=0", "channels"),
            ("multichannel=true", "multichannel"),
            ("no_delay=1", "no_delay"),
        ];
        for (extra, named) in bad {
            let error = decode(&format!("{GOOD}&{extra}")).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
        for query in ["", "model=flux-general-en&encoding=linear16&sample_rate=16000"] {
            decode(query).unwrap_err();
        }
        decode("model=sonic&encoding=linear16&sample_rate=16000").unwrap_err();
        decode("model=nova-2&keyterm=a&encoding=linear16&sample_rate=16000").unwrap_err();
    }

    #[test]
    fn lists_are_repeated_keys() {
        let query = decode(&format!("{GOOD}&keyterm=a&keyterm=b%20c&tag=call-1&tag=x")).unwrap();
        assert_eq!(query.keyterms, ["a", "b c"]);
        assert_eq!(query.tag.as_deref(), Some("call-1"));
    }
}
