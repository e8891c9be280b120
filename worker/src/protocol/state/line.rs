//! One connection, from its upgrade to its loss: registration, pings, and when the status is due.

use tokio::time::Instant;

use crate::protocol::settings::Timing;

/// So many frames in a row that are no known message, and the server speaks something else.
pub(super) const MAX_UNDECODABLE: u32 = 10;

/// The connection to the server.
#[derive(Clone, Debug)]
pub(super) enum Line {
    /// There is none.
    Down,
    /// The registration was sent.
    Registering {
        /// When.
        since: Instant,
    },
    /// The server knows us.
    Registered(Registered),
}

/// A connection that is registered.
#[derive(Clone, Debug)]
pub(super) struct Registered {
    pub(super) worker_id: String,
    pub(super) since: Instant,
    /// When the server was last heard.
    last_received: Instant,
    next_ping: Instant,
    next_status: Instant,
    /// Whether it was last told that we are full; `None` before it was told anything.
    told_full: Option<bool>,
    /// Frames in a row that were no known message.
    undecodable: u32,
    /// Whether the server has answered a ping.
    pub(super) ready: bool,
}

impl Registered {
    pub(super) fn new(worker_id: String, now: Instant) -> Self {
        Self {
            worker_id,
            since: now,
            last_received: now,
            next_ping: now,
            next_status: now,
            ready: false,
            told_full: None,
            undecodable: 0,
        }
    }

    /// A message came.
    pub(super) fn count_message(&mut self, now: Instant) {
        self.last_received = now;
        self.undecodable = 0;
    }

    /// A frame came that was none; whether that is too much.
    pub(super) fn count_undecodable(&mut self, now: Instant) -> bool {
        self.last_received = now;
        self.undecodable += 1;
        self.undecodable >= MAX_UNDECODABLE
    }

    /// Whether the server has been silent for too long.
    pub(super) fn is_silent(&self, now: Instant, timing: &Timing) -> bool {
        now >= self.last_received + timing.silence_limit
    }

    /// Whether a ping is due; it counts as sent.
    pub(super) fn poll_ping(&mut self, now: Instant, timing: &Timing) -> bool {
        let due = now >= self.next_ping;
        if due {
            self.next_ping = now + timing.ping_interval;
        }
        due
    }

    /// Whether a status report is due: by time, or since we got full or free. It counts as sent.
    pub(super) fn poll_status(&mut self, full: bool, now: Instant, timing: &Timing) -> bool {
        let due = now >= self.next_status || self.told_full != Some(full);
        if due {
            self.next_status = now + timing.status_interval;
            self.told_full = Some(full);
        }
        due
    }

    fn deadline(&self, timing: &Timing) -> Instant {
        self.next_ping.min(self.next_status).min(self.last_received + timing.silence_limit)
    }
}

impl Line {
    /// When something is due.
    pub(super) fn deadline(&self, timing: &Timing) -> Option<Instant> {
        match self {
            Self::Down => None,
            Self::Registering { since } => Some(*since + timing.register_limit),
            Self::Registered(line) => Some(line.deadline(timing)),
        }
    }

    /// Whether it was registered for so long that it was no failure.
    pub(super) fn was_steady(&self, now: Instant, timing: &Timing) -> bool {
        matches!(self, Self::Registered(line) if now >= line.since + timing.steady_after)
    }
}
