//! Text on its way through the answer.

use super::{Payload, PayloadKind};

/// The caller's finished turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserTurn {
    /// What the caller said; empty where the agent is to speak first.
    pub text: String,
}

impl Payload for UserTurn {
    const KIND: PayloadKind = PayloadKind::UserTurn;
}

/// A piece of the agent's answer, to be appended to the pieces before it.
///
/// The envelope's `last` says that the answer is complete; that piece may be empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextDelta {
    /// The text with the blanks that belong to it.
    pub text: String,
}

impl Payload for TextDelta {
    const KIND: PayloadKind = PayloadKind::Text;
}
