//! Whether the provider keeps up: silence is none of its faults, speech without a word back is.
//!
//! The watch is set once [`ENOUGH`] of speech-like audio was sent since the provider's last
//! message, quiet audio counted against it, so that clicks and coughs far apart never add up. It is
//! lifted by any message.

use std::time::Duration;

use tokio::time::Instant;
use voicegraph_engine::message::AudioFrame;

/// So much speech-like audio must be answered: the length of a short word.
const ENOUGH: Duration = Duration::from_millis(300);

/// The level from which a frame counts as speech-like, as RMS: -40 dBFS. Telephone speech lies
/// between -35 and -15 dBFS, a quiet room below -50 dBFS.
const SPEECH_RMS: i64 = 328;

/// Watches for speech that is sent and not answered.
#[derive(Debug, Default)]
pub(super) struct Progress {
    unanswered: Duration,
    since: Option<Instant>,
}

impl Progress {
    /// Notes that `frame` was sent at `now`.
    pub(super) fn sent(&mut self, frame: &AudioFrame, now: Instant) {
        if is_speech_like(frame) {
            self.unanswered += frame.length();
        } else {
            self.unanswered = self.unanswered.saturating_sub(frame.length());
        }
        if self.unanswered >= ENOUGH {
            self.since.get_or_insert(now);
        }
    }

    /// Notes that the provider said something, or that a new connection begins.
    pub(super) fn answered(&mut self) {
        *self = Self::default();
    }

    /// When enough speech had been sent to expect an answer, where none came yet.
    pub(super) fn waiting_since(&self) -> Option<Instant> {
        self.since
    }
}

/// Whether `frame` is as loud as speech.
pub(super) fn is_speech_like(frame: &AudioFrame) -> bool {
    let samples = frame.samples();
    let energy: i64 = samples.iter().map(|sample| i64::from(*sample).pow(2)).sum();
    energy > SPEECH_RMS.pow(2) * samples.len() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(level: i16) -> AudioFrame {
        AudioFrame::new(vec![level; 320], AudioFrame::CALLER_RATE_HZ)
    }

    fn after(levels: impl IntoIterator<Item = i16>) -> bool {
        let mut progress = Progress::default();
        levels.into_iter().for_each(|level| progress.sent(&frame(level), Instant::now()));
        progress.waiting_since().is_some()
    }

    #[test]
    fn speech_is_expected_to_be_answered_and_silence_is_not() {
        assert!(after([3000; 15]));
        assert!(!after([3000; 14]));
        assert!(!after([100; 10_000]));
        assert!(!after([]));
    }

    #[test]
    fn coughs_far_apart_do_not_add_up() {
        let cough = [[3000; 10], [0; 10]].concat();
        assert!(!after(cough.repeat(20)));
    }

    #[test]
    fn quiet_after_speech_does_not_lift_the_watch_but_a_message_does() {
        let mut progress = Progress::default();
        let now = Instant::now();
        for level in [[3000; 15], [0; 15]].concat() {
            progress.sent(&frame(level), now);
        }
        assert_eq!(progress.waiting_since(), Some(now));
        progress.answered();
        assert_eq!(progress.waiting_since(), None);
    }

    #[test]
    fn an_empty_frame_is_no_speech() {
        assert!(!is_speech_like(&AudioFrame::new(vec![], AudioFrame::CALLER_RATE_HZ)));
    }
}
