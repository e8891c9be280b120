//! The envelope: what every message carries besides its body.

use tokio::time::Instant;

use crate::turn::Turn;

/// A message on an edge.
///
/// `origin` is the event in the outside world that the message descends from: the capture of the
/// caller's sound, or, for all that answers, the end of the caller's speech. So `age`, counted from
/// `origin`, is the response latency so far on each edge of the answer.
#[derive(Clone, Debug)]
pub struct Envelope<T> {
    /// Whom the message concerns, and so when it becomes stale.
    pub scope: Scope,
    /// The event in the outside world that the message descends from.
    pub origin: Instant,
    /// Whether this is the turn's last message on its edge.
    pub last: bool,
    /// The payload.
    pub body: T,
}

/// Whom a message concerns.
#[derive(Clone, Debug)]
pub enum Scope {
    /// The call: never stale. A barge-in must not cancel the words that caused it.
    Session,
    /// One answer: stale once its turn is interrupted.
    Turn(Turn),
}

impl Scope {
    /// Whether the message is of an interrupted turn.
    pub fn is_stale(&self) -> bool {
        match self {
            Self::Session => false,
            Self::Turn(turn) => turn.is_cancelled(),
        }
    }
}

impl<T> Envelope<T> {
    /// A message that concerns the whole call.
    pub fn session(origin: Instant, body: T) -> Self {
        Self { scope: Scope::Session, origin, last: false, body }
    }

    /// A message of `turn`; its origin is the turn's.
    pub fn turn(turn: &Turn, body: T) -> Self {
        Self { scope: Scope::Turn(turn.clone()), origin: turn.origin(), last: false, body }
    }

    /// The same message, marked as its turn's last on the edge.
    pub fn last(self) -> Self {
        Self { last: true, ..self }
    }

    /// The turn that the message belongs to, if any.
    pub fn turn_of(&self) -> Option<&Turn> {
        match &self.scope {
            Scope::Session => None,
            Scope::Turn(turn) => Some(turn),
        }
    }
}
