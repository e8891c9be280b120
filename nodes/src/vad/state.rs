//! From probabilities to the beginnings and ends of speech. Pure: every instant is an argument.
//!
//! ```text
//!             min_speech of blocks >= activation
//!   silence ────────────────────────────────────> speech
//!      ▲     min_silence of blocks < deactivation    │
//!      └─────────────────────────────────────────────┘
//! ```

use std::time::Duration;

use tokio::time::Instant;
use voicegraph_engine::message::Speech;

use super::Settings;
use super::blocks::BLOCK_LENGTH;

/// How far the detector lags behind the first sound: the block before the first probable one.
/// Measured on the test's speech: 8 to 64 ms without this correction.
const ATTACK: Duration = BLOCK_LENGTH;

/// How far the detector's probability lags behind the last sound on its way below the default
/// `deactivation`: it sees a window of 48 ms and the context of three blocks. Measured on the
/// pauses of the test's speech: 96 to 120 ms.
const RELEASE: Duration = Duration::from_millis(96);

/// What is known of the caller's voice.
#[derive(Debug)]
pub(super) struct Voicing {
    settings: Settings,
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Silence,
    /// Probably speech, for `voiced` so far.
    Rising {
        onset: Instant,
        voiced: Duration,
    },
    Speech {
        onset: Instant,
        /// The end of the last block that was not silence.
        voiced_until: Instant,
    },
}

impl Voicing {
    pub(super) fn new(settings: Settings) -> Self {
        Self { settings, state: State::Silence }
    }

    /// Takes the probability of speech in the block that ends at `end`, known since the capture of
    /// its frame at `captured`.
    pub(super) fn on_block(
        &mut self,
        probability: f32,
        end: Instant,
        captured: Instant,
    ) -> Option<Speech> {
        match self.state {
            State::Silence => {
                self.rise(probability, end - BLOCK_LENGTH - ATTACK, Duration::ZERO, end)
            }
            State::Rising { onset, voiced } => self.rise(probability, onset, voiced, end),
            State::Speech { onset, voiced_until } => {
                self.fall(probability, onset, voiced_until, end, captured)
            }
        }
    }

    /// Ends speech in progress because nothing more is captured after `captured`.
    pub(super) fn finish(&mut self, captured: Instant) -> Option<Speech> {
        let state = std::mem::replace(&mut self.state, State::Silence);
        let State::Speech { voiced_until, .. } = state else { return None };
        Some(Speech::Ended { at: voiced_until, decided: captured })
    }

    fn rise(
        &mut self,
        probability: f32,
        onset: Instant,
        mut voiced: Duration,
        end: Instant,
    ) -> Option<Speech> {
        if probability >= self.settings.activation {
            voiced += BLOCK_LENGTH;
        } else if probability < self.settings.deactivation || voiced.is_zero() {
            self.state = State::Silence;
            return None;
        }
        if voiced < self.settings.min_speech.max(BLOCK_LENGTH) {
            self.state = State::Rising { onset, voiced };
            return None;
        }
        self.state = State::Speech { onset, voiced_until: end };
        Some(Speech::Started { at: onset })
    }

    fn fall(
        &mut self,
        probability: f32,
        onset: Instant,
        voiced_until: Instant,
        end: Instant,
        captured: Instant,
    ) -> Option<Speech> {
        if probability >= self.settings.deactivation {
            self.state = State::Speech { onset, voiced_until: end };
            return None;
        }
        let at = (voiced_until - RELEASE).max(onset + BLOCK_LENGTH);
        if end.saturating_duration_since(at) < self.settings.min_silence {
            return None;
        }
        self.state = State::Silence;
        Some(Speech::Ended { at, decided: captured })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vad::Options;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// What `probabilities`, one a block, are heard as; instants in ms since the first block began.
    fn check(probabilities: &[f32], expected: &[&str]) {
        let start = Instant::now() + ms(1000);
        let mut voicing = Voicing::new(Options::default().build().expect("the defaults fit"));
        let mut end = start;
        let mut heard = Vec::new();
        for probability in probabilities {
            end += BLOCK_LENGTH;
            heard.extend(voicing.on_block(*probability, end, end + ms(4)));
        }
        let since = |at: Instant| match at.checked_duration_since(start) {
            Some(after) => format!("{}", after.as_millis()),
            None => format!("-{}", (start - at).as_millis()),
        };
        let told = heard.into_iter().map(|speech| match speech {
            Speech::Started { at } => format!("started {}", since(at)),
            Speech::Ended { at, decided } => {
                format!("ended {} decided {}", since(at), since(decided))
            }
        });
        assert_eq!(told.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn sound_shorter_than_min_speech_is_nothing() {
        check(&[0.1, 0.9, 0.9, 0.9, 0.1, 0.9, 0.9, 0.9, 0.1], &[]);
    }

    #[test]
    fn speech_starts_at_its_onset_not_at_its_detection() {
        check(&[0.1, 0.9, 0.9, 0.9, 0.9], &["started 0"]);
    }

    #[test]
    fn what_is_only_probable_starts_nothing() {
        check(&[0.45; 50], &[]);
    }

    #[test]
    fn a_dip_above_deactivation_does_not_start_anew() {
        check(&[0.9, 0.9, 0.4, 0.9, 0.9], &["started -16"]);
    }

    #[test]
    fn a_short_pause_does_not_end_speech() {
        let mut probabilities = vec![0.9; 20];
        probabilities.extend([0.1; 6]);
        probabilities.extend([0.9; 4]);
        check(&probabilities, &["started -16"]);
    }

    #[test]
    fn speech_ends_where_the_voice_did_once_silence_is_long_enough() {
        let mut probabilities = vec![0.9; 20];
        probabilities.extend([0.1; 20]);
        let last_voiced = 20 * 16 - 96;
        let decided = (last_voiced + 200_usize).next_multiple_of(16) + 4;
        check(&probabilities, &["started -16", &format!("ended {last_voiced} decided {decided}")]);
    }

    #[tokio::test]
    async fn speech_in_progress_ends_with_the_audio() {
        let now = Instant::now() + ms(1000);
        let mut voicing = Voicing::new(Options::default().build().expect("the defaults fit"));
        assert_eq!(voicing.finish(now), None);
        for block in 1..10 {
            voicing.on_block(0.9, now + BLOCK_LENGTH * block, now + BLOCK_LENGTH * block);
        }
        let end = now + BLOCK_LENGTH * 9;
        assert_eq!(voicing.finish(end), Some(Speech::Ended { at: end, decided: end }));
        assert_eq!(voicing.finish(end), None);
    }
}
