//! Where the playing of the agent's track stands. Pure: every instant is an argument.
//!
//! The track's source takes sound into a queue, and takes 20 ms out of it every 20 ms. So what was
//! handed over last is played when all before it is; and a source that had no room has a full
//! queue, which sets the clock right where it went wrong.

use std::time::Duration;

use tokio::time::Instant;

/// The length of what the source sends at a time: it is not taken back.
const PACKET: Duration = Duration::from_millis(20);

/// The clock of one track.
#[derive(Debug)]
pub(super) struct Playout {
    /// How far ahead of its playing sound is handed over.
    lead: Duration,
    /// How much waits in the source at most.
    queue: Duration,
    /// When all that was handed over will have been played.
    free_at: Option<Instant>,
}

impl Playout {
    pub(super) fn new(lead: Duration, queue: Duration) -> Self {
        Self { lead, queue, free_at: None }
    }

    /// When the next frame may be handed over; `None` is at once.
    pub(super) fn room_at(&self, now: Instant) -> Option<Instant> {
        self.free_at.and_then(|free_at| free_at.checked_sub(self.lead)).filter(|at| *at > now)
    }

    /// Whether nothing is left to play at `now`.
    pub(super) fn is_idle(&self, now: Instant) -> bool {
        self.free_at.is_none_or(|free_at| free_at <= now)
    }

    /// Notes that the source took a frame of `length`, and that there was no room for it before
    /// `now` where it `waited`. Gives the instant at which it begins to be played.
    pub(super) fn hand_over(&mut self, now: Instant, length: Duration, waited: bool) -> Instant {
        let begin = if waited {
            now + self.queue.saturating_sub(length)
        } else {
            self.free_at.map_or(now, |free_at| free_at.max(now))
        };
        self.free_at = Some(begin + length);
        begin
    }

    /// Forgets what the source had not begun to send.
    pub(super) fn clear(&mut self, now: Instant) {
        self.free_at = self.free_at.map(|free_at| free_at.min(now + PACKET));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn fed(count: u32, now: Instant) -> Playout {
        let mut playout = Playout::new(ms(60), ms(100));
        for k in 0..count {
            assert_eq!(playout.hand_over(now, ms(20), false), now + ms(20) * k);
        }
        playout
    }

    #[test]
    fn it_is_fed_no_further_than_the_lead() {
        let now = Instant::now();
        assert_eq!(fed(3, now).room_at(now), None);
        assert_eq!(fed(4, now).room_at(now), Some(now + ms(20)));
        assert_eq!(fed(4, now).room_at(now + ms(20)), None);
    }

    #[test]
    fn after_a_pause_playing_begins_at_once() {
        let now = Instant::now();
        let mut playout = fed(2, now);
        let later = now + ms(500);
        assert!(playout.is_idle(later));
        assert_eq!(playout.hand_over(later, ms(20), false), later);
    }

    #[test]
    fn a_source_without_room_sets_the_clock() {
        let now = Instant::now();
        let mut playout = fed(4, now);
        assert_eq!(playout.hand_over(now + ms(300), ms(20), true), now + ms(380));
    }

    #[test]
    fn after_a_clear_only_the_packet_in_hand_is_played() {
        let now = Instant::now();
        let mut playout = fed(4, now);
        playout.clear(now + ms(10));
        assert_eq!(playout.hand_over(now + ms(15), ms(20), false), now + ms(30));
        playout.clear(now + ms(20));
        assert!(playout.is_idle(now + ms(40)));
    }
}
