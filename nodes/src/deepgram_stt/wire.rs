//! Deepgram's messages: pure encoding of what is sent, lenient decoding of what comes.
//!
//! Positions are stream time: seconds of audio since the connection opened, counted in the samples
//! that the provider received. Messages of unknown type are no mistake: the provider may add some.

use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;
use tokio_tungstenite::tungstenite::Message;
use voicegraph_engine::message::AudioFrame;

/// The longest stream whose positions are believed. A greater number is a mistake of the sender.
const LONGEST_STREAM: Duration = Duration::from_hours(7 * 24);

/// The most of an error's description that is repeated.
const MAX_DETAIL_CHARS: usize = 200;

/// What the node sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outgoing {
    /// Audio: s16le, mono, at the rate that the query declares.
    Audio(AudioFrame),
    /// Holds the connection while no audio flows.
    KeepAlive,
    /// Asks for the final of all audio sent so far.
    Finalize,
    /// Asks for the last results and the end of the stream.
    CloseStream,
}

/// What the provider sends.
#[derive(Clone, Debug, PartialEq)]
pub enum Incoming {
    /// Words of a span of audio.
    Results(Results),
    /// A gap between words says that the utterance is over.
    UtteranceEnd {
        /// The end of the last word; `None` where the provider names none.
        last_word_end: Option<Duration>,
    },
    /// The stream is over, and nothing follows.
    Metadata,
    /// A message of ours could not be read.
    Error {
        /// The provider's words, shortened, without line breaks.
        what: String,
    },
    /// A message that this node has no use for.
    Other,
}

/// Words of a span of audio.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Results {
    /// Where the span begins.
    pub start: Duration,
    /// Where the span ends.
    pub end: Duration,
    /// Whether this span's words are settled.
    pub is_final: bool,
    /// Whether silence after the words ended the utterance.
    pub speech_final: bool,
    /// Whether a `Finalize` asked for it.
    pub from_finalize: bool,
    /// The words as one text; empty for silence.
    pub transcript: String,
    /// The words with their times.
    pub words: Vec<Word>,
}

/// A word and when it was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// The word, with punctuation where the provider writes it.
    pub text: String,
    /// Where it begins.
    pub start: Duration,
    /// Where it ends.
    pub end: Duration,
}

impl Results {
    /// Moves the positions to a new stream, on which `rewound` gives where each will be.
    pub(super) fn rebase(&mut self, rewound: impl Fn(Duration) -> Duration) {
        let spans = self.words.iter_mut().map(|word| (&mut word.start, &mut word.end));
        for (start, end) in spans.chain([(&mut self.start, &mut self.end)]) {
            *start = rewound(*start);
            *end = rewound(*end);
        }
    }
}

impl Word {
    /// The middle of the word, by which it is told on which side of a cut most of it lies.
    pub fn middle(&self) -> Duration {
        (self.start + self.end) / 2
    }
}

/// The frame to be written.
pub fn encode(outgoing: &Outgoing) -> Message {
    match outgoing {
        Outgoing::Audio(frame) => Message::Binary(audio(frame)),
        Outgoing::KeepAlive => Message::text(r#"{"type":"KeepAlive"}"#),
        Outgoing::Finalize => Message::text(r#"{"type":"Finalize"}"#),
        Outgoing::CloseStream => Message::text(r#"{"type":"CloseStream"}"#),
    }
}

fn audio(frame: &AudioFrame) -> Bytes {
    frame.samples().iter().flat_map(|sample| sample.to_le_bytes()).collect()
}

/// Reads a text frame.
///
/// # Errors
/// Where it is no JSON object with a `type`, or a field has another type than the reference says.
pub fn decode(text: &str) -> Result<Incoming, serde_json::Error> {
    Ok(match serde_json::from_str(text)? {
        Raw::Results(results) => Incoming::Results(results.into()),
        Raw::UtteranceEnd { last_word_end } => {
            Incoming::UtteranceEnd { last_word_end: last_word_end.and_then(position) }
        }
        Raw::Metadata {} => Incoming::Metadata,
        Raw::Error { variant, description } => {
            let what = format!("{variant}: {description}");
            let shown = what.chars().filter(|c| !c.is_control()).take(MAX_DETAIL_CHARS);
            Incoming::Error { what: shown.collect() }
        }
        Raw::Other => Incoming::Other,
    })
}

#[derive(Deserialize)]
#[serde(tag = "type")]
enum Raw {
    Results(RawResults),
    UtteranceEnd {
        last_word_end: Option<f64>,
    },
    Metadata {},
    Error {
        #[serde(default)]
        variant: String,
        #[serde(default)]
        description: String,
    },
    #[serde(other)]
    Other,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawResults {
    start: f64,
    duration: f64,
    is_final: bool,
    speech_final: bool,
    from_finalize: bool,
    channel: RawChannel,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawChannel {
    alternatives: Vec<RawAlternative>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawAlternative {
    transcript: String,
    words: Vec<RawWord>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawWord {
    word: String,
    start: Option<f64>,
    end: Option<f64>,
    punctuated_word: Option<String>,
}

impl From<RawResults> for Results {
    fn from(raw: RawResults) -> Self {
        let start = position(raw.start).unwrap_or_default();
        let end = start + position(raw.duration).unwrap_or_default();
        let best = raw.channel.alternatives.into_iter().next().unwrap_or_default();
        Self {
            start,
            end,
            is_final: raw.is_final || raw.speech_final,
            speech_final: raw.speech_final,
            from_finalize: raw.from_finalize,
            transcript: best.transcript,
            words: best.words.into_iter().map(|word| word.within(start, end)).collect(),
        }
    }
}

impl RawWord {
    /// The word; where it has no time, the span's.
    fn within(self, start: Duration, end: Duration) -> Word {
        Word {
            text: self.punctuated_word.unwrap_or(self.word),
            start: self.start.and_then(position).unwrap_or(start),
            end: self.end.and_then(position).unwrap_or(end),
        }
    }
}

/// Seconds to a position, rounded to µs so that sums of what the provider rounded agree.
fn position(seconds: f64) -> Option<Duration> {
    let exact = Duration::try_from_secs_f64(seconds).ok()?;
    let rounded = Duration::from_micros((seconds * 1e6).round() as u64);
    (exact <= LONGEST_STREAM).then_some(rounded)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// The example of the reference, as written there.
    const RESULTS: &str = r#"{"type":"Results","channel_index":[0,1],"duration":1.98,"start":5.99,
 "is_final":true,"speech_final":true,"from_finalize":false,
 "channel":{"alternatives":[{"transcript":"Tell me more.","confidence":0.9964,
   "words":[{"word":"tell","start":6.07,"end":6.35,"confidence":0.98,"punctuated_word":"Tell"}]}]},
 "metadata":{"request_id":"<uuid>","model_info":{"name":"general-nova-3",
   "version":"2025-…","arch":"nova-3"},
   "model_uuid":"<uuid>"}}"#;

    #[test]
    fn results_of_the_reference() {
        let expected = Results {
            start: ms(5990),
            end: ms(7970),
            is_final: true,
            speech_final: true,
            from_finalize: false,
            transcript: "Tell me more.".to_owned(),
            words: vec![Word { text: "Tell".to_owned(), start: ms(6070), end: ms(6350) }],
        };
        assert_eq!(decode(RESULTS).unwrap(), Incoming::Results(expected));
    }

    #[test]
    fn other_messages_of_the_reference() {
        let metadata = r#"{"type":"Metadata","transaction_key":"deprecated","request_id":"…",
            "sha256":"…","created":"2026-01-01T00:00:00.000Z","duration":12.3,"channels":1}"#;
        let error = r#"{"type":"Error","variant":"SchemaError","description":"bad\nfield",
            "message":"<the offending text>"}"#;
        for (text, expected) in [
            (
                r#"{"type":"UtteranceEnd","channel":[0,1],"last_word_end":2.395}"#,
                Incoming::UtteranceEnd { last_word_end: Some(ms(2395)) },
            ),
            (metadata, Incoming::Metadata),
            (error, Incoming::Error { what: "SchemaError: badfield".to_owned() }),
            (r#"{"type":"SpeechStarted","channel":[0,1],"timestamp":9.54}"#, Incoming::Other),
            (r#"{"type":"ConfigureSuccess","request_id":"…","keyterms":["a"]}"#, Incoming::Other),
            (r#"{"type":"SomethingNew","field":{}}"#, Incoming::Other),
        ] {
            assert_eq!(decode(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_missing_or_absurd_is_borne() {
        assert_eq!(decode(r#"{"type":"Results"}"#).unwrap(), Incoming::Results(Results::default()));
        for end in ["-1", "1e300", "null"] {
            let text = format!(r#"{{"type":"UtteranceEnd","last_word_end":{end}}}"#);
            let expected = Incoming::UtteranceEnd { last_word_end: None };
            assert_eq!(decode(&text).unwrap(), expected, "{text}");
        }
        let untimed = r#"{"type":"Results","start":1,"duration":2,
            "channel":{"alternatives":[{"words":[{"word":"um"}]}]}}"#;
        let Incoming::Results(results) = decode(untimed).unwrap() else { panic!("not results") };
        let um = Word { text: "um".to_owned(), start: ms(1000), end: ms(3000) };
        assert_eq!(results.words, [um]);
    }

    #[test]
    fn garbage_is_an_error() {
        for text in ["", "hello", "[]", "{}", r#"{"type":"Results","start":"soon"}"#, "{\"type\":"]
        {
            assert!(decode(text).is_err(), "{text}");
        }
    }

    #[test]
    fn control_messages_are_text_frames() {
        for (outgoing, expected) in [
            (Outgoing::KeepAlive, r#"{"type":"KeepAlive"}"#),
            (Outgoing::Finalize, r#"{"type":"Finalize"}"#),
            (Outgoing::CloseStream, r#"{"type":"CloseStream"}"#),
        ] {
            assert_eq!(encode(&outgoing), Message::text(expected));
        }
    }

    proptest! {
        #[test]
        fn audio_round_trips_little_endian(samples: Vec<i16>) {
            let frame = AudioFrame::new(samples.clone(), AudioFrame::CALLER_RATE_HZ);
            let bytes = encode(&Outgoing::Audio(frame)).into_data();
            let read: Vec<i16> =
                bytes.chunks(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect();
            prop_assert_eq!(read, samples);
        }

        #[test]
        fn results_round_trip(
            start_ms in 0_u64..10_000_000, lengths_ms in prop::collection::vec(1_u64..2_000, 0..8),
            texts in prop::collection::vec("\\PC{1,8}", 8), is_final: bool, from_finalize: bool,
        ) {
            let mut words = Vec::new();
            let mut end = ms(start_ms);
            for (length, text) in lengths_ms.iter().zip(texts) {
                words.push(Word { text, start: end, end: end + ms(*length) });
                end += ms(*length);
            }
            let results = Results {
                start: ms(start_ms), end, is_final, speech_final: false, from_finalize,
                transcript: words.iter().map(|word| word.text.as_str()).collect(), words,
            };
            prop_assert_eq!(decode(&written(&results)).unwrap(), Incoming::Results(results));
        }

        #[test]
        fn no_text_makes_it_panic(text: String) {
            let _ = decode(&text);
        }
    }

    fn written(results: &Results) -> String {
        let words = results.words.iter().map(|word| {
            let (start, end) = (word.start.as_secs_f64(), word.end.as_secs_f64());
            json!({ "word": "x", "punctuated_word": word.text, "start": start, "end": end })
        });
        let words: Vec<_> = words.collect();
        json!({
            "type": "Results", "start": results.start.as_secs_f64(),
            "duration": (results.end - results.start).as_secs_f64(),
            "is_final": results.is_final, "speech_final": results.speech_final,
            "from_finalize": results.from_finalize,
            "channel": { "alternatives": [{ "transcript": results.transcript, "words": words }] },
        })
        .to_string()
    }
}
