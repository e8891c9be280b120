//! What the scripted caller says and when, as plain data: the engine's simulated transport plays
//! it. Comes from the script's `[caller]` section.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use chrono::DateTime;
use serde::Deserialize;
use toml::Spanned;
use toml::value::Datetime;
use voicegraph_engine::message::UserInput;
use voicegraph_engine::transport::scripted;

use crate::audio::Speech;
use crate::script::{ScriptError, Source};

/// Samples per millisecond of caller's speech, which is always 16 kHz.
const SAMPLES_PER_MS: usize = 16;

/// What the caller says, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// The lines, in the order of the script.
    pub lines: Vec<Line>,
    /// What the caller does after the last.
    pub ending: Ending,
    /// Who calls: a phone number in E.164 or an identity.
    pub identity: Option<String>,
    /// When the call begins, by the wall clock.
    pub calls_at: SystemTime,
}

/// 2026-01-05T09:00:00Z, a Monday: a call without a time of its own is the same each time.
fn calls_at() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_603_600)
}

impl Default for Script {
    fn default() -> Self {
        Self { lines: Vec::new(), ending: Ending::default(), identity: None, calls_at: calls_at() }
    }
}

/// What the caller does after the last line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Hears the answer out.
    #[default]
    Listen,
    /// Sends nothing more, but still listens.
    Finish,
    /// Hangs up half a second into the answer.
    HangUp,
}

/// How far into the answer [`Ending::HangUp`] comes.
const HANG_UP: Duration = Duration::from_millis(500);

impl Script {
    /// The words of the lines that are spoken.
    pub(crate) fn said(&self) -> impl Iterator<Item = &str> {
        let spoken = |line: &&Line| matches!(line.what, What::Voice(_));
        self.lines.iter().filter(spoken).map(|line| line.text.as_str())
    }

    /// The caller as the engine's scripted transport plays it.
    pub fn to_transport(&self) -> scripted::Script {
        let line = |line: &Line| scripted::Line {
            when: match line.when {
                When::At(at) => scripted::When::At(at),
                When::AfterAgent(pause) => scripted::When::AfterAgent(pause),
                When::DuringAgent(delay) => scripted::When::DuringAgent(delay),
            },
            what: match &line.what {
                What::Voice(samples) => scripted::What::Voice(Arc::clone(samples)),
                What::Input(inputs) => scripted::What::Input(inputs.clone()),
            },
        };
        let ending = match self.ending {
            Ending::Listen => scripted::Ending::Listen,
            Ending::Finish => scripted::Ending::Finish,
            Ending::HangUp => scripted::Ending::HangUp(scripted::When::DuringAgent(HANG_UP)),
        };
        let lines = self.lines.iter().map(line).collect();
        let caller = self.identity.as_deref().map(Arc::from);
        scripted::Script { ending, caller, ..scripted::Script::new(lines) }
    }
}

/// One thing the caller says, types or presses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The words that are said; empty where it is not spoken.
    pub text: String,
    /// What the agent gets.
    pub what: What,
    /// When that begins.
    pub when: When,
}

/// What the caller gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Speech: i16, mono, 16 kHz.
    Voice(Arc<[i16]>),
    /// What is typed or pressed, all at once.
    Input(Vec<UserInput>),
}

/// When the caller begins a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// This long after the call began.
    At(Duration),
    /// This long after the agent, having answered, fell silent.
    AfterAgent(Duration),
    /// This long after the agent began to speak its current turn: a barge-in.
    DuringAgent(Duration),
}

/// `[caller]` as written.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Options {
    /// WAV that the lines cut their speech from: 16 kHz, mono, 16 bits.
    speech: Option<Spanned<String>>,
    /// After the last line: `listen` (default), `finish` or `hang_up`.
    #[serde(default)]
    ending: Ending,
    /// Who calls, as a transport would know it: `+441632960001`.
    identity: Option<String>,
    /// When the call begins, with offset: `2026-03-09T08:55:00Z`.
    calls_at: Option<Spanned<Datetime>>,
    #[serde(default)]
    lines: Vec<Spanned<LineOptions>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LineOptions {
    /// What is said.
    text: Option<String>,
    /// A message, instead.
    typed: Option<String>,
    /// Keys of the telephone, instead: `12#`.
    keys: Option<String>,
    /// The button to interrupt, instead: true.
    #[serde(default)]
    button: bool,
    /// A WAV of its own instead of the section's.
    speech: Option<Spanned<String>>,
    /// Where the line begins in the WAV. Default 0.
    from_ms: Option<u64>,
    /// Where it ends in the WAV. Default: the WAV's end.
    to_ms: Option<u64>,
    at_ms: Option<u64>,
    after_agent_ms: Option<u64>,
    during_agent_ms: Option<u64>,
}

impl Options {
    pub(crate) fn build(self, source: &Source<'_>) -> Result<Script, ScriptError> {
        let shared = self.speech.map(|name| speech_16k(source, &name)).transpose()?;
        let lines = self.lines.into_iter().map(|line| {
            let span = line.span();
            line.into_inner().build(source, &span, shared.as_ref())
        });
        let lines = lines.collect::<Result<_, _>>()?;
        let calls_at = self.calls_at.map(|at| instant(source, &at)).transpose()?;
        let calls_at = calls_at.unwrap_or_else(self::calls_at);
        Ok(Script { lines, ending: self.ending, identity: self.identity, calls_at })
    }
}

impl LineOptions {
    fn build(
        self,
        source: &Source<'_>,
        span: &Range<usize>,
        shared: Option<&Speech>,
    ) -> Result<Line, ScriptError> {
        let when = self.when().ok_or_else(|| {
            let problem = format!("the line `{}` does not say when", self.name());
            let help = "write exactly one of `at_ms`, `after_agent_ms`, `during_agent_ms`";
            source.wrong(span, problem, help)
        })?;
        let what = self.what(source, span, shared)?;
        Ok(Line { text: self.text.unwrap_or_default(), what, when })
    }

    /// The one thing given.
    fn what(
        &self,
        source: &Source<'_>,
        span: &Range<usize>,
        shared: Option<&Speech>,
    ) -> Result<What, ScriptError> {
        let wrong = |problem: String| {
            let help = "write exactly one of `text`, `typed = \"at two\"`, `keys = \"12#\"`, \
                        `button = true`";
            source.wrong(span, problem, help)
        };
        let inputs = match (&self.text, &self.typed, &self.keys, self.button) {
            (Some(text), None, None, false) => return self.voice(text, source, span, shared),
            (None, Some(typed), None, false) => UserInput::text(typed).map(|text| vec![text]),
            (None, None, Some(keys), false) => keys.chars().map(UserInput::digit).collect(),
            (None, None, None, true) => Ok(vec![UserInput::Interrupt]),
            _ => return Err(wrong("the line does not say what".to_owned())),
        };
        inputs.map(What::Input).map_err(|error| wrong(error.to_string()))
    }

    /// What a mistake calls the line.
    fn name(&self) -> &str {
        [&self.text, &self.typed, &self.keys].into_iter().flatten().next().map_or("", |name| name)
    }

    fn voice(
        &self,
        text: &str,
        source: &Source<'_>,
        span: &Range<usize>,
        shared: Option<&Speech>,
    ) -> Result<What, ScriptError> {
        let own = self.speech.as_ref().map(|name| speech_16k(source, name)).transpose()?;
        let speech = own.as_ref().or(shared).ok_or_else(|| {
            let problem = format!("the line `{text}` has no speech");
            source.wrong(span, problem, "write `speech = \"x.wav\"` here or in `[caller]`")
        })?;
        self.cut(source, span, &speech.samples).map(What::Voice)
    }

    /// The one time given, or `None` for none or several.
    fn when(&self) -> Option<When> {
        let ms = Duration::from_millis;
        match (self.at_ms, self.after_agent_ms, self.during_agent_ms) {
            (Some(at), None, None) => Some(When::At(ms(at))),
            (None, Some(after), None) => Some(When::AfterAgent(ms(after))),
            (None, None, Some(during)) => Some(When::DuringAgent(ms(during))),
            _ => None,
        }
    }

    fn cut(
        &self,
        source: &Source<'_>,
        span: &Range<usize>,
        samples: &[i16],
    ) -> Result<Arc<[i16]>, ScriptError> {
        let length_ms = (samples.len() / SAMPLES_PER_MS) as u64;
        let (from, to) = (self.from_ms.unwrap_or(0), self.to_ms.unwrap_or(length_ms));
        if to > length_ms {
            let problem = format!("`to_ms` is {to}, but the WAV has {length_ms} ms");
            return Err(source.wrong(span, problem, format!("write at most {length_ms}")));
        }
        if from >= to {
            let problem = format!("`from_ms` is {from}, which is not before the end at {to} ms");
            return Err(source.wrong(span, problem, format!("write less than {to}")));
        }
        let place = |at_ms: u64| at_ms as usize * SAMPLES_PER_MS;
        Ok(samples[place(from)..place(to)].into())
    }
}

/// The instant that is written.
fn instant(source: &Source<'_>, at: &Spanned<Datetime>) -> Result<SystemTime, ScriptError> {
    let written = at.get_ref().to_string();
    DateTime::parse_from_rfc3339(&written).map(SystemTime::from).map_err(|_| {
        let problem = format!("`{written}` names no instant");
        source.wrong(&at.span(), problem, "write date, time and offset: 2026-03-09T08:55:00Z")
    })
}

/// Speech at the one rate of callers.
fn speech_16k(source: &Source<'_>, name: &Spanned<String>) -> Result<Speech, ScriptError> {
    let speech = source.speech(name)?;
    if speech.rate_hz == 16_000 {
        return Ok(speech);
    }
    let problem = format!("`{}` has {} Hz", name.get_ref(), speech.rate_hz);
    let help = "write `sox in.wav -r 16000 out.wav` to make it 16 kHz";
    Err(source.wrong(&name.span(), problem, help))
}
