//! Stream positions to capture times.
//!
//! The provider counts time in the audio that it received; the call counts it on the clock of the
//! capture. The two drift apart wherever a frame was dropped, and a new connection starts at zero.
//! Each stretch of audio captured without a gap is one anchor.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// The most anchors kept. With a steady capture one is made per gap; with one so unsteady that each
/// 20 ms frame makes its own, they reach back 20 s, farther than any word still in question.
const MAX_ANCHORS: usize = 1000;

/// How far a capture time may be from the one foretold before it counts as a gap. Far below what
/// matters to a turn's timing, and above the grain of capture clocks.
const TOLERANCE: Duration = Duration::from_millis(2);

/// Maps positions of one stream to capture times.
#[derive(Debug, Default)]
pub(super) struct Clock {
    anchors: VecDeque<Anchor>,
}

/// From `position` on, audio was captured without a gap from `captured` on.
#[derive(Clone, Copy, Debug)]
struct Anchor {
    position: Duration,
    captured: Instant,
}

impl Anchor {
    fn at(&self, position: Duration) -> Instant {
        self.captured + position.saturating_sub(self.position)
    }
}

impl Clock {
    /// Notes that the audio sent at `position` began to be captured at `captured`.
    pub(super) fn note(&mut self, position: Duration, captured: Instant) {
        let foretold = self.anchors.back().map(|anchor| anchor.at(position));
        if foretold.is_some_and(|foretold| apart(foretold, captured) <= TOLERANCE) {
            return;
        }
        let earliest = self.anchors.back().map_or(captured, |anchor| anchor.captured);
        self.anchors.push_back(Anchor { position, captured: captured.max(earliest) });
        if self.anchors.len() > MAX_ANCHORS {
            self.anchors.pop_front();
        }
    }

    /// When the audio before `position` was captured; `None` where that is not known any more.
    pub(super) fn captured(&self, position: Duration) -> Option<Instant> {
        // A word that ends where a gap begins ends before the gap, so the anchor is the last below.
        let next = self.anchors.partition_point(|anchor| anchor.position < position);
        let anchor = self.anchors.get(next.saturating_sub(1))?;
        if position < anchor.position {
            return None;
        }
        let captured = anchor.at(position);
        Some(self.anchors.get(next).map_or(captured, |next| captured.min(next.captured)))
    }

    /// Forgets everything: a new stream begins.
    pub(super) fn clear(&mut self) {
        self.anchors.clear();
    }
}

fn apart(a: Instant, b: Instant) -> Duration {
    a.saturating_duration_since(b).max(b.saturating_duration_since(a))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_gap_in_the_capture_shifts_what_follows() {
        let start = Instant::now();
        let mut clock = Clock::default();
        for (position, captured) in [(0, 100), (20, 120), (40, 140), (60, 500), (80, 520)] {
            clock.note(ms(position), start + ms(captured));
        }
        assert_eq!(clock.anchors.len(), 2);
        for (position, captured) in [(0, 100), (50, 150), (60, 160), (61, 501), (100, 540)] {
            assert_eq!(clock.captured(ms(position)), Some(start + ms(captured)), "{position}");
        }
    }

    #[test]
    fn what_was_never_noted_is_unknown() {
        let mut clock = Clock::default();
        assert_eq!(clock.captured(ms(10)), None);
        clock.note(ms(20), Instant::now());
        assert_eq!(clock.captured(ms(10)), None);
    }

    proptest! {
        #[test]
        fn later_positions_are_never_captured_earlier(
            steps in prop::collection::vec((1_u64..60, 0_u64..90), 1..200),
            asked in prop::collection::vec(0_u64..12_000, 2..50),
        ) {
            let start = Instant::now();
            let (mut clock, mut position, mut captured) = (Clock::default(), 0, 0);
            for (length, passed) in steps {
                clock.note(ms(position), start + ms(captured));
                position += length;
                captured += passed;
            }
            let mut asked = asked;
            asked.sort_unstable();
            let times: Vec<Instant> =
                asked.iter().filter_map(|position| clock.captured(ms(*position))).collect();
            prop_assert_eq!(times.len(), asked.len());
            prop_assert!(times.is_sorted(), "{:?}", clock);
        }
    }
}
