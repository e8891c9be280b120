//! What goes wrong on purpose. Faults that any connection can have are [`Wire`]; each provider adds
//! a closed enum of its own. A script names them in `[[<provider>.faults]]`, each for the n-th
//! connection (or request) or for every one.

mod damage;
mod options;

use std::num::NonZeroU64;
use std::time::Duration;

pub(crate) use damage::{Damage, Verdict};
pub(crate) use options::{Complaint, Options, Own, build, need};

/// A fault and the connection it happens to.
#[derive(Debug, Clone)]
pub struct Planned<O> {
    /// The n-th connection or request of the provider, from 1; `None` means every one.
    pub connection: Option<NonZeroU64>,
    /// What happens.
    pub fault: Fault<O>,
}

/// A fault of the connection, or one that only this provider has.
#[derive(Debug, Clone)]
pub enum Fault<O> {
    /// Any connection can have it.
    Wire(Wire),
    /// The provider's own.
    Own(O),
}

/// Faults that any connection can have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wire {
    /// Closes before answering.
    Refuse,
    /// Answers with an error status.
    Status {
        /// 400 to 599.
        status: u16,
        /// `Retry-After`, in seconds.
        retry_after_s: Option<u64>,
    },
    /// Drops the connection, without a close frame or the last chunk.
    Cut(After),
    /// Accepts, then says nothing more.
    Stall(After),
    /// Puts one broken JSON text before the next message.
    Malformed(After),
    /// Writes the bytes in dribs.
    Slow {
        /// Bytes per drib.
        chunk_bytes: usize,
        /// Time between two dribs.
        every: Duration,
    },
    /// Closes a websocket.
    Close {
        /// When.
        after: After,
        /// Close code.
        code: u16,
        /// Close reason.
        reason: String,
    },
}

/// When in a connection's life: at the first that is reached; at once if neither is given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct After {
    /// This long after the connection was accepted.
    pub time: Option<Duration>,
    /// After this many messages from the server.
    pub messages: Option<u64>,
}

impl After {
    /// Whether `messages` or `elapsed` reaches it.
    pub(crate) fn is_reached(self, messages: u64, elapsed: Duration) -> bool {
        let by_count = self.messages.is_some_and(|limit| messages >= limit);
        let by_time = self.time.is_some_and(|limit| elapsed >= limit);
        by_count || by_time || self == Self::default()
    }
}

/// The faults among `planned` that happen to connection `number`.
pub(crate) fn of_connection<O: Clone>(planned: &[Planned<O>], number: u64) -> (Vec<Wire>, Vec<O>) {
    let mut chosen = (Vec::new(), Vec::new());
    for plan in planned {
        if plan.connection.is_some_and(|wanted| wanted.get() != number) {
            continue;
        }
        match &plan.fault {
            Fault::Wire(wire) => chosen.0.push(wire.clone()),
            Fault::Own(own) => chosen.1.push(own.clone()),
        }
    }
    chosen
}
