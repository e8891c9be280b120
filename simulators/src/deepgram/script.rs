//! `[deepgram]` of the script.

use std::time::Duration;

use serde::Deserialize;

use crate::audio::Threshold;
use crate::caller;
use crate::fault::{self, Complaint, Own, Planned};
use crate::script::{ScriptError, Source};

/// How speech is heard.
#[derive(Debug, Clone)]
pub struct Script {
    /// What each utterance of a call is heard as, in order; `""` is a noise.
    pub utterances: Vec<String>,
    /// What is heard once they are used up.
    pub after_last: AfterLast,
    /// From the endpoint to the final result.
    pub final_delay: Duration,
    /// From the audio to an interim result or `SpeechStarted`.
    pub interim_delay: Duration,
    /// Audio between two interim results.
    pub interim_every: Duration,
    /// Speech after which a final is sent without waiting for a pause.
    pub commit_every: Option<Duration>,
    /// Silence shorter than this lies within an utterance, whatever `endpointing` says.
    pub pause: Duration,
    /// How fast interim results assume the caller speaks.
    pub per_char: Duration,
    /// Neither audio nor a message for this long closes the connection (NET-0001).
    pub idle_timeout: Duration,
    /// What goes wrong.
    pub faults: Vec<Planned<Fault>>,
    pub(super) threshold: Threshold,
}

/// What is heard after the last scripted utterance.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AfterLast {
    /// The utterances again from the first.
    Repeat,
    /// Energy without words.
    Silence,
    /// Always this.
    Heard(String),
}

/// Faults that only Deepgram has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// `Finalize` gets no answer, which the documentation allows.
    NoFinalizeReply,
}

/// `[deepgram]` as written. Defaults are what a nova-3 stream is like in use.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Options {
    /// `[[deepgram.utterances]] heard = "…"`. Default: the caller's lines.
    utterances: Vec<Utterance>,
    after_last: AfterLast,
    final_delay_ms: u64,
    interim_delay_ms: u64,
    /// At least 20.
    interim_every_ms: u64,
    /// Default: only at a pause.
    commit_every_ms: Option<u64>,
    pause_ms: u64,
    ms_per_char: u64,
    idle_timeout_ms: u64,
    /// RMS level of a 20 ms frame from which it is speech.
    threshold_dbfs: f64,
    faults: Vec<fault::Options>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Utterance {
    heard: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            utterances: Vec::new(),
            after_last: AfterLast::Heard("Hello.".to_owned()),
            final_delay_ms: 150,
            interim_delay_ms: 50,
            interim_every_ms: 500,
            commit_every_ms: None,
            pause_ms: 200,
            ms_per_char: 65,
            idle_timeout_ms: 10_000,
            threshold_dbfs: -42.0,
            faults: Vec::new(),
        }
    }
}

impl Options {
    pub(crate) fn build(
        mut self,
        source: &Source<'_>,
        caller: &caller::Script,
    ) -> Result<Script, ScriptError> {
        let faults = fault::build(std::mem::take(&mut self.faults), source)?;
        let mut script = self.script(faults);
        if script.utterances.is_empty() {
            script.utterances = caller.said().map(str::to_owned).collect();
        }
        Ok(script)
    }

    fn script(self, faults: Vec<Planned<Fault>>) -> Script {
        let ms = Duration::from_millis;
        Script {
            utterances: self.utterances.into_iter().map(|one| one.heard).collect(),
            after_last: self.after_last,
            final_delay: ms(self.final_delay_ms),
            interim_delay: ms(self.interim_delay_ms),
            interim_every: ms(self.interim_every_ms.max(20)),
            commit_every: self.commit_every_ms.map(ms),
            pause: ms(self.pause_ms),
            per_char: ms(self.ms_per_char.max(1)),
            idle_timeout: ms(self.idle_timeout_ms),
            threshold: Threshold::from_dbfs(self.threshold_dbfs),
            faults,
        }
    }
}

impl Default for Script {
    /// `[deepgram]` left out.
    fn default() -> Self {
        Options::default().script(Vec::new())
    }
}

impl Own for Fault {
    const KINDS: &[&str] =
        &["refuse", "status", "cut", "stall", "malformed", "slow", "close", "no_finalize_reply"];

    fn take(kind: &str, _: &mut fault::Options) -> Result<Option<Self>, Complaint> {
        Ok((kind == "no_finalize_reply").then_some(Self::NoFinalizeReply))
    }
}
