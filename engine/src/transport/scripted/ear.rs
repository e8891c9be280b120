//! What a scripted caller knows of the agent.

use std::sync::{Mutex, MutexGuard};

use tokio::time::Instant;

use crate::event::{AgentState, Event, Observer};
use crate::turn::{Outcome, TurnId};

/// Listens to the call's events.
#[derive(Debug, Default)]
pub(super) struct Ear(Mutex<Agent>);

/// The agent, as heard so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Agent {
    /// The turn in progress.
    pub(super) live: Option<TurnId>,
    /// The last turn that began.
    pub(super) last: Option<TurnId>,
    /// When the voice began in the last turn; unknown once that was cut off.
    pub(super) voice: Option<Instant>,
    /// The last turn that was spoken to its end, and when that was.
    pub(super) completed: Option<(TurnId, Instant)>,
}

impl Ear {
    /// The agent now.
    pub(super) fn agent(&self) -> Agent {
        *self.lock()
    }

    fn lock(&self) -> MutexGuard<'_, Agent> {
        self.0.lock().expect("no panic holds this lock")
    }
}

impl Observer for Ear {
    fn on(&self, at: Instant, event: &Event) {
        self.lock().note(at, event);
    }
}

impl Agent {
    pub(super) fn note(&mut self, at: Instant, event: &Event) {
        match event {
            Event::TurnBegan { turn, .. } => {
                (self.live, self.last, self.voice) = (Some(*turn), Some(*turn), None);
            }
            Event::AgentState(AgentState::Speaking) => {
                self.voice.get_or_insert(at);
            }
            Event::TurnEnded { report, .. } => {
                let completed = report.outcome == Outcome::Completed;
                if completed {
                    self.completed = Some((report.turn, at));
                }
                if self.live == Some(report.turn) {
                    self.live = None;
                    self.voice = self.voice.filter(|_| completed);
                }
            }
            _ => {}
        }
    }
}
