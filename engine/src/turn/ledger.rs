//! Where a turn's time went: named marks, and the union of all waits for others.
//!
//! Pure: every function takes the instant. A mark counts the first time that it is set. Waits may
//! overlap (the LLM's next token while the TTS prepares its first sound); the ledger keeps the
//! length of their union in constant memory, so that what is left of the end-to-end time is the
//! engine's own.

use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

use super::Turn;

/// What the end of the caller's speech was taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Anchor {
    /// The voice activity detector.
    Vad,
    /// The recogniser's word times.
    Stt,
    /// The caller typed a message or pressed keys: the instant of the last.
    Input,
    /// Nothing was said: the agent spoke first.
    CallStart,
}

/// A moment of a turn that durations are counted from or to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// The last transcript of the caller's turn arrived.
    TranscriptReady,
    /// The caller's turn was held to be over.
    Decided,
    /// The request to the language model was written.
    LlmRequested,
    /// Its first token arrived.
    LlmFirstToken,
    /// The first text was sent to the voice.
    TtsRequested,
    /// Its first sound arrived.
    TtsFirstAudio,
    /// The first sound began to be played.
    PlayoutStarted,
    /// The caller's interruption was decided.
    Interrupted,
    /// The agent fell silent after it.
    Silenced,
}

const MARKS: usize = Mark::Silenced as usize + 1;

/// The marks and waits of one turn.
#[derive(Debug)]
pub(super) struct Ledger {
    marks: [Option<Instant>; MARKS],
    waited: Duration,
    open_waits: u32,
    wait_opened: Option<Instant>,
}

impl Ledger {
    /// A ledger in which `waited` has been spent waiting before the turn was begun.
    pub(super) fn new(waited: Duration) -> Self {
        Self { marks: [None; MARKS], waited, open_waits: 0, wait_opened: None }
    }

    pub(super) fn set(&mut self, mark: Mark, at: Instant) {
        self.marks[mark as usize].get_or_insert(at);
        if mark == Mark::PlayoutStarted {
            self.close_union(at);
        }
    }

    pub(super) fn get(&self, mark: Mark) -> Option<Instant> {
        self.marks[mark as usize]
    }

    pub(super) fn between(&self, from: Mark, to: Mark) -> Option<Duration> {
        Some(self.get(to)?.saturating_duration_since(self.get(from)?))
    }

    /// The time from `origin` to the first sound that no wait covers.
    pub(super) fn uncovered_since(&self, origin: Instant) -> Option<Duration> {
        let e2e = self.get(Mark::PlayoutStarted)?.saturating_duration_since(origin);
        Some(e2e.saturating_sub(self.waited))
    }

    pub(super) fn begin_wait(&mut self, at: Instant) {
        self.open_waits += 1;
        let counting = self.get(Mark::PlayoutStarted).is_none();
        if self.open_waits == 1 && counting {
            self.wait_opened = Some(at);
        }
    }

    pub(super) fn end_wait(&mut self, at: Instant) {
        self.open_waits = self.open_waits.checked_sub(1).expect("each wait ends once");
        if self.open_waits == 0 {
            self.close_union(at);
        }
    }

    fn close_union(&mut self, at: Instant) {
        if let Some(opened) = self.wait_opened.take() {
            self.waited += at.saturating_duration_since(opened);
        }
    }
}

/// A wait for a provider, a tool or a configured delay: from its making to its drop.
#[derive(Debug)]
#[must_use = "the wait ends when this is dropped"]
pub struct WaitGuard<'a> {
    turn: &'a Turn,
}

impl<'a> WaitGuard<'a> {
    pub(super) fn new(turn: &'a Turn) -> Self {
        turn.with_ledger(|ledger| ledger.begin_wait(Instant::now()));
        Self { turn }
    }
}

impl Drop for WaitGuard<'_> {
    fn drop(&mut self) {
        self.turn.with_ledger(|ledger| ledger.end_wait(Instant::now()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[tokio::test]
    async fn overlapping_waits_count_once() {
        let start = Instant::now();
        let mut ledger = Ledger::new(ms(100));
        ledger.begin_wait(start + ms(110));
        ledger.begin_wait(start + ms(150));
        ledger.end_wait(start + ms(200));
        ledger.end_wait(start + ms(300));
        ledger.set(Mark::PlayoutStarted, start + ms(320));
        assert_eq!(ledger.uncovered_since(start), Some(ms(30)));
    }

    #[tokio::test]
    async fn a_wait_after_the_first_sound_does_not_count() {
        let start = Instant::now();
        let mut ledger = Ledger::new(ms(0));
        ledger.begin_wait(start);
        ledger.set(Mark::PlayoutStarted, start + ms(40));
        ledger.end_wait(start + ms(90));
        ledger.begin_wait(start + ms(95));
        ledger.end_wait(start + ms(99));
        assert_eq!(ledger.uncovered_since(start), Some(ms(0)));
    }

    #[tokio::test]
    async fn what_did_not_happen_has_no_duration() {
        let mut ledger = Ledger::new(ms(0));
        ledger.set(Mark::LlmRequested, Instant::now());
        assert_eq!(ledger.between(Mark::LlmRequested, Mark::LlmFirstToken), None);
        assert_eq!(ledger.uncovered_since(Instant::now()), None);
    }

    #[tokio::test]
    async fn a_mark_counts_the_first_time() {
        let start = Instant::now();
        let mut ledger = Ledger::new(ms(0));
        ledger.set(Mark::LlmFirstToken, start);
        ledger.set(Mark::LlmFirstToken, start + ms(10));
        assert_eq!(ledger.get(Mark::LlmFirstToken), Some(start));
    }
}
