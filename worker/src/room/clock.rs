//! When frames of the caller's sound were captured, as far as their coming tells. Pure.

use std::time::Duration;

use tokio::time::Instant;
use voicegraph_engine::message::AudioFrame;

/// A frame may come this much later than its place in the sound, before there is taken to have been
/// a pause: a busy machine hands over some at once.
const LONGEST_LAG: Duration = Duration::from_millis(200);

/// The share of a frame's lag by which the clock is set: slow against jitter, fast enough for
/// clocks that differ by far more than the 100 ppm of cheap quartzes.
const DRIFT_SHARE: u32 = 64;

/// Gives each frame its time: no later than it came, never before the one before it, and 20 ms
/// apart unless there was a pause.
#[derive(Debug, Default)]
pub(super) struct Clock {
    last: Option<Instant>,
}

impl Clock {
    /// The instant of the last sample of a frame that came at `now`.
    pub(super) fn capture(&mut self, now: Instant) -> Instant {
        let due = self.last.map(|last| last + AudioFrame::LENGTH);
        let at = match due.and_then(|due| Some((due, now.checked_duration_since(due)?))) {
            Some((due, lag)) if lag <= LONGEST_LAG => due + lag / DRIFT_SHARE,
            _ => now,
        };
        let at = self.last.map_or(at, |last| at.max(last));
        self.last = Some(at);
        at
    }

    /// When the next frame is due; at once where none came yet.
    pub(super) fn due(&self) -> Option<Instant> {
        self.last.map(|last| last + AudioFrame::LENGTH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames that come at these times, in ms, and the times that they are given.
    fn check(came: &[u64], expected: &[u64]) {
        let (start, mut clock) = (Instant::now(), Clock::default());
        let at = |ms: &u64| clock.capture(start + Duration::from_millis(*ms)) - start;
        let given: Vec<_> = came.iter().map(at).map(|at| at.as_millis() as u64).collect();
        assert_eq!(given, expected);
    }

    #[test]
    fn jitter_does_not_shift_the_sound() {
        check(&[1_000, 1_021, 1_070, 1_071, 1_080], &[1_000, 1_020, 1_040, 1_060, 1_080]);
    }

    #[test]
    fn a_pause_is_a_pause() {
        check(&[1_000, 1_500, 1_520], &[1_000, 1_500, 1_520]);
    }

    #[test]
    fn sound_never_comes_before_it_was_captured() {
        check(&[1_000, 1_001, 1_002], &[1_000, 1_001, 1_002]);
    }
}
