//! The text messages, both ways, and samples as bytes. Pure.

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::query::Rates;
use crate::event::{Event, ToolStage};
use crate::message::UserInput;
use crate::turn::{TurnId, TurnReport};

/// The longest time that a client can claim to have played, in ms: a day.
const LONGEST_PLAYED_MS: f64 = 86_400_000.0;

/// What a client's text message may be.
const TYPES: &str = "`playout`, `text`, `dtmf`, `interrupt` and `hangup`";

/// What the client is told.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Told<'a> {
    /// The call begins, with these rates.
    Start { input_rate: u32, output_rate: u32 },
    /// What was sent and not yet played is to be dropped.
    Clear { id: u64 },
    /// Words: of the caller as recognised, of the agent as generated.
    Transcript {
        role: Role,
        #[serde(skip_serializing_if = "Option::is_none")]
        turn: Option<TurnId>,
        text: &'a str,
        #[serde(rename = "final", skip_serializing_if = "Option::is_none")]
        is_final: Option<bool>,
    },
    /// What the caller or the agent is doing.
    State { role: Role, state: &'static str },
    /// The caller's turn is over and the agent answers to `text`.
    TurnBegan { turn: TurnId, text: &'a str },
    /// A turn is over: what was heard of it, and its durations.
    Turn { turn: TurnId, heard: &'a str, report: &'a TurnReport },
    /// A tool was called or has answered.
    Tool { turn: TurnId, name: &'a str, stage: &'static str },
    /// The agent fell silent for a sound that may be an interruption.
    Held { turn: TurnId },
    /// It was none.
    Resumed { turn: TurnId },
    /// Something failed, and the call goes on.
    Error {
        message: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        node: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_in_ms: Option<u64>,
    },
    /// The call is over; the last message. `session` is its name in logs and at providers.
    End {
        reason: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        message: Option<&'a str>,
        session: &'a str,
    },
}

/// Whose words or state.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Role {
    User,
    Agent,
}

impl<'a> Told<'a> {
    pub(super) fn start(rates: Rates) -> Self {
        Self::Start { input_rate: rates.input.get(), output_rate: rates.output.get() }
    }

    pub(super) fn error(message: &'a str) -> Self {
        Self::Error { message, node: None, retry_in_ms: None }
    }

    /// The message as it is sent.
    pub(super) fn to_text(&self) -> String {
        serde_json::to_string(self).expect("no map with other keys than text, no failing part")
    }
}

impl<'a> Told<'a> {
    /// What a client is told of `event`: one that reports its own playing knows what it has played.
    pub(super) fn of(event: &'a Event) -> Option<Self> {
        let told = match event {
            Event::AgentSpoke { .. } => return None,
            Event::UserState(state) => Self::State { role: Role::User, state: state.name() },
            Event::AgentState(state) => Self::State { role: Role::Agent, state: state.name() },
            Event::UserTranscript { text, is_final } => {
                let (turn, is_final) = (None, Some(*is_final));
                Self::Transcript { role: Role::User, turn, text, is_final }
            }
            Event::AgentText { turn, text } => {
                let (turn, is_final) = (Some(*turn), None);
                Self::Transcript { role: Role::Agent, turn, text, is_final }
            }
            Event::TurnBegan { turn, text } => Self::TurnBegan { turn: *turn, text },
            Event::TurnEnded { heard, report } => Self::Turn { turn: report.turn, heard, report },
            Event::Tool { turn, name, stage } => {
                Self::Tool { turn: *turn, name, stage: stage_name(*stage) }
            }
            Event::Held { turn } => Self::Held { turn: *turn },
            Event::Resumed { turn } => Self::Resumed { turn: *turn },
            Event::Fault { node, what, retry_in } => {
                Self::Error { message: what, node: Some(node), retry_in_ms: retry_in.map(millis) }
            }
        };
        Some(told)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn stage_name(stage: ToolStage) -> &'static str {
    match stage {
        ToolStage::Called => "called",
        ToolStage::Answered => "answered",
        ToolStage::Failed => "failed",
        ToolStage::Cancelled => "cancelled",
    }
}

/// What the client says besides its sound.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Said {
    /// How much it has played since the clear of that number; 0 is the start.
    Playout { played: Duration, clear: u64 },
    /// What the caller typed or pressed.
    Input(UserInput),
    /// The caller is gone.
    Hangup,
}

/// A client's message as written.
#[derive(Deserialize)]
struct Written<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    played_ms: Option<f64>,
    #[serde(default)]
    clear: u64,
    #[serde(borrow)]
    text: Option<Cow<'a, str>>,
    #[serde(borrow)]
    digit: Option<Cow<'a, str>>,
}

/// Reads a client's text message; the error is told to the client, and the call goes on.
pub(super) fn decode(text: &str) -> Result<Said, String> {
    let written: Written<'_> = serde_json::from_str(text).map_err(|error| {
        format!("a text message must be an object like {{\"type\":\"hangup\"}}: {error}")
    })?;
    match &*written.kind {
        "hangup" => Ok(Said::Hangup),
        "interrupt" => Ok(Said::Input(UserInput::Interrupt)),
        "text" => written.text(),
        "dtmf" => written.digit(),
        "playout" => written.playout(),
        other => Err(format!("unknown type {other:?}: there are {TYPES}")),
    }
}

impl Written<'_> {
    fn playout(&self) -> Result<Said, String> {
        let played = self.played_ms.filter(|ms| (0.0..=LONGEST_PLAYED_MS).contains(ms));
        let played = played.ok_or("`playout` needs `played_ms`, from 0 to those of a day")?;
        let played = Duration::from_secs_f64(played / 1_000.0);
        Ok(Said::Playout { played, clear: self.clear })
    }

    fn text(&self) -> Result<Said, String> {
        let text = self.text.as_deref().ok_or("`text` needs `text`, what the caller typed")?;
        UserInput::text(text).map(Said::Input).map_err(|error| format!("`text`: {error}"))
    }

    fn digit(&self) -> Result<Said, String> {
        let mut keys = self.digit.as_deref().unwrap_or_default().chars();
        let (Some(key), None) = (keys.next(), keys.next()) else {
            return Err(
                "`dtmf` needs `digit`, one key: {\"type\":\"dtmf\",\"digit\":\"5\"}".to_owned()
            );
        };
        UserInput::digit(key).map(Said::Input).map_err(|error| format!("`dtmf`: {error}"))
    }
}

/// Samples as s16le.
pub(super) fn to_bytes(samples: &[i16]) -> Vec<u8> {
    samples.iter().flat_map(|sample| sample.to_le_bytes()).collect()
}

/// Samples from s16le that comes in pieces of any length.
#[derive(Debug, Default)]
pub(super) struct Samples {
    /// The first byte of a sample whose second is still to come.
    carry: Option<u8>,
}

impl Samples {
    pub(super) fn decode(&mut self, mut bytes: &[u8]) -> Vec<i16> {
        let mut samples = Vec::with_capacity(bytes.len() / 2 + 1);
        if let (Some(low), Some((high, rest))) = (self.carry, bytes.split_first()) {
            samples.push(i16::from_le_bytes([low, *high]));
            (self.carry, bytes) = (None, rest);
        }
        let mut pairs = bytes.chunks_exact(2);
        samples.extend(pairs.by_ref().map(|pair| i16::from_le_bytes([pair[0], pair[1]])));
        self.carry = pairs.remainder().first().copied().or(self.carry);
        samples
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::event::{AgentState, UserState};

    #[test]
    fn events_have_their_written_form() {
        let check = |event: Event, expected: &str| {
            assert_eq!(Told::of(&event).expect("it is told").to_text(), expected);
        };
        let turn = TurnId(2);
        check(
            Event::UserTranscript { text: "say \"hi\"".into(), is_final: false },
            r#"{"type":"transcript","role":"user","text":"say \"hi\"","final":false}"#,
        );
        check(
            Event::AgentText { turn, text: "Hi".into() },
            r#"{"type":"transcript","role":"agent","turn":2,"text":"Hi"}"#,
        );
        check(
            Event::AgentState(AgentState::Thinking),
            r#"{"type":"state","role":"agent","state":"thinking"}"#,
        );
        check(
            Event::UserState(UserState::Speaking),
            r#"{"type":"state","role":"user","state":"speaking"}"#,
        );
        check(
            Event::Fault {
                node: "stt".into(),
                what: "connection reset".into(),
                retry_in: Some(Duration::from_millis(250)),
            },
            r#"{"type":"error","message":"connection reset","node":"stt","retry_in_ms":250}"#,
        );
        assert_eq!(Told::Clear { id: 3 }.to_text(), r#"{"type":"clear","id":3}"#);
        let end = Told::End { reason: "finished", message: None, session: "c1" };
        assert_eq!(end.to_text(), r#"{"type":"end","reason":"finished","session":"c1"}"#);
    }

    #[test]
    fn what_a_client_says_is_understood_or_answered() {
        let played = |ms, clear| Ok(Said::Playout { played: Duration::from_millis(ms), clear });
        let check = |text: &str, expected: Result<Said, &str>| {
            assert_eq!(decode(text), expected.map_err(str::to_owned), "{text}");
        };
        check(r#"{"type":"hangup"}"#, Ok(Said::Hangup));
        check(r#"{"type":"playout","played_ms":1240}"#, played(1_240, 0));
        check(r#"{"clear":2,"played_ms":0.0,"type":"playout"}"#, played(0, 2));
        let needs = || Err("`playout` needs `played_ms`, from 0 to those of a day");
        check(r#"{"type":"playout"}"#, needs());
        check(r#"{"type":"playout","played_ms":-1}"#, needs());
        check(r#"{"type":"playout","played_ms":1e300}"#, needs());
        let unknown = format!("unknown type \"mute\": there are {TYPES}");
        check(r#"{"type":"mute","on":true}"#, Err(&unknown));
        assert!(decode("[]").is_err() && decode("{").is_err() && decode("{}").is_err());
    }

    #[test]
    fn what_is_typed_or_pressed_is_understood_or_answered() {
        let check = |text: &str, expected: Result<UserInput, &str>| {
            let expected = expected.map(Said::Input).map_err(str::to_owned);
            assert_eq!(decode(text), expected, "{text}");
        };
        let typed = |text: &str| Ok(UserInput::Text(text.into()));
        check(r#"{"type":"text","text":"at two"}"#, typed("at two"));
        check(r#"{"type":"text","text":" say \"hi\"\n"}"#, typed("say \"hi\""));
        check(r##"{"type":"dtmf","digit":"#"}"##, Ok(UserInput::Digit('#')));
        check(r#"{"type":"interrupt"}"#, Ok(UserInput::Interrupt));
        check(r#"{"type":"text"}"#, Err("`text` needs `text`, what the caller typed"));
        check(r#"{"type":"text","text":" "}"#, Err("`text`: a text must not be empty"));
        let long = format!(r#"{{"type":"text","text":"{}"}}"#, "x".repeat(4_001));
        check(&long, Err("`text`: a text has at most 4000 characters"));
        let needs = Err("`dtmf` needs `digit`, one key: {\"type\":\"dtmf\",\"digit\":\"5\"}");
        check(r#"{"type":"dtmf"}"#, needs.clone());
        check(r#"{"type":"dtmf","digit":"55"}"#, needs);
        let no_key = Err("`dtmf`: a digit is one of 0 to 9, *, # and A to D");
        check(r#"{"type":"dtmf","digit":"x"}"#, no_key);
        assert!(decode(r#"{"type":"dtmf","digit":5}"#).is_err(), "a number has no *");
    }

    proptest! {
        #[test]
        fn samples_survive_any_cutting(
            samples in prop::collection::vec(any::<i16>(), 0..200),
            cuts in prop::collection::vec(0_usize..9, 0..100),
        ) {
            let bytes = to_bytes(&samples);
            let (mut decoder, mut decoded, mut rest) = (Samples::default(), Vec::new(), &bytes[..]);
            for cut in cuts {
                let (now, later) = rest.split_at(cut.min(rest.len()));
                decoded.extend(decoder.decode(now));
                rest = later;
            }
            decoded.extend(decoder.decode(rest));
            prop_assert_eq!(decoded, samples);
        }

        #[test]
        fn no_text_makes_the_decoder_panic(text in any::<String>()) {
            let _ = decode(&text);
        }
    }
}
