//! Keeps one HTTP/1.1 connection to the provider open, ahead of need.
//!
//! ```text
//!   open ──> keep until it is asked for ──> drive while it is used ──closed──> open the next
//!    │ ▲          └── the server closed it ──> open the next
//!    └─┘ pause: the backoff's delay, or until one is asked for
//! ```
//!
//! hyper's connection is a future that somebody must poll. No node spawns tasks, so [`Keeper::run`]
//! is polled beside the conversation; the conversation holds the other end, a [`Connections`].

use std::pin::pin;
use std::time::Duration;

use hyper::client::conn::http1::{self, Connection, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep};
use voicegraph_engine::connect::{Connector, Endpoint, Io};

use super::line::Outgoing;
use crate::provider::{Backoff, Failure, Verdict};

/// A server that closes an unused connection sooner than this is not dialled again at once.
const SHORTEST_IDLE: Duration = Duration::from_secs(1);

/// The most bytes that are read ahead of the answer's reader, heads included. A token's chunk has
/// some 300 bytes.
const MAX_BUFFER_BYTES: usize = 64 << 10;

/// The sending side of a connection.
pub(super) type Sender = SendRequest<Outgoing>;

type Opened = (Sender, Connection<TokioIo<Box<dyn Io>>, Outgoing>);
type Asked = oneshot::Sender<Result<Sender, Failure>>;

/// The end at which connections are asked for, one at a time.
#[derive(Debug)]
pub(super) struct Connections(mpsc::Sender<Asked>);

impl Connections {
    /// A fresh connection. The one given before is closed, if it is not yet.
    ///
    /// # Errors
    /// It could not be opened.
    pub(super) async fn next(&self) -> Result<Sender, Failure> {
        let (asked, answer) = oneshot::channel();
        let gone = || Failure::fatal("nobody keeps connections any more");
        self.0.send(asked).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

/// Opens connections and drives them.
pub(super) struct Keeper {
    connector: Connector,
    endpoint: Endpoint,
    connect_timeout: Duration,
    backoff: Backoff,
    requests: mpsc::Receiver<Asked>,
    asked: Option<Asked>,
}

impl Keeper {
    /// A keeper of connections to `endpoint`, and the end at which they are asked for.
    pub(super) fn new(
        connector: Connector,
        endpoint: Endpoint,
        connect_timeout: Duration,
        backoff: Backoff,
    ) -> (Self, Connections) {
        let (sender, requests) = mpsc::channel(1);
        let keeper = Self { connector, endpoint, connect_timeout, backoff, requests, asked: None };
        (keeper, Connections(sender))
    }

    /// Opens and drives connections. Returns only for a failure that trying again cannot mend.
    pub(super) async fn run(mut self) -> Failure {
        loop {
            let ended = match self.open().await {
                Ok(opened) => self.keep(opened).await,
                Err(failure) => Err(failure),
            };
            match ended {
                Ok(()) => {}
                Err(failure) if failure.verdict == Verdict::Fatal => return failure,
                Err(failure) => self.pause(failure).await,
            }
        }
    }

    async fn open(&mut self) -> Result<Opened, Failure> {
        let stream = self.connector.connect(&self.endpoint, self.connect_timeout).await?;
        let opened = http1::Builder::new()
            .max_buf_size(MAX_BUFFER_BYTES)
            .handshake(TokioIo::new(stream))
            .await;
        opened.map_err(|error| Failure::retry(format!("could not open HTTP: {error}")))
    }

    /// Drives a connection until it is closed, or another is asked for. Fails where the server
    /// closed it at once.
    async fn keep(&mut self, (mut sender, connection): Opened) -> Result<(), Failure> {
        let opened = Instant::now();
        let mut connection = pin!(connection);
        loop {
            if self.asked.is_none() {
                tokio::select! {
                    biased;
                    _ = &mut connection => return closed_idle(opened),
                    asked = self.requests.recv() => self.asked = asked,
                }
            }
            let Some(asked) = self.asked.take() else {
                // The conversation is over; what polls this is about to drop it.
                return std::future::pending().await;
            };
            self.backoff.succeeded();
            match asked.send(Ok(sender)) {
                Err(Ok(unused)) => sender = unused,
                _ => break,
            }
        }
        tokio::select! {
            biased;
            asked = self.requests.recv() => self.asked = asked,
            _ = connection => {}
        }
        Ok(())
    }

    /// Lets whoever asked know; else waits before the next attempt.
    async fn pause(&mut self, failure: Failure) {
        tracing::debug!(what = %failure, "no connection");
        if self.asked.is_none() {
            self.asked = self.requests.try_recv().ok();
        }
        if let Some(asked) = self.asked.take() {
            // Where the asker is gone, the failure has no reader, and the next one will see for
            // itself.
            let _ = asked.send(Err(failure));
            self.asked = self.requests.recv().await;
            return;
        }
        let delay = self.backoff.after(&failure);
        let patience = async {
            match delay {
                Some(delay) => sleep(delay).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            asked = self.requests.recv() => self.asked = asked,
            () = patience => {}
        }
    }
}

fn closed_idle(opened: Instant) -> Result<(), Failure> {
    if opened.elapsed() < SHORTEST_IDLE {
        return Err(Failure::retry("the connection was closed at once"));
    }
    Ok(())
}
