//! What of the call's events is to be told in the room: the agent's state, and the words of both
//! sides.
//!
//! The call tells it all at once and must never wait, so only the latest of each is kept until the
//! room's own tasks have sent it.

use std::sync::{Mutex, MutexGuard};

use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use voicegraph_engine::event::{AgentState, Event, Observer};

use super::transcript::{Segment, Transcript};

/// The state of an agent whom nobody has called yet.
pub(super) const IDLE: &str = "idle";

/// What is to be told.
#[derive(Debug)]
pub(super) struct Told {
    /// As `lk.agent.state` says it.
    state: watch::Sender<&'static str>,
    transcript: Mutex<Transcript>,
    /// Something was said.
    said: Notify,
}

impl Told {
    /// Of a call whose segments are named after `call`.
    pub(super) fn new(call: &str) -> Self {
        let state = watch::Sender::new(AgentState::Initializing.name());
        Self { state, transcript: Mutex::new(Transcript::new(call)), said: Notify::new() }
    }

    /// Sets the agent's state.
    pub(super) fn set_state(&self, state: &'static str) {
        self.state.send_if_modified(|now| std::mem::replace(now, state) != state);
    }

    /// The agent's state, from now on.
    pub(super) fn states(&self) -> watch::Receiver<&'static str> {
        self.state.subscribe()
    }

    /// Waits for something that was said.
    pub(super) async fn next(&self) -> Segment {
        loop {
            let said = self.said.notified();
            if let Some(segment) = self.waiting() {
                return segment;
            }
            said.await;
        }
    }

    /// Something that was said and is not told yet.
    pub(super) fn waiting(&self) -> Option<Segment> {
        self.lock().next()
    }

    /// How many updates of words were dropped.
    pub(super) fn dropped(&self) -> u64 {
        self.lock().dropped()
    }

    fn lock(&self) -> MutexGuard<'_, Transcript> {
        self.transcript.lock().expect("no panic holds this lock")
    }
}

impl Observer for Told {
    fn on(&self, _: Instant, event: &Event) {
        if let Event::AgentState(state) = event {
            self.set_state(state.name());
        }
        let said = self.lock().on(event);
        if said {
            self.said.notify_one();
        }
    }
}
