//! The queue of one edge in one call.
//!
//! One sender, one consumer, so one waker each is enough, and neither a hop nor a wait allocates.
//! The queue's lock is held for a few instructions and never across an await. Each queue counts
//! what passes it under that lock, so that at any instant `sent = received + dropped + length`
//! holds exactly.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::meter::{Attached, Counted};
use super::{Counts, DropReason, EdgeMeter, Input, Limit, Output, Overflow};
use crate::message::{Envelope, Payload};

/// Makes the edge that `meter` measures. The end of `session` wakes whoever waits on it.
pub fn edge<T: Payload>(
    meter: &Arc<EdgeMeter>,
    session: CancellationToken,
) -> (Output<T>, Input<T>) {
    let queue = Arc::new(Queue {
        limit: meter.limit(),
        overflow: meter.overflow(),
        session,
        meter: Arc::clone(meter),
        state: Mutex::new(State::new()),
    });
    let attached = meter.attach(Arc::clone(&queue) as Arc<dyn Counted>);
    queue.lock().attached = Some(attached);
    (Output::new(vec![Sender(Arc::clone(&queue))]), Input::new(vec![Receiver(queue)]))
}

/// What both ends of one edge share.
#[derive(Debug)]
pub(super) struct Queue<T> {
    pub(super) limit: Limit,
    pub(super) overflow: Overflow,
    pub(super) session: CancellationToken,
    pub(super) meter: Arc<EdgeMeter>,
    state: Mutex<State<T>>,
}

#[derive(Debug)]
struct State<T> {
    messages: VecDeque<Queued<T>>,
    length: Duration,
    counts: Counts,
    attached: Option<Attached>,
    sender_gone: bool,
    receiver_gone: bool,
    sender_waits: Option<Waker>,
    receiver_waits: Option<Waker>,
}

#[derive(Debug)]
struct Queued<T> {
    envelope: Envelope<T>,
    sent: Instant,
    length: Duration,
}

/// What became of a message that was offered.
pub(super) enum Offer<T> {
    /// It is in the queue, or it was dropped and counted.
    Taken,
    /// The queue is full and its policy is to wait.
    Full(Envelope<T>),
    /// The queue is full and its policy is to fail.
    Overflowed,
    /// Nobody reads the edge any more.
    Closed,
}

impl<T: Payload> State<T> {
    fn new() -> Self {
        Self {
            messages: VecDeque::new(),
            length: Duration::ZERO,
            counts: Counts::default(),
            attached: None,
            sender_gone: false,
            receiver_gone: false,
            sender_waits: None,
            receiver_waits: None,
        }
    }

    fn push(&mut self, queued: Queued<T>) {
        self.length += queued.length;
        self.messages.push_back(queued);
        self.counts.length += 1;
        if let Some(waker) = self.receiver_waits.take() {
            waker.wake();
        }
    }

    fn pop(&mut self) -> Option<Queued<T>> {
        let queued = self.messages.pop_front()?;
        self.length -= queued.length;
        self.counts.length -= 1;
        Some(queued)
    }

    fn drop_one(&mut self, reason: DropReason) -> bool {
        let dropped = self.pop().is_some();
        if dropped {
            self.counts.drop(reason);
        }
        dropped
    }
}

impl<T: Payload> Queue<T> {
    /// Offers a message, as `send` does until it has room.
    pub(super) fn offer(&self, envelope: Envelope<T>) -> Offer<T> {
        let length = envelope.body.duration().unwrap_or_default();
        let mut state = self.lock();
        if state.receiver_gone {
            state.counts.sent += 1;
            state.counts.drop(DropReason::Closed);
            return Offer::Closed;
        }
        if envelope.scope.is_stale() {
            state.counts.sent += 1;
            state.counts.drop(DropReason::Stale);
            return Offer::Taken;
        }
        if !self.limit.has_room(state.messages.len(), state.length, length) {
            match self.overflow {
                Overflow::Block => return Offer::Full(envelope),
                Overflow::DropOldest => self.make_room(&mut state, length),
                Overflow::DropNewest => {
                    state.counts.sent += 1;
                    state.counts.drop(DropReason::Overflow);
                    return Offer::Taken;
                }
                Overflow::Fail => {
                    state.counts.sent += 1;
                    state.counts.drop(DropReason::Overflow);
                    return Offer::Overflowed;
                }
            }
        }
        state.counts.sent += 1;
        state.push(Queued { envelope, sent: Instant::now(), length });
        Offer::Taken
    }

    /// Counts a message that its sender gave up while it waited for room.
    pub(super) fn give_up(&self, reason: DropReason) {
        let mut state = self.lock();
        state.counts.sent += 1;
        state.counts.drop(reason);
    }

    fn make_room(&self, state: &mut State<T>, length: Duration) {
        while !self.limit.has_room(state.messages.len(), state.length, length)
            && state.drop_one(DropReason::Overflow)
        {}
    }

    /// Ready once the queue has room for a message of `length`, or nobody reads it.
    pub(super) fn poll_room(&self, cx: &mut Context<'_>, length: Duration) -> Poll<()> {
        let mut state = self.lock();
        let room = self.limit.has_room(state.messages.len(), state.length, length);
        if room || state.receiver_gone {
            return Poll::Ready(());
        }
        store(&mut state.sender_waits, cx);
        Poll::Pending
    }

    /// The oldest message that is not stale; `Ready(None)` once the sender is gone and all is read.
    pub(super) fn poll_recv(&self, cx: &mut Context<'_>) -> Poll<Option<Envelope<T>>> {
        let mut state = self.lock();
        while let Some(queued) = state.pop() {
            if let Some(waker) = state.sender_waits.take() {
                waker.wake();
            }
            if queued.envelope.scope.is_stale() {
                state.counts.drop(DropReason::Stale);
                continue;
            }
            state.counts.received += 1;
            drop(state);
            let now = Instant::now();
            let waited = now.saturating_duration_since(queued.sent);
            let age = now.saturating_duration_since(queued.envelope.origin);
            self.meter.record(waited, age);
            return Poll::Ready(Some(queued.envelope));
        }
        if state.sender_gone {
            return Poll::Ready(None);
        }
        store(&mut state.receiver_waits, cx);
        Poll::Pending
    }

    /// Hands the counts to the meter for good once both ends are gone.
    fn retire(&self) {
        let mut state = self.lock();
        let over = state.sender_gone && state.receiver_gone;
        let attached = state.attached.take_if(|_| over);
        drop(state);
        if let Some(attached) = attached {
            self.meter.detach(attached);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().expect("no panic holds this lock")
    }
}

impl<T: Payload> Counted for Queue<T> {
    fn counts(&self) -> Counts {
        self.lock().counts
    }
}

fn store(slot: &mut Option<Waker>, cx: &Context<'_>) {
    match slot {
        Some(waker) => waker.clone_from(cx.waker()),
        None => *slot = Some(cx.waker().clone()),
    }
}

/// The sending end of one edge. Its drop is the end of the stream.
#[derive(Debug)]
pub(super) struct Sender<T: Payload>(pub(super) Arc<Queue<T>>);

impl<T: Payload> Drop for Sender<T> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.sender_gone = true;
        if let Some(waker) = state.receiver_waits.take() {
            waker.wake();
        }
        drop(state);
        self.0.retire();
    }
}

/// The receiving end of one edge. What it leaves unread is counted as dropped.
#[derive(Debug)]
pub(super) struct Receiver<T: Payload>(pub(super) Arc<Queue<T>>);

impl<T: Payload> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.receiver_gone = true;
        while state.drop_one(DropReason::Closed) {}
        if let Some(waker) = state.sender_waits.take() {
            waker.wake();
        }
        drop(state);
        self.0.retire();
    }
}
