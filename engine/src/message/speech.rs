//! What is known of the caller's speech: when it began and ended, and what was said.

use tokio::time::Instant;

use super::{Payload, PayloadKind};

/// The caller began or ceased to speak, as the voice activity detector heard it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speech {
    /// Speech began at `at`, which lies before the moment of detection.
    Started {
        /// The capture time of the first voiced frame.
        at: Instant,
    },
    /// Speech ended at `at`; the silence that proves it came after.
    Ended {
        /// The capture time of the end of the last voiced frame.
        at: Instant,
        /// When the silence was long enough: the capture time of the frame that decided it.
        decided: Instant,
    },
}

impl Payload for Speech {
    const KIND: PayloadKind = PayloadKind::Speech;
}

/// Words that the recogniser heard.
///
/// An interim replaces the interim before it; a final is appended to the finals before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transcript {
    /// The words of this span; may be empty.
    pub text: String,
    /// Whether this span's words are settled.
    pub is_final: bool,
    /// Whether the recogniser holds the utterance to be over, and by which sign.
    pub endpoint: Option<Endpoint>,
    /// The end of the last word on the clock of the capture; `None` where no word has a time.
    pub audio_end: Option<Instant>,
    /// When the provider's message was read from its socket: the end of the wait for it.
    pub received: Instant,
}

/// The sign by which a recogniser declares an utterance over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// Silence in the audio after the last word (Deepgram: `speech_final`).
    Silence,
    /// A gap in the word timings, which works in noise (Deepgram: `UtteranceEnd`).
    WordGap,
}

impl Payload for Transcript {
    const KIND: PayloadKind = PayloadKind::Transcript;
}
