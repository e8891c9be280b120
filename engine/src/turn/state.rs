//! A turn as every stage sees it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::heard::Playout;
use super::ledger::Ledger;
use super::{Anchor, Beginning, Heard, Mark, Outcome, SpokenWord, TurnId, TurnReport, WaitGuard};
use crate::event::{AgentState, Event, Observers};

/// One answer of the agent: to be read by every stage, begun and interrupted by one.
#[derive(Clone, Debug)]
pub struct Turn(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    id: TurnId,
    origin: Instant,
    anchor: Anchor,
    cancelled: CancellationToken,
    ended: CancellationToken,
    held: watch::Sender<bool>,
    observers: Observers,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    ledger: Ledger,
    playout: Playout,
    /// The onset of the speech that interrupted.
    onset: Option<Instant>,
    /// Whether the next turn has begun, so that the agent thinks rather than listens.
    superseded: bool,
    phase: Phase,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Thinking,
    Speaking,
    Ended,
}

impl Turn {
    pub(super) fn new(
        id: TurnId,
        beginning: &Beginning,
        cancelled: CancellationToken,
        observers: Observers,
    ) -> Self {
        let waited = beginning.settled.saturating_duration_since(beginning.origin);
        let mut ledger = Ledger::new(waited);
        if let Some(at) = beginning.transcript {
            ledger.set(Mark::TranscriptReady, at);
        }
        ledger.set(Mark::Decided, Instant::now());
        let state = State {
            ledger,
            playout: Playout::default(),
            onset: None,
            superseded: false,
            phase: Phase::Thinking,
        };
        Self(Arc::new(Inner {
            id,
            origin: beginning.origin,
            anchor: beginning.anchor,
            cancelled,
            ended: CancellationToken::new(),
            held: watch::Sender::new(false),
            observers,
            state: Mutex::new(state),
        }))
    }

    /// The turn's number within its call.
    pub fn id(&self) -> TurnId {
        self.0.id
    }

    /// The end of the caller's speech, or the start of the call where nothing was said.
    pub fn origin(&self) -> Instant {
        self.0.origin
    }

    /// Whether the turn was interrupted.
    pub fn is_cancelled(&self) -> bool {
        self.0.cancelled.is_cancelled()
    }

    /// Waits until the turn is interrupted.
    pub async fn cancelled(&self) {
        self.0.cancelled.cancelled().await;
    }

    /// Whether the turn is still to be answered or spoken.
    pub fn is_live(&self) -> bool {
        !self.is_cancelled() && self.lock().phase != Phase::Ended
    }

    /// Waits until the turn is over: played to its end, or interrupted and silent.
    pub async fn ended(&self) {
        self.0.ended.cancelled().await;
    }

    /// Whether the first sound of the turn was played.
    pub fn is_speaking(&self) -> bool {
        self.lock().phase == Phase::Speaking
    }

    /// Whether the speaker is to be silent until it is known if the caller interrupts.
    pub fn is_held(&self) -> bool {
        *self.0.held.borrow()
    }

    /// Waits until [`is_held`](Self::is_held) is `held`.
    pub async fn until_held(&self, held: bool) {
        let mut receiver = self.0.held.subscribe();
        receiver.wait_for(|now| *now == held).await.expect("the turn keeps the sender");
    }

    /// Notes that `mark` is reached now. The first time counts.
    pub fn mark(&self, mark: Mark) {
        self.mark_at(mark, Instant::now());
    }

    /// Notes that `mark` was reached at `at`. The first time counts.
    pub fn mark_at(&self, mark: Mark, at: Instant) {
        self.with_ledger(|ledger| ledger.set(mark, at));
    }

    /// Begins a wait for a provider, a tool or a configured delay; it ends when the guard is
    /// dropped. A hold is a wait too. What no wait covers counts as added by the engine.
    pub fn wait(&self) -> WaitGuard<'_> {
        WaitGuard::new(self)
    }

    /// Adds text that is going to be spoken, as sent to the voice.
    pub fn add_text(&self, text: &str) {
        self.lock().playout.add_text(text);
    }

    /// Adds words with their times, as the voice reports them.
    pub fn add_words(&self, words: impl IntoIterator<Item = SpokenWord>) {
        self.lock().playout.add_words(words);
    }

    /// Notes that the first sound begins to be played at `at`.
    pub fn begin_playout(&self, at: Instant) {
        let mut state = self.lock();
        state.ledger.set(Mark::PlayoutStarted, at);
        if state.phase == Phase::Thinking {
            state.phase = Phase::Speaking;
            drop(state);
            self.0.observers.tell(&Event::AgentState(AgentState::Speaking));
        }
    }

    /// Notes how much of the turn's sound was played so far, and tells of the words in it.
    pub fn report_heard(&self, played: Duration) {
        let mut state = self.lock();
        state.playout.played = played;
        if self.0.observers.is_empty() || state.phase == Phase::Ended {
            return;
        }
        let text = state.playout.newly_heard();
        drop(state);
        if !text.is_empty() {
            self.0.observers.tell(&Event::AgentSpoke { turn: self.id(), text });
        }
    }

    /// What the caller has heard so far.
    pub fn heard(&self) -> Heard {
        self.lock().playout.heard()
    }

    /// Ends the turn: its last sound was played.
    pub fn complete(&self) {
        self.lock().playout.complete = true;
        self.end(Outcome::Completed);
    }

    /// Ends an interrupted turn: the speaker is silent now.
    pub fn silenced(&self) {
        self.mark(Mark::Silenced);
        self.end(Outcome::Interrupted);
    }

    /// Ends the turn, once; later calls change nothing.
    pub(super) fn end(&self, outcome: Outcome) {
        let mut state = self.lock();
        if state.phase == Phase::Ended {
            return;
        }
        state.phase = Phase::Ended;
        let report = self.report(&state, outcome);
        let heard = state.playout.heard().text;
        let superseded = state.superseded;
        drop(state);
        self.0.observers.tell(&Event::TurnEnded { heard, report });
        if !superseded {
            self.0.observers.tell(&Event::AgentState(AgentState::Listening));
        }
        self.0.ended.cancel();
    }

    /// Fires the token. A turn of which nothing was played is over at once; else the speaker ends
    /// it when it is silent.
    pub(super) fn cancel(&self, outcome: Outcome, onset: Option<Instant>) {
        let mut state = self.lock();
        state.ledger.set(Mark::Interrupted, Instant::now());
        state.onset = onset;
        state.superseded = outcome == Outcome::Superseded;
        let unheard = state.phase == Phase::Thinking;
        drop(state);
        self.0.cancelled.cancel();
        if unheard {
            self.end(outcome);
        }
    }

    /// Notes that the next turn has begun, though the last frame of this one may still be played.
    pub(super) fn supersede(&self) {
        self.lock().superseded = true;
    }

    /// Holds the turn or lets it go. A turn that is held before its first sound waits for the
    /// caller.
    pub(super) fn set_held(&self, held: bool) {
        if self.0.held.send_replace(held) == held {
            return;
        }
        let (now, turn) = (Instant::now(), self.id());
        if held {
            self.with_ledger(|ledger| ledger.begin_wait(now));
            self.0.observers.tell(&Event::Held { turn });
        } else {
            self.with_ledger(|ledger| ledger.end_wait(now));
            self.0.observers.tell(&Event::Resumed { turn });
        }
    }

    pub(super) fn with_ledger<R>(&self, f: impl FnOnce(&mut Ledger) -> R) -> R {
        f(&mut self.lock().ledger)
    }

    fn report(&self, state: &State, outcome: Outcome) -> TurnReport {
        let ledger = &state.ledger;
        let since_origin = |mark| Some(ledger.get(mark)?.saturating_duration_since(self.0.origin));
        let silenced = ledger.get(Mark::Silenced);
        TurnReport {
            turn: self.0.id,
            anchor: self.0.anchor,
            outcome,
            end_of_turn_delay: since_origin(Mark::Decided),
            transcription_delay: since_origin(Mark::TranscriptReady),
            llm_ttft: ledger.between(Mark::LlmRequested, Mark::LlmFirstToken),
            tts_ttfb: ledger.between(Mark::TtsRequested, Mark::TtsFirstAudio),
            e2e: since_origin(Mark::PlayoutStarted),
            engine_added: ledger.uncovered_since(self.0.origin),
            played: state.playout.played,
            barge_in_stop: silenced
                .zip(state.onset)
                .map(|(silent, onset)| silent.saturating_duration_since(onset)),
            flush: ledger.between(Mark::Interrupted, Mark::Silenced),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.state.lock().expect("no panic holds this lock")
    }
}
