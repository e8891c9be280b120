//! Who may begin and interrupt a turn: the one owner of the control.

use std::sync::{Arc, Mutex, MutexGuard};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Anchor, Outcome, Turn, TurnId};
use crate::event::{AgentState, Event, Observers};

/// The right to begin and to interrupt turns. There is one per call, it cannot be cloned, and the
/// node whose kind declares that it controls turns holds it.
#[derive(Debug)]
pub struct TurnControl {
    session: CancellationToken,
    observers: Observers,
    current: CurrentTurn,
    /// The turn that was interrupted last: the frame in hand may still be played.
    interrupted: Option<Turn>,
}

/// The turn in progress, to be read by the session that must close the books at its end.
#[derive(Clone, Debug, Default)]
pub(crate) struct CurrentTurn(Arc<Mutex<Slot>>);

#[derive(Debug, Default)]
struct Slot {
    turn: Option<Turn>,
    /// How many turns were begun, this one included.
    begun: u32,
}

impl CurrentTurn {
    /// Ends the turn in progress, if any, because the call is over.
    pub(crate) fn end_with_call(&self) {
        if let Some(turn) = self.take() {
            turn.end(Outcome::CallEnded);
        }
    }

    /// How many turns the call has begun.
    pub(crate) fn begun(&self) -> u32 {
        self.lock().begun
    }

    fn begin(&self, turn: Turn) {
        let mut slot = self.lock();
        slot.begun = turn.id().0;
        slot.turn = Some(turn);
    }

    fn take(&self) -> Option<Turn> {
        self.lock().turn.take()
    }

    fn get(&self) -> Option<Turn> {
        self.lock().turn.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Slot> {
        self.0.lock().expect("no panic holds this lock")
    }
}

/// What a new turn is counted from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beginning {
    /// What the caller said; empty where the agent speaks first.
    pub text: String,
    /// The end of the caller's speech.
    pub origin: Instant,
    /// What `origin` was taken from.
    pub anchor: Anchor,
    /// When the turn's last transcript arrived, if there was one.
    pub transcript: Option<Instant>,
    /// When the last thing that the decision had to wait for had come: a provider's message or the
    /// end of a configured delay. What passed from then on is the engine's own time.
    pub settled: Instant,
}

impl TurnControl {
    /// The control of a call that `session` cancels.
    pub fn new(session: CancellationToken, observers: Observers) -> Self {
        Self { session, observers, current: CurrentTurn::default(), interrupted: None }
    }

    /// The slot that always shows this control's turn.
    pub(crate) fn watch(&self) -> CurrentTurn {
        self.current.clone()
    }

    /// Begins a turn. One that is still live is superseded.
    pub fn begin(&mut self, beginning: &Beginning) -> Turn {
        self.stop(Outcome::Superseded, None);
        if let Some(turn) = self.interrupted.take() {
            turn.supersede();
        }
        let id = TurnId(self.current.begun() + 1);
        let token = self.session.child_token();
        let turn = Turn::new(id, beginning, token, self.observers.clone());
        self.observers.tell(&Event::TurnBegan { turn: id, text: beginning.text.clone() });
        self.observers.tell(&Event::AgentState(AgentState::Thinking));
        self.current.begin(turn.clone());
        turn
    }

    /// The turn in progress: begun, and neither played to its end nor interrupted.
    pub fn current(&self) -> Option<Turn> {
        self.current.get().filter(Turn::is_live)
    }

    /// Silences the speaker until [`resume`](Self::resume) or [`interrupt`](Self::interrupt).
    pub fn hold(&mut self) {
        if let Some(turn) = self.current() {
            turn.set_held(true);
        }
    }

    /// Lets a held turn go on where it stopped.
    pub fn resume(&mut self) {
        if let Some(turn) = self.current() {
            turn.set_held(false);
        }
    }

    /// Interrupts the turn in progress, since the caller has spoken from `onset` on.
    pub fn interrupt(&mut self, onset: Instant) {
        self.stop(Outcome::Interrupted, Some(onset));
    }

    fn stop(&mut self, outcome: Outcome, onset: Option<Instant>) {
        if let Some(turn) = self.current.take().filter(Turn::is_live) {
            turn.cancel(outcome, onset);
            self.interrupted = Some(turn);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::FutureExt;
    use tokio::time::advance;

    use super::*;
    use crate::event::AgentState::{Listening, Speaking, Thinking};
    use crate::event::Observer;
    use crate::turn::TurnReport;

    #[derive(Default)]
    struct States(Mutex<Vec<AgentState>>);

    impl Observer for States {
        fn on(&self, _at: Instant, event: &Event) {
            if let Event::AgentState(state) = event {
                self.0.lock().expect("no panic holds it").push(*state);
            }
        }
    }

    fn control() -> TurnControl {
        TurnControl::new(CancellationToken::new(), Observers::default())
    }

    fn beginning() -> Beginning {
        let now = Instant::now();
        let text = "hello".to_owned();
        Beginning { text, origin: now, anchor: Anchor::Vad, transcript: Some(now), settled: now }
    }

    #[tokio::test]
    async fn a_new_turn_supersedes_the_live_one() {
        let mut control = control();
        let first = control.begin(&beginning());
        let second = control.begin(&beginning());
        assert!(first.is_cancelled() && !first.is_live());
        assert!(second.is_live());
        assert_eq!(control.watch().begun(), 2);
    }

    #[tokio::test]
    async fn a_completed_turn_is_not_interrupted() {
        let mut control = control();
        let turn = control.begin(&beginning());
        turn.begin_playout(Instant::now());
        turn.complete();
        control.interrupt(Instant::now());
        assert!(!turn.is_cancelled());
        assert!(control.current().is_none());
    }

    #[tokio::test]
    async fn the_end_of_a_turn_wakes_who_waits_for_it() {
        let mut control = control();
        let turn = control.begin(&beginning());
        turn.begin_playout(Instant::now());
        control.interrupt(Instant::now());
        assert_eq!(turn.ended().now_or_never(), None, "the frame in hand still plays");
        turn.silenced();
        assert_eq!(turn.ended().now_or_never(), Some(()));
    }

    #[tokio::test]
    async fn a_superseded_turn_does_not_say_that_the_agent_listens() {
        let seen = Arc::new(States::default());
        let observers = Observers::new(vec![Arc::clone(&seen) as Arc<dyn Observer>]);
        let mut control = TurnControl::new(CancellationToken::new(), observers);
        let first = control.begin(&beginning());
        first.begin_playout(Instant::now());
        control.begin(&beginning()).complete();
        first.silenced();
        assert_eq!(
            *seen.0.lock().expect("no panic holds it"),
            [Thinking, Speaking, Thinking, Listening]
        );
    }

    #[tokio::test]
    async fn a_turn_that_falls_silent_after_the_next_began_does_not_either() {
        let seen = Arc::new(States::default());
        let observers = Observers::new(vec![Arc::clone(&seen) as Arc<dyn Observer>]);
        let mut control = TurnControl::new(CancellationToken::new(), observers);
        let first = control.begin(&beginning());
        first.begin_playout(Instant::now());
        control.interrupt(Instant::now());
        control.begin(&beginning());
        first.silenced();
        assert_eq!(*seen.0.lock().expect("no panic holds it"), [Thinking, Speaking, Thinking]);
    }

    #[tokio::test]
    async fn hold_and_resume_reach_the_turn() {
        let mut control = control();
        let turn = control.begin(&beginning());
        control.hold();
        assert!(turn.is_held());
        control.resume();
        turn.until_held(false).await;
    }

    #[derive(Default)]
    struct Reports(Mutex<Vec<TurnReport>>);

    impl Observer for Reports {
        fn on(&self, _at: Instant, event: &Event) {
            if let Event::TurnEnded { report, .. } = event {
                self.0.lock().expect("no panic holds it").push(report.clone());
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_hold_before_the_first_sound_is_a_wait_and_not_the_engines_time() {
        let ms = Duration::from_millis;
        let seen = Arc::new(Reports::default());
        let observers = Observers::new(vec![Arc::clone(&seen) as Arc<dyn Observer>]);
        let mut control = TurnControl::new(CancellationToken::new(), observers);
        let turn = control.begin(&beginning());
        advance(ms(10)).await;
        control.hold();
        advance(ms(700)).await;
        control.resume();
        advance(ms(5)).await;
        turn.begin_playout(Instant::now());
        control.hold();
        advance(ms(100)).await;
        control.resume();
        turn.complete();
        let report = seen.0.lock().expect("no panic holds it")[0].clone();
        assert_eq!((report.e2e, report.engine_added), (Some(ms(715)), Some(ms(15))));
    }

    #[tokio::test]
    async fn the_end_of_the_session_cancels_the_turn() {
        let session = CancellationToken::new();
        let mut control = TurnControl::new(session.clone(), Observers::default());
        let turn = control.begin(&beginning());
        session.cancel();
        turn.cancelled().await;
    }
}
