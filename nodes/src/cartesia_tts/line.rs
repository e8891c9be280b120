//! The websocket to the provider: opened before it is needed, read and written at once, reopened.
//!
//! The line tells what happens as [`LineEvent`]s and decides nothing: when to reopen, and what a
//! failure means, is the node's to say.

use std::future::{Future, pending, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use http::{HeaderName, header::AUTHORIZATION};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::{Error, Message};
use voicegraph_engine::connect::Connector;

use super::settings::Settings;
use super::wire::{Reply, Request, decode};
use crate::provider::{self, Failure, WebSocket};

/// A connection that lasted this long, or that served, is worth reopening at once and without a
/// word: the provider closes idle connections after 5 minutes.
const STEADY: Duration = Duration::from_secs(1);

/// The version header; the name is the reference's.
const VERSION: HeaderName = HeaderName::from_static("cartesia-version");

type Opening = Pin<Box<dyn Future<Output = Result<WebSocket, Failure>> + Send>>;

/// The websocket to the provider.
pub(super) struct Line {
    settings: Arc<Settings>,
    connector: Connector,
    state: State,
}

enum State {
    Opening(Opening),
    Open(Box<Open>),
    Lost,
}

struct Open {
    socket: WebSocket,
    opened: Instant,
    used: Instant,
    served: bool,
    /// Since when something waits to be written.
    writing: Option<Instant>,
}

/// What happened on the line.
#[derive(Debug)]
pub(super) enum LineEvent {
    /// The provider can be spoken to.
    Opened,
    /// What was said is written, and more can be.
    Written,
    /// The provider said something.
    Said(Reply),
    /// The line is gone, until it is reopened.
    Lost(Loss),
}

/// How the line was lost.
#[derive(Debug)]
pub(super) struct Loss {
    /// What happened.
    pub(super) failure: Failure,
    /// Whether the connection had proved good, so that its loss between turns is no failure.
    pub(super) was_steady: bool,
}

impl Line {
    /// A line that is being opened.
    pub(super) fn new(settings: Arc<Settings>, connector: Connector) -> Self {
        let mut line = Self { settings, connector, state: State::Lost };
        line.reopen(Duration::ZERO);
        line
    }

    /// Drops the connection, if there is one, and opens another after `delay`.
    pub(super) fn reopen(&mut self, delay: Duration) {
        let (settings, connector) = (Arc::clone(&self.settings), self.connector.clone());
        self.state = State::Opening(Box::pin(async move {
            tokio::time::sleep(delay).await;
            open(&settings, &connector).await
        }));
    }

    /// Waits for the next event. Cancel safe.
    pub(super) async fn event(&mut self) -> LineEvent {
        let event = match &mut self.state {
            State::Opening(opening) => match opening.as_mut().await {
                Ok(socket) => {
                    self.state = State::Open(Box::new(Open::new(socket)));
                    return LineEvent::Opened;
                }
                Err(failure) => Err(failure),
            },
            State::Open(open) => poll_fn(|cx| open.poll_event(cx)).await,
            State::Lost => pending().await,
        };
        match event {
            Ok(Some(reply)) => LineEvent::Said(reply),
            Ok(None) => LineEvent::Written,
            Err(failure) => {
                let was_steady = self.is_steady();
                self.state = State::Lost;
                LineEvent::Lost(Loss { failure, was_steady })
            }
        }
    }

    /// Whether a message can be written now: the line is open and all before it is written.
    pub(super) fn is_clear(&self) -> bool {
        matches!(&self.state, State::Open(open) if open.writing.is_none())
    }

    /// Hands a message over; [`event`](Self::event) writes it. Without a connection it is dropped:
    /// who must be heard waits until the line [`is_clear`](Self::is_clear).
    pub(super) fn say(&mut self, request: &Request) {
        if let State::Open(open) = &mut self.state {
            let now = Instant::now();
            open.used = now;
            open.writing.get_or_insert(now);
            // An error here is one of the connection, and comes again when it is read.
            let text = request.encode(&self.settings.voice);
            drop(open.socket.start_send_unpin(Message::text(text)));
        }
    }

    /// Notes that the provider did what it was asked for.
    pub(super) fn served(&mut self) {
        if let State::Open(open) = &mut self.state {
            open.served = true;
        }
    }

    /// When what is being written is too late.
    pub(super) fn write_deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Open(open) => Some(open.writing? + self.settings.send_timeout),
            State::Opening(_) | State::Lost => None,
        }
    }

    /// When an unused connection is to be renewed, before the provider closes it.
    pub(super) fn renewal(&self) -> Option<Instant> {
        match &self.state {
            State::Open(open) => Some(open.used + self.settings.idle_reconnect),
            State::Opening(_) | State::Lost => None,
        }
    }

    /// Takes leave of the provider, within the time that a write may take.
    pub(super) async fn close(self) {
        if let State::Open(mut open) = self.state {
            let leave = open.socket.close(None);
            if tokio::time::timeout(self.settings.send_timeout, leave).await.is_err() {
                tracing::debug!("the provider did not take the close frame in time");
            }
        }
    }

    fn is_steady(&self) -> bool {
        match &self.state {
            State::Open(open) => open.served || open.opened.elapsed() >= STEADY,
            State::Opening(_) | State::Lost => false,
        }
    }
}

impl Open {
    fn new(socket: WebSocket) -> Self {
        let now = Instant::now();
        Self { socket, opened: now, used: now, served: false, writing: None }
    }

    /// Writes what is to be written and reads the next reply; `None` where the writing came to its
    /// end first. What the provider said before it left is read, though nothing can be written any
    /// more.
    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Reply>, Failure>> {
        let written = self.poll_write(cx);
        match self.poll_read(cx) {
            Poll::Ready(read) => Poll::Ready(read.map(Some)),
            Poll::Pending => written.map_ok(|()| None),
        }
    }

    /// Writes what is to be written; pending for ever where nothing is.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        if self.writing.is_none() {
            return Poll::Pending;
        }
        ready!(self.socket.poll_flush_unpin(cx)).map_err(lost)?;
        self.writing = None;
        Poll::Ready(Ok(()))
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<Reply, Failure>> {
        loop {
            match ready!(self.socket.poll_next_unpin(cx)) {
                Some(Ok(Message::Text(text))) => {
                    let reply = decode(&text).map_err(|error| Failure::retry(error.to_string()));
                    return Poll::Ready(reply);
                }
                Some(Ok(Message::Close(frame))) => {
                    let code = frame.map_or(1005, |frame| u16::from(frame.code));
                    return Poll::Ready(Err(Failure::retry(format!("closed with code {code}"))));
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Poll::Ready(Err(lost(error))),
                None => return Poll::Ready(Err(Failure::retry("connection closed"))),
            }
        }
    }
}

async fn open(settings: &Settings, connector: &Connector) -> Result<WebSocket, Failure> {
    let request = provider::Request {
        endpoint: &settings.endpoint,
        path: "/tts/websocket",
        headers: &[(VERSION, settings.version.clone())],
        credentials: (AUTHORIZATION, "Bearer ", &settings.api_key),
        limit: settings.connect_timeout,
    };
    provider::open(connector, request).await
}

/// What an error of the connection is called. Errors of tungstenite may quote what was sent, so
/// that only their kind is told.
fn lost(error: Error) -> Failure {
    match error {
        Error::Io(error) => Failure::retry(format!("connection lost: {}", error.kind())),
        Error::Capacity(_) => Failure::retry("connection lost: a message is too large"),
        Error::Protocol(error) => Failure::retry(format!("connection lost: {error}")),
        _ => Failure::retry("connection lost"),
    }
}
