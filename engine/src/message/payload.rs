//! The closed list of things that an edge can carry.

use std::fmt;
use std::time::Duration;

/// A value that an edge can carry.
///
/// `Clone` must be cheap: an output that feeds several edges clones the payload for each.
pub trait Payload: Clone + std::fmt::Debug + Send + 'static {
    /// The kind that ports of this payload declare.
    const KIND: PayloadKind;

    /// How much time of sound the value stands for; `None` where it has no length.
    fn duration(&self) -> Option<Duration> {
        None
    }
}

/// The kind of a port's payload, as compared by `check` and printed in diagnostics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PayloadKind {
    /// [`AudioFrame`](super::AudioFrame).
    Audio,
    /// [`Speech`](super::Speech): the caller began or ceased to speak.
    Speech,
    /// [`Transcript`](super::Transcript): what was recognised.
    Transcript,
    /// [`UserInput`](super::UserInput): what the caller typed or pressed.
    UserInput,
    /// [`UserTurn`](super::UserTurn): the caller's finished turn.
    UserTurn,
    /// [`TextDelta`](super::TextDelta): a piece of the agent's answer.
    Text,
    /// [`ToolCall`](super::ToolCall): a tool call with its reply channel.
    ToolCall,
}

impl PayloadKind {
    /// Every kind, in the order in which a call meets them.
    pub const ALL: [Self; 7] = [
        Self::Audio,
        Self::Speech,
        Self::Transcript,
        Self::UserInput,
        Self::UserTurn,
        Self::Text,
        Self::ToolCall,
    ];

    /// The kind's name in diagnostics, in `voicegraph nodes` and in drawings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Audio => "audio",
            Self::Speech => "speech",
            Self::Transcript => "transcript",
            Self::UserInput => "user_input",
            Self::UserTurn => "user_turn",
            Self::Text => "text",
            Self::ToolCall => "tool_call",
        }
    }

    /// Whether values of this kind have a length in time, so that their edges are limited in
    /// milliseconds rather than in messages.
    pub fn has_duration(self) -> bool {
        self == Self::Audio
    }
}

impl fmt::Display for PayloadKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
