//! The sending side of a port.

use std::future::poll_fn;

use super::DropReason;
use super::queue::{Offer, Queue, Sender};
use crate::message::{Envelope, Payload, Scope};

/// The sending side of a port: it feeds every edge that leaves the port.
#[derive(Debug)]
pub struct Output<T: Payload> {
    edges: Vec<Sender<T>>,
}

/// Why a message could not be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Nobody reads any edge of the port any more. The sender's work is over.
    #[error("nobody reads this port any more")]
    Closed,
    /// The edge is full, and its overflow policy is `fail`.
    #[error("edge {edge:?} is full and its overflow policy is `fail`")]
    Overflowed {
        /// The edge's name.
        edge: String,
    },
}

impl<T: Payload> Output<T> {
    pub(super) fn new(edges: Vec<Sender<T>>) -> Self {
        Self { edges }
    }

    /// A port without edges: whatever is sent is refused as closed.
    pub fn unconnected() -> Self {
        Self { edges: Vec::new() }
    }

    /// Joins the edges of two outputs into one port.
    #[must_use]
    pub fn and(mut self, mut other: Self) -> Self {
        self.edges.append(&mut other.edges);
        self
    }

    /// How many edges leave the port.
    pub fn edges(&self) -> usize {
        self.edges.len()
    }

    /// Sends a message on every edge of the port, waiting for room where an edge says `block`.
    ///
    /// A message of an interrupted turn is dropped and counted, and that is no error.
    ///
    /// # Errors
    /// [`SendError`]: nobody reads, or an edge that must not overflow did.
    pub async fn send(&mut self, envelope: Envelope<T>) -> Result<(), SendError> {
        let Some((last, others)) = self.edges.split_last() else {
            return Err(SendError::Closed);
        };
        let mut open = false;
        for edge in others {
            open |= deliver(&edge.0, envelope.clone()).await?;
        }
        open |= deliver(&last.0, envelope).await?;
        if open { Ok(()) } else { Err(SendError::Closed) }
    }

    /// Sends a message on one edge of the port, counted from 0 in the order of the graph.
    ///
    /// # Errors
    /// [`SendError`]: nobody reads, or the edge must not overflow and did.
    pub async fn send_to(&mut self, edge: usize, envelope: Envelope<T>) -> Result<(), SendError> {
        let edge = self.edges.get(edge).ok_or(SendError::Closed)?;
        if deliver(&edge.0, envelope).await? { Ok(()) } else { Err(SendError::Closed) }
    }
}

/// Delivers on one edge; `false` where nobody reads it.
async fn deliver<T: Payload>(
    queue: &Queue<T>,
    mut envelope: Envelope<T>,
) -> Result<bool, SendError> {
    loop {
        match queue.offer(envelope) {
            Offer::Taken => return Ok(true),
            Offer::Closed => return Ok(false),
            Offer::Overflowed => {
                return Err(SendError::Overflowed { edge: queue.meter.name().to_owned() });
            }
            Offer::Full(refused) => {
                if !wait_for_room(queue, &refused).await {
                    return Ok(true);
                }
                envelope = refused;
            }
        }
    }
}

/// Waits for room; `false` where the message was given up (and counted) instead.
async fn wait_for_room<T: Payload>(queue: &Queue<T>, envelope: &Envelope<T>) -> bool {
    let length = envelope.body.duration().unwrap_or_default();
    let waiting = Waiting { queue, scope: &envelope.scope };
    tokio::select! {
        biased;
        () = interrupted(&envelope.scope) => false,
        () = queue.session.cancelled() => false,
        () = poll_fn(|cx| queue.poll_room(cx, length)) => {
            std::mem::forget(waiting);
            true
        }
    }
}

/// A message that waits for room. Its drop counts it: the turn or the call is over, or the sender
/// gave up the send.
struct Waiting<'a, T: Payload> {
    queue: &'a Queue<T>,
    scope: &'a Scope,
}

impl<T: Payload> Drop for Waiting<'_, T> {
    fn drop(&mut self) {
        let stale = self.scope.is_stale() && !self.queue.session.is_cancelled();
        self.queue.give_up(if stale { DropReason::Stale } else { DropReason::Closed });
    }
}

async fn interrupted(scope: &Scope) {
    match scope {
        Scope::Session => std::future::pending().await,
        Scope::Turn(turn) => turn.cancelled().await,
    }
}
