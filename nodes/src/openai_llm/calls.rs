//! The tool calls that are not over: whose result is still to come, and until when it is waited
//! for.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::FutureExt;
use tokio::sync::oneshot;
use tokio::time::Instant;
use voicegraph_engine::message::{Effect, ToolResult};
use voicegraph_engine::turn::Turn;

/// The most calls that may be running in one call. A tool that never answers must not pile them up.
const MAX_RUNNING: usize = 64;

/// A tool call that was handed over.
#[derive(Debug)]
pub(super) struct Running {
    /// Its id in the history.
    pub(super) id: String,
    /// The tool's name.
    pub(super) name: String,
    /// Whether the tool changes anything.
    pub(super) effect: Effect,
    /// The turn that called it.
    pub(super) turn: Turn,
    /// Until when its result is waited for.
    pub(super) deadline: Instant,
    /// Where the result comes.
    pub(super) reply: oneshot::Receiver<ToolResult>,
}

/// How a call ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// The tool gave a result or a failure.
    Answered(ToolResult),
    /// The tool dropped the call: it is gone, or the call was stale before the tool took it.
    Dropped,
    /// It took too long.
    TimedOut,
    /// The caller interrupted.
    Cancelled,
}

/// The calls that are not over, in the order in which they were made.
#[derive(Debug, Default)]
pub(super) struct Calls(Vec<Running>);

impl Calls {
    /// Whether one more may be made.
    pub(super) fn has_room(&self) -> bool {
        self.0.len() < MAX_RUNNING
    }

    /// Adds a call that was handed over.
    pub(super) fn add(&mut self, call: Running) {
        assert!(self.has_room(), "has_room is asked first");
        self.0.push(call);
    }

    /// Whether the call `id` is running.
    pub(super) fn contains(&self, id: &str) -> bool {
        self.0.iter().any(|call| call.id == id)
    }

    /// Takes the next call that ends. Waits for ever where none is running. Cancel safe.
    pub(super) async fn next(&mut self) -> (Running, Ending) {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Takes a call that has ended already, if any.
    pub(super) fn take_ended(&mut self) -> Option<(Running, Ending)> {
        self.next().now_or_never()
    }

    /// The earliest deadline after `now`; `None` where no result is waited for any more.
    pub(super) fn deadline(&self, now: Instant) -> Option<Instant> {
        self.0.iter().map(|call| call.deadline).filter(|deadline| *deadline > now).min()
    }

    /// Takes the calls of tools that read whose deadline is past.
    pub(super) fn take_overdue_reads(&mut self, now: Instant) -> Vec<Running> {
        self.take(|call| call.effect == Effect::Read && call.deadline <= now)
    }

    /// Takes the calls of tools that read.
    pub(super) fn take_reads(&mut self) -> Vec<Running> {
        self.take(|call| call.effect == Effect::Read)
    }

    fn take(&mut self, which: impl Fn(&Running) -> bool) -> Vec<Running> {
        self.0.extract_if(.., |call| which(call)).collect()
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<(Running, Ending)> {
        for at in 0..self.0.len() {
            if let Poll::Ready(result) = Pin::new(&mut self.0[at].reply).poll(cx) {
                let ending = result.map_or(Ending::Dropped, Ending::Answered);
                return Poll::Ready((self.0.remove(at), ending));
            }
        }
        Poll::Pending
    }
}
