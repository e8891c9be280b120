//! The playing of one caller's telephone. Pure.

use std::time::Duration;

use tokio::time::Instant;

/// What was received, and how far it has been played.
#[derive(Debug, Default)]
pub(crate) struct Playout {
    /// Sound received since the last clear.
    received: Duration,
    /// When all of that will have been played.
    free_at: Option<Instant>,
    /// The last clear's number.
    clear: u64,
}

impl Playout {
    /// Sound of `length` came at `now`; it is played after what waits, or at once.
    pub(crate) fn receive(&mut self, length: Duration, now: Instant) {
        let begin = self.free_at.map_or(now, |free_at| free_at.max(now));
        self.free_at = Some(begin + length);
        self.received += length;
    }

    /// Drops what was not played, as the server asks by its clear number `clear`.
    pub(crate) fn clear(&mut self, clear: u64) {
        *self = Self { clear, ..Self::default() };
    }

    /// Whether all was played at `now`.
    pub(crate) fn is_idle(&self, now: Instant) -> bool {
        self.free_at.is_none_or(|free_at| free_at <= now)
    }

    /// How much was played since the last clear, and that clear's number.
    pub(crate) fn played(&self, now: Instant) -> (Duration, u64) {
        let waiting = self.free_at.map_or(Duration::ZERO, |at| at.saturating_duration_since(now));
        (self.received.saturating_sub(waiting), self.clear)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Duration = Duration::from_millis(20);

    #[test]
    fn sound_ahead_of_its_time_waits() {
        let (now, mut playout) = (Instant::now(), Playout::default());
        playout.receive(FRAME, now);
        playout.receive(FRAME, now);
        assert_eq!(playout.played(now + FRAME), (FRAME, 0));
        assert!(!playout.is_idle(now + FRAME));
        assert!(playout.is_idle(now + 2 * FRAME));
    }

    #[test]
    fn a_clear_begins_anew() {
        let (now, mut playout) = (Instant::now(), Playout::default());
        playout.receive(FRAME, now);
        playout.clear(3);
        assert!(playout.is_idle(now));
        assert_eq!(playout.played(now), (Duration::ZERO, 3));
    }
}
