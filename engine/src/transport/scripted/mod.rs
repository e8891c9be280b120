//! A scripted caller: says, types or presses its lines at their times, or when the agent has
//! answered, or into its words.
//!
//! ```text
//!   lines ──> Cue: when is the next one due? ──> Source: frames every 20 ms, silence between lines
//!               ▲ turns, voice                     Sink: plays by the clock, records
//!               └── Ear: an observer of the call
//! ```
//!
//! After the last line the caller waits for the answer, listens a moment more, and ends its audio.
//! One who hears nothing for too long hangs up, so that a call whose agent is stuck ends.

mod cue;
mod ear;
mod noise;
mod source;

use std::sync::Arc;
use std::time::Duration;

use super::playback::Playback;
use super::{Recording, Transport};
use crate::message::UserInput;
use crate::variables::Variables;
use ear::Ear;
use source::ScriptedSource;

/// What a caller says, and how patiently.
#[derive(Clone, Debug)]
pub struct Script {
    /// In the order in which they are said. A line is never begun before the one before is over.
    pub lines: Vec<Line>,
    /// The peak of the noise under everything that the caller sends, in steps of 16 bits, 0 to
    /// 32767; 0, the default, is digital silence.
    pub noise: u16,
    /// How long the caller goes on listening after the answer to the last line. Default 500 ms.
    pub grace: Duration,
    /// What the caller does after the last line.
    pub ending: Ending,
    /// How long the caller waits for a cue while nothing is heard, before it hangs up. Default 20
    /// s.
    pub patience: Duration,
    /// Who calls: a phone number in E.164 or an identity. None by default.
    pub caller: Option<Arc<str>>,
}

/// One thing that the caller says, types or presses.
#[derive(Clone, Debug)]
pub struct Line {
    /// When it begins, to the next frame of 20 ms.
    pub when: When,
    /// What is said.
    pub what: What,
}

/// What a caller says, or gives otherwise.
#[derive(Clone, Debug)]
pub enum What {
    /// Speech: i16, mono, 16 kHz.
    Voice(Arc<[i16]>),
    /// What is typed or pressed, all at the cue.
    Input(Vec<UserInput>),
}

/// When a line begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// So long after the start of the call.
    At(Duration),
    /// So long after the agent has spoken its answer to the line before to the end.
    AfterAgent(Duration),
    /// So long after the agent's voice began in its present turn.
    DuringAgent(Duration),
}

/// What a caller does after the last line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ending {
    /// Hears the answer out, listens for the grace, and is content.
    #[default]
    Listen,
    /// Sends nothing more after the last word, but still listens.
    Finish,
    /// Hangs up at this cue.
    HangUp(When),
}

impl Script {
    /// These lines, with the defaults.
    pub fn new(lines: Vec<Line>) -> Self {
        let (grace, patience) = (Duration::from_millis(500), Duration::from_secs(20));
        Self { lines, noise: 0, grace, ending: Ending::Listen, patience, caller: None }
    }
}

/// A call from that caller, heard into `recording`.
pub fn call(script: Script, recording: Option<Recording>) -> Transport {
    let ear = Arc::new(Ear::default());
    let sink = Playback::new(recording.clone());
    let last_played = sink.last_played();
    let caller = script.caller.clone();
    let source = ScriptedSource::new(script, recording, Arc::clone(&ear), last_played);
    Transport {
        source: Box::new(source),
        sink: Box::new(sink),
        caller,
        variables: Variables::default(),
        observer: Some(ear),
    }
}
