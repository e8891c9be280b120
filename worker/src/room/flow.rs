//! Whether a track gives sound, and what of its sound is heard after silence has taken its place.
//! Pure.

use std::time::Duration;

use tokio::time::Instant;

/// How long a track may give nothing before silence takes its place.
pub(super) const STALL: Duration = Duration::from_millis(500);

/// For so long after a stall a track may still give sound from during it: what its stream holds.
const HELD: Duration = Duration::from_millis(500);

/// How the sound of a track comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Flow {
    /// As it should, or as far as is known.
    #[default]
    Steady,
    /// Not at all: silence stands in its place.
    Stalled,
    /// Again. Until then some of it may be late.
    Back { until: Instant },
}

impl Flow {
    /// When silence takes the place of the frame that is due then.
    pub(super) fn silent_at(self, due: Instant) -> Instant {
        match self {
            Self::Steady | Self::Back { .. } => due + STALL,
            Self::Stalled => due,
        }
    }

    /// Some sound came.
    pub(super) fn resume(&mut self, now: Instant) {
        if *self == Self::Stalled {
            *self = Self::Back { until: now + HELD };
        }
    }

    /// Whether a frame that came at `now` is heard, where the next one is due at `due`. After a
    /// stall it is not while the sound is ahead of the clock: silence has stood for that span, and
    /// the caller would seem to have spoken for longer than there was time.
    pub(super) fn hears(&mut self, due: Instant, now: Instant) -> bool {
        match *self {
            Self::Back { until } if now < until => due <= now,
            _ => {
                *self = Self::Steady;
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Duration = Duration::from_millis(20);

    #[test]
    fn silence_waits_for_a_stall_and_then_for_nothing() {
        let due = Instant::now();
        assert_eq!(Flow::Steady.silent_at(due), due + STALL);
        assert_eq!(Flow::Stalled.silent_at(due), due);
        assert_eq!(Flow::Back { until: due }.silent_at(due), due + STALL);
    }

    #[test]
    fn a_steady_track_is_heard_whenever_it_comes() {
        let (now, mut flow) = (Instant::now(), Flow::default());
        flow.resume(now);
        assert!(flow.hears(now + FRAME, now) && flow.hears(now, now + FRAME));
        assert_eq!(flow, Flow::Steady);
    }

    #[test]
    fn after_a_stall_what_is_ahead_of_the_clock_is_not_heard() {
        let (now, mut flow) = (Instant::now(), Flow::Stalled);
        flow.resume(now);
        assert!(!flow.hears(now + FRAME, now));
        assert!(flow.hears(now + FRAME, now + FRAME));
        assert!(!flow.hears(now + 2 * FRAME, now + FRAME));
        let later = now + HELD;
        assert!(flow.hears(later + FRAME, later), "by then nothing is held back any more");
        assert_eq!(flow, Flow::Steady);
    }
}
