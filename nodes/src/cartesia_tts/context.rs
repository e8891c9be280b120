//! One context at the provider: what was sent, what came back, and when it is too late.
//!
//! Pure: every function that needs the time takes it. Times inside are counted from the context's
//! start; what leaves is counted from the turn's first sound.

use std::time::Duration;

use tokio::time::Instant;
use voicegraph_engine::turn::SpokenWord;

use super::chunk::is_speakable;
use super::spoken::Spoken;
use super::state::Limits;
use super::wire::Request;
use crate::provider::Failure;

/// A context expires 1 s after its last sound was sent. One that has been quiet for this long with
/// nothing left to say is not used again, lest the text be sent to a context that is gone.
const CONTEXT_REST: Duration = Duration::from_millis(700);

/// A context in progress.
#[derive(Debug)]
pub(super) struct Context {
    id: String,
    spoken: Spoken,
    /// The length of the sound of the turn's contexts before.
    offset: Duration,
    ended: bool,
    has_sound: bool,
    /// Whether text was sent since the last sound.
    unanswered: bool,
    opened: Instant,
    /// The last message, or the first request after it.
    since: Instant,
}

/// Where to take up a turn whose context broke off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rest {
    /// The text that is still to be spoken.
    pub(super) text: String,
    /// Where the turn's sound is to be cut.
    pub(super) cut: Duration,
}

impl Context {
    /// A context whose sound begins at `offset` of the turn's.
    pub(super) fn new(id: String, offset: Duration, now: Instant) -> Self {
        Self {
            id,
            spoken: Spoken::default(),
            offset,
            ended: false,
            has_sound: false,
            unanswered: false,
            opened: now,
            since: now,
        }
    }

    /// The context's id, given up.
    pub(super) fn into_id(self) -> String {
        self.id
    }

    /// Whether a message with this id is of another context. One without an id concerns all.
    pub(super) fn is_other(&self, id: Option<&String>) -> bool {
        id.is_some_and(|id| *id != self.id)
    }

    /// Whether any sound came.
    pub(super) fn has_sound(&self) -> bool {
        self.has_sound
    }

    /// The request that speaks `chunk`.
    pub(super) fn speak(&mut self, chunk: String, more: bool, now: Instant) -> Request {
        self.spoken.send(&chunk);
        if !self.unanswered {
            self.since = now;
        }
        (self.unanswered, self.ended) = (true, !more);
        Request::Speak { context: self.id.clone(), transcript: chunk, more }
    }

    /// The request that says that the text is complete, unless that was said.
    pub(super) fn end(&mut self, now: Instant) -> Option<Request> {
        if self.ended {
            return None;
        }
        (self.ended, self.since) = (true, now);
        let transcript = String::new();
        Some(Request::Speak { context: self.id.clone(), transcript, more: false })
    }

    /// Notes that the provider lives, or that it was us who did not read.
    pub(super) fn touch(&mut self, now: Instant) {
        self.since = now;
    }

    /// Notes that sound came.
    pub(super) fn hear(&mut self) {
        self.spoken.answer();
        (self.has_sound, self.unanswered) = (true, false);
    }

    /// Notes words with their times.
    pub(super) fn time(&mut self, words: Vec<SpokenWord>) {
        self.spoken.time(words);
    }

    /// The words that are voiced now that the turn's sound is `received` long.
    pub(super) fn voice(&mut self, received: Duration) -> Vec<SpokenWord> {
        let shift = |word: SpokenWord| SpokenWord {
            start: word.start.saturating_add(self.offset),
            end: word.end.saturating_add(self.offset),
            ..word
        };
        let words = self.spoken.voice(received.saturating_sub(self.offset));
        words.into_iter().map(shift).collect()
    }

    /// When the provider is too late: only while it owes sound or the end.
    pub(super) fn deadline(&self, limits: &Limits) -> Option<Instant> {
        match (self.has_sound, self.unanswered || self.ended) {
            (false, _) => Some(self.opened + limits.first_audio),
            (true, true) => Some(self.since + limits.progress),
            (true, false) => None,
        }
    }

    /// What to call it, when the deadline has passed.
    pub(super) fn stall(&self, limits: &Limits) -> Failure {
        let (what, limit) = match self.has_sound {
            false => ("no sound", limits.first_audio),
            true => ("no progress", limits.progress),
        };
        Failure::retry(format!("{what} within {} ms", limit.as_millis()))
    }

    /// Whether the context has said all that it was sent and may be about to expire.
    pub(super) fn rests(&self, now: Instant) -> bool {
        let quiet = now.saturating_duration_since(self.since) >= CONTEXT_REST;
        quiet && !self.ended && !self.unanswered && self.spoken.is_voiced()
    }

    /// Where the turn goes on, if the context breaks off when its sound is `received` long; nowhere
    /// where all was said.
    pub(super) fn rest(&self, received: Duration) -> Option<Rest> {
        let resume = self.spoken.resume(received.saturating_sub(self.offset));
        let rest = Rest { text: resume.text, cut: self.offset.saturating_add(resume.cut) };
        is_speakable(&rest.text).then_some(rest)
    }

    /// The text that the context missed, which the provider has ended: it expired before the text
    /// came.
    pub(super) fn missed(&self) -> Option<String> {
        let missed = self.spoken.missed();
        (self.unanswered && is_speakable(missed)).then(|| missed.to_owned())
    }
}
