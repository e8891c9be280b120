//! The client's playing, as far as it can be known here. Pure.
//!
//! Without reports the client is taken to play what it gets at once and without a pause. With reports, what
//! it says counts: sound of `sent` was handed over since the last clear, `played` of it was played.

use std::time::Duration;

use tokio::time::Instant;

/// Where the client's playing has come to.
#[derive(Debug)]
pub(super) struct Playout {
    lead: Duration,
    /// When all that was handed over will have been played.
    free_at: Option<Instant>,
    /// Sound handed over since the last clear.
    sent: Duration,
    /// How often the client was told to clear.
    clears: u64,
}

impl Playout {
    /// A client that is fed `lead` ahead.
    pub(super) fn new(lead: Duration) -> Self {
        Self { lead, free_at: None, sent: Duration::ZERO, clears: 0 }
    }

    /// When the next frame may be handed over; `None` is at once.
    pub(super) fn room_at(&self, now: Instant) -> Option<Instant> {
        self.free_at.and_then(|free_at| free_at.checked_sub(self.lead)).filter(|at| *at > now)
    }

    /// Whether the client has nothing left to play at `now`.
    pub(super) fn is_idle(&self, now: Instant) -> bool {
        self.free_at.is_none_or(|free_at| free_at <= now)
    }

    /// Hands over a frame of `length`, and gives the instant at which it begins to be played.
    pub(super) fn hand_over(&mut self, now: Instant, length: Duration) -> Instant {
        let begin = self.free_at.map_or(now, |free_at| free_at.max(now));
        self.free_at = Some(begin + length);
        self.sent += length;
        begin
    }

    /// Forgets what was not played yet; the number of the clear, or `None` where there is nothing to drop.
    pub(super) fn clear(&mut self, now: Instant) -> Option<u64> {
        if self.is_idle(now) {
            return None;
        }
        (self.free_at, self.sent) = (None, Duration::ZERO);
        self.clears += 1;
        Some(self.clears)
    }

    /// Follows the client's report; one from before the last clear says nothing any more.
    pub(super) fn report(&mut self, now: Instant, played: Duration, clear: u64) {
        if clear == self.clears {
            self.free_at = Some(now + self.sent.saturating_sub(played));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn fed(count: u32, now: Instant) -> Playout {
        let mut playout = Playout::new(ms(200));
        for k in 0..count {
            assert_eq!(playout.hand_over(now, ms(20)), now + ms(20) * k);
        }
        playout
    }

    #[test]
    fn it_is_fed_no_further_than_the_lead() {
        let now = Instant::now();
        assert_eq!(fed(0, now).room_at(now), None);
        assert_eq!(fed(10, now).room_at(now), None);
        assert_eq!(fed(11, now).room_at(now), Some(now + ms(20)));
        assert_eq!(fed(11, now).room_at(now + ms(20)), None);
    }

    #[test]
    fn after_a_pause_playing_begins_at_once() {
        let now = Instant::now();
        let mut playout = fed(2, now);
        let later = now + ms(500);
        assert!(playout.is_idle(later));
        assert_eq!(playout.hand_over(later, ms(20)), later);
    }

    #[test]
    fn a_clear_is_told_only_where_something_is_left() {
        let now = Instant::now();
        let mut playout = fed(5, now);
        assert_eq!(playout.clear(now + ms(30)), Some(1));
        assert_eq!(playout.clear(now + ms(31)), None);
        assert_eq!(playout.hand_over(now + ms(40), ms(20)), now + ms(40));
        assert_eq!(playout.clear(now + ms(41)), Some(2));
    }

    #[test]
    fn a_report_moves_the_clock() {
        let now = Instant::now();
        let mut playout = fed(5, now);
        playout.report(now + ms(60), ms(10), 0);
        assert_eq!(playout.hand_over(now + ms(60), ms(20)), now + ms(150));
        playout.report(now + ms(90), ms(500), 0);
        assert!(playout.is_idle(now + ms(90)));
    }

    #[test]
    fn a_report_from_before_the_clear_is_ignored() {
        let now = Instant::now();
        let mut playout = fed(5, now);
        playout.clear(now);
        playout.hand_over(now, ms(20));
        playout.report(now + ms(20), ms(0), 0);
        assert!(playout.is_idle(now + ms(20)));
        playout.report(now + ms(20), ms(0), 1);
        assert!(!playout.is_idle(now + ms(20)));
    }
}
