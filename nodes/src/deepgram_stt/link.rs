//! One connection: sends and receives at once in one future, without a task of its own.
//!
//! What is to be sent is asked for only when the network has room, so nothing waits here but what
//! is in the network's own buffer. What comes is handed over the moment it is read.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::{Sink, Stream};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::provider::WebSocket;

/// An open connection.
pub(super) struct Link {
    socket: WebSocket,
    /// Since when the network has not taken what it was given.
    unsent_since: Option<Instant>,
}

/// What was done on a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Exchanged {
    /// Something was sent, so that what is due next may have changed.
    Sent,
    /// Something came.
    Received(Received),
}

/// What came of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Received {
    /// A text frame.
    Text(String),
    /// A binary frame, which the provider never sends.
    Binary,
    /// The provider closed the connection in due form.
    Closed(u16, String),
    /// The connection is gone, and why.
    Lost(String),
}

/// The code of a close frame without one (RFC 6455, section 7.4.1).
const NO_STATUS: u16 = 1005;

impl Link {
    pub(super) fn new(socket: WebSocket) -> Self {
        Self { socket, unsent_since: None }
    }

    /// Sends what `next` gives as far as there is room, or waits until something comes. Cancel
    /// safe.
    pub(super) async fn exchange(
        &mut self,
        mut next: impl FnMut() -> Option<Message>,
    ) -> Exchanged {
        poll_fn(|cx| match self.poll_read(cx) {
            Poll::Ready(received) => Poll::Ready(Exchanged::Received(received)),
            Poll::Pending => self.poll_write(cx, &mut next),
        })
        .await
    }

    /// When a network that takes nothing has had `limit` to do so.
    pub(super) fn due(&self, limit: Duration) -> Option<Instant> {
        self.unsent_since.map(|since| since + limit)
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Received> {
        loop {
            return Poll::Ready(match ready!(Pin::new(&mut self.socket).poll_next(cx)) {
                Some(Ok(Message::Text(text))) => Received::Text(text.to_string()),
                Some(Ok(Message::Binary(_))) => Received::Binary,
                Some(Ok(Message::Close(Some(frame)))) => {
                    let reason = frame.reason.chars().filter(|c| !c.is_control()).collect();
                    Received::Closed(frame.code.into(), reason)
                }
                Some(Ok(Message::Close(None))) => Received::Closed(NO_STATUS, String::new()),
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => continue,
                Some(Err(error)) => lost(&error),
                None => Received::Lost("connection lost".to_owned()),
            });
        }
    }

    /// Sends one thing after the other, each once the one before is with the network.
    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        next: &mut impl FnMut() -> Option<Message>,
    ) -> Poll<Exchanged> {
        let mut sent = false;
        loop {
            match Pin::new(&mut self.socket).poll_flush(cx) {
                Poll::Ready(Ok(())) => self.unsent_since = None,
                Poll::Ready(Err(error)) => return Poll::Ready(Exchanged::Received(lost(&error))),
                Poll::Pending => {
                    self.unsent_since.get_or_insert_with(Instant::now);
                    break;
                }
            }
            let Some(message) = next() else { break };
            sent = true;
            if let Err(error) = Pin::new(&mut self.socket).start_send(message) {
                return Poll::Ready(Exchanged::Received(lost(&error)));
            }
        }
        if sent { Poll::Ready(Exchanged::Sent) } else { Poll::Pending }
    }
}

fn lost(error: &Error) -> Received {
    Received::Lost(match error {
        Error::Io(error) => format!("connection lost: {}", error.kind()),
        error => format!("connection lost: {error}"),
    })
}
