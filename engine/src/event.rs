//! What an observer of a call is told: transcripts, states, turn reports.
//!
//! Events are for people and tools that watch a call: the websocket's text events, the printed
//! conversation, timelines in tests. They are told synchronously and in order, and no queue stands
//! between, so an observer must return at once. Texts in events are what callers say: they are not
//! for logs.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::turn::{TurnId, TurnReport};

/// Watches one call.
pub trait Observer: Send + Sync {
    /// Takes note of `event`, which happened at `at`. Must not block.
    fn on(&self, at: Instant, event: &Event);
}

/// Something worth telling about a call.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The caller began or ceased to speak.
    UserState(UserState),
    /// The agent's state changed.
    AgentState(AgentState),
    /// Words of the caller; an interim is replaced by what follows.
    UserTranscript {
        /// What was said.
        text: String,
        /// Whether the words are settled.
        is_final: bool,
    },
    /// A turn began: the caller's turn is over, and `text` is what the agent answers to.
    TurnBegan {
        /// The new turn.
        turn: TurnId,
        /// What the caller said.
        text: String,
    },
    /// A piece of the agent's answer, as generated; not yet spoken.
    AgentText {
        /// The turn that it answers.
        turn: TurnId,
        /// To be appended to the pieces before it.
        text: String,
    },
    /// Words of the agent's answer that began to be played.
    AgentSpoke {
        /// The turn that they are of.
        turn: TurnId,
        /// To be appended to the pieces before it: what the turn's `heard` will begin with.
        text: String,
    },
    /// A tool was called or has answered.
    Tool {
        /// The turn that called it.
        turn: TurnId,
        /// The tool's name.
        name: String,
        /// How far it has come.
        stage: ToolStage,
    },
    /// The agent fell silent for a sound that may be an interruption.
    Held {
        /// The turn that is held.
        turn: TurnId,
    },
    /// It was none: the agent goes on where it stopped.
    Resumed {
        /// The turn that goes on.
        turn: TurnId,
    },
    /// A turn is over.
    TurnEnded {
        /// What was heard of the answer, cut at the last word played.
        heard: String,
        /// Its durations.
        report: TurnReport,
    },
    /// A provider failed, and the node tries again or gives up.
    Fault {
        /// The node's name.
        node: String,
        /// What happened, without content or secrets.
        what: String,
        /// When the next attempt is made; `None` where there is none.
        retry_in: Option<Duration>,
    },
}

/// What the caller is doing. The names are LiveKit's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserState {
    /// The caller speaks.
    Speaking,
    /// The caller listens.
    Listening,
}

/// What the agent is doing. The names are LiveKit's (`lk.agent.state`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgentState {
    /// The call is being set up.
    Initializing,
    /// The agent waits for the caller.
    Listening,
    /// The agent prepares an answer.
    Thinking,
    /// The agent's voice is played.
    Speaking,
}

/// How far a tool call has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToolStage {
    /// The call was handed to the tool.
    Called,
    /// The tool gave a result.
    Answered,
    /// The tool gave a failure.
    Failed,
    /// The caller interrupted, and a tool that only reads was stopped.
    Cancelled,
}

impl UserState {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Speaking => "speaking",
            Self::Listening => "listening",
        }
    }
}

impl AgentState {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Initializing => "initializing",
            Self::Listening => "listening",
            Self::Thinking => "thinking",
            Self::Speaking => "speaking",
        }
    }
}

/// All the observers of one call, told in order.
#[derive(Clone, Default)]
pub struct Observers(Arc<[Arc<dyn Observer>]>);

impl Observers {
    /// These observers, told in this order.
    pub fn new(observers: Vec<Arc<dyn Observer>>) -> Self {
        Self(observers.into())
    }

    /// Tells every observer of `event`, now.
    pub fn tell(&self, event: &Event) {
        if !self.0.is_empty() {
            let now = Instant::now();
            self.0.iter().for_each(|observer| observer.on(now, event));
        }
    }
}

impl Observers {
    /// Whether nobody is told.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl std::fmt::Debug for Observers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Observers({})", self.0.len())
    }
}
