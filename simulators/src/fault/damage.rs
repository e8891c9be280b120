//! What becomes of each message of one connection, given its faults: a pure decision, made before
//! every send. The sockets and streams carry it out.

use std::time::Duration;

use tokio::time::Instant;

use super::{After, Wire};

/// What to do instead of only sending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Send the message as it is.
    Send,
    /// Send broken JSON first, then the message.
    Garble,
    /// Send nothing, now or later.
    Stall,
    /// Drop the connection.
    Cut,
    /// Close the websocket.
    Close(u16, String),
}

/// The faults of one connection and how far it has come.
#[derive(Debug)]
pub(crate) struct Damage {
    faults: Vec<Wire>,
    opened: Instant,
    sent: u64,
}

impl Damage {
    /// A connection accepted at `opened`.
    pub(crate) fn new(faults: Vec<Wire>, opened: Instant) -> Self {
        Self { faults, opened, sent: 0 }
    }

    /// The error status to answer with, and its `Retry-After` in seconds.
    pub(crate) fn status(&self) -> Option<(u16, Option<u64>)> {
        self.faults.iter().find_map(|fault| match fault {
            Wire::Status { status, retry_after_s } => Some((*status, *retry_after_s)),
            _ => None,
        })
    }

    /// Whether to close before answering.
    pub(crate) fn is_refused(&self) -> bool {
        self.faults.contains(&Wire::Refuse)
    }

    /// How slowly to write: bytes per drib and the time between two.
    pub(crate) fn slowness(&self) -> Option<(usize, Duration)> {
        self.faults.iter().find_map(|fault| match fault {
            Wire::Slow { chunk_bytes, every } => Some((*chunk_bytes, *every)),
            _ => None,
        })
    }

    /// When the connection ends by the clock, if it does.
    pub(crate) fn ends_at(&self) -> Option<Instant> {
        let times = self.faults.iter().filter_map(|fault| match fault {
            Wire::Cut(after) | Wire::Close { after, .. } => self.time_of(*after),
            _ => None,
        });
        times.min()
    }

    /// What to do with a message that is due `now`; counts it if it is sent.
    pub(crate) fn verdict(&mut self, now: Instant) -> Verdict {
        let verdict = self.reached(now);
        if matches!(verdict, Verdict::Send | Verdict::Garble) {
            self.sent += 1;
        }
        verdict
    }

    /// The fault that `now` and the messages so far have reached.
    pub(crate) fn reached(&mut self, now: Instant) -> Verdict {
        let elapsed = now.saturating_duration_since(self.opened);
        let reached = |after: &After| after.is_reached(self.sent, elapsed);
        let first = self.faults.iter().position(|fault| match fault {
            Wire::Cut(after)
            | Wire::Stall(after)
            | Wire::Malformed(after)
            | Wire::Close { after, .. } => reached(after),
            Wire::Refuse | Wire::Status { .. } | Wire::Slow { .. } => false,
        });
        match first.map(|index| (index, self.faults[index].clone())) {
            Some((_, Wire::Cut(_))) => Verdict::Cut,
            Some((_, Wire::Stall(_))) => Verdict::Stall,
            Some((_, Wire::Close { code, reason, .. })) => Verdict::Close(code, reason),
            Some((index, _)) => {
                self.faults.remove(index);
                Verdict::Garble
            }
            None => Verdict::Send,
        }
    }

    fn time_of(&self, after: After) -> Option<Instant> {
        let at_once = (after == After::default()).then_some(Duration::ZERO);
        after.time.or(at_once).map(|time| self.opened + time)
    }
}
