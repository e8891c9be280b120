//! Whether a sound of the caller's interrupts the agent. Pure: every instant is an argument.
//!
//! ```text
//!   onset ──> doubt ──lasts min_speech and has min_words, or ends with words──> interruption
//!               └────── the timeout passes without words ──> false alarm
//! ```

use std::time::Duration;

use tokio::time::Instant;

use super::config::Interruption;

/// A sound of which it is not known yet whether it interrupts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Doubt {
    rules: Interruption,
    onset: Instant,
    /// How long the sound was, once it is over.
    lasted: Option<Duration>,
    /// When it is a false alarm for want of words.
    give_up: Instant,
}

/// What became of a doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// It is not known yet.
    Open,
    /// The caller interrupts.
    Interruption,
    /// The agent is to go on.
    FalseAlarm,
}

impl Doubt {
    /// A doubt since speech began at `onset`.
    pub(super) fn new(rules: Interruption, onset: Instant) -> Self {
        let give_up = onset + rules.min_speech + rules.timeout;
        Self { rules, onset, lasted: None, give_up }
    }

    /// When the sound began.
    pub(super) fn onset(&self) -> Instant {
        self.onset
    }

    /// Notes at `now` that the sound was over at `at`.
    pub(super) fn end(&mut self, at: Instant, now: Instant) {
        self.lasted = Some(at.saturating_duration_since(self.onset));
        self.give_up = now + self.rules.timeout;
    }

    /// Judges at `now`, when `words` were recognised.
    pub(super) fn judge(&self, words: usize, now: Instant) -> Judgement {
        let heard = now.saturating_duration_since(self.onset);
        let lasts = self.lasted.unwrap_or(heard) >= self.rules.min_speech;
        let long = lasts && words >= self.rules.min_words;
        let telling = self.lasted.is_some() && words >= self.rules.telling_words();
        match () {
            () if long || telling => Judgement::Interruption,
            () if now >= self.give_up => Judgement::FalseAlarm,
            () => Judgement::Open,
        }
    }

    /// When time alone decides, with `words` recognised.
    pub(super) fn due(&self, words: usize) -> Instant {
        if self.lasted.is_none() && words >= self.rules.min_words {
            self.onset + self.rules.min_speech
        } else {
            self.give_up
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Judgement::{FalseAlarm, Interruption as Interrupts, Open};
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// Judges `at` ms after the onset; `ended` is the length of the sound, told 200 ms after its
    /// end.
    fn check(min_words: usize, ended: Option<u64>, words: usize, at: u64, expected: Judgement) {
        let rules = Interruption { min_speech: ms(500), min_words, timeout: ms(1000) };
        let onset = Instant::now();
        let mut doubt = Doubt::new(rules, onset);
        if let Some(length) = ended {
            doubt.end(onset + ms(length), onset + ms(length + 200));
        }
        let judged = doubt.judge(words, onset + ms(at));
        assert_eq!(judged, expected, "{min_words} {ended:?} {words} {at}");
        if judged == Open {
            let due = doubt.due(words);
            assert!(due > onset + ms(at), "an open doubt is decided later");
            assert_ne!(doubt.judge(words, due), Open, "and decided then");
        }
    }

    #[test]
    fn speech_that_lasts_interrupts() {
        check(0, None, 0, 499, Open);
        check(0, None, 0, 500, Interrupts);
        check(0, Some(600), 0, 800, Interrupts);
    }

    #[test]
    fn a_short_sound_interrupts_with_words_only() {
        check(0, Some(200), 0, 400, Open);
        check(0, Some(200), 1, 400, Interrupts);
        check(0, Some(200), 0, 1399, Open);
        check(0, Some(200), 0, 1400, FalseAlarm);
    }

    #[test]
    fn words_do_not_hurry_speech_that_goes_on() {
        check(0, None, 3, 300, Open);
        check(2, None, 2, 300, Open);
        check(2, None, 2, 500, Interrupts);
    }

    #[test]
    fn too_few_words_do_not_interrupt_however_long_the_speech() {
        check(2, None, 1, 1499, Open);
        check(2, None, 1, 1500, FalseAlarm);
        check(2, Some(900), 1, 1100, Open);
        check(2, Some(900), 2, 1100, Interrupts);
        check(2, Some(900), 1, 2100, FalseAlarm);
    }
}
