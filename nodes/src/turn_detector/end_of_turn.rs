//! When the caller's turn is over. Pure: it only reads what was heard.
//!
//! ```text
//!   speech ends                 over: by endpoint, or silence and settled words
//!   │<──── min_delay ─────>│    before that bar: wait for it; after: at once
//!   │<──────────────── max_delay ──────────────>│  not over: here, with unsettled words too,
//!                              last new word │<── settle ──>│  or here, where that is later
//! ```
//!
//! Nothing ends while the caller speaks again.

use std::time::Duration;

use tokio::time::Instant;
use voicegraph_engine::turn::Anchor;

use super::config::{EndOfTurn, Settings};
use super::voice::Voice;
use super::words::Words;

/// How far the end of the last word, as a recogniser tells it, and the end of the voice may lie
/// apart: breath, a fading vowel and the room go on after the word. Within it they are the same
/// end.
const WORD_TOLERANCE: Duration = Duration::from_millis(300);

/// The end of the caller's turn, as far as is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    /// The end of the caller's speech.
    pub(super) origin: Instant,
    /// What that was taken from.
    pub(super) anchor: Anchor,
    /// When the turn is to end, if nothing more is heard until then.
    pub(super) due: Instant,
}

/// What was heard of the caller.
#[derive(Clone, Copy, Debug)]
pub(super) struct Evidence<'a> {
    pub(super) settings: Settings,
    pub(super) voice: Voice,
    pub(super) words: &'a Words,
}

impl Evidence<'_> {
    /// The end of the turn; `None` while there are no words, or the caller speaks.
    pub(super) fn end(self) -> Option<End> {
        if self.words.is_empty() || self.speaks_on() {
            return None;
        }
        let (origin, anchor) = self.end_of_speech()?;
        let over = self.is_over();
        let due = if over { origin + self.settings.min_delay } else { self.without_sign(origin) };
        Some(End { origin, anchor, due })
    }

    /// When a turn whose speech ended at `origin` ends though nothing says that it is over. Words
    /// that come late are waited for until they rest, but not for ever.
    fn without_sign(self, origin: Instant) -> Instant {
        let Settings { max_delay, settle, .. } = self.settings;
        let late = origin + max_delay;
        let Some((first, last)) = self.words.changes() else { return late };
        let patience = late.max(first) + max_delay;
        late.max((last + settle).min(patience))
    }

    /// The end of the turn where nothing more can be heard.
    pub(super) fn end_at_once(self) -> Option<End> {
        if self.words.is_empty() {
            return None;
        }
        let (origin, anchor) = self.end_of_speech()?;
        Some(End { origin, anchor, due: origin })
    }

    /// Whether the caller speaks, as far as the voice activity detector hears, and not only in the
    /// silence by which the recogniser already ended the utterance.
    fn speaks_on(self) -> bool {
        let speaks = matches!(self.voice, Voice::Speaking { .. });
        speaks && (self.settings.endpoint == EndOfTurn::Vad || !self.is_over_by_endpoint())
    }

    /// The end of the speech that the words are of. The voice activity detector knows it best;
    /// where it did not hear these words, the end of the last word stands in, or the arrival of the
    /// words.
    fn end_of_speech(self) -> Option<(Instant, Anchor)> {
        let words = self.words.end().or(self.words.received())?;
        match self.voice {
            Voice::Silent { at, .. } if !self.is_missed(at) => Some((at, Anchor::Vad)),
            _ => Some((words, Anchor::Stt)),
        }
    }

    /// Whether words came that are too late to have been said before `silence`.
    fn is_missed(self, silence: Instant) -> bool {
        match (self.words.end(), self.words.received()) {
            (Some(end), _) => end > silence + WORD_TOLERANCE,
            (None, Some(received)) => received > silence + self.settings.max_delay,
            (None, None) => false,
        }
    }

    fn is_over(self) -> bool {
        match self.settings.endpoint {
            EndOfTurn::Stt => self.is_over_by_endpoint(),
            EndOfTurn::Vad => self.is_silent_and_settled(),
            EndOfTurn::First => self.is_over_by_endpoint() || self.is_silent_and_settled(),
        }
    }

    fn is_over_by_endpoint(self) -> bool {
        let end = self.words.end();
        self.words.endpoint().is_some_and(|endpoint| self.voice.is_covered_by(end, endpoint))
    }

    /// Whether the voice has ended, and the recogniser has settled every word before that end: its
    /// last word reaches it, or it was asked since and had no more to say.
    fn is_silent_and_settled(self) -> bool {
        let Voice::Silent { at, decided, .. } = self.voice else { return false };
        if self.is_missed(at) || !self.words.are_settled() {
            return false;
        }
        let reaches = self.words.end().is_none_or(|end| end + WORD_TOLERANCE >= at);
        let asked = self.words.settled_at() > self.words.received()
            && self.words.settled_at() >= Some(decided);
        reaches || asked || self.is_over_by_endpoint()
    }
}
