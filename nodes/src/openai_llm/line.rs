//! Requests over a connection that is kept.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};
use voicegraph_engine::metrics::NodeMeter;
use voicegraph_engine::turn::{Mark, Turn};

use super::config::Settings;
use super::keeper::{Connections, Sender};
use super::reply::{Reply, lost};
use super::wire;
use crate::provider::Failure;

/// The path below the base URL.
const PATH: &str = "/chat/completions";

/// How the node calls itself.
const USER_AGENT: &str = concat!("voicegraph/", env!("CARGO_PKG_VERSION"));

/// The most bytes of a refusal that are read.
const MAX_REFUSAL_BYTES: usize = 64 << 10;

/// How long the end of the last answer is waited for before a new connection is taken instead.
const TIDY_LIMIT: Duration = Duration::from_millis(50);

/// The way to the provider: at most one request at a time.
pub(super) struct Line {
    settings: Arc<Settings>,
    connections: Connections,
    meter: Arc<NodeMeter>,
    current: Option<Current>,
    /// The rest of an answer that is complete: its bookkeeping, and the end of the stream, after
    /// which the connection can be used again.
    rest: Option<Reply>,
}

struct Current {
    sender: Sender,
    /// Whether an earlier request went over it, so that the server may be closing it right now.
    reused: bool,
    /// Whether a request was sent whose answer did not reach its end.
    in_use: bool,
}

impl Line {
    /// A line over these connections; `meter` counts the tokens of its answers.
    pub(super) fn new(
        settings: Arc<Settings>,
        connections: Connections,
        meter: Arc<NodeMeter>,
    ) -> Self {
        Self { settings, connections, meter, current: None, rest: None }
    }

    /// Sends a request for `turn` and waits for the head of the answer.
    ///
    /// A connection that was kept may be closed by the server just when a request is sent. Such a
    /// request is sent again at once over a fresh one.
    ///
    /// # Errors
    /// No connection, a refusal, or silence for longer than the progress timeout.
    pub(super) async fn ask(&mut self, turn: &Turn, body: &Bytes) -> Result<Reply, Failure> {
        let response = match self.send(turn, body).await {
            Err(_) if self.current.as_ref().is_some_and(|current| current.reused) => {
                self.current = None;
                self.send(turn, body).await
            }
            response => response,
        };
        let (requested, response) = response?;
        if response.status() != StatusCode::OK {
            let _wait = turn.wait();
            return Err(self.refused(response).await);
        }
        let kind = response.headers().get(header::CONTENT_TYPE).map(header::HeaderValue::as_bytes);
        if kind.is_some_and(|kind| kind.starts_with(b"application/json")) {
            return Err(Failure::fatal("the server does not stream: its answer is plain JSON"));
        }
        let (body, limit) = (response.into_body(), self.settings.progress_timeout);
        Ok(Reply::new(body, requested, limit, Arc::clone(&self.meter)))
    }

    /// Hands back an answer of which nothing more is needed.
    pub(super) fn leave(&mut self, reply: Reply) {
        self.rest = Some(reply);
    }

    /// Whether [`tidy`](Self::tidy) has anything to do.
    pub(super) fn is_untidy(&self) -> bool {
        self.rest.is_some()
    }

    /// Reads the rest of the last answer, so that its connection can be used again. Cancel safe.
    pub(super) async fn tidy(&mut self) {
        let Some(rest) = &mut self.rest else {
            return;
        };
        let ended = loop {
            match rest.next().await {
                Ok(Some(_)) => {}
                Ok(None) => break true,
                Err(failure) => {
                    tracing::debug!(what = %failure, "after a complete answer");
                    break false;
                }
            }
        };
        self.rest = None;
        if let Some(current) = &mut self.current {
            current.in_use = !ended;
        }
    }

    async fn send(
        &mut self,
        turn: &Turn,
        body: &Bytes,
    ) -> Result<(Instant, Response<Incoming>), Failure> {
        let (request, taken) = self.request(body);
        let limit = self.settings.progress_timeout;
        let current = {
            let _wait = turn.wait();
            self.ready().await?
        };
        let response = current.sender.send_request(request);
        current.in_use = true;
        // An error means that the connection is gone, which the response says better.
        let _ = timeout(limit, taken).await;
        let requested = Instant::now();
        turn.mark_at(Mark::LlmRequested, requested);
        let _wait = turn.wait();
        match timeout(limit, response).await {
            Ok(Ok(response)) => Ok((requested, response)),
            Ok(Err(error)) => Err(lost(&error)),
            Err(_) => {
                current.reused = false;
                let what = format!("silent for {} ms after a request", limit.as_millis());
                Err(Failure::retry(what))
            }
        }
    }

    /// A connection that can take a request.
    async fn ready(&mut self) -> Result<&mut Current, Failure> {
        if self.rest.is_some() && timeout(TIDY_LIMIT, self.tidy()).await.is_err() {
            self.rest = None;
        }
        if !self.is_reusable().await {
            self.current = None;
            let sender = self.connections.next().await?;
            self.current = Some(Current { sender, reused: false, in_use: false });
        }
        Ok(self.current.as_mut().expect("it was just filled"))
    }

    async fn is_reusable(&mut self) -> bool {
        match &mut self.current {
            Some(current) if !current.in_use => {
                current.reused = true;
                let ready = timeout(TIDY_LIMIT, current.sender.ready()).await;
                ready.is_ok_and(|ready| ready.is_ok())
            }
            _ => false,
        }
    }

    fn request(&self, body: &Bytes) -> (Request<Outgoing>, oneshot::Receiver<()>) {
        let (outgoing, taken) = Outgoing::new(body.clone());
        let request = Request::post(self.settings.endpoint.path(PATH))
            .header(header::HOST, self.settings.endpoint.authority())
            .header(header::AUTHORIZATION, self.settings.authorization.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "text/event-stream")
            .header(header::USER_AGENT, USER_AGENT)
            .body(outgoing)
            .expect("the endpoint was parsed as a URL, and the key as a header");
        (request, taken)
    }

    async fn refused(&mut self, response: Response<Incoming>) -> Failure {
        let (head, body) = response.into_parts();
        let body = Limited::new(body, MAX_REFUSAL_BYTES).collect();
        let body = match timeout(self.settings.progress_timeout, body).await {
            Ok(Ok(body)) => Some(body.to_bytes()),
            _ => None,
        };
        if let Some(current) = &mut self.current {
            current.in_use = body.is_none();
        }
        let body = body.unwrap_or_default();
        if !matches!(head.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            // Those two may quote a part of the key; the others may quote what was said.
            tracing::trace!(status = %head.status, ?body, "refused");
        }
        wire::refusal(head.status, &head.headers, &body)
    }
}

/// A request's body, which tells when the connection has taken it: from then on the provider is
/// waited for, and until then the time is the engine's own.
pub(super) struct Outgoing {
    bytes: Option<Bytes>,
    taken: Option<oneshot::Sender<()>>,
}

impl Outgoing {
    fn new(bytes: Bytes) -> (Self, oneshot::Receiver<()>) {
        let (taken, receiver) = oneshot::channel();
        (Self { bytes: Some(bytes), taken: Some(taken) }, receiver)
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(taken) = self.taken.take() {
            // Nobody listens where the turn was interrupted.
            let _ = taken.send(());
        }
        Poll::Ready(self.bytes.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let left = self.bytes.as_ref().map_or(0, Bytes::len);
        SizeHint::with_exact(left as u64)
    }
}
