//! One websocket with its contexts. Pure: what is due next is what the earliest context has due.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::time::Instant;

use super::context::Context;
use super::error::{Problem, Version};
use super::request::{self, Request, Speak};
use super::script::{Fault, Script};
use crate::server::{Outgoing, Peer};

/// Messages waiting for the socket; above it no more requests are read.
const OUTBOX_LIMIT: usize = 1_024;
/// Ended contexts whose ids are remembered, since ids must not be used again.
const ENDED_LIMIT: usize = 1_024;
/// Close code after idling; the reference does not establish it.
const GOING_AWAY: u16 = 1001;

/// A connection.
pub(super) struct Session {
    script: Arc<Script>,
    faults: Vec<Fault>,
    version: Version,
    request_id: String,
    active: Arc<AtomicUsize>,
    contexts: BTreeMap<String, Slot>,
    ended: VecDeque<String>,
    opened_contexts: u64,
    outbox: VecDeque<Outgoing>,
    last_input: Instant,
    is_closed: bool,
    /// The context of the last message, for the log.
    current: String,
}

/// A context and its part in the concurrency limit, given back when it is dropped.
struct Slot {
    context: Context,
    active: Arc<AtomicUsize>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.active.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Session {
    /// A connection opened at `now`; `active` counts the contexts of all connections.
    pub(super) fn new(
        script: Arc<Script>,
        faults: Vec<Fault>,
        version: Version,
        request_id: String,
        active: Arc<AtomicUsize>,
        now: Instant,
    ) -> Self {
        Self {
            contexts: BTreeMap::new(),
            ended: VecDeque::new(),
            outbox: VecDeque::new(),
            current: String::new(),
            opened_contexts: 0,
            last_input: now,
            is_closed: false,
            script,
            faults,
            version,
            request_id,
            active,
        }
    }

    fn speak(&mut self, speak: &Speak, now: Instant) -> Result<(), Problem> {
        if self.ended.contains(&speak.context) {
            let message = "the context has ended; use a new context_id";
            return Err(Problem::bad("Invalid context", message));
        }
        if !self.contexts.contains_key(&speak.context) {
            self.open(speak, now)?;
        }
        let slot = self.contexts.get_mut(&speak.context).expect("it was just opened");
        slot.context.push(speak, now)
    }

    fn open(&mut self, first: &Speak, now: Instant) -> Result<(), Problem> {
        let active = self.active.fetch_add(1, Ordering::Relaxed);
        self.opened_contexts += 1;
        let (script, faults) = (self.script.clone(), self.faults.clone());
        let context = Context::new(script, faults, first.clone(), self.opened_contexts, now);
        let slot = Slot { context, active: self.active.clone() };
        if active >= self.script.context_limit {
            return Err(Problem::too_many());
        }
        self.contexts.insert(first.context.clone(), slot);
        Ok(())
    }

    fn cancel(&mut self, id: &str, now: Instant) {
        if let Some(slot) = self.contexts.get_mut(id) {
            slot.context.cancel(now);
            self.forget_if_over(id);
        }
    }

    /// Refuses a request, which ends its context.
    fn refuse(&mut self, context: Option<&str>, problem: &Problem) {
        let message = problem.message(&self.version, &self.request_id, context);
        let text = message.to_string();
        self.outbox.push_back(Outgoing::Text { text, what: "error", receipt: None });
        if let Some(id) = context.filter(|id| self.contexts.contains_key(*id)) {
            self.forget(id);
        }
    }

    fn forget_if_over(&mut self, id: &str) {
        if self.contexts.get(id).is_some_and(|slot| slot.context.is_over()) {
            self.forget(id);
        }
    }

    fn forget(&mut self, id: &str) {
        self.contexts.remove(id);
        if self.ended.len() == ENDED_LIMIT {
            self.ended.pop_front();
        }
        self.ended.push_back(id.to_owned());
    }

    /// Moves what the earliest context has due at `now` to the outbox.
    fn collect(&mut self, now: Instant) {
        let due = |slot: &Slot| slot.context.due();
        let earliest = self.contexts.iter().filter_map(|(id, slot)| Some((due(slot)?, id))).min();
        let Some((at, id)) = earliest.filter(|(at, _)| *at <= now) else { return };
        let id = id.clone();
        let slot = self.contexts.get_mut(&id).expect("it was just found");
        for message in slot.context.take(at) {
            let value = message.value(&self.version, &self.request_id, &id);
            let text = value.to_string();
            self.outbox.push_back(Outgoing::Text { text, what: message.kind(), receipt: None });
        }
        self.forget_if_over(&id);
        self.current = id;
    }

    fn idle_at(&self) -> Option<Instant> {
        (!self.is_closed).then(|| self.last_input + self.script.idle_timeout)
    }
}

impl Peer for Session {
    fn id(&self) -> &str {
        &self.current
    }

    fn accepts(&self) -> bool {
        self.outbox.len() < OUTBOX_LIMIT
    }

    fn text(&mut self, text: &str, now: Instant) -> &'static str {
        self.last_input = now;
        match request::decode(text) {
            Ok(Request::Cancel(id)) => {
                self.cancel(&id, now);
                self.current = id;
                "cancel"
            }
            Ok(Request::Speak(speak)) => {
                if let Err(problem) = self.speak(&speak, now) {
                    self.refuse(Some(&speak.context), &problem);
                }
                self.current = speak.context;
                if speak.has_more { "text" } else { "last text" }
            }
            Err((context, problem)) => {
                self.refuse(context.as_deref(), &problem);
                "unknown"
            }
        }
    }

    fn binary(&mut self, _: &[u8], now: Instant) -> &'static str {
        self.last_input = now;
        let problem = Problem::bad("Invalid request", "messages must be JSON text");
        self.refuse(None, &problem);
        "binary"
    }

    fn due(&self) -> Option<Instant> {
        let waiting = (!self.outbox.is_empty()).then_some(self.last_input);
        let contexts = self.contexts.values().filter_map(|slot| slot.context.due());
        contexts.chain(waiting).chain(self.idle_at()).min()
    }

    fn next(&mut self, now: Instant) -> Option<Outgoing> {
        if self.outbox.is_empty() {
            self.collect(now);
        }
        if self.outbox.is_empty() && self.idle_at().is_some_and(|idle| idle <= now) {
            self.is_closed = true;
            return Some(Outgoing::Close(GOING_AWAY, "idle timeout".to_owned()));
        }
        self.outbox.pop_front()
    }

    fn sent(&mut self, _: usize) {}
}
