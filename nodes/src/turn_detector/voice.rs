//! What the voice activity detector says of the caller.

use tokio::time::Instant;
use voicegraph_engine::message::Speech;

/// What was last heard of the caller's voice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Voice {
    /// Nothing yet, or there is no detector.
    #[default]
    Unheard,
    /// The caller speaks.
    Speaking {
        /// Since when.
        onset: Instant,
        /// When that was told.
        told: Instant,
    },
    /// The caller ceased to speak.
    Silent {
        /// Since when the caller had spoken; `at` where that was never told.
        onset: Instant,
        /// When that was told.
        told: Instant,
        /// When the voice ended.
        at: Instant,
        /// When the silence was long enough to say so.
        decided: Instant,
    },
}

impl Voice {
    /// The voice after `speech`, which is told at `now`.
    pub(super) fn after(self, speech: Speech, now: Instant) -> Self {
        match (speech, self) {
            (Speech::Started { at }, _) => Self::Speaking { onset: at, told: now },
            (Speech::Ended { at, decided }, Self::Speaking { onset, told }) => {
                Self::Silent { onset, told, at, decided }
            }
            (Speech::Ended { at, decided }, _) => {
                Self::Silent { onset: at, told: now, at, decided }
            }
        }
    }

    /// Whether words that end at `end`, after which the recogniser declared the utterance over at
    /// `endpoint`, are the last that were said: nothing was heard since the words, or the
    /// recogniser spoke after it had heard the silence too.
    pub(super) fn is_covered_by(self, end: Option<Instant>, endpoint: Instant) -> bool {
        let (onset, told, decided) = match self {
            Self::Unheard => return true,
            Self::Speaking { onset, told } => (onset, told, None),
            Self::Silent { onset, told, decided, .. } => (onset, told, Some(decided)),
        };
        let said_since = end.map_or(endpoint >= told, |end| end >= onset);
        said_since || decided.is_some_and(|decided| endpoint >= decided)
    }
}
