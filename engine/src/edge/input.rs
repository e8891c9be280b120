//! The receiving side of a port.

use std::future::poll_fn;
use std::task::{Context, Poll};

use super::queue::Receiver;
use crate::message::{Envelope, Payload};

/// The receiving side of a port: it reads every edge that leads to the port.
#[derive(Debug)]
pub struct Input<T: Payload> {
    edges: Vec<Receiver<T>>,
}

impl<T: Payload> Input<T> {
    pub(super) fn new(edges: Vec<Receiver<T>>) -> Self {
        Self { edges }
    }

    /// A port without edges: it is at its end from the beginning.
    pub fn unconnected() -> Self {
        Self { edges: Vec::new() }
    }

    /// Joins the edges of two inputs into one port.
    #[must_use]
    pub fn and(mut self, mut other: Self) -> Self {
        self.edges.append(&mut other.edges);
        self
    }

    /// The next message that is not stale; `None` once every sender is gone and all is read.
    ///
    /// Cancel safe: a message is taken only when it is returned.
    pub async fn recv(&mut self) -> Option<Envelope<T>> {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// [`recv`](Self::recv) for use in a hand-written future.
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<Envelope<T>>> {
        let mut open = false;
        for edge in &self.edges {
            match edge.0.poll_recv(cx) {
                Poll::Ready(Some(envelope)) => return Poll::Ready(Some(envelope)),
                Poll::Ready(None) => {}
                Poll::Pending => open = true,
            }
        }
        if open { Poll::Pending } else { Poll::Ready(None) }
    }
}
